//! Derivatives by finite differences, computed on the spot in double precision.

use super::Trace;
use crate::nn::{Layer, LayerKind, Mode, Source, Workspace};
use crate::train::Problem;
use crate::train::smoothing::Smoothing;
use ndarray::{Array2, ArrayView1, Axis};

/// By what the loss is differentiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Of {
    /// The parameter with this index.
    Parameter(usize),
    /// A unit's `z`.
    Sum {
        /// Its layer.
        layer: usize,
        /// Which unit.
        unit: usize,
    },
    /// A hidden unit's `a`.
    Activation {
        /// Its layer.
        layer: usize,
        /// Which unit.
        unit: usize,
    },
}

/// A derivative of the shown sample's loss, twice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Check {
    /// By back-propagation in double precision.
    pub derivative: f64,
    /// By finite differences: of fourth order, from the loss at four places.
    pub difference: f64,
    /// Where the loss has a corner there (ReLU at exactly 0, two largest values in a
    /// window): its slope on the left and on the right, of which back-propagation
    /// takes one, or one between.
    pub corner: Option<[f64; 2]>,
}

/// Derivatives agree that differ by no more than this, absolutely below 1 and
/// relatively above.
pub const AGREES: f64 = 1e-6;
/// How far to go, as a share of the number and at least absolutely.
const STEP: f64 = 1e-3;
/// How often a tenth of the step is tried, and how near two have to come.
const FINER: usize = 4;
/// A step to either side, in which a corner is looked for, and a tenth of it.
const CORNER: f64 = 1e-4;
/// See [`FINER`].
const SETTLED: f64 = 1e-8;

impl Check {
    /// How far apart both are: absolutely, or for large derivatives relatively.
    pub fn error(&self) -> f64 {
        (self.derivative - self.difference).abs() / self.derivative.abs().max(1.0)
    }

    /// Whether both agree.
    pub fn agrees(&self) -> bool {
        self.error() <= AGREES
    }
}

/// The derivative of the shown sample's loss at the weights before the update; where
/// samples of a batch depend on each other (batch normalisation), that of the batch's
/// mean loss.
///
/// None where there is no way to move that number alone: with dropout, for units in
/// batch normalisation's company, and for units before or in layers that are not fully
/// connected, whose sums are moved by moving biases.
pub fn check(problem: &Problem, trace: &Trace, of: Of) -> Option<Check> {
    let network = &problem.network;
    if network.depends_on_mode() {
        return match of {
            Of::Parameter(index) if network.mixes_samples() => check_batch(problem, trace, index),
            _ => None,
        };
    }
    let params: Vec<f64> = trace.before.iter().map(|&p| f64::from(p)).collect();
    let row = |values: &[f32]| -> Vec<f64> { values.iter().map(|&v| f64::from(v)).collect() };
    let (x, y) = (row(&trace.sample.input), row(&trace.sample.target));
    let (x, y) = (ArrayView1::from(&x), ArrayView1::from(&y));
    let (x, y) = (x.insert_axis(Axis(0)), y.insert_axis(Axis(0)));
    let direction = direction(problem, &params, of)?;
    let mut workspace = Workspace::<f64>::new(network, 1);
    workspace.load(x, &[0]);
    workspace.load_targets(y, &[0]);
    let mut gradient = vec![0.0; params.len()];
    let mut passed = None;
    network.gradient_traced(&params, &mut workspace, &mut gradient, |layer, values| {
        if let Of::Activation { layer: at, unit } = of
            && at == layer
        {
            passed = Some(values[[0, unit]]);
        }
    });
    let derivative = match of {
        Of::Parameter(index) => gradient[index],
        Of::Sum { layer, unit } => workspace.delta(layer)[[0, unit]],
        Of::Activation { .. } => passed?,
    };
    let size = match of {
        Of::Parameter(index) => params[index].abs().max(1.0),
        _ => 1.0,
    };
    let loss = |t: f64| {
        let mut moved = params.clone();
        for &(index, by) in &direction {
            moved[index] += t * by;
        }
        network.forward(&moved, x, &mut workspace);
        network.loss_sum(&mut workspace, y)
    };
    Some(compare(derivative, size, loss))
}

/// The same for a parameter of a network with batch normalisation: all of the batch,
/// as in training.
fn check_batch(problem: &Problem, trace: &Trace, index: usize) -> Option<Check> {
    let network = &problem.network;
    let drops = |layer: &Layer| matches!(layer.kind(), LayerKind::Dropout { .. });
    if network.layers().iter().any(drops) || index >= network.layout().trainable() {
        return None;
    }
    let params: Vec<f64> = trace.before.iter().map(|&p| f64::from(p)).collect();
    let wide = |values: &Array2<f32>| values.select(Axis(0), &trace.rows).mapv(f64::from);
    let (x, mut y) = (wide(&problem.train.x), wide(&problem.train.y));
    if let Some(smoothing) = Smoothing::of(problem) {
        y.mapv_inplace(|t| smoothing.of_target(t));
    }
    let mut workspace = Workspace::<f64>::new(network, trace.rows.len());
    workspace.set_mode(Mode::Training { seed: 0 });
    let mut gradient = vec![0.0; params.len()];
    network.gradient(&params, x.view(), y.view(), &mut workspace, &mut gradient);
    let loss = |t: f64| {
        let mut moved = params.clone();
        moved[index] += t;
        network.forward(&moved, x.view(), &mut workspace);
        network.loss_sum(&mut workspace, y.view()) / trace.rows.len() as f64
    };
    let size = params[index].abs().max(1.0);
    Some(compare(gradient[index], size, loss))
}

/// A derivative beside the differences of `loss`, which is a function of how far
/// something of such a size is moved.
fn compare(derivative: f64, size: f64, mut loss: impl FnMut(f64) -> f64) -> Check {
    let mut quotient = |h: f64| {
        let (near, far) = (loss(h) - loss(-h), loss(2.0 * h) - loss(-2.0 * h));
        (8.0 * near - far) / (12.0 * h)
    };
    // A corner (of ReLU, of a maximum) within reach spoils a step; a smaller one that
    // comes to the same says that there is none.
    let mut h = STEP * size;
    let mut difference = quotient(h);
    for _ in 0..FINER {
        h *= 0.1;
        let finer = quotient(h);
        if (finer - difference).abs() <= SETTLED * difference.abs().max(1.0) {
            break;
        }
        difference = finer;
    }
    // How far apart the slopes on both sides are shrinks with the step on a curve, and
    // does not at a corner.
    let here = loss(0.0);
    let mut sides = |h: f64| [(here - loss(-h)) / h, (loss(h) - here) / h];
    let apart = |[left, right]: [f64; 2]| (right - left).abs();
    let (wide, sides) = (sides(CORNER * size), sides(0.1 * CORNER * size));
    let is_corner = apart(sides) > AGREES && apart(sides) > 0.5 * apart(wide);
    Check {
        derivative,
        difference,
        corner: is_corner.then_some(sides),
    }
}

/// Which parameters move, and how fast, where a number moves by one.
fn direction(problem: &Problem, params: &[f64], of: Of) -> Option<Vec<(usize, f64)>> {
    let network = &problem.network;
    let layers = network.layers();
    let is_dense =
        |layer: usize| matches!(layers.get(layer)?.kind(), LayerKind::Dense { .. }).then_some(());
    match of {
        Of::Parameter(index) => (index < params.len()).then(|| vec![(index, 1.0)]),
        Of::Sum { layer, unit } => {
            is_dense(layer)?;
            Some(vec![(network.bias_of(layer, unit)?, 1.0)])
        }
        Of::Activation { layer, unit } => {
            let mut all = Vec::new();
            for (reader, this) in layers.iter().enumerate() {
                if !this.sources().contains(&Source::Layer(layer)) {
                    continue;
                }
                is_dense(reader)?;
                let connections = network.connections(reader).into_iter().next()?;
                for link in connections.out_of(unit).filter_map(|i| connections.get(i)) {
                    let weight = params[link.parameter?];
                    all.push((network.bias_of(reader, link.to)?, weight));
                }
            }
            Some(all)
        }
    }
}
