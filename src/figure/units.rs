//! Every unit's activation over the plane of the two inputs, column by column, with the
//! weights between them as lines.

use super::field::image;
use super::matrices::three;
use super::plot::sheet;
use super::svg::{Anchor, Svg};
use super::{FigureError, Style, Tone};
use crate::insight::neuron_field::NeuronFields;
use crate::nn::Network;

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct UnitsFigure<'a> {
    /// The network.
    pub network: &'a Network,
    /// Its parameters.
    pub params: &'a [f32],
    /// The activations, column by column.
    pub fields: &'a NeuronFields,
    /// At most so many units of a column are drawn, the first ones.
    pub most: usize,
    /// What each column is called.
    pub columns: &'a [String],
    /// What the inputs and the outputs are called.
    pub ends: [&'a [String]; 2],
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// Dark or light.
    pub tone: Tone,
}

const TOP: f64 = 132.0;
const LEFT: f64 = 96.0;
const ROW: f64 = 84.0;
const SIDE: f64 = 64.0;
const COLUMN: f64 = 168.0;
/// Lines between two columns, at most.
const LINES: usize = 256;

impl UnitsFigure<'_> {
    /// The picture as SVG. Each column has its own scale, about zero, which stands below
    /// its name.
    ///
    /// # Errors
    /// When the picture of a field cannot be made.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let style = self.tone.style();
        let columns = self.network.layers().len() + 1;
        let tallest = self.tallest() as f64;
        let width = LEFT + COLUMN * columns as f64 + 40.0;
        let size = (width.max(560.0), TOP + ROW * tallest + 20.0);
        let mut svg = sheet(size, self.tone, &self.title, &self.subtitle);
        for layer in 0..columns - 1 {
            self.lines(&mut svg, layer, &style);
        }
        for column in 0..columns {
            self.column(&mut svg, column, &style)?;
        }
        Ok(svg)
    }

    /// How many units of a column are drawn.
    fn shown(&self, column: usize) -> usize {
        self.fields.units(column).min(self.most)
    }

    fn tallest(&self) -> usize {
        let columns = 0..=self.network.layers().len();
        columns.map(|column| self.shown(column)).max().unwrap_or(1)
    }

    /// The corner of a unit's square.
    fn corner(&self, column: usize, unit: usize) -> (f64, f64) {
        let spare = 0.5 * ROW * (self.tallest() - self.shown(column)) as f64;
        (
            LEFT + COLUMN * column as f64,
            TOP + spare + ROW * unit as f64,
        )
    }

    fn column(&self, svg: &mut Svg, column: usize, style: &Style) -> Result<(), FigureError> {
        let units: Vec<&[f32]> = (0..self.shown(column))
            .filter_map(|unit| self.fields.of(column, unit))
            .collect();
        let finite = units
            .iter()
            .flat_map(|field| field.iter())
            .filter(|v| v.is_finite());
        let most = finite.fold(0.0_f32, |m, v| m.max(v.abs()));
        let n = self.fields.resolution;
        for (unit, values) in units.iter().enumerate() {
            let (x, y) = self.corner(column, unit);
            let color = |k: usize| style.diverging.at(values[k] / most.max(f32::MIN_POSITIVE));
            svg.cells(x, y, SIDE, SIDE, &image(n, color)?);
            svg.frame(x, y, SIDE, SIDE, style.faint);
            let middle = y + 0.5 * SIDE + 5.0;
            let last = self.network.layers().len();
            if column == 0 {
                let name = self.ends[0].get(unit).map_or("", String::as_str);
                svg.text((x - 8.0, middle), 13.0, Anchor::End, style.text, name);
            } else if column == last {
                let name = self.ends[1].get(unit).map_or("", String::as_str);
                let at = (x + SIDE + 8.0, middle);
                svg.text(at, 13.0, Anchor::Start, style.text, name);
            }
        }
        let all = self.network.widths().get(column).copied().unwrap_or(0);
        let name = self.columns.get(column).map_or("", String::as_str);
        let (x, _) = self.corner(column, 0);
        let middle = x + 0.5 * SIDE;
        svg.text((middle, TOP - 30.0), 14.0, Anchor::Middle, style.text, name);
        let shown = match units.len() < all {
            true => format!("{} of {all} units, ", units.len()),
            false => String::new(),
        };
        let said = format!("{shown}±{}", three(most.into()));
        svg.text(
            (middle, TOP - 13.0),
            12.0,
            Anchor::Middle,
            style.faint,
            &said,
        );
        Ok(())
    }

    /// The weights into `layer`, between the units that are drawn.
    fn lines(&self, svg: &mut Svg, layer: usize, style: &Style) {
        let sources = self.network.layers()[layer].sources();
        let mut lines = Vec::new();
        for (source, connections) in sources.iter().zip(self.network.connections(layer)) {
            let from_column = source.column();
            for to in 0..self.shown(layer + 1) {
                for index in connections.into_unit(to) {
                    let link = connections.get(index);
                    let Some(link) = link.filter(|l| l.from < self.shown(from_column)) else {
                        continue;
                    };
                    let weight = link.parameter.map_or(1.0, |p| f64::from(self.params[p]));
                    lines.push((weight, (from_column, link.from), to));
                }
            }
        }
        lines.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
        lines.truncate(LINES);
        let largest = lines.first().map_or(0.0, |line| line.0.abs());
        for (weight, (from_column, from), to) in lines.into_iter().rev() {
            let start = self.corner(from_column, from);
            let end = self.corner(layer + 1, to);
            let share = weight / largest.max(f64::MIN_POSITIVE);
            let color = style.diverging.at(share.signum() as f32);
            let points = [
                (start.0 + SIDE, start.1 + 0.5 * SIDE),
                (end.0, end.1 + 0.5 * SIDE),
            ];
            // Negative weights are dashed: a second cue beside the colour.
            let dash = if share < 0.0 { "6 4" } else { "" };
            let (width, opacity) = (0.5 + 4.5 * share.abs(), 0.25 + 0.65 * share.abs());
            svg.swing(&points, color, width, opacity, dash);
        }
    }
}
