//! A run while it is trained: its curves, and the flow of gradients through its layers.

use super::FigureArgs;
use crate::cli::interrupt::Interrupt;
use crate::cli::run_folder::{HISTORY_JSON, read_history};
use crate::cli::source::{Recorded, find};
use crate::cli::{CliError, Out};
use crate::figure::{FlowFigure, Svg, TrainingFigure};
use crate::insight::recording::{Recording, StepRow, Wanted};
use crate::insight::tiles::name_of;
use crate::run::RunFile;
use crate::train::HistoryRow;
use std::path::Path;
use std::sync::Arc;

/// The most steps of a recorded run that are drawn.
const STEPS: usize = 20_000;

/// Trains what is asked for, recorded: `--epochs N` from the weights given, else the
/// experiment's own run from its start. What diverged is recorded up to there.
pub(super) fn record(
    args: &FigureArgs,
    out: &mut Out,
    wanted: Wanted,
) -> Result<Recording, CliError> {
    let source = args.source.load()?;
    let is_run = find(&args.source.source).is_ok_and(|(_, run)| run.is_some());
    let chosen = args.source.weights.is_some() || args.source.at_step.is_some();
    let goes_on = args.epochs.is_some() || chosen || !is_run;
    let start = (source.given && goes_on).then_some(&source.params[..]);
    let epochs = args
        .epochs
        .unwrap_or(source.problem.experiment.training.epochs);
    if is_run && !goes_on {
        out.say(
            "what this draws is not in the record: the experiment is trained again from its start",
        )?;
    }
    let mut recording = Recording::new(Arc::clone(&source.problem), start, epochs, wanted);
    let interrupt = Interrupt::listen();
    let bar = out.start_bar(recording.total_steps() as u64, "training");
    while recording.advance() {
        bar.inc(1);
        if interrupt.is_raised() {
            out.end_bar();
            return Err(CliError::Failed(
                "interrupted; nothing is written".to_owned(),
            ));
        }
    }
    out.end_bar();
    if let Some(divergence) = recording.divergence() {
        let step = divergence.step;
        out.say(format!(
            "training diverged in step {step}; what is drawn ends there"
        ))?;
    }
    Ok(recording)
}

/// `figure curves`: of a run's folder, without `--epochs`, what it recorded.
pub(super) fn curves(args: &FigureArgs, out: &mut Out) -> Result<Svg, CliError> {
    let chosen = args.source.weights.is_some() || args.source.at_step.is_some();
    let run = match args.epochs.is_none() && !chosen {
        true => find(&args.source.source)?.1,
        false => None,
    };
    let figure = TrainingFigure {
        rows: &[],
        steps: &[],
        over: args.over.unwrap_or_default(),
        smooth: args.smooth,
        log: args.log,
        title: String::new(),
        subtitle: String::new(),
        tone: args.theme.into(),
    };
    let smooth = match args.smooth {
        Some(weight) => format!("; smoothed by {weight} over the raw lines"),
        None => String::new(),
    };
    if let Some(run) = run {
        let source = args.source.load()?;
        let (rows, steps) = match &run {
            Recorded::Folder(folder) => (read_history(&folder.join(HISTORY_JSON))?, Vec::new()),
            Recorded::File(file) => of_file(file)?,
        };
        return Ok(TrainingFigure {
            rows: &rows,
            steps: &steps,
            title: source.problem.experiment.title().to_owned(),
            subtitle: format!(
                "{} epochs as the run recorded them{smooth}",
                last_epoch(&rows)
            ),
            ..figure
        }
        .draw()?);
    }
    let recording = record(args, out, Wanted::default())?;
    let rows = recording.history().rows();
    Ok(TrainingFigure {
        rows,
        steps: recording.steps(),
        title: recording.problem().experiment.title().to_owned(),
        subtitle: format!(
            "{} epochs of {} steps{smooth}",
            last_epoch(rows),
            recording.problem().steps_per_epoch()
        ),
        ..figure
    }
    .draw()?)
}

fn last_epoch(rows: &[HistoryRow]) -> usize {
    rows.last().map_or(0, |row| row.epoch)
}

/// The epochs and steps that a run's file has.
fn of_file(file: &Path) -> Result<(Vec<HistoryRow>, Vec<StepRow>), CliError> {
    let run = RunFile::open(file)?;
    let per_epoch = run.info().steps_per_epoch.max(1) as f64;
    let steps = run.steps(STEPS)?.into_iter().filter_map(|step| {
        Some(StepRow {
            step: step.step,
            epoch: step.step as f64 / per_epoch,
            learning_rate: step.learning_rate?,
            gradient_norm: step.gradient_norm?,
            batch_loss: step.loss?,
        })
    });
    Ok((run.epochs()?, steps.collect()))
}

/// `figure flow`.
pub(super) fn flow(args: &FigureArgs, out: &mut Out) -> Result<Svg, CliError> {
    let wanted = Wanted {
        health: true,
        ..Wanted::default()
    };
    let recording = record(args, out, wanted)?;
    let records = recording.health().map_or(&[][..], |log| log.records());
    let network = &recording.problem().network;
    let names: Vec<String> = (0..network.layers().len())
        .map(|layer| name_of(network, layer))
        .collect();
    let figure = FlowFigure {
        records,
        names: &names,
        title: recording.problem().experiment.title().to_owned(),
        subtitle: format!(
            "Layer by layer, input at the top: {} measurements over {} samples each",
            records.len(),
            records.first().map_or(0, |record| record.samples)
        ),
        tone: args.theme.into(),
    };
    Ok(figure.draw()?)
}
