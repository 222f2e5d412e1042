//! Parallel coordinates: runs as lines that cross an axis for each setting and each result
//! (Inselberg 1985).

use super::scale::Scale;
use super::svg::{Anchor, Svg};
use super::ticks::tick_label;
use super::{FigureError, Tone};
use crate::colormap::{Rgb, racer_color, viridis};

/// An axis, with where each line crosses it.
#[derive(Debug, Clone, PartialEq)]
pub struct ParallelAxis {
    /// What it is.
    pub name: String,
    /// Where each line crosses it; a line that has nothing there is broken.
    pub marks: ParallelMarks,
}

/// Where lines cross an axis.
#[derive(Debug, Clone, PartialEq)]
pub enum ParallelMarks {
    /// At numbers, by their logarithm where they are positive and far apart.
    Numbers(Vec<Option<f64>>),
    /// At words, which stand evenly on it from the bottom up; each line at one of them.
    Words {
        /// The words.
        words: Vec<String>,
        /// Which word each line crosses.
        places: Vec<Option<usize>>,
    },
}

/// Lines across axes, coloured by the last.
#[derive(Debug, Clone)]
pub struct ParallelFigure {
    /// The axes, left to right.
    pub axes: Vec<ParallelAxis>,
    /// What the lines are called; said where they are few.
    pub names: Vec<String>,
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// Dark or light.
    pub tone: Tone,
}

const HEIGHT: f64 = 560.0;
const LEFT: f64 = 110.0;
const TOP: f64 = 130.0;
const PLOT: f64 = 370.0;
/// Between two axes, at most and at least.
const APART: (f64, f64) = (210.0, 130.0);
/// The width that axes share as long as they do not come too close.
const WIDTH: f64 = 1000.0;
/// So many lines have names and colours of their own; more are coloured by the last axis.
const NAMED: usize = 12;
/// Positive numbers that span more than this factor are shown by the logarithm.
const SPAN: f64 = 20.0;
/// The least distance between two names.
const LINE: f64 = 17.0;

/// An axis with its numbers as shares of its height, from the bottom up.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedAxis {
    /// Where each line crosses it.
    pub shares: Vec<Option<f64>>,
    /// Its ticks and what they say.
    pub ticks: Vec<(f64, String)>,
    /// Whether it is by the logarithm.
    pub log: bool,
}

impl ParallelFigure {
    /// The picture as SVG.
    ///
    /// # Errors
    /// When there is no axis, or no line.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let count = self.names.len();
        if self.axes.is_empty() || count == 0 {
            return Err(FigureError::Empty(
                "there are no runs that differ in anything",
            ));
        }
        let style = self.tone.style();
        let gaps = (self.axes.len() - 1).max(1) as f64;
        let apart = (WIDTH / gaps).clamp(APART.1, APART.0);
        let span = apart * (self.axes.len() - 1) as f64;
        let named = count <= NAMED;
        let longest = self.names.iter().map(|name| name.chars().count()).max();
        let right = match named {
            true => 60.0 + 8.0 * longest.unwrap_or(0).min(40) as f64,
            false => 120.0,
        };
        let width = LEFT + span.max(420.0) + right;
        let bottom = TOP + PLOT;
        let mut svg = Svg::new(width, HEIGHT, style.background);
        svg.text((40.0, 38.0), 22.0, Anchor::Start, style.text, &self.title);
        let at = (40.0, 64.0);
        svg.text(at, 14.0, Anchor::Start, style.faint, &self.subtitle);

        let placed: Vec<PlacedAxis> = self.axes.iter().map(ParallelAxis::placed).collect();
        let x = |axis: usize| LEFT + apart * axis as f64;
        let last = &placed[placed.len() - 1];
        let order = drawing_order(last, count);
        let color = |line: usize| match named {
            true => racer_color(line, self.tone == Tone::Light),
            false => by_result(last.shares[line], self.tone, style.faint),
        };
        let (wide, dense) = match named {
            true => (2.2, 0.95),
            false => (1.3, (30.0 / count as f64).clamp(0.25, 0.8)),
        };
        let mut ends = Vec::new();
        for &line in &order {
            let mut part = Vec::new();
            for (k, axis) in placed.iter().enumerate() {
                match axis.shares[line] {
                    Some(share) => part.push((x(k), bottom - PLOT * share)),
                    None => {
                        svg.polyline(&part, color(line), wide, dense, "");
                        part.clear();
                    }
                }
            }
            svg.polyline(&part, color(line), wide, dense, "");
            if let Some(&end) = part.last() {
                ends.push((end, line));
            }
        }
        for (k, (axis, placed)) in self.axes.iter().zip(&placed).enumerate() {
            let x = x(k);
            svg.line((x, TOP), (x, bottom), style.text, 1.6, 1.0);
            // Names stand in two heights, so that neighbours do not touch.
            let y = if k % 2 == 0 { TOP - 16.0 } else { TOP - 36.0 };
            let log = if placed.log { " (log)" } else { "" };
            let name = format!("{}{log}", short_key(&axis.name));
            svg.text((x, y), 14.0, Anchor::Middle, style.text, &name);
            for (share, text) in &placed.ticks {
                let y = bottom - PLOT * share;
                svg.line((x - 5.0, y), (x, y), style.text, 1.2, 1.0);
                let rim = (style.text, style.background);
                svg.label((x - 9.0, y + 4.5), 12.5, Anchor::End, rim, &cut(text, 18));
            }
        }
        if named {
            ends.sort_by(|a, b| a.0.1.total_cmp(&b.0.1));
            let mut lowest = f64::NEG_INFINITY;
            for ((end, line), left_over) in ends.iter().zip((0..ends.len()).rev()) {
                let y = end.1.min(bottom + 8.0 - LINE * left_over as f64);
                let y = y.max(lowest + LINE);
                lowest = y;
                let corners = [*end, (end.0 + 10.0, end.1), (end.0 + 20.0, y)];
                svg.polyline(&corners, color(*line), 1.0, 0.7, "2 3");
                let at = (end.0 + 24.0, y + 4.5);
                let name = cut(&self.names[*line], 40);
                svg.text(at, 13.5, Anchor::Start, color(*line), &name);
            }
        } else {
            self.legend(&mut svg, x(self.axes.len() - 1) + 34.0);
        }
        Ok(svg)
    }

    /// Beside the last axis, which colour stands for what of it.
    fn legend(&self, svg: &mut Svg, x: f64) {
        const PARTS: usize = 48;
        let style = self.tone.style();
        let height = PLOT / PARTS as f64;
        for part in 0..PARTS {
            let share = (part as f64 + 0.5) / PARTS as f64;
            let y = TOP + PLOT - height * (part + 1) as f64;
            let fill = by_result(Some(share), self.tone, style.faint);
            svg.rect(x, y, 14.0, height + 0.4, fill);
        }
        let at = (x + 22.0, TOP + 12.0);
        svg.text(at, 13.0, Anchor::Start, style.faint, "colour");
    }
}

impl ParallelAxis {
    /// Where lines and ticks are on it.
    pub fn placed(&self) -> PlacedAxis {
        match &self.marks {
            ParallelMarks::Words { words, places } => {
                let n = words.len().max(1) as f64;
                let share = |place: usize| (place as f64 + 0.5) / n;
                let ticks = words.iter().enumerate();
                PlacedAxis {
                    shares: places.iter().map(|place| place.map(share)).collect(),
                    ticks: ticks.map(|(k, word)| (share(k), word.clone())).collect(),
                    log: false,
                }
            }
            ParallelMarks::Numbers(values) => {
                let finite = values.iter().flatten().filter(|v| v.is_finite());
                let (lo, hi) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), &v| {
                    (lo.min(v), hi.max(v))
                });
                let log = lo > 0.0 && hi / lo > SPAN;
                let scale = Scale { lo, hi, log }.widened(0.04);
                let share = |v: f64| v.is_finite().then(|| scale.share(v));
                let mut ticks = scale.ticks(5);
                if ticks.is_empty() && lo <= hi {
                    ticks.push(lo);
                }
                let ticks = ticks.into_iter();
                PlacedAxis {
                    shares: values.iter().map(|v| v.and_then(share)).collect(),
                    ticks: ticks.map(|t| (scale.share(t), tick_label(t))).collect(),
                    log,
                }
            }
        }
    }
}

/// The colour of a line by where it crosses the last axis. On a light ground the brightest
/// end of the map is left out.
fn by_result(share: Option<f64>, tone: Tone, none: Rgb) -> Rgb {
    share.map_or(none, |share| result_color(share, tone))
}

/// The colour of a share of the last axis.
pub fn result_color(share: f64, tone: Tone) -> Rgb {
    match tone {
        Tone::Dark => viridis((0.12 + 0.88 * share) as f32),
        Tone::Light => viridis((0.85 * share) as f32).blend(Rgb::hex(0x000000), 0.12),
    }
}

/// Lines with the lowest result are drawn last, over the others: that is a loss as a rule.
fn drawing_order(last: &PlacedAxis, count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let share = |line: usize| last.shares[line].unwrap_or(2.0);
    order.sort_by(|&a, &b| share(b).total_cmp(&share(a)));
    order
}

/// The end of a key, which says what it is: `training.optimizer.learning_rate`.
pub fn short_key(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    let from = parts.len().saturating_sub(2);
    let end = parts[from..].join(".");
    match end.chars().count() > 24 {
        true => cut(parts[parts.len() - 1], 24),
        false => end,
    }
}

fn cut(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => text.chars().take(most - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(lines: usize) -> ParallelFigure {
        let values = |of: fn(usize) -> Option<f64>| (0..lines).map(of).collect();
        let axis = |name: &str, marks: ParallelMarks| ParallelAxis {
            name: name.to_owned(),
            marks,
        };
        ParallelFigure {
            axes: vec![
                axis(
                    "training.optimizer.learning_rate",
                    ParallelMarks::Numbers(values(|k| Some(10f64.powi(-(k as i32 % 5))))),
                ),
                axis(
                    "training.optimizer.name",
                    ParallelMarks::Words {
                        words: vec!["sgd".to_owned(), "adam".to_owned()],
                        places: (0..lines).map(|k| (k != 1).then_some(k % 2)).collect(),
                    },
                ),
                axis(
                    "loss",
                    ParallelMarks::Numbers(values(|k| {
                        Some(if k == 2 { f64::NAN } else { k as f64 })
                    })),
                ),
            ],
            names: (0..lines).map(|k| format!("run {k}")).collect(),
            title: "t".to_owned(),
            subtitle: String::new(),
            tone: Tone::Light,
        }
    }

    #[test]
    fn few_lines_have_names_many_a_legend_and_gaps_break_a_line() {
        let few = figure(4).draw().unwrap().finish();
        assert!(few.contains(">run 3<") && few.contains("learning_rate (log)"));
        assert!(few.contains(">adam<") && !few.contains("NaN"));
        // Line 1 has no word: of three axes nothing joins two neighbours.
        let whole = few.matches("<polyline").count();
        assert!(whole >= 3, "{whole}");
        let many = figure(40).draw().unwrap().finish();
        assert!(many.contains(">colour<") && !many.contains(">run 3<"));
        assert!(figure(0).draw().is_err());
    }
}
