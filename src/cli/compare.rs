//! `gradscape compare`: two to four networks trained side by side.

use super::record::{Group, GroupArgs};
use super::source::find_experiment;
use super::surface::{ThemeName, ending};
use super::{CliError, Out};
use crate::cli::interrupt::Interrupt;
use crate::compare::{self, Difference, Outcome, Variant, differences, letter};
use crate::figure::{RaceCurve, RaceCurvesFigure, write_figure};
use crate::train::{HistoryRow, Problem, RunState, Session, TrainCommand};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;

/// Train two to four networks side by side on the same data and batches, and say what differs
#[derive(Args, Debug, Clone)]
pub struct CompareArgs {
    /// Experiment files or names of samples, after the first also `deeper`, `shallower`, `wider`, `narrower`, `slower`, `relu`, `tanh`, `sigmoid` and `same`; data, seed and batches are those of the first
    #[arg(value_name = "EXPERIMENT", num_args = 2..=compare::MOST, required = true)]
    sources: Vec<String>,
    /// Train so many epochs instead of the first experiment's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    /// Use this seed instead of the first experiment's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Write the losses over the steps as a picture: .png or .svg
    #[arg(long, value_name = "FILE", value_parser = picture)]
    out: Option<PathBuf>,
    /// The colours of the picture
    #[arg(long, value_name = "THEME", value_enum, default_value = "light")]
    theme: ThemeName,
    #[command(flatten)]
    recorded: GroupArgs,
    /// Print the result as a JSON object
    #[arg(long)]
    json: bool,
}

fn picture(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match ending(&path).as_deref() {
        Some("png" | "svg") => Ok(path),
        _ => Err("pictures end in .png or .svg".to_owned()),
    }
}

/// A network and what it came to.
#[derive(Serialize)]
struct Entrant {
    name: String,
    #[serde(flatten)]
    outcome: Outcome,
    diverged: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct CompareObject<'a> {
    networks: &'a [Entrant],
    differences: &'a [Difference],
}

/// Obeys `gradscape compare`.
///
/// # Errors
/// When an experiment cannot be read, does not go with the first one's data, or a file
/// cannot be written; and when it is interrupted.
pub fn run(args: &CompareArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    let problems = problems(args)?;
    let group = args
        .recorded
        .group(|| format!("compare {}", args.sources.join(" ")));
    let rows = train(&problems, group.as_ref(), &mut out)?;
    let entrants =
        problems
            .iter()
            .zip(&rows)
            .enumerate()
            .filter_map(|(k, (problem, (rows, diverged)))| {
                Some(Entrant {
                    name: format!("{} {}", letter(k), problem.experiment.title()),
                    outcome: Outcome::of(problem, rows)?,
                    diverged: *diverged,
                })
            });
    let entrants: Vec<Entrant> = entrants.collect();
    let experiments: Vec<_> = problems.iter().map(|p| &p.experiment).collect();
    let differences = differences(&experiments);
    out.object(&CompareObject {
        networks: &entrants,
        differences: &differences,
    })?;
    out.say(table(&entrants, &differences))?;
    if let Some(file) = &args.out {
        write_figure(file, figure(args, &problems, &rows).draw()?, 1.5)?;
        out.say(format!("written to {}", file.display()))?;
    }
    Ok(())
}

/// The first experiment's problem, and the others' on its data.
fn problems(args: &CompareArgs) -> Result<Vec<Arc<Problem>>, CliError> {
    let mut problems: Vec<Arc<Problem>> = Vec::new();
    for source in &args.sources {
        let variant = problems.first().and_then(|first| {
            let variant = Variant::named(source)?;
            Some((variant, &first.experiment))
        });
        let mut experiment = match variant {
            Some((variant, first)) => variant.of(first).ok_or_else(|| {
                CliError::Usage(format!(
                    "{source}: that changes nothing of the first network"
                ))
            })?,
            None => find_experiment(source)?,
        };
        let problem = match problems.first() {
            None => {
                experiment.seed = args.seed.unwrap_or(experiment.seed);
                let epochs = args.epochs.map(|n| n as usize);
                experiment.training.epochs = epochs.unwrap_or(experiment.training.epochs);
                Problem::new(&experiment)?
            }
            Some(first) => compare::beside(&experiment, first).map_err(|why| {
                CliError::Failed(format!(
                    "{source} cannot stand beside {}: {why}",
                    args.sources[0]
                ))
            })?,
        };
        problems.push(Arc::new(problem));
    }
    Ok(problems)
}

/// The rows of each, and whether its numbers ceased to be finite.
type Rows = (Vec<HistoryRow>, bool);

/// What a network is called in the table and the picture: its letter, and its experiment's
/// title, where that is the same for all the units of its layers.
fn name(problems: &[Arc<Problem>], k: usize) -> String {
    let title = |problem: &Arc<Problem>| problem.experiment.title().to_owned();
    let own = title(&problems[k]);
    let said = match problems.iter().all(|problem| title(problem) == own) {
        true => {
            let widths = problems[k].network.widths();
            let widths: Vec<String> = widths.iter().map(usize::to_string).collect();
            widths.join("-")
        }
        false => own,
    };
    format!("{} {said}", letter(k))
}

/// Trains one after the other: side by side they would do the same, bit for bit.
fn train(
    problems: &[Arc<Problem>],
    group: Option<&Group>,
    out: &mut Out,
) -> Result<Vec<Rows>, CliError> {
    let interrupt = Interrupt::listen();
    let epochs = problems[0].experiment.training.epochs;
    let bar = out.start_bar((epochs * problems.len()) as u64, "epochs");
    let mut all = Vec::new();
    for (k, problem) in problems.iter().enumerate() {
        let mut run = Session::without_path(Arc::clone(problem));
        let named = name(problems, k);
        let record = group.map(|group| group.begin(&mut run, problem, &named));
        let record = record.transpose()?;
        run.command(TrainCommand::Start);
        while run.advance() {
            if interrupt.is_raised() {
                out.end_bar();
                let message = "interrupted; nothing is written".to_owned();
                return Err(CliError::Failed(message));
            }
            bar.set_position((k * epochs + run.trainer().epoch()) as u64);
        }
        if let Some(record) = record {
            record.finish(&mut run, out)?;
        }
        let diverged = run.state() == RunState::Diverged;
        all.push((run.take_outbox().rows, diverged));
    }
    out.end_bar();
    Ok(all)
}

fn figure(args: &CompareArgs, problems: &[Arc<Problem>], rows: &[Rows]) -> RaceCurvesFigure {
    let held_back = !problems[0].validation.is_empty();
    let curves = rows.iter().enumerate();
    let curves = curves.map(|(k, (rows, _))| RaceCurve {
        color: k,
        name: name(problems, k),
        points: rows
            .iter()
            .map(|row| (row.step, row.validation_loss.unwrap_or(row.train_loss)))
            .collect(),
    });
    RaceCurvesFigure {
        curves: curves.collect(),
        title: format!("{} networks", problems.len()),
        subtitle: format!("On the data of {}", problems[0].experiment.title()),
        quantity: match held_back {
            true => "validation loss",
            false => "training loss",
        }
        .to_owned(),
        tone: args.theme.into(),
    }
}

/// A column for each network: its figures, and below a line what differs.
fn table(entrants: &[Entrant], differences: &[Difference]) -> String {
    let percent = |share: Option<f64>| share.map(|s| format!("{:.2} %", 100.0 * s));
    let loss = |loss: f64| format!("{loss:.5}");
    type Shown<'a> = &'a dyn Fn(&Outcome) -> Option<String>;
    let figures: [(&str, Shown<'_>); 8] = [
        ("parameters", &|o| Some(o.parameters.to_string())),
        ("multiply-adds", &|o| Some(o.multiply_adds.to_string())),
        ("epochs", &|o| Some(o.epochs.to_string())),
        ("training loss", &|o| Some(loss(o.train_loss))),
        ("validation loss", &|o| o.validation_loss.map(loss)),
        ("training accuracy", &|o| percent(o.train_accuracy)),
        ("validation accuracy", &|o| percent(o.validation_accuracy)),
        ("lowest loss", &|o| {
            Some(format!("{:.5} (epoch {})", o.best.0, o.best.1))
        }),
    ];
    let mut rows = vec![(String::new(), Vec::new())];
    rows[0].1.extend(entrants.iter().map(|e| e.name.clone()));
    for (name, shown) in figures {
        let values: Vec<Option<String>> = entrants.iter().map(|e| shown(&e.outcome)).collect();
        if values.iter().any(Option::is_some) {
            let values = values.into_iter().map(Option::unwrap_or_default);
            rows.push((name.to_owned(), values.collect()));
        }
    }
    if entrants.iter().any(|e| e.diverged) {
        let said = |e: &Entrant| if e.diverged { "yes" } else { "no" }.to_owned();
        rows.push(("diverged".to_owned(), entrants.iter().map(said).collect()));
    }
    for difference in differences {
        let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let values = difference.values.iter().map(said);
        rows.push((difference.key.clone(), values.collect()));
    }
    let width = |column: Option<usize>| {
        let cells = rows.iter().filter_map(|(name, values)| match column {
            None => Some(name),
            Some(k) => values.get(k),
        });
        cells.map(|text| text.chars().count()).max().unwrap_or(0)
    };
    let name_width = width(None);
    let widths: Vec<usize> = (0..entrants.len()).map(|k| width(Some(k))).collect();
    let line = |(name, values): &(String, Vec<String>)| {
        let mut line = format!("{name:<name_width$}");
        for (value, w) in values.iter().zip(&widths) {
            line += &format!("  {value:<w$}");
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
