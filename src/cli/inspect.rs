//! `gradscape inspect`: what a network consists of, as a table or a diagram.

use super::source::SourceArgs;
use super::surface::{ThemeName, ending};
use super::{CliError, Out};
use crate::figure::{StructureFigure, Tone, write_figure};
use crate::insight::structure::Structure;
use clap::Args;
use std::path::{Path, PathBuf};

/// Print a network's structure: layers, shapes, parameters, arithmetic, memory
///
/// Parameters count what is gathered (the statistics of batch normalisation) as well;
/// multiply-adds and activations are those of one sample.
#[derive(Args, Debug, Clone)]
pub struct InspectArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// Write a diagram (.png, .svg) or the table (.md, .json) into this file
    #[arg(long, value_name = "FILE", value_parser = output)]
    out: Option<PathBuf>,
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

fn write(path: &Path, structure: &Structure, title: String, tone: Tone) -> Result<(), CliError> {
    let text = match ending(path).as_deref() {
        Some("md") => structure.markdown(),
        Some("json") => {
            let json = serde_json::to_string_pretty(structure);
            json.map_err(|error| CliError::Failed(error.to_string()))? + "\n"
        }
        _ => {
            let figure = StructureFigure {
                structure,
                title,
                tone,
            };
            return Ok(write_figure(path, figure.draw(), 2.0)?);
        }
    };
    crate::files::replace(path, text.as_bytes()).map_err(|error| CliError::io(path, error))
}
