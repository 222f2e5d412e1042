//! Activation maximisation: the input that a class, a unit or a channel answers to most,
//! as it grows. What has grown so far goes through the network in the scene as well, in
//! the place of a sample, until the panel is closed or another sample is chosen.

mod ascent;
mod options;
mod plane;
mod show;
mod table;

pub(super) use options::options;
pub(super) use show::show;

use super::super::stage::Stage;
use super::map::Sheet;
use crate::app::Item;
use crate::insight::explain::{ExplainError, readout_of};
use crate::insight::picture::Picture;
use crate::insight::regularisers::Regularisers;
use crate::nn::{Readout, Stage as Side};
use crate::train::{Encoding, Problem, TrainCommand, Watched, WatchedPart};
use ascent::{Growth, Task};
use bevy_egui::egui;
use crossbeam_channel::{Receiver, TryRecvError};
use std::sync::Arc;
use std::time::Duration;

/// What is to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// A class by its logit, or an output.
    Class(usize),
    /// A unit's pre-activation: its layer, from 0, and its number there.
    Unit(usize, usize),
    /// The mean pre-activation of a feature map: its layer, from 0, and its number there.
    Channel(usize, usize),
}

impl Goal {
    /// What is read in the network of `problem`.
    fn readout(self, problem: &Problem) -> Result<Readout, ExplainError> {
        let network = &problem.network;
        Ok(match self {
            Goal::Class(class) => readout_of(network, problem.encoding, class)?,
            Goal::Unit(layer, unit) => Readout::unit(network, layer, unit, Side::Sum)?,
            Goal::Channel(layer, channel) => Readout::channel(network, layer, channel, Side::Sum)?,
        })
    }

    /// What stands for a neuron of the scene; nothing for an input.
    fn of(problem: &Problem, item: Item) -> Option<Self> {
        let Item::Neuron { column, unit } = item else {
            return None;
        };
        let layer = column.checked_sub(1)?;
        let is_last = layer + 1 == problem.network.layers().len();
        Some(match problem.encoding {
            Encoding::OneHot | Encoding::Values if is_last => Goal::Class(unit),
            _ => Goal::Unit(layer, unit),
        })
    }
}

/// What is asked for, and what has come of it.
pub struct Climb {
    /// What is to answer.
    pub goal: Goal,
    /// What start and motions follow from.
    pub seed: u64,
    /// How many steps.
    pub steps: usize,
    /// What keeps a picture natural; `None` is what serves pictures of this size.
    pub rules: Option<Regularisers>,
    /// Of which problem.
    of: Option<usize>,
    job: Option<Receiver<Growth>>,
    /// What is climbed to, while there is something on the screen.
    climbed: Option<Goal>,
    growth: Option<Growth>,
    /// Where it has been, of a point.
    trail: Vec<[f64; 2]>,
    /// What was watched before, and whether the run has taken what grows.
    back: Option<Watched>,
    confirmed: bool,
    /// When a picture was taken last, in seconds.
    taken: f64,
    selected: Option<Item>,
    sheet: Sheet,
}

impl Default for Climb {
    fn default() -> Self {
        Climb {
            goal: Goal::Class(0),
            seed: 7,
            steps: 512,
            rules: None,
            of: None,
            job: None,
            climbed: None,
            growth: None,
            trail: Vec::new(),
            back: None,
            confirmed: false,
            taken: f64::NEG_INFINITY,
            selected: None,
            sheet: Sheet::default(),
        }
    }
}

/// The shortest time from one picture to the next, in seconds: all of an ascent takes a
/// few seconds, so that one sees it grow.
const PACE: f64 = 0.05;

impl Climb {
    /// Whether it is under way.
    pub fn is_climbing(&self) -> bool {
        self.job.is_some()
    }

    /// Takes the next picture and shows it to the network; ends where the panel was
    /// closed or another sample was chosen.
    pub fn follow(&mut self, stage: &mut Stage<'_>, ctx: &egui::Context, open: bool) {
        let problem = Arc::as_ptr(&stage.training.problem) as usize;
        if self.of != Some(problem) {
            *self = Climb {
                of: Some(problem),
                seed: self.seed,
                steps: self.steps,
                ..Climb::default()
            };
        }
        self.follow_selection(stage);
        if self.climbed.is_none() {
            return;
        }
        if !open {
            self.end(stage);
            return;
        }
        let part = stage.training.snapshot.probe.watched.part;
        if part == WatchedPart::Maximised {
            self.confirmed = true;
        } else if self.confirmed {
            // Somebody has chosen a sample, and it stays.
            self.back = None;
            self.end(stage);
            return;
        }
        self.receive(stage, ctx);
    }

    /// A neuron that is clicked in the scene becomes what is to answer.
    fn follow_selection(&mut self, stage: &Stage<'_>) {
        let selected = stage.selection.selected;
        if selected != self.selected {
            self.selected = selected;
            let goal = selected.and_then(|item| Goal::of(&stage.training.problem, item));
            self.goal = goal.unwrap_or(self.goal);
        }
    }

    fn receive(&mut self, stage: &mut Stage<'_>, ctx: &egui::Context) {
        let Some(job) = &self.job else { return };
        let now = ctx.input(|i| i.time);
        let wait = PACE - (now - self.taken);
        if wait > 0.0 {
            ctx.request_repaint_after(Duration::from_secs_f64(wait));
            return;
        }
        match job.try_recv() {
            Ok(growth) => {
                self.taken = now;
                let input: Vec<f32> = growth.input.iter().map(|&v| v as f32).collect();
                stage.train(TrainCommand::Maximised(input.into()));
                if let [x, y] = growth.raw[..] {
                    self.trail.push([x, y]);
                }
                self.growth = Some(growth);
                ctx.request_repaint_after(Duration::from_secs_f64(PACE));
            }
            // Its thread wakes the window.
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => self.job = None,
        }
    }

    /// Begins from the start.
    pub(super) fn start(&mut self, stage: &mut Stage<'_>, ctx: &egui::Context) {
        let training = stage.training;
        let Ok(readout) = self.goal.readout(&training.problem) else {
            return;
        };
        let watched = training.snapshot.probe.watched;
        if !watched.part.is_made() {
            self.back = Some(watched);
        }
        let task = Task {
            problem: Arc::clone(&training.problem),
            params: Arc::clone(&training.snapshot.params),
            epoch: training.snapshot.epoch,
            readout,
            seed: self.seed,
            steps: self.steps,
            rules: self.rules,
        };
        self.trail.clear();
        self.growth = None;
        self.confirmed = false;
        self.taken = f64::NEG_INFINITY;
        self.climbed = Some(self.goal);
        self.job = task.begin(ctx.clone());
    }

    /// Leaves what has grown where it is.
    pub(super) fn stop(&mut self) {
        self.job = None;
    }

    /// Gives the scene the sample back.
    pub(super) fn end(&mut self, stage: &mut Stage<'_>) {
        self.stop();
        self.climbed = None;
        self.growth = None;
        self.confirmed = false;
        if let Some(back) = self.back.take() {
            stage.train(TrainCommand::Watch(back));
        }
    }

    /// What keeps pictures natural, or what serves pictures like these; nothing where
    /// samples are no pictures.
    pub(super) fn rules(&self, problem: &Problem) -> Option<Regularisers> {
        let picture = Picture::of(problem)?;
        Some(
            self.rules
                .unwrap_or_else(|| Regularisers::for_picture(picture)),
        )
    }
}
