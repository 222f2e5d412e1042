//! On a purely quadratic problem, a linear network without hidden layers and
//! squared error, all is known in closed form: the minimum from the normal
//! equations, the Hessian, the path of gradient descent, and every height of a
//! surface.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use gradscape::experiment::Experiment;
use gradscape::landscape::curvature::{
    CriticalPoint, Curvature, CurvatureOptions, LossHessian, Symmetric,
};
use gradscape::landscape::{
    Axis, Directions, Gauge, PlaneContext, Scope, Slice, evaluate, path_on_plane, span,
};
use gradscape::optim::Objective;
use gradscape::train::{NetworkObjective, Problem, Session, TrainCommand};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

static GO: AtomicBool = AtomicBool::new(false);
const RATE: f64 = 0.1;

fn problem(epochs: usize) -> Arc<Problem> {
    let text = format!(
        "seed = 4\n[data]\nsource = \"gauss-regression\"\nsamples = 150\nnoise = 0.2\n[network]\n\
         layers = []\nloss = \"half-squared-error\"\n[training]\nbatch = \"full\"\n\
         epochs = {epochs}\noptimizer = {{ name = \"sgd\", learning_rate = {RATE} }}\n"
    );
    let experiment = Experiment::parse(&text, "test.toml").unwrap_or_else(|e| panic!("{e}"));
    Arc::new(Problem::new(&experiment).unwrap())
}

/// `L(theta) = floor + 1/2 (theta - minimum)' H (theta - minimum)`.
struct Closed {
    hessian: Mat<f64>,
    minimum: Vec<f64>,
    floor: f64,
}

impl Closed {
    fn of(problem: &Problem) -> Self {
        let (x, y) = (&problem.train.x, &problem.train.y);
        assert_eq!(y.ncols(), 1);
        let (n, k) = x.dim();
        // Parameters are the weights, then the bias: a column of ones.
        let design = Mat::from_fn(n, k + 1, |i, j| match j {
            j if j < k => f64::from(x[[i, j]]),
            _ => 1.0,
        });
        let target = Mat::from_fn(n, 1, |i, _| f64::from(y[[i, 0]]));
        let mean =
            |sum: Mat<f64>| Mat::from_fn(sum.nrows(), sum.ncols(), |i, j| sum[(i, j)] / n as f64);
        let hessian = mean(design.transpose() * &design);
        let right = mean(design.transpose() * &target);
        let solved = hessian.llt(Side::Lower).unwrap().solve(&right);
        let error = &design * &solved - &target;
        Closed {
            floor: (0..n).map(|i| error[(i, 0)].powi(2)).sum::<f64>() / (2.0 * n as f64),
            minimum: (0..=k).map(|i| solved[(i, 0)]).collect(),
            hessian,
        }
    }

    fn times(&self, v: &[f64]) -> Vec<f64> {
        let n = v.len();
        (0..n)
            .map(|i| (0..n).map(|j| self.hessian[(i, j)] * v[j]).sum())
            .collect()
    }

    fn loss(&self, params: &[f64]) -> f64 {
        let d: Vec<f64> = params
            .iter()
            .zip(&self.minimum)
            .map(|(p, m)| p - m)
            .collect();
        let image = self.times(&d);
        self.floor + 0.5 * d.iter().zip(&image).map(|(a, b)| a * b).sum::<f64>()
    }

    /// `minimum + (I - rate H)^steps (start - minimum)`, in the eigenvectors of H.
    fn descended(&self, start: &[f64], rate: f64, steps: i32) -> Vec<f64> {
        let eigen = self.hessian.self_adjoint_eigen(Side::Lower).unwrap();
        let (u, s) = (eigen.U(), eigen.S().column_vector());
        let n = start.len();
        let mut end = self.minimum.clone();
        for k in 0..n {
            let along: f64 = (0..n)
                .map(|i| u[(i, k)] * (start[i] - self.minimum[i]))
                .sum();
            let left = along * (1.0 - rate * s[k]).powi(steps);
            (0..n).for_each(|i| end[i] += left * u[(i, k)]);
        }
        end
    }
}

fn wide(params: &[f32]) -> Vec<f64> {
    params.iter().map(|&p| f64::from(p)).collect()
}

fn furthest(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |m, (a, b)| m.max((a - b).abs()))
}

#[test]
fn gradient_and_hessian_are_the_normal_equations() {
    let problem = problem(1);
    let closed = Closed::of(&problem);
    let start = problem.initial_params();
    let mut hessian =
        LossHessian::new(Gauge::training_loss(&problem), &start, &Scope::Whole, &GO).unwrap();
    let n = hessian.size();
    assert_eq!(n, closed.minimum.len());
    for j in 0..n {
        let (mut unit, mut column) = (vec![0.0; n], vec![0.0; n]);
        unit[j] = 1.0;
        assert!(hessian.product(&unit, &mut column));
        for (i, value) in column.iter().enumerate() {
            assert!((value - closed.hessian[(i, j)]).abs() < 1e-12);
        }
    }
    let (loss, gradient) = hessian.gradient().unwrap();
    let d: Vec<f64> = wide(&start)
        .iter()
        .zip(&closed.minimum)
        .map(|(p, m)| p - m)
        .collect();
    assert!(furthest(&gradient, &closed.times(&d)) < 1e-12);
    assert!((loss - closed.loss(&wide(&start))).abs() < 1e-12);
}

#[test]
fn eigenvalues_and_the_name_of_the_minimum_are_the_closed_form_s() {
    let problem = problem(1);
    let closed = Closed::of(&problem);
    let expected = closed
        .hessian
        .self_adjoint_eigenvalues(Side::Lower)
        .unwrap();
    let gauge = Gauge::training_loss(&problem);
    let at = |params: &[f32]| {
        let options = CurvatureOptions::default();
        Curvature::new(gauge, params, &Scope::Whole, options, &GO, &|_| {}).unwrap()
    };
    let start = at(&problem.initial_params());
    for (pair, expected) in start.ends.top.iter().zip(expected.iter().rev()) {
        assert!((pair.value / expected - 1.0).abs() < 1e-10);
    }
    assert_eq!(start.point(), CriticalPoint::Slope);
    // What can be gained from the start is all that lies above the floor, where
    // the minimum is within reach.
    let minimum: Vec<f32> = closed.minimum.iter().map(|&m| m as f32).collect();
    let end = at(&minimum);
    assert_eq!(end.point(), CriticalPoint::Minimum);
    assert!((end.evidence.loss - closed.floor).abs() < 1e-6 * closed.floor);
    assert!(end.evidence.gradient_norm < 1e-6);
}

#[test]
fn gradient_descent_in_double_precision_takes_the_closed_form_s_path() {
    let problem = problem(1);
    let closed = Closed::of(&problem);
    let start = wide(&problem.initial_params());
    let mut objective = NetworkObjective::new(Arc::clone(&problem));
    let mut params = start.clone();
    let mut gradient = vec![0.0; params.len()];
    for step in 1..=400 {
        let loss = objective.gradient(&params, &mut gradient);
        assert!((loss - closed.loss(&params)).abs() < 1e-12);
        for (p, g) in params.iter_mut().zip(&gradient) {
            *p -= RATE * g;
        }
        let expected = closed.descended(&start, RATE, step);
        assert!(furthest(&params, &expected) < 1e-12, "{step}");
    }
    assert!(furthest(&params, &closed.minimum) < furthest(&start, &closed.minimum));
}

/// The trainer works in single precision: weights near 1 are apart by 1.2e-7, and
/// the differences of hundreds of steps stay below 1e-6.
#[test]
fn a_run_of_full_batch_gradient_descent_takes_the_closed_form_s_path_to_1e_6() {
    let problem = problem(300);
    let closed = Closed::of(&problem);
    let start = wide(&problem.initial_params());
    let mut session = Session::new(Arc::clone(&problem));
    session.command(TrainCommand::Start);
    while session.advance() {}
    let points = session.trajectory().points();
    assert!(points.len() > 200);
    let mut worst = [0.0_f64; 2];
    for point in points {
        let expected = closed.descended(&start, RATE, point.step as i32);
        worst[0] = worst[0].max(furthest(&wide(&point.params), &expected));
        worst[1] = worst[1].max((point.loss - closed.loss(&expected)).abs());
    }
    assert!(worst[0] < 1e-6 && worst[1] < 1e-6, "{worst:?}");
}

#[test]
fn every_height_over_the_hessian_s_plane_is_the_parabola_s() {
    let problem = problem(60);
    let closed = Closed::of(&problem);
    let mut session = Session::new(Arc::clone(&problem));
    session.command(TrainCommand::Start);
    while session.advance() {}
    let center = session.trainer().params().to_vec();
    let gauge = Gauge::training_loss(&problem);
    let path = session.trajectory().points();
    for directions in [
        Directions::Hessian,
        Directions::HessianEnds,
        Directions::Gradient,
        Directions::Path,
        Directions::Random { seed: 2 },
    ] {
        let spanned = span(&PlaneContext {
            gauge,
            center: &center,
            path,
            directions,
            scope: &Scope::Whole,
            cancel: &GO,
        });
        let spanned = spanned.unwrap_or_else(|e| panic!("{directions}: {e}"));
        let plane = &spanned.plane;
        let axis = Axis::new(-1.0, 1.0, 11).unwrap();
        let slice = Slice::new(gauge, plane);
        let surface = evaluate(&slice, axis, axis, &GO, |_| {}, |_| {}).unwrap();
        for (j, &y) in surface.y.iter().enumerate() {
            for (i, &x) in surface.x.iter().enumerate() {
                let exact = closed.loss(&wide(&plane.point(x, y)));
                let off = (surface.loss[[j, i]] - exact).abs();
                assert!(off < 1e-6 * exact.max(1.0), "{directions} {x} {y}: {off}");
            }
        }
        // A gap is the loss at a point of the path less that at its projection.
        let seen = path_on_plane(gauge, plane, path, &GO).unwrap();
        for (seen, point) in seen.points.iter().zip(path) {
            let at = wide(&plane.point(seen.x, seen.y));
            let gap = closed.loss(&wide(&point.params)) - closed.loss(&at);
            assert!((seen.gap() - gap).abs() < 1e-6, "{directions}");
        }
        if let Some(values) = spanned.eigenvalues {
            let exact = closed
                .hessian
                .self_adjoint_eigenvalues(Side::Lower)
                .unwrap();
            let last = exact.len() - 1;
            let second = match directions {
                Directions::HessianEnds => exact[0],
                _ => exact[last - 1],
            };
            assert!((values[0] / exact[last] - 1.0).abs() < 1e-9);
            assert!((values[1] / second - 1.0).abs() < 1e-9);
        }
    }
}
