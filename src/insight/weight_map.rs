//! How a layer's weights lie in one picture: a matrix of units and inputs, a filter bank
//! as a grid of small kernels, or the weights of each unit in the shape of the image that
//! it reads.

use crate::nn::{LayerKind, Network, ParamRole};
use crate::train::Problem;

/// What stands in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapKind {
    /// A row for each unit, a column for each input.
    Matrix,
    /// A kernel for each filter and input channel. Of several channels a row of kernels
    /// is a filter.
    Kernels,
    /// A picture of the input for each unit.
    Pictures,
}

/// The weights of one layer as a picture of cells. Blocks of equal size, one in all for a
/// matrix, stand in rows with a seam of one cell between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightMap {
    /// The layer, from 0.
    pub layer: usize,
    /// What the blocks are.
    pub kind: MapKind,
    /// How many blocks there are, in the order of the parameters.
    pub blocks: usize,
    /// Blocks in a row.
    pub across: usize,
    /// Rows and columns of a block.
    pub block: [usize; 2],
    /// Blocks that one unit or filter has, side by side.
    pub per_unit: usize,
    /// The index in the parameter vector of the first weight.
    pub start: usize,
}

/// How high blocks are stacked, in their width.
const HIGH: f32 = 1.5;
/// Pictures of more cells than this are not made.
const MOST_CELLS: usize = 1_000_000;
/// All pictures of a network together have at most so many.
const MOST_IN_ALL: usize = 3_000_000;

impl WeightMap {
    /// The picture of `layer`'s weights; `None` where it has no weights, or too many to
    /// be seen as one picture.
    pub fn of(problem: &Problem, layer: usize) -> Option<Self> {
        let network = &problem.network;
        let this = network.layers().get(layer)?;
        let tensor = network.layout().tensor(layer, ParamRole::Weight)?;
        let (start, len) = (tensor.range.start, tensor.range.len());
        let (kind, blocks, across, block, per_unit) = match this.kind() {
            LayerKind::Conv(conv) => {
                let channels = this.input_shape().channels / conv.groups;
                let blocks = conv.filters * channels;
                let across = match channels {
                    1 => square(blocks, conv.kernel),
                    _ => channels,
                };
                (MapKind::Kernels, blocks, across, conv.kernel, channels)
            }
            LayerKind::Dense { units } => match image_of(problem, layer) {
                Some(shape) => (MapKind::Pictures, *units, square(*units, shape), shape, 1),
                None => (MapKind::Matrix, 1, 1, [*units, this.inputs()], 1),
            },
            _ => return None,
        };
        let map = WeightMap {
            layer,
            kind,
            blocks,
            across,
            block,
            per_unit,
            start,
        };
        let is_whole = blocks * block[0] * block[1] == len && len > 0;
        (is_whole && map.rows() * map.columns() <= MOST_CELLS).then_some(map)
    }

    /// Those of all layers that have one, from the first on as long as they have no more
    /// cells together than can be kept up to date.
    pub fn all(problem: &Problem) -> Vec<Self> {
        let layers = 0..problem.network.layers().len();
        let maps = layers.filter_map(|layer| WeightMap::of(problem, layer));
        maps.scan(0, |cells, map| {
            *cells += map.rows() * map.columns();
            (*cells <= MOST_IN_ALL).then_some(map)
        })
        .collect()
    }

    /// Cells from top to bottom.
    pub fn rows(&self) -> usize {
        let down = self.blocks.div_ceil(self.across);
        down * (self.block[0] + 1) - 1
    }

    /// Cells from left to right.
    pub fn columns(&self) -> usize {
        self.across * (self.block[1] + 1) - 1
    }

    /// The index in the parameter vector of the weight in a cell; `None` in a seam.
    pub fn parameter(&self, row: usize, column: usize) -> Option<usize> {
        let [height, width] = self.block;
        let (down, row) = (row / (height + 1), row % (height + 1));
        let (right, column) = (column / (width + 1), column % (width + 1));
        let block = down * self.across + right;
        let inside = row < height && column < width && right < self.across && block < self.blocks;
        inside.then(|| self.start + (block * height + row) * width + column)
    }

    /// The row and the column of a parameter's cell; `None` where it is not in the picture.
    pub fn cell(&self, parameter: usize) -> Option<[usize; 2]> {
        let [height, width] = self.block;
        let at = parameter.checked_sub(self.start)?;
        let (block, within) = (at / (height * width), at % (height * width));
        (block < self.blocks).then(|| {
            let (down, right) = (block / self.across, block % self.across);
            [
                down * (height + 1) + within / width,
                right * (width + 1) + within % width,
            ]
        })
    }

    /// The cells that a unit of a fully connected layer, or a filter, has: first row and
    /// column, and those behind the last; `None` where there is no such unit.
    pub fn of_unit(&self, unit: usize) -> Option<[usize; 4]> {
        let [height, width] = self.block;
        if self.kind == MapKind::Matrix {
            return (unit < height).then_some([unit, 0, unit + 1, width]);
        }
        let first = unit * self.per_unit;
        (first < self.blocks).then(|| {
            let (top, left) = (
                first / self.across * (height + 1),
                first % self.across * (width + 1),
            );
            [
                top,
                left,
                top + height,
                left + self.per_unit * (width + 1) - 1,
            ]
        })
    }
}

/// Blocks in a row that make the whole somewhat higher than wide, as the layers of a
/// network are drawn, and full where that is possible.
fn square(blocks: usize, [height, width]: [usize; 2]) -> usize {
    let ideal = (blocks as f32 * (height + 1) as f32 / (width + 1) as f32 / HIGH).sqrt();
    let near = |across: &usize| {
        let ratio = *across as f32 / ideal;
        (0.5..=2.0).contains(&ratio) && blocks.is_multiple_of(*across)
    };
    let off = |across: usize| (across as f32 / ideal).ln().abs();
    (1..=blocks.max(1))
        .filter(near)
        .min_by(|a, b| off(*a).total_cmp(&off(*b)))
        .unwrap_or((ideal.round() as usize).clamp(1, blocks.max(1)))
}

/// Rows and columns of the picture in grey that a fully connected layer reads, itself or
/// through layers that only pass it on.
fn image_of(problem: &Problem, layer: usize) -> Option<[usize; 2]> {
    let network: &Network = &problem.network;
    let image = problem.data.image.filter(|image| image.channels == 1)?;
    let mut at = layer;
    loop {
        let this = &network.layers()[at];
        let [source] = this.sources() else {
            return None;
        };
        match source.column().checked_sub(1) {
            None => break,
            Some(below) if matches!(network.layers()[below].kind(), LayerKind::Flatten) => {
                at = below;
            }
            Some(_) => return None,
        }
    }
    let fits = image.size() == network.layers()[layer].inputs();
    fits.then_some([image.height, image.width])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    fn problem(text: &str) -> Problem {
        let text = format!("{text}\nloss = \"cross-entropy\"\n");
        Problem::new(&Experiment::parse(&text, "test").unwrap()).unwrap()
    }

    fn every_weight_has_one_cell(problem: &Problem, map: &WeightMap) {
        let range = problem.network.layout().weight(map.layer);
        let cells = (0..map.rows()).flat_map(|r| (0..map.columns()).map(move |c| (r, c)));
        let mut seen: Vec<usize> = cells
            .filter_map(|(row, column)| {
                let parameter = map.parameter(row, column)?;
                assert_eq!(map.cell(parameter), Some([row, column]));
                Some(parameter)
            })
            .collect();
        seen.sort_unstable();
        assert!(seen.into_iter().eq(range.clone()), "{map:?}");
        assert_eq!(map.cell(range.end), None);
        assert_eq!(range.start.checked_sub(1).and_then(|i| map.cell(i)), None);
    }

    #[test]
    fn a_matrix_has_a_row_for_each_unit() {
        let problem = problem("[data]\nsource = \"spiral\"\n[network]\nlayers = [{ dense = 5 }]");
        let maps = WeightMap::all(&problem);
        assert_eq!(maps.len(), 2);
        assert_eq!((maps[0].rows(), maps[0].columns()), (5, 2));
        // Row 3, column 1 of a 5 x 2 matrix.
        assert_eq!(maps[0].parameter(3, 1), Some(7));
        assert_eq!(maps[0].of_unit(3), Some([3, 0, 4, 2]));
        assert_eq!(maps[0].of_unit(5), None);
        maps.iter()
            .for_each(|map| every_weight_has_one_cell(&problem, map));
    }

    #[test]
    fn first_weights_of_an_image_are_pictures_of_it() {
        for flatten in ["", "\"flatten\", "] {
            let text = format!(
                "[data]\nsource = \"digits\"\nlimit = 50\n[network]\nlayers = [{flatten}{{ dense = 6 }}]"
            );
            let problem = problem(&text);
            let map = WeightMap::all(&problem)[0];
            assert_eq!(
                (map.kind, map.block, map.blocks),
                (MapKind::Pictures, [8, 8], 6)
            );
            // Three in a row or two: 8 + 1 cells each.
            assert_eq!(map.columns() % 9, 8);
            assert_eq!(map.parameter(8, 0), None, "a seam");
            let [top, left, ..] = map.of_unit(4).unwrap();
            assert_eq!(map.parameter(top, left), Some(map.start + 4 * 64));
            every_weight_has_one_cell(&problem, &map);
        }
    }

    #[test]
    fn a_filter_bank_is_a_grid_of_kernels() {
        let problem = problem(
            "[data]\nsource = \"digits\"\nlimit = 50\n[network]\nlayers = [{ conv = 4, kernel = 3 }, \
             { conv = 5, kernel = [2, 3] }, \"flatten\"]",
        );
        let maps = WeightMap::all(&problem);
        let (first, second) = (maps[0], maps[1]);
        assert_eq!((first.blocks, first.across, first.block), (4, 2, [3, 3]));
        // Five filters of four channels: a row of kernels is a filter.
        assert_eq!((second.rows(), second.columns()), (5 * 3 - 1, 4 * 4 - 1));
        assert_eq!(second.of_unit(2), Some([6, 0, 8, 15]));
        // Filter 2, channel 1, row 1, column 2.
        let wanted = second.start + ((2 * 4 + 1) * 2 + 1) * 3 + 2;
        assert_eq!(second.parameter(7, 6), Some(wanted));
        maps.iter()
            .for_each(|map| every_weight_has_one_cell(&problem, map));
    }
}
