//! An ascent on a thread of its own. It waits until its last picture was taken before it
//! goes on, so that whoever looks at it sets the pace.

use super::super::map::pixel_range;
use crate::app::background;
use crate::insight::maximise::{Ascent, Plan, Space};
use crate::insight::model::Model;
use crate::insight::nearest::{Likeness, nearest, strongest};
use crate::insight::picture::Picture;
use crate::insight::regularisers::Regularisers;
use crate::nn::Readout;
use crate::train::{Problem, Samples};
use bevy_egui::egui;
use crossbeam_channel::{Receiver, Sender, bounded};
use ndarray::Array1;
use std::sync::Arc;

/// Pictures of an ascent, at most.
const PICTURES: usize = 64;
/// Real samples beside it.
const BESIDE: usize = 5;
/// Real samples are as many as have so many values at most, and take so many
/// multiply-adds.
const VALUES: usize = 4_000_000;
const WORK: usize = 2_000_000_000;

/// What is to be climbed.
pub(super) struct Task {
    pub(super) problem: Arc<Problem>,
    pub(super) params: Arc<[f32]>,
    pub(super) epoch: usize,
    pub(super) readout: Readout,
    pub(super) seed: u64,
    pub(super) steps: usize,
    pub(super) rules: Option<Regularisers>,
}

/// A real sample: its row in the training part, and what the network answers to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Real {
    pub(super) row: usize,
    pub(super) value: f64,
}

/// What has grown so far.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Growth {
    /// After which epoch's weights.
    pub(super) epoch: usize,
    /// From which seed.
    pub(super) seed: u64,
    /// Steps made, of how many.
    pub(super) step: usize,
    pub(super) steps: usize,
    /// Least and greatest value of samples.
    pub(super) range: [f64; 2],
    /// What the network sees.
    pub(super) input: Vec<f64>,
    /// The sample's values, or the raw point.
    pub(super) raw: Vec<f64>,
    /// The answer to it.
    pub(super) value: f64,
    /// The real samples most like it, the nearest first.
    pub(super) near: Vec<Real>,
    /// The real samples that are answered to most, the strongest first.
    pub(super) strong: Arc<[Real]>,
    /// Among how many real samples these are.
    pub(super) among: usize,
}

impl Task {
    /// Begins; `None` where no thread could be started.
    pub(super) fn begin(self, ctx: egui::Context) -> Option<Receiver<Growth>> {
        let (sender, receiver) = bounded(1);
        let spawned = std::thread::Builder::new()
            .name("maximisation".into())
            .spawn(move || {
                background::step_back();
                self.climb(&sender, &ctx);
                drop(sender);
                ctx.request_repaint();
            });
        spawned.ok().map(|_| receiver)
    }

    fn climb(&self, sender: &Sender<Growth>, ctx: &egui::Context) {
        let problem = &*self.problem;
        let real = RealSamples::of(problem, &self.params, &self.readout);
        let params: Vec<f64> = self.params.iter().map(|&p| p.into()).collect();
        let space = Space::<f64>::of(problem);
        let usual = Plan::fitting(&space, self.seed);
        let plan = Plan {
            steps: self.steps,
            regularisers: self.rules.unwrap_or(usual.regularisers),
            ..usual
        };
        let model = Model::new(&problem.network, &params);
        let mut ascent = Ascent::new(model, self.readout.clone(), space, plan);
        let mut single = Model::new(&problem.network, &self.params);
        let range = pixel_range(problem);
        let at_once = self.steps.div_ceil(PICTURES).max(1);
        loop {
            let input = ascent.input();
            let growth = Growth {
                epoch: self.epoch,
                range,
                seed: self.seed,
                step: ascent.steps(),
                steps: self.steps,
                raw: ascent.raw(),
                value: ascent.value(),
                near: real.nearest(&mut single, &self.readout, &input),
                strong: Arc::clone(&real.strong),
                among: real.rows.len(),
                input,
            };
            // Who does not wait for it any more has begun another or closed the panel.
            if sender.send(growth).is_err() {
                return;
            }
            ctx.request_repaint();
            if ascent.is_done() {
                return;
            }
            (0..at_once).for_each(|_| ascent.step());
        }
    }
}

/// Samples of the training part, all or evenly spread ones.
struct RealSamples {
    rows: Vec<usize>,
    samples: Samples,
    likeness: Likeness,
    strong: Arc<[Real]>,
}

impl RealSamples {
    fn of(problem: &Problem, params: &[f32], readout: &Readout) -> Self {
        let all = problem.train.len();
        let values = VALUES / problem.network.inputs().max(1);
        let work = WORK / problem.network.multiply_adds().max(1);
        let n = all.min(values).min(work).max(1.min(all));
        let rows: Vec<usize> = (0..n).map(|i| i * all / n).collect();
        let samples = problem.train.select(&rows);
        let mut model = Model::new(&problem.network, params);
        let best = strongest(&mut model, readout, samples.x.view(), BESIDE);
        let strong = best.into_iter().map(|(i, value)| Real {
            row: rows[i],
            value,
        });
        RealSamples {
            strong: strong.collect(),
            likeness: match Picture::of(problem) {
                Some(_) => Likeness::Correlation,
                None => Likeness::Distance,
            },
            rows,
            samples,
        }
    }

    fn nearest(&self, model: &mut Model<'_, f32>, readout: &Readout, input: &[f64]) -> Vec<Real> {
        let input: Array1<f32> = input.iter().map(|&v| v as f32).collect();
        let near = nearest(self.samples.x.view(), input.view(), self.likeness, BESIDE);
        near.iter()
            .map(|near| Real {
                row: self.rows[near.row],
                value: model.value(readout, self.samples.x.row(near.row)),
            })
            .collect()
    }
}
