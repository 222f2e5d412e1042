//! A question and its answer, worked out on a thread of its own.

use super::super::map::pixel_range;
use super::{Key, MOST_WAYS};
use crate::app::background;
use crate::insight::contributions::{Contributions, contributions};
use crate::insight::explain::{
    ExplainError, Explainer, Explanation, Method, Said, readout_of, sentence_about,
};
use crate::insight::picture::Picture;
use crate::nn::Real;
use crate::train::{Encoding, Problem};
use bevy_egui::egui;
use crossbeam_channel::{Receiver, Sender, bounded};
use ndarray::ArrayView1;
use std::sync::Arc;

/// Networks with more multiply-adds than this are explained in single precision.
const DOUBLE: usize = 4_000_000;

/// An explanation of one sample.
pub(super) struct Found {
    pub(super) key: Key,
    /// Epochs completed.
    pub(super) epoch: usize,
    /// The sample, as the network sees it.
    pub(super) x: Vec<f64>,
    /// Least and greatest value of samples.
    pub(super) range: [f64; 2],
    /// How it lies, where it is a picture.
    pub(super) picture: Option<Picture>,
    /// The class or output that is explained.
    pub(super) target: usize,
    /// Attributions, by each method that applies.
    pub(super) methods: Vec<Explanation>,
    /// What comes from where.
    pub(super) contributions: Contributions,
}

/// What comes of a question: first what is found, then the facts of the sentence, which
/// take longer.
pub(super) enum Report {
    Found(Box<Found>),
    Said(Key, Box<Said>),
}

/// What is to be explained.
pub(super) struct Question {
    pub(super) key: Key,
    pub(super) epoch: usize,
    pub(super) problem: Arc<Problem>,
    pub(super) params: Arc<[f32]>,
    pub(super) x: Vec<f32>,
    pub(super) point: Option<[f32; 2]>,
}

impl Question {
    /// Begins to answer it; `None` where no thread could be started.
    pub(super) fn ask(self, ctx: egui::Context) -> Option<Receiver<Report>> {
        let (sender, receiver) = bounded(2);
        let spawned = std::thread::Builder::new()
            .name("explanation".into())
            .spawn(move || {
                background::step_back();
                if self.problem.network.multiply_adds() <= DOUBLE {
                    self.answer::<f64>(&sender, &ctx);
                } else {
                    self.answer::<f32>(&sender, &ctx);
                }
                drop(sender);
                ctx.request_repaint();
            });
        spawned.ok().map(|_| receiver)
    }

    fn answer<R: Real>(&self, sender: &Sender<Report>, ctx: &egui::Context) {
        let problem = &*self.problem;
        let widened = |values: &[f32]| -> Vec<R> {
            let values = values.iter();
            values.map(|&v| R::of(f64::from(v))).collect()
        };
        let (params, x) = (widened(&self.params), widened(&self.x));
        let x = ArrayView1::from(&x);
        let mut explainer = Explainer::<R>::new(problem, &params);
        let outputs = explainer.model.output(x);
        let says = problem.encoding.class(ArrayView1::from(&outputs));
        let wanted = self.key.target.filter(|&k| k < targets(problem));
        let target = wanted.or(says).unwrap_or(0);
        let Ok(readout) = readout_of(&problem.network, problem.encoding, target) else {
            return;
        };
        let mut methods = Vec::new();
        for method in Method::ALL {
            match explainer.explain(method, &readout, x) {
                Ok(found) => methods.push(found),
                // It does not apply to this network.
                Err(ExplainError::NoConvolution) => {}
                Err(_) => return,
            }
        }
        let contributions = contributions(&mut explainer.model, &readout, x, MOST_WAYS);
        let is_finite = contributions.readout.is_finite();
        let found = Found {
            key: self.key,
            epoch: self.epoch,
            x: self.x.iter().map(|&v| f64::from(v)).collect(),
            range: pixel_range(problem),
            picture: explainer.picture,
            target,
            methods,
            contributions,
        };
        // Nobody waits for it any more where another network was loaded.
        let sent = sender.send(Report::Found(Box::new(found)));
        if sent.is_err() || !is_finite {
            return;
        }
        ctx.request_repaint();
        let said = sentence_about(problem, &mut explainer, x, self.point);
        let _ = sender.send(Report::Said(self.key, Box::new(said)));
    }
}

/// How many classes or outputs can be asked for.
pub(in super::super) fn targets(problem: &Problem) -> usize {
    match problem.encoding {
        Encoding::Binary { .. } => 2,
        Encoding::OneHot | Encoding::Values => problem.network.outputs(),
    }
}
