//! Foreign models run forward node by node: outputs beside ONNX Runtime's, what is not run and
//! why, and that no node gets more memory than it may.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod command;

use command::{fails, succeeds};
use gradscape::interop::{InputSides, InputValues, RunInput, Runnable, open_model_for, translate};
use prost::Message;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, tensor_shape_proto, type_proto,
};

fn small(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/models")
        .join(name)
}

/// A real model, where there is one on this machine.
#[allow(clippy::print_stderr)]
fn shared(name: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("GRADSCAPE_MODELS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/models"),
    };
    let file = folder.join(name);
    if !file.is_file() {
        eprintln!("{} is not there; this part is left out", file.display());
        return None;
    }
    Some(file)
}

/// The inputs of `tests/models/reference.py`.
fn samples(n: usize, size: usize) -> Vec<f32> {
    let value = |s: usize, i: usize| ((i * 7919 + s * 104_729) % 256) as f32 / 255.0;
    (0..n)
        .flat_map(|s| (0..size).map(move |i| value(s, i)))
        .collect()
}

fn answers(key: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(small("reference.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let all = json[key].as_array().unwrap().iter();
    all.map(|v| v.as_f64().unwrap()).collect()
}

/// The only output for one input.
fn ran(path: &Path, shape: &[usize], values: Vec<f32>) -> Vec<f64> {
    let model = Runnable::open(path).unwrap();
    let ports = model.ports().unwrap();
    assert_eq!(ports.len(), 1, "{ports:?}");
    let input = RunInput {
        name: ports[0].name.clone(),
        shape: shape.to_vec(),
        values: InputValues::Each(values),
    };
    let run = model.run(&[input], &mut |_, _| true).unwrap();
    assert_eq!(run.ran(), run.nodes.len(), "{:?}", run.nodes);
    let [(_, _, values)] = &run.outputs[..] else {
        panic!("{:?}", run.outputs)
    };
    values.clone()
}

fn assert_close(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() < 1e-5, "{what}: {a} and not {b}");
    }
}

#[test]
fn a_graph_gives_what_onnx_runtime_gives() {
    let y = ran(&small("residual.onnx"), &[3, 2, 6, 7], samples(3, 84));
    assert_close("residual.onnx", &y, &answers("residual.onnx"));
    // Of another format, as the graph that is written of it.
    let y = ran(&small("nets.pt"), &[3, 2], samples(3, 2));
    assert_close("nets.pt", &y, &answers("nets.pt"));
    for name in ["lenet_mnist.onnx", "keras216_lenet_mnist.h5"] {
        let Some(path) = shared(name) else { return };
        let y = ran(&path, &[4, 1, 28, 28], samples(4, 784));
        assert_close(name, &y, &answers("lenet"));
    }
}

fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: op.to_owned(),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

fn with(mut node: NodeProto, attributes: Vec<AttributeProto>) -> NodeProto {
    node.attribute = attributes;
    node
}

fn branch(name: &str, graph: GraphProto) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Graph.into(),
        g: Some(graph),
        ..AttributeProto::default()
    }
}

fn port(name: &str, kind: i32, sides: &[i64]) -> ValueInfoProto {
    let side = |&n: &i64| tensor_shape_proto::Dimension {
        value: Some(tensor_shape_proto::dimension::Value::DimValue(n)),
        ..tensor_shape_proto::Dimension::default()
    };
    let tensor = type_proto::Tensor {
        elem_type: kind,
        shape: Some(TensorShapeProto {
            dim: sides.iter().map(side).collect(),
        }),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}

fn wholes(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: vec![values.len() as i64],
        data_type: 7,
        int64_data: values.to_vec(),
        ..TensorProto::default()
    }
}

fn floats(name: &str, values: &[f32]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: vec![values.len() as i64],
        data_type: 1,
        float_data: values.to_vec(),
        ..TensorProto::default()
    }
}

fn write(path: &Path, graph: GraphProto) {
    let model = ModelProto {
        ir_version: 8,
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: 17,
        }],
        graph: Some(graph),
        ..ModelProto::default()
    };
    std::fs::write(path, model.encode_to_vec()).unwrap();
}

/// `x > 0` decides between adding and multiplying, by a value from around the branches and a
/// constant of their own.
#[test]
fn a_condition_runs_the_branch_that_it_chooses() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("if.onnx");
    let inner = |op: &str| GraphProto {
        node: vec![node(op, &["doubled", "own"], "z")],
        initializer: vec![floats("own", &[10.0])],
        output: vec![port("z", 1, &[1])],
        ..GraphProto::default()
    };
    write(
        &path,
        GraphProto {
            node: vec![
                node("Add", &["x", "x"], "doubled"),
                node("Greater", &["x", "zero"], "above"),
                node("Squeeze", &["above"], "condition"),
                with(
                    node("If", &["condition"], "y"),
                    vec![
                        branch("then_branch", inner("Add")),
                        branch("else_branch", inner("Mul")),
                    ],
                ),
                node("Relu", &["y"], "end"),
            ],
            initializer: vec![floats("zero", &[0.0])],
            input: vec![port("x", 1, &[1])],
            output: vec![port("y", 1, &[1])],
            ..GraphProto::default()
        },
    );
    assert_eq!(ran(&path, &[1], vec![2.0]), [14.0]);
    assert_eq!(ran(&path, &[1], vec![-2.0]), [-40.0]);
    let model = open_model_for(&path, &[]).unwrap();
    assert!(translate(&model).result.is_err());
}

#[test]
fn a_node_that_is_not_run_says_why_and_so_does_what_needs_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("odd.onnx");
    write(
        &path,
        GraphProto {
            node: vec![
                node("Frobnicate", &["x"], "a"),
                node("Tanh", &["a"], "b"),
                node("Sigmoid", &["b"], "c"),
                node("Relu", &["x"], "d"),
                // Sides that do not go together.
                node("MatMul", &["x", "w"], "e"),
            ],
            initializer: vec![floats("w", &[1.0, 2.0, 3.0])],
            input: vec![port("x", 1, &[1, 2])],
            output: vec![port("d", 1, &[1, 2])],
            ..GraphProto::default()
        },
    );
    let model = Runnable::open(&path).unwrap();
    let input = RunInput {
        name: "x".to_owned(),
        shape: vec![1, 2],
        values: InputValues::Each(vec![-1.0, 3.0]),
    };
    let run = model.run(&[input], &mut |_, _| true).unwrap();
    let why: Vec<String> = run
        .nodes
        .iter()
        .map(|node| node.values.clone().err().unwrap_or_default())
        .collect();
    assert_eq!(why[0], "tract has no Frobnicate");
    assert_eq!(why[1], "it reads Frobnicate_1, which was not run");
    assert_eq!(why[2], "it reads Tanh_1, which was not run");
    assert_eq!(why[3], "");
    assert!(!why[4].is_empty());
    assert_eq!(run.outputs[0].2, [0.0, 3.0]);
    let told = run.nodes[3].values.as_ref().unwrap();
    assert_eq!(
        (told[0].min, told[0].max, told[0].mean),
        (Some(0.0), Some(3.0), Some(1.5))
    );

    // Stopped between two nodes.
    let input = RunInput {
        name: "x".to_owned(),
        shape: vec![1, 2],
        values: InputValues::All(1.0),
    };
    let run = model.run(&[input], &mut |done, _| done < 2).unwrap();
    assert!(run.stopped && run.nodes.len() == 1);

    let text = succeeds(dir.path(), &["inspect", "odd.onnx", "--json"]);
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["nodes"][0]["tract"], false);
    assert_eq!(json["nodes"][1]["tract"], true);
    let text = succeeds(dir.path(), &["inspect", "odd.onnx"]);
    assert!(text.contains("nor has tract"), "{text}");
}

#[test]
fn outputs_without_measure_are_refused_before_memory_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("grow.onnx");
    let huge = 1 << 40;
    let big = 100_000;
    let cases = [
        (
            node("ConstantOfShape", &["n"], "y"),
            vec![wholes("n", &[huge])],
        ),
        (
            node("Expand", &["x", "n"], "y"),
            vec![wholes("n", &[big, big, 1])],
        ),
        (
            node("Tile", &["x", "n"], "y"),
            vec![wholes("n", &[huge, 1])],
        ),
        (
            node("Range", &["a", "b", "c"], "y"),
            ["a", "b", "c"]
                .into_iter()
                .zip([0, huge, 1])
                .map(|(name, n)| TensorProto {
                    dims: vec![],
                    ..wholes(name, &[n])
                })
                .collect(),
        ),
        (
            node("OneHot", &["k", "depth", "v"], "y"),
            vec![
                wholes("k", &[0, 1]),
                wholes("depth", &[huge]),
                floats("v", &[0.0, 1.0]),
            ],
        ),
        (
            node("Pad", &["x", "n"], "y"),
            vec![wholes("n", &[0, 0, big, big])],
        ),
        (
            node("Resize", &["x", "", "", "n"], "y"),
            vec![wholes("n", &[big, big])],
        ),
        // Two vectors whose outer product is too large.
        (
            node("Mul", &["long", "high"], "y"),
            vec![
                TensorProto {
                    dims: vec![1, big],
                    ..floats("long", &vec![1.0; big as usize])
                },
                TensorProto {
                    dims: vec![big, 1],
                    ..floats("high", &vec![1.0; big as usize])
                },
            ],
        ),
    ];
    for (node, initializer) in cases {
        let op = node.op_type.clone();
        write(
            &path,
            GraphProto {
                node: vec![node],
                initializer,
                input: vec![port("x", 1, &[2, 2])],
                output: vec![port("y", 1, &[1])],
                ..GraphProto::default()
            },
        );
        let model = Runnable::open(&path).unwrap();
        let input = RunInput {
            name: "x".to_owned(),
            shape: vec![2, 2],
            values: InputValues::All(1.0),
        };
        let run = model.run(&[input], &mut |_, _| true).unwrap();
        let why = run.nodes[0].values.clone().unwrap_err();
        assert!(why.contains("its output would have"), "{op}: {why}");
    }
}

#[test]
fn sides_that_a_file_leaves_open_are_said() {
    let Some(path) = shared("pnet.pt") else {
        return;
    };
    let sides: InputSides = "3,24,30".parse().unwrap();
    let model = open_model_for(&path, &[sides]).unwrap();
    let found = translate(&model);
    let shapes: Vec<String> = found
        .shapes
        .iter()
        .flatten()
        .map(ToString::to_string)
        .collect();
    assert_eq!(shapes[0], "10x22x28");
    assert_eq!(shapes.len(), model.nodes.len());
    assert_eq!(model.outputs.len(), 2);
    let dir = tempfile::tempdir().unwrap();
    let pnet = path.to_str().unwrap();
    let text = succeeds(dir.path(), &["inspect", pnet, "--input", "3,24,30"]);
    assert!(
        text.contains("24 × 30 as given") && text.contains("10 × 22 × 28"),
        "{text}"
    );
    let error = fails(dir.path(), 1, &["inspect", pnet, "--input", "4,24,30"]);
    assert!(
        error.contains("does not fit") || error.contains("do not fit"),
        "{error}"
    );
    // What is given arrives; that it has two heads is why it is not run.
    let args = ["inspect", pnet, "--input", "3,12,12", "--run"];
    let error = fails(dir.path(), 1, &args);
    assert!(!error.contains("is not known"), "{error}");
    assert!(error.contains("gives 2 values"), "{error}");
    let error = fails(dir.path(), 2, &["inspect", pnet, "--input", "3,zz"]);
    assert!(error.contains("3,224,224"), "{error}");
}

#[test]
fn the_command_line_runs_a_sample_and_names_its_class() {
    let dir = tempfile::tempdir().unwrap();
    let own = small("residual.onnx");
    let own = own.to_str().unwrap();
    let text = succeeds(dir.path(), &["inspect", own, "--run"]);
    assert!(
        text.contains("a ramp from 0 to 1") && text.contains("nodes were run"),
        "{text}"
    );
    for wrong in [
        &["inspect", own, "--sample", "3"][..],
        &["inspect", own, "--run", "--sample", "3"],
        &["inspect", own, "--run", "--data", "mnist"],
        &["inspect", "iris", "--run"],
    ] {
        fails(dir.path(), 2, wrong);
    }
    let error = fails(
        dir.path(),
        1,
        &["inspect", own, "--run", "--set", "nothing=1"],
    );
    assert!(error.contains("no input \"nothing\""), "{error}");
    let error = fails(
        dir.path(),
        1,
        &["inspect", own, "--run", "--data", "iris", "--sample", "0"],
    );
    assert!(error.contains("takes 84 values"), "{error}");

    let Some(path) = shared("lenet_mnist.onnx") else {
        return;
    };
    let lenet = path.to_str().unwrap();
    let mut right = 0;
    for sample in 0..5 {
        let sample = sample.to_string();
        let run = [
            "inspect", lenet, "--run", "--data", "mnist", "--sample", &sample, "--json",
        ];
        let json: Value = serde_json::from_str(&succeeds(dir.path(), &run)).unwrap();
        let top = &json["outputs"][0]["top"][0];
        assert!(top["value"].as_f64().unwrap() > 0.3, "{top}");
        right += usize::from(top["name"] == json["label"]);
    }
    assert!(right >= 4, "{right} of 5");
}
