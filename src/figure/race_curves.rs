//! The losses of several racers over their steps.

use super::scale::Scale;
use super::svg::{Anchor, Svg};
use super::ticks::{nice_ticks, tick_label};
use super::{FigureError, Tone};
use crate::colormap::racer_color;

/// A curve to draw.
#[derive(Debug, Clone)]
pub struct RaceCurve {
    /// The number of its colour.
    pub color: usize,
    /// Whose it is.
    pub name: String,
    /// Steps and losses, oldest first.
    pub points: Vec<(u64, f64)>,
}

/// Losses over steps.
#[derive(Debug, Clone)]
pub struct RaceCurvesFigure {
    /// The curves.
    pub curves: Vec<RaceCurve>,
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// What the curves show.
    pub quantity: String,
    /// Dark or light.
    pub tone: Tone,
}

const WIDTH: f64 = 840.0;
const HEIGHT: f64 = 520.0;
const LEFT: f64 = 92.0;
const TOP: f64 = 104.0;
const PLOT: f64 = 342.0;
/// The least distance between two names beside the plot.
const APART: f64 = 17.0;
/// More spans than this are shown by the logarithm.
const SPAN: f64 = 5.0;
/// Below this a logarithmic axis does not go: rounding is all that is there.
const FLOOR: f64 = 1e-18;

impl RaceCurvesFigure {
    /// The picture as SVG; by the logarithm where the losses are positive and
    /// span more than a factor of 5.
    ///
    /// # Errors
    /// When no loss is finite.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let style = self.tone.style();
        let scale = self.scale()?;
        let longest = self.curves.iter().map(|c| c.name.chars().count()).max();
        let right = (34.0 + 8.4 * longest.unwrap_or(0) as f64).clamp(60.0, 340.0);
        let (width, bottom) = (WIDTH - LEFT - right, TOP + PLOT);
        let steps = self
            .curves
            .iter()
            .flat_map(|c| c.points.iter().map(|p| p.0));
        let last = steps.max().unwrap_or(0).max(1) as f64;
        let at = |step: f64, v: f64| {
            let v = if scale.log { v.max(FLOOR) } else { v };
            (LEFT + width * step / last, bottom - PLOT * scale.share(v))
        };
        let mut svg = Svg::new(WIDTH, HEIGHT, style.background);
        svg.text((LEFT, 38.0), 22.0, Anchor::Start, style.text, &self.title);
        let subtitle = (LEFT, 64.0);
        svg.text(subtitle, 14.0, Anchor::Start, style.faint, &self.subtitle);
        for tick in scale.ticks(6) {
            let (_, y) = at(0.0, tick);
            svg.line((LEFT, y), (LEFT + width, y), style.grid, 1.0, 1.0);
            let place = (LEFT - 10.0, y + 5.0);
            svg.text(place, 14.0, Anchor::End, style.text, &tick_label(tick));
        }
        for tick in nice_ticks(0.0, last, 7) {
            let (x, _) = at(tick, scale.lo);
            svg.line((x, bottom), (x, bottom + 6.0), style.faint, 1.0, 1.0);
            let place = (x, bottom + 22.0);
            svg.text(place, 14.0, Anchor::Middle, style.text, &tick_label(tick));
        }
        svg.frame(LEFT, TOP, width, PLOT, style.faint);
        let log = if scale.log { " (log)" } else { "" };
        let name = format!("{}{log}", self.quantity);
        svg.text((LEFT, TOP - 10.0), 15.0, Anchor::Start, style.text, &name);
        let below = (LEFT + width / 2.0, bottom + 48.0);
        svg.text(below, 15.0, Anchor::Middle, style.text, "step");
        let light = self.tone == Tone::Light;
        let mut ends = Vec::new();
        for curve in &self.curves {
            let points: Vec<(f64, f64)> = curve
                .points
                .iter()
                .filter(|p| p.1.is_finite())
                .map(|&(step, v)| at(step as f64, v))
                .collect();
            let color = racer_color(curve.color, light);
            svg.clipped((LEFT, TOP - 1.0, width + 1.0, PLOT + 2.0), |svg| {
                svg.polyline(&points, color, 2.2, 1.0, "");
            });
            if let Some(&end) = points.last() {
                ends.push((end, color, &curve.name));
            }
        }
        // Names stand beside their curves' ends, moved apart downwards.
        ends.sort_by(|a, b| a.0.1.total_cmp(&b.0.1));
        let room = APART * ends.len() as f64;
        let mut lowest = f64::NEG_INFINITY;
        for (i, (end, color, name)) in ends.iter().enumerate() {
            let left_over = room - APART * i as f64;
            let y = end
                .1
                .min(bottom + 8.0 - left_over + APART)
                .max(lowest + APART);
            lowest = y;
            let x = LEFT + width;
            let corners = [*end, (x + 6.0, end.1), (x + 14.0, y)];
            svg.polyline(&corners, *color, 1.0, 0.7, "2 3");
            svg.text((x + 18.0, y + 4.5), 13.5, Anchor::Start, *color, name);
        }
        Ok(svg)
    }

    fn scale(&self) -> Result<Scale, FigureError> {
        let losses = self
            .curves
            .iter()
            .flat_map(|c| c.points.iter().map(|p| p.1));
        let (lo, hi) = losses
            .filter(|v| v.is_finite())
            .fold(None, |range, v| match range {
                None => Some((v, v)),
                Some((lo, hi)) => Some((v.min(lo), v.max(hi))),
            })
            .ok_or(FigureError::Empty("there is no finite loss to draw"))?;
        // A minimum of exactly 0 that is reached does not spoil the logarithm.
        let log = lo >= 0.0 && hi > FLOOR && hi / lo.max(FLOOR) > SPAN;
        let scale = Scale {
            lo: if log { lo.max(FLOOR) } else { lo },
            hi,
            log,
        };
        Ok(scale.widened(0.04))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_that_end_together_have_their_names_apart() {
        let curve = |color: usize, end: f64| RaceCurve {
            color,
            name: format!("racer {color}"),
            points: vec![(0, 9.0), (10, end), (20, f64::NAN)],
        };
        let figure = RaceCurvesFigure {
            curves: (0..16)
                .map(|i| curve(i, if i == 0 { 0.0 } else { 1e-3 }))
                .collect(),
            title: "t".to_owned(),
            subtitle: String::new(),
            quantity: "loss".to_owned(),
            tone: Tone::Light,
        };
        let text = figure.draw().unwrap().finish();
        assert!(text.contains("loss (log)") && !text.contains("NaN") && !text.contains("inf"));
        let y_of = |name: &str| -> f64 {
            let line = text
                .lines()
                .find(|l| l.contains(&format!(">{name}<")))
                .unwrap();
            let y = line.split(" y=\"").nth(1).unwrap();
            y.split('"').next().unwrap().parse().unwrap()
        };
        let mut places: Vec<f64> = (0..16).map(|i| y_of(&format!("racer {i}"))).collect();
        places.sort_by(f64::total_cmp);
        assert!(
            places.windows(2).all(|w| w[1] - w[0] > 0.9 * APART),
            "{places:?}"
        );
        assert!(*places.last().unwrap() < HEIGHT - 20.0);
    }
}
