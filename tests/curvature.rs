//! Curvature against a dense eigensolve of the whole Hessian, and against what
//! is known in closed form.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use faer::{Mat, Side};
use gradscape::experiment::Experiment;
use gradscape::landscape::curvature::{
    CriticalPoint, Curvature, CurvatureError, CurvatureOptions, Density, Effort, LossHessian, ends,
    trace,
};
use gradscape::landscape::{Gauge, Measure, Over, Scope};
use gradscape::nn::{Activation, Loss, Network, ParamRole};
use gradscape::rng::{Stream, stream};
use gradscape::train::{FullHessian, Problem, Samples, Session, TrainCommand};
use ndarray::Array2;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

static GO: AtomicBool = AtomicBool::new(false);

/// A network with its data, at weights that some epochs came to.
struct Case {
    problem: Arc<Problem>,
    params: Vec<f32>,
}

fn case(text: &str, epochs: usize) -> Case {
    let experiment = Experiment::parse(text, "test.toml").unwrap_or_else(|e| panic!("{e}"));
    let mut session = Session::new(Arc::new(Problem::new(&experiment).unwrap()));
    for _ in 0..epochs {
        session.command(TrainCommand::Epoch);
    }
    Case {
        problem: Arc::clone(session.trainer().problem()),
        params: session.trainer().params().to_vec(),
    }
}

/// Up to 200 parameters: dense, with a penalty, with two kinds of loss, and a
/// convolution with batch normalisation.
fn small() -> Vec<Case> {
    let spiral = "[data]\nsource = \"spiral\"\nsamples = 250\n[network]\n\
                  layers = [{ dense = 8 }, { dense = 8 }]\nloss = \"cross-entropy\"\n";
    let iris = "[data]\nsource = \"iris\"\n[network]\nlayers = [{ dense = 9 }]\n\
                loss = \"cross-entropy\"\n[training]\nbatch = 16\nl2 = 0.01\n";
    let regression = "[data]\nsource = \"gauss-regression\"\nsamples = 200\n[network]\n\
                      layers = [{ dense = 12, activation = \"softplus\" }, { dense = 7 }]\n\
                      loss = \"mean-squared-error\"\n[training]\nbatch = 20\n";
    let conv = "[data]\nsource = \"digits\"\nlimit = 150\n[network]\n\
                layers = [{ conv = 2, kernel = 3, stride = 2 }, \"batch_norm\", \"prelu\", \
                { max_pool = 2 }, \"flatten\"]\nloss = \"cross-entropy\"\n[training]\nbatch = 30\n";
    vec![
        case(spiral, 0),
        case(spiral, 30),
        case(iris, 20),
        case(regression, 10),
        case(conv, 3),
    ]
}

impl Case {
    fn gauge(&self) -> Gauge<'_> {
        let measure = Measure {
            penalties: true,
            ..Measure::default()
        };
        Gauge::new(&self.problem, measure, None).unwrap()
    }

    /// The whole Hessian, column by column, with the L2 penalty's diagonal, and
    /// its eigenvalues by a dense solver, ascending.
    fn dense(&self, rows: &[usize]) -> (Mat<f64>, Vec<f64>) {
        let network = &self.problem.network;
        let params: Vec<f64> = self.params.iter().map(|&p| f64::from(p)).collect();
        let (x, y) = (
            self.problem.train.x.mapv(f64::from),
            self.problem.train.y.mapv(f64::from),
        );
        let mut matrix = FullHessian::new(network, &params, x.view(), y.view()).matrix();
        let l2 = self.problem.experiment.training.regulariser().l2;
        for tensor in network.layout().tensors() {
            if tensor.role == ParamRole::Weight {
                tensor.range.clone().for_each(|i| matrix[[i, i]] += l2);
            }
        }
        let block = Mat::from_fn(rows.len(), rows.len(), |i, j| {
            0.5 * (matrix[[rows[i], rows[j]]] + matrix[[rows[j], rows[i]]])
        });
        let values = block.self_adjoint_eigenvalues(Side::Lower).unwrap();
        (block, values)
    }

    fn all(&self) -> Vec<usize> {
        (0..self.problem.network.layout().trainable()).collect()
    }
}

fn by_size(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| b.abs().total_cmp(&a.abs()));
    sorted
}

#[test]
fn eigenvalues_are_those_of_a_dense_solver_for_networks_up_to_200_parameters() {
    for case in small() {
        let (block, values) = case.dense(&case.all());
        let n = values.len();
        assert!((20..=200).contains(&n), "{n}");
        let mut hessian = LossHessian::new(case.gauge(), &case.params, &Scope::Whole, &GO).unwrap();
        let mut rng = stream(1, Stream::Curvature);
        let found = ends(&mut hessian, 12, Effort::default(), &mut rng, &|_| {}).unwrap();
        assert!(found.converged);
        for (pair, expected) in found.top.iter().zip(by_size(&values)) {
            let off = (pair.value - expected).abs() / expected.abs();
            assert!(off < 1e-9, "{n}: {} for {expected}", pair.value);
            // The vector is an eigenvector of the dense matrix.
            for i in 0..n {
                let image: f64 = (0..n).map(|j| block[(i, j)] * pair.vector[j]).sum();
                let miss = image - pair.value * pair.vector[i];
                assert!(miss.abs() < 1e-9 * values[n - 1].abs(), "{miss}");
            }
        }
        let (smallest, largest) = (found.smallest.unwrap().value, found.largest.unwrap().value);
        let scale = largest.abs();
        assert!((smallest - values[0]).abs() < 1e-9 * scale);
        assert!((largest - values[n - 1]).abs() < 1e-9 * scale);
    }
}

/// Above [`WHOLE`](gradscape::landscape::curvature::WHOLE) rows the Lanczos
/// process ends early, by its residuals.
#[test]
fn eigenvalues_of_a_larger_network_are_within_their_residuals() {
    let text = "[data]\nsource = \"iris\"\n[network]\nlayers = [{ dense = 20 }, { dense = 15 }]\n\
                loss = \"cross-entropy\"\n[training]\nbatch = 16\n";
    for epochs in [0, 15] {
        let case = case(text, epochs);
        let (_, values) = case.dense(&case.all());
        assert_eq!(values.len(), 463);
        let mut hessian = LossHessian::new(case.gauge(), &case.params, &Scope::Whole, &GO).unwrap();
        let mut rng = stream(1, Stream::Curvature);
        let found = ends(&mut hessian, 8, Effort::default(), &mut rng, &|_| {}).unwrap();
        assert!(
            found.converged && found.products < 300,
            "{}",
            found.products
        );
        let scale = by_size(&values)[0].abs();
        for (pair, expected) in found.top.iter().zip(by_size(&values)) {
            let off = (pair.value - expected).abs();
            assert!(
                off <= pair.residual + 1e-12 * scale,
                "{off} {}",
                pair.residual
            );
            assert!(off < 1e-8 * expected.abs(), "{} {expected}", pair.value);
        }
        assert!((found.smallest.unwrap().value - values[0]).abs() < 1e-6 * scale);
    }
}

#[test]
fn a_block_of_the_hessian_has_the_block_s_eigenvalues() {
    let case = &small()[2];
    for (text, expected) in [("layers:1", 30), ("parameters:0,3-9,40", 9)] {
        let scope: Scope = text.parse().unwrap();
        let rows = scope.indices(case.problem.network.layout()).unwrap();
        assert_eq!(rows.len(), expected);
        let (_, values) = case.dense(&rows);
        let mut hessian = LossHessian::new(case.gauge(), &case.params, &scope, &GO).unwrap();
        let mut rng = stream(1, Stream::Curvature);
        let found = ends(&mut hessian, 5, Effort::default(), &mut rng, &|_| {}).unwrap();
        for (pair, expected) in found.top.iter().zip(by_size(&values)) {
            assert!((pair.value - expected).abs() < 1e-9 * expected.abs());
        }
    }
}

#[test]
fn the_trace_lies_within_its_stated_error() {
    let mut off = Vec::new();
    for (k, case) in small().iter().enumerate() {
        let (block, _) = case.dense(&case.all());
        let exact: f64 = (0..block.nrows()).map(|i| block[(i, i)]).sum();
        let mut hessian = LossHessian::new(case.gauge(), &case.params, &Scope::Whole, &GO).unwrap();
        let mut rng = stream(k as u64, Stream::Curvature);
        let few = trace(&mut hessian, 100, &mut rng, &|_| {}).unwrap();
        let errors = (few.value - exact).abs() / few.standard_error;
        assert!(errors < 4.0, "{few:?} for {exact}");
        off.push(errors);
        // A hundred times the probes, a tenth of the error.
        let many = trace(&mut hessian, 10_000, &mut rng, &|_| {}).unwrap();
        let ratio = few.standard_error / many.standard_error;
        assert!((5.0..20.0).contains(&ratio), "{ratio}");
        assert!((many.value - exact).abs() < 4.0 * many.standard_error);
    }
    // An error that was stated far too large would pass as well, but for this.
    assert!(off.iter().any(|&e| e > 0.3), "{off:?}");
}

#[test]
fn the_density_lies_within_its_stated_error_of_the_dense_spectrum() {
    for (k, case) in small().iter().enumerate() {
        let (_, values) = case.dense(&case.all());
        let n = values.len() as f64;
        let mut hessian = LossHessian::new(case.gauge(), &case.params, &Scope::Whole, &GO).unwrap();
        let mut rng = stream(k as u64, Stream::Curvature);
        let density = Density::new(&mut hessian, 60, 80, &mut rng, &|_| {}).unwrap();
        assert_eq!(density.probes(), 60);
        let step = density.at[1] - density.at[0];
        let integral: f64 = density.density.iter().sum::<f64>() * step;
        assert!((integral - 1.0).abs() < 1e-5, "{integral}");
        // The dense spectrum under the same bell curves.
        let bell = |t: f64| {
            let width = density.width;
            (-0.5 * (t / width).powi(2)).exp() / (width * std::f64::consts::TAU.sqrt())
        };
        let highest = density.density.iter().copied().fold(0.0, f64::max);
        let mut outside = 0;
        for (i, &at) in density.at.iter().enumerate() {
            let exact = values.iter().map(|v| bell(at - v)).sum::<f64>() / n;
            let off = (density.density[i] - exact).abs();
            let allowed = 5.0 * density.standard_error[i] + 1e-4 * highest;
            assert!(off < allowed, "{k} {at}: {off} {allowed}");
            outside += usize::from(off > 2.0 * density.standard_error[i] + 1e-4 * highest);
        }
        // Within two standard errors 19 times in 20; neighbours go together.
        assert!(outside < density.at.len() / 5, "{outside}");
        for power in 1..=4 {
            let exact = values.iter().map(|v| v.powi(power)).sum::<f64>() / n;
            let moment = density.moment(power);
            let slack = 1e-12 * exact.abs();
            let off = (moment.value - exact).abs();
            assert!(
                off < 4.0 * moment.standard_error + slack,
                "{power} {moment:?}"
            );
        }
        // Between eigenvalues that stand apart the shares are the counts.
        let gap = values
            .windows(2)
            .filter(|w| w[1] - w[0] > 4.0 * density.width);
        for pair in gap {
            let at = 0.5 * (pair[0] + pair[1]);
            let exact = values.iter().filter(|v| **v <= at).count() as f64 / n;
            let share = density.share_below(at);
            let off = (share.value - exact).abs();
            assert!(
                off < 4.5 * share.standard_error + 1e-9,
                "{at} {share:?} {exact}"
            );
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
    let case = &small()[1];
    let curvature = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let options = CurvatureOptions {
                seed: 7,
                ..CurvatureOptions::default()
            };
            let gauge = case.gauge();
            Curvature::new(gauge, &case.params, &Scope::Whole, options, &GO, &|_| {}).unwrap()
        })
    };
    let one = curvature(1);
    assert_eq!(one, curvature(2));
    assert_eq!(one, curvature(5));
    assert_eq!(one.trace.unwrap().value, {
        let density = one.density.as_ref().unwrap();
        one.size as f64 * density.moment(1).value
    });
}

#[test]
fn it_can_be_called_off_and_says_what_it_is_doing() {
    let case = &small()[1];
    let cancel = AtomicBool::new(false);
    let seen = std::cell::Cell::new(0);
    let progress = |n: usize| {
        assert!(n > seen.get());
        seen.set(n);
        if n == 40 {
            cancel.store(true, Ordering::Relaxed);
        }
    };
    let options = CurvatureOptions::default();
    let found = Curvature::new(
        case.gauge(),
        &case.params,
        &Scope::Whole,
        options,
        &cancel,
        &progress,
    );
    assert_eq!(found, Err(CurvatureError::Cancelled));
    assert_eq!(seen.get(), 40);
}

/// A network of its own with samples of its own.
fn point(network: &Network, samples: &Samples, params: &[f32]) -> CriticalPoint {
    let gauge = Gauge::loss(network, samples);
    let options = CurvatureOptions::quick();
    let found = Curvature::new(gauge, params, &Scope::Whole, options, &GO, &|_| {}).unwrap();
    found.point()
}

#[test]
fn places_of_networks_are_called_what_they_are() {
    let n = 40;
    let inputs = |i: usize| (i as f32 - 19.5) / 10.0;
    let samples = Samples {
        x: Array2::from_shape_fn((n, 1), |(i, _)| inputs(i)),
        y: Array2::from_shape_fn((n, 1), |(i, _)| 0.8 * inputs(i)),
    };
    // y = v w x: zero weights are a saddle (Baldi and Hornik 1989), and v w = 0.8
    // a minimum, along which nothing changes.
    let linear = [(1, Activation::Linear), (1, Activation::Linear)];
    let network = Network::dense(1, &linear, Loss::HalfSquaredError).unwrap();
    assert_eq!(point(&network, &samples, &[0.0; 4]), CriticalPoint::Saddle);
    let bottom = [0.8, 0.0, 1.0, 0.0];
    assert_eq!(point(&network, &samples, &bottom), CriticalPoint::Minimum);
    let side = [0.5, 0.1, 1.0, 0.0];
    assert_eq!(point(&network, &samples, &side), CriticalPoint::Slope);
    // A sigmoid that is saturated at the wrong end learns nothing any more.
    let sigmoid = [(1, Activation::Sigmoid)];
    let network = Network::dense(1, &sigmoid, Loss::HalfSquaredError).unwrap();
    let ones = Samples {
        x: samples.x.clone(),
        y: Array2::ones((n, 1)),
    };
    let saturated = point(&network, &ones, &[0.0, -60.0]);
    assert_eq!(saturated, CriticalPoint::Plateau);
    assert_eq!(point(&network, &ones, &[0.0, 0.0]), CriticalPoint::Slope);
}

#[test]
fn a_trained_network_s_minimum_is_found_to_be_one() {
    let text = "[data]\nsource = \"gauss-regression\"\nsamples = 120\nnoise = 0.3\n[network]\n\
                layers = [{ dense = 3 }]\nloss = \"half-squared-error\"\n[training]\nl2 = 0.01\n\
                batch = \"full\"\noptimizer = { name = \"lbfgs\" }\n";
    let start = case(text, 0);
    let end = case(text, 300);
    let named = |case: &Case| {
        let options = CurvatureOptions::quick();
        let whole = Scope::Whole;
        let found = Curvature::new(case.gauge(), &case.params, &whole, options, &GO, &|_| {});
        found.unwrap().point()
    };
    assert_eq!(named(&start), CriticalPoint::Slope);
    assert_eq!(named(&end), CriticalPoint::Minimum);
}

#[test]
fn the_surface_that_the_optimiser_sees_has_its_own_curvature() {
    let case = &small()[2];
    let rows: Vec<usize> = (0..10).collect();
    let batch = case.problem.train.select(&rows);
    let measure = Measure {
        over: Over::Batch,
        ..Measure::default()
    };
    let gauge = Gauge::new(&case.problem, measure, Some(&batch)).unwrap();
    let options = CurvatureOptions::quick();
    let whole = Scope::Whole;
    let of = |gauge| Curvature::new(gauge, &case.params, &whole, options, &GO, &|_| {}).unwrap();
    let (batch, all) = (of(gauge), of(Gauge::training_loss(&case.problem)));
    assert!((batch.sharpness() / all.sharpness() - 1.0).abs() > 0.01);
}
