//! `gradscape diagnose`: says in words what is wrong with a run, by which numbers, and what
//! to try.

mod examined;

use super::interrupt::Interrupt;
use super::run_folder::{with_absolute_paths, write};
use super::{CliError, Out};
use crate::experiment::Experiment;
use crate::insight::diagnosis::{Comparison, Evidence, Finding, Thresholds, words};
use clap::Args;
use examined::{Examined, Made};
use serde::Serialize;
use std::path::PathBuf;

/// Say what is wrong with a run, by which numbers, and what to try
///
/// Looks at losses, gradients, activations and weights: of a recorded run or a folder that
/// `train` wrote as they were, of anything else while it is trained here. Every number is
/// printed with the threshold that it is held against, and every threshold can be changed.
#[derive(Args, Debug, Clone)]
pub struct DiagnoseArgs {
    /// An experiment file, the name of a sample, a model, a recorded run, or a folder that `train` wrote
    #[arg(value_name = "EXPERIMENT|SAMPLE|MODEL|RUN")]
    experiment: String,
    /// Train the experiment of a recorded run again from its start, and measure everything on the way
    #[arg(long)]
    again: bool,
    /// The data of a model: a built-in name, or a CSV, NPZ or IDX file
    #[arg(long, value_name = "SOURCE")]
    data: Option<String>,
    /// Train for so many epochs instead of the experiment's
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Use this seed instead of the experiment's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Hold a number against another threshold; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    threshold: Vec<String>,
    /// Write the experiment with a cure into this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Which cure, by the number that is printed before it
    #[arg(long, value_name = "K", default_value = "1", requires = "out")]
    cure: usize,
    /// Print the result as a JSON object
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct DiagnosisObject<'a> {
    made: Made,
    run: Option<&'a str>,
    updates_measured: bool,
    epochs: usize,
    steps: u64,
    train_loss: Option<f64>,
    validation_loss: Option<f64>,
    constant_loss: f64,
    neighbours_score: Option<f64>,
    findings: Vec<FindingObject<'a>>,
    thresholds: Thresholds,
    file: Option<PathBuf>,
}

/// A finding with its words.
#[derive(Serialize)]
struct FindingObject<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    title: &'a str,
    meaning: &'a str,
    sources: &'a str,
    try_this: Vec<String>,
}

/// Obeys `gradscape diagnose`.
///
/// # Errors
/// When the experiment or a threshold makes no sense, there is no such cure, a file cannot
/// be written, or it is interrupted.
pub fn run(args: &DiagnoseArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    let mut thresholds = Thresholds::default();
    for text in &args.threshold {
        let set = thresholds.set_text(text);
        set.map_err(|error| CliError::Usage(error.to_string()))?;
    }
    let interrupt = Interrupt::listen();
    let seen = Examined::of(args, &thresholds, &mut out, &interrupt)?;
    let findings = &seen.findings;
    let file = write_cured(args, &seen.problem.experiment, findings)?;
    let last = seen.rows.last();
    out.object(&DiagnosisObject {
        made: seen.made,
        run: seen.run.as_deref(),
        updates_measured: seen.updates_measured,
        epochs: seen.epoch,
        steps: seen.step,
        train_loss: last.map(|row| row.train_loss),
        validation_loss: last.and_then(|row| row.validation_loss),
        constant_loss: seen.facts.baseline,
        neighbours_score: seen.facts.neighbours,
        findings: findings.iter().map(in_words).collect(),
        thresholds,
        file: file.clone(),
    })?;
    let losses = last.map_or_else(String::new, |row| {
        let validation = row
            .validation_loss
            .map(|v| format!(", validation loss {v:.5}"));
        let train = row.train_loss;
        format!(
            ", training loss {train:.5}{}",
            validation.unwrap_or_default()
        )
    });
    out.say(format!("{}: {} epochs{losses}", seen.name, seen.epoch))?;
    for remark in &seen.remarks {
        out.say(remark)?;
    }
    if findings.is_empty() {
        return out.say("nothing found");
    }
    let mut number = 0;
    for finding in findings {
        say(&mut out, finding, &mut number)?;
    }
    match file {
        Some(file) => out.say(format!("written to {}", file.display())),
        None => out.say("To try one: the same command with --out FILE --cure NUMBER"),
    }
}

fn in_words(finding: &Finding) -> FindingObject<'_> {
    FindingObject {
        title: english(&words::title(finding.kind)),
        meaning: english(&words::meaning(finding.kind)),
        sources: english(&words::sources(finding.kind)),
        try_this: finding.cures.iter().map(words::cure_in_english).collect(),
        finding,
    }
}

/// The English words at `key`, of which there are always some.
fn english(key: &str) -> &'static str {
    words::english(key).unwrap_or_default()
}

fn say(out: &mut Out, finding: &Finding, number: &mut usize) -> Result<(), CliError> {
    let place = [
        finding.layer.map(|layer| format!("layer {}", layer + 1)),
        finding.feature.as_ref().map(|name| format!("input {name}")),
        finding.class.as_ref().map(|name| format!("class {name}")),
    ];
    let place: Vec<String> = place.into_iter().flatten().collect();
    let place = match place.is_empty() {
        true => String::new(),
        false => format!(", {}", place.join(", ")),
    };
    let severity = words::severity(finding.severity);
    out.say(format!(
        "\n{} ({}){place}",
        english(&words::title(finding.kind)),
        english(severity)
    ))?;
    out.say(format!("  {}", english(&words::meaning(finding.kind))))?;
    for evidence in &finding.evidence {
        out.say(format!("  - {}", evidence_line(evidence)))?;
    }
    if !finding.explains.is_empty() {
        let kinds = finding.explains.iter();
        let kinds: Vec<&str> = kinds.map(|kind| english(&words::title(*kind))).collect();
        out.say(format!("  It explains as well: {}", kinds.join(", ")))?;
    }
    for cure in &finding.cures {
        *number += 1;
        out.say(format!("  {number}. {}", words::cure_in_english(cure)))?;
    }
    let sources = english(&words::sources(finding.kind));
    out.say(format!("  Sources: {sources}"))
}

/// A number with its threshold and the threshold's name, by which it is set.
fn evidence_line(evidence: &Evidence) -> String {
    let side = match evidence.comparison {
        Comparison::AtLeast => "at least",
        Comparison::AtMost => "at most",
    };
    format!(
        "{}: {} ({} = {side} {})",
        english(&words::evidence(evidence.name)),
        words::number(evidence.value),
        evidence.name,
        words::number(evidence.threshold)
    )
}

/// Writes the experiment with the chosen cure, where one was asked for.
fn write_cured(
    args: &DiagnoseArgs,
    experiment: &Experiment,
    findings: &[Finding],
) -> Result<Option<PathBuf>, CliError> {
    let Some(file) = &args.out else {
        return Ok(None);
    };
    let cures: Vec<_> = findings.iter().flat_map(|finding| &finding.cures).collect();
    let Some(cure) = args.cure.checked_sub(1).and_then(|k| cures.get(k)) else {
        return Err(CliError::Failed(match cures.len() {
            0 => "nothing was found that a change of the experiment may cure; nothing is written"
                .to_owned(),
            n => format!(
                "there is no cure {}; give --cure a number from 1 to {n}",
                args.cure
            ),
        }));
    };
    let cured = cure.apply(experiment);
    let text = with_absolute_paths(&cured).to_toml();
    let text = text.map_err(|error| CliError::Failed(error.to_string()))?;
    let text = format!("# {}\n\n{text}", words::cure_in_english(cure));
    write(file, text.as_bytes())?;
    Ok(Some(file.clone()))
}
