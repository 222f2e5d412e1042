//! A race in the making: who races where, and where everybody is on the surface
//! after each step.
//!
//! On a function every racer has a point of its own; on the network's surface a
//! copy of the weights, trained with the batches that all the others get too.
//! The run on the screen takes no part.

use crate::experiment::OptimizerConfig;
use crate::landscape::{Analytic, Gauge, Plane};
use crate::race::{Course, End, Entry, Race, Racer};
use crate::train::{Evaluator, Problem};
use std::sync::Arc;

/// Where a racer is after a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lap {
    /// Its first coordinate; on the network's surface that of its projection.
    pub x: f64,
    /// Its second coordinate.
    pub y: f64,
    /// Its loss: of the weights themselves, not of their projection.
    pub loss: f64,
    /// The loss at (x, y) of the plane.
    pub slice: f64,
}

/// What is raced on, and from where.
#[derive(Debug, Clone)]
pub(super) enum RaceGround {
    /// A function of x and y.
    Function { function: Analytic, start: [f64; 2] },
    /// The network's training loss, seen from a plane.
    Network {
        problem: Arc<Problem>,
        plane: Arc<Plane>,
        params: Arc<[f32]>,
        seed: u64,
    },
}

impl RaceGround {
    /// Whether a race there is the same race.
    pub(super) fn is_same(&self, other: &RaceGround) -> bool {
        use RaceGround::{Function, Network};
        match (self, other) {
            (
                Function {
                    function: a,
                    start: s,
                },
                Function {
                    function: b,
                    start: t,
                },
            ) => a.formula() == b.formula() && s == t,
            (
                Network {
                    problem: p,
                    plane: a,
                    params: v,
                    seed: s,
                },
                Network {
                    problem: q,
                    plane: b,
                    params: w,
                    seed: t,
                },
            ) => Arc::ptr_eq(p, q) && Arc::ptr_eq(a, b) && Arc::ptr_eq(v, w) && s == t,
            _ => false,
        }
    }

    fn course(&self) -> Course {
        match self {
            RaceGround::Function { function, start } => Course::Analytic {
                function: Arc::new(function.clone()),
                start: *start,
                noise: None,
            },
            RaceGround::Network {
                problem,
                params,
                seed,
                ..
            } => Course::Network {
                problem: Arc::clone(problem),
                start: Arc::clone(params),
                seed: *seed,
            },
        }
    }
}

/// Who races where.
#[derive(Debug, Clone)]
pub(super) struct RaceSpec {
    pub(super) ground: RaceGround,
    pub(super) racers: Vec<OptimizerConfig>,
}

impl RaceSpec {
    /// Whether it is the same race.
    pub(super) fn is_same(&self, other: &RaceSpec) -> bool {
        self.racers == other.racers && self.ground.is_same(&other.ground)
    }
}

/// All racers, each where it is.
pub(super) struct Heat {
    race: Race,
    eye: Option<Eye>,
}

impl Heat {
    /// Everybody at the start.
    ///
    /// # Errors
    /// When somebody cannot take part, in words.
    pub(super) fn new(spec: &RaceSpec) -> Result<Self, String> {
        let entries = spec.racers.iter().map(|r| Entry::new(*r)).collect();
        let race = Race::new(spec.ground.course(), entries).map_err(|e| e.to_string())?;
        let eye = match &spec.ground {
            RaceGround::Function { .. } => None,
            RaceGround::Network { problem, plane, .. } => Some(Eye {
                problem: Arc::clone(problem),
                plane: Arc::clone(plane),
                evaluator: Evaluator::new(&problem.network),
                projected: vec![0.0; plane.center().len()],
            }),
        };
        Ok(Heat { race, eye })
    }

    /// Where everybody is.
    pub(super) fn places(&mut self) -> Vec<Option<Lap>> {
        let Heat { race, eye } = self;
        race.racers().iter().map(|racer| look(racer, eye)).collect()
    }

    /// One step of everybody; of those that go no further, nothing.
    pub(super) fn step(&mut self) -> Vec<Option<Lap>> {
        let before = self.race.steps();
        if !self.race.step() {
            return vec![None; self.race.racers().len()];
        }
        let Heat { race, eye } = self;
        let moved = |racer: &Racer| racer.end().is_none() && racer.steps() > before;
        let racers = race.racers().iter();
        racers
            .map(|racer| moved(racer).then(|| look(racer, eye)).flatten())
            .collect()
    }

    /// Why each goes no further, once it does not.
    pub(super) fn ends(&self) -> Vec<Option<End>> {
        let racers = self.race.racers().iter();
        racers.map(|r| r.end().cloned()).collect()
    }
}

/// What sees a network's weights from the plane.
struct Eye {
    problem: Arc<Problem>,
    plane: Arc<Plane>,
    evaluator: Evaluator,
    projected: Vec<f32>,
}

/// Where a racer is; `None` where its loss is no number.
fn look(racer: &Racer, eye: &mut Option<Eye>) -> Option<Lap> {
    let lap = match (racer.ball(), racer.params(), eye) {
        (Some([x, y]), ..) => Lap {
            x,
            y,
            loss: racer.loss(),
            slice: racer.loss(),
        },
        (None, Some(params), Some(eye)) => {
            let place = eye.plane.project(params);
            eye.plane.write_point(place.x, place.y, &mut eye.projected);
            let gauge = Gauge::training_loss(&eye.problem);
            // Of dear networks the loss is not taken at every step.
            let loss = if racer.loss_step() == racer.steps() {
                racer.loss()
            } else {
                gauge.at(params, &mut eye.evaluator)
            };
            Lap {
                x: place.x,
                y: place.y,
                loss,
                slice: gauge.at(&eye.projected, &mut eye.evaluator),
            }
        }
        _ => return None,
    };
    lap.loss.is_finite().then_some(lap)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Experiment, OptimizerName};
    use crate::landscape::{Builtin, Directions};
    use crate::train::Trainer;

    fn racer(name: OptimizerName, rate: f64) -> OptimizerConfig {
        OptimizerConfig::new(name, rate)
    }

    #[test]
    fn on_a_quadratic_steepest_descent_takes_the_steps_of_its_closed_form() {
        let spec = RaceSpec {
            ground: RaceGround::Function {
                function: Builtin::Ravine.into(),
                start: [-9.0, 2.5],
            },
            racers: vec![racer(OptimizerName::Sgd, 0.9)],
        };
        let mut heat = Heat::new(&spec).unwrap();
        for step in 1..=40 {
            let lap = heat.step()[0].unwrap();
            // Hessian diag(0.1, 2): factors 1 - 0.09 and 1 - 1.8 a step.
            let (x, y) = (-9.0 * 0.91_f64.powi(step), 2.5 * (-0.8_f64).powi(step));
            assert!((lap.x - x).abs() < 1e-12 && (lap.y - y).abs() < 1e-12);
            assert!((lap.loss - (0.05 * x * x + y * y)).abs() < 1e-12);
        }
    }

    #[test]
    fn who_diverges_ends_and_the_others_go_on() {
        let spec = RaceSpec {
            ground: RaceGround::Function {
                function: Builtin::Ravine.into(),
                start: [-9.0, 2.5],
            },
            racers: vec![
                racer(OptimizerName::Sgd, 50.0),
                racer(OptimizerName::Adam, 0.1),
            ],
        };
        let mut heat = Heat::new(&spec).unwrap();
        for _ in 0..600 {
            let laps = heat.step();
            assert!(laps.iter().flatten().all(|l| l.loss.is_finite()));
            assert!(laps[1].is_some());
        }
        let ends = heat.ends();
        assert!(ends[0].as_ref().is_some_and(End::is_divergence));
        assert_eq!(ends[1], None);
    }

    #[test]
    fn on_the_network_a_racer_trains_as_the_run_itself_would() {
        let text = "seed = 4\n[data]\nsource = \"moons\"\nsamples = 60\n[network]\n\
                    layers = [{ dense = 4 }]\nloss = \"cross-entropy\"\n[training]\nbatch = 7\n\
                    optimizer = { name = \"adam\", learning_rate = 0.02 }\n";
        let experiment = Experiment::parse(text, "test").unwrap();
        let problem = Arc::new(Problem::new(&experiment).unwrap());
        let params: Arc<[f32]> = problem.initial_params().into();
        let plane = Directions::Random { seed: 1 }
            .plane(problem.network.layout(), &params)
            .unwrap();
        let plane = Arc::new(plane);
        let spec = RaceSpec {
            ground: RaceGround::Network {
                problem: Arc::clone(&problem),
                plane: Arc::clone(&plane),
                params,
                seed: 4,
            },
            racers: vec![
                racer(OptimizerName::Adam, 0.02),
                racer(OptimizerName::Sgd, 0.1),
            ],
        };
        let mut heat = Heat::new(&spec).unwrap();
        let mut trainer = Trainer::new(Arc::clone(&problem));
        for _ in 0..30 {
            trainer.step();
            let lap = heat.step()[0].unwrap();
            let place = plane.project(trainer.params());
            assert_eq!((lap.x, lap.y), (place.x, place.y));
            assert_eq!(lap.loss, trainer.train_loss());
        }
    }
}
