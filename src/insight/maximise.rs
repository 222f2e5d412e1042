//! Activation maximisation: the input that a unit, a channel or a class answers to most
//! (Erhan et al. 2009; Simonyan et al. 2014, arXiv:1312.6034, section 2).
//!
//! An [`Ascent`] is a state machine: whoever drives it calls [`Ascent::step`] and may
//! look at what has come of it in between; [`maximise`] is the loop with a callback that
//! may end it.

use super::explain::baseline;
use super::model::Model;
use super::picture::Picture;
use super::regularisers::{Regularisers, blur};
use super::warp::Warp;
use crate::data::InputFeature;
use crate::nn::{Readout, Real};
use crate::rng::{Rng, Stream, stream};
use crate::train::Problem;
use ndarray::{Array2, ArrayView1};
use rand::RngExt;
use std::ops::ControlFlow;

/// How an ascent goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// How many steps.
    pub steps: usize,
    /// Adam's rate, as a share of each value's range.
    pub rate: f64,
    /// What start and motions follow from.
    pub seed: u64,
    /// What keeps the result natural.
    pub regularisers: Regularisers,
}

impl Plan {
    /// What serves in `space`: Lucid's 512 steps of Adam at 0.05.
    pub fn fitting<R>(space: &Space<R>, seed: u64) -> Self {
        Plan {
            steps: 512,
            rate: 0.05,
            seed,
            regularisers: match space.picture {
                Some(picture) => Regularisers::for_picture(picture),
                None => Regularisers::NONE,
            },
        }
    }
}

/// What may be varied: the values of a sample, or the point that they are made from.
#[derive(Debug, Clone)]
pub struct Space<R> {
    /// Least and greatest of each variable.
    bounds: Vec<[f64; 2]>,
    /// How the sample lies, where it is a picture.
    pub picture: Option<Picture>,
    /// Of each variable its place when nothing is there, from 0 to 1.
    baseline: Vec<f64>,
    /// The sample with nothing there.
    empty: Vec<R>,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Variables are the sample's values.
    Values,
    /// Variables are raw coordinates; each value of the sample is a feature of them,
    /// with its scale's shift and factor.
    Point(Vec<(InputFeature, [f64; 2])>),
}

impl<R: Real> Space<R> {
    /// What the samples of `problem` span: of pictures the range of all pixels, of tables
    /// that of each column in the training part, of points the plane or line that is
    /// drawn.
    pub fn of(problem: &Problem) -> Self {
        let empty = baseline(problem);
        let picture = Picture::of(problem);
        if let Some(space) = Self::of_points(problem, empty.as_slice().unwrap_or(&[])) {
            return space;
        }
        let columns = problem.train.x.columns().into_iter();
        let mut bounds: Vec<[f64; 2]> = columns.map(range).collect();
        if picture.is_some() {
            let all = bounds
                .iter()
                .fold([f64::INFINITY, f64::NEG_INFINITY], |all, b| {
                    [all[0].min(b[0]), all[1].max(b[1])]
                });
            bounds.fill(all);
        }
        let shares = bounds.iter().zip(&empty);
        Space {
            baseline: shares.map(|(b, &v)| share(*b, f64::from(v))).collect(),
            bounds,
            picture,
            empty: empty.iter().map(|&v| R::of(f64::from(v))).collect(),
            kind: Kind::Values,
        }
    }

    fn of_points(problem: &Problem, empty: &[f32]) -> Option<Self> {
        let data = &problem.data;
        let features = data.input_features.as_ref()?;
        let domain: Vec<[f32; 2]> = match (data.domain(), data.line_domain()) {
            (Some(plane), _) => plane.to_vec(),
            (None, Some(line)) => vec![line],
            _ => return None,
        };
        let scale = |j: usize| {
            let scaler = &data.scaler;
            [scaler.shift[j], scaler.factor[j]].map(f64::from)
        };
        let kinds = features.iter().enumerate();
        Some(Space {
            bounds: domain.iter().map(|b| b.map(f64::from)).collect(),
            picture: None,
            baseline: vec![0.5; domain.len()],
            empty: empty.iter().map(|&v| R::of(f64::from(v))).collect(),
            kind: Kind::Point(kinds.map(|(j, &f)| (f, scale(j))).collect()),
        })
    }

    /// The number of variables.
    pub fn len(&self) -> usize {
        self.bounds.len()
    }

    /// Whether nothing can be varied.
    pub fn is_empty(&self) -> bool {
        self.bounds.is_empty()
    }

    /// The variables themselves: the sample's values, or the raw point.
    pub fn raw(&self, u: &[f64]) -> Vec<f64> {
        let values = self.bounds.iter().zip(u);
        values.map(|([lo, hi], u)| lo + u * (hi - lo)).collect()
    }

    /// What the network sees where the variables have gone shares `u` of their ranges.
    pub fn input(&self, u: &[f64]) -> Vec<R> {
        let raw = self.raw(u);
        match &self.kind {
            Kind::Values => raw.into_iter().map(R::of).collect(),
            Kind::Point(features) => {
                let point = [raw[0], raw.get(1).copied().unwrap_or(0.0)];
                let value = |&(feature, [shift, factor]): &(InputFeature, [f64; 2])| {
                    R::of((feature_at(feature, point).0 - shift) * factor)
                };
                features.iter().map(value).collect()
            }
        }
    }

    /// Derivatives by what the network sees as derivatives by `u`.
    pub fn back(&self, u: &[f64], gradient: &[f64]) -> Vec<f64> {
        let span = |k: usize| self.bounds[k][1] - self.bounds[k][0];
        match &self.kind {
            Kind::Values => gradient
                .iter()
                .enumerate()
                .map(|(k, g)| g * span(k))
                .collect(),
            Kind::Point(features) => {
                let raw = self.raw(u);
                let point = [raw[0], raw.get(1).copied().unwrap_or(0.0)];
                let along = |axis: usize| -> f64 {
                    let values = features.iter().zip(gradient);
                    values
                        .map(|(&(feature, [_, factor]), g)| {
                            g * factor * feature_at(feature, point).1[axis]
                        })
                        .sum()
                };
                (0..self.len())
                    .map(|axis| along(axis) * span(axis))
                    .collect()
            }
        }
    }
}

/// A feature's value and its derivatives by both coordinates.
fn feature_at(feature: InputFeature, [x1, x2]: [f64; 2]) -> (f64, [f64; 2]) {
    match feature {
        InputFeature::X1 => (x1, [1.0, 0.0]),
        InputFeature::X2 => (x2, [0.0, 1.0]),
        InputFeature::X1Squared => (x1 * x1, [2.0 * x1, 0.0]),
        InputFeature::X2Squared => (x2 * x2, [0.0, 2.0 * x2]),
        InputFeature::X1X2 => (x1 * x2, [x2, x1]),
        InputFeature::SinX1 => (libm::sin(x1), [libm::cos(x1), 0.0]),
        InputFeature::SinX2 => (libm::sin(x2), [0.0, libm::cos(x2)]),
    }
}

fn range(column: ArrayView1<'_, f32>) -> [f64; 2] {
    let values = column.iter().map(|&v| f64::from(v));
    values.fold([f64::INFINITY, f64::NEG_INFINITY], |[lo, hi], v| {
        [lo.min(v), hi.max(v)]
    })
}

fn share([lo, hi]: [f64; 2], value: f64) -> f64 {
    if hi > lo {
        ((value - lo) / (hi - lo)).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

/// Adam's constants (Kingma and Ba 2015).
const BETA: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;
/// Points among which an ascent without a picture begins at the best.
const STARTS: usize = 64;

/// An ascent on its way.
#[derive(Debug, Clone)]
pub struct Ascent<'a, R> {
    model: Model<'a, R>,
    readout: Readout,
    space: Space<R>,
    plan: Plan,
    rng: Rng,
    u: Vec<f64>,
    moments: [Vec<f64>; 2],
    values: Vec<f64>,
}

impl<'a, R: Real> Ascent<'a, R> {
    /// At its start: of a picture a faint noise over the baseline, else the best of 64
    /// points anywhere.
    pub fn new(mut model: Model<'a, R>, readout: Readout, space: Space<R>, plan: Plan) -> Self {
        let mut rng = stream(plan.seed, Stream::Maximisation);
        let n = space.len();
        let u = if space.picture.is_some() {
            let noise = |&u: &f64| (u + 0.15 * rng.random::<f64>()).clamp(0.0, 1.0);
            space.baseline.iter().map(noise).collect()
        } else {
            let starts: Vec<Vec<f64>> = (0..STARTS)
                .map(|_| (0..n).map(|_| rng.random::<f64>()).collect())
                .collect();
            let inputs: Vec<Vec<R>> = starts.iter().map(|u| space.input(u)).collect();
            let x = Array2::from_shape_fn((STARTS, inputs[0].len()), |(k, i)| inputs[k][i]);
            let values = model.values(&readout, x.view());
            let best = (0..STARTS).max_by(|&a, &b| values[a].total_cmp(&values[b]));
            starts[best.unwrap_or(0)].clone()
        };
        Ascent {
            model,
            readout,
            plan,
            rng,
            moments: [vec![0.0; n], vec![0.0; n]],
            values: Vec::new(),
            space,
            u,
        }
    }

    /// Steps that were made.
    pub fn steps(&self) -> usize {
        self.values.len()
    }

    /// Whether all steps were made.
    pub fn is_done(&self) -> bool {
        self.steps() >= self.plan.steps
    }

    /// The readout at each step, where the picture was moved to.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// What the network sees now, not moved.
    pub fn input(&self) -> Vec<R> {
        self.space.input(&self.u)
    }

    /// The variables now: the sample's values, or the raw point.
    pub fn raw(&self) -> Vec<f64> {
        self.space.raw(&self.u)
    }

    /// The readout for what the network sees now.
    pub fn value(&mut self) -> f64 {
        let input = self.input();
        self.model.value(&self.readout, ArrayView1::from(&input))
    }

    /// One step upwards; nothing once all were made.
    pub fn step(&mut self) {
        if self.is_done() {
            return;
        }
        let picture = self.space.picture;
        let rules = self
            .plan
            .regularisers
            .fading(self.steps() as f64 / self.plan.steps as f64);
        let input = self.input();
        let moved = picture.filter(|_| rules.moves());
        let warp = moved.map(|picture| Warp::new(picture, rules.motion(&mut self.rng)));
        let seen = match &warp {
            Some(warp) => warp.apply(&input, &self.space.empty),
            None => input,
        };
        let (value, gradient) = self.model.gradient(&self.readout, ArrayView1::from(&seen));
        let gradient = match &warp {
            Some(warp) => warp.back(&gradient),
            None => gradient,
        };
        let mut gradient = self.space.back(&self.u, &gradient);
        let squares: f64 = gradient.iter().map(|g| g * g).sum();
        let size = (squares / gradient.len().max(1) as f64).sqrt();
        if size > 0.0 {
            gradient.iter_mut().for_each(|g| *g /= size);
        } else {
            // Where nothing answers there is no way up: anywhere else is better.
            for g in &mut gradient {
                *g = 2.0 * self.rng.random::<f64>() - 1.0;
            }
        }
        rules.pull(picture, &self.u, &self.space.baseline, &mut gradient);
        self.values.push(value);
        self.climb(&gradient);
        let every = rules.blur_every.max(1);
        if let Some(picture) = picture.filter(|_| self.steps().is_multiple_of(every)) {
            blur(picture, rules.blur, &mut self.u);
        }
    }

    /// Adam's step, upwards and within bounds; smaller ones towards the end, so that it
    /// comes to rest.
    fn climb(&mut self, gradient: &[f64]) {
        let step = self.steps() as i32;
        let left = 1.0 - self.steps() as f64 / (self.plan.steps + 1) as f64;
        let corrections = BETA.map(|b| 1.0 - b.powi(step));
        let [first, second] = &mut self.moments;
        let moments = first.iter_mut().zip(second);
        for ((u, &g), (m, v)) in self.u.iter_mut().zip(gradient).zip(moments) {
            *m = BETA[0] * *m + (1.0 - BETA[0]) * g;
            *v = BETA[1] * *v + (1.0 - BETA[1]) * g * g;
            let rate = self.plan.rate * left.min(0.25) * 4.0;
            *u += rate * (*m / corrections[0]) / ((*v / corrections[1]).sqrt() + EPSILON);
            *u = u.clamp(0.0, 1.0);
        }
    }
}

/// What an ascent has come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Maximised<R> {
    /// What the network sees.
    pub input: Vec<R>,
    /// The sample's values, or the raw point.
    pub raw: Vec<f64>,
    /// The readout for it.
    pub value: f64,
    /// The readout at each step.
    pub values: Vec<f64>,
    /// Whether it was ended before its last step.
    pub cancelled: bool,
}

/// Climbs to the end, or until `progress`, which is told of every step, breaks.
pub fn maximise<R: Real>(
    mut ascent: Ascent<'_, R>,
    mut progress: impl FnMut(&Ascent<'_, R>) -> ControlFlow<()>,
) -> Maximised<R> {
    let mut cancelled = false;
    while !ascent.is_done() && !cancelled {
        ascent.step();
        cancelled = progress(&ascent).is_break() && !ascent.is_done();
    }
    Maximised {
        input: ascent.input(),
        raw: ascent.raw(),
        value: ascent.value(),
        values: ascent.values,
        cancelled,
    }
}
