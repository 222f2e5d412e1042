//! A recorded run as the window, films and reports show one: its history, its path and
//! where it stood.

use super::event::EventKind;
use super::file::RunFile;
use super::{RunError, SavedWeights};
use crate::train::{Evaluator, HistoryRow, Jumps, PathPoint, Problem, Resumption, SavedMemory};

/// Bytes that the points of the path may take, and the most and fewest of them; as of a
/// [`Trajectory`](crate::train::Trajectory).
const BYTES: usize = 64 << 20;
const MOST: usize = 2048;
const FEWEST: usize = 16;

/// A recorded run in memory.
#[derive(Debug, Clone)]
pub struct Replay {
    /// What the epochs came to, oldest first.
    pub rows: Vec<HistoryRow>,
    /// The path through parameter space, oldest first, as many points as fit.
    pub points: Vec<PathPoint>,
    /// Where the weights were put rather than stepped.
    pub jumps: Jumps,
    /// The seed of the batch order.
    pub seed: u64,
    /// The last weights.
    pub last: SavedWeights,
    /// What the optimiser had gathered then, if that is known.
    pub memory: Option<SavedMemory>,
}

impl Replay {
    /// Reads a run of `problem`, which is that of its experiment. Where no loss was
    /// computed beside weights, it is computed now.
    ///
    /// # Errors
    /// When the file cannot be read, has no weights, or they are not of that network.
    pub fn load(run: &RunFile, problem: &Problem) -> Result<Self, RunError> {
        let parameters = problem.network.layout().len();
        if run.info().parameters != parameters {
            return Err(RunError::damaged(
                run.path(),
                format!(
                    "its network has {} parameters, and that of its experiment {parameters}",
                    run.info().parameters
                ),
            ));
        }
        let steps = run.snapshot_steps()?;
        let most = (BYTES / (4 * parameters.max(1))).clamp(FEWEST, MOST);
        let mut evaluator = Evaluator::new(&problem.network);
        let mut points = Vec::new();
        for step in evenly(&steps, most) {
            let weights = run.weights(step)?;
            let loss = weights.loss.unwrap_or_else(|| {
                evaluator.loss(&problem.network, &weights.params, &problem.train)
            });
            points.push(PathPoint {
                step: weights.step,
                epoch: weights.epoch,
                params: weights.params,
                loss,
            });
        }
        let mut jumps = Jumps::default();
        for event in run.events()? {
            match event.kind {
                EventKind::WeightsSet => jumps.add(event.step),
                EventKind::Rewound => jumps.truncate_after(event.step),
                _ => {}
            }
        }
        let last = run.weights(u64::MAX)?;
        Ok(Replay {
            memory: run.memory(last.step)?,
            rows: run.epochs()?,
            points,
            jumps,
            seed: run.info().seed,
            last,
        })
    }

    /// The run at its end, to go on from there.
    pub fn at_end(&self) -> Resumption {
        Resumption {
            seed: self.seed,
            epoch: self.last.epoch,
            step: self.last.step,
            params: self.last.params.clone(),
            rows: self.rows.clone(),
            points: self.points.clone(),
            jumps: self.jumps.clone(),
            memory: self.memory.clone(),
        }
    }
}

impl RunFile {
    /// The place after `step` steps, or at the last weights before that.
    ///
    /// # Errors
    /// When the file cannot be read, or has no weights of that step or before.
    pub fn place(&self, step: u64) -> Result<Resumption, RunError> {
        let weights = self.weights(step)?;
        Ok(Resumption {
            seed: self.info().seed,
            epoch: weights.epoch,
            step: weights.step,
            params: weights.params,
            rows: Vec::new(),
            points: Vec::new(),
            jumps: Jumps::default(),
            memory: self.memory(weights.step)?,
        })
    }
}

/// At most `most` of `steps`, the first and the last among them, evenly by their place.
fn evenly(steps: &[u64], most: usize) -> Vec<u64> {
    let n = steps.len();
    if n <= most {
        return steps.to_vec();
    }
    let last = most.max(2) - 1;
    (0..=last).map(|k| steps[k * (n - 1) / last]).collect()
}

#[cfg(test)]
mod tests {
    use super::evenly;

    #[test]
    fn of_many_steps_the_ends_stay_and_no_step_is_there_twice() {
        let steps: Vec<u64> = (0..100).map(|k| 3 * k).collect();
        assert_eq!(evenly(&steps, 200), steps);
        for most in [2, 7, 99] {
            let chosen = evenly(&steps, most);
            assert_eq!(chosen.len(), most);
            assert_eq!((chosen[0], chosen.last()), (0, Some(&297)));
            assert!(chosen.windows(2).all(|w| w[0] < w[1]));
        }
    }
}
