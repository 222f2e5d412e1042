//! A race: several optimisers from the same start, on a network's training loss
//! or on a function of two variables, with the same batches in the same order.
//!
//! A state machine without threads of its own and without a clock: who drives it
//! says when all racers move one step. What a racer has come to after a number
//! of steps depends on the course and on its entry alone: not on the others, on
//! when it was added, on rewinding in between, nor on the number of threads.

mod ball;
mod entry;
mod pupil;
mod racer;
mod standings;
mod track;

pub use entry::{Course, Entry, MOST_RACERS, Noise, RaceError};
pub use racer::{End, Racer};
pub use standings::Standing;
pub use track::BallPoint;

use rayon::prelude::*;
use std::sync::Arc;

/// Bytes that the saved states of all racers may take.
const SAVED_BYTES: usize = 256 << 20;
/// The most saved states a racer.
const MOST_SAVED: usize = 64;
/// Multiply-adds of a step from which on each racer is worth a thread.
const THREAD_WORK: usize = 50_000;

/// A race and how it stands.
pub struct Race {
    course: Course,
    racers: Vec<Racer>,
    step: u64,
    target: Option<f64>,
    next_id: u32,
    // Every how many steps states are kept to go back to.
    stride: u64,
}

impl Race {
    /// A race at its start.
    ///
    /// # Errors
    /// When the start makes no sense, there are too many racers, or one of them
    /// cannot take part.
    pub fn new(course: Course, entries: Vec<Entry>) -> Result<Self, RaceError> {
        check_course(&course)?;
        let mut race = Race {
            course,
            racers: Vec::new(),
            step: 0,
            target: None,
            next_id: 0,
            stride: 1,
        };
        for entry in entries {
            race.add(entry)?;
        }
        Ok(race)
    }

    /// Adds a racer, which makes the steps of the race so far at once. Gives
    /// its id.
    ///
    /// # Errors
    /// When there are too many, or it cannot take part.
    pub fn add(&mut self, entry: Entry) -> Result<u32, RaceError> {
        if self.racers.len() >= MOST_RACERS {
            return Err(RaceError::TooMany);
        }
        entry.check(&self.course)?;
        let taken = |color: &usize| self.racers.iter().any(|r| r.color() == *color);
        let color = (0..).find(|color| !taken(color)).unwrap_or(0);
        let id = self.next_id;
        self.next_id += 1;
        self.racers.push(self.caught_up(id, color, entry));
        Ok(id)
    }

    /// Takes a racer out. Returns whether there was one of this id.
    pub fn remove(&mut self, id: u32) -> bool {
        let before = self.racers.len();
        self.racers.retain(|r| r.id() != id);
        self.racers.len() < before
    }

    /// Gives a racer another optimiser or other constants, as if it had had them
    /// from the start; it keeps its place and colour. Returns whether there is
    /// one of this id.
    ///
    /// # Errors
    /// When the entry cannot take part; nothing has changed then.
    pub fn replace(&mut self, id: u32, entry: Entry) -> Result<bool, RaceError> {
        entry.check(&self.course)?;
        let Some(at) = self.racers.iter().position(|r| r.id() == id) else {
            return Ok(false);
        };
        self.racers[at] = self.caught_up(id, self.racers[at].color(), entry);
        Ok(true)
    }

    /// Gives every racer that has a learning rate this one, from the start.
    ///
    /// # Errors
    /// When it is no rate; nothing has changed then.
    pub fn set_rate(&mut self, rate: f64) -> Result<(), RaceError> {
        let entries: Vec<(u32, Entry)> = self
            .racers
            .iter()
            .filter(|r| r.entry().optimizer.kind().has_rate())
            .map(|r| {
                let mut entry = r.entry().clone();
                entry.optimizer.learning_rate = rate;
                (r.id(), entry)
            })
            .collect();
        for (_, entry) in &entries {
            entry.check(&self.course)?;
        }
        for (id, entry) in entries {
            self.replace(id, entry)?;
        }
        Ok(())
    }

    /// Begins anew from another point, on a function: a ball dropped there, one
    /// for each racer.
    ///
    /// # Errors
    /// On a network, and where the function has no finite value; nothing has
    /// changed then.
    pub fn drop_ball(&mut self, x: f64, y: f64) -> Result<(), RaceError> {
        let mut course = self.course.clone();
        match &mut course {
            Course::Analytic { start, .. } => *start = [x, y],
            Course::Network { .. } => return Err(RaceError::OtherCourse),
        }
        self.begin(course)
    }

    /// Begins anew from other weights, on a network.
    ///
    /// # Errors
    /// On a function, and where there are more or fewer weights than parameters;
    /// nothing has changed then.
    pub fn drop_weights(&mut self, params: Arc<[f32]>) -> Result<(), RaceError> {
        let mut course = self.course.clone();
        match &mut course {
            Course::Network { start, .. } => *start = params,
            Course::Analytic { .. } => return Err(RaceError::OtherCourse),
        }
        self.begin(course)
    }

    /// The same racers on another course, from its start.
    ///
    /// # Errors
    /// When one of them cannot take part; nothing has changed then.
    pub fn begin(&mut self, course: Course) -> Result<(), RaceError> {
        check_course(&course)?;
        for racer in &self.racers {
            racer.entry().check(&course)?;
        }
        self.course = course;
        self.step = 0;
        self.stride = 1;
        for racer in &mut self.racers {
            let entry = racer.entry().clone();
            *racer = Racer::new(racer.id(), racer.color(), entry, &self.course, self.target);
        }
        Ok(())
    }

    /// All racers make one step. Returns whether any could.
    pub fn step(&mut self) -> bool {
        if self.racers.iter().all(|r| r.end().is_some()) {
            return false;
        }
        self.step += 1;
        let (step, target) = (self.step, self.target);
        let keep = step.is_multiple_of(self.stride);
        let stride = self.stride;
        let advance = |racer: &mut Racer| {
            racer.advance(step, target);
            if keep {
                racer.save(step, stride);
            }
        };
        if self.racers.len() > 1 && self.work() >= THREAD_WORK {
            self.racers.par_iter_mut().for_each(advance);
        } else {
            self.racers.iter_mut().for_each(advance);
        }
        if keep {
            self.thin();
        }
        true
    }

    /// All racers make up to `steps` steps. Returns how many were made.
    pub fn advance(&mut self, steps: u64) -> u64 {
        (0..steps).take_while(|_| self.step()).count() as u64
    }

    /// All racers go back to an earlier step, bit for bit: what they have in
    /// their optimisers is what they had then. A step that lies ahead changes
    /// nothing.
    pub fn rewind(&mut self, step: u64) {
        if step >= self.step {
            return;
        }
        let target = self.target;
        if self.racers.len() > 1 && self.work() >= THREAD_WORK {
            self.racers
                .par_iter_mut()
                .for_each(|r| r.rewind(step, target));
        } else {
            self.racers.iter_mut().for_each(|r| r.rewind(step, target));
        }
        self.step = step;
    }

    /// Sets the loss at which a racer counts as arrived. The steps to it are
    /// counted from the start, for which all racers run again.
    pub fn set_target(&mut self, target: Option<f64>) {
        self.target = target;
        for i in 0..self.racers.len() {
            let racer = &self.racers[i];
            let again = self.caught_up(racer.id(), racer.color(), racer.entry().clone());
            self.racers[i] = again;
        }
    }

    /// What is descended, and from where.
    pub fn course(&self) -> &Course {
        &self.course
    }

    /// The racers, in the order in which they entered.
    pub fn racers(&self) -> &[Racer] {
        &self.racers
    }

    /// The racer of this id.
    pub fn racer(&self, id: u32) -> Option<&Racer> {
        self.racers.iter().find(|r| r.id() == id)
    }

    /// Steps that the race has made.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// The loss at which a racer counts as arrived.
    pub fn target(&self) -> Option<f64> {
        self.target
    }

    /// Whether no racer moves any more.
    pub fn is_over(&self) -> bool {
        self.racers.iter().all(|r| r.end().is_some())
    }

    /// Who is where, the lowest loss first.
    pub fn standings(&self) -> Vec<Standing> {
        standings::standings(&self.racers, &self.course)
    }

    /// A racer that has made the steps of the race so far.
    fn caught_up(&self, id: u32, color: usize, entry: Entry) -> Racer {
        let mut racer = Racer::new(id, color, entry, &self.course, self.target);
        for step in 1..=self.step {
            racer.advance(step, self.target);
            if step.is_multiple_of(self.stride) {
                racer.save(step, self.stride);
            }
        }
        racer
    }

    /// Keeps fewer states, where they have become too many.
    fn thin(&mut self) {
        let bytes: usize = self.racers.iter().map(Racer::saved_bytes).sum();
        let most = (SAVED_BYTES / bytes.max(1)).clamp(1, MOST_SAVED) as u64;
        while self.step / self.stride > most {
            self.stride *= 2;
        }
        let stride = self.stride;
        self.racers.iter_mut().for_each(|r| r.thin(stride));
    }

    /// Multiply-adds of one racer's step.
    fn work(&self) -> usize {
        match &self.course {
            Course::Analytic { .. } => 0,
            Course::Network { problem, .. } => {
                let batch = problem.experiment.training.batch;
                let samples = batch.size(problem.train.len());
                samples.saturating_mul(problem.network.multiply_adds())
            }
        }
    }
}

fn check_course(course: &Course) -> Result<(), RaceError> {
    match course {
        Course::Analytic {
            function,
            start: [x, y],
            noise,
        } => {
            if !(x.is_finite() && y.is_finite() && function.value(*x, *y).is_finite()) {
                return Err(RaceError::Start {
                    at: [*x, *y],
                    function: function.name().to_owned(),
                });
            }
            match noise {
                Some(noise) if !(noise.deviation.is_finite() && noise.deviation > 0.0) => {
                    Err(RaceError::Deviation(noise.deviation))
                }
                _ => Ok(()),
            }
        }
        Course::Network { problem, start, .. } => {
            let wanted = problem.network.layout().len();
            if start.len() == wanted {
                Ok(())
            } else {
                Err(RaceError::Weights {
                    given: start.len(),
                    wanted,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests;
