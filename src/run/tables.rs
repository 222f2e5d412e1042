//! What a run's file says of steps, epochs, weights, events and findings.

use super::event::{EventKind, RunEvent};
use super::file::{MOST_ROWS, RunFile, count, size, step};
use super::item::{SavedWeights, StepMetrics, ToldSeries};
use super::write::number;
use super::{RunError, finding};
use crate::insight::diagnosis::Finding;
use crate::train::{HistoryRow, SavedMemory};
use rusqlite::{OptionalExtension, Row};

/// The last epoch that a run can be of: whoever goes on from there draws the batches of all
/// epochs before it.
const MOST_EPOCH: usize = 10_000_000;

impl RunFile {
    /// What the epochs came to, oldest first. A loss that is not there was not finite.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn epochs(&self) -> Result<Vec<HistoryRow>, RunError> {
        self.all(
            "SELECT epoch, step, train_loss, train_accuracy, validation_loss,
                 validation_accuracy, learning_rate, gradient_norm
             FROM epochs ORDER BY epoch",
            [],
            read_epoch,
        )
    }

    /// The newest epoch.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_epoch(&self) -> Result<Option<HistoryRow>, RunError> {
        let mut rows = self.all(
            "SELECT epoch, step, train_loss, train_accuracy, validation_loss,
                 validation_accuracy, learning_rate, gradient_norm
             FROM epochs ORDER BY epoch DESC LIMIT 1",
            [],
            read_epoch,
        )?;
        Ok(rows.pop())
    }

    /// When each epoch was done, in milliseconds since 1970, with its number.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn epoch_times(&self) -> Result<Vec<(usize, i64)>, RunError> {
        let sql = "SELECT epoch, time_ms FROM epochs ORDER BY epoch";
        self.all(sql, [], |row| Ok((count(row, 0)?, row.get(1)?)))
    }

    /// Metrics of single steps, rising: all of them where they are at most `most`, else
    /// every so many, so that they are.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn steps(&self, most: usize) -> Result<Vec<StepMetrics>, RunError> {
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM steps LIMIT {MOST_ROWS})");
        let rows: i64 = self.one(&sql, |row| row.get(0))?;
        let stride = (rows as u64).div_ceil(most.max(1) as u64).max(1);
        let sql = format!(
            "SELECT step, loss, learning_rate, gradient_norm
             FROM (SELECT *, row_number() OVER (ORDER BY step) AS place
                   FROM (SELECT * FROM steps ORDER BY step LIMIT {MOST_ROWS}))
             WHERE (place - 1) % ?1 = 0 ORDER BY step"
        );
        self.all(&sql, [number(stride)], |row| {
            Ok(StepMetrics {
                step: step(row, 0)?,
                loss: row.get(1)?,
                learning_rate: row.get(2)?,
                gradient_norm: row.get(3)?,
            })
        })
    }

    /// The last step of which something is recorded.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_step(&self) -> Result<u64, RunError> {
        self.one(
            "SELECT max(coalesce((SELECT max(step) FROM steps), 0),
                 coalesce((SELECT max(step) FROM epochs), 0),
                 coalesce((SELECT max(step) FROM snapshots), 0))",
            |row| step(row, 0),
        )
    }

    /// The steps after which the weights are there, rising.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn snapshot_steps(&self) -> Result<Vec<u64>, RunError> {
        let sql = "SELECT step, octet_length(params) FROM snapshots ORDER BY step";
        let found = self.all(sql, [], |row| Ok((step(row, 0)?, step(row, 1)?)))?;
        let bytes = found
            .iter()
            .fold(0_u64, |sum, (_, n)| sum.saturating_add(*n));
        let most = size(&self.db).map_err(|error| RunError::database(&self.path, error))?;
        if bytes > most {
            return Err(self.damaged(format!(
                "its weights have {bytes} bytes in all, and the file has {most}"
            )));
        }
        Ok(found.into_iter().map(|(step, _)| step).collect())
    }

    /// The weights after `step` steps, or the last ones before that, exactly as they were.
    ///
    /// # Errors
    /// When the file cannot be read, there are none, or they are damaged.
    pub fn snapshot(&self, step: u64) -> Result<Vec<f32>, RunError> {
        Ok(self.weights(step)?.params.to_vec())
    }

    /// The same with what belongs to them.
    ///
    /// # Errors
    /// As of [`snapshot`](Self::snapshot).
    pub fn weights(&self, at: u64) -> Result<SavedWeights, RunError> {
        let found = self.db.prepare_cached(
            "SELECT step, epoch, loss, length(params) FROM snapshots WHERE step <= ?1
             ORDER BY step DESC LIMIT 1",
        );
        let found = found.and_then(|mut sql| {
            sql.query_row([number(at)], |row| {
                Ok((
                    step(row, 0)?,
                    count(row, 1)?,
                    row.get(2)?,
                    row.get::<_, i64>(3)?,
                ))
            })
            .optional()
        });
        let found = found.map_err(|error| RunError::database(&self.path, error))?;
        let Some((at, epoch, loss, length)) = found else {
            return Err(self.damaged(format!(
                "it has no weights of step {at} or before; `gradscape runs show` lists those it has"
            )));
        };
        if epoch > MOST_EPOCH {
            return Err(self.damaged(format!(
                "the weights of step {at} are of epoch {epoch}, which cannot be"
            )));
        }
        let expected = 4 * self.info().parameters as i64;
        if length != expected {
            return Err(self.damaged(format!(
                "the weights of step {at} have {length} bytes, and {expected} are those of its \
                 {} parameters",
                self.info().parameters
            )));
        }
        let sql = "SELECT params FROM snapshots WHERE step = ?1";
        let read = self.db.prepare_cached(sql).and_then(|mut sql| {
            sql.query_row([number(at)], |row| {
                let bytes = row.get_ref(0)?.as_blob()?;
                Ok(bytes.chunks_exact(4).map(from_bytes).collect())
            })
        });
        Ok(SavedWeights {
            step: at,
            epoch,
            loss,
            params: read.map_err(|error| RunError::database(&self.path, error))?,
        })
    }

    /// What the optimiser had gathered after exactly so many steps, if the file has it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn memory(&self, step: u64) -> Result<Option<SavedMemory>, RunError> {
        let sql = "SELECT optimizer, state FROM optimizer_states WHERE step = ?1";
        let read = self.db.prepare_cached(sql).and_then(|mut sql| {
            sql.query_row([number(step)], |row| {
                Ok(SavedMemory {
                    optimizer: row.get(0)?,
                    bytes: row.get_ref(1)?.as_blob()?.into(),
                })
            })
            .optional()
        });
        read.map_err(|error| RunError::database(&self.path, error))
    }

    /// The steps after which that is there, rising.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn memory_steps(&self) -> Result<Vec<u64>, RunError> {
        let sql = "SELECT step FROM optimizer_states ORDER BY step";
        self.all(sql, [], |row| step(row, 0))
    }

    /// The numbers that another program told, by its names for run and number: the curves
    /// of a watched run, rising by step.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn told(&self) -> Result<Vec<ToldSeries>, RunError> {
        let sql = "SELECT run, tag, step, time_ms, value FROM metrics ORDER BY run, tag, step";
        let numbers = self.all(sql, [], |row| {
            let value: Option<f64> = row.get(4)?;
            let names: (String, String) = (row.get(0)?, row.get(1)?);
            Ok((names, row.get::<_, i64>(2)?, value))
        })?;
        let mut series: Vec<ToldSeries> = Vec::new();
        for ((run, tag), step, value) in numbers {
            match series.last_mut().filter(|s| s.run == run && s.tag == tag) {
                Some(last) => last.values.push((step, value)),
                None => series.push(ToldSeries {
                    run,
                    tag,
                    values: vec![(step, value)],
                }),
            }
        }
        Ok(series)
    }

    /// What happened to the run, in order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn events(&self) -> Result<Vec<RunEvent>, RunError> {
        self.all(
            "SELECT time_ms, step, epoch, kind, detail FROM events ORDER BY id",
            [],
            |row| {
                let (kind, detail): (String, String) = (row.get(3)?, row.get(4)?);
                Ok(RunEvent {
                    time_ms: row.get(0)?,
                    step: step(row, 1)?,
                    epoch: count(row, 2)?,
                    kind: EventKind::named(&kind),
                    detail: serde_json::from_str(&detail).unwrap_or_default(),
                })
            },
        )
    }

    /// What the diagnosis found at the run's end, causes first; nothing where it found
    /// nothing, or the run did not come to an end. What this version does not know is
    /// left out.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn findings(&self) -> Result<Vec<Finding>, RunError> {
        let sql = "SELECT detail FROM findings ORDER BY id";
        let texts: Vec<String> = self.all(sql, [], |row| row.get(0))?;
        Ok(texts
            .iter()
            .filter_map(|text| finding::parse(text))
            .collect())
    }
}

fn from_bytes(bytes: &[u8]) -> f32 {
    bytes.try_into().map_or(f32::NAN, f32::from_le_bytes)
}

fn read_epoch(row: &Row<'_>) -> rusqlite::Result<HistoryRow> {
    let number = |at: usize| row.get::<_, Option<f64>>(at);
    Ok(HistoryRow {
        epoch: count(row, 0)?,
        step: step(row, 1)?,
        train_loss: number(2)?.unwrap_or(f64::NAN),
        train_accuracy: number(3)?,
        validation_loss: number(4)?,
        validation_accuracy: number(5)?,
        learning_rate: number(6)?.unwrap_or(f64::NAN),
        gradient_norm: number(7)?,
    })
}
