//! The experiment as the panels edit it, apart from the one that runs.

use crate::data::ConfigError;
use crate::experiment::{Experiment, ExperimentError};
use crate::train::Problem;
use std::sync::Arc;

/// How long, in seconds, an edit waits for the next before it is carried out.
const QUIET: f64 = 0.35;

/// An experiment being edited.
#[derive(Debug, Clone)]
pub struct Draft {
    /// As it stands in the panels.
    pub experiment: Experiment,
    /// As it was carried out last.
    applied: Experiment,
    /// As it stood at the last look, and when it last changed.
    seen: Experiment,
    changed_at: f64,
    /// What it was taken from.
    problem: Arc<Problem>,
}

impl Draft {
    /// What runs now, unedited.
    pub fn of(problem: &Arc<Problem>) -> Self {
        let experiment = problem.experiment.clone();
        Draft {
            applied: experiment.clone(),
            seen: experiment.clone(),
            experiment,
            changed_at: f64::NEG_INFINITY,
            problem: Arc::clone(problem),
        }
    }

    /// Takes over what runs when it is another problem than before. An edit
    /// that was made while it was being loaded is kept.
    pub fn follow(&mut self, problem: &Arc<Problem>) {
        if Arc::ptr_eq(&self.problem, problem) {
            return;
        }
        let edited = self.experiment != self.applied && problem.experiment == self.applied;
        if edited {
            self.problem = Arc::clone(problem);
        } else {
            *self = Draft::of(problem);
        }
    }

    /// Puts another experiment in its place, to be carried out at once.
    pub fn replace(&mut self, experiment: Experiment) {
        self.experiment = experiment.clone();
        self.seen = experiment;
        self.changed_at = f64::NEG_INFINITY;
    }

    /// Changes the learning rate without that being an edit: the run takes it live.
    pub fn set_learning_rate(&mut self, rate: f64) {
        for experiment in [&mut self.experiment, &mut self.applied, &mut self.seen] {
            experiment.training.optimizer.learning_rate = rate;
        }
    }

    /// What is wrong with the draft, if something is.
    pub fn error(&self) -> Option<ConfigError> {
        self.experiment.validate().err().or_else(|| self.misfit())
    }

    /// Why the network cannot be built for the data that are loaded; what other
    /// data would say is known when those are.
    fn misfit(&self) -> Option<ConfigError> {
        let now = &self.problem.experiment;
        if self.experiment.data != now.data || self.experiment.network == now.network {
            return None;
        }
        match Problem::network_for(&self.experiment, &self.problem.data).err()? {
            ExperimentError::Value { error, .. } => Some(error),
            error => Some(ConfigError::new("network", error.to_string())),
        }
    }

    /// Whether an edit waits to be carried out.
    pub fn is_waiting(&self) -> bool {
        self.experiment != self.applied && self.error().is_none()
    }

    /// The experiment to carry out now: the draft, when it is valid, was
    /// changed, and has rested for a moment. `now` in seconds; `busy` while a
    /// control is being dragged.
    pub fn due(&mut self, now: f64, busy: bool) -> Option<Experiment> {
        if self.experiment != self.seen {
            self.seen = self.experiment.clone();
            self.changed_at = now;
        }
        if busy || now - self.changed_at < QUIET || !self.is_waiting() {
            return None;
        }
        self.applied = self.experiment.clone();
        Some(self.experiment.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Extent, LayerConfig, PlainKind};

    fn draft() -> Draft {
        let text = "[data]\nsource = \"xor\"\nsamples = 20\n[network]\nloss = \"cross-entropy\"\n";
        let experiment = Experiment::parse(text, "test").unwrap();
        Draft::of(&Arc::new(Problem::new(&experiment).unwrap()))
    }

    #[test]
    fn an_edit_is_carried_out_once_after_a_rest() {
        let mut draft = draft();
        assert_eq!(draft.due(0.0, false), None);
        draft.experiment.seed = 11;
        assert_eq!(draft.due(1.0, false), None);
        assert_eq!(draft.due(1.2, false), None);
        draft.experiment.seed = 12;
        assert_eq!(
            draft.due(1.4, false),
            None,
            "a further edit starts the rest anew"
        );
        assert_eq!(draft.due(1.6, false), None);
        assert_eq!(draft.due(1.9, true), None, "not while dragging");
        assert_eq!(draft.due(1.9, false).unwrap().seed, 12);
        assert_eq!(draft.due(9.0, false), None);
    }

    #[test]
    fn an_invalid_draft_is_never_carried_out_and_says_why() {
        let mut draft = draft();
        draft.experiment.data.noise = Some(7.0);
        assert_eq!(draft.due(1.0, false), None);
        assert_eq!(draft.due(5.0, false), None);
        assert_eq!(draft.error().unwrap().key, "data.noise");
    }

    #[test]
    fn a_network_that_does_not_fit_the_data_is_never_carried_out_and_says_why() {
        let mut draft = draft();
        let mut conv = LayerConfig::plain(PlainKind::Flatten);
        conv.kind = None;
        (conv.conv, conv.kernel) = (Some(4), Some(Extent::Both(3)));
        draft.experiment.network.layers.push(conv);
        assert_eq!(draft.due(1.0, false), None);
        assert_eq!(draft.due(5.0, false), None);
        let error = draft.error().unwrap();
        assert_eq!(error.key, "network.layers[0]");
        assert!(error.message.contains("3 x 3"), "{}", error.message);
    }

    #[test]
    fn a_learning_rate_set_live_is_no_edit() {
        let mut draft = draft();
        draft.set_learning_rate(0.5);
        assert_eq!(draft.due(1.0, false), None);
        assert_eq!(draft.due(5.0, false), None);
        assert_eq!(draft.experiment.training.optimizer.learning_rate, 0.5);
    }
}
