//! The commands that a run obeys.

use super::Session;
use crate::train::snapshot::{Outbox, RunState, TrainCommand, Watched, WatchedPart};
use std::sync::Arc;

impl Session {
    /// Obeys a command. `Step` and `Epoch` are carried out at once.
    pub fn command(&mut self, command: TrainCommand) {
        if !self.heeds(&command) {
            return;
        }
        self.revision += 1;
        if command.leaves_iteration() {
            self.iteration = None;
        }
        if command == TrainCommand::Epoch {
            self.begin_epoch();
            while self.epoch_goal.is_some() && self.advance() {}
            self.tell(|observer, session| observer.settled(session, Some(&TrainCommand::Epoch)));
        } else if self.observer.is_some() {
            self.obey(command.clone());
            self.tell(|observer, session| observer.settled(session, Some(&command)));
        } else {
            self.obey(command);
        }
    }

    /// Begins what the command `Epoch` carries out: runs until the end of this
    /// epoch, a step at each [`advance`](Self::advance), and pauses there.
    pub fn begin_epoch(&mut self) {
        if self.state != RunState::Diverged && !self.is_following() {
            self.stop = None;
            self.epoch_goal = Some(self.trainer.epoch() + 1);
            self.state = RunState::Running;
        }
    }

    pub(super) fn obey(&mut self, command: TrainCommand) {
        match command {
            TrainCommand::Start => self.start(),
            TrainCommand::Pause => {
                if self.state == RunState::Running {
                    self.epoch_goal = None;
                    self.state = RunState::Paused;
                }
            }
            TrainCommand::Step => {
                self.make_step();
                self.rest();
            }
            TrainCommand::Epoch => self.begin_epoch(),
            TrainCommand::Epochs(epochs) => {
                for _ in 0..epochs {
                    self.begin_epoch();
                    while self.epoch_goal.is_some() && self.advance() {}
                    if matches!(self.state, RunState::Diverged) || self.stop.is_some() {
                        break;
                    }
                }
            }
            TrainCommand::Reset => {
                self.trainer.reset();
                self.restart();
            }
            TrainCommand::Reseed(seed) => {
                self.trainer.reseed(seed);
                self.restart();
            }
            TrainCommand::SetLearningRate(rate) => {
                let training = &self.trainer.problem().experiment.training;
                if rate.is_finite() && rate > 0.0 && training.optimizer.kind().has_rate() {
                    self.trainer.set_learning_rate(rate);
                    self.look_again();
                }
            }
            TrainCommand::SetSpeed(speed) => self.speed = speed.filter(|s| *s > 0.0),
            TrainCommand::Watch(watched) => {
                self.watched = watched;
                self.wanted = watched.part == WatchedPart::Train;
                self.look_again();
            }
            TrainCommand::Draw(input) => self.watch_made(WatchedPart::Drawn, input),
            TrainCommand::Maximised(input) => self.watch_made(WatchedPart::Maximised, input),
            TrainCommand::Micro(command) => self.lead(command),
            TrainCommand::SetParams(params) => {
                if params.len() == self.trainer.params().len() {
                    self.trainer.set_params(&params);
                    self.divergence = None;
                    let stopped = self.stop.take().is_some();
                    if stopped || self.state == RunState::Diverged {
                        self.state = RunState::Paused;
                    }
                    self.record_jump();
                    self.begin_again();
                }
            }
            TrainCommand::Rewind => {
                self.trainer.rewind();
                self.epoch_goal = None;
                self.divergence = None;
                self.stop = None;
                self.best_epoch = None;
                self.state = RunState::Paused;
                self.trajectory.truncate_after(self.trainer.steps());
                Arc::make_mut(&mut self.jumps).truncate_after(self.trainer.steps());
                // It went back to the end of an epoch, of which there is a row.
                self.row_step = self.trainer.steps();
                self.forget_after(self.trainer.steps());
            }
        }
    }

    fn start(&mut self) {
        if self.state == RunState::Diverged {
            return;
        }
        let epochs = self.trainer.problem().experiment.training.epochs;
        if self.trainer.epoch() >= self.target_epoch {
            self.target_epoch = self.trainer.epoch() + epochs.max(1);
        }
        self.epoch_goal = None;
        self.stop = None;
        self.state = RunState::Running;
    }

    /// Watches an input that is not of the data.
    fn watch_made(&mut self, part: WatchedPart, input: Arc<[f32]>) {
        if input.len() == self.trainer.problem().network.inputs() {
            self.made = input;
            self.watched = Watched { part, index: 0 };
            self.look_again();
        }
    }

    pub(super) fn rest(&mut self) {
        self.epoch_goal = None;
        if self.state != RunState::Diverged {
            let done = self.stop.is_some() || self.trainer.epoch() >= self.target_epoch;
            self.state = if done {
                RunState::Finished
            } else {
                RunState::Paused
            };
        }
    }

    pub(super) fn restart(&mut self) {
        self.generation += 1;
        self.epoch_goal = None;
        self.state = RunState::Idle;
        self.divergence = None;
        self.stop = None;
        self.best_epoch = None;
        self.target_epoch = self.trainer.problem().experiment.training.epochs;
        self.trajectory.clear();
        self.jumps = Arc::default();
        self.outbox = Outbox::default();
        self.record_start();
    }
}
