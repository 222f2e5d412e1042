//! The one-node models of ONNX's own tests through the importer: what the engine has gives their
//! outputs, so does what tract runs of the rest, and all others are opaque with a reason.
//!
//! The archive lies in `../shared/models`, or where GRADSCAPE_MODELS says; without it the test
//! says so.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod tar;

use gradscape::interop::{
    InputValues, ModelTable, RunInput, Runnable, Status, open_model, translate,
};
use gradscape::nn::Workspace;
use ndarray::Array2;
use prost::Message;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tract_onnx::data_resolver::FopenDataResolver;
use tract_onnx::pb::{ModelProto, TensorProto};
use tract_onnx::tensor::load_tensor;

/// A model with what goes in and what has to come out.
struct Case {
    name: String,
    model: ModelProto,
    inputs: Vec<(TensorProto, Array)>,
    outputs: Vec<Array>,
}

#[derive(Clone)]
struct Array {
    shape: Vec<usize>,
    values: Vec<f64>,
}

fn array(proto: &TensorProto) -> Array {
    let tensor = load_tensor(&FopenDataResolver, proto, None).unwrap();
    let wide = tensor.cast_to::<f64>().unwrap();
    Array {
        shape: tensor.shape().to_vec(),
        values: wide
            .to_plain_array_view::<f64>()
            .unwrap()
            .iter()
            .copied()
            .collect(),
    }
}

#[allow(clippy::print_stderr)]
fn cases() -> Option<Vec<Case>> {
    let folder = match std::env::var_os("GRADSCAPE_MODELS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/models"),
    };
    let file = folder.join("onnx-1.12-node-subset.tar.gz");
    if !file.is_file() {
        eprintln!("{} is not there; nothing is tested", file.display());
        return None;
    }
    let members = tar::members(&file);
    let models = members
        .iter()
        .filter(|(name, _)| name.ends_with("model.onnx"));
    let cases = models.map(|(path, bytes)| {
        let folder = path.trim_end_matches("model.onnx");
        let read = |what: &str| -> Vec<TensorProto> {
            let found = (0..).map_while(|k| {
                let name = format!("{folder}test_data_set_0/{what}_{k}.pb");
                members.get(&name)
            });
            found
                .map(|bytes| TensorProto::decode(&bytes[..]).unwrap())
                .collect()
        };
        let inputs = read("input").into_iter().map(|proto| {
            let array = array(&proto);
            (proto, array)
        });
        Case {
            name: folder
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned(),
            model: ModelProto::decode(&bytes[..]).unwrap(),
            inputs: inputs.collect(),
            outputs: read("output").iter().map(array).collect(),
        }
    });
    Some(cases.collect())
}

impl Case {
    /// The names of what the file does not hold itself.
    fn open_inputs(&self) -> Vec<String> {
        let graph = self.model.graph.as_ref().unwrap();
        let held = |name: &str| graph.initializer.iter().any(|t| t.name == name);
        let names = graph.input.iter().map(|port| port.name.clone());
        names.filter(|name| !held(name)).collect()
    }

    /// The largest difference, as a part of what was expected (of 1 where that is less).
    fn off(&self, what: &str, found: &[f64], expected: &[f64]) -> f64 {
        assert_eq!(found.len(), expected.len(), "{}: {what}", self.name);
        let pairs = found.iter().zip(expected);
        pairs
            .map(|(a, b)| {
                let off = (a - b).abs() / b.abs().max(1.0);
                if a == b { 0.0 } else { off }
            })
            .fold(0.0, f64::max)
    }

    /// Through the engine, the inputs behind the first being constants of the file; or why not.
    fn engine(&self, path: &Path) -> Result<f64, String> {
        let names = self.open_inputs();
        let mut model = self.model.clone();
        let graph = model.graph.as_mut().unwrap();
        for (name, (proto, _)) in names.iter().zip(&self.inputs).skip(1) {
            let name = name.clone();
            graph.initializer.push(TensorProto {
                name,
                ..proto.clone()
            });
        }
        std::fs::write(path, model.encode_to_vec()).unwrap();
        let model = open_model(path).unwrap();
        let translation = translate(&model);
        let found = translation.result.map_err(|why| {
            let mut reasons = translation
                .statuses
                .iter()
                .filter_map(|status| match status {
                    Status::Opaque(why) | Status::Unknown(why) => Some(why.clone()),
                    _ => None,
                });
            reasons.next_back().unwrap_or(why)
        })?;
        let (network, params) = (&found.network, &found.params);
        let x = &self.inputs[0].1;
        let samples = x.shape.first().copied().unwrap_or(1);
        let values = x.values.iter().map(|&v| v as f32).collect();
        let x = Array2::from_shape_vec((samples, network.inputs()), values).unwrap();
        let mut workspace = Workspace::new(network, samples);
        network.forward(params, x.view(), &mut workspace);
        let y: Vec<f64> = workspace.output().iter().map(|&v| f64::from(v)).collect();
        Ok(self.off("the engine", &y, &self.outputs[0].values))
    }

    /// Through tract; or why not.
    fn tract(&self, path: &Path) -> Result<f64, String> {
        std::fs::write(path, self.model.encode_to_vec()).unwrap();
        let runnable = Runnable::open(path).unwrap();
        let names = self.open_inputs();
        let inputs: Vec<RunInput> = names
            .into_iter()
            .zip(&self.inputs)
            .map(|(name, (_, array))| RunInput {
                name,
                shape: array.shape.clone(),
                values: InputValues::Each(array.values.iter().map(|&v| v as f32).collect()),
            })
            .collect();
        let run = runnable.run(&inputs, &mut |_, _| true)?;
        for node in &run.nodes {
            node.values.clone()?;
        }
        let mut most = 0.0_f64;
        assert_eq!(run.outputs.len(), self.outputs.len(), "{}", self.name);
        for ((name, shape, values), expected) in run.outputs.iter().zip(&self.outputs) {
            assert_eq!(shape, &expected.shape, "{}: {name}", self.name);
            most = most.max(self.off(name, values, &expected.values));
        }
        Ok(most)
    }
}

/// Beyond single precision's own rounding of sums of a few hundred products; ONNX itself allows
/// a thousandth.
const ALLOWED: f64 = 1e-5;

#[test]
#[allow(clippy::print_stdout)]
fn one_node_models_give_their_outputs_or_say_why_not() {
    let Some(cases) = cases() else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.onnx");
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lines = Vec::new();
    let mut wrong = Vec::new();
    for case in &cases {
        let (class, said) = match (case.engine(&path), case.tract(&path)) {
            (Ok(off), _) if off > ALLOWED => ("wrong", format!("the engine is off by {off:.1e}")),
            (_, Ok(off)) if off > ALLOWED => ("wrong", format!("tract is off by {off:.1e}")),
            (Ok(off), Ok(_)) => ("engine and tract", format!("{off:.1e}")),
            (Ok(off), Err(why)) => ("engine alone", format!("{off:.1e}; {why}")),
            (Err(why), Ok(off)) => ("tract alone", format!("{off:.1e}; {why}")),
            (Err(ours), Err(theirs)) => ("opaque", format!("{ours}; {theirs}")),
        };
        *counts.entry(class).or_default() += 1;
        let line = format!("{:<40} {class:<18} {said}", case.name);
        if class == "wrong" {
            wrong.push(line.clone());
        }
        lines.push(line);
        if class == "opaque" {
            // It is shown as such, with a reason for each node.
            let model = open_model(&path).unwrap();
            let table = ModelTable::of(&model, &translate(&model));
            assert!(!table.network && table.nodes.iter().all(|row| !row.why.is_empty()));
        }
    }
    println!("{}\n{counts:?}", lines.join("\n"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let expected = [
        ("engine and tract", 66),
        ("opaque", 31),
        ("tract alone", 50),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
    assert_eq!(cases.len(), 147);
}
