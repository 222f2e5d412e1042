//! A network's loss over its training samples as a function that full-batch
//! methods can evaluate, in double precision and bounded memory.

use super::problem::Problem;
use super::smoothing::Smoothing;
use crate::nn::{Network, Workspace};
use crate::optim::{Objective, Regulariser};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, s};
use std::sync::Arc;

/// Samples that pass through the network at once, at most.
const CHUNK: usize = 128;
/// Rows of the Jacobian that are held at once.
const ROWS: usize = 64;

/// The mean loss over the training part, smoothed targets and penalties
/// included: what a first-order step with all samples descends.
pub struct NetworkObjective {
    problem: Arc<Problem>,
    penalty: Regulariser,
    smoothing: Option<Smoothing>,
    workspace: Workspace<f64>,
    x: Array2<f64>,
    y: Array2<f64>,
    chunk: Vec<f64>,
    squares: Option<Squares>,
}

/// What it takes to differentiate each output of a sum of squares.
struct Squares {
    workspace: Workspace<f64>,
    // One sample's Jacobian, `[outputs, parameters]`.
    jacobian: Vec<f64>,
    rows: Array2<f64>,
    errors: Vec<f64>,
    // The loss is scale / (2 n) times the sum of the squared errors.
    scale: f64,
}

impl Squares {
    fn of(network: &Network) -> Option<Squares> {
        let parameters = network.layout().len();
        Some(Squares {
            scale: 2.0 * network.loss_kind().square_factor(network.outputs())?,
            workspace: Workspace::new(network, 1),
            jacobian: vec![0.0; network.outputs() * parameters],
            rows: Array2::zeros((ROWS, parameters)),
            errors: vec![0.0; ROWS],
        })
    }
}

impl NetworkObjective {
    /// What `problem`'s experiment says is to be minimised.
    pub fn new(problem: Arc<Problem>) -> Self {
        let network = &problem.network;
        let at_once = network.samples_at_once(CHUNK);
        NetworkObjective {
            penalty: problem.experiment.training.regulariser(),
            smoothing: Smoothing::of(&problem),
            workspace: Workspace::new(network, at_once),
            x: Array2::zeros((at_once, network.inputs())),
            y: Array2::zeros((at_once, network.outputs())),
            chunk: vec![0.0; network.layout().len()],
            squares: None,
            problem,
        }
    }

    /// The penalty's share of the loss at `params`.
    pub fn penalty(&self, params: &[f64]) -> f64 {
        self.penalty.penalty(self.problem.network.layout(), params)
    }

    /// Widens samples `start..` into the chunk's buffers; gives how many.
    fn load(&mut self, start: usize) -> usize {
        let train = &self.problem.train;
        let end = (start + self.x.nrows()).min(train.len());
        let rows = end - start;
        let mut x = self.x.slice_mut(s![..rows, ..]);
        x.zip_mut_with(&train.x.slice(s![start..end, ..]), |to, &v| {
            *to = f64::from(v);
        });
        let mut y = self.y.slice_mut(s![..rows, ..]);
        y.zip_mut_with(&train.y.slice(s![start..end, ..]), |to, &v| {
            *to = f64::from(v);
        });
        if let Some(smoothing) = &self.smoothing {
            y.mapv_inplace(|t| smoothing.of_target(t));
        }
        rows
    }
}

impl Objective for NetworkObjective {
    fn parameters(&self) -> usize {
        self.problem.network.layout().len()
    }

    fn loss(&mut self, params: &[f64]) -> f64 {
        let n = self.problem.train.len();
        let mut sum = 0.0;
        for start in (0..n).step_by(self.x.nrows()) {
            let rows = self.load(start);
            let network = &self.problem.network;
            let x = self.x.slice(s![..rows, ..]);
            network.forward(params, x, &mut self.workspace);
            sum += network.loss_sum(&mut self.workspace, self.y.slice(s![..rows, ..]));
        }
        sum / n as f64 + self.penalty(params)
    }

    fn gradient(&mut self, params: &[f64], gradient: &mut [f64]) -> f64 {
        let n = self.problem.train.len();
        let mut sum = 0.0;
        gradient.fill(0.0);
        for start in (0..n).step_by(self.x.nrows()) {
            let rows = self.load(start);
            let network = &self.problem.network;
            let (x, y) = (self.x.slice(s![..rows, ..]), self.y.slice(s![..rows, ..]));
            network.forward(params, x, &mut self.workspace);
            sum += network.loss_sum(&mut self.workspace, y);
            network.backward_loaded(params, &mut self.workspace, &mut self.chunk);
            let share = rows as f64 / n as f64;
            for (g, c) in gradient.iter_mut().zip(&self.chunk) {
                *g += share * c;
            }
        }
        let layout = self.problem.network.layout();
        self.penalty.add_gradient(layout, params, gradient);
        sum / n as f64 + self.penalty(params)
    }

    fn normal_equations(
        &mut self,
        params: &[f64],
        matrix: &mut [f64],
        gradient: &mut [f64],
    ) -> Option<f64> {
        if self.penalty.l1 != 0.0 {
            return None;
        }
        let mut squares = match self.squares.take() {
            Some(squares) => squares,
            None => Squares::of(&self.problem.network)?,
        };
        let n = self.problem.train.len();
        let factor = squares.scale / n as f64;
        matrix.fill(0.0);
        gradient.fill(0.0);
        let mut full = 0;
        for start in (0..n).step_by(self.x.nrows()) {
            for i in 0..self.load(start) {
                let x = self.x.slice(s![i..=i, ..]);
                let Squares {
                    workspace,
                    jacobian,
                    ..
                } = &mut squares;
                self.problem
                    .network
                    .output_jacobian(params, x, workspace, jacobian);
                for k in 0..self.y.ncols() {
                    let row = &squares.jacobian[k * params.len()..][..params.len()];
                    squares.rows.row_mut(full).assign(&ArrayView1::from(row));
                    squares.errors[full] = squares.workspace.output()[[0, k]] - self.y[[i, k]];
                    full += 1;
                    if full == ROWS {
                        add_rows(&squares, full, factor, matrix, gradient);
                        full = 0;
                    }
                }
            }
        }
        add_rows(&squares, full, factor, matrix, gradient);
        self.squares = Some(squares);
        let layout = self.problem.network.layout();
        self.penalty.add_gradient(layout, params, gradient);
        self.penalty.add_curvature(layout, matrix);
        // From the same sums as the losses that it will be compared with.
        Some(self.loss(params))
    }
}

/// Adds `factor` times `J^T J` and `J^T e` of the first `full` rows.
fn add_rows(squares: &Squares, full: usize, factor: f64, matrix: &mut [f64], gradient: &mut [f64]) {
    let p = gradient.len();
    let rows: ArrayView2<'_, f64> = squares.rows.slice(s![..full, ..]);
    if let Ok(mut matrix) = ArrayViewMut2::from_shape((p, p), matrix) {
        general_mat_mul(factor, &rows.t(), &rows, 1.0, &mut matrix);
    }
    for (row, &error) in rows.outer_iter().zip(&squares.errors) {
        for (g, j) in gradient.iter_mut().zip(row) {
            *g += factor * error * j;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    fn objective(text: &str) -> (NetworkObjective, Vec<f64>) {
        let experiment = Experiment::parse(text, "test").unwrap();
        let problem = Arc::new(Problem::new(&experiment).unwrap());
        let params = problem.initial_params();
        let params = params.iter().map(|&p| f64::from(p)).collect();
        (NetworkObjective::new(problem), params)
    }

    /// Central differences of the loss against the gradient.
    fn check_gradient(text: &str) {
        let (mut objective, params) = objective(text);
        let mut gradient = vec![0.0; params.len()];
        let loss = objective.gradient(&params, &mut gradient);
        assert_eq!(loss, objective.loss(&params));
        for i in (0..params.len()).step_by(3) {
            let mut at = |h: f64| {
                let mut p = params.clone();
                p[i] += h;
                objective.loss(&p)
            };
            let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!(
                (gradient[i] - difference).abs() < 1e-8,
                "{i}: {} for {difference}",
                gradient[i]
            );
        }
    }

    const REGRESSION: &str = "[data]\nsource = \"gauss-regression\"\nsamples = 200\n\
        [network]\nlayers = [{ dense = 5 }]\nloss = \"mean-squared-error\"\n[training]\nl2 = 0.03";
    const THREE: &str = "[data]\nsource = \"iris\"\n[network]\nlayers = [{ dense = 4 }]\n";

    #[test]
    fn the_gradient_is_that_of_the_loss_with_penalties_and_smoothed_targets() {
        check_gradient(REGRESSION);
        check_gradient(&format!(
            "{THREE}loss = \"cross-entropy\"\n[training]\nlabel_smoothing = 0.2\nl2 = 0.1"
        ));
    }

    /// The normal equations' `J^T r` is the gradient, and their matrix the
    /// change of the gradient that comes from the residuals' first derivatives:
    /// compared with the Jacobian by central differences of the outputs.
    #[test]
    fn the_normal_equations_are_those_of_the_outputs_jacobian() {
        for (text, scale) in [
            (REGRESSION.to_owned(), 2.0),
            (
                format!("{THREE}loss = \"mean-squared-error\"\n[training]\nl2 = 0.03"),
                2.0 / 3.0,
            ),
            (
                format!(
                    "{THREE}loss = \"half-squared-error\"\noutput = \"softmax\"\n[training]\nl2 = 0.03"
                ),
                1.0,
            ),
        ] {
            let (mut objective, params) = objective(&text);
            let p = params.len();
            let (mut matrix, mut gradient) = (vec![0.0; p * p], vec![0.0; p]);
            let mut expected = vec![0.0; p];
            let loss = objective
                .normal_equations(&params, &mut matrix, &mut gradient)
                .unwrap();
            assert_eq!(loss, objective.gradient(&params, &mut expected));
            for (a, b) in gradient.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-14, "{a} {b}");
            }
            let problem = Arc::clone(&objective.problem);
            let n = problem.train.len();
            let x = problem.train.x.mapv(f64::from);
            let outputs = |params: &[f64]| {
                let mut workspace = Workspace::new(&problem.network, n);
                problem.network.forward(params, x.view(), &mut workspace);
                workspace.output().to_owned()
            };
            let columns: Vec<Array2<f64>> = (0..p)
                .map(|i| {
                    let at = |h: f64| {
                        let mut moved = params.clone();
                        moved[i] += h;
                        outputs(&moved)
                    };
                    (at(1e-5) - at(-1e-5)) / 2e-5
                })
                .collect();
            let weights = problem.network.layout().tensors().iter();
            let weights: Vec<usize> = weights
                .filter(|t| t.role == crate::nn::ParamRole::Weight)
                .flat_map(|t| t.range.clone())
                .collect();
            for i in 0..p {
                for j in 0..p {
                    let mut value = (&columns[i] * &columns[j]).sum() * scale / n as f64;
                    if i == j && weights.contains(&i) {
                        value += 0.03;
                    }
                    let ours = matrix[i * p + j];
                    assert!(
                        (ours - value).abs() < 1e-8 * value.abs().max(1.0),
                        "{i} {j}: {ours} for {value}"
                    );
                }
            }
        }
    }
}
