//! `gradscape explain`: why a network says what it says about one sample.

mod case;
mod ways;

pub(super) use case::{class, pixel_range};
pub(super) use ways::ways_figure;

use super::source::{Source, SourceArgs};
use super::surface::{ThemeName, ending};
use super::{CliError, Out};
use crate::figure::{Svg, write_figure};
use crate::insight::contributions::{Contributions, contributions};
use crate::insight::explain::{ExplainError, Explainer, Explanation, Method, Part, readout_of};
use crate::nn::Readout;
use crate::train::Problem;
use case::{Case, what};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use ndarray::{Array1, ArrayView1};
use serde::Serialize;
use std::path::PathBuf;
use ways::{PATHS, ways_in_words};

/// Explain what the network says about one sample
///
/// Attributions by the gradient, gradient x input, integrated gradients (with their
/// completeness check), SmoothGrad, Grad-CAM and occlusion; the strongest ways through
/// the network; and a sentence that is checked by leaving out the part that it names.
/// What is explained is a class's logit, of real values the output.
#[derive(Args, Debug, Clone)]
pub struct ExplainArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// Which sample of the part, from 0
    #[arg(long, value_name = "N")]
    sample: usize,
    /// From which part of the data the sample is; where nothing is held back, the training part
    #[arg(long, value_enum, default_value = "validation")]
    part: PartName,
    /// Only these methods; may be given several times [default: all that apply]
    #[arg(long, value_name = "NAME")]
    method: Vec<Method>,
    /// Explain this class, by name or by number from 0, instead of the one that the network says; of real values, this output
    #[arg(long, value_name = "CLASS")]
    target: Option<String>,
    /// Draw a picture: .png or .svg
    #[arg(long, value_name = "FILE", value_parser = picture)]
    out: Option<PathBuf>,
    /// The colours of a picture
    #[arg(long, default_value = "dark")]
    theme: ThemeName,
    /// Print the result as a JSON object
    #[arg(long)]
    json: bool,
}

/// A part of the data.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartName {
    /// What the weights are fitted to
    Train,
    /// What is held back
    Validation,
}

impl ValueEnum for Method {
    fn value_variants<'a>() -> &'a [Self] {
        &Method::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

pub(super) fn picture(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match ending(&path).as_deref() {
        Some("png" | "svg") => Ok(path),
        _ => Err("pictures are written as .png or .svg".to_owned()),
    }
}

impl From<ExplainError> for CliError {
    fn from(error: ExplainError) -> Self {
        CliError::Failed(error.to_string())
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct ExplainObject<'a> {
    part: &'static str,
    sample: usize,
    label: Option<&'a str>,
    says: &'a str,
    outputs: &'a [f64],
    target: &'a str,
    readout: f64,
    sentence: &'a str,
    without: Option<WithoutObject<'a>>,
    attributions: Vec<AttributionObject<'a>>,
    completeness: Option<CompletenessObject>,
    contributions: ContributionsObject<'a>,
    file: Option<&'a PathBuf>,
}

#[derive(Serialize)]
struct WithoutObject<'a> {
    parts: Vec<String>,
    values: Vec<usize>,
    says: &'a str,
    changes: bool,
    outputs: &'a [f64],
}

#[derive(Serialize)]
struct AttributionObject<'a> {
    method: &'static str,
    values: &'a [f64],
}

#[derive(Serialize)]
struct CompletenessObject {
    sum: f64,
    difference: f64,
    gap: f64,
    gradients: usize,
}

#[derive(Serialize)]
struct ContributionsObject<'a> {
    inputs: &'a [f64],
    offsets: f64,
    ways: f64,
    paths: Vec<PathObject>,
}

#[derive(Serialize)]
struct PathObject {
    value: f64,
    /// Column and unit: column 0 is the sample.
    units: Vec<(usize, usize)>,
}

/// Obeys `gradscape explain`.
///
/// # Errors
/// When something cannot be read or written, there is no such sample or class, or a
/// method that was asked for does not apply.
pub fn run(args: &ExplainArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    let source = args.source.load()?;
    let problem = &*source.problem;
    let params: Vec<f64> = source.params.iter().map(|&p| f64::from(p)).collect();
    let case = Case::find(problem, args.part, args.sample)?;
    let x = Array1::from(case.x.clone());
    let mut explainer = Explainer::new(problem, &params);
    let said = case.sentence(&mut explainer);
    let (target, readout) = target_of(problem, args.target.as_deref(), said.whole.class)?;
    let found = explanations(&mut explainer, &args.method, &readout, x.view())?;
    let ways = contributions(&mut explainer.model, &readout, x.view(), PATHS);
    check_finite(&ways)?;
    if let Some(file) = &args.out {
        let baseline = explainer.baseline.to_vec();
        let figure = case.figure(&source, &said, target, &found, &baseline, args.theme);
        write_figure(file, figure.draw()?, 1.5)?;
    }
    let names = problem.data.task.names();
    let name = |class: usize| names.get(class).map_or("?", String::as_str);
    let integrated = found.iter().find_map(|e| e.completeness.as_ref());
    out.object(&ExplainObject {
        part: case.part,
        sample: args.sample,
        label: case.label.map(name),
        says: name(said.whole.class),
        outputs: &said.whole.outputs,
        target: name(target),
        readout: ways.readout,
        sentence: &said.text,
        without: said.without.as_ref().map(|without| WithoutObject {
            parts: without.parts.iter().map(|p| p.what.to_string()).collect(),
            values: values_of(&without.parts),
            says: name(without.verdict.class),
            changes: without.changes,
            outputs: &without.verdict.outputs,
        }),
        attributions: found
            .iter()
            .map(|e| AttributionObject {
                method: e.method.name(),
                values: &e.values,
            })
            .collect(),
        completeness: integrated.map(|i| CompletenessObject {
            sum: i.sum(),
            difference: i.difference(),
            gap: i.gap(),
            gradients: i.gradients,
        }),
        contributions: ContributionsObject {
            inputs: &ways.inputs,
            offsets: ways.offsets,
            ways: ways.ways,
            paths: ways
                .paths
                .iter()
                .map(|path| PathObject {
                    value: path.value,
                    units: path.units.clone(),
                })
                .collect(),
        },
        file: args.out.as_ref(),
    })?;
    let label = case
        .label
        .map_or(String::new(), |l| format!(" ({})", name(l)));
    out.say(format!(
        "{}: {} sample {}{label}",
        problem.experiment.title(),
        case.part,
        args.sample
    ))?;
    if !source.given {
        out.say(
            "these are the initial weights; name a folder that `train` wrote, or give --weights",
        )?;
    }
    out.say(&said.text)?;
    out.say(format!(
        "explained: {}, {:.6}",
        what(problem, target),
        ways.readout
    ))?;
    if let Some(i) = integrated {
        out.say(format!(
            "integrated gradients sum to {:.6}, and the readout is {:.6} above the baseline's: \
             {:.1e} apart, {} gradients",
            i.sum(),
            i.difference(),
            i.gap(),
            i.gradients
        ))?;
    }
    for line in ways_in_words(problem, &ways) {
        out.say(line)?;
    }
    if let Some(file) = &args.out {
        out.say(format!("written to {}", file.display()))?;
    }
    Ok(())
}

/// The class (or output) that `text` names, or the one that is said, and its readout.
fn target_of(
    problem: &Problem,
    text: Option<&str>,
    said: usize,
) -> Result<(usize, Readout), CliError> {
    let target = match text {
        Some(text) => class(problem, text)?,
        None => said,
    };
    Ok((
        target,
        readout_of(&problem.network, problem.encoding, target)?,
    ))
}

fn check_finite(ways: &Contributions) -> Result<(), CliError> {
    if ways.readout.is_finite() {
        return Ok(());
    }
    Err(CliError::Failed(
        "the network's answer to this sample is not finite; there is nothing to explain".to_owned(),
    ))
}

/// The picture that `--out` writes, for `gradscape figure`: `methods`, or all that apply,
/// side by side for sample number `index` of the part, from 0.
///
/// # Errors
/// When there is no such sample or class, or a method does not apply.
pub(super) fn explanation_figure(
    source: &Source,
    (part, index): (PartName, usize),
    target: Option<&str>,
    methods: &[Method],
    theme: ThemeName,
) -> Result<Svg, CliError> {
    let problem = &*source.problem;
    let params: Vec<f64> = source.params.iter().map(|&p| f64::from(p)).collect();
    let case = Case::find(problem, part, index)?;
    let x = Array1::from(case.x.clone());
    let mut explainer = Explainer::new(problem, &params);
    let said = case.sentence(&mut explainer);
    let (target, readout) = target_of(problem, target, said.whole.class)?;
    let found = explanations(&mut explainer, methods, &readout, x.view())?;
    let baseline = explainer.baseline.to_vec();
    let figure = case.figure(source, &said, target, &found, &baseline, theme);
    Ok(figure.draw()?)
}

/// What `methods`, or all that apply, find.
fn explanations(
    explainer: &mut Explainer<'_, f64>,
    methods: &[Method],
    readout: &Readout,
    x: ArrayView1<'_, f64>,
) -> Result<Vec<Explanation>, CliError> {
    let mut found = Vec::new();
    let all = methods.is_empty();
    for &method in if all { &Method::ALL[..] } else { methods } {
        match explainer.explain(method, readout, x) {
            Err(ExplainError::NoConvolution) if all => {}
            other => found.push(other?),
        }
    }
    Ok(found)
}

fn values_of(parts: &[Part]) -> Vec<usize> {
    let values = parts.iter().flat_map(|p| &p.replaced);
    let mut values: Vec<usize> = values.map(|&(i, _)| i).collect();
    values.sort_unstable();
    values.dedup();
    values
}
