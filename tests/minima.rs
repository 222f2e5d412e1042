//! Full-batch methods beside SciPy: from the same start they come to the same
//! minimum. `tests/golden/minima.py` made the reference.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::optim::{Iteration, Objective, SolverKind};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    library: String,
    times: Vec<f64>,
    values: Vec<f64>,
    rosenbrock: Case,
    curve: Case,
}

#[derive(Deserialize)]
struct Case {
    start: Vec<f64>,
    minima: Vec<Minimum>,
}

#[derive(Deserialize)]
struct Minimum {
    method: String,
    x: Vec<f64>,
    loss: f64,
}

fn reference() -> Reference {
    let reference: Reference = serde_json::from_str(include_str!("golden/scipy.json")).unwrap();
    assert!(reference.library.starts_with("SciPy 1."));
    reference
}

/// `1/2 |r|^2` of residuals and their Jacobian, row by row.
struct Squares<F> {
    parameters: usize,
    residuals: F,
    evaluations: usize,
}

impl<F: Fn(&[f64]) -> (Vec<f64>, Vec<Vec<f64>>)> Objective for Squares<F> {
    fn parameters(&self) -> usize {
        self.parameters
    }

    fn loss(&mut self, p: &[f64]) -> f64 {
        self.evaluations += 1;
        let (r, _) = (self.residuals)(p);
        0.5 * r.iter().map(|r| r * r).sum::<f64>()
    }

    fn gradient(&mut self, p: &[f64], gradient: &mut [f64]) -> f64 {
        let (r, jacobian) = (self.residuals)(p);
        gradient.fill(0.0);
        for (r, row) in r.iter().zip(&jacobian) {
            for (g, j) in gradient.iter_mut().zip(row) {
                *g += r * j;
            }
        }
        self.loss(p)
    }

    fn normal_equations(
        &mut self,
        p: &[f64],
        matrix: &mut [f64],
        gradient: &mut [f64],
    ) -> Option<f64> {
        let (_, jacobian) = (self.residuals)(p);
        matrix.fill(0.0);
        for row in &jacobian {
            for (i, a) in row.iter().enumerate() {
                for (j, b) in row.iter().enumerate() {
                    matrix[i * p.len() + j] += a * b;
                }
            }
        }
        Some(self.gradient(p, gradient))
    }
}

fn rosenbrock(p: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let (mut r, mut jacobian) = (Vec::new(), Vec::new());
    let row = |entries: &[(usize, f64)]| {
        let mut row = vec![0.0; p.len()];
        entries.iter().for_each(|&(i, v)| row[i] = v);
        row
    };
    for i in 0..p.len() - 1 {
        r.push(10.0 * (p[i + 1] - p[i] * p[i]));
        jacobian.push(row(&[(i, -20.0 * p[i]), (i + 1, 10.0)]));
        r.push(1.0 - p[i]);
        jacobian.push(row(&[(i, -1.0)]));
    }
    (r, jacobian)
}

/// Iterates until the method says that it has nothing left; gives how often.
fn minimise(kind: SolverKind, objective: &mut dyn Objective, p: &mut [f64]) -> usize {
    let mut solver = kind.build(p.len());
    for iteration in 0..20_000 {
        match solver.iterate(objective, p, 1e-3) {
            Iteration::Done { .. } => {}
            Iteration::Stopped(_) => return iteration,
            Iteration::NotFinite => panic!("{}: {p:?}", kind.name()),
        }
    }
    panic!("{} does not end: {p:?}", kind.name());
}

const METHODS: [(SolverKind, &str, usize); 4] = [
    (SolverKind::FletcherReeves, "conjugate gradients", 300),
    (SolverKind::PolakRibiere, "conjugate gradients", 300),
    (SolverKind::Lbfgs { history: 10 }, "lbfgs", 80),
    (
        SolverKind::LevenbergMarquardt {
            mu: 0.001,
            mu_dec: 0.1,
            mu_inc: 10.0,
            mu_max: 1e10,
        },
        "levenberg-marquardt",
        60,
    ),
];

fn compare(case: &Case, residuals: impl Fn(&[f64]) -> (Vec<f64>, Vec<Vec<f64>>) + Copy) {
    for (kind, counterpart, most) in METHODS {
        let mut objective = Squares {
            parameters: case.start.len(),
            residuals,
            evaluations: 0,
        };
        let mut p = case.start.clone();
        let iterations = minimise(kind, &mut objective, &mut p);
        assert!(iterations <= most, "{}: {iterations}", kind.name());
        let loss = objective.loss(&p);
        for minimum in &case.minima {
            // SciPy's own methods agree with each other no better than 2e-8. A line
            // search ends where the loss falls by less than its rounding, a little
            // before where Levenberg-Marquardt does: 7e-9 at most here.
            let by_line = !matches!(kind, SolverKind::LevenbergMarquardt { .. });
            let tolerance = match (minimum.method == "levenberg-marquardt", by_line) {
                (true, false) => 1e-9,
                (true, true) => 1e-8,
                (false, _) => 3e-8,
            };
            for (ours, theirs) in p.iter().zip(&minimum.x) {
                let difference = (ours - theirs).abs();
                assert!(
                    difference < tolerance,
                    "{} beside {}: {ours} for {theirs}",
                    kind.name(),
                    minimum.method
                );
            }
            assert!((loss - minimum.loss).abs() < 1e-15, "{}", kind.name());
        }
        assert!(case.minima.iter().any(|m| m.method == counterpart));
    }
}

#[test]
fn the_valley_of_rosenbrock_ends_where_scipy_finds_it() {
    compare(&reference().rosenbrock, rosenbrock);
}

#[test]
fn a_fitted_curve_has_scipy_s_coefficients() {
    let reference = reference();
    let (times, values) = (&reference.times, &reference.values);
    compare(&reference.curve, |p: &[f64]| {
        let (a, b, c, d) = (p[0], p[1], p[2], p[3]);
        times
            .iter()
            .zip(values)
            .map(|(t, v)| {
                let (fall, (sin, cos)) = ((-b * t).exp(), (d * t).sin_cos());
                let row = vec![fall, -a * t * fall, sin, c * t * cos];
                (a * fall + c * sin - v, row)
            })
            .unzip()
    });
}
