//! Loss and accuracy along a line between two weight vectors, each on an axis of
//! its own.

use super::scale::Scale;
use super::svg::{Anchor, Svg};
use super::ticks::{nice_ticks, tick_label};
use super::{FigureError, Style, Tone};
use crate::landscape::LinePoint;

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct LineFigure<'a> {
    /// The places, in ascending order.
    pub points: &'a [LinePoint],
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// What lies at 0 and at 1.
    pub ends: [String; 2],
    /// Dark or light.
    pub tone: Tone,
}

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 540.0;
/// Left, top, width and height of the plot.
const PLOT: (f64, f64, f64, f64) = (86.0, 128.0, 708.0, 330.0);
/// Losses that span more than this factor are drawn by their logarithm.
const LOG_FROM: f64 = 30.0;
/// Of accuracies: dashes, so that they are not told by hue alone.
const DASH: &str = "7 5";

type Value = fn(&LinePoint) -> Option<f64>;

/// One curve.
struct Curve {
    name: &'static str,
    value: Value,
    accuracy: bool,
    validation: bool,
}

const CURVES: [Curve; 4] = [
    Curve {
        name: "training loss",
        value: |p| Some(p.train.loss),
        accuracy: false,
        validation: false,
    },
    Curve {
        name: "validation loss",
        value: |p| p.validation.map(|s| s.loss),
        accuracy: false,
        validation: true,
    },
    Curve {
        name: "training accuracy",
        value: |p| p.train.accuracy,
        accuracy: true,
        validation: false,
    },
    Curve {
        name: "validation accuracy",
        value: |p| p.validation.and_then(|s| s.accuracy),
        accuracy: true,
        validation: true,
    },
];

impl LineFigure<'_> {
    /// The picture as SVG: losses on the left axis, accuracies on the right one
    /// where there are any.
    ///
    /// # Errors
    /// When fewer than two losses are finite.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let style = self.tone.style();
        let finite = |v: &f64| v.is_finite();
        let losses: Vec<f64> = CURVES
            .iter()
            .filter(|c| !c.accuracy)
            .flat_map(|c| self.points.iter().filter_map(c.value))
            .filter(finite)
            .collect();
        if losses.len() < 2 {
            return Err(FigureError::Empty("there is no finite loss to draw"));
        }
        let lo = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let hi = losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let losses = Scale {
            lo,
            hi,
            log: lo > 0.0 && hi / lo > LOG_FROM,
        }
        .widened(0.05);
        let accuracies = Scale {
            lo: -0.02,
            hi: 1.02,
            log: false,
        };
        let along = Scale {
            lo: self.points.first().map_or(0.0, |p| p.at),
            hi: self.points.last().map_or(1.0, |p| p.at),
            log: false,
        };
        let (left, top, width, height) = PLOT;
        let x = |at: f64| left + width * along.share(at);
        let y = |scale: &Scale, value: f64| top + height * (1.0 - scale.share(value));
        let mut svg = Svg::new(WIDTH, HEIGHT, style.background);
        svg.text((left, 38.0), 22.0, Anchor::Start, style.text, &self.title);
        let below = (left, 64.0);
        svg.text(below, 14.0, Anchor::Start, style.faint, &self.subtitle);
        for tick in losses.ticks(6) {
            let y = y(&losses, tick);
            svg.line((left, y), (left + width, y), style.grid, 1.0, 1.0);
            let at = (left - 10.0, y + 5.0);
            svg.text(at, 14.0, Anchor::End, style.text, &tick_label(tick));
        }
        for tick in nice_ticks(along.lo, along.hi, 8) {
            let at = (x(tick), top + height);
            svg.line(at, (at.0, at.1 + 6.0), style.faint, 1.0, 1.0);
            let at = (at.0, at.1 + 22.0);
            svg.text(at, 14.0, Anchor::Middle, style.text, &tick_label(tick));
        }
        self.ends(&mut svg, &x, along, &style);
        svg.frame(left, top, width, height, style.faint);
        let mut shown = [false; 4];
        svg.clipped(PLOT, |svg| {
            for (curve, shown) in CURVES.iter().zip(&mut shown) {
                let scale = if curve.accuracy { &accuracies } else { &losses };
                let points: Vec<(f64, f64)> = self
                    .points
                    .iter()
                    .filter_map(|p| Some((p.at, (curve.value)(p)?)))
                    .filter(|(_, v)| v.is_finite() && (!scale.log || *v > 0.0))
                    .map(|(at, v)| (x(at), y(scale, v)))
                    .collect();
                *shown = points.len() > 1;
                let dash = if curve.accuracy { DASH } else { "" };
                svg.polyline(&points, color(curve, &style), 2.2, 1.0, dash);
            }
        });
        if CURVES
            .iter()
            .zip(shown)
            .any(|(c, shown)| c.accuracy && shown)
        {
            let right = left + width;
            for tick in nice_ticks(0.0, 1.0, 5) {
                let y = y(&accuracies, tick);
                svg.line((right, y), (right + 6.0, y), style.faint, 1.0, 1.0);
                let text = format!("{:.0} %", 100.0 * tick);
                let at = (right + 10.0, y + 5.0);
                svg.text(at, 14.0, Anchor::Start, style.text, &text);
            }
            let at = (WIDTH - 14.0, top + height / 2.0);
            svg.text_upwards(at, 15.0, Anchor::Middle, style.text, "accuracy (dashed)");
        }
        let name = if losses.log { "loss (log)" } else { "loss" };
        let at = (26.0, top + height / 2.0);
        svg.text_upwards(at, 15.0, Anchor::Middle, style.text, name);
        let [from, to] = &self.ends;
        let text = format!("from {from} (0) to {to} (1)");
        let at = (left + width / 2.0, HEIGHT - 22.0);
        svg.text(at, 15.0, Anchor::Middle, style.text, &text);
        legend(&mut svg, shown, &style);
        Ok(svg)
    }

    /// Upright lines through both ends.
    fn ends(&self, svg: &mut Svg, x: &dyn Fn(f64) -> f64, along: Scale, style: &Style) {
        let (_, top, _, height) = PLOT;
        for at in [0.0, 1.0] {
            if (along.lo..=along.hi).contains(&at) {
                let ends = [(x(at), top), (x(at), top + height)];
                svg.polyline(&ends, style.faint, 1.2, 0.9, "2 4");
            }
        }
    }
}

fn color(curve: &Curve, style: &Style) -> crate::colormap::Rgb {
    if curve.validation {
        style.validation
    } else {
        style.training
    }
}

fn legend(svg: &mut Svg, shown: [bool; 4], style: &Style) {
    let (left, top, width, _) = PLOT;
    let mut x = left;
    let y = top - 18.0;
    let room = width / shown.iter().filter(|s| **s).count().max(1) as f64;
    for (curve, _) in CURVES.iter().zip(shown).filter(|(_, shown)| *shown) {
        let dash = if curve.accuracy { DASH } else { "" };
        let color = color(curve, style);
        svg.polyline(&[(x, y - 5.0), (x + 28.0, y - 5.0)], color, 2.2, 1.0, dash);
        svg.text((x + 35.0, y), 14.0, Anchor::Start, color, curve.name);
        x += room.min(200.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Score;

    fn document(points: &[LinePoint]) -> Result<String, FigureError> {
        let figure = LineFigure {
            points,
            title: "t".to_owned(),
            subtitle: String::new(),
            ends: ["a".to_owned(), "b".to_owned()],
            tone: Tone::Light,
        };
        Ok(figure.draw()?.finish())
    }

    #[test]
    fn what_has_no_numbers_is_left_out_and_what_is_not_finite_breaks_nothing() {
        let score = |loss, accuracy| Score { loss, accuracy };
        let point = |at, train, validation| LinePoint {
            at,
            train,
            validation,
        };
        let mut points: Vec<LinePoint> = (0..5)
            .map(|i| point(f64::from(i) / 4.0, score(1.0 + f64::from(i), None), None))
            .collect();
        let text = document(&points).unwrap();
        assert!(text.contains("training loss") && !text.contains("validation"));
        assert!(!text.contains("accuracy"));
        for p in &mut points {
            p.validation = Some(score(0.1, Some(0.5)));
        }
        points[1].train.loss = f64::INFINITY;
        points[2].train.loss = f64::NAN;
        let text = document(&points).unwrap();
        assert!(text.contains("validation accuracy") && text.contains("loss (log)"));
        assert!(!text.contains("NaN") && !text.contains("inf"));
        assert!(document(&[]).is_err());
    }
}
