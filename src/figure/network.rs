//! A network as a flat picture: columns of units and the strongest connections
//! between them, for machines that can draw no 3D.

use super::Tone;
use super::svg::{Anchor, Svg};
use crate::nn::Network;

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct NetworkFigure<'a> {
    /// The network.
    pub network: &'a Network,
    /// Its parameters, as many as its layout has.
    pub params: &'a [f32],
    /// One sample's values: the input, then each layer's activations; units are
    /// coloured by them. Empty for none.
    pub values: &'a [Vec<f32>],
    /// How the input lies in an image, rows and columns.
    pub image: Option<(usize, usize)>,
    /// Names of the outputs, or none.
    pub outputs: &'a [String],
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// Dark or light.
    pub tone: Tone,
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 640.0;
const TOP: f64 = 96.0;
const BOTTOM: f64 = 60.0;
const SIDE: f64 = 140.0;
/// Connections that are drawn between two layers, at most.
const CONNECTIONS: usize = 600;
/// Units in one line of a column, at most; more make a block.
const TALL: usize = 20;

/// Where the units of one column stand.
struct Column {
    points: Vec<(f64, f64)>,
    radius: f64,
}

impl NetworkFigure<'_> {
    /// Units from top to bottom of the picture.
    pub const HEIGHT: f64 = HEIGHT;

    /// The picture as SVG.
    pub fn draw(&self) -> Svg {
        let style = self.tone.style();
        let mut svg = Svg::new(WIDTH, HEIGHT, style.background);
        svg.text((40.0, 38.0), 22.0, Anchor::Start, style.text, &self.title);
        svg.text(
            (40.0, 64.0),
            14.0,
            Anchor::Start,
            style.faint,
            &self.subtitle,
        );
        let columns = self.columns();
        let mut notes = Vec::new();
        for layer in 0..self.network.layers().len() {
            let (shown, all) = self.connections(&mut svg, &columns, layer);
            notes.push(if shown < all {
                format!("{shown} of {all} connections")
            } else {
                format!("{all} connections")
            });
        }
        for (k, column) in columns.iter().enumerate() {
            let values = self.values.get(k).map_or(&[][..], Vec::as_slice);
            let largest = values
                .iter()
                .fold(0.0_f32, |m, v| m.max(v.abs()))
                .max(f32::MIN_POSITIVE);
            for (unit, &point) in column.points.iter().enumerate() {
                let value = values.get(unit).map_or(0.0, |v| v / largest);
                let fill = style.diverging.at(value);
                svg.circle(point, column.radius, fill, style.faint);
            }
            let units = column.points.len();
            let x = column.points.iter().map(|p| p.0).sum::<f64>() / units as f64;
            let label = format!("{units}");
            svg.text((x, HEIGHT - 34.0), 15.0, Anchor::Middle, style.text, &label);
            if let Some(note) = k.checked_sub(1).and_then(|layer| notes.get(layer)) {
                svg.text((x, HEIGHT - 14.0), 12.0, Anchor::Middle, style.faint, note);
            }
        }
        if let Some(last) = columns
            .last()
            .filter(|c| c.points.len() == self.outputs.len())
        {
            for (name, (x, y)) in self.outputs.iter().zip(&last.points) {
                let at = (x + last.radius + 10.0, y + 5.0);
                svg.text(at, 14.0, Anchor::Start, style.text, name);
            }
        }
        svg
    }

    fn columns(&self) -> Vec<Column> {
        let widths = self.network.widths();
        let space = (WIDTH - 2.0 * SIDE) / (widths.len() - 1).max(1) as f64;
        widths
            .iter()
            .enumerate()
            .map(|(k, &units)| {
                let (rows, columns) = match self.image {
                    Some((rows, columns)) if k == 0 && rows * columns == units => (rows, columns),
                    _ if units <= TALL => (units, 1),
                    _ => {
                        // Blocks that are taller than wide leave room for lines.
                        let columns = ((units as f64 / 4.0).sqrt().round() as usize).max(2);
                        (units.div_ceil(columns), columns)
                    }
                };
                let height = HEIGHT - TOP - BOTTOM;
                let pitch = (height / rows as f64)
                    .min(0.55 * space / columns as f64)
                    .min(44.0);
                let (x, y) = (SIDE + space * k as f64, TOP + height / 2.0);
                let points = (0..units)
                    .map(|unit| {
                        let (row, column) = (unit / columns, unit % columns);
                        (
                            x + pitch * (column as f64 - (columns - 1) as f64 / 2.0),
                            y + pitch * (row as f64 - (rows - 1) as f64 / 2.0),
                        )
                    })
                    .collect();
                Column {
                    points,
                    radius: 0.4 * pitch,
                }
            })
            .collect()
    }

    /// Draws the strongest connections into `layer`; how many, and of how many.
    fn connections(&self, svg: &mut Svg, columns: &[Column], layer: usize) -> (usize, usize) {
        let style = self.tone.style();
        let weights = &self.params[self.network.layout().weight(layer)];
        let (from, to) = (&columns[layer], &columns[layer + 1]);
        let inputs = from.points.len();
        let mut strongest: Vec<usize> = (0..weights.len()).collect();
        strongest.sort_by(|&a, &b| weights[b].abs().total_cmp(&weights[a].abs()));
        strongest.truncate(CONNECTIONS);
        let largest = strongest.first().map_or(0.0, |&i| weights[i].abs());
        // The weakest first, so that the strong lie on top.
        for &index in strongest.iter().rev() {
            let share = f64::from(weights[index]) / f64::from(largest.max(f32::MIN_POSITIVE));
            let (start, end) = (from.points[index % inputs], to.points[index / inputs]);
            let start = (start.0 + from.radius, start.1);
            let end = (end.0 - to.radius, end.1);
            let color = style.diverging.at(share.signum() as f32);
            let (width, opacity) = (0.4 + 3.2 * share.abs(), 0.12 + 0.75 * share.abs());
            // Negative weights are dashed: a second cue beside the colour.
            let dash = if share < 0.0 { "6 4" } else { "" };
            svg.polyline(&[start, end], color, width, opacity, dash);
        }
        (strongest.len(), weights.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Loss};

    #[test]
    fn every_unit_and_the_strongest_connections_are_drawn_and_counted() {
        let layers = [(64, Activation::Tanh), (3, Activation::Softmax)];
        let network = Network::dense(64, &layers, Loss::SoftmaxCrossEntropy).unwrap();
        let params: Vec<f32> = (0..network.layout().len())
            .map(|i| (i as f32).sin())
            .collect();
        let names = ["a", "b", "c"].map(str::to_owned);
        let figure = NetworkFigure {
            network: &network,
            params: &params,
            values: &[],
            image: Some((8, 8)),
            outputs: &names,
            title: String::new(),
            subtitle: String::new(),
            tone: Tone::Dark,
        };
        let text = figure.draw().finish();
        assert_eq!(text.matches("<circle").count(), 64 + 64 + 3);
        assert_eq!(text.matches("<polyline").count(), 600 + 192);
        assert!(text.contains("600 of 4096 connections") && text.contains(">192 connections<"));
        assert!(!text.contains("NaN"));
    }
}
