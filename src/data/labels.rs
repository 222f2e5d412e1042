//! From a column of labels to classes or to values.
//!
//! The rule, unless the task is stated: text is classes; whole numbers with at
//! most [`MAX_IMPLIED_CLASSES`] different values are classes; every other number
//! is a value to fit. Classes are ordered by number, or by name when any is text.

use std::collections::HashMap;

use ndarray::Array2;

use super::config::TaskKind;
use super::dataset::Target;

/// Whole numbers with more different values than this are taken as values to
/// fit, unless `data.task` says classification.
pub const MAX_IMPLIED_CLASSES: usize = 50;

/// The most classes that a data set may have.
pub const MAX_CLASSES: usize = 1000;

/// A column of labels as it is read, each different text kept once.
#[derive(Debug, Default)]
pub(super) struct LabelColumn {
    ids: Vec<u32>,
    by_text: HashMap<String, u32>,
    distinct: Vec<Distinct>,
}

#[derive(Debug)]
struct Distinct {
    text: String,
    /// `None` when it is not a number. Always finite.
    number: Option<f64>,
    first_line: u64,
}

/// Why labels do not fit, and the line to blame where there is one.
#[derive(Debug, PartialEq)]
pub(super) struct LabelFault {
    pub(super) line: Option<u64>,
    pub(super) message: String,
}

impl LabelFault {
    fn new(line: Option<u64>, message: impl Into<String>) -> Self {
        Self {
            line,
            message: message.into(),
        }
    }
}

impl LabelColumn {
    /// Adds the label of the next sample, found at `line`; `number` is its value
    /// if it is one.
    pub(super) fn push(&mut self, text: &str, number: Option<f64>, line: u64) {
        let id = match self.by_text.get(text) {
            Some(&id) => id,
            None => {
                let id = self.distinct.len() as u32;
                self.by_text.insert(text.to_owned(), id);
                self.distinct.push(Distinct {
                    text: text.to_owned(),
                    number,
                    first_line: line,
                });
                id
            }
        };
        self.ids.push(id);
    }

    /// Classes or values, by the rule of this module.
    pub(super) fn resolve(self, name: &str, task: Option<TaskKind>) -> Result<Target, LabelFault> {
        let all_numbers = self.distinct.iter().all(|d| d.number.is_some());
        let whole = self
            .distinct
            .iter()
            .all(|d| d.number.is_some_and(|v| v.fract() == 0.0));
        let few = self.distinct.len() <= MAX_IMPLIED_CLASSES;
        let task = task.unwrap_or(if !all_numbers || (whole && few) {
            TaskKind::Classification
        } else {
            TaskKind::Regression
        });
        match task {
            TaskKind::Classification => self.classes(all_numbers),
            TaskKind::Regression => self.values(name),
        }
    }

    fn classes(self, all_numbers: bool) -> Result<Target, LabelFault> {
        let mut order: Vec<usize> = (0..self.distinct.len()).collect();
        let number = |i: usize| self.distinct[i].number.unwrap_or(f64::NAN);
        if all_numbers {
            order.sort_by(|&a, &b| number(a).total_cmp(&number(b)));
        } else {
            order.sort_by(|&a, &b| self.distinct[a].text.cmp(&self.distinct[b].text));
        }
        let mut class_of = vec![0; self.distinct.len()];
        let mut names: Vec<String> = Vec::new();
        let mut last: Option<usize> = None;
        for id in order {
            // "1" and "1.0" are the same class.
            let same = all_numbers && last.is_some_and(|last| number(last) == number(id));
            if !same {
                let distinct = &self.distinct[id];
                names.push(if all_numbers {
                    number_name(number(id))
                } else {
                    distinct.text.clone()
                });
            }
            class_of[id] = names.len() - 1;
            last = Some(id);
        }
        match names.len() {
            0 | 1 => Err(LabelFault::new(
                None,
                "every sample has the same label; two classes or more are needed",
            )),
            n if n > MAX_CLASSES => Err(LabelFault::new(
                None,
                format!(
                    "there are {n} different labels, and at most {MAX_CLASSES} classes are possible; \
                     choose another label, or set data.task = \"regression\" if they are numbers"
                ),
            )),
            _ => Ok(Target::Classes {
                labels: self.ids.iter().map(|&id| class_of[id as usize]).collect(),
                names,
            }),
        }
    }

    fn values(self, name: &str) -> Result<Target, LabelFault> {
        let numbers: Result<Vec<f32>, LabelFault> = self
            .distinct
            .iter()
            .map(|d| {
                d.number
                    .map(|v| v as f32)
                    .filter(|v| v.is_finite())
                    .ok_or_else(|| {
                        LabelFault::new(
                            Some(d.first_line),
                            format!("\"{}\" is not a number to fit", d.text),
                        )
                    })
            })
            .collect();
        let numbers = numbers?;
        let values =
            Array2::from_shape_fn((self.ids.len(), 1), |(i, _)| numbers[self.ids[i] as usize]);
        Ok(Target::Values {
            values,
            names: vec![name.to_owned()],
        })
    }
}

/// The target that numbers, all finite, stand for, by the rule of this module.
pub(super) fn from_numbers(
    numbers: &[f64],
    name: &str,
    task: Option<TaskKind>,
) -> Result<Target, LabelFault> {
    let mut column = LabelColumn::default();
    for &number in numbers {
        column.push(&number_name(number), Some(number), 0);
    }
    column.resolve(name, task)
}

/// A number as a class's name: `3`, not `3.0`, and no `-0`.
fn number_name(number: f64) -> String {
    format!("{}", number + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(labels: &[&str], task: Option<TaskKind>) -> Result<Target, LabelFault> {
        let mut column = LabelColumn::default();
        for (i, label) in labels.iter().enumerate() {
            column.push(label, label.parse().ok(), i as u64 + 2);
        }
        column.resolve("y", task)
    }

    fn names(target: &Target) -> Vec<String> {
        target.task().names().to_vec()
    }

    #[test]
    fn text_is_classes_in_the_order_of_names() {
        let target = text(&["dog", "cat", "dog"], None).expect("classes");
        assert_eq!(names(&target), ["cat", "dog"]);
        assert_eq!(target.labels(), Some(&[1, 0, 1][..]));
    }

    #[test]
    fn few_whole_numbers_are_classes_in_the_order_of_numbers() {
        let target = text(&["10", "9", "9.0", "-1"], None).expect("classes");
        assert_eq!(names(&target), ["-1", "9", "10"]);
        assert_eq!(target.labels(), Some(&[2, 1, 1, 0][..]));
    }

    #[test]
    fn fractions_and_many_whole_numbers_are_values() {
        assert!(
            text(&["0.5", "1"], None)
                .expect("values")
                .values()
                .is_some()
        );
        let many: Vec<f64> = (0..=MAX_IMPLIED_CLASSES).map(|i| i as f64).collect();
        assert!(
            from_numbers(&many, "y", None)
                .expect("values")
                .values()
                .is_some()
        );
        let classes = from_numbers(&many, "y", Some(TaskKind::Classification)).expect("classes");
        assert_eq!(names(&classes).len(), MAX_IMPLIED_CLASSES + 1);
    }

    #[test]
    fn text_cannot_be_fitted_and_the_error_names_its_line() {
        let fault = text(&["1", "a", "2"], Some(TaskKind::Regression)).expect_err("text");
        assert_eq!(fault.line, Some(3));
    }

    #[test]
    fn a_single_class_is_refused() {
        assert!(text(&["a", "a"], None).is_err());
    }
}
