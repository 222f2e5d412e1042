//! Distributions over time, a panel for each layer: histograms as ridge lines, or what lies
//! below certain shares of all numbers as bands.

mod bands;

use super::matrices::three;
use super::plot::sheet;
use super::svg::{Anchor, Svg};
use super::ticks::{nice_ticks, tick_label};
use super::{FigureError, Style, Tone};
use crate::colormap::viridis;
use crate::insight::distributions::{Spread, on_one_axis};
use crate::insight::histogram::Histogram;

/// The distributions of one layer.
#[derive(Debug, Clone)]
pub struct LayerSpreads<'a> {
    /// What the layer is called.
    pub name: String,
    /// Steps and what was spread then, oldest first.
    pub moments: Vec<(u64, &'a Spread)>,
}

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct DistributionsFigure<'a> {
    /// A panel each.
    pub layers: &'a [LayerSpreads<'a>],
    /// What is spread, in the singular.
    pub quantity: &'a str,
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// Dark or light.
    pub tone: Tone,
}

const COLUMN: f64 = 500.0;
const TOP: f64 = 100.0;
const PANEL: f64 = 440.0;
const PLOT: (f64, f64) = (380.0, 300.0);
/// The most ridge lines of a panel: more hide each other.
const RIDGES: usize = 24;
/// How high the tallest ridge is, and how far the first stands below the top.
const TALL: f64 = 92.0;

impl DistributionsFigure<'_> {
    fn sheet(&self) -> Result<Svg, FigureError> {
        if self.layers.iter().all(|layer| layer.moments.is_empty()) {
            return Err(FigureError::Empty(
                "there is no distribution to draw: no layer has numbers of this kind at these steps",
            ));
        }
        let columns = self.layers.len().min(2) as f64;
        let rows = self.layers.len().div_ceil(2) as f64;
        let size = (COLUMN * columns + 20.0, TOP + PANEL * rows);
        Ok(sheet(size, self.tone, &self.title, &self.subtitle))
    }

    fn place(k: usize) -> (f64, f64) {
        let (column, row) = (k % 2, k / 2);
        (COLUMN * column as f64, TOP + PANEL * row as f64)
    }

    /// Histograms, one behind the other: the first moment at the back, the newest in front,
    /// evenly spaced whatever the steps between them, which stand beside them. All of a
    /// panel are over the same bins, at most `bins` of them, and to the same height.
    ///
    /// # Errors
    /// When there is nothing to draw.
    pub fn ridges(&self, bins: usize, log: bool) -> Result<Svg, FigureError> {
        let style = self.tone.style();
        let mut svg = self.sheet()?;
        for (k, layer) in self.layers.iter().enumerate() {
            let (left, top) = Self::place(k);
            let moments = thinned(&layer.moments, RIDGES);
            let spreads: Vec<&Spread> = moments.iter().map(|m| m.1).collect();
            let histograms = on_one_axis(&spreads, bins);
            let Some(first) = histograms.first() else {
                continue;
            };
            let most = histograms.iter().flat_map(|h| &h.counts).max();
            let most = most.copied().unwrap_or(0).max(1);
            let said = [
                format!(
                    "{} numbers a line{}, {} bins of {}",
                    spreads.iter().map(|s| s.total).max().unwrap_or(0),
                    not_finite(&spreads),
                    first.counts.len(),
                    three((first.range[1] - first.range[0]) / first.counts.len() as f64),
                ),
                format!(
                    "the tallest bin holds {most}{}",
                    if log {
                        "; heights by log(1 + count)"
                    } else {
                        ""
                    }
                ),
            ];
            self.head(&mut svg, (left + 40.0, top), &layer.name, &said, &style);
            let height = |count: u64| {
                let (count, most) = (count as f64, most as f64);
                match log {
                    true => count.ln_1p() / most.ln_1p(),
                    false => count / most,
                }
            };
            let place = (left + 40.0, top + 66.0, PLOT.0, PLOT.1);
            ridge_panel(&mut svg, place, (&moments, &histograms), height, &style);
            let at = (left + 40.0 + 0.5 * PLOT.0, top + 66.0 + PLOT.1 + 42.0);
            svg.text(at, 14.0, Anchor::Middle, style.text, self.quantity);
        }
        Ok(svg)
    }

    fn head(&self, svg: &mut Svg, at: (f64, f64), name: &str, said: &[String], style: &Style) {
        svg.text((at.0, at.1 + 14.0), 16.0, Anchor::Start, style.text, name);
        for (line, text) in said.iter().enumerate() {
            let y = at.1 + 34.0 + 17.0 * line as f64;
            svg.text((at.0, y), 12.5, Anchor::Start, style.faint, text);
        }
    }
}

/// At most `most` of the moments, the first and the last among them, evenly spread.
fn thinned<'a>(moments: &[(u64, &'a Spread)], most: usize) -> Vec<(u64, &'a Spread)> {
    let n = moments.len();
    if n <= most {
        return moments.to_vec();
    }
    let index = |k: usize| k * (n - 1) / (most - 1);
    (0..most).map(|k| moments[index(k)]).collect()
}

fn not_finite(spreads: &[&Spread]) -> String {
    match spreads.iter().map(|s| s.not_finite).max() {
        None | Some(0) => String::new(),
        Some(n) => format!(" (up to {n} not finite)"),
    }
}

fn ridge_panel(
    svg: &mut Svg,
    (left, top, width, tall): (f64, f64, f64, f64),
    (moments, histograms): (&[(u64, &Spread)], &[Histogram]),
    height: impl Fn(u64) -> f64,
    style: &Style,
) {
    let n = histograms.len();
    let bottom = top + tall;
    let Some([lo, hi]) = histograms.first().map(|h| h.range) else {
        return;
    };
    let x = |value: f64| left + width * (value - lo) / (hi - lo);
    for tick in nice_ticks(lo, hi, 5) {
        svg.line((x(tick), top), (x(tick), bottom), style.grid, 1.0, 1.0);
        svg.line(
            (x(tick), bottom),
            (x(tick), bottom + 5.0),
            style.faint,
            1.0,
            1.0,
        );
        let at = (x(tick), bottom + 20.0);
        svg.text(at, 13.0, Anchor::Middle, style.text, &tick_label(tick));
    }
    let pitch = (tall - TALL) / (n.max(2) - 1) as f64;
    let mut labelled = f64::NEG_INFINITY;
    for (k, (histogram, (step, _))) in histograms.iter().zip(moments).enumerate() {
        let base = if n == 1 {
            bottom
        } else {
            top + TALL + pitch * k as f64
        };
        let mut line = vec![(left, base)];
        for (bin, &count) in histogram.counts.iter().enumerate() {
            let y = base - TALL * height(count);
            line.push((x(histogram.edge(bin)), y));
            line.push((x(histogram.edge(bin + 1)), y));
        }
        line.push((left + width, base));
        let age = if n == 1 {
            1.0
        } else {
            k as f32 / (n - 1) as f32
        };
        // The light end of viridis is hard to see on a light ground.
        let color = viridis(0.08 + 0.66 * age);
        svg.polygon(&line, style.background.blend(color, 0.55), 0.9);
        svg.polyline(&line, color.blend(style.text, 0.15), 1.1, 1.0, "");
        let is_last = k + 1 == n;
        let room = is_last || bottom - base >= 13.0;
        if room && base - labelled >= 13.0 {
            labelled = base;
            let said = match k {
                0 => format!("step {step}"),
                _ => step.to_string(),
            };
            let at = (left + width + 7.0, base + 4.0);
            svg.text(at, 12.0, Anchor::Start, style.text, &said);
        }
    }
    svg.line(
        (left, bottom),
        (left + width, bottom),
        style.faint,
        1.0,
        1.0,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spreads() -> Vec<Spread> {
        let at = |k: usize| -> Vec<f32> {
            let scale = 1.0 / (k + 1) as f32;
            (0..200)
                .map(|i| scale * ((i * 37 % 101) as f32 - 50.0))
                .collect()
        };
        (0..40).map(|k| Spread::of(&at(k)).unwrap()).collect()
    }

    fn figure<'a>(layers: &'a [LayerSpreads<'a>]) -> DistributionsFigure<'a> {
        DistributionsFigure {
            layers,
            quantity: "weight",
            title: String::new(),
            subtitle: String::new(),
            tone: Tone::Light,
        }
    }

    #[test]
    fn ridges_are_few_enough_to_be_seen_and_keep_the_first_and_the_newest() {
        let spreads = spreads();
        let moments: Vec<(u64, &Spread)> = (0..40).map(|k| 10 * k).zip(&spreads).collect();
        let layers = [LayerSpreads {
            name: "dense 1".to_owned(),
            moments,
        }];
        let text = figure(&layers).ridges(40, false).unwrap().finish();
        assert_eq!(text.matches("<polygon").count(), RIDGES);
        assert!(text.contains(">step 0<") && text.contains(">390<"));
        assert!(text.contains("200 numbers a line") && !text.contains("NaN"));
        let bands = figure(&layers).bands(false).unwrap().finish();
        // Four areas, each from one share to its counterpart.
        assert_eq!(bands.matches("<polygon").count(), 4);
        assert!(bands.contains("40 moments") && bands.contains("after step 390"));
        let log = figure(&layers).bands(true).unwrap().finish();
        assert!(log.contains(">-10<") && log.contains(">10<") && !log.contains("NaN"));
    }

    #[test]
    fn one_moment_and_none_are_told_apart() {
        let spreads = spreads();
        let layers = [LayerSpreads {
            name: "dense 1".to_owned(),
            moments: vec![(7, &spreads[0])],
        }];
        for svg in [figure(&layers).ridges(9, true), figure(&layers).bands(true)] {
            let text = svg.unwrap().finish();
            assert!(!text.contains("NaN") && !text.contains("inf"));
        }
        let none = [LayerSpreads {
            name: "dense 1".to_owned(),
            moments: Vec::new(),
        }];
        assert!(figure(&none).ridges(9, true).is_err());
        assert!(figure(&[]).bands(true).is_err());
    }
}
