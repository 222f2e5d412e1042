//! `gradscape derivatives`: what the gradient is made of and what it changes by.

use super::source::{Source, SourceArgs};
use super::surface::ending;
use super::{CliError, Out};
use crate::interop::write_arrays;
use crate::nn::{Network, Workspace};
use crate::train::{FullHessian, full_gradient};
use clap::{Args, ValueEnum};
use faer::{Mat, Side};
use ndarray::{Array1, Array2, Array3, ArrayD, ArrayView2, Axis, s};
use serde::Serialize;
use std::path::PathBuf;

/// Values that a file may hold: a bound on memory.
const MOST_VALUES: usize = 1 << 27;
/// Rows of a matrix whose eigenvalues are computed.
const MOST_ROWS: usize = 4000;

/// Compute error signals, per-sample gradients, the Jacobian, the Hessian or the Fisher matrix
///
/// All in double precision, of the data loss without the penalties of l1 and l2, over
/// the training part, with dropout off and batch normalisation at its gathered
/// statistics. Parameters are in the order of the flat vector.
#[derive(Args, Debug, Clone)]
pub struct DerivativesArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// What to compute
    #[arg(long, value_enum)]
    of: Quantity,
    /// Use the first N training samples only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    samples: Option<u64>,
    /// Write this NumPy archive
    #[arg(long, value_name = "FILE.npz", value_parser = output)]
    out: PathBuf,
    /// Print the result as a JSON object
    #[arg(long)]
    json: bool,
}

/// What can be computed.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// z, a and dL/dz of every layer for each sample's own loss
    ErrorSignals,
    /// The gradient of each sample's own loss, [samples, parameters]
    SampleGradients,
    /// Each output's derivative by each parameter, [samples, outputs, parameters]
    Jacobian,
    /// The Hessian of the mean loss, [parameters, parameters], with its eigenvalues
    Hessian,
    /// The mean of the outer products of the sample gradients, with its eigenvalues
    Fisher,
    /// The Hessian times the gradient, without the matrix: for large networks
    HessianGradient,
}

#[derive(Serialize)]
struct DerivativesObject {
    of: String,
    samples: usize,
    parameters: usize,
    /// Name and value of what sums the result up.
    summary: serde_json::Map<String, serde_json::Value>,
    file: PathBuf,
}

fn output(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match ending(&path).as_deref() {
        Some("npz") => Ok(path),
        _ => Err("these arrays are written as .npz".to_owned()),
    }
}

/// Named arrays, and named numbers that sum them up.
#[derive(Default)]
struct Answer {
    arrays: Vec<(String, ArrayD<f64>)>,
    summary: Vec<(String, f64)>,
}

impl Answer {
    fn array<D: ndarray::Dimension>(&mut self, name: impl Into<String>, a: ndarray::Array<f64, D>) {
        self.arrays.push((name.into(), a.into_dyn()));
    }

    fn number(&mut self, name: &str, value: f64) {
        self.summary.push((name.to_owned(), value));
    }
}

/// A network at one place with its samples, in double precision.
struct Place<'a> {
    network: &'a Network,
    params: Vec<f64>,
    x: Array2<f64>,
    y: Array2<f64>,
}

/// Obeys `gradscape derivatives`.
///
/// # Errors
/// When something cannot be read or written, the result would not fit, or it is
/// not finite.
pub fn run(args: &DerivativesArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    let source = args.source.load()?;
    let place = place(&source, args.samples);
    let (n, moved) = (place.x.nrows(), place.moved());
    let values = match args.of {
        Quantity::ErrorSignals => {
            n.saturating_mul(3 * place.network.widths().iter().sum::<usize>())
        }
        Quantity::SampleGradients => n.saturating_mul(moved),
        Quantity::Jacobian => n
            .saturating_mul(place.network.outputs())
            .saturating_mul(moved),
        Quantity::Hessian | Quantity::Fisher if moved > MOST_ROWS => {
            return Err(CliError::Failed(format!(
                "a matrix of {moved} x {moved}; at most {MOST_ROWS} parameters are allowed. \
                 --of hessian-gradient needs no matrix"
            )));
        }
        Quantity::Hessian | Quantity::Fisher => moved * moved,
        Quantity::HessianGradient => moved,
    };
    if values > MOST_VALUES {
        return Err(CliError::Failed(format!(
            "{values} values would be written; at most {MOST_VALUES} are allowed. Take fewer \
             samples (--samples N)"
        )));
    }
    let answer = match args.of {
        Quantity::ErrorSignals => place.error_signals(),
        Quantity::SampleGradients => place.sample_gradients(),
        Quantity::Jacobian => place.jacobian(),
        Quantity::Hessian => {
            let mut hessian = place.hessian();
            with_eigenvalues("hessian", hessian.matrix())?
        }
        Quantity::Fisher => with_eigenvalues("fisher", place.fisher())?,
        Quantity::HessianGradient => place.hessian_gradient(),
    };
    if let Some((name, _)) = answer
        .arrays
        .iter()
        .find(|(_, a)| a.iter().any(|v| !v.is_finite()))
    {
        return Err(CliError::Failed(format!(
            "{name} has numbers that are not finite at these weights; nothing is written"
        )));
    }
    write_arrays(&args.out, &answer.arrays)?;
    let of = args.of.to_possible_value();
    let of = of.map_or(String::new(), |v| v.get_name().to_owned());
    let numbers: Vec<String> = answer
        .summary
        .iter()
        .map(|(name, value)| format!("{name} {value:.6e}"))
        .collect();
    out.say(format!(
        "{of} over {n} samples, {moved} parameters: {}\nwritten to {}",
        numbers.join(", "),
        args.out.display()
    ))?;
    out.object(&DerivativesObject {
        of,
        samples: n,
        parameters: moved,
        summary: answer
            .summary
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect(),
        file: args.out.clone(),
    })
}

fn place(source: &Source, samples: Option<u64>) -> Place<'_> {
    let train = &source.problem.train;
    let n = samples.map_or(train.len(), |n| train.len().min(n as usize));
    Place {
        network: &source.problem.network,
        params: source.params.iter().map(|&p| f64::from(p)).collect(),
        x: train.x.slice(s![..n, ..]).mapv(f64::from),
        y: train.y.slice(s![..n, ..]).mapv(f64::from),
    }
}

impl Place<'_> {
    fn moved(&self) -> usize {
        self.network.layout().trainable()
    }

    fn row(&self, i: usize) -> (ArrayView2<'_, f64>, ArrayView2<'_, f64>) {
        (self.x.slice(s![i..=i, ..]), self.y.slice(s![i..=i, ..]))
    }

    fn hessian(&self) -> FullHessian<'_, f64> {
        FullHessian::new(self.network, &self.params, self.x.view(), self.y.view())
    }

    fn error_signals(&self) -> Answer {
        let n = self.x.nrows();
        let layers = self.network.layers();
        let zeros = |k: usize| Array2::zeros((n, layers[k].outputs()));
        let mut z: Vec<Array2<f64>> = (0..layers.len()).map(zeros).collect();
        let (mut a, mut delta) = (z.clone(), z.clone());
        let mut workspace = Workspace::new(self.network, 1);
        let mut gradient = vec![0.0; self.params.len()];
        for i in 0..n {
            let (x, y) = self.row(i);
            let ws = &mut workspace;
            self.network.gradient(&self.params, x, y, ws, &mut gradient);
            for k in 0..layers.len() {
                z[k].row_mut(i).assign(&workspace.z(k).row(0));
                a[k].row_mut(i).assign(&workspace.a(k).row(0));
                delta[k].row_mut(i).assign(&workspace.delta(k).row(0));
            }
        }
        let mut answer = Answer::default();
        for (k, ((z, a), delta)) in z.into_iter().zip(a).zip(delta).enumerate() {
            let mean = delta.mapv(|d| d * d).mean().unwrap_or(0.0).sqrt();
            answer.number(&format!("layers.{k}.delta_rms"), mean);
            answer.array(format!("layers.{k}.z"), z);
            answer.array(format!("layers.{k}.a"), a);
            answer.array(format!("layers.{k}.delta"), delta);
        }
        answer
    }

    fn each_sample(&self, mut f: impl FnMut(usize, f64, &[f64])) {
        let mut workspace = Workspace::new(self.network, 1);
        let (x, y, moved) = (self.x.view(), self.y.view(), self.moved());
        let network = self.network;
        network.sample_gradients(&self.params, x, y, &mut workspace, |i, loss, g| {
            f(i, loss, &g[..moved]);
        });
    }

    fn sample_gradients(&self) -> Answer {
        let n = self.x.nrows();
        let mut losses = Array1::zeros(n);
        let mut gradients = Array2::zeros((n, self.moved()));
        self.each_sample(|i, loss, g| {
            losses[i] = loss;
            gradients.row_mut(i).assign(&ndarray::ArrayView1::from(g));
        });
        let norm = |v: ndarray::ArrayView1<'_, f64>| v.dot(&v).sqrt();
        let mean = gradients.mean_axis(Axis(0)).map_or(0.0, |m| norm(m.view()));
        let norms = gradients.outer_iter().map(norm).sum::<f64>() / n as f64;
        let mut answer = Answer::default();
        answer.number("norm_of_mean", mean);
        answer.number("mean_of_norms", norms);
        answer.array("loss", losses);
        answer.array("gradients", gradients);
        answer
    }

    fn jacobian(&self) -> Answer {
        let (n, outputs, moved) = (self.x.nrows(), self.network.outputs(), self.moved());
        let mut all = Array3::zeros((n, outputs, moved));
        let mut workspace = Workspace::new(self.network, 1);
        let len = self.params.len();
        let mut one = vec![0.0; outputs * len];
        for i in 0..n {
            let x = self.x.slice(s![i..=i, ..]);
            let ws = &mut workspace;
            self.network.output_jacobian(&self.params, x, ws, &mut one);
            for k in 0..outputs {
                let row = ndarray::ArrayView1::from(&one[k * len..][..moved]);
                all.slice_mut(s![i, k, ..]).assign(&row);
            }
        }
        let mut answer = Answer::default();
        answer.number(
            "frobenius_norm",
            all.iter().map(|v| v * v).sum::<f64>().sqrt(),
        );
        answer.array("jacobian", all);
        answer
    }

    fn fisher(&self) -> Array2<f64> {
        let mut workspace = Workspace::new(self.network, 1);
        let (x, y) = (self.x.view(), self.y.view());
        self.network
            .empirical_fisher(&self.params, x, y, &mut workspace)
    }

    fn hessian_gradient(&self) -> Answer {
        let (x, y) = (self.x.view(), self.y.view());
        let (loss, gradient) = full_gradient(self.network, &self.params, x, y);
        let product = self.hessian().product(&gradient);
        let gradient = Array1::from(gradient).slice(s![..self.moved()]).to_owned();
        let product = Array1::from(product);
        let squared = gradient.dot(&gradient);
        let mut answer = Answer::default();
        answer.number("loss", loss);
        answer.number("gradient_norm", squared.sqrt());
        // The curvature along the gradient; undefined where there is none.
        let curvature = gradient.dot(&product) / squared;
        if curvature.is_finite() {
            answer.number("curvature_along_gradient", curvature);
        }
        answer.array("gradient", gradient);
        answer.array("product", product);
        answer
    }
}

/// A symmetric matrix with its eigenvalues, ascending.
fn with_eigenvalues(name: &str, matrix: Array2<f64>) -> Result<Answer, CliError> {
    let size = matrix.nrows();
    let finite = matrix.iter().all(|v| v.is_finite());
    // Rounding leaves a difference in the last digits between the two halves.
    let symmetric = Mat::from_fn(size, size, |i, j| 0.5 * (matrix[[i, j]] + matrix[[j, i]]));
    let values = match finite.then(|| symmetric.self_adjoint_eigenvalues(Side::Lower)) {
        Some(Ok(values)) => values,
        Some(Err(error)) => {
            return Err(CliError::Failed(format!(
                "no eigenvalues were found: {error:?}"
            )));
        }
        None => Vec::new(),
    };
    let mut answer = Answer::default();
    if let (Some(&least), Some(&most)) = (values.first(), values.last()) {
        answer.number("largest_eigenvalue", most);
        answer.number("smallest_eigenvalue", least);
    }
    answer.number("trace", matrix.diag().sum());
    answer.array(name, matrix);
    answer.array("eigenvalues", Array1::from(values));
    Ok(answer)
}
