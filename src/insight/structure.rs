//! What a network consists of, layer by layer: what each does, its shapes, and what it
//! costs in parameters, arithmetic and memory.

use crate::nn::{LayerKind, Network, Shape, Source};
use serde::Serialize;

/// One row of the table: the input, or a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name: that of the experiment, else its kind with its number from 1.
    pub name: String,
    /// The kind, as experiments name it; `input` for the input.
    pub kind: &'static str,
    /// What is particular to it: `3x3, stride 2`, in short.
    pub detail: String,
    /// The activation function; empty for none.
    pub activation: &'static str,
    /// The rows that it reads, from 0, the input.
    pub reads: Vec<usize>,
    /// What goes in (from each): `[channels, height, width]`, or `[units]`.
    pub input: Vec<usize>,
    /// What comes out.
    pub output: Vec<usize>,
    /// Parameters that are trained.
    pub parameters: usize,
    /// Numbers that are gathered and not trained: batch normalisation's statistics.
    pub statistics: usize,
    /// Multiply-adds of a forward pass of one sample.
    pub multiply_adds: usize,
    /// Bytes of its parameters and statistics in single precision.
    pub parameter_bytes: usize,
    /// Bytes of its activations for one sample in single precision.
    pub activation_bytes: usize,
}

/// A network as a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Structure {
    /// The input, then the layers in order.
    pub rows: Vec<Row>,
    /// Parameters that are trained, of all layers.
    pub parameters: usize,
    /// Statistics of all layers.
    pub statistics: usize,
    /// Multiply-adds of a forward pass of one sample.
    pub multiply_adds: usize,
    /// Bytes of all parameters and statistics in single precision.
    pub parameter_bytes: usize,
    /// Bytes of all activations for one sample, the input's among them.
    pub activation_bytes: usize,
    /// The loss.
    pub loss: &'static str,
}

/// Bytes of a number in single precision.
const FLOAT: usize = size_of::<f32>();

impl Structure {
    /// The structure of a network.
    pub fn of(network: &Network) -> Self {
        let layout = network.layout();
        let input = Row {
            name: "input".to_owned(),
            kind: "input",
            detail: String::new(),
            activation: "",
            reads: Vec::new(),
            input: sides(network.input_shape()),
            output: sides(network.input_shape()),
            parameters: 0,
            statistics: 0,
            multiply_adds: 0,
            parameter_bytes: 0,
            activation_bytes: FLOAT * network.inputs(),
        };
        let layers = network.layers().iter().enumerate().map(|(k, layer)| {
            let trained = network.layer_range(k);
            let all = layout.tensors().iter().filter(|tensor| tensor.layer == k);
            let numbers: usize = all.map(|tensor| tensor.range.len()).sum();
            let kind = layer.kind().name();
            Row {
                name: match layer.name() {
                    Some(name) => name.to_owned(),
                    None => format!("{kind}_{}", k + 1),
                },
                kind,
                detail: detail(layer.kind()),
                activation: match layer.activation().name() {
                    "linear" => "",
                    other => other,
                },
                reads: layer
                    .sources()
                    .iter()
                    .map(|s: &Source| s.column())
                    .collect(),
                input: sides(layer.input_shape()),
                output: sides(layer.output_shape()),
                parameters: trained.len(),
                statistics: numbers - trained.len(),
                multiply_adds: layer.multiply_adds(),
                parameter_bytes: FLOAT * numbers,
                activation_bytes: FLOAT * layer.outputs(),
            }
        });
        let rows: Vec<Row> = std::iter::once(input).chain(layers).collect();
        let sum = |of: fn(&Row) -> usize| rows.iter().map(of).sum();
        Structure {
            parameters: sum(|row| row.parameters),
            statistics: sum(|row| row.statistics),
            multiply_adds: sum(|row| row.multiply_adds),
            parameter_bytes: sum(|row| row.parameter_bytes),
            activation_bytes: sum(|row| row.activation_bytes),
            loss: network.loss_kind().name(),
            rows,
        }
    }

    /// The table in Markdown.
    pub fn markdown(&self) -> String {
        let mut lines = vec![
            format!("| {} |", HEADINGS.join(" | ")),
            format!("|---|---|---|---|{}", "---:|".repeat(HEADINGS.len() - 4)),
        ];
        lines.extend(
            self.cells()
                .iter()
                .map(|row| format!("| {} |", row.join(" | "))),
        );
        lines.join("\n") + "\n"
    }

    /// The table in columns of equal width.
    pub fn text(&self) -> String {
        let cells = self.cells();
        let headings: Vec<String> = HEADINGS.iter().map(|h| (*h).to_owned()).collect();
        let width = |k: usize| {
            let all = cells.iter().chain([&headings]);
            all.map(|row| row[k].chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..HEADINGS.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let pieces = row.iter().enumerate().map(|(k, cell)| {
                let pad = " ".repeat(widths[k] - cell.chars().count());
                // Words begin at the left, numbers end at the right.
                if k < 4 {
                    format!("{cell}{pad}")
                } else {
                    format!("{pad}{cell}")
                }
            });
            pieces.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let mut lines = vec![line(&headings)];
        lines.extend(cells.iter().map(line));
        lines.join("\n") + "\n"
    }

    /// The rows as texts, and the totals below them.
    fn cells(&self) -> Vec<Vec<String>> {
        let mut all: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| {
                let what = [row.kind, &row.detail, row.activation].into_iter();
                let what: Vec<&str> = what.filter(|text| !text.is_empty()).collect();
                vec![
                    row.name.clone(),
                    what.join(", "),
                    shape(&row.input),
                    shape(&row.output),
                    grouped(row.parameters + row.statistics),
                    grouped(row.multiply_adds),
                    bytes(row.parameter_bytes),
                    bytes(row.activation_bytes),
                ]
            })
            .collect();
        all.push(vec![
            "total".to_owned(),
            self.loss.to_owned(),
            String::new(),
            String::new(),
            grouped(self.parameters + self.statistics),
            grouped(self.multiply_adds),
            bytes(self.parameter_bytes),
            bytes(self.activation_bytes),
        ]);
        all
    }
}

const HEADINGS: [&str; 8] = [
    "layer",
    "kind",
    "in",
    "out",
    "parameters",
    "multiply-adds",
    "weights",
    "activations",
];

fn sides(shape: Shape) -> Vec<usize> {
    if shape.height == 1 && shape.width == 1 {
        vec![shape.size()]
    } else {
        vec![shape.channels, shape.height, shape.width]
    }
}

/// A shape as `1 x 28 x 28`.
pub fn shape(sides: &[usize]) -> String {
    let sides: Vec<String> = sides.iter().map(usize::to_string).collect();
    sides.join(" × ")
}

/// A count with its digits in groups of three.
pub fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many bytes, in a unit that keeps the number short.
pub fn bytes(count: usize) -> String {
    const UNITS: [&str; 4] = ["B", "kB", "MB", "GB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 || value >= 100.0 {
        format!("{value:.0} {}", UNITS[unit])
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

/// What is particular to a layer of its kind.
fn detail(kind: &LayerKind) -> String {
    let window = |size: [usize; 2], stride: [usize; 2], padding: [usize; 2]| {
        let mut text = format!("{}×{}", size[0], size[1]);
        if stride != [1, 1] && stride != size {
            text += &format!(", stride {}", stride[0]);
        }
        if padding != [0, 0] {
            text += &format!(", padding {}", padding[0]);
        }
        text
    };
    match kind {
        LayerKind::Conv(conv) => {
            let mut text = window(conv.kernel, conv.stride, conv.padding);
            if conv.groups > 1 {
                text += &format!(", {} groups", conv.groups);
            }
            text
        }
        LayerKind::MaxPool(pool) | LayerKind::AvgPool(pool) => {
            window(pool.size, pool.stride, pool.padding)
        }
        LayerKind::Dropout { rate } => format!("{rate}"),
        _ => String::new(),
    }
}
