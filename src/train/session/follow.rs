//! A session that trains nothing itself: it stands where a network that is trained elsewhere
//! stands, and tells of it as of a run of its own.

use super::Session;
use crate::train::foreign::{ForeignHistory, ForeignRow};
use crate::train::problem::Problem;
use crate::train::snapshot::{Outbox, RunState, TrainCommand};
use crate::train::trajectory::Trajectory;
use std::sync::Arc;

/// What came of a run elsewhere.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ForeignStep {
    /// Steps completed, and the parameters then, in the layout of the network that stands
    /// for the foreign one.
    pub place: Option<(u64, Arc<[f32]>)>,
    /// The gradient of the last step, in the same layout.
    pub gradient: Option<Arc<[f32]>>,
    /// Figures.
    pub rows: Vec<ForeignRow>,
}

impl ForeignStep {
    /// Takes in what came later: rows are added, and of places the last one counts.
    pub fn add(&mut self, later: ForeignStep) {
        if later.place.is_some() {
            (self.place, self.gradient) = (later.place, later.gradient);
        }
        self.rows.extend(later.rows);
    }
}

impl Session {
    /// A session that follows a run elsewhere: it obeys what chooses a sample to watch, and
    /// no command that trains. There are no rows before the first one that is told, and no
    /// path before the first place. `epoch` in its rows, points and snapshots is the number
    /// of the row, from 0.
    pub fn following(problem: Arc<Problem>) -> Self {
        let mut session = Session::unmeasured(problem);
        session.trajectory = Trajectory::new(session.trainer.params().len(), 1);
        session.state = RunState::Paused;
        session.following = Some(ForeignHistory::default());
        session
    }

    /// Whether it follows a run elsewhere.
    pub fn is_following(&self) -> bool {
        self.following.is_some()
    }

    /// Whether a command is obeyed: one that trains is not where another program trains.
    pub(super) fn heeds(&self, command: &TrainCommand) -> bool {
        !self.is_following() || !command.trains()
    }

    /// Takes in what came of the run elsewhere. Parameters that are not as many as the
    /// network has are passed over.
    pub fn follow(&mut self, step: ForeignStep) {
        let Some(mut following) = self.following.take() else {
            return;
        };
        self.revision += 1;
        let place = step
            .place
            .filter(|(_, p)| p.len() == self.trainer.params().len());
        if place
            .as_ref()
            .is_some_and(|(number, _)| *number < self.trainer.steps())
        {
            // The run elsewhere began anew.
            self.generation += 1;
            self.trajectory.clear();
            self.outbox = Outbox::default();
            following = ForeignHistory::default();
        }
        step.rows.iter().for_each(|row| following.take(row));
        self.outbox.rows.extend(following.tell());
        if let Some((number, params)) = place {
            let epoch = following.len().saturating_sub(1);
            let gradient = step.gradient.as_deref();
            self.trainer.stand_at(number, epoch, &params, gradient);
            if let Some(rate) = following
                .learning_rate()
                .filter(|rate| rate.is_finite() && *rate > 0.0)
            {
                self.trainer.set_learning_rate(rate);
            }
            let loss = self.trainer.train_loss();
            if loss.is_finite() {
                self.record_point(loss);
            }
        }
        self.following = Some(following);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    fn session() -> Session {
        let text = "[data]\nsource = \"xor\"\n[network]\nlayers = [ { dense = 3 } ]\n\
            loss = \"cross-entropy\"\n";
        let experiment = Experiment::parse(text, "test").unwrap();
        Session::following(Arc::new(Problem::new(&experiment).unwrap()))
    }

    fn at(step: u64, value: f32, n: usize) -> ForeignStep {
        ForeignStep {
            place: Some((step, Arc::from(vec![value; n]))),
            ..ForeignStep::default()
        }
    }

    fn loss(step: u64, train: Option<f64>, validation: Option<f64>) -> ForeignStep {
        ForeignStep {
            rows: vec![ForeignRow {
                step,
                train_loss: train,
                validation_loss: validation,
                ..ForeignRow::default()
            }],
            ..ForeignStep::default()
        }
    }

    #[test]
    fn it_stands_where_the_run_elsewhere_stands_and_trains_nothing() {
        let mut session = session();
        let n = session.trainer().params().len();
        for command in [TrainCommand::Start, TrainCommand::Step, TrainCommand::Epoch] {
            session.command(command);
            assert!(!session.advance());
        }
        assert_eq!(session.snapshot().step, 0);
        session.follow(at(10, 0.25, n));
        let mut second = at(20, 0.75, n);
        second.gradient = Some(Arc::from(vec![2.0; n]));
        session.follow(second);
        let snapshot = session.snapshot();
        assert_eq!((snapshot.step, snapshot.state), (20, RunState::Paused));
        assert_eq!(snapshot.params[..], vec![0.75; n]);
        assert_eq!(snapshot.update[..], vec![0.5; n]);
        assert_eq!(snapshot.gradient[..], vec![2.0; n]);
        let points = session.take_outbox().points;
        let steps: Vec<u64> = points.iter().map(|p| p.step).collect();
        assert_eq!(steps, [10, 20]);
        assert!(points.iter().all(|p| p.loss.is_finite()));
        // What is not as long as the network's parameters is not taken.
        session.follow(at(30, 1.0, n - 1));
        assert_eq!(session.snapshot().step, 20);
        // Anew: another generation.
        session.follow(at(10, 0.5, n));
        let again = session.snapshot();
        assert!(again.generation > snapshot.generation && again.step == 10);
    }

    #[test]
    fn figures_of_one_step_become_one_row_in_whatever_order_they_are_told() {
        let mut session = session();
        let mut history = crate::train::History::default();
        let mut tell = |step: ForeignStep| {
            session.follow(step);
            let rows = session.take_outbox().rows;
            rows.into_iter().for_each(|row| history.push(row));
        };
        tell(loss(100, Some(3.0), None));
        tell(loss(200, None, Some(2.5)));
        tell(loss(200, Some(2.0), None));
        tell(loss(300, Some(1.0), None));
        // Another file tells of steps long gone.
        tell(loss(100, None, Some(3.5)));
        tell(loss(150, Some(2.2), None));
        let rows = history.rows().iter();
        let found: Vec<_> = rows
            .map(|r| (r.step, r.train_loss, r.validation_loss))
            .collect();
        let expected = [
            (100, 3.0, Some(3.5)),
            (150, 2.2, None),
            (200, 2.0, Some(2.5)),
            (300, 1.0, None),
        ];
        assert_eq!(found, expected);
    }
}
