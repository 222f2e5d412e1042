//! A network as a flat picture: columns of units and the strongest connections
//! between them, for machines that can draw no 3D.

use super::Tone;
use super::svg::{Anchor, Svg};
use crate::insight::salient::{self, Criterion};
use crate::nn::{Connections, Layer, Link, Network, Shape};

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
/// Where connections pass that skip layers.
const OVER: f64 = TOP - 14.0;
/// Units in one line of a column, at most; more make a block.
const TALL: usize = 20;

/// Where the units of one column stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Their centres, to the right and down.
    pub points: Vec<(f64, f64)>,
    /// The radius of each.
    pub radius: f64,
}

/// A connection that is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedLink {
    /// The layer that it leads into, from 0.
    pub layer: usize,
    /// The column that it comes from: 0 is the input.
    pub column: usize,
    /// The unit there.
    pub from: usize,
    /// The unit of the layer.
    pub to: usize,
    /// Its weight's place in the parameter vector; none of one without a weight.
    pub parameter: Option<usize>,
}

/// What a picture of a network is drawn from, where another program draws it.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkPlan {
    /// Width and height of the picture.
    pub size: (f64, f64),
    /// The columns: the input, then the layers.
    pub columns: Vec<Column>,
    /// The connections that stand for all, the weakest first within a layer.
    pub links: Vec<PlannedLink>,
    /// For each layer how many are drawn, and of how many.
    pub counts: Vec<(usize, usize)>,
}

impl NetworkFigure<'_> {
    /// Units from top to bottom of the picture.
    pub const HEIGHT: f64 = HEIGHT;

    /// Where everything stands, with at most `most` connections into each layer from each
    /// of its sources.
    pub fn plan(&self, most: usize) -> NetworkPlan {
        let mut plan = NetworkPlan {
            size: (WIDTH, HEIGHT),
            columns: self.columns(),
            links: Vec::new(),
            counts: Vec::new(),
        };
        for (layer, this) in self.network.layers().iter().enumerate() {
            let (mut shown, mut all) = (0, 0);
            for (source, connections) in self.network.connections(layer).iter().enumerate() {
                let links = self.strongest(layer, connections, most);
                shown += links.len();
                all += connections.len();
                plan.links.extend(links.iter().map(|(link, _)| PlannedLink {
                    layer,
                    column: this.sources()[source].column(),
                    from: link.from,
                    to: link.to,
                    parameter: link.parameter,
                }));
            }
            plan.counts.push((shown, all));
        }
        plan
    }

    /// The connections of one source of `layer` that stand for all, with their weights,
    /// the weakest first, so that the strong lie on top.
    fn strongest(
        &self,
        layer: usize,
        connections: &Connections,
        most: usize,
    ) -> Vec<(Link, Option<f32>)> {
        let maps = self.network.layers()[layer].output_shape().channels;
        let activations = self.values.get(layer + 1).map_or(&[][..], Vec::as_slice);
        let criterion = Criterion {
            values: self.params,
            activations,
            maps,
            visible: [usize::MAX; 2],
        };
        let count = if salient::ranks_weights(connections, maps) {
            most
        } else {
            most.min(salient::in_windows(connections, maps, 1))
        };
        let chosen = salient::choose(connections, &criterion, count, &[]);
        let mut links: Vec<(Link, Option<f32>)> = chosen
            .iter()
            .filter_map(|&index| connections.get(index as usize))
            .map(|link| (link, link.parameter.map(|p| self.params[p])))
            .collect();
        let size = |weight: Option<f32>| weight.unwrap_or(0.0).abs();
        links.sort_by(|a, b| size(a.1).total_cmp(&size(b.1)));
        links
    }

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

    /// Where the units stand: those of the input, then those of each layer.
    pub(super) fn columns(&self) -> Vec<Column> {
        let layers = self.network.layers();
        let input = match self.image {
            Some((rows, columns)) if rows * columns == self.network.inputs() => {
                Shape::image(1, rows, columns)
            }
            _ => self.network.input_shape(),
        };
        let shapes = std::iter::once(input).chain(layers.iter().map(Layer::output_shape));
        let space = (WIDTH - 2.0 * SIDE) / layers.len().max(1) as f64;
        shapes
            .enumerate()
            .map(|(k, shape)| {
                let cells = cells(shape);
                let most = |f: fn(&(f64, f64)) -> f64| cells.iter().map(f).fold(0.0, f64::max);
                let (wide, high) = (most(|c| c.0), most(|c| c.1));
                let height = HEIGHT - TOP - BOTTOM;
                let pitch = (height / (high + 1.0))
                    .min(0.55 * space / (wide + 1.0))
                    .min(44.0);
                let (x, y) = (SIDE + space * k as f64, TOP + height / 2.0);
                let points = cells
                    .iter()
                    .map(|(right, down)| {
                        (
                            x + pitch * (right - wide / 2.0),
                            y + pitch * (down - high / 2.0),
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

    /// Draws the connections into `layer` that stand for all; how many, and of how
    /// many.
    fn connections(&self, svg: &mut Svg, columns: &[Column], layer: usize) -> (usize, usize) {
        let style = self.tone.style();
        let this = &self.network.layers()[layer];
        let (mut shown, mut all) = (0, 0);
        for (source, connections) in self.network.connections(layer).iter().enumerate() {
            let column = this.sources()[source].column();
            let (from, to) = (&columns[column], &columns[layer + 1]);
            let links = self.strongest(layer, connections, CONNECTIONS);
            shown += links.len();
            let size = |weight: Option<f32>| weight.unwrap_or(0.0).abs();
            let largest = links.last().map_or(0.0, |(_, weight)| size(*weight));
            for (link, weight) in links {
                let (start, end) = (from.points[link.from], to.points[link.to]);
                let mut points = vec![(start.0 + from.radius, start.1)];
                if column < layer {
                    // Over the layers between.
                    let third = (end.0 - start.0) / 6.0;
                    points.push((start.0 + third, OVER));
                    points.push((end.0 - third, OVER));
                }
                points.push((end.0 - to.radius, end.1));
                let Some(weight) = weight else {
                    svg.polyline(&points, style.faint, 0.8, 0.5, "");
                    continue;
                };
                let share = f64::from(weight) / f64::from(largest.max(f32::MIN_POSITIVE));
                let color = style.diverging.at(share.signum() as f32);
                let (width, opacity) = (0.4 + 3.2 * share.abs(), 0.12 + 0.75 * share.abs());
                // Negative weights are dashed: a second cue beside the colour.
                let dash = if share < 0.0 { "6 4" } else { "" };
                svg.polyline(&points, color, width, opacity, dash);
            }
            all += connections.len();
        }
        (shown, all)
    }
}

/// Where the values of this shape stand, in cells to the right and down: a line, a
/// block, or an image for each channel.
fn cells(shape: Shape) -> Vec<(f64, f64)> {
    let (height, width, units) = (shape.height, shape.width, shape.channels);
    let across = if shape.is_flat() && units <= TALL {
        1
    } else if shape.is_flat() {
        // Blocks that are taller than wide leave room for lines.
        ((units as f64 / 4.0).sqrt().round() as usize).max(2)
    } else {
        ((units as f64 / 2.0).sqrt().round() as usize).max(1)
    };
    let seam = if shape.is_flat() { 0.0 } else { 1.0 };
    (0..shape.size())
        .map(|unit| {
            let (channel, pixel) = (unit / (height * width), unit % (height * width));
            let (down, right) = ((channel / across) as f64, (channel % across) as f64);
            (
                right * (width as f64 + seam) + (pixel % width) as f64,
                down * (height as f64 + seam) + (pixel / width) as f64,
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::layer::Conv;
    use crate::nn::{Activation, LayerKind, LayerSpec, Loss, Source};

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

    #[test]
    fn feature_maps_and_what_skips_them_are_drawn() {
        let conv = || LayerSpec::new(LayerKind::Conv(Conv::square(4, 1)), Activation::Relu);
        let mut sum = LayerSpec::new(LayerKind::Add, Activation::Linear);
        sum.sources = vec![Source::Layer(1), Source::Layer(0)];
        let specs = [conv(), conv(), sum];
        let network = Network::new(Shape::image(1, 5, 5), &specs, Loss::MeanSquaredError).unwrap();
        let params = vec![0.5; network.layout().len()];
        let figure = NetworkFigure {
            network: &network,
            params: &params,
            values: &[],
            image: None,
            outputs: &[],
            title: String::new(),
            subtitle: String::new(),
            tone: Tone::Light,
        };
        let text = figure.draw().finish();
        assert_eq!(text.matches("<circle").count(), 25 + 3 * 100);
        // A window of one pixel for each of four maps, of one and of four channels;
        // then the four that each of two sources has.
        assert!(text.contains("4 of 100 connections") && text.contains("16 of 400 connections"));
        assert!(text.contains("8 of 200 connections"));
        assert_eq!(text.matches("<polyline").count(), 4 + 16 + 8);
    }
}
