//! A range test as a picture: the loss while the learning rate rises.

use super::scale::Scale;
use super::svg::{Anchor, Svg};
use super::ticks::tick_label;
use super::{FigureError, Style, Tone};
use crate::colormap::Rgb;
use crate::search::{RangePoint, Suggestion};

/// Room for the name of a mark.
const NAME: f64 = 150.0;

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
        svg.text(
            (left, 64.0),
            14.0,
            Anchor::Start,
            style.faint,
            &self.subtitle,
        );
        for tick in losses.ticks(5) {
            let y = y(tick);
            svg.line((left, y), (left + width, y), style.grid, 1.0, 1.0);
            let label = tick_label(tick);
            svg.text(
                (left - 10.0, y + 5.0),
                14.0,
                Anchor::End,
                style.text,
                &label,
            );
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
        let name = if losses.log {
            "batch loss (log)"
        } else {
            "batch loss"
        };
        svg.text_upwards(
            (26.0, top + height / 2.0),
            15.0,
            Anchor::Middle,
            style.text,
            name,
        );
        let below = (left + width / 2.0, HEIGHT - 18.0);
        svg.text(
            below,
            15.0,
            Anchor::Middle,
            style.text,
            "learning rate (log)",
        );
        legend(&mut svg, &style);
        Ok(svg)
    }

    /// From the least loss to well above where the test began. What lies higher
    /// is the break, and is cut off where it would press the rest together.
    fn losses(&self) -> Scale {
        let smoothed = || self.curve.iter().map(|p| p.smoothed);
        let lo = smoothed().fold(f64::INFINITY, f64::min);
        let hi = smoothed().fold(f64::NEG_INFINITY, f64::max);
        let lowest = smoothed().position(|loss| loss == lo).unwrap_or(0);
        let before = smoothed().take(lowest + 1).fold(lo, f64::max);
        let log = lo > 0.0 && before / lo > 20.0;
        let most = if log {
            before * before / lo
        } else {
            lo + 2.5 * (before - lo)
        };
        // A curve that only rises is shown as it is.
        let hi = if before > lo { hi.min(most) } else { hi };
        Scale { lo, hi, log }.widened(0.06)
    }

    /// Upright lines with their names above the plot, each on a level of its own,
    /// so laid out that a line meets no other's name where that can be had.
    fn marks(&self, svg: &mut Svg, x: &dyn Fn(f64) -> f64, y: &dyn Fn(f64) -> f64, style: &Style) {
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
        marks.retain(|mark| (left - 1.0..=left + width + 1.0).contains(&x(mark.0)));
        // Names to the right of their lines stand the higher the further left;
        // those that would leave the picture are to the left, and above them.
        let leftwards = |rate: f64| x(rate) > left + width - NAME;
        marks.sort_by(|a, b| {
            let order = a.0.total_cmp(&b.0);
            match (leftwards(a.0), leftwards(b.0)) {
                (false, false) => order.reverse(),
                (true, true) => order,
                (a, b) => a.cmp(&b),
            }
        });
        let above = |level: usize| top - 10.0 - 18.0 * level as f64;
        for (level, &(rate, name, color)) in marks.iter().enumerate() {
            let at = x(rate);
            let dash = if name == "suggested" { "" } else { "5 4" };
            let ends = [(at, above(level) - 6.0), (at, top + height)];
            svg.polyline(&ends, color, 1.8, 0.9, dash);
            let near = self.curve.iter().min_by(|a, b| {
                let far = |p: &RangePoint| (p.rate / rate).ln().abs();
                far(a).total_cmp(&far(b))
            });
            if let Some(point) = near {
                let place = (at, y(point.smoothed).clamp(top, top + height));
                svg.circle(place, 5.0, color, style.background);
            }
        }
        for (level, &(rate, name, color)) in marks.iter().enumerate() {
            let (anchor, beside) = match leftwards(rate) {
                true => (Anchor::End, x(rate) - 7.0),
                false => (Anchor::Start, x(rate) + 7.0),
            };
            let text = format!("{name} {}", tick_label(two_digits(rate)));
            let colors = (color, style.background);
            svg.label((beside, above(level)), 14.0, anchor, colors, &text);
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
