//! The rows of a run's file, one function a table.

use super::info::{RunStart, SavedState};
use super::item::{SavedWeights, StepMetrics, ToldNumber};
use super::thinning::{Kept, MOST_EPOCHS, MOST_METRICS, MOST_STEPS, SnapshotPlan};
use super::{EventKind, RunEvent};
use crate::train::HistoryRow;
use rusqlite::{Connection, params};

/// Says of a run that is still open that it was left before its end.
pub(super) fn interrupt(db: &Connection, now_ms: i64) -> rusqlite::Result<()> {
    let was_open = db.execute(
        "UPDATE run SET state = ?1, finished_ms = ?2, updated_ms = ?2 WHERE state = ?3",
        params![
            SavedState::Interrupted.name(),
            now_ms,
            SavedState::Open.name()
        ],
    )?;
    if was_open > 0 {
        db.execute(
            "INSERT INTO events (time_ms, step, epoch, kind, detail)
             SELECT ?1, coalesce((SELECT max(step) FROM steps), 0),
                    coalesce((SELECT max(epoch) FROM epochs), 0), ?2, '{}'",
            params![now_ms, EventKind::Interrupted.name()],
        )?;
    }
    Ok(())
}

/// A count as SQLite has it. Counts of steps stay far below 2⁶³.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn data_of(start: &RunStart) -> &str {
    start
        .experiment
        .as_ref()
        .map_or("", |experiment| &experiment.data.source)
}

pub(super) fn write_environment(db: &Connection, start: &RunStart) -> rusqlite::Result<()> {
    for (key, value) in &start.environment {
        db.execute(
            "INSERT INTO environment (key, value) VALUES (?1, ?2)",
            params![key, value],
        )?;
    }
    Ok(())
}

pub(super) fn write_start(
    db: &Connection,
    start: &RunStart,
    experiment: &str,
    plan: &SnapshotPlan,
) -> rusqlite::Result<()> {
    let parent = start.parent.as_ref();
    db.execute(
        "INSERT INTO run (id, name, state, created_ms, updated_ms, seed, data, experiment,
             parameters, training_samples, validation_samples, steps_per_epoch,
             parent_id, parent_step, watched)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            start.id,
            start.name,
            SavedState::Open.name(),
            start.created_ms,
            start.seed.to_string(),
            data_of(start),
            experiment,
            start.parameters as i64,
            start.training_samples as i64,
            start.validation_samples as i64,
            start.steps_per_epoch as i64,
            parent.map(|p| &p.id),
            parent.map(|p| number(p.step)),
            start.watched,
        ],
    )?;
    if let Some(parent) = parent {
        write_event(
            db,
            &RunEvent {
                time_ms: start.created_ms,
                step: parent.step,
                epoch: 0,
                kind: EventKind::Branched,
                detail: serde_json::json!({ "run": parent.id, "step": parent.step }),
            },
        )?;
    }
    write_environment(db, start)?;
    let mut rules = vec![
        (
            Kept::Steps,
            1,
            MOST_STEPS,
            "every step at first; when there are more than `most`, every second one goes and \
             from then on they are kept twice as far apart",
        ),
        (
            Kept::Epochs,
            1,
            MOST_EPOCHS,
            "every epoch at first; when there are more than `most`, every second one goes and \
             from then on they are kept twice as far apart",
        ),
        (
            Kept::Snapshots,
            plan.every(),
            plan.most(),
            "after 0, 1, 2, 4, 8, ... steps and every `every` steps; when there are more than \
             `most`, `every` doubles and those in between go; the first and the newest always \
             stay",
        ),
    ];
    if start.watched.is_some() {
        rules.push((
            Kept::Metrics,
            1,
            MOST_METRICS,
            "every number at first; when there are more than `most`, of each curve every second \
             one goes and from then on they are kept twice as far apart",
        ));
    }
    for (what, every, most, rule) in rules {
        db.execute(
            "INSERT INTO thinning (what, every, most, rule) VALUES (?1, ?2, ?3, ?4)",
            params![what.name(), number(every), number(most), rule],
        )?;
    }
    Ok(())
}

pub(super) fn write_state(
    db: &Connection,
    state: SavedState,
    time_ms: i64,
) -> rusqlite::Result<()> {
    let finished = (state != SavedState::Open).then_some(time_ms);
    let sql = "UPDATE run SET state = ?1, finished_ms = ?2";
    db.execute(sql, params![state.name(), finished]).map(drop)
}

pub(super) fn write_every(db: &Connection, what: Kept, every: u64) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE thinning SET every = ?1 WHERE what = ?2",
        params![number(every), what.name()],
    )?;
    Ok(())
}

pub(super) fn write_step(db: &Connection, step: &StepMetrics) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO steps (step, loss, learning_rate, gradient_norm)
         VALUES (?1, ?2, ?3, ?4)";
    put_step(db, sql, step)
}

/// What is told of one step in several pieces adds up.
pub(super) fn merge_step(db: &Connection, step: &StepMetrics) -> rusqlite::Result<()> {
    let sql = "INSERT INTO steps (step, loss, learning_rate, gradient_norm) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (step) DO UPDATE SET
             loss = coalesce(excluded.loss, loss),
             learning_rate = coalesce(excluded.learning_rate, learning_rate),
             gradient_norm = coalesce(excluded.gradient_norm, gradient_norm)";
    put_step(db, sql, step)
}

fn put_step(db: &Connection, sql: &str, step: &StepMetrics) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(sql)?;
    insert.execute(params![
        number(step.step),
        step.loss,
        step.learning_rate,
        step.gradient_norm
    ])?;
    Ok(())
}

pub(super) fn write_told(db: &Connection, told: &ToldNumber) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT OR REPLACE INTO metrics (run, tag, step, time_ms, value)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    insert.execute(params![
        &*told.run,
        &*told.tag,
        told.step,
        told.time_ms,
        told.value
    ])?;
    Ok(())
}

pub(super) fn write_epoch(db: &Connection, time_ms: i64, row: &HistoryRow) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT OR REPLACE INTO epochs (epoch, step, time_ms, train_loss, train_accuracy,
             validation_loss, validation_accuracy, learning_rate, gradient_norm)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    insert.execute(params![
        row.epoch as i64,
        number(row.step),
        time_ms,
        finite(row.train_loss),
        row.train_accuracy.and_then(finite),
        row.validation_loss.and_then(finite),
        row.validation_accuracy.and_then(finite),
        finite(row.learning_rate),
        row.gradient_norm.and_then(finite),
    ])?;
    Ok(())
}

/// What is not finite is no number in the file.
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

pub(super) fn write_weights(db: &Connection, weights: &SavedWeights) -> rusqlite::Result<()> {
    let mut bytes = Vec::with_capacity(4 * weights.params.len());
    for value in weights.params.iter() {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    let mut insert = db.prepare_cached(
        "INSERT OR REPLACE INTO snapshots (step, epoch, loss, params) VALUES (?1, ?2, ?3, ?4)",
    )?;
    insert.execute(params![
        number(weights.step),
        weights.epoch as i64,
        weights.loss.and_then(finite),
        bytes
    ])?;
    Ok(())
}

pub(super) fn write_event(db: &Connection, event: &RunEvent) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO events (time_ms, step, epoch, kind, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    insert.execute(params![
        event.time_ms,
        number(event.step),
        event.epoch as i64,
        event.kind.name(),
        event.detail.to_string()
    ])?;
    Ok(())
}
