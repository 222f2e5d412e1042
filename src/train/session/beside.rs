//! A run that keeps level with another one: beside it, on the same samples.

use super::super::snapshot::{RunState, TrainCommand};
use super::Session;
use std::sync::Arc;

impl Session {
    /// Goes as far as `leader` has gone, by at most `steps` steps, and watches the same
    /// sample. Returns whether it is level with it.
    ///
    /// Level is where as much of the data was seen; with batches of the same size that is
    /// after the same number of steps, of the same batches where data and seed are the
    /// same. What begins anew or goes back, begins anew or goes back with it; a run whose
    /// numbers are no longer finite, or that was stopped early, rests until then.
    pub fn keep_level(&mut self, leader: &Session, steps: usize) -> bool {
        self.watch_with(leader);
        self.target_epoch = leader.target_epoch;
        let seed = leader.trainer.seed();
        if self.generation != leader.generation || self.trainer.seed() != seed {
            self.trainer.reseed(seed);
            self.begin_with(leader);
        }
        // Events are gone back through without the others.
        if self.is_ahead_of(leader) && leader.iteration.is_none() {
            self.revision += 1;
            self.obey(TrainCommand::Rewind);
            if self.is_ahead_of(leader) {
                self.trainer.reset();
                self.begin_with(leader);
            }
        }
        let mut made = 0;
        while self.can_go_on() && self.is_behind(leader) {
            if made == steps {
                return false;
            }
            made += 1;
            self.revision += 1;
            self.make_step();
        }
        let state = match self.state {
            RunState::Diverged => RunState::Diverged,
            _ if self.stop.is_some() => RunState::Finished,
            _ => leader.state,
        };
        if self.state != state {
            self.state = state;
            self.revision += 1;
        }
        true
    }

    fn begin_with(&mut self, leader: &Session) {
        self.revision += 1;
        self.restart();
        self.generation = leader.generation;
        self.target_epoch = leader.target_epoch;
    }

    fn can_go_on(&self) -> bool {
        self.state != RunState::Diverged && self.stop.is_none()
    }

    /// Steps of both, each counted in shares of an epoch, as numbers over one denominator.
    fn shares(&self, leader: &Session, more: u64) -> (u128, u128) {
        let own = u128::from(self.trainer.steps() + more);
        let other = u128::from(leader.trainer.steps());
        (
            own * leader.trainer.steps_per_epoch() as u128,
            other * self.trainer.steps_per_epoch() as u128,
        )
    }

    /// Whether one more step is not past the leader.
    fn is_behind(&self, leader: &Session) -> bool {
        let (own, other) = self.shares(leader, 1);
        own <= other
    }

    fn is_ahead_of(&self, leader: &Session) -> bool {
        let (own, other) = self.shares(leader, 0);
        own > other
    }

    fn watch_with(&mut self, leader: &Session) {
        // What is not of the data is handed over where both take inputs in one order.
        let (own, other) = (self.trainer.problem(), leader.trainer.problem());
        let n = own.network.inputs();
        let fits = leader.made.len() == n
            && (0..n).all(|input| own.feature_of(input) == other.feature_of(input));
        let watched = match leader.watched.part.is_made() && !fits {
            true => self.watched,
            false => leader.watched,
        };
        if self.watched != watched || (fits && self.made != leader.made) {
            self.watched = watched;
            if fits {
                self.made = Arc::clone(&leader.made);
            }
            self.revision += 1;
        }
    }
}
