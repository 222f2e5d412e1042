//! Loss and accuracy over epochs, training beside validation.

use super::svg::{Anchor, Svg};
use super::ticks::{log_ticks, nice_ticks, tick_label};
use super::{FigureError, Style, Tone};
use crate::train::HistoryRow;

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct CurvesFigure<'a> {
    /// One row an epoch, oldest first.
    pub rows: &'a [HistoryRow],
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// Dark or light.
    pub tone: Tone,
}

const WIDTH: f64 = 840.0;
const LEFT: f64 = 86.0;
const RIGHT: f64 = 28.0;
const TOP: f64 = 96.0;
const PLOT: f64 = 250.0;
const GAP: f64 = 66.0;
const BOTTOM: f64 = 64.0;

type Value = fn(&HistoryRow) -> Option<f64>;

/// One chart.
struct Chart {
    name: &'static str,
    log: bool,
    bounds: (f64, f64),
    curves: [Value; 2],
}

impl CurvesFigure<'_> {
    /// The picture as SVG: the loss on a log axis where that is possible, and
    /// the accuracy where there is one.
    ///
    /// # Errors
    /// When no row has a finite loss.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let style = self.tone.style();
        let mut charts = vec![self.losses()?];
        charts.extend(self.accuracies());
        let n = charts.len() as f64;
        let height = TOP + n * PLOT + (n - 1.0) * GAP + BOTTOM;
        let mut svg = Svg::new(WIDTH, height, style.background);
        svg.text((LEFT, 38.0), 22.0, Anchor::Start, style.text, &self.title);
        svg.text(
            (LEFT, 64.0),
            14.0,
            Anchor::Start,
            style.faint,
            &self.subtitle,
        );
        let mut top = TOP;
        for chart in &charts {
            self.chart(&mut svg, chart, top, &style);
            top += PLOT + GAP;
        }
        let below = (LEFT + (WIDTH - LEFT - RIGHT) / 2.0, height - 16.0);
        svg.text(below, 15.0, Anchor::Middle, style.text, "epoch");
        Ok(svg)
    }

    fn bounds(&self, curves: &[Value; 2]) -> Option<(f64, f64)> {
        let values = curves
            .iter()
            .flat_map(|curve| self.rows.iter().filter_map(curve))
            .filter(|v| v.is_finite());
        values.fold(None, |bounds, v| match bounds {
            None => Some((v, v)),
            Some((lo, hi)) => Some((v.min(lo), v.max(hi))),
        })
    }

    fn losses(&self) -> Result<Chart, FigureError> {
        let curves: [Value; 2] = [|r| Some(r.train_loss), |r| r.validation_loss];
        let (lo, hi) = self
            .bounds(&curves)
            .ok_or(FigureError::Empty("there is no finite loss to draw"))?;
        let log = lo > 0.0 && hi / lo > 5.0;
        let bounds = if log {
            (lo * 0.9, hi * 1.1)
        } else {
            let margin = 0.05 * (hi - lo).max(1e-12);
            (lo - margin, hi + margin)
        };
        Ok(Chart {
            name: if log { "loss (log)" } else { "loss" },
            log,
            bounds,
            curves,
        })
    }

    fn accuracies(&self) -> Option<Chart> {
        let curves: [Value; 2] = [|r| r.train_accuracy, |r| r.validation_accuracy];
        let (lo, _) = self.bounds(&curves)?;
        Some(Chart {
            name: "accuracy",
            log: false,
            bounds: ((lo - 0.02).max(0.0), 1.01),
            curves,
        })
    }

    fn chart(&self, svg: &mut Svg, chart: &Chart, top: f64, style: &Style) {
        let (width, bottom) = (WIDTH - LEFT - RIGHT, top + PLOT);
        let raw = |v: f64| if chart.log { v.log10() } else { v };
        let (lo, hi) = (raw(chart.bounds.0), raw(chart.bounds.1));
        let last = self.rows.last().map_or(0, |r| r.epoch).max(1) as f64;
        let at = |epoch: f64, v: f64| {
            let x = LEFT + width * epoch / last;
            (x, bottom - PLOT * (raw(v) - lo) / (hi - lo))
        };
        let ticks = if chart.log {
            log_ticks(chart.bounds.0, chart.bounds.1)
        } else {
            nice_ticks(lo, hi, 5)
        };
        for tick in ticks {
            let (_, y) = at(0.0, tick);
            svg.line((LEFT, y), (LEFT + width, y), style.grid, 1.0, 1.0);
            let label = tick_label(tick);
            svg.text(
                (LEFT - 10.0, y + 5.0),
                14.0,
                Anchor::End,
                style.text,
                &label,
            );
        }
        for tick in nice_ticks(0.0, last, 8) {
            let (x, _) = at(tick, chart.bounds.0);
            svg.line((x, bottom), (x, bottom + 6.0), style.faint, 1.0, 1.0);
            let label = tick_label(tick);
            svg.text((x, bottom + 22.0), 14.0, Anchor::Middle, style.text, &label);
        }
        svg.frame(LEFT, top, width, PLOT, style.faint);
        svg.text(
            (LEFT, top - 10.0),
            15.0,
            Anchor::Start,
            style.text,
            chart.name,
        );
        let parts = [
            ("training", style.training, ""),
            ("validation", style.validation, "7 4"),
        ];
        let mut legend = LEFT + width;
        for ((name, color, dash), curve) in parts.into_iter().zip(chart.curves).rev() {
            let points: Vec<(f64, f64)> = self
                .rows
                .iter()
                .filter_map(|r| Some((r.epoch as f64, curve(r)?)))
                .filter(|(_, v)| v.is_finite() && (!chart.log || *v > 0.0))
                .map(|(epoch, v)| at(epoch, v))
                .collect();
            if points.is_empty() {
                continue;
            }
            svg.clipped((LEFT, top, width, PLOT), |svg| {
                svg.polyline(&points, color, 2.0, 1.0, dash);
            });
            svg.text((legend, top - 10.0), 14.0, Anchor::End, color, name);
            legend -= 7.0 * name.len() as f64 + 8.0;
            let y = top - 15.0;
            svg.polyline(&[(legend - 26.0, y), (legend, y)], color, 2.0, 1.0, dash);
            legend -= 44.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize) -> Vec<HistoryRow> {
        (0..n)
            .map(|epoch| HistoryRow {
                epoch,
                step: epoch as u64,
                train_loss: (-(epoch as f64) / 10.0).exp(),
                train_accuracy: None,
                validation_loss: None,
                validation_accuracy: None,
                learning_rate: 0.1,
                gradient_norm: None,
            })
            .collect()
    }

    fn document(rows: &[HistoryRow]) -> String {
        let figure = CurvesFigure {
            rows,
            title: "t".to_owned(),
            subtitle: String::new(),
            tone: Tone::Light,
        };
        figure.draw().unwrap().finish()
    }

    #[test]
    fn parts_and_charts_that_have_no_numbers_are_left_out() {
        let mut rows = rows(50);
        let text = document(&rows);
        assert!(text.contains("loss (log)") && text.contains(">training<"));
        assert!(!text.contains(">validation<") && !text.contains("accuracy"));
        rows.iter_mut().for_each(|r| {
            r.validation_loss = Some(0.5);
            r.validation_accuracy = Some(0.9);
        });
        let text = document(&rows);
        assert!(text.contains(">validation<") && text.contains("accuracy"));
    }

    #[test]
    fn one_row_and_losses_that_are_not_finite_do_not_break_the_picture() {
        let mut rows = rows(3);
        rows[2].train_loss = f64::NAN;
        assert!(!document(&rows).contains("NaN"));
        assert!(!document(&rows[..1]).contains("NaN"));
    }
}
