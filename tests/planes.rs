//! Planes are what they say: which parameters move, along what, how far, and how
//! much of the truth they show.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::experiment::Experiment;
use gradscape::landscape::curvature::{LossHessian, Symmetric};
use gradscape::landscape::{
    Axis, Directions, DirectionsError, Gauge, LAST_STEP, Line, Measure, Over, Plane, PlaneContext,
    Quantity, Scope, Spanned, path_on_plane, span,
};
use gradscape::train::{
    Evaluator, PathPoint, Problem, Samples, Session, TrainCommand, Trainer, batch_of,
};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

static GO: AtomicBool = AtomicBool::new(false);

const SPIRAL: &str = "[data]\nsource = \"spiral\"\nsamples = 120\nnoise = 0.1\nvalidation = 0.2\n\
    [network]\nlayers = [{ dense = 6 }, { dense = 4 }]\nloss = \"cross-entropy\"\n\
    [training]\nbatch = 16\nepochs = 12\noptimizer = { name = \"adam\", learning_rate = 0.02 }\n";

fn trained(text: &str) -> Session {
    let experiment = Experiment::parse(text, "test.toml").unwrap_or_else(|e| panic!("{e}"));
    let mut session = Session::new(Arc::new(Problem::new(&experiment).unwrap()));
    session.command(TrainCommand::Start);
    while session.advance() {}
    session
}

fn plane_of(
    session: &Session,
    directions: Directions,
    scope: &str,
) -> Result<Spanned, DirectionsError> {
    let trainer = session.trainer();
    span(&PlaneContext {
        gauge: Gauge::training_loss(trainer.problem()),
        center: trainer.params(),
        path: session.trajectory().points(),
        directions,
        scope: &scope.parse().unwrap(),
        cancel: &GO,
    })
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    let pairs = a.iter().zip(b);
    pairs.map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

const ALL: [Directions; 6] = [
    Directions::Random { seed: 3 },
    Directions::Path,
    Directions::Hessian,
    Directions::HessianEnds,
    Directions::Gradient,
    Directions::Checkpoints([0, 30, LAST_STEP]),
];

#[test]
fn outside_its_scope_no_direction_moves_anything() {
    let session = trained(SPIRAL);
    let layout = session.trainer().problem().network.layout();
    for directions in ALL {
        let plane_in = |text: &str| plane_of(&session, directions, text).unwrap().plane;
        for text in [
            "all",
            "layers:1",
            "layers:0,2",
            "parameters:0-7,20,21,22,40",
        ] {
            let mask = text.parse::<Scope>().unwrap().mask(layout).unwrap();
            let plane = plane_in(text);
            for direction in [plane.direction_x(), plane.direction_y()] {
                assert!(direction.iter().any(|v| *v != 0.0));
                for (v, moves) in direction.iter().zip(&mask) {
                    assert!(*moves || *v == 0.0, "{directions} {text}");
                }
            }
        }
    }
    // The whole network's random directions are those of its layers, put together.
    let random = |text: &str| plane_of(&session, ALL[0], text).unwrap().plane;
    let (whole, layer) = (random("all"), random("layers:1"));
    let range = layout.weight(1);
    assert_eq!(
        whole.direction_x()[range.clone()],
        layer.direction_x()[range]
    );
}

#[test]
fn what_cannot_be_spanned_is_refused_in_words() {
    let session = trained(SPIRAL);
    let fails = |directions, scope: &str| {
        let error = plane_of(&session, directions, scope).unwrap_err();
        error.to_string()
    };
    for directions in ALL {
        let text = fails(directions, "parameters:3");
        assert!(text.contains("fewer than two parameters"), "{text}");
        let text = fails(directions, "layers:3");
        assert!(text.contains("layer 3 has no parameters"), "{text}");
    }
    let text = fails(Directions::Weights(0, 50), "layers:0");
    assert!(
        text.contains("parameter 50 does not move within layers:0"),
        "{text}"
    );
    let text = fails(Directions::Checkpoints([5, 5, 9]), "all");
    assert!(
        text.contains("give three steps that lie farther apart"),
        "{text}"
    );
    let cancelled = AtomicBool::new(true);
    let trainer = session.trainer();
    let called_off = span(&PlaneContext {
        gauge: Gauge::training_loss(trainer.problem()),
        center: trainer.params(),
        path: &[],
        directions: Directions::Hessian,
        scope: &Scope::Whole,
        cancel: &cancelled,
    });
    assert_eq!(called_off, Err(DirectionsError::Cancelled));
}

#[test]
fn a_plane_through_checkpoints_has_them_where_it_says() {
    // 24 steps an epoch, of which every third is recorded.
    let session = trained(&SPIRAL.replace("batch = 16", "batch = 4"));
    let points = session.trajectory().points();
    let wanted = [0, 31, LAST_STEP];
    let spanned = plane_of(&session, Directions::Checkpoints(wanted), "all").unwrap();
    let steps = spanned.steps.unwrap();
    assert_eq!(steps[0], 0);
    assert!(steps[1].abs_diff(31) <= 1 && steps[2] == points.last().unwrap().step);
    let taken = steps.map(|step| points.iter().find(|p| p.step == step).unwrap());
    assert_eq!(spanned.plane.center(), &*taken[0].params);
    for (point, (x, y)) in taken.iter().zip([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]) {
        let at = spanned.plane.point(x, y);
        for (a, b) in at.iter().zip(&*point.params) {
            assert!((a - b).abs() <= 1e-6 * b.abs().max(1.0));
        }
        let seen = spanned.plane.project(&point.params);
        assert!((seen.x - x).abs() < 1e-5 && (seen.y - y).abs() < 1e-5);
    }
    // A step that was not recorded gives the nearest that was.
    assert!(points.iter().all(|p| p.step != 31));
}

#[test]
fn the_shares_of_the_components_are_the_path_s_share_in_their_plane() {
    let session = trained(SPIRAL);
    let points = session.trajectory().points();
    assert!(
        points.len() <= 96,
        "none is left out when components are sought"
    );
    let gauge = Gauge::training_loss(session.trainer().problem());
    let spanned = plane_of(&session, Directions::Path, "all").unwrap();
    let [first, second] = spanned.shares.unwrap();
    assert!(first > second && second > 0.0 && first + second <= 1.0);
    let seen = path_on_plane(gauge, &spanned.plane, points, &GO).unwrap();
    let share = seen.share_in_plane().unwrap();
    assert!(
        (share - first - second).abs() < 1e-5,
        "{share} {first} {second}"
    );
    // The first component explains what it says by itself.
    let (u, params) = (spanned.plane.direction_x(), session.trainer().params());
    let (mut along, mut total) = (0.0, 0.0);
    for point in points {
        let moved: Vec<f32> = point
            .params
            .iter()
            .zip(params)
            .map(|(p, c)| p - c)
            .collect();
        along += dot(&moved, u).powi(2) / dot(u, u);
        total += dot(&moved, &moved);
    }
    assert!((along / total - first).abs() < 1e-5);
    // Of a block, the shares are those of what the block moves.
    let block = plane_of(&session, Directions::Path, "layers:1").unwrap();
    let [first, second] = block.shares.unwrap();
    assert!(first + second <= 1.0 + 1e-9 && first + second > 0.5);
}

#[test]
fn the_gradient_s_plane_holds_the_gradient_and_what_the_hessian_makes_of_it() {
    let session = trained(SPIRAL);
    let trainer = session.trainer();
    for text in ["all", "layers:1"] {
        let scope: Scope = text.parse().unwrap();
        let gauge = Gauge::training_loss(trainer.problem());
        let mut hessian = LossHessian::new(gauge, trainer.params(), &scope, &GO).unwrap();
        let (_, gradient) = hessian.gradient().unwrap();
        let mut turned = vec![0.0; gradient.len()];
        assert!(hessian.product(&gradient, &mut turned));
        let spanned = plane_of(&session, Directions::Gradient, text).unwrap();
        let (u, v) = (spanned.plane.direction_x(), spanned.plane.direction_y());
        assert!(dot(u, v).abs() < 1e-6 * dot(u, u));
        assert!(
            (dot(u, u) / dot(v, v) - 1.0).abs() < 1e-5,
            "both are as long"
        );
        let of = |direction: &[f32], k: usize| f64::from(direction[hessian.moving()[k]]);
        let inner = |direction: &[f32], with: &[f64]| -> f64 {
            let terms = with.iter().enumerate();
            terms.map(|(k, w)| w * of(direction, k)).sum()
        };
        let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        assert!((spanned.gradient_norm.unwrap() / norm - 1.0).abs() < 1e-12);
        let length = dot(u, u).sqrt();
        assert!(
            (inner(u, &gradient) / (norm * length) + 1.0).abs() < 1e-6,
            "downhill"
        );
        // All of H g lies in the plane.
        let size: f64 = turned.iter().map(|t| t * t).sum();
        let (a, b) = (inner(u, &turned) / length, inner(v, &turned) / length);
        assert!(((a * a + b * b) / size - 1.0).abs() < 1e-5);
    }
}

/// The curved planes reach as far as documented: the model of second order along
/// the steepest direction changes by the loss of a network of zeros.
#[test]
fn the_hessian_s_plane_reaches_as_far_as_it_says() {
    let session = trained(SPIRAL);
    let problem = session.trainer().problem();
    let zeros = vec![0.0; session.trainer().params().len()];
    let silent = Evaluator::new(&problem.network).loss(&problem.network, &zeros, &problem.train);
    assert!((silent - 2.0_f64.ln()).abs() < 1e-6, "two classes");
    for directions in [Directions::Hessian, Directions::HessianEnds] {
        let spanned = plane_of(&session, directions, "all").unwrap();
        let [a, b] = spanned.eigenvalues.unwrap();
        let (u, v) = (spanned.plane.direction_x(), spanned.plane.direction_y());
        let length = dot(u, u).sqrt();
        assert!((dot(v, v).sqrt() / length - 1.0).abs() < 1e-5);
        assert!(dot(u, v).abs() < 1e-5 * length * length);
        let gauge = Gauge::training_loss(problem);
        let params = session.trainer().params();
        let mut hessian = LossHessian::new(gauge, params, &Scope::Whole, &GO).unwrap();
        let (_, gradient) = hessian.gradient().unwrap();
        let along = |d: &[f32]| -> f64 {
            let pairs = gradient.iter().zip(d);
            pairs.map(|(g, &d)| g * f64::from(d)).sum::<f64>()
        };
        let change = along(u).hypot(along(v)) + 0.5 * a.abs().max(b.abs()) * length * length;
        let weights = hessian.weights_norm();
        if length < 0.999 * weights {
            assert!((change / silent - 1.0).abs() < 1e-4, "{change} {silent}");
        } else {
            assert!(change <= silent * 1.0001);
        }
    }
}

/// `tanh` layers and a sigmoid, written out in double precision.
fn loss_by_hand(problem: &Problem, params: &[f64]) -> f64 {
    let widths = problem.network.widths();
    let samples = &problem.train;
    let mut total = 0.0;
    for (x, y) in samples.x.rows().into_iter().zip(samples.y.rows()) {
        let mut values: Vec<f64> = x.iter().map(|&v| f64::from(v)).collect();
        let mut at = 0;
        for (k, pair) in widths.windows(2).enumerate() {
            let (inputs, units) = (pair[0], pair[1]);
            let bias = at + inputs * units;
            let z = |unit: usize| -> f64 {
                let row = &params[at + unit * inputs..][..inputs];
                let sum: f64 = row.iter().zip(&values).map(|(w, v)| w * v).sum();
                sum + params[bias + unit]
            };
            let last = k + 2 == widths.len();
            let out: Vec<f64> = (0..units)
                .map(|unit| if last { z(unit) } else { z(unit).tanh() })
                .collect();
            values = out;
            at = bias + units;
        }
        // -y ln s(z) - (1 - y) ln (1 - s(z))
        let (z, y) = (values[0], f64::from(y[0]));
        total += z.max(0.0) - z * y + (-z.abs()).exp().ln_1p();
    }
    total / samples.len() as f64
}

/// The nearest point of the plane, by its normal equations.
fn projected_by_hand(plane: &Plane, params: &[f32]) -> Vec<f64> {
    let (c, u, v) = (plane.center(), plane.direction_x(), plane.direction_y());
    let d: Vec<f64> = params
        .iter()
        .zip(c)
        .map(|(&p, &c)| f64::from(p) - f64::from(c))
        .collect();
    let inner = |w: &[f32]| -> f64 { d.iter().zip(w).map(|(d, &w)| d * f64::from(w)).sum() };
    let (uu, uv, vv) = (dot(u, u), dot(u, v), dot(v, v));
    let (a, b) = (inner(u), inner(v));
    let det = uu * vv - uv * uv;
    let (x, y) = ((a * vv - b * uv) / det, (b * uu - a * uv) / det);
    (0..c.len())
        .map(|i| f64::from(c[i]) + x * f64::from(u[i]) + y * f64::from(v[i]))
        .collect()
}

#[test]
fn path_heights_are_recorded_losses_and_gaps_are_the_loss_less_that_at_the_projection() {
    let session = trained(SPIRAL);
    let problem = session.trainer().problem();
    let gauge = Gauge::training_loss(problem);
    let mut evaluator = Evaluator::new(&problem.network);
    let points = session.trajectory().points();
    let mut largest = 0.0_f64;
    for directions in ALL {
        let plane = plane_of(&session, directions, "all").unwrap().plane;
        let seen = path_on_plane(gauge, &plane, points, &GO).unwrap();
        assert_eq!(seen.points.len(), points.len());
        for (seen, point) in seen.points.iter().zip(points) {
            let again = evaluator.loss(&problem.network, &point.params, &problem.train);
            assert_eq!(seen.true_loss.to_bits(), point.loss.to_bits());
            assert_eq!(seen.recorded_loss.to_bits(), again.to_bits());
            let wide: Vec<f64> = point.params.iter().map(|&p| f64::from(p)).collect();
            let truth = loss_by_hand(problem, &wide);
            let slice = loss_by_hand(problem, &projected_by_hand(&plane, &point.params));
            assert!((seen.true_loss - truth).abs() < 2e-6 * truth.max(1.0));
            let off = (seen.gap() - (truth - slice)).abs();
            assert!(
                off < 5e-6 * truth.max(slice).max(1.0),
                "{directions}: {off}"
            );
            largest = largest.max((truth - slice).abs());
        }
    }
    assert!(
        largest > 0.01,
        "there is a gap to be right about: {largest}"
    );
}

#[test]
fn a_snapshot_s_batch_is_what_the_last_step_saw() {
    let experiment = Experiment::parse(SPIRAL, "test.toml").unwrap();
    let problem = Arc::new(Problem::new(&experiment).unwrap());
    let mut session = Session::new(Arc::clone(&problem));
    assert!(session.snapshot().batch.is_empty());
    let mut twin = Trainer::new(Arc::clone(&problem));
    let measure = Measure {
        over: Over::Batch,
        ..Measure::default()
    };
    let none = Gauge::new(&problem, measure, None).unwrap_err().to_string();
    assert!(none.contains("no batch before the first step"), "{none}");
    for step in 1..=20_u64 {
        let before = session.trainer().params().to_vec();
        session.command(TrainCommand::Step);
        twin.step();
        let snapshot = session.snapshot();
        let rows: Vec<usize> = snapshot.batch.iter().map(|&r| r as usize).collect();
        assert_eq!(rows, twin.last_batch());
        assert_eq!(rows, batch_of(&problem, snapshot.seed, step), "{step}");
        let batch = problem.train.select_rows(&snapshot.batch);
        let gauge = Gauge::new(&problem, measure, Some(&batch)).unwrap();
        let seen = gauge.at(&before, &mut Evaluator::new(&problem.network));
        assert!((seen - snapshot.batch_loss).abs() < 1e-6, "{step}");
    }
    session.command(TrainCommand::Reset);
    assert!(session.snapshot().batch.is_empty());
}

#[test]
fn the_batch_of_a_full_batch_method_is_everything() {
    let text = SPIRAL
        .replace("batch = 16", "batch = \"full\"")
        .replace("name = \"adam\", learning_rate = 0.02", "name = \"lbfgs\"");
    let experiment = Experiment::parse(&text, "test.toml").unwrap();
    let problem = Arc::new(Problem::new(&experiment).unwrap());
    let mut session = Session::new(Arc::clone(&problem));
    session.command(TrainCommand::Step);
    let mut rows = session.snapshot().batch.to_vec();
    assert_eq!(rows.len(), batch_of(&problem, 0, 1).len());
    rows.sort_unstable();
    assert!(rows.iter().enumerate().all(|(i, &r)| i == r as usize));
    assert_eq!(rows.len(), problem.train.len());
}

#[test]
fn penalties_and_accuracy_are_what_they_say_over_any_samples() {
    let text = format!("{SPIRAL}l1 = 0.001\nl2 = 0.02\n");
    let session = trained(&text);
    let problem = session.trainer().problem();
    let params = session.trainer().params();
    let mut evaluator = Evaluator::new(&problem.network);
    let mut value = |over, quantity, penalties| {
        let measure = Measure {
            quantity,
            over,
            penalties,
        };
        let gauge = Gauge::new(problem, measure, None).unwrap();
        gauge.at(params, &mut evaluator)
    };
    let weights: f64 = (0..3)
        .flat_map(|k| params[problem.network.layout().weight(k)].iter())
        .map(|&w| f64::from(w))
        .map(|w| 0.001 * w.abs() + 0.01 * w * w)
        .sum();
    for over in [Over::Train, Over::Validation] {
        let bare = value(over, Quantity::Loss, false);
        let with = value(over, Quantity::Loss, true);
        assert!((with - bare - weights).abs() < 1e-9);
        let accuracy = value(over, Quantity::Accuracy, false);
        let samples: &Samples = match over {
            Over::Train => &problem.train,
            _ => &problem.validation,
        };
        let right = accuracy * samples.len() as f64;
        assert!((right - right.round()).abs() < 1e-9 && accuracy > 0.4);
    }
}

#[test]
fn a_line_has_its_ends_scores_and_what_lies_between() {
    let session = trained(SPIRAL);
    let problem = session.trainer().problem();
    let points: &[PathPoint] = session.trajectory().points();
    let (from, to) = (&points[0].params, &points[points.len() - 1].params);
    let line = Line::new(from.to_vec(), to.to_vec()).unwrap();
    let axis = Axis::new(-0.5, 1.5, 9).unwrap();
    let scores = line.scores(problem, axis, &GO, |_| {}).unwrap();
    assert_eq!(scores.len(), 9);
    assert_eq!(scores[2].at, 0.0);
    assert_eq!(scores[2].train.loss.to_bits(), points[0].loss.to_bits());
    assert_eq!(scores[6].at, 1.0);
    assert_eq!(
        scores[6].train.loss.to_bits(),
        points[points.len() - 1].loss.to_bits()
    );
    let middle: Vec<f64> = from
        .iter()
        .zip(&**to)
        .map(|(&a, &b)| 0.5 * (f64::from(a) + f64::from(b)))
        .collect();
    let truth = loss_by_hand(problem, &middle);
    assert!((scores[4].train.loss - truth).abs() < 2e-6);
    let validation = scores[4].validation.unwrap();
    assert!((0.0..=1.0).contains(&validation.accuracy.unwrap()));
    assert!(
        line.scores(problem, axis, &AtomicBool::new(true), |_| {})
            .is_none()
    );
}
