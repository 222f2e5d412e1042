//! `gradscape export`: a network in other programs' formats.

use super::source::SourceArgs;
use super::{CliError, Out};
use crate::interop::{ModelFile, ModelOut, model_notes, open_model, translate, write_model};
use crate::nn::Network;
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Write a network for other programs: .onnx with the graph, .safetensors or .npz with the parameters
///
/// Layers keep their names, and parameters are called as PyTorch calls them: NAME.weight [out, in],
/// NAME.bias, NAME.running_mean, NAME.running_var. ONNX files have the operators of opset 17 (20
/// for GELU) and an open number of samples; how inputs are scaled and what the classes are
/// called stands in the metadata. A MODEL of another program is converted, if the engine has
/// all its layers.
#[derive(Args, Debug, Clone)]
pub struct ExportArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// Write this file; may be given several times
    #[arg(long, value_name = "FILE", required = true, value_parser = output)]
    out: Vec<PathBuf>,
    /// Print a JSON object for each file
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct ExportObject<'a> {
    file: &'a Path,
    format: &'static str,
    /// Of ONNX.
    opset: Option<i64>,
    layers: Vec<String>,
    parameters: usize,
    bytes: u64,
}

fn output(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match ModelOut::of_path(&path) {
        Some(_) => Ok(path),
        None => Err("models are written as .onnx, .safetensors or .npz".to_owned()),
    }
}

/// Obeys `gradscape export`.
///
/// # Errors
/// When something cannot be read or written, or a model has layers that the engine lacks.
pub fn run(args: &ExportArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    let source = &args.source;
    match source.model() {
        // Converted as it is: without data, and with the name of its last layer.
        Some(path) if source.weights.is_none() && source.data.is_none() => {
            if source.seed.is_some() {
                return Err(CliError::Usage(format!(
                    "--seed says nothing of {}, whose weights are there",
                    path.display()
                )));
            }
            let model = open_model(path)?;
            let found = translate(&model).result.map_err(|why| {
                CliError::Failed(format!(
                    "{}: only what the engine has all layers of is converted, and {why}. \
                     `gradscape inspect` shows all of it",
                    path.display()
                ))
            })?;
            let title = path.file_stem().unwrap_or(path.as_os_str());
            let title = title.to_string_lossy();
            write(args, &mut out, &found.network, &found.params, &title, &[])
        }
        _ => {
            let source = source.load()?;
            let notes = model_notes(&source.problem);
            let title = source.problem.experiment.title();
            let network = &source.problem.network;
            write(args, &mut out, network, &source.params, title, &notes)
        }
    }
}

fn write(
    args: &ExportArgs,
    out: &mut Out,
    network: &Network,
    params: &[f32],
    title: &str,
    notes: &[(String, String)],
) -> Result<(), CliError> {
    let model = ModelFile {
        network,
        params,
        title,
        notes,
    };
    for file in &args.out {
        write_model(file, &model)?;
        let Some(format) = ModelOut::of_path(file) else {
            continue;
        };
        let size = std::fs::metadata(file).map_err(|error| CliError::io(file, error))?;
        let opset = (format == ModelOut::Onnx).then(|| model.opset());
        let object = ExportObject {
            file,
            format: format.name(),
            opset,
            layers: model.layer_names(),
            parameters: params.len(),
            bytes: size.len(),
        };
        out.object(&object)?;
        let version = opset.map(|n| format!(", opset {n}")).unwrap_or_default();
        out.say(format!(
            "{}{version}: {} layers, {} parameters, {} bytes\nwritten to {}",
            object.format,
            object.layers.len(),
            object.parameters,
            object.bytes,
            file.display()
        ))?;
    }
    Ok(())
}
