//! `gradscape inspect --run`: a model of another program, run forward.

use crate::cli::interrupt::Interrupt;
use crate::cli::{CliError, Out};
use crate::experiment::ExperimentError;
use crate::insight::model_inputs::{
    Given, ModelSample, SampleError, fill_inputs, find_sample, top_places,
};
use crate::interop::{InputSides, NodeValue, Run, Runnable, read_input_arrays};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Classes that are shown of an output.
const TOP: usize = 5;

/// What is run.
#[derive(Args, Debug, Clone)]
pub(super) struct RunArgs {
    /// Run the model forward and show what every node gives
    ///
    /// --run=FILE.npz takes the arrays of the inputs' names from that archive. With --data the
    /// first input is a sample of it. What is given by neither is a ramp from 0 to 1, or zeros
    /// where whole numbers are read.
    #[arg(long, value_name = "FILE.npz", num_args = 0..=1, require_equals = true)]
    run: Option<Option<PathBuf>>,
    /// Which sample of the data's validation part is run, from 0
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// Fill an input of the run with one number
    #[arg(long, value_name = "NAME=NUMBER", value_parser = filled)]
    set: Vec<(String, f32)>,
}

fn filled(text: &str) -> Result<(String, f32), String> {
    let (name, number) = text
        .rsplit_once('=')
        .ok_or("give the input's name and a number, NAME=NUMBER")?;
    let number = number
        .parse()
        .map_err(|_| format!("{number:?} is no number"))?;
    Ok((name.to_owned(), number))
}

impl RunArgs {
    pub(super) fn is_asked(&self) -> bool {
        self.run.is_some()
    }

    /// Refuses options that say nothing.
    pub(super) fn check(&self, data: Option<&str>) -> Result<(), CliError> {
        let usage = |text: &str| Err(CliError::Usage(text.to_owned()));
        if !self.is_asked() && (self.sample.is_some() || !self.set.is_empty() || data.is_some()) {
            return usage("--data, --sample and --set say what is run; they go with --run");
        }
        if self.sample.is_some() && data.is_none() {
            return usage("--sample is one of --data SOURCE; name the data");
        }
        if data.is_some() && self.sample.is_none() {
            return usage("--data goes with --sample N: which of its samples is run");
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct RunObject<'a> {
    file: &'a Path,
    /// Whether another format was made ONNX of.
    converted: bool,
    inputs: Vec<String>,
    /// Nodes that were run.
    ran: usize,
    nodes: Vec<NodeObject<'a>>,
    outputs: Vec<OutputObject<'a>>,
    /// The class of the sample, where the data say it.
    label: Option<String>,
}

#[derive(Serialize)]
struct NodeObject<'a> {
    name: &'a str,
    operator: &'a str,
    values: &'a [NodeValue],
    /// Why it was not run; empty if it was.
    why: &'a str,
}

#[derive(Serialize)]
struct OutputObject<'a> {
    name: &'a str,
    shape: &'a [usize],
    /// The places with the largest values, where they may be classes.
    top: Vec<Class>,
}

#[derive(Serialize)]
struct Class {
    index: usize,
    value: f64,
    name: Option<String>,
}

/// Runs the model in `file` and says what came of it.
pub(super) fn run(
    file: &Path,
    sides: &[InputSides],
    data: Option<&str>,
    args: &RunArgs,
    out: &mut Out,
) -> Result<(), CliError> {
    let fault = |why: String| CliError::Failed(format!("{}: {why}", file.display()));
    let model = Runnable::open_for(file, sides)?;
    // Of a converted model they are in its graph already, by another name.
    let sides = if model.was_converted() { &[] } else { sides };
    let ports = model.ports().map_err(fault)?;
    let sample = match (data, args.sample) {
        (Some(source), Some(index)) => {
            Some(find_sample(source, index).map_err(|why| match why {
                SampleError::Data(error) => CliError::from(ExperimentError::Data(error)),
                SampleError::Index(why) => CliError::Failed(why),
            })?)
        }
        _ => None,
    };
    let arrays = match &args.run {
        Some(Some(path)) => read_input_arrays(path)?,
        _ => Vec::new(),
    };
    let given = Given {
        sides,
        sample: sample.as_ref(),
        arrays,
        filled: &args.set,
        option: "--input",
    };
    let (inputs, said) = fill_inputs(&ports, given).map_err(fault)?;
    let total = inputs.len() as u64;
    let bar = out.start_bar(total, "running");
    let interrupt = Interrupt::listen();
    let found = model.run(&inputs, &mut |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        !interrupt.is_raised()
    });
    out.end_bar();
    let found = found.map_err(fault)?;
    if found.stopped {
        return Err(CliError::Failed("interrupted".to_owned()));
    }
    let object = object(file, &model, said, &found, sample.as_ref());
    out.object(&object)?;
    out.say(text(&object).trim_end())
}

fn object<'a>(
    file: &'a Path,
    model: &Runnable,
    inputs: Vec<String>,
    found: &'a Run,
    sample: Option<&ModelSample>,
) -> RunObject<'a> {
    let nodes = found.nodes.iter().map(|node| NodeObject {
        name: &node.name,
        operator: &node.operator,
        values: node.values.as_deref().unwrap_or_default(),
        why: node.values.as_ref().err().map_or("", String::as_str),
    });
    let outputs = found
        .outputs
        .iter()
        .map(|(name, shape, values)| OutputObject {
            name,
            shape,
            top: top(shape, values, sample),
        });
    RunObject {
        file,
        converted: model.was_converted(),
        inputs,
        ran: found.ran(),
        nodes: nodes.collect(),
        outputs: outputs.collect(),
        label: sample.and_then(|sample| sample.label.clone()),
    }
}

/// The largest values of an output that has one row of several.
fn top(shape: &[usize], values: &[f64], sample: Option<&ModelSample>) -> Vec<Class> {
    let names = sample.map(|sample| &sample.names);
    let names = names.filter(|names| names.len() == values.len());
    let places = top_places(shape, values, TOP).into_iter();
    places
        .map(|index| Class {
            index,
            value: values[index],
            name: names.map(|names| names[index].clone()),
        })
        .collect()
}

fn text(object: &RunObject<'_>) -> String {
    let mut lines = Vec::new();
    if object.converted {
        lines.push("run as the ONNX graph that `gradscape export` writes of it".to_owned());
    }
    lines.extend(object.inputs.iter().cloned());
    lines.push(String::new());
    let mut rows = vec![["node", "operator", "out", "min", "max", "mean", ""].map(str::to_owned)];
    for node in &object.nodes {
        let first = node.values.first();
        let number = |x: Option<f64>| x.map_or(String::new(), short);
        let more = match node.values.len() {
            0 | 1 => String::new(),
            n => format!("and {} further outputs", n - 1),
        };
        let odd = match first.map_or(0, |value| value.not_finite) {
            0 => String::new(),
            n => format!("{n} values are not finite"),
        };
        rows.push([
            node.name.to_owned(),
            node.operator.to_owned(),
            first.map_or(String::new(), |value| {
                let list: Vec<String> = value.shape.iter().map(usize::to_string).collect();
                list.join(" × ")
            }),
            number(first.and_then(|value| value.min)),
            number(first.and_then(|value| value.max)),
            number(first.and_then(|value| value.mean)),
            [node.why, &more, &odd]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("; "),
        ]);
    }
    let width = |k: usize| {
        rows.iter()
            .map(|row| row[k].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..7).map(width).collect();
    for row in &rows {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(k, (cell, width))| {
                let pad = " ".repeat(width - cell.chars().count());
                match k {
                    3..=5 => format!("{pad}{cell}"),
                    _ => format!("{cell}{pad}"),
                }
            });
        lines.push(cells.collect::<Vec<_>>().join("  ").trim_end().to_owned());
    }
    lines.push(String::new());
    for output in &object.outputs {
        if !output.top.is_empty() {
            let classes = output.top.iter().map(|class| {
                let name = class
                    .name
                    .clone()
                    .unwrap_or_else(|| class.index.to_string());
                format!("{name} {}", short(class.value))
            });
            let classes: Vec<String> = classes.collect();
            lines.push(format!("{}: {}", output.name, classes.join(", ")));
        }
    }
    if let Some(label) = &object.label {
        lines.push(format!("the data say {label}"));
    }
    lines.push(format!(
        "{} of {} nodes were run",
        object.ran,
        object.nodes.len()
    ));
    lines.join("\n")
}

/// Four digits that count.
fn short(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 {
        "0".to_owned()
    } else if (1e-3..1e5).contains(&size) {
        let digits = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
        format!("{x:.digits$}")
    } else {
        format!("{x:.3e}")
    }
}
