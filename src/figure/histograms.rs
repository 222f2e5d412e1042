//! Histograms one below the other, a layer each, over one axis or each over its own.

use super::matrices::three;
use super::plot::{Plot, sheet};
use super::scale::Scale;
use super::svg::{Anchor, Svg};
use super::{FigureError, Tone};
use crate::insight::histogram::Histogram;

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct HistogramsFigure {
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// Name and histogram of each.
    pub rows: Vec<(String, Histogram)>,
    /// What is counted.
    pub quantity: String,
    /// Whether counts are logarithmic.
    pub log: bool,
    /// Dark or light.
    pub tone: Tone,
}

const WIDTH: f64 = 880.0;
const TOP: f64 = 96.0;
const ROW: f64 = 150.0;
const GAP: f64 = 66.0;

impl HistogramsFigure {
    /// The picture as SVG.
    ///
    /// # Errors
    /// When there is nothing to draw.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        if self.rows.is_empty() {
            return Err(FigureError::Empty("there is no histogram to draw"));
        }
        let style = self.tone.style();
        let height = TOP + (ROW + GAP) * self.rows.len() as f64 + 20.0;
        let mut svg = sheet((WIDTH, height), self.tone, &self.title, &self.subtitle);
        for (k, (name, histogram)) in self.rows.iter().enumerate() {
            let top = TOP + k as f64 * (ROW + GAP);
            let most = histogram.counts.iter().copied().max().unwrap_or(0).max(1) as f64;
            let [lo, hi] = histogram.range;
            let y = match self.log {
                true => Scale {
                    lo: 0.5,
                    hi: 1.6 * most,
                    log: true,
                },
                false => Scale {
                    lo: 0.0,
                    hi: 1.08 * most,
                    log: false,
                },
            };
            let plot = Plot {
                place: (100.0, top, WIDTH - 320.0, ROW),
                x: Scale { lo, hi, log: false },
                y,
                names: [&self.quantity, "count"],
            };
            for (bin, &count) in histogram.counts.iter().enumerate() {
                if count == 0 {
                    continue;
                }
                let (x0, y0) = plot.at(histogram.edge(bin), count as f64);
                let (x1, y1) = plot.at(histogram.edge(bin + 1), plot.y.lo);
                let wide = (x1 - x0 - 0.6).max(0.4);
                svg.rect(x0, y0, wide, y1 - y0, style.training);
            }
            plot.draw(&mut svg, &style);
            let x = WIDTH - 196.0;
            svg.text((x, top + 16.0), 15.0, Anchor::Start, style.text, name);
            let mut said = vec![
                format!("{} numbers", histogram.total),
                format!("{} bins", histogram.counts.len()),
                format!("from {}", three(lo)),
                format!("to {}", three(hi)),
            ];
            if histogram.not_finite > 0 {
                said.push(format!("{} not finite", histogram.not_finite));
            }
            for (line, text) in said.iter().enumerate() {
                let at = (x, top + 38.0 + 18.0 * line as f64);
                svg.text(at, 13.0, Anchor::Start, style.faint, text);
            }
        }
        Ok(svg)
    }
}
