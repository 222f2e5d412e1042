//! From what is told about a foreign network to one of ours: its structure, its parameters
//! step by step in our layout, and the figures of its run.

use super::news::{Begun, Group, Metric, News, TensorFrame};
use super::roles::Roles;
use crate::interop::{LiveModel, Numbers, Tensor, Translated, experiment_of};
use crate::train::{ForeignStep, Problem};
use std::collections::HashMap;
use std::sync::Arc;

/// What has become of something new.
#[derive(Debug)]
pub enum Followed {
    /// A network of ours that computes what the foreign one does, with data that fit it. It
    /// takes the place of any before it.
    Network(Arc<Problem>),
    /// What came of a step; of the newest network.
    Step(ForeignStep),
    /// The foreign network cannot be shown as one of ours, and why.
    Refused(String),
}

/// Follows one run: the one that began first, and when it has ended, or nothing can be made
/// of it, the one that begins next.
pub struct Follower {
    /// The data that the network is shown with; without it the built-in ones that fit.
    data: Option<String>,
    /// The run that is followed.
    run: Option<Begun>,
    ended: bool,
    roles: Roles,
    model: Option<LiveModel>,
    problem: Option<Arc<Problem>>,
    /// The structure was refused, so that it is not tried at each step.
    refused: bool,
}

impl Follower {
    /// Follows with the data named `data`, or else with the built-in ones that fit.
    pub fn new(data: Option<String>) -> Self {
        Follower {
            data,
            run: None,
            ended: false,
            roles: Roles::default(),
            model: None,
            problem: None,
            refused: false,
        }
    }

    /// The run that is followed, as it said of itself.
    pub fn run(&self) -> Option<&Begun> {
        self.run.as_ref()
    }

    /// Whether the network that is followed has become one of the engine's.
    pub fn shows_network(&self) -> bool {
        self.problem.is_some()
    }

    /// What is known of the network that is followed: what was guessed, what was left out.
    pub fn notes(&self) -> &[String] {
        self.model.as_ref().map_or(&[], LiveModel::notes)
    }

    /// Takes in something new.
    pub fn see(&mut self, news: &News, followed: &mut Vec<Followed>) {
        match news {
            News::Begun(begun) => self.begin(begun),
            News::Metric(metric) if self.follows(&metric.run) => {
                followed.extend(self.metric(metric).map(Followed::Step));
            }
            News::Tensors(frame) if self.follows(&frame.run) => self.tensors(frame, followed),
            News::Ended { run } => self.ended |= self.follows(run),
            News::Metric(_)
            | News::Tensors(_)
            | News::Histogram(_)
            | News::Text(_)
            | News::Word(_) => {}
        }
    }

    fn follows(&self, run: &Arc<str>) -> bool {
        self.run.as_ref().is_some_and(|begun| begun.run == *run)
    }

    fn begin(&mut self, begun: &Begun) {
        let known = self.run.as_ref();
        let is_same = known.is_some_and(|now| now.run == begun.run);
        let is_free = self.ended || self.problem.is_none();
        if !is_same && !is_free {
            return;
        }
        self.ended = false;
        if !is_same || known.is_some_and(|now| now.structure != begun.structure) {
            (self.model, self.problem, self.refused) = (None, None, false);
            self.roles = Roles::default();
            self.run = Some(begun.clone());
        }
    }

    fn metric(&mut self, metric: &Metric) -> Option<ForeignStep> {
        let role = self.roles.of(&metric.run, &metric.tag)?;
        Some(ForeignStep {
            rows: vec![role.row(metric.step, metric.value)],
            ..ForeignStep::default()
        })
    }

    fn tensors(&mut self, frame: &TensorFrame, followed: &mut Vec<Followed>) {
        if self.refused {
            return;
        }
        let (mut weights, mut gradients) = (Vec::new(), HashMap::new());
        for (group, tensor) in frame.tensors() {
            match group {
                Group::Weights => weights.push(tensor),
                Group::Gradients => {
                    gradients.insert(tensor.name.clone(), tensor);
                }
                Group::Activations => {}
            }
        }
        if weights.is_empty() {
            return;
        }
        if self.problem.is_none() {
            match self.network(&weights) {
                Ok(problem) => {
                    self.problem = Some(Arc::clone(&problem));
                    followed.push(Followed::Network(problem));
                }
                Err(why) => {
                    self.refused = true;
                    followed.push(Followed::Refused(why));
                    return;
                }
            }
        }
        match self.step(frame, weights, gradients) {
            Ok(step) => followed.push(Followed::Step(step)),
            Err(why) => followed.push(Followed::Refused(format!("step {}: {why}", frame.step))),
        }
    }

    /// The network that these weights belong to.
    fn network(&mut self, weights: &[Tensor]) -> Result<Arc<Problem>, String> {
        let Some(begun) = &self.run else {
            return Err("no run has begun".to_owned());
        };
        let model = LiveModel::new(begun.structure.as_ref(), weights)?;
        let translated = model.translated(weights)?;
        let experiment = experiment_of(&translated, &begun.run, self.data.as_deref())?;
        let problem = Problem::new(&experiment).map_err(|error| error.to_string())?;
        if problem.network.layout() != translated.network.layout() {
            return Err(format!(
                "the data {} do not fit its last layer",
                experiment.data.source
            ));
        }
        self.model = Some(model);
        Ok(Arc::new(problem))
    }

    fn step(
        &self,
        frame: &TensorFrame,
        weights: Vec<Tensor>,
        mut gradients: HashMap<String, Tensor>,
    ) -> Result<ForeignStep, String> {
        let (Some(model), Some(problem)) = (&self.model, &self.problem) else {
            return Err("no network is known".to_owned());
        };
        let fits = |found: &Translated| found.network.layout() == problem.network.layout();
        // What has no gradient of its own (statistics, what is frozen) has none in ours.
        let has_gradients = !gradients.is_empty();
        let slopes: Vec<Tensor> = weights
            .iter()
            .map(|weight| match gradients.remove(&weight.name) {
                Some(own) if own.shape == weight.shape => own,
                _ => Tensor {
                    numbers: Numbers::Floats(vec![0.0; weight.parameters()]),
                    ..weight.clone()
                },
            })
            .collect();
        let found = model.translated(&weights)?;
        if !fits(&found) {
            return Err("its tensors have other shapes than before".to_owned());
        }
        // A gradient that is not finite is none to be shown.
        let gradient = has_gradients
            .then(|| model.translated(&slopes).ok())
            .flatten();
        Ok(ForeignStep {
            place: Some((
                u64::try_from(frame.step).unwrap_or(0),
                Arc::from(found.params),
            )),
            gradient: gradient.filter(fits).map(|found| Arc::from(found.params)),
            rows: Vec::new(),
        })
    }
}
