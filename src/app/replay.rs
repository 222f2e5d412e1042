//! An earlier step of the run in place of the present.
//!
//! While the past is shown, [`Training`]'s snapshot has the weights of a point of
//! the recorded path, and everything that follows the snapshot (network, surface,
//! path, ball) shows that step. The run itself rests, and whatever moves it ends
//! the replay. What a step's gradient was is not recorded; it is shown as zero.

use super::plugins::GradscapeSystems;
use super::surface_hand::WeightsWish;
use super::training::{Command, Training, receive_training, send_commands};
use crate::nn::Workspace;
use crate::train::{HistoryRow, RunState, Snapshot, TrainCommand, probe};
use bevy::prelude::*;
use std::sync::Arc;

pub(super) fn plugin(app: &mut App) {
    app.add_message::<ReplayWish>()
        .add_message::<WeightsWish>()
        .add_systems(
            Update,
            obey.before(send_commands)
                .before(receive_training)
                .in_set(GradscapeSystems::Receive),
        );
}

/// A wish for another time.
#[derive(Message, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayWish {
    /// Show the recorded point of this step, or the last one before it; the run pauses.
    Show {
        /// Steps completed.
        step: u64,
        /// Whether the next point will follow at once.
        playing: bool,
    },
    /// Back to the present; what ran before goes on.
    Now,
    /// The run takes the weights that are shown, and goes on if it ran before.
    GoOn,
}

/// The present, while the past is shown.
#[derive(Debug, Clone)]
pub(super) struct Now {
    pub(super) snapshot: Snapshot,
    /// Whether training ran when the replay began.
    resume: bool,
    playing: bool,
}

/// Whether a command moves the run, so that its present has to be seen.
pub(super) fn leaves_past(command: &TrainCommand) -> bool {
    !matches!(
        command,
        TrainCommand::Pause
            | TrainCommand::Watch(_)
            | TrainCommand::Maximised(_)
            | TrainCommand::SetSpeed(_)
            | TrainCommand::SetLearningRate(_)
    )
}

impl Training {
    /// Whether an earlier step is shown in place of the present.
    pub fn shows_past(&self) -> bool {
        self.now.is_some()
    }

    /// Whether what is shown will be another thing in the next moment.
    pub fn is_moving(&self) -> bool {
        match &self.now {
            Some(now) => now.playing,
            None => self.snapshot.state == RunState::Running,
        }
    }

    /// The run as it is now, whatever is shown.
    pub fn now_snapshot(&self) -> &Snapshot {
        self.now
            .as_ref()
            .map_or(&self.snapshot, |now| &now.snapshot)
    }

    /// The weights that the run has now, whatever is shown.
    pub fn now_params(&self) -> &Arc<[f32]> {
        &self.now_snapshot().params
    }

    /// The figures of the epoch that is shown: of the last epoch recorded up to it.
    pub fn shown_row(&self) -> Option<&HistoryRow> {
        let rows = self.history.rows();
        if !self.shows_past() {
            return rows.last();
        }
        let after = rows.partition_point(|row| row.step <= self.snapshot.step);
        rows[..after].last()
    }

    /// Shows the recorded point of `step`, or the last one before it. Does nothing
    /// without a path.
    pub fn show_past(&mut self, step: u64, playing: bool) {
        let points = self.path.points();
        let after = points.partition_point(|point| point.step <= step);
        let Some(point) = points.get(after.saturating_sub(1)) else {
            return;
        };
        let now = self.now_snapshot();
        let zeros: Arc<[f32]> = vec![0.0; point.params.len()].into();
        let shown = Snapshot {
            step: point.step,
            epoch: point.epoch,
            state: RunState::Paused,
            params: Arc::clone(&point.params),
            gradient: Arc::clone(&zeros),
            update: zeros,
            batch_loss: f64::NAN,
            divergence: None,
            stop: None,
            ..now.clone()
        };
        let before = self.now.take();
        let resume = before
            .as_ref()
            .map_or(self.snapshot.state == RunState::Running, |n| n.resume);
        let snapshot = before.map_or_else(|| self.snapshot.clone(), |now| now.snapshot);
        self.snapshot = shown;
        self.now = Some(Box::new(Now {
            snapshot,
            resume,
            playing,
        }));
        self.probe_past();
    }

    /// The watched sample of a past that is shown, where another one is watched now.
    pub(super) fn watch_past(&mut self) {
        let now = &self.now_snapshot().probe;
        let shown = &self.snapshot.probe;
        if shown.watched != now.watched || shown.input != now.input {
            self.probe_past();
        }
    }

    fn probe_past(&mut self) {
        let now = &self.now_snapshot().probe;
        let (watched, drawn) = (now.watched, now.input.clone());
        let mut workspace = Workspace::new(&self.problem.network, 1);
        let params = Arc::clone(&self.snapshot.params);
        self.snapshot.probe = probe(&self.problem, &params, watched, &drawn, &mut workspace);
    }

    /// Shows the present again and says whether training ran when it was left.
    pub fn return_to_now(&mut self) -> bool {
        let Some(now) = self.now.take() else {
            return false;
        };
        self.snapshot = now.snapshot;
        now.resume
    }
}

fn obey(
    mut wishes: MessageReader<ReplayWish>,
    mut training: ResMut<Training>,
    mut commands: MessageWriter<Command>,
    mut weights: MessageWriter<WeightsWish>,
) {
    for wish in wishes.read() {
        match *wish {
            ReplayWish::Show { step, playing } => {
                if training.now_snapshot().state == RunState::Running {
                    commands.write(Command(TrainCommand::Pause));
                }
                training.show_past(step, playing);
            }
            ReplayWish::Now | ReplayWish::GoOn if !training.shows_past() => {}
            ReplayWish::Now => {
                if training.return_to_now() {
                    commands.write(Command(TrainCommand::Start));
                }
            }
            ReplayWish::GoOn => {
                let params = Arc::clone(&training.snapshot.params);
                if training.return_to_now() {
                    commands.write(Command(TrainCommand::Start));
                }
                weights.write(WeightsWish::Take { params, keep: true });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;
    use crate::train::{Problem, Session};

    fn trained() -> (Session, Training) {
        let text = "[data]\nsource = \"xor\"\nsamples = 40\n[network]\n\
                    layers = [{ dense = 3 }]\nloss = \"cross-entropy\"\n\
                    [training]\nbatch = 4\n";
        let experiment = Experiment::parse(text, "test").unwrap();
        let problem = Arc::new(Problem::new(&experiment).unwrap());
        let mut session = Session::new(Arc::clone(&problem));
        let mut training = Training::at_start(problem);
        session.take_outbox();
        (0..3).for_each(|_| session.command(TrainCommand::Epoch));
        training.take_in(Some(session.snapshot()), session.take_outbox());
        (session, training)
    }

    #[test]
    fn a_step_of_the_past_has_its_own_weights_figures_and_activations() {
        let (mut session, mut training) = trained();
        let now = training.snapshot.clone();
        let point = training.path.points()[2].clone();
        training.show_past(point.step, false);
        assert!(training.shows_past() && !training.is_moving());
        let shown = &training.snapshot;
        assert_eq!((shown.step, shown.epoch), (point.step, point.epoch));
        assert_eq!(shown.params, point.params);
        assert_eq!(training.now_params(), &now.params);
        assert!(training.shown_row().unwrap().step <= point.step);
        session.command(TrainCommand::SetParams(Arc::clone(&point.params)));
        let expected = session.snapshot().probe;
        assert_eq!(training.snapshot.probe, expected);
        assert!(!training.return_to_now());
        assert_eq!(training.snapshot.params, now.params);
        assert_eq!(training.shown_row(), training.history.last());
    }

    #[test]
    fn the_past_does_not_cut_the_path_when_the_present_goes_on() {
        let (mut session, mut training) = trained();
        let points = training.path.points().len();
        training.show_past(0, true);
        assert!(training.is_moving());
        session.command(TrainCommand::Epoch);
        training.take_in(Some(session.snapshot()), session.take_outbox());
        assert!(training.path.points().len() > points);
        assert_eq!(training.snapshot.step, 0);
        assert_eq!(training.now_snapshot().epoch, 4);
        session.command(TrainCommand::Reset);
        training.take_in(Some(session.snapshot()), session.take_outbox());
        assert!(!training.shows_past(), "another run has another past");
    }
}
