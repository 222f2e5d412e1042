//! What each neuron answers over the plane of raw inputs, as TensorFlow Playground shows
//! it: one pass over a grid of points gives the fields of all neurons.

use super::field::grid_points;
use crate::nn::Workspace;
use crate::train::Problem;
use ndarray::Axis;

/// How many points go through the network at once.
const CHUNK: usize = 256;

/// Every unit's activation at every point of a square grid.
#[derive(Debug, Clone, PartialEq)]
pub struct NeuronFields {
    /// Points a side.
    pub resolution: usize,
    /// `[[least x1, greatest x1], [least x2, greatest x2]]`.
    pub domain: [[f32; 2]; 2],
    /// For each column (0 has the network's inputs, k + 1 the units of layer k) the fields
    /// of its units one after the other, each row by row from the least x2, each row from
    /// the least x1.
    columns: Vec<Vec<f32>>,
}

impl NeuronFields {
    /// The field of a unit of a column; `None` where there is none.
    pub fn of(&self, column: usize, unit: usize) -> Option<&[f32]> {
        let points = self.resolution * self.resolution;
        let fields = self.columns.get(column)?;
        fields.get(unit * points..(unit + 1) * points)
    }

    /// How many units a column has.
    pub fn units(&self, column: usize) -> usize {
        let points = self.resolution * self.resolution;
        self.columns.get(column).map_or(0, |c| c.len() / points)
    }
}

/// The fields of all neurons at `resolution` x `resolution` cell centres over the data's
/// domain; `None` unless the data are a problem in the plane.
pub fn neuron_fields(problem: &Problem, params: &[f32], resolution: usize) -> Option<NeuronFields> {
    let domain = problem.data.domain()?;
    let n = resolution.max(1);
    let inputs = problem.data.map_points(grid_points(domain, n).view())?;
    let network = &problem.network;
    let points = n * n;
    let layers = network.layers();
    let mut columns = vec![vec![0.0; inputs.ncols() * points]];
    columns.extend(
        layers
            .iter()
            .map(|layer| vec![0.0; layer.outputs() * points]),
    );
    let mut workspace = Workspace::new(network, CHUNK.min(points));
    for (index, chunk) in inputs.axis_chunks_iter(Axis(0), CHUNK).enumerate() {
        network.forward(params, chunk, &mut workspace);
        let first = index * CHUNK;
        let mut keep = |column: usize, values: ndarray::ArrayView2<'_, f32>| {
            for (unit, values) in values.columns().into_iter().enumerate() {
                let to = &mut columns[column][unit * points + first..];
                to.iter_mut().zip(values).for_each(|(to, &v)| *to = v);
            }
        };
        keep(0, chunk);
        for layer in 0..layers.len() {
            keep(layer + 1, workspace.a(layer));
        }
    }
    Some(NeuronFields {
        resolution: n,
        domain,
        columns,
    })
}

/// The largest number of points a side, of at most `most`, at which a pass over all of them
/// takes at most `budget` multiply-adds; at least 8.
pub fn affordable(problem: &Problem, budget: usize, most: usize) -> usize {
    let cost = problem.network.multiply_adds().max(1);
    let side = ((budget / cost) as f64).sqrt() as usize;
    side.clamp(8, most.max(8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;
    use crate::nn::Activation;

    fn problem(text: &str) -> Problem {
        Problem::new(&Experiment::parse(text, "test").unwrap()).unwrap()
    }

    /// Every unit of 2-3-1 at every point against the sums written out.
    #[test]
    fn fields_are_the_networks_equations_at_each_point() {
        let problem = problem(
            "[data]\nsource = \"gauss\"\n[network]\nlayers = [{ dense = 3, activation = \"tanh\" }]\nloss = \"cross-entropy\"\n",
        );
        let params: Vec<f32> = (0..13).map(|i| ((i * 7 % 11) as f32 - 5.0) / 4.0).collect();
        let n = 9;
        let fields = neuron_fields(&problem, &params, n).unwrap();
        assert_eq!(fields.domain, [[-6.0, 6.0], [-6.0, 6.0]]);
        assert_eq!([0, 1, 2].map(|c| fields.units(c)), [2, 3, 1]);
        for k in 0..n * n {
            let raw = [k % n, k / n].map(|i| -6.0 + 12.0 * (i as f32 + 0.5) / n as f32);
            let x = problem.data.map_point(raw[0], raw[1]).unwrap();
            let hidden: Vec<f32> = (0..3)
                .map(|j| (params[2 * j] * x[0] + params[2 * j + 1] * x[1] + params[6 + j]).tanh())
                .collect();
            let z: f32 = (0..3).map(|j| params[9 + j] * hidden[j]).sum::<f32>() + params[12];
            let output = Activation::Sigmoid.value(z);
            for (column, unit, expected) in [(0, 0, x[0]), (0, 1, x[1]), (2, 0, output)]
                .into_iter()
                .chain((0..3).map(|j| (1, j, hidden[j])))
            {
                let value = fields.of(column, unit).unwrap()[k];
                assert!(
                    (value - expected).abs() < 1e-5,
                    "{column} {unit} {k}: {value} {expected}"
                );
            }
        }
        assert_eq!(fields.of(1, 3), None);
        assert_eq!(fields.of(3, 0), None);
    }

    #[test]
    fn digits_have_no_fields_and_large_networks_coarse_ones() {
        let digits = problem(
            "[data]\nsource = \"digits\"\nlimit = 50\n[network]\nloss = \"cross-entropy\"\n",
        );
        assert_eq!(neuron_fields(&digits, &digits.initial_params(), 4), None);
        let wide = problem(
            "[data]\nsource = \"gauss\"\n[network]\nlayers = [{ dense = 100 }, { dense = 100 }]\nloss = \"cross-entropy\"\n",
        );
        // 2*100 + 100*100 + 100 = 10,300 multiply-adds a point.
        assert_eq!(affordable(&wide, 10_300 * 144, 32), 12);
        assert_eq!(affordable(&wide, 1, 32), 8);
        assert_eq!(affordable(&wide, usize::MAX, 32), 32);
    }
}
