//! Networks as other programs read them: what is written is read back equal by our own reader,
//! and ONNX Runtime, where Python has it, gives the same outputs.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod command;

use command::{fails, succeeds};
use gradscape::interop::{
    ModelFile, open_model, read_weights, translate, write_arrays, write_model,
};
use gradscape::nn::layer::{BatchNorm, Conv, LayerNorm, Pool};
use gradscape::nn::{
    Activation, LayerKind, LayerSpec, Loss, Network, ParamRole, Shape, Source, Workspace,
};
use ndarray::Array2;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn layer(kind: LayerKind, activation: Activation) -> LayerSpec {
    LayerSpec::new(kind, activation)
}

fn named(name: &str, kind: LayerKind, activation: Activation) -> LayerSpec {
    LayerSpec {
        name: Some(name.to_owned()),
        ..layer(kind, activation)
    }
}

/// Every kind of layer for images, with the settings that a kind has.
fn images() -> Network {
    let pool = |count_padding| Pool {
        size: [3, 2],
        stride: [2, 1],
        padding: [1, 1],
        count_padding,
    };
    let first = Conv {
        filters: 6,
        kernel: [3, 2],
        stride: [1, 2],
        padding: [2, 1],
        dilation: [2, 1],
        groups: 2,
        bias: true,
    };
    let same = Conv {
        padding: [1, 1],
        bias: false,
        ..Conv::square(6, 3)
    };
    let layers = [
        named("stem", LayerKind::Conv(first), Activation::Linear),
        layer(
            LayerKind::BatchNorm(BatchNorm {
                momentum: 0.1,
                epsilon: 1e-3,
            }),
            Activation::Silu,
        ),
        named("body", LayerKind::Conv(same), Activation::Linear),
        layer(LayerKind::PRelu { slope: 0.25 }, Activation::Linear),
        LayerSpec {
            sources: vec![Source::Layer(3), Source::Layer(1)],
            ..layer(LayerKind::Add, Activation::LeakyRelu)
        },
        layer(LayerKind::MaxPool(pool(true)), Activation::Linear),
        layer(LayerKind::AvgPool(pool(true)), Activation::Tanh),
        layer(LayerKind::AvgPool(pool(false)), Activation::Linear),
        layer(
            LayerKind::LayerNorm(LayerNorm { epsilon: 1e-4 }),
            Activation::Gelu,
        ),
        LayerSpec {
            sources: vec![Source::Layer(8), Source::Layer(7), Source::Layer(8)],
            ..layer(LayerKind::Add, Activation::Softplus)
        },
        layer(LayerKind::Dropout { rate: 0.2 }, Activation::Linear),
        layer(LayerKind::Flatten, Activation::Linear),
        layer(LayerKind::Dense { units: 7 }, Activation::Sigmoid),
        layer(LayerKind::Dense { units: 4 }, Activation::Softmax),
    ];
    Network::new(Shape::image(2, 9, 11), &layers, Loss::SoftmaxCrossEntropy).unwrap()
}

/// Layers whose values other programs have as images and we as plain vectors, or the other
/// way round.
fn averaged() -> Network {
    let layers = [
        layer(LayerKind::Conv(Conv::square(5, 3)), Activation::Relu),
        layer(LayerKind::GlobalAvgPool, Activation::Linear),
        layer(
            LayerKind::LayerNorm(LayerNorm::default()),
            Activation::Linear,
        ),
        layer(LayerKind::Dense { units: 6 }, Activation::Linear),
        layer(LayerKind::BatchNorm(BatchNorm::default()), Activation::Relu),
        layer(LayerKind::Conv(Conv::square(6, 1)), Activation::Linear),
        LayerSpec {
            sources: vec![Source::Layer(5), Source::Layer(4)],
            ..layer(LayerKind::Add, Activation::Linear)
        },
        layer(LayerKind::PRelu { slope: 0.1 }, Activation::Linear),
        layer(LayerKind::Dense { units: 1 }, Activation::Sigmoid),
    ];
    Network::new(Shape::image(1, 6, 6), &layers, Loss::BinaryCrossEntropy).unwrap()
}

/// A network of the plane, without an activation at its end.
fn plane() -> Network {
    let layers = [
        (5, Activation::Softplus),
        (4, Activation::Tanh),
        (2, Activation::Linear),
    ];
    Network::dense(3, &layers, Loss::HalfSquaredError).unwrap()
}

fn networks() -> [(&'static str, Network); 3] {
    [
        ("images", images()),
        ("averaged", averaged()),
        ("plane", plane()),
    ]
}

/// Numbers of every size; what is a variance is above 0.
fn params(network: &Network) -> Vec<f32> {
    let number = |i: usize| ((i * 7919 + 13) % 1000) as f32 / 1000.0 - 0.5;
    let mut params: Vec<f32> = (0..network.layout().len()).map(number).collect();
    for tensor in network.layout().tensors() {
        if tensor.role == ParamRole::RunningVariance {
            params[tensor.range.clone()]
                .iter_mut()
                .for_each(|v| *v = v.abs() + 0.1);
        }
    }
    params
}

fn samples(network: &Network, n: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, network.inputs()), |(s, i)| {
        ((i * 7919 + s * 104_729) % 256) as f32 / 128.0 - 1.0
    })
}

fn outputs(network: &Network, params: &[f32], x: &Array2<f32>) -> Array2<f32> {
    let mut workspace = Workspace::new(network, x.nrows());
    network.forward(params, x.view(), &mut workspace);
    workspace.output().to_owned()
}

fn write(path: &Path, network: &Network, params: &[f32]) {
    let notes = [("gradscape.scaling".to_owned(), "none".to_owned())];
    let model = ModelFile {
        network,
        params,
        title: "a test",
        notes: &notes,
    };
    write_model(path, &model).unwrap();
}

#[test]
fn an_onnx_file_is_read_back_as_the_same_network() {
    let dir = tempfile::tempdir().unwrap();
    for (name, network) in networks() {
        let path = dir.path().join(format!("{name}.onnx"));
        let params = params(&network);
        write(&path, &network, &params);
        let model = open_model(&path).unwrap();
        assert_eq!(model.producer, "gradscape");
        let found = translate(&model);
        let found = found.result.unwrap_or_else(|why| panic!("{name}: {why}"));
        let bits = |all: &[f32]| -> Vec<u32> { all.iter().map(|v| v.to_bits()).collect() };
        assert_eq!(bits(&found.params), bits(&params), "{name}");
        let x = samples(&network, 5);
        let (ours, theirs) = (
            outputs(&network, &params, &x),
            outputs(&found.network, &found.params, &x),
        );
        assert_eq!(ours, theirs, "{name}");
        // Layer for layer but for what turns images into vectors and back.
        let kinds = |network: &Network| -> Vec<(LayerKind, Activation)> {
            let layers = network.layers().iter();
            let layers = layers.map(|layer| (*layer.kind(), layer.activation()));
            layers
                .filter(|(kind, _)| *kind != LayerKind::Flatten)
                .map(|(kind, activation)| match kind {
                    // What a maximum makes of padding is no setting of it, and the first
                    // slopes are those that are there.
                    LayerKind::MaxPool(pool) => {
                        let count_padding = true;
                        (
                            LayerKind::MaxPool(Pool {
                                count_padding,
                                ..pool
                            }),
                            activation,
                        )
                    }
                    LayerKind::PRelu { .. } => (LayerKind::PRelu { slope: 0.25 }, activation),
                    other => (other, activation),
                })
                .collect()
        };
        assert_eq!(kinds(&found.network), kinds(&network), "{name}");
    }
}

#[test]
fn every_activation_survives_the_way_out_and_in() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.onnx");
    for activation in Activation::ALL {
        let loss = match activation {
            Activation::Softmax => Loss::SoftmaxCrossEntropy,
            _ => Loss::HalfSquaredError,
        };
        let network = Network::dense(4, &[(3, activation)], loss).unwrap();
        let params = params(&network);
        write(&path, &network, &params);
        let found = translate(&open_model(&path).unwrap()).result.unwrap();
        assert_eq!(found.layers.len(), 1, "{activation}");
        assert_eq!(found.layers[0].activation, activation);
        assert_eq!(found.layers[0].name.as_deref(), Some("output"));
        assert_eq!(found.params, params);
    }
}

#[test]
fn parameters_by_name_are_read_back_in_the_order_of_the_layers() {
    let dir = tempfile::tempdir().unwrap();
    for (name, network) in networks() {
        let params = params(&network);
        for ending in ["safetensors", "npz"] {
            let path = dir.path().join(format!("{name}.{ending}"));
            write(&path, &network, &params);
            let again = read_weights(&path, network.layout()).unwrap();
            assert_eq!(again, params, "{name}.{ending}");
            let model = open_model(&path).unwrap();
            assert_eq!(model.parameters(), params.len(), "{name}.{ending}");
        }
    }
    let model = open_model(&dir.path().join("images.safetensors")).unwrap();
    let names: Vec<&str> = model
        .nodes
        .iter()
        .flat_map(|node| node.weights.iter().map(|w| w.tensor.name.as_str()))
        .collect();
    for name in [
        "stem.weight",
        "stem.bias",
        "batch_norm_2.running_var",
        "body.weight",
        "output.bias",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
}

#[test]
fn the_command_line_writes_all_three_forms_of_an_experiment_and_converts_models() {
    let dir = tempfile::tempdir().unwrap();
    let export = [
        "export",
        "digits-conv",
        "--out",
        "a.onnx",
        "--out",
        "a.safetensors",
        "--out",
        "a.npz",
        "--json",
    ];
    let text = succeeds(dir.path(), &export);
    let lines: Vec<Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(
        (&lines[0]["format"], &lines[0]["opset"]),
        (&"ONNX".into(), &17.into())
    );
    let size = std::fs::metadata(dir.path().join("a.onnx")).unwrap().len();
    assert_eq!(lines[0]["bytes"], size);
    let shown = succeeds(dir.path(), &["inspect", "a.onnx", "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["network"], true, "{shown}");
    assert_eq!(shown["parameters"], lines[0]["parameters"]);
    // What was written is taken for the weights of the experiment that it came from.
    for file in ["a.onnx", "a.safetensors", "a.npz"] {
        succeeds(
            dir.path(),
            &["export", "digits-conv", "--weights", file, "--out", "b.npz"],
        );
        let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
        assert_eq!(read("a.npz"), read("b.npz"), "{file}");
    }
    succeeds(dir.path(), &["export", "a.onnx", "--out", "c.safetensors"]);
    let a = open_model(&dir.path().join("a.safetensors")).unwrap();
    let c = open_model(&dir.path().join("c.safetensors")).unwrap();
    assert_eq!(a.parameters(), c.parameters());
    let error = fails(dir.path(), 2, &["export", "iris", "--out", "iris.h5"]);
    assert!(error.contains(".onnx, .safetensors or .npz"), "{error}");
    let error = fails(
        dir.path(),
        2,
        &["export", "a.onnx", "--seed", "1", "--out", "c.npz"],
    );
    assert!(error.contains("--seed"), "{error}");
}

/// Runs only where Python has onnxruntime and onnx (GRADSCAPE_PYTHON names another Python than
/// `python3`); with GRADSCAPE_EXPORT_CHECKS=required it may not be missing.
#[test]
#[allow(clippy::print_stderr)]
fn onnx_runtime_gives_the_same_outputs() {
    let python = std::env::var("GRADSCAPE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let import = ["-c", "import numpy, onnx, onnxruntime"];
    let found = Command::new(&python).args(import).output();
    if !found.is_ok_and(|output| output.status.success()) {
        let required = std::env::var("GRADSCAPE_EXPORT_CHECKS").is_ok_and(|v| v == "required");
        assert!(!required, "{python} has no numpy, onnx and onnxruntime");
        eprintln!("left out: {python} has no numpy, onnx and onnxruntime");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, network) in networks() {
        let params = params(&network);
        write(&dir.path().join(format!("{name}.onnx")), &network, &params);
        let x = samples(&network, 5);
        let y = outputs(&network, &params, &x);
        let arrays =
            [("x", x), ("y", y)].map(|(key, a)| (key.to_owned(), a.mapv(f64::from).into_dyn()));
        write_arrays(&dir.path().join(format!("{name}.npz")), &arrays).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/run_onnx.py");
    let run = Command::new(&python)
        .arg(script)
        .arg(dir.path())
        .output()
        .unwrap();
    let (said, wrong) = (
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr),
    );
    assert!(run.status.success(), "{said}{wrong}");
    assert_eq!(said.lines().count(), 3, "{said}");
}
