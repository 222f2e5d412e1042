//! The curves of a run: loss, accuracy, learning rate and gradient norm, training beside
//! validation, over epochs or steps, smoothed over the raw line.

use super::plot::{Plot, sheet};
use super::scale::Scale;
use super::svg::{Anchor, Svg};
use super::{FigureError, Style, Tone};
use crate::colormap::Rgb;
use crate::insight::recording::StepRow;
use crate::insight::smoothing::smoothed;
use crate::train::HistoryRow;

/// What the curves are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Progress {
    /// Epochs completed.
    #[default]
    Epoch,
    /// Steps completed.
    Step,
}

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct TrainingFigure<'a> {
    /// One row an epoch, oldest first.
    pub rows: &'a [HistoryRow],
    /// Figures of the steps; empty where they are not known.
    pub steps: &'a [StepRow],
    /// What the curves are over.
    pub over: Progress,
    /// How much of the average before is in each smoothed value, from 0 to below 1; none
    /// for the raw lines alone.
    pub smooth: Option<f64>,
    /// Whether losses, rates and norms are on a logarithmic axis.
    pub log: bool,
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// Dark or light.
    pub tone: Tone,
}

const COLUMN: f64 = 500.0;
const ROW: f64 = 340.0;
const TOP: f64 = 112.0;
const LEFT: f64 = 92.0;
const PLOT: (f64, f64) = (372.0, 230.0);

/// One line of a chart.
struct Curve {
    name: &'static str,
    color: Rgb,
    dash: &'static str,
    points: Vec<(f64, f64)>,
}

/// One chart.
struct Chart {
    name: &'static str,
    log: bool,
    curves: Vec<Curve>,
}

impl TrainingFigure<'_> {
    /// The picture as SVG: a chart for each quantity that there is.
    ///
    /// # Errors
    /// When there is no finite loss.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let style = self.tone.style();
        let charts = self.charts(&style);
        if charts.first().is_none_or(|chart| chart.name != "loss") {
            return Err(FigureError::Empty("there is no finite loss to draw"));
        }
        let lines = charts.len().div_ceil(2) as f64;
        let columns = charts.len().min(2) as f64;
        let size = (COLUMN * columns + 10.0, TOP + ROW * lines - 16.0);
        let mut svg = sheet(size, self.tone, &self.title, &self.subtitle);
        for (k, chart) in charts.iter().enumerate() {
            let left = LEFT + COLUMN * (k % 2) as f64;
            let top = TOP + ROW * (k / 2) as f64;
            self.chart(&mut svg, chart, (left, top, PLOT.0, PLOT.1), &style);
        }
        Ok(svg)
    }

    fn charts(&self, style: &Style) -> Vec<Chart> {
        let of_epochs = |value: &dyn Fn(&HistoryRow) -> Option<f64>| {
            let rows = self.rows.iter();
            rows.filter_map(|row| {
                let x = match self.over {
                    Progress::Epoch => row.epoch as f64,
                    Progress::Step => row.step as f64,
                };
                Some((x, value(row)?))
            })
            .collect()
        };
        let of_steps = |value: fn(&StepRow) -> f64| {
            let rows = self.steps.iter();
            rows.map(|row| {
                let x = match self.over {
                    Progress::Epoch => row.epoch,
                    Progress::Step => row.step as f64,
                };
                (x, value(row))
            })
            .collect()
        };
        let parts = |train: Vec<(f64, f64)>, validation: Vec<(f64, f64)>| {
            let curve = |name, color, dash, points| Curve {
                name,
                color,
                dash,
                points,
            };
            vec![
                curve("training", style.training, "", train),
                curve("validation", style.validation, "7 4", validation),
            ]
        };
        let one = |points| {
            vec![Curve {
                name: "",
                color: style.training,
                dash: "",
                points,
            }]
        };
        let charts = [
            ("loss", self.log, {
                let train = of_epochs(&|row| Some(row.train_loss));
                parts(train, of_epochs(&|row| row.validation_loss))
            }),
            ("accuracy", false, {
                let train = of_epochs(&|row| row.train_accuracy);
                parts(train, of_epochs(&|row| row.validation_accuracy))
            }),
            (
                "learning rate",
                self.log,
                one(of_steps(|row| row.learning_rate)),
            ),
            (
                "gradient norm",
                self.log,
                one(of_steps(|row| row.gradient_norm)),
            ),
        ];
        let charts = charts.into_iter().map(|(name, log, curves)| {
            let is_there = |&(_, y): &(f64, f64)| y.is_finite() && (!log || y > 0.0);
            let curves = curves.into_iter().map(|mut curve: Curve| {
                curve.points.retain(is_there);
                curve
            });
            Chart {
                name,
                log,
                curves: curves.filter(|curve| !curve.points.is_empty()).collect(),
            }
        });
        charts.filter(|chart| !chart.curves.is_empty()).collect()
    }

    fn chart(&self, svg: &mut Svg, chart: &Chart, place: (f64, f64, f64, f64), style: &Style) {
        let (left, top, width, _) = place;
        let points = || chart.curves.iter().flat_map(|curve| &curve.points);
        let range = |values: &mut dyn Iterator<Item = f64>, log| {
            let (lo, hi) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
                (a.min(v), b.max(v))
            });
            Scale { lo, hi, log }
        };
        let mut x = range(&mut points().map(|p| p.0), false);
        x.lo = x.lo.min(0.0);
        x.hi = x.hi.max(x.lo + 1.0);
        let mut y = range(&mut points().map(|p| p.1), chart.log).widened(0.05);
        if y.hi - y.lo < 1e-9 * y.hi.abs() {
            // A constant: rounding is no curve.
            y = Scale {
                lo: if chart.log { 0.5 * y.hi } else { 0.0 },
                hi: 2.0 * y.hi,
                log: chart.log,
            };
        }
        let name = match chart.log {
            true => format!("{} (logarithmic)", chart.name),
            false => chart.name.to_owned(),
        };
        let over = match self.over {
            Progress::Epoch => "epoch",
            Progress::Step => "step",
        };
        let plot = Plot {
            place,
            x,
            y,
            names: [over, &name],
        };
        plot.draw(svg, style);
        let mut legend = left + width;
        for curve in chart.curves.iter().rev() {
            let line = |values: &[f64]| -> Vec<(f64, f64)> {
                let pairs = curve.points.iter().zip(values);
                pairs.map(|(p, &value)| plot.at(p.0, value)).collect()
            };
            let raw: Vec<f64> = curve.points.iter().map(|p| p.1).collect();
            svg.clipped(place, |svg| match self.smooth {
                Some(weight) => {
                    svg.polyline(&line(&raw), curve.color, 1.0, 0.35, "");
                    let smooth = smoothed(&raw, weight);
                    svg.polyline(&line(&smooth), curve.color, 2.2, 1.0, curve.dash);
                }
                None => svg.polyline(&line(&raw), curve.color, 1.8, 1.0, curve.dash),
            });
            if let [only] = curve.points[..] {
                svg.circle(plot.at(only.0, only.1), 4.0, curve.color, curve.color);
            }
            if curve.name.is_empty() {
                continue;
            }
            let y = top - 10.0;
            svg.text((legend, y), 14.0, Anchor::End, curve.color, curve.name);
            legend -= 7.2 * curve.name.len() as f64 + 10.0;
            let sample = [(legend - 26.0, y - 5.0), (legend, y - 5.0)];
            svg.polyline(&sample, curve.color, 2.2, 1.0, curve.dash);
            legend -= 44.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(steps: &[StepRow], smooth: Option<f64>, loss: fn(usize) -> f64) -> String {
        let rows: Vec<HistoryRow> = (0..30)
            .map(|epoch| HistoryRow {
                epoch,
                step: 10 * epoch as u64,
                train_loss: loss(epoch),
                train_accuracy: None,
                validation_loss: Some(2.0 * loss(epoch)),
                validation_accuracy: None,
                learning_rate: 0.1,
                gradient_norm: None,
            })
            .collect();
        let figure = TrainingFigure {
            rows: &rows,
            steps,
            over: Progress::Step,
            smooth,
            log: true,
            title: String::new(),
            subtitle: String::new(),
            tone: Tone::Light,
        };
        figure.draw().unwrap().finish()
    }

    #[test]
    fn there_is_a_chart_for_what_is_known_and_the_raw_line_behind_a_smoothed_one() {
        let raw = figure(&[], None, |epoch| 1.0 / (epoch + 1) as f64);
        assert!(raw.contains("loss (logarithmic)") && raw.contains("validation"));
        assert!(!raw.contains("accuracy") && !raw.contains("gradient norm"));
        let lines = |text: &str| text.matches("<polyline").count();
        let smooth = figure(&[], Some(0.6), |epoch| 1.0 / (epoch + 1) as f64);
        assert_eq!(lines(&smooth), lines(&raw) + 2);
        let step = |k: u64| StepRow {
            step: k,
            epoch: k as f64 / 10.0,
            learning_rate: 0.1,
            gradient_norm: 1.0 / k as f64,
            batch_loss: 1.0,
        };
        let steps: Vec<StepRow> = (1..300).map(step).collect();
        // A loss that is 0 has no logarithm and is left out.
        let all = figure(&steps, None, |epoch| epoch as f64);
        assert!(all.contains("learning rate (log") && all.contains("gradient norm (log"));
        assert!(!all.contains("NaN") && !all.contains("inf"));
    }

    #[test]
    fn without_a_loss_that_can_be_drawn_there_is_no_picture() {
        let rows = [];
        let figure = TrainingFigure {
            rows: &rows,
            steps: &[],
            over: Progress::Epoch,
            smooth: None,
            log: false,
            title: String::new(),
            subtitle: String::new(),
            tone: Tone::Dark,
        };
        assert!(figure.draw().is_err());
    }
}
