//! Which unit of a layer reads which value below it, and by which parameter:
//! the edges of the network's graph, numbered, none of them stored.
//!
//! A convolution of a small image has hundreds of thousands of connections.
//! Here each is found from its number, each unit's are a range of numbers, and
//! what leaves a value can be walked; what is held is two numbers for every row
//! and column of an image.
//!
//! A normalisation is taken as what it does to each value. That mean and
//! deviation come from others too is not in this graph.

use super::layer::{Layer, LayerKind, Pool, Source};
use super::{Network, ParamRole};
use std::ops::Range;

/// One connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The unit of the source.
    pub from: usize,
    /// The unit of the layer.
    pub to: usize,
    /// The index of its weight in the parameter vector; `None` where nothing is
    /// learnt.
    pub parameter: Option<usize>,
}

/// All connections from one source of a layer into that layer, numbered by the
/// unit where they end, then by the one where they begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connections {
    inputs: usize,
    units: usize,
    pattern: Pattern,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    /// Every unit reads every value.
    All { weights: usize },
    /// Unit `i` reads value `i`.
    Same,
    /// Windows that slide over an image.
    Windows(Windows),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Windows {
    rows: Axis,
    columns: Axis,
    /// Channels out for each group.
    filters: usize,
    /// Channels in for each group.
    channels: usize,
    /// Where the filters begin; `None` for pooling.
    weights: Option<usize>,
}

/// Windows along one axis of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Axis {
    values: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
    /// For each window the taps that lie inside the image.
    taps: Vec<Range<usize>>,
    /// For each window how many taps of earlier ones do, and at the end of all.
    before: Vec<usize>,
}

impl Axis {
    fn new(values: usize, out: usize, [kernel, stride, padding, dilation]: [usize; 4]) -> Self {
        let mut before = vec![0];
        let taps: Vec<Range<usize>> = (0..out)
            .map(|o| {
                let inside = |&k: &usize| {
                    let at = o * stride + k * dilation;
                    at >= padding && at - padding < values
                };
                let first = (0..kernel).find(inside).unwrap_or(0);
                let end = (0..kernel).rev().find(inside).map_or(first, |k| k + 1);
                first..end
            })
            .collect();
        for taps in &taps {
            before.push(before[before.len() - 1] + taps.len());
        }
        Axis {
            values,
            kernel,
            stride,
            padding,
            dilation,
            taps,
            before,
        }
    }

    fn count(&self) -> usize {
        self.taps.len()
    }

    fn total(&self) -> usize {
        self.before[self.count()]
    }

    /// The value that `tap` of window `o` reads; the tap is inside.
    fn value(&self, o: usize, tap: usize) -> usize {
        o * self.stride + tap * self.dilation - self.padding
    }

    /// The windows that read `value`, each with its tap.
    fn readers(&self, value: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.kernel).filter_map(move |tap| {
            let start = (value + self.padding).checked_sub(tap * self.dilation)?;
            let o = start / self.stride;
            (start % self.stride == 0 && o < self.count()).then_some((o, tap))
        })
    }

    /// The window that the tap numbered `n` over all windows, each repeated
    /// `times` times, belongs to.
    fn window(&self, n: usize, times: usize) -> usize {
        self.before.partition_point(|&b| b * times <= n) - 1
    }
}

impl Windows {
    fn per_channel(&self) -> usize {
        self.rows.total() * self.columns.total() * self.channels
    }

    /// The number of the first connection into a unit.
    fn first(&self, channel: usize, row: usize, column: usize) -> usize {
        let wide = self.rows.taps[row].len();
        let above = self.rows.before[row] * self.columns.total();
        channel * self.per_channel() + self.channels * (above + wide * self.columns.before[column])
    }

    fn unit(&self, to: usize) -> (usize, usize, usize) {
        let columns = self.columns.count();
        let pixels = self.rows.count() * columns;
        (to / pixels, to % pixels / columns, to % columns)
    }

    fn get(&self, index: usize) -> Link {
        let channel = index / self.per_channel();
        let rest = index % self.per_channel();
        let row = self.rows.window(rest, self.columns.total() * self.channels);
        let height = self.rows.taps[row].len();
        let rest = rest - self.rows.before[row] * self.columns.total() * self.channels;
        let column = self.columns.window(rest, height * self.channels);
        let width = self.columns.taps[column].len();
        let rest = rest - self.columns.before[column] * height * self.channels;
        let (source, tap) = (rest / (height * width), rest % (height * width));
        let tap = (
            self.rows.taps[row].start + tap / width,
            self.columns.taps[column].start + tap % width,
        );
        self.link((channel, row, column), source, tap)
    }

    /// The connection through one tap; `source` is a channel within the group.
    fn link(
        &self,
        (channel, row, column): (usize, usize, usize),
        source: usize,
        tap: (usize, usize),
    ) -> Link {
        let plane = channel / self.filters * self.channels + source;
        let (y, x) = (
            self.rows.value(row, tap.0),
            self.columns.value(column, tap.1),
        );
        let filter = channel * self.channels + source;
        let weight = (filter * self.rows.kernel + tap.0) * self.columns.kernel + tap.1;
        Link {
            from: (plane * self.rows.values + y) * self.columns.values + x,
            to: (channel * self.rows.count() + row) * self.columns.count() + column,
            parameter: self.weights.map(|first| first + weight),
        }
    }

    fn number(
        &self,
        channel: usize,
        source: usize,
        rows: (usize, usize),
        columns: (usize, usize),
    ) -> usize {
        let ((row, ty), (column, tx)) = (rows, columns);
        let (height, width) = (&self.rows.taps[row], &self.columns.taps[column]);
        self.first(channel, row, column)
            + (source * height.len() + ty - height.start) * width.len()
            + tx
            - width.start
    }
}

impl Connections {
    /// Those from source number `source` of `layer`; `None` where there is no
    /// such layer or source.
    pub fn of(network: &Network, layer: usize, source: usize) -> Option<Self> {
        let this = network.layers().get(layer)?;
        this.sources().get(source)?;
        let weights = network.layout().weight(layer).start;
        let pattern = match this.kind() {
            LayerKind::Dense { .. } => Pattern::All { weights },
            LayerKind::Conv(conv) => {
                let [kernel, stride] = [conv.kernel, conv.stride];
                let axes = |a: usize| [kernel[a], stride[a], conv.padding[a], conv.dilation[a]];
                let groups = conv.groups.max(1);
                let (input, output) = (this.input_shape(), this.output_shape());
                Pattern::Windows(Windows {
                    rows: Axis::new(input.height, output.height, axes(0)),
                    columns: Axis::new(input.width, output.width, axes(1)),
                    filters: output.channels / groups,
                    channels: input.channels / groups,
                    weights: Some(weights),
                })
            }
            LayerKind::MaxPool(pool) | LayerKind::AvgPool(pool) => windows_of(this, *pool),
            LayerKind::GlobalAvgPool => {
                let input = this.input_shape();
                let size = [input.height, input.width];
                windows_of(
                    this,
                    Pool {
                        size,
                        stride: size,
                        ..Pool::square(1)
                    },
                )
            }
            LayerKind::Flatten
            | LayerKind::Dropout { .. }
            | LayerKind::BatchNorm(_)
            | LayerKind::LayerNorm(_)
            | LayerKind::Add
            | LayerKind::PRelu { .. } => Pattern::Same,
        };
        Some(Connections {
            inputs: this.inputs(),
            units: this.outputs(),
            pattern,
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.pattern {
            Pattern::All { .. } => self.inputs * self.units,
            Pattern::Same => self.units,
            Pattern::Windows(w) => {
                self.units / (w.rows.count() * w.columns.count()).max(1) * w.per_channel()
            }
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Values of the source.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Units of the layer.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Whether every unit reads every value.
    pub fn is_full(&self) -> bool {
        matches!(self.pattern, Pattern::All { .. })
    }

    /// Whether they have weights.
    pub fn is_weighted(&self) -> bool {
        match &self.pattern {
            Pattern::All { .. } => true,
            Pattern::Same => false,
            Pattern::Windows(w) => w.weights.is_some(),
        }
    }

    /// The connection with number `index`.
    pub fn get(&self, index: usize) -> Option<Link> {
        if index >= self.len() {
            return None;
        }
        Some(match &self.pattern {
            Pattern::All { weights } => Link {
                from: index % self.inputs,
                to: index / self.inputs,
                parameter: Some(weights + index),
            },
            Pattern::Same => Link {
                from: index,
                to: index,
                parameter: None,
            },
            Pattern::Windows(w) => w.get(index),
        })
    }

    /// The numbers of the connections into unit `to`.
    pub fn into_unit(&self, to: usize) -> Range<usize> {
        if to >= self.units {
            return 0..0;
        }
        match &self.pattern {
            Pattern::All { .. } => to * self.inputs..(to + 1) * self.inputs,
            Pattern::Same => to..to + 1,
            Pattern::Windows(w) => {
                let (channel, row, column) = w.unit(to);
                let first = w.first(channel, row, column);
                let taps = w.rows.taps[row].len() * w.columns.taps[column].len();
                first..first + taps * w.channels
            }
        }
    }

    /// The numbers of the connections that leave value `from`, ascending by the
    /// channel where they end.
    pub fn out_of(&self, from: usize) -> Box<dyn Iterator<Item = usize> + '_> {
        if from >= self.inputs {
            return Box::new(std::iter::empty());
        }
        match &self.pattern {
            Pattern::All { .. } => Box::new((from..self.len()).step_by(self.inputs.max(1))),
            Pattern::Same => Box::new(std::iter::once(from)),
            Pattern::Windows(w) => {
                let pixels = w.rows.values * w.columns.values;
                let (plane, pixel) = (from / pixels, from % pixels);
                let (y, x) = (pixel / w.columns.values, pixel % w.columns.values);
                let (group, source) = (plane / w.channels, plane % w.channels);
                let filters = group * w.filters..(group + 1) * w.filters;
                Box::new(filters.flat_map(move |channel| {
                    w.rows.readers(y).flat_map(move |rows| {
                        w.columns
                            .readers(x)
                            .map(move |columns| w.number(channel, source, rows, columns))
                    })
                }))
            }
        }
    }

    /// The number of the connection from value `from` to unit `to`.
    pub fn number(&self, from: usize, to: usize) -> Option<usize> {
        match &self.pattern {
            Pattern::All { .. } => {
                (from < self.inputs && to < self.units).then(|| to * self.inputs + from)
            }
            Pattern::Same => (from == to && to < self.units).then_some(to),
            Pattern::Windows(_) => {
                let into = self.into_unit(to);
                self.out_of(from).find(|index| into.contains(index))
            }
        }
    }
}

fn windows_of(layer: &Layer, pool: Pool) -> Pattern {
    let axes = |a: usize| [pool.size[a], pool.stride[a], pool.padding[a], 1];
    let (input, output) = (layer.input_shape(), layer.output_shape());
    Pattern::Windows(Windows {
        rows: Axis::new(input.height, output.height, axes(0)),
        columns: Axis::new(input.width, output.width, axes(1)),
        filters: 1,
        channels: 1,
        weights: None,
    })
}

impl Network {
    /// The connections from each source of `layer`, in the order of its sources.
    pub fn connections(&self, layer: usize) -> Vec<Connections> {
        let sources = self.layers().get(layer).map_or(0, |l| l.sources().len());
        (0..sources)
            .filter_map(|source| Connections::of(self, layer, source))
            .collect()
    }

    /// The parameter that is added to a unit's value: a bias, which all units of
    /// a feature map share, or a normalisation's shift.
    pub fn bias_of(&self, layer: usize, unit: usize) -> Option<usize> {
        let this = self.layers().get(layer).filter(|l| unit < l.outputs())?;
        let tensors = self.layout().tensors().iter();
        let own = tensors.filter(|t| t.layer == layer);
        let bias = own
            .into_iter()
            .find(|t| matches!(t.role, ParamRole::Bias | ParamRole::Shift))?;
        let share = this.outputs() / bias.range.len().max(1);
        bias.range.clone().nth(unit / share.max(1))
    }
}

impl Source {
    /// The column in which its units stand where the inputs are column 0 and
    /// layer `k` is column `k + 1`.
    pub fn column(self) -> usize {
        match self {
            Source::Input => 0,
            Source::Layer(layer) => layer + 1,
        }
    }
}
