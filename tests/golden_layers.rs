//! Layers of every kind beside independent libraries: the same network, weights
//! and data give the same values in every layer, the same derivatives of first
//! and second order, and the same runs. `tests/golden/generate_layers.py` made
//! the reference and documents its conventions.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::experiment::{Batch, Experiment, NetworkConfig, OptimizerConfig};
use gradscape::nn::{
    Activation, LayerKind, LayerSpec, Loss, Mode, Network, Real, Shape, Tangents, Workspace,
};
use gradscape::optim::Method;
use gradscape::train::{Problem, Samples, StepOutcome, Trainer};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use ndarray_npy::NpzReader;
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::sync::Arc;

const STEPS: usize = 30;

/// What two implementations at double precision that do the same differ by:
/// rounding alone. Asked for is 1e-10.
const DOUBLE: f64 = 1e-11;
const SINGLE: f64 = 1e-5;

#[derive(Deserialize)]
struct Reference {
    library: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    input: [usize; 3],
    network: NetworkConfig,
    output: (usize, Activation),
    loss: Loss,
    training_loss: f64,
    jax_training_loss: f64,
    inference_loss: f64,
    batches: Vec<Vec<usize>>,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    optimizer: OptimizerConfig,
    losses: Vec<f64>,
    full_batch_losses: Vec<f64>,
}

fn reference() -> Reference {
    let reference: Reference = serde_json::from_str(include_str!("golden/layers.json")).unwrap();
    assert!(reference.library["torch"].starts_with("2."));
    reference
}

type Arrays = NpzReader<Cursor<&'static [u8]>>;

thread_local! {
    static ARRAYS: RefCell<Arrays> = RefCell::new(
        NpzReader::new(Cursor::new(&include_bytes!("golden/layers.npz")[..])).unwrap(),
    );
}

impl Case {
    fn network(&self) -> Network {
        let [channels, height, width] = self.input;
        let mut layers = self.network.hidden().unwrap();
        let (units, activation) = self.output;
        layers.push(LayerSpec::new(LayerKind::Dense { units }, activation));
        Network::new(Shape::image(channels, height, width), &layers, self.loss).unwrap()
    }

    fn vector(&self, key: &str) -> Vec<f64> {
        let name = format!("{}/{key}.npy", self.name);
        let read = |arrays: &RefCell<Arrays>| arrays.borrow_mut().by_name(&name);
        let array: Array1<f64> = ARRAYS.with(read).unwrap();
        array.to_vec()
    }

    fn matrix(&self, key: &str) -> Array2<f64> {
        let name = format!("{}/{key}.npy", self.name);
        ARRAYS
            .with(|arrays| arrays.borrow_mut().by_name(&name))
            .unwrap()
    }

    fn samples<R: Real>(&self) -> (Array2<R>, Array2<R>) {
        (self.matrix("x").mapv(R::of), self.matrix("y").mapv(R::of))
    }

    fn initial<R: Real>(&self) -> Vec<R> {
        of(&self.vector("initial"))
    }

    /// Compares whatever a single batch gives.
    fn compare_derivatives<R: Real>(&self, tolerance: f64) {
        let network = self.network();
        let moved = network.layout().trainable();
        let (x, y) = self.samples::<R>();
        let params = self.initial::<R>();
        let mut workspace = Workspace::new(&network, x.nrows());
        let mut gradient = vec![R::of(f64::NAN); params.len()];

        let (xv, yv) = (x.view(), y.view());
        let loss = network.gradient(&params, xv, yv, &mut workspace, &mut gradient);
        self.close("inference loss", &[loss], &[self.inference_loss], tolerance);
        let output = self.matrix("inference_output");
        self.close_matrix("inference output", workspace.output(), &output, tolerance);
        let theirs = self.vector("inference_gradient");
        self.close_tensors(
            "inference gradient",
            &network,
            &gradient,
            &theirs,
            tolerance,
        );

        workspace.set_mode(Mode::Training { seed: 1 });
        let mut direction = of::<R>(&self.vector("direction"));
        assert_eq!(direction.len(), moved);
        direction.resize(params.len(), R::zero());
        let mut product = vec![R::of(f64::NAN); params.len()];
        gradient.fill(R::of(f64::NAN));
        let loss = network.hessian_vector(
            &params,
            xv,
            yv,
            &direction,
            &mut workspace,
            &mut Tangents::new(&network),
            &mut gradient,
            &mut product,
        );
        self.close("loss", &[loss], &[self.training_loss], tolerance);
        self.close("loss, JAX", &[loss], &[self.jax_training_loss], tolerance);
        for layer in 0..network.layers().len() {
            let z = self.matrix(&format!("z{layer}"));
            let a = match network.layers()[layer].activation() {
                Activation::Linear => z.clone(),
                _ => self.matrix(&format!("a{layer}")),
            };
            self.close_matrix(
                &format!("z of layer {layer}"),
                workspace.z(layer),
                &z,
                tolerance,
            );
            self.close_matrix(
                &format!("a of layer {layer}"),
                workspace.a(layer),
                &a,
                tolerance,
            );
        }
        for (what, ours) in [("gradient", &gradient), ("hessian_vector", &product)] {
            for library in ["", "jax_"] {
                let what = format!("{library}{what}");
                self.close_tensors(&what, &network, ours, &self.vector(&what), tolerance);
            }
            assert!(
                ours[moved..].iter().all(|&g| g == R::zero()),
                "{}: {what}",
                self.name
            );
        }
        // The gradient by itself is the one beside the product.
        let mut alone = vec![R::of(f64::NAN); params.len()];
        network.gradient(&params, xv, yv, &mut workspace, &mut alone);
        self.close_tensors(
            "gradient",
            &network,
            &alone,
            &self.vector("gradient"),
            tolerance,
        );
    }

    /// The losses of `run` and where it ends, at the precision of `R`.
    fn replay<R: Real>(&self, run: &Run) -> (Vec<f64>, Vec<R>) {
        let network = self.network();
        let moved = network.layout().trainable();
        let (x, y) = self.samples::<R>();
        let mut params = self.initial::<R>();
        let Method::FirstOrder(kind) = run.optimizer.kind() else {
            panic!("{:?} takes no steps", run.optimizer);
        };
        let mut optimizer = kind.build::<R>(moved);
        let mut workspace = Workspace::new(&network, x.nrows());
        workspace.set_mode(Mode::Training { seed: 1 });
        let mut gradient = vec![R::zero(); params.len()];
        let mut losses = Vec::new();
        for rows in &self.batches {
            let (x, y) = (x.select(Axis(0), rows), y.select(Axis(0), rows));
            let (x, y) = (x.view(), y.view());
            losses.push(network.gradient(&params, x, y, &mut workspace, &mut gradient));
            let (rate, gradient) = (run.optimizer.learning_rate, &gradient[..moved]);
            optimizer.step(&mut params[..moved], gradient, rate);
            network.gather_statistics(&workspace, &mut params);
        }
        (losses, params)
    }

    fn compare_run<R: Real>(&self, k: usize, tolerance: f64) {
        let run = &self.runs[k];
        let (losses, params) = self.replay::<R>(run);
        let what = |part: &str| format!("{part} of run {k} ({:?})", run.optimizer);
        assert_eq!(losses.len(), STEPS);
        self.close(&what("losses"), &losses, &run.losses, tolerance);

        let network = self.network();
        let theirs = self.vector(&format!("run{k}_params"));
        self.close_tensors(
            &what("parameters"),
            &network,
            &params,
            &theirs,
            10.0 * tolerance,
        );
        let (x, _) = self.samples::<R>();
        let mut workspace = Workspace::new(&network, x.nrows());
        network.forward(&params, x.view(), &mut workspace);
        let theirs = self.matrix(&format!("run{k}_output"));
        self.close_matrix(
            &what("output"),
            workspace.output(),
            &theirs,
            10.0 * tolerance,
        );
    }

    /// The losses of `run` with the whole set as every batch, by the trainer.
    fn trainer(&self, run: &Run) -> (Vec<f64>, Vec<f32>) {
        let mut experiment = Experiment::parse(
            "[data]\nsource = \"xor\"\n[network]\nloss = \"cross-entropy\"",
            "a place for the reference's network and data",
        )
        .unwrap();
        experiment.training.optimizer = run.optimizer;
        experiment.training.batch = Batch::Full;
        let mut problem = Problem::new(&experiment).unwrap();
        problem.network = self.network();
        let (x, y) = self.samples();
        problem.train = Samples { x, y };
        let mut trainer = Trainer::with_params(Arc::new(problem), self.initial(), 0);
        let step = |_: &f64| match trainer.step() {
            StepOutcome::Stepped { loss, .. } => loss,
            outcome => panic!("{outcome:?}"),
        };
        let losses = run.full_batch_losses.iter().map(step).collect();
        (losses, trainer.params().to_vec())
    }

    /// Each number relative to the reference's.
    fn close(&self, what: &str, ours: &[f64], theirs: &[f64], tolerance: f64) {
        assert_eq!(ours.len(), theirs.len(), "{}: {what}", self.name);
        for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
            let off = (a - b).abs() / b.abs();
            assert!(
                off <= tolerance,
                "{}: {what} {i}: {a} for {b}, off by {off:e}",
                self.name
            );
        }
    }

    /// Each difference relative to `largest`: the small values of an array are
    /// differences of large ones.
    fn close_array<R: Real>(
        &self,
        what: &str,
        ours: &[R],
        theirs: &[f64],
        largest: f64,
        tolerance: f64,
    ) {
        assert_eq!(ours.len(), theirs.len(), "{}: {what}", self.name);
        for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
            let off = (a.wide() - b).abs() / largest;
            assert!(
                off <= tolerance,
                "{}: {what}, {i}: {} for {b}, off by {off:e} of {largest}",
                self.name,
                a.wide()
            );
        }
    }

    fn close_matrix<R: Real>(
        &self,
        what: &str,
        ours: ArrayView2<'_, R>,
        theirs: &Array2<f64>,
        tolerance: f64,
    ) {
        assert_eq!(ours.dim(), theirs.dim(), "{}: {what}", self.name);
        let ours: Vec<R> = ours.iter().copied().collect();
        let theirs = theirs.as_slice().unwrap();
        self.close_array(what, &ours, theirs, largest(theirs), tolerance);
    }

    /// Block by block: relative to the greatest value of a weight or bias, or to a
    /// tenth of the greatest of all where that is more.
    fn close_tensors<R: Real>(
        &self,
        what: &str,
        network: &Network,
        ours: &[R],
        theirs: &[f64],
        tolerance: f64,
    ) {
        let all = largest(theirs);
        let mut compared = 0;
        for tensor in network.layout().tensors() {
            let range = tensor.range.clone();
            if range.end <= theirs.len() {
                let what = format!("{what} of {}", tensor.key());
                let (ours, theirs) = (&ours[range.clone()], &theirs[range.clone()]);
                let scale = largest(theirs).max(0.1 * all);
                self.close_array(&what, ours, theirs, scale, tolerance);
                compared += range.len();
            }
        }
        assert_eq!(compared, theirs.len(), "{}: {what}", self.name);
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |m, v| m.max(v.abs()))
}

fn of<R: Real>(values: &[f64]) -> Vec<R> {
    values.iter().map(|&v| R::of(v)).collect()
}

#[test]
fn the_reference_has_every_layer_kind_that_is_not_random() {
    let mut kinds = BTreeSet::new();
    for case in &reference().cases {
        kinds.extend(case.network().layers().iter().map(|l| l.kind().name()));
        assert_eq!(
            (case.batches.len(), case.runs.len()),
            (STEPS, 3),
            "{}",
            case.name
        );
        let sizes: BTreeSet<_> = case.batches.iter().map(Vec::len).collect();
        assert_eq!(sizes, BTreeSet::from([8, 12]), "{}", case.name);
    }
    let all = [
        "add",
        "avg_pool",
        "batch_norm",
        "conv",
        "dense",
        "flatten",
        "global_avg_pool",
        "layer_norm",
        "max_pool",
        "prelu",
    ];
    assert_eq!(kinds, BTreeSet::from(all));
}

#[test]
fn every_layer_s_values_and_all_derivatives_equal_the_reference_at_double_precision() {
    for case in &reference().cases {
        case.compare_derivatives::<f64>(DOUBLE);
    }
}

#[test]
fn every_layer_s_values_and_all_derivatives_equal_the_reference_at_single_precision() {
    for case in &reference().cases {
        case.compare_derivatives::<f32>(SINGLE);
    }
}

#[test]
fn runs_equal_the_reference_at_double_precision() {
    for case in &reference().cases {
        for k in 0..case.runs.len() {
            case.compare_run::<f64>(k, DOUBLE);
        }
    }
}

#[test]
fn runs_equal_the_reference_at_single_precision() {
    for case in &reference().cases {
        for k in 0..case.runs.len() {
            case.compare_run::<f32>(k, SINGLE);
        }
    }
}

#[test]
fn the_trainer_makes_the_reference_s_full_batch_steps() {
    for case in &reference().cases {
        for (k, run) in case.runs.iter().enumerate() {
            let (losses, params) = case.trainer(run);
            case.close(&format!("run {k}"), &losses, &run.full_batch_losses, SINGLE);
            let theirs = case.vector(&format!("run{k}_full_batch_params"));
            case.close_tensors(
                "parameters",
                &case.network(),
                &params,
                &theirs,
                10.0 * SINGLE,
            );
        }
    }
}
