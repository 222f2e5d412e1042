//! The picture of what was maximised, beside real samples.

use super::{BESIDE, Goal, Outcome, Wish};
use crate::cli::CliError;
use crate::cli::explain::pixel_range;
use crate::cli::source::Source;
use crate::figure::{Exhibit, MaximisedFigure, Svg};
use crate::insight::picture::Picture;
use crate::train::Problem;

/// What is drawn.
pub(super) struct Figure<'a> {
    pub(super) problem: &'a Problem,
    pub(super) source: &'a Source,
    pub(super) goals: &'a [Goal],
    pub(super) results: &'a [Outcome],
    pub(super) wish: &'a Wish,
}

impl Figure<'_> {
    pub(super) fn draw(&self) -> Result<Svg, CliError> {
        let problem = self.problem;
        let picture = Picture::of(problem);
        let many = self.goals.len() > 1;
        let shown = self.goals.iter().zip(self.results);
        let found: Vec<Exhibit> = shown
            .map(|(goal, result)| {
                let best = result.strongest.first().map_or(f64::NAN, |s| s.1);
                Exhibit {
                    values: if picture.is_some() {
                        result.found.input.clone()
                    } else {
                        self.readable(&result.found.input, Some(&result.found.raw))
                    },
                    title: if many {
                        goal.name.clone()
                    } else {
                        "found".to_owned()
                    },
                    note: format!("{:.1}; real samples: up to {best:.1}", result.found.value),
                }
            })
            .collect();
        let rows = if many {
            Vec::new()
        } else {
            self.rows(&self.results[0], picture)
        };
        let names = match (&problem.data.points, &problem.data.line) {
            (Some(_), _) => vec!["x1".to_owned(), "x2".to_owned()],
            (None, Some(_)) => vec!["x".to_owned()],
            _ => problem.data.feature_names.clone(),
        };
        let initial = if self.source.given {
            ""
        } else {
            "; the initial weights"
        };
        let what = match self.goals {
            [one] if self.wish.unit.contains(':') => one.name.clone(),
            [one] => format!("the class {}", one.name),
            _ => "each class".to_owned(),
        };
        let figure = MaximisedFigure {
            title: format!(
                "{}: what {what} answers to most",
                problem.experiment.title()
            ),
            subtitle: format!(
                "{} steps from seed {}{}{initial}",
                self.wish.steps,
                self.wish.seed,
                if self.wish.bare {
                    ", without penalties and motions"
                } else {
                    ""
                },
            ),
            picture: picture.map(|picture| (picture, pixel_range(problem))),
            names: &names,
            found: &found,
            rows: &rows,
            tone: self.wish.theme.into(),
        };
        Ok(figure.draw()?)
    }

    /// A sample's numbers in their own units.
    fn readable(&self, x: &[f64], raw: Option<&[f64]>) -> Vec<f64> {
        let data = &self.problem.data;
        if let Some(raw) = raw.filter(|_| data.input_features.is_some()) {
            return raw.to_vec();
        }
        let values = x.iter().enumerate();
        values
            .map(|(unit, &value)| {
                let feature = self.problem.feature_of(unit);
                f64::from(data.scaler.unscaled(feature, value as f32))
            })
            .collect()
    }

    /// Real samples: those most like the result, and those that answer most.
    fn rows(&self, result: &Outcome, picture: Option<Picture>) -> Vec<(String, Vec<Exhibit>)> {
        let data = &self.problem.data;
        let one = |row: usize, note: String| {
            let x: Vec<f64> = self
                .problem
                .train
                .x
                .row(row)
                .iter()
                .map(|&v| f64::from(v))
                .collect();
            let place = data.train.rows[row];
            let raw: Option<Vec<f64>> = match (&data.points, &data.line) {
                (Some(points), _) => {
                    Some(points.row(place).iter().map(|&v| f64::from(v)).collect())
                }
                (None, Some(line)) => Some(vec![f64::from(line[place])]),
                _ => None,
            };
            let class = self.problem.encoding.class(self.problem.train.y.row(row));
            let label = class.and_then(|k| data.task.names().get(k));
            Exhibit {
                values: if picture.is_some() {
                    x
                } else {
                    self.readable(&x, raw.as_deref())
                },
                title: label.cloned().unwrap_or_else(|| format!("sample {row}")),
                note,
            }
        };
        let count = if picture.is_some() { BESIDE } else { 2 };
        let near = result.nearest.iter().take(count);
        let near = near.map(|&row| one(row, format!("sample {row}"))).collect();
        let strong = result.strongest.iter().take(count);
        let strong = strong
            .map(|&(row, v)| one(row, format!("{v:.1}, sample {row}")))
            .collect();
        vec![
            ("the real samples most like it".to_owned(), near),
            (
                "the real samples that it answers to most".to_owned(),
                strong,
            ),
        ]
    }
}
