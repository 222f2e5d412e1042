//! Models of other programs: what opens, with which parameters and which answers, and what
//! damaged files come to.
//!
//! `tests/models/` holds small files with the answers of the programs that wrote them
//! (`reference.py`). The real models lie in `../shared/models`, or where GRADSCAPE_MODELS
//! says; without them the tests that need them say so and look at the small ones alone.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod command;

use command::{fails, succeeds};
use gradscape::interop::{
    ForeignModel, Status, Translated, experiment_of, open_model, read_weights, translate,
};
use gradscape::nn::{LayerKind, Network, Workspace};
use gradscape::train::Problem;
use ndarray::Array2;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};

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

const LENETS: [&str; 4] = [
    "keras216_lenet_mnist.h5",
    "lenet_mnist_k3.h5",
    "lenet_mnist.keras",
    "lenet_mnist.onnx",
];

fn answers(key: &str) -> Vec<f32> {
    let text = std::fs::read_to_string(small("reference.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let all = json[key].as_array().unwrap().iter();
    all.map(|v| v.as_f64().unwrap() as f32).collect()
}

/// The inputs of `reference.py`, values in the order of the file's images.
fn samples(n: usize, size: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, size), |(s, i)| {
        ((i * 7919 + s * 104_729) % 256) as f32 / 255.0
    })
}

fn translated(path: &Path) -> Translated {
    let model = open_model(path).unwrap();
    translate(&model).result.unwrap()
}

fn outputs(network: &Network, params: &[f32], x: &Array2<f32>) -> Vec<f32> {
    let mut workspace = Workspace::new(network, x.nrows());
    network.forward(params, x.view(), &mut workspace);
    workspace.output().iter().copied().collect()
}

fn assert_close(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (k, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!(
            (a - b).abs() < 1e-5,
            "{what}: output {k} is {a} and not {b}"
        );
    }
}

/// Pixel by pixel to channel by channel.
fn channels_first(x: &Array2<f32>, channels: usize) -> Array2<f32> {
    let pixels = x.ncols() / channels;
    Array2::from_shape_fn(x.dim(), |(s, i)| x[[s, i % pixels * channels + i / pixels]])
}

#[test]
fn a_residual_network_of_onnx_answers_as_onnx_runtime_does() {
    let found = translated(&small("residual.onnx"));
    let y = outputs(&found.network, &found.params, &samples(3, 2 * 6 * 7));
    assert_close("residual.onnx", &y, &answers("residual.onnx"));
}

#[test]
fn a_network_of_keras_answers_as_keras_does_in_both_formats() {
    let x = channels_first(&samples(3, 8 * 6 * 3), 3);
    for name in ["block.keras", "block.h5"] {
        let model = open_model(&small(name)).unwrap();
        assert_eq!(model.parameters(), 639, "{name}");
        let found = translate(&model).result.unwrap();
        let y = outputs(&found.network, &found.params, &x);
        assert_close(name, &y, &answers("block"));
    }
}

#[test]
fn weights_of_pytorch_become_the_network_that_is_guessed_and_said() {
    let model = open_model(&small("nets.pt")).unwrap();
    assert!(
        model.notes.iter().any(|note| note.contains("guessed")),
        "{:?}",
        model.notes
    );
    let found = translate(&model).result.unwrap();
    let y = outputs(&found.network, &found.params, &samples(3, 2));
    assert_close("nets.pt", &y, &answers("nets.pt"));
}

fn kinds(model: &ForeignModel) -> Vec<&'static str> {
    let all = translate(model)
        .statuses
        .into_iter()
        .filter_map(|status| match status {
            Status::Layer(kind) => Some(kind.name()),
            _ => None,
        });
    all.collect()
}

#[test]
fn every_form_of_the_lenet_has_its_layers_parameters_and_answers() {
    for name in LENETS {
        let Some(path) = shared(name) else { return };
        let model = open_model(&path).unwrap();
        assert_eq!(model.parameters(), 44_426, "{name}");
        let expected = [
            "conv", "max_pool", "conv", "max_pool", "flatten", "dense", "dense", "dense",
        ];
        assert_eq!(kinds(&model), expected, "{name}");
        let found = translate(&model).result.unwrap();
        let y = outputs(&found.network, &found.params, &samples(4, 784));
        assert_close(name, &y, &answers("lenet"));
    }
    // Its safetensors say no activations; those of the network that it is read for hold.
    let Some(path) = shared("lenet_mnist.safetensors") else {
        return;
    };
    assert_eq!(open_model(&path).unwrap().parameters(), 44_426);
    let known = translated(&shared("lenet_mnist.onnx").unwrap());
    let params = read_weights(&path, known.network.layout()).unwrap();
    assert_eq!(params, known.params);
}

/// 98.66 % on all of the test set; on the 2,000 that the program has ONNX Runtime counts as
/// many as stand in the reference.
#[test]
fn every_form_of_the_lenet_reads_digits() {
    for name in LENETS {
        let Some(path) = shared(name) else { return };
        let experiment = experiment_of(&translated(&path), name, None).unwrap();
        assert_eq!(experiment.data.source, "mnist");
        let problem = Problem::new(&experiment).unwrap();
        let params = problem.initial_params();
        let x = &problem.validation.x;
        let y = outputs(&problem.network, &params, x);
        let right = y
            .chunks(10)
            .zip(problem.validation.y.rows())
            .filter(|(y, wanted)| {
                let best = (0..10).max_by(|&a, &b| y[a].total_cmp(&y[b])).unwrap();
                wanted[best] == 1.0
            });
        let share = 100.0 * right.count() as f32 / x.nrows() as f32;
        let expected = answers("lenet accuracy")[0];
        assert!((share - expected).abs() < 0.1, "{name}: {share} %");
    }
}

#[test]
fn an_experiment_of_a_model_is_written_and_read_as_the_same_network() {
    for name in ["residual.onnx", "block.keras"] {
        let found = translated(&small(name));
        let experiment = experiment_of(&found, name, Some("data.npz")).unwrap();
        let text = experiment.to_toml().unwrap();
        let again = gradscape::experiment::Experiment::parse(&text, name).unwrap();
        assert_eq!(again.network.hidden().unwrap(), {
            let mut hidden = found.layers[..found.layers.len() - 1].to_vec();
            // A layer that reads the one before it need not say so.
            for (k, spec) in hidden.iter_mut().enumerate() {
                let before = k
                    .checked_sub(1)
                    .map_or(gradscape::nn::Source::Input, gradscape::nn::Source::Layer);
                if spec.sources == [before] {
                    spec.sources.clear();
                }
            }
            hidden
        });
        assert_eq!(again.network.weights.unwrap(), found.params);
    }
}

#[test]
fn the_first_stage_of_mtcnn_opens_with_its_branches() {
    let Some(path) = shared("pnet.pt") else {
        return;
    };
    let model = open_model(&path).unwrap();
    assert_eq!(model.parameters(), 6_632);
    let ops: Vec<&str> = model.nodes.iter().map(|node| node.op.as_str()).collect();
    assert_eq!(
        ops,
        [
            "Conv", "PRelu", "Conv", "PRelu", "Conv", "PRelu", "Conv", "Conv"
        ]
    );
    let heads = &model.nodes[6..];
    assert_eq!(heads[0].inputs[0], "prelu3");
    assert_eq!(heads[1].inputs[0], "prelu3");
    assert_eq!(model.outputs.len(), 2);
}

fn tried(path: &Path, bytes: &[u8]) -> Result<ForeignModel, String> {
    std::fs::write(path, bytes).unwrap();
    let model = open_model(path).map_err(|error| error.to_string())?;
    // Whatever opens must also survive being looked at.
    let _ = translate(&model);
    Ok(model)
}

fn all_files() -> Vec<PathBuf> {
    let own = ["residual.onnx", "block.keras", "block.h5", "nets.pt"].map(small);
    let real = LENETS
        .into_iter()
        .chain(["lenet_mnist.safetensors", "pnet.pt"]);
    own.into_iter().chain(real.filter_map(shared)).collect()
}

#[test]
fn a_file_that_is_cut_off_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    for file in all_files() {
        let bytes = std::fs::read(&file).unwrap();
        let path = dir.path().join(file.file_name().unwrap());
        let name = path.display().to_string();
        let cuts = (0..bytes.len()).step_by(1024).chain(0..64.min(bytes.len()));
        for cut in cuts.chain([bytes.len() - 1]) {
            match tried(&path, &bytes[..cut]) {
                Err(error) => assert!(error.contains(&name), "{error}"),
                Ok(model) => panic!(
                    "{name} with {cut} of {} bytes opens with {} nodes",
                    bytes.len(),
                    model.nodes.len()
                ),
            }
        }
    }
}

/// Numbers that are the same in every run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize
    }
}

#[test]
fn damaged_bytes_never_panic() {
    let dir = tempfile::tempdir().unwrap();
    let mut dice = Dice(9);
    for file in all_files() {
        let good = std::fs::read(&file).unwrap();
        let path = dir.path().join(file.file_name().unwrap());
        for round in 0..150 {
            let mut bytes = good.clone();
            // Headers lie at the ends of files; half of the damage is done there.
            for _ in 0..1 + round % 4 {
                let at = match dice.roll() % 4 {
                    0 => dice.roll() % bytes.len().min(2048),
                    1 => bytes.len() - 1 - dice.roll() % bytes.len().min(2048),
                    _ => dice.roll() % bytes.len(),
                };
                bytes[at] = dice.roll() as u8;
            }
            let _ = tried(&path, &bytes);
        }
    }
    for (name, start) in [
        ("a.onnx", &b""[..]),
        ("a.safetensors", b""),
        ("a.h5", b"\x89HDF\r\n\x1a\n"),
        ("a.keras", b"PK\x03\x04"),
        ("a.npz", b"PK\x03\x04"),
        (
            "a.pt",
            b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.",
        ),
    ] {
        for length in [16, 100, 5000] {
            let noise = (0..length).map(|_| dice.roll() as u8);
            let bytes: Vec<u8> = start.iter().copied().chain(noise).collect();
            assert!(tried(&dir.path().join(name), &bytes).is_err(), "{name}");
        }
    }
}

/// A field of a message of protocol buffers.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() < 128);
    [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
}

#[test]
fn absurd_shapes_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    // dims = [2^56 - 1, 2^56 - 1], data_type = 1, raw_data = 4 bytes
    let dims = [
        &[8],
        &huge[..],
        &[8],
        &huge[..],
        &[16, 1, 0x4a, 4, 0, 0, 0, 0],
    ]
    .concat();
    let node = field(1, &[field(2, b"y"), field(4, b"Relu")].concat());
    let graph = field(7, &[node, field(5, &dims)].concat());
    let error = tried(&dir.path().join("a.onnx"), &graph).unwrap_err();
    assert!(error.contains("1 numbers for the shape"), "{error}");

    let header = br#"{"a":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,4]}}"#;
    let file = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 4]].concat();
    let error = tried(&dir.path().join("a.safetensors"), &file).unwrap_err();
    assert!(error.contains("a.safetensors"), "{error}");
    let error = tried(&dir.path().join("b.safetensors"), &u64::MAX.to_le_bytes()).unwrap_err();
    assert!(error.contains("not a safetensors file"), "{error}");
}

/// A zip archive of one member.
fn archive(path: &Path, name: &str, fill: impl FnOnce(&mut dyn Write)) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file(
        name,
        options.compression_method(zip::CompressionMethod::Deflated),
    )
    .unwrap();
    fill(&mut zip);
    zip.finish().unwrap();
}

#[test]
fn archives_that_unpack_without_end_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bomb.npz");
    archive(&path, "x.npy", |member| {
        let zeros = vec![0; 1 << 20];
        for _ in 0..200 {
            member.write_all(&zeros).unwrap();
        }
    });
    let error = open_model(&path).unwrap_err().to_string();
    assert!(
        error.contains("x.npy") && error.contains("unpacks to more"),
        "{error}"
    );
}

#[test]
fn pickles_that_refer_to_themselves_or_without_measure_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("net.pt");
    // A list in itself: EMPTY_LIST, BINPUT 0, BINGET 0, APPEND.
    let itself = b"\x80\x02]q\x00h\x00a.".to_vec();
    // Each tuple holds the one before twice, forty times over.
    let mut laughs = b"\x80\x02)".to_vec();
    for _ in 0..40 {
        laughs.extend(b"2\x86");
    }
    laughs.push(b'.');
    for pickle in [itself, laughs] {
        archive(&path, "net/data.pkl", |member| {
            member.write_all(&pickle).unwrap()
        });
        let error = open_model(&path).unwrap_err().to_string();
        assert!(error.contains("nested more deeply"), "{error}");
    }
    archive(&path, "net/data.pkl", |member| {
        member
            .write_all(b"\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R.")
            .unwrap()
    });
    let error = open_model(&path).unwrap_err().to_string();
    assert!(error.contains("holds no tensors"), "{error}");
}

/// Python 2 gave the entries of an `OrderedDict` as a list of pairs, its only argument.
#[test]
fn dictionaries_of_python_2_have_their_tensors() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.pt");
    let text = |text: &str| {
        [
            &b"X"[..],
            &(text.len() as u32).to_le_bytes(),
            text.as_bytes(),
        ]
        .concat()
    };
    let tensor = [
        b"ctorch._utils\n_rebuild_tensor_v2\n((".to_vec(),
        text("storage"),
        b"ctorch\nFloatStorage\n".to_vec(),
        text("0"),
        text("cpu"),
        b"K\x04tQK\x00(K\x02K\x02t(K\x02K\x01t\x89NtR".to_vec(),
    ];
    let pickle = [
        b"\x80\x02ccollections\nOrderedDict\n]]".to_vec(),
        text("fc.weight"),
        b"a".to_vec(),
        tensor.concat(),
        // To its pair, the pair to the list, the list to the only argument.
        b"aa\x85R.".to_vec(),
    ];
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let values: Vec<u8> = [1.0_f32, 2.0, 3.0, 4.0]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    for (name, bytes) in [("net/data.pkl", pickle.concat()), ("net/data/0", values)] {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap();
    let model = open_model(&path).unwrap();
    assert_eq!(model.parameters(), 4);
    assert_eq!(model.nodes[0].weights[0].tensor.name, "fc.weight");
    assert_eq!(model.nodes[0].weights[0].tensor.shape, [2, 2]);
}

#[test]
fn the_command_line_shows_runs_and_refuses_models() {
    let dir = tempfile::tempdir().unwrap();
    let onnx = small("residual.onnx");
    let text = succeeds(dir.path(), &["inspect", onnx.to_str().unwrap()]);
    assert!(
        text.contains("PRelu_1") && text.contains("prelu") && text.contains("431"),
        "{text}"
    );
    let json = succeeds(
        dir.path(),
        &[
            "inspect",
            onnx.to_str().unwrap(),
            "--json",
            "--out",
            "net.svg",
        ],
    );
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["parameters"], 431);
    assert_eq!(json["network"], true);
    assert!(dir.path().join("net.svg").is_file());

    let weights = ["inspect", onnx.to_str().unwrap(), "--weights", "w.npz"];
    let error = fails(dir.path(), 2, &weights);
    assert!(error.contains("--weights"), "{error}");

    let pt = small("nets.pt");
    let pt = pt.to_str().unwrap();
    let error = fails(
        dir.path(),
        1,
        &["gradient", onnx.to_str().unwrap(), "--out", "g.safetensors"],
    );
    assert!(error.contains("--data"), "{error}");
    succeeds(
        dir.path(),
        &["gradient", pt, "--data", "circle", "--out", "g.safetensors"],
    );
    assert!(dir.path().join("g.safetensors").is_file());

    std::fs::write(
        dir.path().join("cut.onnx"),
        &std::fs::read(&onnx).unwrap()[..900],
    )
    .unwrap();
    let error = fails(dir.path(), 1, &["inspect", "cut.onnx"]);
    assert!(error.contains("cut.onnx"), "{error}");
    let error = fails(
        dir.path(),
        2,
        &[
            "gradient",
            "iris",
            "--data",
            "mnist",
            "--out",
            "g.safetensors",
        ],
    );
    assert!(error.contains("--data"), "{error}");
}

#[test]
fn a_model_is_trained_on_from_its_weights() {
    let Some(path) = shared("lenet_mnist.onnx") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let model = path.to_str().unwrap();
    succeeds(
        dir.path(),
        &["train", model, "--epochs", "0", "--out", "run"],
    );
    let found = translated(&path);
    assert!(
        found
            .layers
            .iter()
            .any(|l| matches!(l.kind, LayerKind::Conv(_)))
    );
    let trained = read_weights(
        &dir.path().join("run/weights.safetensors"),
        found.network.layout(),
    );
    assert_eq!(trained.unwrap(), found.params);
}
