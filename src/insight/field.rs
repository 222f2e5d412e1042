//! What a network answers over the space of raw inputs: the picture behind the
//! points of a problem in the plane, and the curve through those on a line.

use crate::nn::Workspace;
use crate::train::{Encoding, Problem};
use ndarray::{Array2, Axis, s};

/// How many points go through the network at once.
const CHUNK: usize = 256;

/// A network's answer at every point of a square grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Points a side.
    pub resolution: usize,
    /// `[[least x1, greatest x1], [least x2, greatest x2]]`.
    pub domain: [[f32; 2]; 2],
    /// The answers, row by row from the least x2, each row from the least x1.
    pub answers: Vec<Answer>,
}

/// What the network says at one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Answer {
    /// Between two classes or around zero: -1 is class 0, 1 is class 1. For
    /// values to fit: the output over the largest target by size.
    Signed(f32),
    /// One of several classes.
    Class {
        /// Which.
        class: usize,
        /// How far it is ahead: its output minus the second largest, in units
        /// of the outputs' sum where that is a probability.
        margin: f32,
    },
}

/// The answer at `resolution` x `resolution` cell centres over the data's
/// domain; `None` unless the data are a problem in the plane.
pub fn decision_field(problem: &Problem, params: &[f32], resolution: usize) -> Option<Field> {
    let n = resolution.max(1);
    let (domain, inputs) = grid(problem, n)?;
    let outputs = outputs(problem, params, &inputs);
    let largest = largest_target(problem);
    let answers = outputs
        .rows()
        .into_iter()
        .map(|row| match problem.encoding {
            Encoding::Binary { low, high } => {
                Answer::Signed(2.0 * (row[0] - low) / (high - low) - 1.0)
            }
            Encoding::Values => Answer::Signed(row[0] / largest),
            Encoding::OneHot => {
                let (mut best, mut second) = (0, f32::NEG_INFINITY);
                for (k, &v) in row.iter().enumerate().skip(1) {
                    if v > row[best] {
                        second = row[best];
                        best = k;
                    } else {
                        second = second.max(v);
                    }
                }
                Answer::Class {
                    class: best,
                    margin: if row.len() > 1 {
                        row[best] - second
                    } else {
                        1.0
                    },
                }
            }
        })
        .collect();
    Some(Field {
        resolution: n,
        domain,
        answers,
    })
}

/// What every unit answers over the plane.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitFields {
    /// Points a side.
    pub resolution: usize,
    /// `[[least x1, greatest x1], [least x2, greatest x2]]`.
    pub domain: [[f32; 2]; 2],
    /// For each column (0 has the inputs as the network sees them, layer `k` is `k + 1`)
    /// and each of its units the activation at every point, ordered as [`Field::answers`].
    pub columns: Vec<Vec<Vec<f32>>>,
}

/// The activations of the first `most` units of every layer at `resolution` x
/// `resolution` cell centres over the data's domain; `None` unless the data are a problem
/// in the plane. Memory is `resolution²` numbers a unit.
pub fn unit_fields(
    problem: &Problem,
    params: &[f32],
    resolution: usize,
    most: usize,
) -> Option<UnitFields> {
    let (domain, inputs) = grid(problem, resolution)?;
    let network = &problem.network;
    let widths = network.widths();
    let empty = |width: usize| vec![Vec::with_capacity(inputs.nrows()); width.min(most)];
    let mut columns: Vec<Vec<Vec<f32>>> = widths.into_iter().map(empty).collect();
    let mut workspace = Workspace::new(network, CHUNK.min(inputs.nrows().max(1)));
    for chunk in inputs.axis_chunks_iter(Axis(0), CHUNK) {
        network.forward(params, chunk, &mut workspace);
        for (column, units) in columns.iter_mut().enumerate() {
            let values = match column.checked_sub(1) {
                None => chunk,
                Some(layer) => workspace.a(layer),
            };
            for (unit, field) in units.iter_mut().enumerate() {
                field.extend(values.column(unit));
            }
        }
    }
    Some(UnitFields {
        resolution: resolution.max(1),
        domain,
        columns,
    })
}

/// The data's domain and what the network sees at the centres of its cells.
fn grid(problem: &Problem, resolution: usize) -> Option<([[f32; 2]; 2], Array2<f32>)> {
    let domain = problem.data.domain()?;
    let n = resolution.max(1);
    let at = |axis: usize, i: usize| {
        let [least, greatest] = domain[axis];
        least + (greatest - least) * (i as f32 + 0.5) / n as f32
    };
    let points = Array2::from_shape_fn((n * n, 2), |(k, axis)| match axis {
        0 => at(0, k % n),
        _ => at(1, k / n),
    });
    Some((domain, problem.data.map_points(points.view())?))
}

/// `(x, first output)` at `n` points over the data's interval; `None` unless
/// the data are a problem on a line.
pub fn line_fit(problem: &Problem, params: &[f32], n: usize) -> Option<Vec<[f32; 2]>> {
    let [least, greatest] = problem.data.line_domain()?;
    let n = n.max(2);
    let xs: Vec<f32> = (0..n)
        .map(|i| least + (greatest - least) * i as f32 / (n - 1) as f32)
        .collect();
    let mut inputs = Array2::zeros((n, problem.network.inputs()));
    for (mut row, &x) in inputs.rows_mut().into_iter().zip(&xs) {
        let mapped = problem.data.map_line(x)?;
        row.iter_mut().zip(mapped).for_each(|(v, m)| *v = m);
    }
    let outputs = outputs(problem, params, &inputs);
    Some(
        xs.iter()
            .zip(outputs.column(0))
            .map(|(&x, &y)| [x, y])
            .collect(),
    )
}

/// The largest target by size, 1 if all are zero: the unit of a picture of values.
pub fn largest_target(problem: &Problem) -> f32 {
    let size = |s: &crate::train::Samples| s.y.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    let largest = size(&problem.train).max(size(&problem.validation));
    if largest > 0.0 { largest } else { 1.0 }
}

fn outputs(problem: &Problem, params: &[f32], inputs: &Array2<f32>) -> Array2<f32> {
    let network = &problem.network;
    let mut outputs = Array2::zeros((inputs.nrows(), network.outputs()));
    let mut workspace = Workspace::new(network, CHUNK.min(inputs.nrows().max(1)));
    for (index, chunk) in inputs.axis_chunks_iter(Axis(0), CHUNK).enumerate() {
        network.forward(params, chunk, &mut workspace);
        let start = index * CHUNK;
        outputs
            .slice_mut(s![start..start + chunk.nrows(), ..])
            .assign(&workspace.output());
    }
    outputs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    fn problem(text: &str) -> Problem {
        Problem::new(&Experiment::parse(text, "test").unwrap()).unwrap()
    }

    /// One sigmoid unit of x1 alone: the field is -1..1 in x1 and the same for all x2.
    #[test]
    fn a_field_of_one_unit_is_its_tanh_of_half_the_input() {
        let problem = problem(
            "[data]\nsource = \"gauss\"\n[network]\nlayers = []\nloss = \"cross-entropy\"\n",
        );
        let field = decision_field(&problem, &[1.5, 0.0, 0.0], 20).unwrap();
        assert_eq!(field.domain, [[-6.0, 6.0], [-6.0, 6.0]]);
        for (k, answer) in field.answers.iter().enumerate() {
            let x1 = -6.0 + 12.0 * ((k % 20) as f32 + 0.5) / 20.0;
            // 2 sigmoid(z) - 1 = tanh(z / 2)
            let expected = (0.75 * x1).tanh();
            let Answer::Signed(value) = *answer else {
                panic!("{answer:?}")
            };
            assert!((value - expected).abs() < 1e-5, "{k}: {value} {expected}");
        }
    }

    #[test]
    fn a_units_field_is_its_activation_and_an_inputs_the_point() {
        let problem = problem(
            "[data]\nsource = \"gauss\"\n[network]\nlayers = [{ dense = 2, activation = \"relu\" }]\nloss = \"cross-entropy\"\n",
        );
        // The second unit is max(0, x2 - 1).
        let params = [1.0, 0.0, 0.0, 1.0, 0.0, -1.0, 1.0, 1.0, 0.0];
        let fields = unit_fields(&problem, &params, 20, 8).unwrap();
        let widths: Vec<usize> = fields.columns.iter().map(Vec::len).collect();
        assert_eq!(widths, [2, 2, 1]);
        for k in 0..400 {
            let at = |i: usize| -6.0 + 12.0 * (i as f32 + 0.5) / 20.0;
            assert!((fields.columns[0][0][k] - at(k % 20)).abs() < 1e-5);
            let expected = (at(k / 20) - 1.0).max(0.0);
            assert!((fields.columns[1][1][k] - expected).abs() < 1e-5);
        }
        let fewer = unit_fields(&problem, &params, 20, 1).unwrap();
        assert_eq!(fewer.columns[1], fields.columns[1][..1]);
    }

    #[test]
    fn a_field_of_several_classes_names_the_largest_output() {
        let problem = problem(
            "[data]\nsource = \"gauss\"\n[network]\nlayers = []\nloss = \"cross-entropy\"\noutput = \"softmax\"\n",
        );
        // Class 0 wins where x1 < 0.
        let params = [-1.0, 0.0, 1.0, 0.0, 0.0, 0.0];
        let field = decision_field(&problem, &params, 8).unwrap();
        for (k, answer) in field.answers.iter().enumerate() {
            let Answer::Class { class, margin } = *answer else {
                panic!("{answer:?}")
            };
            assert_eq!(class, usize::from(k % 8 >= 4), "{k}");
            assert!((0.0..=1.0).contains(&margin));
        }
    }

    #[test]
    fn a_fit_on_a_line_is_the_networks_output() {
        let problem = problem(
            "[data]\nsource = \"sine\"\n[network]\nlayers = []\nloss = \"half-squared-error\"\n",
        );
        let fit = line_fit(&problem, &[2.0, 0.5], 5).unwrap();
        assert_eq!(fit.len(), 5);
        for [x, y] in fit {
            assert!((y - (2.0 * x + 0.5)).abs() < 1e-5);
        }
        assert_eq!(decision_field(&problem, &[2.0, 0.5], 5), None);
    }

    #[test]
    fn digits_have_neither_field_nor_line() {
        let problem = problem("[data]\nsource = \"digits\"\n[network]\nloss = \"cross-entropy\"\n");
        let params = problem.initial_params();
        assert_eq!(decision_field(&problem, &params, 4), None);
        assert_eq!(line_fit(&problem, &params, 4), None);
    }
}
