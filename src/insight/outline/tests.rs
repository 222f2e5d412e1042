use super::*;
use crate::interop::{ForeignModel, ModelFormat, Node, Port, translate};
use crate::nn::layer::Conv;
use crate::nn::{Activation, LayerKind, LayerSpec, Loss, Network, Shape, Source};

fn dense(layers: usize) -> Network {
    let spec = |units: usize| LayerSpec::new(LayerKind::Dense { units }, Activation::Tanh);
    let mut specs: Vec<LayerSpec> = (0..layers - 1).map(|_| spec(8)).collect();
    specs.push(LayerSpec::new(
        LayerKind::Dense { units: 3 },
        Activation::Softmax,
    ));
    Network::new(Shape::flat(4), &specs, Loss::SoftmaxCrossEntropy).unwrap()
}

/// `(name, operator, reads)`.
fn model(nodes: &[(&str, &str, &[&str])], output: &str) -> ForeignModel {
    let port = |name: &str, shape| Port {
        name: name.to_owned(),
        shape,
    };
    ForeignModel {
        format: ModelFormat::Onnx,
        producer: String::new(),
        inputs: vec![port("x", Some(vec![None, Some(3), Some(8), Some(8)]))],
        outputs: vec![port(output, None)],
        nodes: nodes
            .iter()
            .map(|(name, op, reads)| {
                Node::new(name, op, reads.iter().map(|r| (*r).to_owned()).collect())
            })
            .collect(),
        channels_last: false,
        notes: Vec::new(),
    }
}

fn outline(nodes: &[(&str, &str, &[&str])], output: &str) -> Outline {
    let model = model(nodes, output);
    Outline::of_model(&model, &translate(&model))
}

/// A network of residual blocks, each of three nodes and a sum.
fn residual(blocks: usize) -> Outline {
    let conv = |filters| {
        let conv = Conv {
            padding: [1, 1],
            ..Conv::square(filters, 3)
        };
        LayerSpec::new(LayerKind::Conv(conv), Activation::Relu)
    };
    let mut specs = vec![conv(4)];
    for _ in 0..blocks {
        let before = specs.len() - 1;
        specs.extend([conv(4), conv(4)]);
        let mut sum = LayerSpec::new(LayerKind::Add, Activation::Linear);
        sum.sources = vec![Source::Layer(before + 2), Source::Layer(before)];
        specs.push(sum);
    }
    specs.push(LayerSpec::new(LayerKind::Flatten, Activation::Linear));
    specs.push(LayerSpec::new(
        LayerKind::Dense { units: 2 },
        Activation::Softmax,
    ));
    let network = Network::new(Shape::image(1, 6, 6), &specs, Loss::SoftmaxCrossEntropy).unwrap();
    Outline::of_network(&network)
}

#[test]
fn every_node_is_in_exactly_one_place() {
    for outline in [
        Outline::of_network(&dense(60)),
        residual(19),
        Outline::of_network(&dense(3)),
    ] {
        let mut all: Vec<usize> = outline
            .top()
            .iter()
            .flat_map(|&p| outline.nodes_of(p))
            .collect();
        all.sort_unstable();
        assert_eq!(all, (0..outline.nodes().len()).collect::<Vec<_>>());
        for (at, block) in outline.blocks().iter().enumerate() {
            assert!(block.parts.len() > 1 && block.parts.len() <= MOST_PARTS);
            for &part in &block.parts {
                assert_eq!(outline.parent(part), Some(at));
            }
        }
        assert!(outline.top().len() <= MOST_PARTS);
    }
}

#[test]
fn a_deep_network_is_shown_in_a_few_parts_and_opens_block_by_block() {
    let outline = Outline::of_network(&dense(60));
    let first = outline.first_open();
    let shown = outline.shown(&first);
    assert!(
        (3..=FIRST_PARTS).contains(&shown.parts.len()),
        "{}",
        shown.parts.len()
    );
    // A chain stays a chain however it is folded.
    assert_eq!(shown.edges.len(), shown.parts.len() - 1);
    let all: BTreeSet<usize> = (0..outline.blocks().len()).collect();
    let whole = outline.shown(&all);
    assert_eq!(whole.parts.len(), 61);
    assert_eq!(whole.edges.len(), 60);
    // A small one is never folded.
    let small = Outline::of_network(&dense(5));
    assert!(small.blocks().is_empty());
}

#[test]
fn residual_blocks_are_blocks() {
    let outline = residual(19);
    let branches = outline.blocks().iter();
    let branches: Vec<_> = branches
        .filter(|block| matches!(block.name, BlockName::Branches(_)))
        .collect();
    assert_eq!(branches.len(), 19);
    for block in branches {
        let kinds: Vec<&str> = block
            .parts
            .iter()
            .map(|part| match part {
                Part::Node(node) => outline.nodes()[*node].operator.as_str(),
                Part::Block(_) => "block",
            })
            .collect();
        assert_eq!(kinds, ["conv", "conv", "add"]);
    }
}

#[test]
fn names_of_a_file_are_its_blocks() {
    let outline = outline(
        &[
            ("/conv1/Conv", "Conv", &["x"]),
            ("/layer1/layer1.0/conv1/Conv", "Conv", &["/conv1/Conv"]),
            (
                "/layer1/layer1.0/Mish",
                "Mish",
                &["/layer1/layer1.0/conv1/Conv"],
            ),
            (
                "/layer1/layer1.1/conv1/Conv",
                "Conv",
                &["/layer1/layer1.0/Mish"],
            ),
            (
                "/layer1/layer1.1/relu/Relu",
                "Relu",
                &["/layer1/layer1.1/conv1/Conv"],
            ),
            ("/fc/Gemm", "Gemm", &["/layer1/layer1.1/relu/Relu"]),
        ],
        "/fc/Gemm",
    );
    let names: Vec<&BlockName> = outline.blocks().iter().map(|block| &block.name).collect();
    let path = |name: &str| BlockName::Path(name.to_owned());
    assert_eq!(names.len(), 3);
    for name in ["layer1", "layer1/layer1.0", "layer1/layer1.1"] {
        assert!(names.contains(&&path(name)), "{name} of {names:?}");
    }
    let open = outline.shown(&BTreeSet::new());
    // The input, the first convolution, layer1, the end, and what it gives.
    assert_eq!(open.parts.len(), 5);
    assert_eq!(open.edges.len(), 4);
    let mish = outline
        .nodes()
        .iter()
        .position(|n| n.operator == "Mish")
        .unwrap();
    let why = outline.nodes()[mish].kind.reason().unwrap();
    assert!(why.contains("Mish"), "{why}");
    assert_eq!(outline.short_name(mish), "Mish");
    let around: Vec<usize> = outline.around(Part::Node(mish)).collect();
    assert_eq!(around.len(), 2);
    assert!(outline.opaque(Part::Block(around[1])) >= 1);
}

#[test]
fn what_is_not_known_is_not_counted_with_what_the_engine_does_not_have() {
    let mut model = model(
        &[
            ("/a/Conv", "Conv", &["x"]),
            ("/a/Mish", "Mish", &["/a/Conv"]),
        ],
        "/a/Mish",
    );
    model.inputs[0].shape = None;
    let outline = Outline::of_model(&model, &translate(&model));
    let all = |is: fn(&NodeKind) -> bool| outline.nodes().iter().filter(|n| is(&n.kind)).count();
    let opaque = all(|kind| matches!(kind, NodeKind::Opaque(_)));
    let unknown = all(|kind| matches!(kind, NodeKind::Unknown(_)));
    assert!(opaque + unknown > 0, "{:?}", outline.nodes());
    let sums = (0..outline.nodes().len()).map(|node| {
        let part = Part::Node(node);
        (outline.opaque(part), outline.unknown(part))
    });
    let sums = sums.fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    assert_eq!(sums, (opaque, unknown));
}

#[test]
fn a_block_is_found_by_the_last_part_of_its_path() {
    let outline = outline(
        &[
            ("/features/features.1/Conv", "Conv", &["x"]),
            ("features.10_scale", "Mish", &["/features/features.1/Conv"]),
            ("/features/features.10/Conv", "Conv", &["features.10_scale"]),
            (
                "/features/features.10/Relu",
                "Relu",
                &["/features/features.10/Conv"],
            ),
        ],
        "/features/features.10/Relu",
    );
    let first = outline.find("features.10", 10)[0].part;
    let Part::Block(block) = first else {
        panic!("{first:?}");
    };
    let path = BlockName::Path("features/features.10".to_owned());
    assert_eq!(outline.blocks()[block].name, path);
}

#[test]
fn what_is_looked_for_is_found_by_name_kind_and_tensor() {
    let outline = outline(
        &[
            ("/stem/Conv", "Conv", &["x"]),
            ("/stem/Mish", "Mish", &["/stem/Conv"]),
            ("/head/Gemm", "Gemm", &["/stem/Mish"]),
        ],
        "/head/Gemm",
    );
    let found = |query: &str| -> Vec<Part> {
        outline
            .find(query, 10)
            .into_iter()
            .map(|hit| hit.part)
            .collect()
    };
    assert_eq!(found("mish"), [Part::Node(2)]);
    assert_eq!(found("HEAD gemm")[0], Part::Node(3));
    assert!(matches!(found("stem")[0], Part::Block(_)));
    assert!(found("  ").is_empty() && found("nothing of the kind").is_empty());
    let deep = Outline::of_network(&dense(60));
    let weights = deep.find("weight", 100);
    assert_eq!(weights.len(), 60);
    assert!(
        weights
            .iter()
            .all(|hit| hit.tensor.as_deref() == Some("weight"))
    );
    assert_eq!(deep.find("dense", 7).len(), 7);
}

#[test]
fn a_spread_is_that_of_numpy() {
    // numpy: a = [1, -2, 0, 4, 0]; a.mean() 0.6, a.std() 1.9595917942265424
    let values = [1.0, -2.0, 0.0, 4.0, f32::NAN];
    let spread = Spread::of([&values[..], &[0.0]].into_iter()).unwrap();
    assert_eq!((spread.count, spread.not_finite, spread.zeros), (6, 1, 2));
    assert!((spread.mean - 0.6).abs() < 1e-12);
    assert!((spread.deviation - 1.959_591_794_226_542_4).abs() < 1e-12);
    assert_eq!((spread.least, spread.greatest), (-2.0, 4.0));
    assert!(Spread::of(std::iter::empty()).is_none());
}

#[test]
fn a_constant_belongs_where_it_is_read() {
    let outline = outline(
        &[
            ("Constant_0", "Constant", &[]),
            ("/stem/Conv", "Conv", &["x"]),
            ("/stem/Clip", "Clip", &["/stem/Conv", "Constant_0"]),
            ("/head/Pow", "Pow", &["/stem/Clip"]),
            ("/head/Mul", "Mul", &["/head/Pow"]),
        ],
        "/head/Mul",
    );
    assert_eq!(outline.nodes()[1].operator, "Constant");
    let block = outline.parent(Part::Node(1)).expect("it is in a block");
    assert_eq!(
        outline.blocks()[block].name,
        BlockName::Path("stem".to_owned())
    );
}

#[test]
fn shapes_that_a_run_found_are_taken_where_the_file_has_none() {
    let mut outline = Outline::of_network(&dense(4));
    outline.nodes[1].output = None;
    outline.nodes[2].output = Some(vec![Some(7), None]);
    let told = outline.nodes[3].output.clone();
    let found = outline.with_shapes(|_| Some(&[1, 7, 9]));
    assert_eq!(found.nodes[1].output, Some(vec![Some(7), Some(9)]));
    assert_eq!(found.nodes[2].output, Some(vec![Some(7), Some(9)]));
    assert_eq!(found.nodes[3].output, told, "what is known stays");
    assert_eq!(found.blocks, outline.blocks);
    let whole = outline.with_shapes(|_| Some(&[5, 2]));
    assert_eq!(whole.nodes[1].output, Some(vec![Some(5), Some(2)]));
}
