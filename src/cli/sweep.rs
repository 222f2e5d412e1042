//! `gradscape sweep`: every combination of the values of some settings.

use super::interrupt::Interrupt;
use super::record::{Group, GroupArgs, Record};
use super::source::find_experiment_on;
use super::surface::ThemeName;
use super::sweep_folder::{BEST, PICTURES, PLAN, SweepFolder, TABLE};
use super::{CliError, Out};
use crate::figure::{SweepFigure, write_figure};
use crate::search::{Case, Plan, Row, Run, SearchError, Vary, rank};
use crate::train::Problem;
use clap::Args;
use crossbeam_channel::{Sender, bounded};
use indicatif::ProgressBar;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Rows of the table that is printed at the end.
const SHOWN: usize = 10;

/// Train every combination of some settings and compare them
///
/// Runs are ranked by their best validation loss, or training loss where there
/// is no validation part. The same command in the same folder goes on where it
/// was interrupted.
#[derive(Args, Debug, Clone)]
pub struct SweepArgs {
    /// An experiment file, the name of a sample, or a model
    experiment: String,
    /// The data of a model: a built-in name, or a CSV, NPZ or IDX file
    #[arg(long, value_name = "SOURCE")]
    data: Option<String>,
    /// Give a setting these values: KEY=A,B,C, KEY=LO..HI, KEY=LO..HI:STEP, KEY=LO..HI:lin:N or KEY=LO..HI:log:N; may be given several times
    #[arg(long, value_name = "KEY=VALUES", value_parser = vary, required_unless_present = "seeds", allow_hyphen_values = true)]
    vary: Vec<Vary>,
    /// Run each combination with so many seeds, the experiment's and those after it
    #[arg(long, value_name = "K")]
    seeds: Option<usize>,
    /// Write table, pictures and the best experiment into this folder
    #[arg(long, value_name = "DIR", default_value = "sweep")]
    out: PathBuf,
    /// Train so many runs at once; all cores unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Train each for so many epochs instead of the experiment's
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    #[command(flatten)]
    recorded: GroupArgs,
    /// Begin anew, even if the folder holds another sweep or other files
    #[arg(long)]
    force: bool,
    /// The colours of the picture
    #[arg(long, default_value = "dark")]
    theme: ThemeName,
    /// Print one JSON object a run, and one at the end
    #[arg(long)]
    json: bool,
}

fn vary(text: &str) -> Result<Vary, String> {
    text.parse().map_err(|error| match error {
        SearchError::Syntax { message, .. } => message,
        other => other.to_string(),
    })
}

/// A run as `--json` prints it.
#[derive(Serialize)]
struct RunObject<'a> {
    set: serde_json::Map<String, serde_json::Value>,
    #[serde(flatten)]
    row: &'a Row,
}

/// What `--json` prints at the end.
#[derive(Serialize)]
struct SweepObject {
    runs: usize,
    diverged: usize,
    best_run: Option<usize>,
    seconds: f64,
    files: Vec<PathBuf>,
}

/// Obeys `gradscape sweep`.
///
/// # Errors
/// When a setting or one of its values is not allowed, the folder is another
/// sweep's, something cannot be written, it is interrupted, or every run diverges.
pub fn run(args: &SweepArgs) -> Result<(), CliError> {
    let begin = Instant::now();
    let mut out = Out::stdout(args.json);
    let mut base = find_experiment_on(&args.experiment, args.data.as_deref())?;
    if let Some(epochs) = args.epochs {
        base.training.epochs = epochs;
    }
    let mut settings = args.vary.clone();
    if let Some(count) = args.seeds {
        settings.push(Vary::seeds(base.seed, count)?);
    }
    let plan = Plan::new(&base, &settings)?;
    let mut folder = SweepFolder::open(&args.out, &plan, args.force)?;
    let missing = folder.table().missing(&plan);
    let jobs = match args.jobs {
        Some(jobs) => usize::from(jobs),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    out.say(headline(&plan, missing.len(), jobs))?;
    let group = args.recorded.group(|| {
        let name = args.out.file_name().unwrap_or(args.out.as_os_str());
        format!("sweep {}", name.to_string_lossy())
    });
    run_missing(&plan, &missing, jobs, group.as_ref(), &mut folder, &mut out)?;
    folder.finish(&plan)?;
    report(
        args,
        &plan,
        &folder,
        begin.elapsed().as_secs_f64(),
        &mut out,
    )?;
    match group {
        None => Ok(()),
        Some(group) => out.say(format!(
            "recorded with the tag {:?}; see them with: gradscape runs list --search {:?}",
            group.tag(),
            group.tag()
        )),
    }
}

fn headline(plan: &Plan, missing: usize, jobs: usize) -> String {
    let factors = plan.vary().iter();
    let factors: Vec<String> = factors
        .map(|v| format!("{} x {}", v.values().len(), v.key()))
        .collect();
    let all = plan.cases().len();
    let done = match all - missing {
        0 => String::new(),
        done => format!(", {done} of them already done"),
    };
    format!(
        "{}: {all} runs ({}){done}; {} at a time",
        plan.base().title(),
        factors.join(", "),
        jobs.min(missing.max(1))
    )
}

/// Trains what is missing, on threads of its own, and writes each row as it comes.
fn run_missing(
    plan: &Plan,
    missing: &[usize],
    jobs: usize,
    group: Option<&Group>,
    folder: &mut SweepFolder,
    out: &mut Out,
) -> Result<(), CliError> {
    let interrupt = Interrupt::listen();
    let epochs = |run: &usize| plan.cases()[run - 1].experiment.training.epochs as u64;
    let bar = out.start_bar(missing.iter().map(epochs).sum(), "epochs");
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(jobs.min(missing.len()).max(1))
        .build()
        .map_err(|error| CliError::Failed(format!("--jobs {jobs}: {error}")))?;
    let stop = AtomicBool::new(false);
    let (sender, rows) = bounded(64);
    let done = std::thread::scope(|scope| {
        let (stop, interrupt, bar) = (&stop, &interrupt, &bar);
        let worker = scope.spawn(move || {
            pool.install(|| {
                plan.for_each(missing, stop, |case, problem| {
                    let recorded = group.map(|group| (group, plan.describe(case)));
                    work(case, problem, recorded, &sender, bar, &|| {
                        if interrupt.is_raised() {
                            stop.store(true, Ordering::Relaxed);
                        }
                        stop.load(Ordering::Relaxed)
                    });
                })
            })
        });
        let mut written = Ok(());
        for row in rows {
            if written.is_ok() {
                written = row.and_then(|row| take(plan, folder, row, out));
            }
            if written.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
        }
        match worker.join() {
            Ok(trained) => written.and(trained.map_err(CliError::from)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    out.end_bar();
    done?;
    if interrupt.is_raised() {
        return Err(CliError::Failed(format!(
            "interrupted; {} of {} runs are done, and the same command goes on from there",
            folder.table().rows().len(),
            plan.cases().len()
        )));
    }
    Ok(())
}

/// One run, unless it is to stop: then there is no row of it.
fn work(
    case: &Case,
    problem: Arc<Problem>,
    recorded: Option<(&Group, String)>,
    rows: &Sender<Result<Row, CliError>>,
    bar: &ProgressBar,
    stop: &dyn Fn() -> bool,
) {
    let begin = Instant::now();
    let mut record: Option<Result<Record, CliError>> = None;
    let mut run = Run::observed(Arc::clone(&problem), |session| {
        record = recorded.map(|(group, settings)| {
            let name = format!("{}: {settings}", problem.experiment.title());
            group.begin(session, &problem, &name)
        });
    });
    let record = match record.transpose() {
        Ok(record) => record,
        // Nobody takes rows any more once one could not be written.
        Err(error) => return drop(rows.send(Err(error))),
    };
    let mut shown = 0;
    loop {
        let more = run.advance();
        let epoch = run.last().epoch;
        if epoch > shown {
            bar.inc((epoch - shown) as u64);
            shown = epoch;
        }
        if !more {
            break;
        }
        if stop() {
            drop(run);
            // It will be made again.
            if let Some(Err(error)) = record.map(Record::discard) {
                drop(rows.send(Err(error)));
            }
            return;
        }
    }
    bar.inc(case.experiment.training.epochs.saturating_sub(shown) as u64);
    let seconds = begin.elapsed().as_secs_f64();
    let row = Row::new(case.run, case.texts(), &run.outcome(), seconds);
    drop(run);
    let written = record.map_or(Ok(()), Record::join);
    drop(rows.send(written.map(|()| row)));
}

fn take(plan: &Plan, folder: &mut SweepFolder, row: Row, out: &mut Out) -> Result<(), CliError> {
    folder.push(row.clone())?;
    let case = &plan.cases()[row.run - 1];
    let pairs = plan.vary().iter().zip(&case.values);
    let set = pairs
        .map(|(vary, value)| {
            let value = serde_json::to_value(value);
            (vary.key().to_owned(), value.unwrap_or_default())
        })
        .collect();
    out.object(&RunObject { set, row: &row })?;
    let came_to = match row.diverged_step {
        Some(step) => format!("diverged in step {step}"),
        None => format!("loss {:.5} after epoch {}", row.score(), row.best_epoch),
    };
    out.say(format!(
        "{:>5}/{}  {}: {came_to}",
        folder.table().rows().len(),
        plan.cases().len(),
        plan.describe(case),
    ))
}

fn report(
    args: &SweepArgs,
    plan: &Plan,
    folder: &SweepFolder,
    seconds: f64,
    out: &mut Out,
) -> Result<(), CliError> {
    let rows = folder.table().rows();
    let ranked = rank(rows);
    let best = ranked.first().filter(|row| !row.diverged()).copied();
    let diverged = rows.iter().filter(|row| row.diverged()).count();
    let mut files: Vec<PathBuf> = [PLAN, TABLE].iter().map(|f| args.out.join(f)).collect();
    if best.is_some() {
        files.push(args.out.join(BEST));
        let figure = SweepFigure {
            plan,
            rows,
            title: format!("{}: {} runs", plan.base().title(), rows.len()),
            tone: args.theme.into(),
        };
        for picture in PICTURES {
            let file = args.out.join(picture);
            write_figure(&file, figure.draw()?, 1.5)?;
            files.push(file);
        }
    }
    out.object(&SweepObject {
        runs: rows.len(),
        diverged,
        best_run: best.map(|row| row.run),
        seconds,
        files,
    })?;
    let dir = args.out.display();
    let Some(best) = best else {
        return Err(CliError::Failed(format!(
            "all {} runs diverged; {dir}/{TABLE} says where. Try smaller learning rates",
            rows.len()
        )));
    };
    out.say(format!("\n{}", table(plan, &ranked)))?;
    out.say(format!(
        "\n{diverged} of {} runs diverged; the best is run {}: {}",
        rows.len(),
        best.run,
        plan.describe(&plan.cases()[best.run - 1])
    ))?;
    out.say(format!(
        "written to {dir}; run the best again with: gradscape train {dir}/{BEST} --out {dir}/best"
    ))
}

/// The best runs, best first.
fn table(plan: &Plan, ranked: &[&Row]) -> String {
    let loss = |v: Option<f64>| v.map_or("-".to_owned(), |v| format!("{v:.5}"));
    let percent = |v: Option<f64>| v.map_or("-".to_owned(), |v| format!("{:.2} %", 100.0 * v));
    let mut lines = vec![vec!["run".to_owned()]];
    lines[0].extend(plan.vary().iter().map(|v| v.key().to_owned()));
    let names = ["epoch", "train loss", "valid. loss", "accuracy", "status"];
    lines[0].extend(names.map(str::to_owned));
    for row in ranked.iter().take(SHOWN) {
        let mut line = vec![row.run.to_string()];
        line.extend(row.values.iter().cloned());
        line.extend([
            row.best_epoch.to_string(),
            loss(Some(row.best_train_loss)),
            loss(row.best_validation_loss),
            percent(row.best_validation_accuracy.or(row.best_train_accuracy)),
            row.status.to_owned(),
        ]);
        lines.push(line);
    }
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let text = lines.iter().map(|line| {
        let cells = line.iter().zip(&widths);
        let cells: Vec<String> = cells.map(|(cell, &w)| format!("{cell:>w$}")).collect();
        cells.join("  ")
    });
    let mut text: Vec<String> = text.collect();
    if ranked.len() > SHOWN {
        text.push(format!("and {} more in {TABLE}", ranked.len() - SHOWN));
    }
    text.join("\n")
}
