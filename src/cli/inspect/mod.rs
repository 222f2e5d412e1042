//! `gradscape inspect`: what a network consists of, as a table or a diagram.

mod run;

use super::source::{SourceArgs, find};
use super::surface::{ThemeName, ending};
use super::{CliError, Out};
use crate::figure::{StructureFigure, Tone, write_figure};
use crate::insight::structure::Structure;
use crate::interop::{InputSides, ModelTable, open_model_for, translate};
use clap::Args;
use std::path::{Path, PathBuf};

/// Print a network's structure: layers, shapes, parameters, arithmetic, memory
///
/// Also of another program's model (.onnx, .h5, .keras, .pt, .pth, .safetensors, .npz): every
/// node with what it is to our engine; what the engine does not have is marked opaque.
/// With --run it is run forward, node by node, in tract: shapes, ranges, and the top classes.
/// Parameters count what is gathered (the statistics of batch normalisation) as well;
/// multiply-adds and activations are those of one sample.
#[derive(Args, Debug, Clone)]
pub struct InspectArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// Write a diagram (.png, .svg) or the table (.md, .json) into this file
    #[arg(long, value_name = "FILE", value_parser = output)]
    out: Option<PathBuf>,
    /// The sides of one sample of a model's input, such as 3,224,224, where the file leaves them open
    ///
    /// NAME=SIDES for another input than the first; may be given several times. Of weights without
    /// a graph, the size of the images.
    #[arg(long, value_name = "[NAME=]SIDES")]
    input: Vec<InputSides>,
    #[command(flatten)]
    run: run::RunArgs,
    /// The theme of a diagram
    #[arg(long, value_name = "THEME", value_enum, default_value = "light")]
    theme: ThemeName,
    /// Print the result as a JSON object
    #[arg(long)]
    json: bool,
}

fn output(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match ending(&path).as_deref() {
        Some("png" | "svg" | "md" | "json") => Ok(path),
        _ => Err("a structure is written as .png, .svg, .md or .json".to_owned()),
    }
}

/// Obeys `gradscape inspect`.
///
/// # Errors
/// When something cannot be read or written.
pub fn run(args: &InspectArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    if let Some(path) = args.source.model() {
        return model(path, args, &mut out);
    }
    if args.run.is_asked() || !args.input.is_empty() {
        // What is not there is no other thing than a model either.
        find(&args.source.source)?;
        return Err(CliError::Usage(format!(
            "--input and --run go with a model of another program, and {} is none",
            args.source.source
        )));
    }
    let source = args.source.load()?;
    let structure = Structure::of(&source.problem.network);
    out.object(&structure)?;
    out.say(structure.text().trim_end())?;
    let Some(path) = &args.out else {
        return Ok(());
    };
    let title = source.problem.experiment.title().to_owned();
    write(path, &structure, title, args.theme.into())?;
    out.say(format!("written to {}", path.display()))
}

/// Another program's model: every node, and a diagram where it became a network of ours.
fn model(file: &Path, args: &InspectArgs, out: &mut Out) -> Result<(), CliError> {
    let source = &args.source;
    if source.weights.is_some() || source.seed.is_some() {
        return Err(CliError::Usage(format!(
            "a model is shown as it is: --weights and --seed say nothing of {}",
            file.display()
        )));
    }
    args.run.check(source.data.as_deref())?;
    if args.run.is_asked() {
        if args.out.is_some() {
            return Err(CliError::Usage(
                "--run prints what it computes; --out writes the structure. Give one of them"
                    .to_owned(),
            ));
        }
        return run::run(file, &args.input, source.data.as_deref(), &args.run, out);
    }
    let model = open_model_for(file, &args.input)?;
    let translation = translate(&model);
    let table = ModelTable::of(&model, &translation);
    out.object(&table)?;
    out.say(table.text().trim_end())?;
    let Some(path) = &args.out else {
        return Ok(());
    };
    match (ending(path).as_deref(), &translation.result) {
        (Some("md"), _) => keep(path, &table.markdown())?,
        (Some("json"), _) => keep(path, &json(&table)?)?,
        (_, Ok(found)) => {
            let name = file.file_name().unwrap_or(file.as_os_str());
            let structure = Structure::of(&found.network);
            let title = name.to_string_lossy().into_owned();
            write(path, &structure, title, args.theme.into())?;
        }
        (_, Err(why)) => {
            return Err(CliError::Failed(format!(
                "{}: a diagram is drawn of what the engine has, and {why}; write the table as .md or .json",
                file.display()
            )));
        }
    }
    out.say(format!("written to {}", path.display()))
}

fn json(value: &impl serde::Serialize) -> Result<String, CliError> {
    let json = serde_json::to_string_pretty(value);
    Ok(json.map_err(|error| CliError::Failed(error.to_string()))? + "\n")
}

fn keep(path: &Path, text: &str) -> Result<(), CliError> {
    crate::files::replace(path, text.as_bytes()).map_err(|error| CliError::io(path, error))
}

fn write(path: &Path, structure: &Structure, title: String, tone: Tone) -> Result<(), CliError> {
    let text = match ending(path).as_deref() {
        Some("md") => structure.markdown(),
        Some("json") => json(structure)?,
        _ => {
            let figure = StructureFigure {
                structure,
                title,
                tone,
            };
            return Ok(write_figure(path, figure.draw(), 2.0)?);
        }
    };
    keep(path, &text)
}
