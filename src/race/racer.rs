//! One racer: what moves, how it has fared, and earlier states of it.

use super::ball::Ball;
use super::entry::{Course, Entry};
use super::pupil::Pupil;
use super::track::{BallPoint, BallTrack};
use crate::train::{
    Divergence, NonFinite, PathPoint, SavedTraining, StopReason, Trainer, Trajectory,
};
use std::fmt;

/// Why a racer moves no further.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// It has nothing left to try, or the experiment says that this is enough.
    Stopped(StopReason),
    /// A network's numbers were no longer finite; it is back where they were.
    Diverged(Divergence),
    /// A ball left the numbers; it is back at the last finite place.
    Lost {
        /// The step, from 1, that could not be made.
        step: u64,
        /// From here.
        at: [f64; 2],
        /// What was not finite.
        what: NonFinite,
    },
}

impl End {
    /// Whether numbers ran away, rather than that the racer has arrived.
    pub fn is_divergence(&self) -> bool {
        !matches!(self, End::Stopped(_))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = |what: NonFinite| match what {
            NonFinite::Forward => "the loss",
            NonFinite::Gradient => "the gradient",
            NonFinite::Update => "a parameter",
        };
        match self {
            End::Stopped(reason) => write!(f, "{reason}"),
            End::Diverged(d) => write!(
                f,
                "diverged in step {}: {} was no longer finite in layer {}",
                d.step,
                what(d.what),
                d.layer + 1
            ),
            End::Lost { step, at, what: w } => write!(
                f,
                "diverged in step {step}: {} is not finite beyond ({:.4}, {:.4})",
                what(*w),
                at[0],
                at[1]
            ),
        }
    }
}

/// An optimiser in a race.
pub struct Racer {
    id: u32,
    color: usize,
    entry: Entry,
    runner: Runner,
    // Every how many steps the loss is taken.
    stride: u64,
    now: Fortune,
    reached: Option<u64>,
    // With the step of the race at which it came.
    end: Option<(u64, End)>,
    saved: Vec<Saved>,
}

enum Runner {
    Ball(Box<Ball>, BallTrack),
    Pupil(Box<Pupil>, Trajectory),
}

/// What is known of the losses so far.
#[derive(Debug, Clone, Copy)]
struct Fortune {
    loss: f64,
    loss_step: u64,
    best: f64,
    best_step: u64,
}

/// A state that can be returned to.
struct Saved {
    step: u64,
    fortune: Fortune,
    state: State,
}

enum State {
    Ball(Box<Ball>),
    Pupil(Box<SavedTraining>),
}

impl Racer {
    /// At the start.
    pub(super) fn new(
        id: u32,
        color: usize,
        entry: Entry,
        course: &Course,
        target: Option<f64>,
    ) -> Self {
        let (runner, stride) = match course {
            Course::Analytic {
                function,
                start,
                noise,
            } => {
                let ball = Ball::new(function.clone(), *start, *noise, &entry);
                (Runner::Ball(Box::new(ball), BallTrack::new()), 1)
            }
            Course::Network {
                problem,
                start,
                seed,
            } => {
                let pupil = Pupil::new(problem.clone(), start, *seed, &entry);
                let stride = pupil.stride();
                let track = Trajectory::new(start.len(), stride);
                (Runner::Pupil(Box::new(pupil), track), stride)
            }
        };
        let mut racer = Racer {
            id,
            color,
            entry,
            runner,
            stride,
            now: Fortune {
                loss: f64::NAN,
                loss_step: 0,
                best: f64::INFINITY,
                best_step: 0,
            },
            reached: None,
            end: None,
            saved: Vec::new(),
        };
        if let Err(end) = racer.take_loss(target) {
            racer.end = Some((0, end));
        }
        racer.save(0, u64::MAX);
        racer
    }

    /// Step number `step` of the race, from 1.
    pub(super) fn advance(&mut self, step: u64, target: Option<f64>) {
        if self.end.is_some() {
            return;
        }
        let outcome = match &mut self.runner {
            Runner::Ball(ball, _) => ball.step().map(|()| None),
            Runner::Pupil(pupil, _) => pupil.step(),
        };
        let ended = match outcome {
            Ok(ended) => {
                let due = ended.is_some() || self.steps().is_multiple_of(self.stride);
                let taken = if due { self.take_loss(target) } else { Ok(()) };
                taken.err().or(ended)
            }
            Err(end) => Some(end),
        };
        if let Some(end) = ended {
            self.end = Some((step, end));
            // A step that was taken back leaves no trace.
            let steps = self.steps();
            self.forget_after(steps);
        }
    }

    /// Takes the loss where it stands, and the point into the path.
    fn take_loss(&mut self, target: Option<f64>) -> Result<(), End> {
        let (step, loss) = match &mut self.runner {
            Runner::Ball(ball, track) => {
                let point = BallPoint {
                    step: ball.steps(),
                    at: ball.at(),
                    value: ball.value(),
                };
                track.push(point);
                (point.step, point.value)
            }
            Runner::Pupil(pupil, track) => {
                let loss = pupil.measure()?;
                let trainer = pupil.trainer();
                if track.wants(trainer.steps()) {
                    track.push(PathPoint {
                        step: trainer.steps(),
                        epoch: trainer.epoch(),
                        params: trainer.params().into(),
                        loss,
                    });
                }
                (trainer.steps(), loss)
            }
        };
        self.now.loss = loss;
        self.now.loss_step = step;
        if loss < self.now.best {
            self.now.best = loss;
            self.now.best_step = step;
        }
        if self.reached.is_none() && target.is_some_and(|target| loss <= target) {
            self.reached = Some(step);
        }
        Ok(())
    }

    /// Keeps the state at a step of the race, and of those before only what
    /// lies on the stride if there are more than `most`.
    pub(super) fn save(&mut self, step: u64, stride: u64) {
        if self.end.is_some() && step > 0 {
            return;
        }
        let state = match &self.runner {
            Runner::Ball(ball, _) => State::Ball(ball.clone()),
            Runner::Pupil(pupil, _) => State::Pupil(Box::new(pupil.save())),
        };
        self.saved.push(Saved {
            step,
            fortune: self.now,
            state,
        });
        self.thin(stride);
    }

    /// Forgets saved states off the stride.
    pub(super) fn thin(&mut self, stride: u64) {
        self.saved.retain(|s| s.step.is_multiple_of(stride));
    }

    /// Back to step `step` of the race, which lies behind, bit for bit.
    pub(super) fn rewind(&mut self, step: u64, target: Option<f64>) {
        if self.end.as_ref().is_some_and(|(at, _)| *at <= step) {
            return;
        }
        let kept = self.saved.partition_point(|s| s.step <= step);
        self.saved.truncate(kept);
        let Some(saved) = self.saved.last() else {
            return; // Not reached: the start is always kept.
        };
        match (&mut self.runner, &saved.state) {
            (Runner::Ball(ball, _), State::Ball(then)) => *ball = then.clone(),
            (Runner::Pupil(pupil, _), State::Pupil(then)) => pupil.restore(then),
            _ => {}
        }
        let from = saved.step;
        self.now = saved.fortune;
        self.end = None;
        self.reached = self.reached.filter(|&reached| reached <= from);
        self.forget_after(from);
        for step in from + 1..=step {
            self.advance(step, target);
        }
    }

    fn forget_after(&mut self, step: u64) {
        match &mut self.runner {
            Runner::Ball(_, track) => track.truncate_after(step),
            Runner::Pupil(_, track) => track.truncate_after(step),
        }
    }

    /// About how many bytes a saved state takes.
    pub(super) fn saved_bytes(&self) -> usize {
        match &self.runner {
            Runner::Ball(..) => 512,
            Runner::Pupil(pupil, _) => pupil.saved_bytes(),
        }
    }

    /// By which it is told from others of this race, for as long as it lasts.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The number of its colour, from 0, which it keeps.
    pub fn color(&self) -> usize {
        self.color
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// What it was entered as.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Steps that it has made; fewer than the race once it has ended.
    pub fn steps(&self) -> u64 {
        match &self.runner {
            Runner::Ball(ball, _) => ball.steps(),
            Runner::Pupil(pupil, _) => pupil.trainer().steps(),
        }
    }

    /// The newest loss: of a ball, the value where it is; of a network, the
    /// whole training part's where it was last taken ([`loss_step`](Self::loss_step)).
    pub fn loss(&self) -> f64 {
        self.now.loss
    }

    /// The step at which that loss was taken.
    pub fn loss_step(&self) -> u64 {
        self.now.loss_step
    }

    /// The lowest loss so far, and the step at which it was taken first.
    pub fn best(&self) -> (f64, u64) {
        (self.now.best, self.now.best_step)
    }

    /// The first step at which the race's target was reached, among those where
    /// the loss was taken.
    pub fn reached(&self) -> Option<u64> {
        self.reached
    }

    /// Why it moves no further, if it does not.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref().map(|(_, end)| end)
    }

    /// Where a ball is.
    pub fn ball(&self) -> Option<[f64; 2]> {
        match &self.runner {
            Runner::Ball(ball, _) => Some(ball.at()),
            Runner::Pupil(..) => None,
        }
    }

    /// A ball's path, oldest first, bounded; empty for a network.
    pub fn ball_path(&self) -> &[BallPoint] {
        match &self.runner {
            Runner::Ball(_, track) => track.points(),
            Runner::Pupil(..) => &[],
        }
    }

    /// A network's current weights.
    pub fn params(&self) -> Option<&[f32]> {
        self.trainer().map(Trainer::params)
    }

    /// A network's path, oldest first, bounded; empty for a ball.
    pub fn weight_path(&self) -> &[PathPoint] {
        match &self.runner {
            Runner::Ball(..) => &[],
            Runner::Pupil(_, track) => track.points(),
        }
    }

    /// What trains a network.
    pub fn trainer(&self) -> Option<&Trainer> {
        match &self.runner {
            Runner::Ball(..) => None,
            Runner::Pupil(pupil, _) => Some(pupil.trainer()),
        }
    }
}
