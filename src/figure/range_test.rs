//! A range test as a picture: the loss while the learning rate rises.

use super::scale::Scale;
use super::svg::{Anchor, Svg};
use super::ticks::tick_label;
use super::{FigureError, Style, Tone};
use crate::colormap::Rgb;
use crate::search::{RangePoint, Suggestion};

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct RangeTestFigure<'a> {
    /// The steps that were made.
    pub curve: &'a [RangePoint],
    /// What follows from them.
    pub suggestion: Option<Suggestion>,
    /// The rate at which training broke.
    pub diverging: Option<f64>,
    /// From the first rate to the last that was to be tried.
    pub range: (f64, f64),
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// Dark or light.
    pub tone: Tone,
}

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 520.0;
/// Left, top, width and height of the plot.
const PLOT: (f64, f64, f64, f64) = (86.0, 150.0, 766.0, 300.0);

impl RangeTestFigure<'_> {
    /// The picture as SVG.
    ///
    /// # Errors
    /// When there are fewer than two steps.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let style = self.tone.style();
        if self.curve.len() < 2 {
            return Err(FigureError::Empty(
                "the test broke in its first steps; begin at a smaller rate",
            ));
        }
        let (left, top, width, height) = PLOT;
        let bottom = top + height;
        let rates = Scale {
            lo: self.range.0,
            hi: self.range.1,
            log: true,
        };
        let losses = self.losses();
        let x = |rate: f64| left + width * rates.share(rate);
        let y = |loss: f64| bottom - height * losses.share(loss);
        let mut svg = Svg::new(WIDTH, HEIGHT, style.background);
        svg.text((left, 38.0), 22.0, Anchor::Start, style.text, &self.title);
        svg.text((left, 64.0), 14.0, Anchor::Start, style.faint, &self.subtitle);
        for tick in losses.ticks(5) {
            let y = y(tick);
            svg.line((left, y), (left + width, y), style.grid, 1.0, 1.0);
            let label = tick_label(tick);
            svg.text((left - 10.0, y + 5.0), 14.0, Anchor::End, style.text, &label);
        }
        for tick in rates.ticks(8) {
            let x = x(tick);
            svg.line((x, bottom), (x, bottom + 6.0), style.faint, 1.0, 1.0);
            let label = tick_label(tick);
            svg.text((x, bottom + 22.0), 14.0, Anchor::Middle, style.text, &label);
        }
        svg.frame(left, top, width, height, style.faint);
        let line = |value: fn(&RangePoint) -> f64| -> Vec<(f64, f64)> {
            let points = self.curve.iter().map(|p| (p.rate, value(p)));
            points
                .filter(|(_, loss)| !losses.log || *loss > 0.0)
                // Far outside the picture numbers only cost precision.
                .map(|(rate, loss)| (x(rate), y(loss).clamp(-1e4, 1e4)))
                .collect()
        };
        svg.clipped(PLOT, |svg| {
            svg.polyline(&line(|p| p.loss), style.faint, 1.0, 0.55, "");
            svg.polyline(&line(|p| p.smoothed), style.training, 3.0, 1.0, "");
        });
        self.marks(&mut svg, &x, &y, &style);
        let name = if losses.log { "batch loss (log)" } else { "batch loss" };
        svg.text_upwards((26.0, top + height / 2.0), 15.0, Anchor::Middle, style.text, name);
        let below = (left + width / 2.0, HEIGHT - 18.0);
        svg.text(below, 15.0, Anchor::Middle, style.text, "learning rate (log)");
        legend(&mut svg, &style);
        Ok(svg)
    }

    /// From the least loss to a little above where the test began, or where it
    /// broke: what lies higher is cut off.
    fn losses(&self) -> Scale {
        let smoothed = || self.curve.iter().map(|p| p.smoothed);
        let lo = smoothed().fold(f64::INFINITY, f64::min);
        let hi = smoothed().fold(f64::NEG_INFINITY, f64::max);
        // A last value far above all others is the break itself.
        let before = self.curve[..self.curve.len() - 1].iter();
        let most = before.map(|p| p.smoothed).fold(lo, f64::max);
        let scale = Scale {
            lo,
            hi: hi.min(2.0 * most),
            log: lo > 0.0 && hi / lo > 20.0,
        };
        scale.widened(0.06)
    }

    /// Upright lines with their names above the plot, each on a line of its own
    /// so that they never run into each other.
    fn marks(
        &self,
        svg: &mut Svg,
        x: &dyn Fn(f64) -> f64,
        y: &dyn Fn(f64) -> f64,
        style: &Style,
    ) {
        let (left, top, width, height) = PLOT;
        let mut marks: Vec<(f64, &str, Rgb)> = Vec::new();
        if let Some(suggestion) = self.suggestion {
            marks.push((suggestion.rate, "suggested", style.text));
            if let Some(steepest) = suggestion.steepest {
                marks.push((self.curve[steepest].rate, "steepest", style.training));
            }
            marks.push((self.curve[suggestion.minimum].rate, "lowest", style.faint));
        }
        if let Some(rate) = self.diverging {
            marks.push((rate, "diverges", style.validation));
        }
        for (level, (rate, name, color)) in marks.into_iter().enumerate() {
            let at = x(rate);
            if !(left - 1.0..=left + width + 1.0).contains(&at) {
                continue;
            }
            let dash = if name == "suggested" { "" } else { "5 4" };
            let above = top - 8.0 - 16.0 * (level % 4) as f64;
            let ends = [(at, above - 4.0), (at, top + height)];
            svg.polyline(&ends, color, 1.8, 0.9, dash);
            let (anchor, beside) = match at > left + 0.7 * width {
                true => (Anchor::End, at - 7.0),
                false => (Anchor::Start, at + 7.0),
            };
            let text = format!("{name} {}", tick_label(two_digits(rate)));
            let colors = (color, style.background);
            svg.label((beside, above), 14.0, anchor, colors, &text);
            let near = self.curve.iter().min_by(|a, b| {
                let far = |p: &RangePoint| (p.rate / rate).ln().abs();
                far(a).total_cmp(&far(b))
            });
            if let Some(point) = near {
                let place = (at, y(point.smoothed).clamp(top, top + height));
                svg.circle(place, 5.0, color, style.background);
            }
        }
    }
}

fn legend(svg: &mut Svg, style: &Style) {
    let (left, top, width, _) = PLOT;
    let (right, y) = (left + width, top - 116.0);
    for (name, color, thick, x) in [
        ("smoothed", style.training, 3.0, right),
        ("each step", style.faint, 1.0, right - 120.0),
    ] {
        svg.text((x, y + 4.0), 14.0, Anchor::End, color, name);
        svg.polyline(&[(x - 96.0, y), (x - 72.0, y)], color, thick, 1.0, "");
    }
}

fn two_digits(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}
