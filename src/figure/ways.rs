//! The ways of the strongest contributions through a network as a flat picture: its units
//! coloured by their values, and over them a line for each way.

use super::network::NetworkFigure;
use super::svg::{Anchor, Svg};
use super::{FigureError, Tone};
use crate::insight::contributions::Contributions;
use crate::nn::Network;

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct WaysFigure<'a> {
    /// The network.
    pub network: &'a Network,
    /// Where the answer comes from.
    pub ways: &'a Contributions,
    /// One sample's values: the input, then each layer's activations.
    pub values: &'a [Vec<f32>],
    /// How the input lies in an image, rows and columns.
    pub image: Option<(usize, usize)>,
    /// Names of the inputs, or none.
    pub inputs: &'a [String],
    /// Names of the outputs, or none.
    pub outputs: &'a [String],
    /// What is said below the picture, a line each.
    pub said: &'a [String],
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// Dark or light.
    pub tone: Tone,
}

const WIDTH: f64 = 960.0;
const LINE: f64 = 20.0;

impl WaysFigure<'_> {
    /// The picture as SVG. A way is as wide as what comes by it; what speaks against the
    /// answer is dashed.
    ///
    /// # Errors
    /// When there is no way that anything comes by.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let ways = &self.ways.paths;
        let largest = ways.iter().map(|way| way.value.abs()).fold(0.0, f64::max);
        if largest <= 0.0 {
            return Err(FigureError::Empty(
                "nothing of the answer comes from the sample; there is no way to draw",
            ));
        }
        let style = self.tone.style();
        let network = NetworkFigure {
            network: self.network,
            params: &[],
            values: self.values,
            image: self.image,
            outputs: self.outputs,
            title: String::new(),
            subtitle: String::new(),
            tone: self.tone,
        };
        let columns = network.columns();
        let below = NetworkFigure::HEIGHT - 40.0;
        let height = below + LINE * self.said.len() as f64 + 24.0;
        let mut svg = Svg::new(WIDTH, height, style.background);
        svg.text((40.0, 38.0), 22.0, Anchor::Start, style.text, &self.title);
        svg.text(
            (40.0, 64.0),
            14.0,
            Anchor::Start,
            style.faint,
            &self.subtitle,
        );
        for (k, column) in columns.iter().enumerate() {
            let values = self.values.get(k).map_or(&[][..], Vec::as_slice);
            let most = values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
            for (unit, &point) in column.points.iter().enumerate() {
                let value = values
                    .get(unit)
                    .map_or(0.0, |v| v / most.max(f32::MIN_POSITIVE));
                svg.circle(point, column.radius, style.diverging.at(value), style.faint);
            }
        }
        // The weakest first, so that the strong lie on top.
        for way in ways.iter().rev() {
            let share = way.value / largest;
            let points: Vec<(f64, f64)> = way
                .units
                .iter()
                .filter_map(|&(column, unit)| columns.get(column)?.points.get(unit).copied())
                .collect();
            let color = style.diverging.at(share.signum() as f32);
            let dash = if share < 0.0 { "8 5" } else { "" };
            let width = 1.5 + 5.0 * share.abs();
            svg.polyline(&points, style.background, width + 2.5, 0.8, "");
            svg.polyline(&points, color, width, 0.95, dash);
            for (&point, &(column, _)) in points.iter().zip(&way.units) {
                let radius = columns[column].radius.max(3.0);
                svg.circle(point, radius, color, style.background);
            }
        }
        self.names(&mut svg, &columns);
        for (k, line) in self.said.iter().enumerate() {
            let at = (40.0, below + LINE * (k as f64 + 0.5));
            svg.text(at, 13.5, Anchor::Start, style.text, line);
        }
        Ok(svg)
    }

    fn names(&self, svg: &mut Svg, columns: &[super::network::Column]) {
        let style = self.tone.style();
        if let Some(first) = columns
            .first()
            .filter(|c| c.points.len() == self.inputs.len())
        {
            // Names stand beside units only where these stand in one line.
            let is_line = first.points.windows(2).all(|w| w[0].0 == w[1].0);
            for (name, (x, y)) in self.inputs.iter().zip(&first.points).filter(|_| is_line) {
                let at = (x - first.radius - 8.0, y + 5.0);
                svg.text(at, 13.0, Anchor::End, style.text, name);
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
    }
}
