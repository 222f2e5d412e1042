//! How right a network is: the confusion matrix with the scores of each class, receiver
//! operating characteristics, residuals.

use super::plot::{Plot, sheet};
use super::scale::Scale;
use super::svg::{Anchor, Svg};
use super::{FigureError, Tone};
use crate::colormap::viridis;
use crate::insight::scores::Answers;

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct ScoresFigure<'a> {
    /// The answers.
    pub answers: &'a Answers,
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// Dark or light.
    pub tone: Tone,
}

/// At most so many classes have a curve.
const CURVES: usize = 10;

impl ScoresFigure<'_> {
    fn name(&self, k: usize) -> String {
        let name = self.answers.names.get(k);
        name.cloned().unwrap_or_else(|| format!("class {}", k + 1))
    }

    /// The confusion matrix: a row for each true class, a column for each answer, and at
    /// the right the scores.
    ///
    /// # Errors
    /// When there are no classes.
    pub fn confusion(&self) -> Result<Svg, FigureError> {
        let no_classes = FigureError::Empty("only classes can be confused: this is a regression");
        let confusion = self.answers.confusion().ok_or(no_classes)?;
        let n = confusion.counts.len();
        let style = self.tone.style();
        let cell = (520.0 / n as f64).clamp(26.0, 96.0);
        let (left, top) = (170.0, 128.0);
        let size = cell * n as f64;
        let (width, height) = (left + size + 300.0, (top + size + 60.0).max(320.0));
        let mut svg = sheet((width, height), self.tone, &self.title, &self.subtitle);
        let at = (left + 0.5 * size, top - 36.0);
        svg.text(at, 14.0, Anchor::Middle, style.faint, "answer");
        let headings = [
            ("precision", 70.0),
            ("recall", 140.0),
            ("F1", 196.0),
            ("n", 246.0),
        ];
        for (heading, x) in headings {
            let at = (left + size + x, top - 14.0);
            svg.text(at, 13.0, Anchor::End, style.faint, heading);
        }
        let font = (0.34 * cell).clamp(9.5, 15.0);
        for (row, (counts, score)) in confusion.counts.iter().zip(confusion.scores()).enumerate() {
            let y = top + cell * row as f64;
            let middle = y + 0.5 * cell + 0.35 * font;
            let name = self.name(row);
            svg.text((left - 10.0, middle), font, Anchor::End, style.text, &name);
            let at = (left + cell * (row as f64 + 0.5), top - 12.0);
            svg.text(at, font, Anchor::Middle, style.text, &short(&name));
            for (column, &count) in counts.iter().enumerate() {
                let share = count as f32 / score.support.max(1) as f32;
                let x = left + cell * column as f64;
                let fill = viridis(share.sqrt());
                svg.rect(x, y, cell - 1.0, cell - 1.0, fill);
                if count > 0 {
                    let ink = if share.sqrt() > 0.6 {
                        crate::colormap::Rgb::hex(0x101418)
                    } else {
                        crate::colormap::Rgb::hex(0xf4f6fa)
                    };
                    let at = (x + 0.5 * cell, middle);
                    svg.text(at, font, Anchor::Middle, ink, &count.to_string());
                }
            }
            let figures = [score.precision, score.recall, score.f1];
            for ((_, x), figure) in headings.iter().zip(figures) {
                let at = (left + size + x, middle);
                svg.text(at, 13.0, Anchor::End, style.text, &format!("{figure:.3}"));
            }
            let at = (left + size + headings[3].1, middle);
            svg.text(
                at,
                13.0,
                Anchor::End,
                style.text,
                &score.support.to_string(),
            );
        }
        Ok(svg)
    }

    /// The receiver operating characteristic of each class against the others; of two
    /// classes that of the second alone.
    ///
    /// # Errors
    /// When there are no classes, or all samples are of one.
    pub fn roc(&self) -> Result<Svg, FigureError> {
        let style = self.tone.style();
        let classes = self.answers.shares.first().map_or(0, Vec::len);
        let chosen = if classes == 2 {
            1..2
        } else {
            0..classes.min(CURVES)
        };
        let curves: Vec<_> = chosen
            .filter_map(|class| Some((class, self.answers.roc(class)?)))
            .collect();
        if curves.is_empty() {
            return Err(FigureError::Empty(
                "there is no such curve without samples of at least two classes",
            ));
        }
        let mut svg = sheet((820.0, 560.0), self.tone, &self.title, &self.subtitle);
        let unit = Scale {
            lo: 0.0,
            hi: 1.0,
            log: false,
        };
        let plot = Plot {
            place: (100.0, 92.0, 410.0, 400.0),
            x: unit,
            y: unit,
            names: ["false positive rate", "true positive rate"],
        };
        plot.draw(&mut svg, &style);
        let chance = [plot.at(0.0, 0.0), plot.at(1.0, 1.0)];
        svg.polyline(&chance, style.faint, 1.2, 0.8, "4 4");
        let light = self.tone == Tone::Light;
        for (k, (class, roc)) in curves.iter().enumerate() {
            let color = crate::colormap::racer_color(*class, light);
            let points: Vec<_> = roc.points.iter().map(|p| plot.at(p[0], p[1])).collect();
            svg.polyline(&points, color, 2.2, 1.0, "");
            let y = 110.0 + 26.0 * k as f64;
            svg.polyline(&[(548.0, y - 5.0), (576.0, y - 5.0)], color, 3.0, 1.0, "");
            let said = format!("{}   AUC {:.4}", self.name(*class), roc.area);
            svg.text((586.0, y), 14.0, Anchor::Start, style.text, &said);
        }
        Ok(svg)
    }

    /// What is wanted against what is answered, and below the difference.
    ///
    /// # Errors
    /// When this is no regression.
    pub fn residuals(&self) -> Result<Svg, FigureError> {
        let (values, targets) = (&self.answers.values, &self.answers.targets);
        if values.is_empty() {
            return Err(FigureError::Empty(
                "only a regression has residuals: this is a classification",
            ));
        }
        let style = self.tone.style();
        let pairs: Vec<(f64, f64)> = values
            .iter()
            .flatten()
            .zip(targets.iter().flatten())
            .map(|(a, t)| (f64::from(*t), f64::from(*a)))
            .collect();
        let reach = |all: &mut dyn Iterator<Item = f64>| {
            let (lo, hi) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
                (a.min(v), b.max(v))
            });
            Scale { lo, hi, log: false }.widened(0.05)
        };
        let both = reach(&mut pairs.iter().flat_map(|&(t, a)| [t, a]));
        let off = reach(&mut pairs.iter().map(|&(t, a)| a - t));
        let mut svg = sheet((980.0, 560.0), self.tone, &self.title, &self.subtitle);
        let answers = Plot {
            place: (100.0, 92.0, 380.0, 400.0),
            x: both,
            y: both,
            names: ["target", "answer"],
        };
        let residuals = Plot {
            place: (580.0, 92.0, 360.0, 400.0),
            x: both,
            y: off,
            names: ["target", "answer − target"],
        };
        answers.draw(&mut svg, &style);
        residuals.draw(&mut svg, &style);
        let ideal = [answers.at(both.lo, both.lo), answers.at(both.hi, both.hi)];
        svg.polyline(&ideal, style.faint, 1.4, 1.0, "4 4");
        let zero = [residuals.at(both.lo, 0.0), residuals.at(both.hi, 0.0)];
        svg.polyline(&zero, style.faint, 1.4, 1.0, "4 4");
        for &(t, a) in &pairs {
            svg.circle(answers.at(t, a), 2.6, style.training, style.background);
            let at = residuals.at(t, a - t);
            svg.circle(at, 2.6, style.validation, style.background);
        }
        Ok(svg)
    }
}

/// The beginning of a long name, for a narrow column.
fn short(name: &str) -> String {
    const MOST: usize = 5;
    match name.chars().count() > MOST {
        true => name.chars().take(MOST - 1).chain(['…']).collect(),
        false => name.to_owned(),
    }
}
