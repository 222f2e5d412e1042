//! `gradscape runs show`.

use super::{columns, local_time, loss_text, open, say, share_text, size_text};
use crate::cli::{CliError, Out};
use crate::insight::diagnosis::{Finding, words};
use crate::run::{Listed, RunEvent, ToldSeries, catalogue::look_at};
use clap::Args;
use serde::Serialize;

/// Say what a run was: settings, environment, results, events, diagnosis
#[derive(Args, Debug, Clone)]
pub(super) struct ShowArgs {
    /// A .gsrun file, an id or the beginning of one, or a name
    #[arg(value_name = "RUN")]
    run: String,
    /// Print the experiment file alone
    #[arg(long, conflicts_with = "json")]
    experiment: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct ShowObject<'a> {
    #[serde(flatten)]
    listed: &'a Listed,
    experiment: &'a str,
    snapshots: &'a [u64],
    events: &'a [RunEvent],
    findings: &'a [Finding],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    told: &'a [ToldSeries],
}

/// Events that are said; of more the first and last ones.
const EVENTS: usize = 40;

pub(super) fn run(args: &ShowArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    let run = open(&args.run)?;
    let experiment = run.experiment_text()?;
    if args.experiment {
        return out.say(experiment.trim_end());
    }
    let listed = look_at(run.path())?;
    let (snapshots, events) = (run.snapshot_steps()?, run.events()?);
    let findings = run.findings()?;
    let told = run.told()?;
    out.object(&ShowObject {
        listed: &listed,
        experiment: &experiment,
        snapshots: &snapshots,
        events: &events,
        findings: &findings,
        told: &told,
    })?;
    let info = run.info();
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut put = |key: &str, value: String| {
        if !value.is_empty() {
            rows.push(vec![key.to_owned(), value]);
        }
    };
    put("id", info.id.clone());
    put("name", info.name.clone());
    put(
        "file",
        format!("{}, {}", run.path().display(), size_text(listed.bytes)),
    );
    put("state", info.state.name().to_owned());
    put("begun", local_time(info.created_ms));
    put("last record", local_time(info.updated_ms));
    put("tags", info.tags.join(", "));
    put("comment", info.comment.clone());
    if let Some(parent) = &info.parent {
        put(
            "branch of",
            format!("{} at step {}", parent.id, parent.step),
        );
    }
    put("watched at", info.watched.clone().unwrap_or_default());
    if !experiment.is_empty() {
        put(
            "data",
            format!(
                "{}: {} training and {} validation samples",
                info.data, info.training_samples, info.validation_samples
            ),
        );
        put("network", format!("{} parameters", info.parameters));
    }
    if info.watched.is_none() {
        put("seed", info.seed.to_string());
    }
    for (key, value) in &info.environment {
        put(key, value.clone());
    }
    if let Some(last) = &listed.last {
        match info.watched {
            Some(_) => put("steps", listed.steps.to_string()),
            None => put("epochs", format!("{}, {} steps", last.epoch, listed.steps)),
        }
        put("training", result(last.train_loss, last.train_accuracy));
        if let Some(loss) = last.validation_loss {
            put("validation", result(loss, last.validation_accuracy));
        }
    }
    let first_last = snapshots.first().zip(snapshots.last());
    let range = first_last.map(|(a, b)| format!(", from step {a} to {b}"));
    put(
        "weights",
        format!("at {} steps{}", snapshots.len(), range.unwrap_or_default()),
    );
    for rule in &info.thinning {
        put(
            &format!("kept {}", rule.what),
            format!("one in {}, at most {}", rule.every, rule.most),
        );
    }
    say(&mut out, &columns(&rows, &[]))?;
    say_told(&mut out, &told)?;
    say_events(&mut out, &events)?;
    for finding in &findings {
        let word = |key: &str| words::english(key).unwrap_or_default();
        out.say(format!(
            "\n{} ({})\n  {}",
            word(&words::title(finding.kind)),
            word(words::severity(finding.severity)),
            word(&words::meaning(finding.kind))
        ))?;
    }
    match experiment.is_empty() {
        true => Ok(()),
        false => out.say(format!("\n{}", experiment.trim_end())),
    }
}

fn result(loss: f64, accuracy: Option<f64>) -> String {
    let accuracy = accuracy.map(|a| format!(", accuracy {}", share_text(a)));
    format!("loss {}{}", loss_text(loss), accuracy.unwrap_or_default())
}

/// The curves that another program told, each with its last value.
fn say_told(out: &mut Out, told: &[ToldSeries]) -> Result<(), CliError> {
    if told.is_empty() {
        return Ok(());
    }
    let row = |series: &ToldSeries| {
        let last = series.values.last();
        let value = last.and_then(|(_, value)| *value);
        vec![
            series.run.clone(),
            series.tag.clone(),
            format!("{} values", series.values.len()),
            last.map_or_else(String::new, |(step, _)| format!("step {step}")),
            value.map_or_else(|| "-".to_owned(), loss_text),
        ]
    };
    let mut rows: Vec<Vec<String>> = told.iter().take(EVENTS).map(row).collect();
    if told.len() > EVENTS {
        rows.push(vec![format!("... {} more", told.len() - EVENTS)]);
    }
    out.say(format!("\n{}", columns(&rows, &[])))
}

fn say_events(out: &mut Out, events: &[RunEvent]) -> Result<(), CliError> {
    if events.is_empty() {
        return Ok(());
    }
    let row = |event: &RunEvent| {
        let detail = match event.detail.as_object() {
            Some(fields) => {
                let fields = fields.iter().filter(|(_, value)| !value.is_null());
                let fields: Vec<String> = fields
                    .map(|(key, value)| format!("{key} {value}"))
                    .collect();
                fields.join(", ")
            }
            None => event.detail.to_string(),
        };
        vec![
            local_time(event.time_ms),
            format!("step {}", event.step),
            event.kind.name().to_owned(),
            detail,
        ]
    };
    let half = EVENTS / 2;
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (k, event) in events.iter().enumerate() {
        if events.len() <= EVENTS || k < half || k >= events.len() - half {
            rows.push(row(event));
        } else if k == half {
            rows.push(vec![format!("... {} more", events.len() - 2 * half)]);
        }
    }
    out.say(format!("\n{}", columns(&rows, &[])))
}
