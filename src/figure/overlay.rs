//! Histograms over each other, on the same bins.

use super::scale::Scale;
use super::svg::{Anchor, Svg};
use super::ticks::{nice_ticks, tick_label};
use super::{FigureError, Tone};
use crate::colormap::racer_color;
use crate::insight::histogram::Histogram;

/// A histogram among others.
#[derive(Debug, Clone)]
pub struct OverlaySeries {
    /// Whose it is.
    pub name: String,
    /// The counts; those of all series are over the same bins.
    pub histogram: Histogram,
}

/// Outlines of histograms over each other.
#[derive(Debug, Clone)]
pub struct OverlayFigure {
    /// The histograms.
    pub series: Vec<OverlaySeries>,
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// What is counted.
    pub quantity: String,
    /// Whether shares are by their logarithm.
    pub log: bool,
    /// Dark or light.
    pub tone: Tone,
}

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 520.0;
const LEFT: f64 = 92.0;
const TOP: f64 = 104.0;
const PLOT: f64 = 342.0;
const LINE: f64 = 21.0;

impl OverlayFigure {
    /// The picture as SVG.
    ///
    /// # Errors
    /// When there is nothing that is counted.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let first = self
            .series
            .iter()
            .find(|series| series.histogram.counts.iter().any(|&c| c > 0))
            .ok_or(FigureError::Empty("there is no finite weight to count"))?;
        let [lo, hi] = first.histogram.range;
        let shares: Vec<Vec<f64>> = self
            .series
            .iter()
            .map(|series| {
                let total = series.histogram.total.max(1) as f64;
                let counts = series.histogram.counts.iter();
                counts.map(|&count| count as f64 / total).collect()
            })
            .collect();
        let all = || shares.iter().flatten().copied().filter(|&s| s > 0.0);
        let top = all().fold(0.0, f64::max);
        let scale = match self.log {
            true => Scale {
                lo: all().fold(f64::INFINITY, f64::min) / 1.6,
                hi: top * 1.3,
                log: true,
            },
            false => Scale {
                lo: 0.0,
                hi: top * 1.06,
                log: false,
            },
        };
        let style = self.tone.style();
        let (right, bottom) = (WIDTH - 40.0, TOP + PLOT);
        let x = |v: f64| LEFT + (right - LEFT) * (v - lo) / (hi - lo);
        let y = |share: f64| match share > 0.0 || !self.log {
            true => bottom - PLOT * scale.share(share),
            false => bottom,
        };
        let mut svg = Svg::new(WIDTH, HEIGHT, style.background);
        svg.text((LEFT, 38.0), 22.0, Anchor::Start, style.text, &self.title);
        let at = (LEFT, 64.0);
        svg.text(at, 14.0, Anchor::Start, style.faint, &self.subtitle);
        for tick in scale.ticks(6) {
            let y = y(tick);
            svg.line((LEFT, y), (right, y), style.grid, 1.0, 1.0);
            let label = format!("{} %", tick_label(100.0 * tick));
            svg.text(
                (LEFT - 10.0, y + 5.0),
                13.5,
                Anchor::End,
                style.text,
                &label,
            );
        }
        for tick in nice_ticks(lo, hi, 8) {
            let x = x(tick);
            svg.line((x, bottom), (x, bottom + 6.0), style.faint, 1.0, 1.0);
            let at = (x, bottom + 22.0);
            svg.text(at, 14.0, Anchor::Middle, style.text, &tick_label(tick));
        }
        svg.frame(LEFT, TOP, right - LEFT, PLOT, style.faint);
        let log = if self.log { " (log)" } else { "" };
        let name = format!("share of all{log}");
        svg.text((LEFT, TOP - 10.0), 15.0, Anchor::Start, style.text, &name);
        let at = ((LEFT + right) / 2.0, bottom + 48.0);
        svg.text(at, 15.0, Anchor::Middle, style.text, &self.quantity);
        let light = self.tone == Tone::Light;
        for (k, shares) in shares.iter().enumerate() {
            let bins = shares.len() as f64;
            let edge = |k: usize| x(lo + (hi - lo) * k as f64 / bins);
            let mut outline = vec![(edge(0), bottom)];
            for (bin, &share) in shares.iter().enumerate() {
                outline.push((edge(bin), y(share)));
                outline.push((edge(bin + 1), y(share)));
            }
            outline.push((edge(shares.len()), bottom));
            let color = racer_color(k, light);
            svg.polygon(&outline, color, 0.16);
            svg.polyline(&outline, color, 2.0, 1.0, "");
        }
        for (k, series) in self.series.iter().enumerate() {
            let y = TOP + 24.0 + LINE * k as f64;
            let color = racer_color(k, light);
            svg.line(
                (right - 34.0, y - 5.0),
                (right - 14.0, y - 5.0),
                color,
                4.0,
                1.0,
            );
            let rim = (style.text, style.background);
            svg.label((right - 42.0, y), 13.5, Anchor::End, rim, &series.name);
        }
        Ok(svg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlines_share_an_axis_and_empty_bins_lie_on_its_ground() {
        let series = |name: &str, values: &[f32]| OverlaySeries {
            name: name.to_owned(),
            histogram: Histogram::of(values, 4, Some([-1.0, 1.0])),
        };
        let mut figure = OverlayFigure {
            series: vec![
                series("narrow", &[0.1, 0.2, -0.1, 0.1]),
                series("wide", &[-0.9, 0.9, 0.0, 0.6]),
            ],
            title: "t".to_owned(),
            subtitle: String::new(),
            quantity: "weight".to_owned(),
            log: false,
            tone: Tone::Dark,
        };
        for log in [false, true] {
            figure.log = log;
            let text = figure.draw().unwrap().finish();
            assert_eq!(text.matches("<polygon").count(), 2);
            assert!(text.contains(">wide<") && !text.contains("NaN") && !text.contains("inf"));
        }
        figure.series.clear();
        assert!(figure.draw().is_err());
    }
}
