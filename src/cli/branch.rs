//! Going on from a recorded run, and how far that will be the run itself.

use super::CliError;
use crate::experiment::Experiment;
use crate::run::{EventKind, Parent, RunEvent, RunFile};
use crate::train::{Resumption, Session};

/// Steps that are named.
const NAMED: usize = 8;

/// A place of a recorded run that another one goes on from.
pub(super) struct Branch {
    pub place: Resumption,
    pub origin: Origin,
}

/// The run that it is of.
pub(super) struct Origin {
    pub parent: Parent,
    /// What was run.
    experiment: Experiment,
    /// Whether another program trained it.
    is_watched: bool,
    /// At which steps there is what the optimiser had gathered.
    steps: Vec<u64>,
    /// Whether somebody changed the run by hand from there on.
    by_hand: bool,
    /// Whether the place is where so many steps lead without anybody's doing, so that the
    /// batches that follow are known.
    in_step: bool,
}

impl Branch {
    /// Of `run`, which is of `experiment`, after `step` steps, or at the last weights before.
    ///
    /// # Errors
    /// When the file cannot be read, the run has no such step, or its file no weights of that
    /// step or before.
    pub(super) fn of(run: &RunFile, step: u64, experiment: &Experiment) -> Result<Self, CliError> {
        let info = run.info();
        let last = run.last_step()?;
        if step > last {
            return Err(CliError::Failed(format!(
                "{}: there is no step {step}: it ends after step {last}, and weights are kept \
                 of steps {}",
                info.id,
                newest(&run.snapshot_steps()?)
            )));
        }
        let place = run.place(step)?;
        let per_epoch = info.steps_per_epoch.max(1) as u64;
        Ok(Branch {
            origin: Origin {
                parent: Parent {
                    id: info.id.clone(),
                    step: place.step,
                },
                experiment: experiment.clone(),
                is_watched: info.watched.is_some(),
                steps: run.memory_steps()?,
                by_hand: is_by_hand(&run.events()?, place.step),
                in_step: place.step / per_epoch == place.epoch as u64,
            },
            place,
        })
    }
}

/// The last of some steps in words.
fn newest(steps: &[u64]) -> String {
    let newest = steps.iter().rev().take(NAMED).rev();
    let newest: Vec<String> = newest.map(u64::to_string).collect();
    let more = if steps.len() > NAMED { "..., " } else { "" };
    format!("{more}{}", newest.join(", "))
}

/// Whether somebody set weights or the rate, or went back, at `step` or later. Early stopping
/// sets weights too, at its end.
fn is_by_hand(events: &[RunEvent], step: u64) -> bool {
    let taken_back = |at: u64| {
        events.iter().any(|event| {
            let is_end = event.kind == EventKind::Finished && event.step == at;
            is_end && !event.detail["best_epoch"].is_null()
        })
    };
    events.iter().any(|event| match event.kind {
        EventKind::WeightsSet => event.step >= step && !taken_back(event.step),
        EventKind::RateChanged | EventKind::Rewound => event.step >= step,
        _ => false,
    })
}

impl Origin {
    /// How `session`, which goes on from there with `experiment`, compares with the run;
    /// `saved` is the optimiser of which the place has what it had gathered.
    pub(super) fn words(
        &self,
        session: &Session,
        experiment: &Experiment,
        saved: Option<&str>,
    ) -> String {
        let known = session.recalls() || self.parent.step == 0;
        if self.is_watched {
            return "that run was trained by another program: data and optimiser are those of the \
                    experiment here"
                .to_owned();
        }
        if !known {
            let optimizer = experiment.training.optimizer.kind().name();
            return match saved {
                Some(other) if other != optimizer => format!(
                    "the optimiser begins anew: what {other} had gathered is of no use to {optimizer}"
                ),
                Some(_) => "the optimiser begins anew: what it had gathered is damaged".to_owned(),
                None => self.anew(),
            };
        }
        let with = match self.parent.step {
            0 => "from the beginning",
            _ => "with what its optimiser had gathered",
        };
        if self.experiment != *experiment {
            return format!("{with}, and with other settings");
        }
        if !self.in_step {
            return format!(
                "{with}; the weights will be others, as this step lies in the middle of an epoch \
                 that was begun anew by hand, and here an epoch begins"
            );
        }
        match self.by_hand {
            true => format!(
                "{with}; the settings are the same, and the weights will be until that run was \
                 changed by hand"
            ),
            false => format!(
                "{with}; the settings are the same, and so will be the weights, bit for bit"
            ),
        }
    }

    /// Why an optimiser begins anew where the file does not say what it had gathered.
    fn anew(&self) -> String {
        let known = match &self.steps[..] {
            [] => String::new(),
            steps => format!("; it has that of steps {}", newest(steps)),
        };
        format!(
            "the optimiser begins anew: what it had gathered at this step is not in the file{known}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_early_stopping_takes_back_is_nobodys_doing() {
        let event = |step: u64, kind: EventKind, detail| RunEvent {
            time_ms: 0,
            step,
            epoch: 0,
            kind,
            detail,
        };
        let finished = event(9, EventKind::Finished, json!({"best_epoch": 2}));
        let set = event(9, EventKind::WeightsSet, json!({}));
        assert!(!is_by_hand(&[set.clone(), finished], 3));
        let whole = event(9, EventKind::Finished, json!({"best_epoch": null}));
        assert!(is_by_hand(&[set, whole], 3));
        let rate = [event(5, EventKind::RateChanged, json!({}))];
        assert!(is_by_hand(&rate, 5) && !is_by_hand(&rate, 6));
    }
}
