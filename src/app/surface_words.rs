//! What an error surface is, in words: its heights, its axes, its plane.

use super::format::{number, percent, signed};
use super::surface::{ErrorSurface, PlaneFacts};
use super::text::Texts;
use crate::landscape::curvature::CriticalPoint;
use crate::landscape::{Directions, Measure, Over, Quantity};

/// What the heights are: `training loss`, `accuracy on the last batch`.
pub fn measure(texts: &Texts, measure: Measure) -> String {
    let key = match (measure.quantity, measure.over) {
        (Quantity::Loss, Over::Train) => "measure.train_loss",
        (Quantity::Loss, Over::Validation) => "measure.validation_loss",
        (Quantity::Loss, Over::Batch) => "measure.batch_loss",
        (Quantity::Accuracy, Over::Train) => "measure.train_accuracy",
        (Quantity::Accuracy, Over::Validation) => "measure.validation_accuracy",
        (Quantity::Accuracy, Over::Batch) => "measure.batch_accuracy",
    };
    let name = texts.get(key);
    if measure.penalties && measure.quantity == Quantity::Loss {
        return texts.with("measure.with_penalties", &[("measure", &name)]);
    }
    name.to_owned()
}

/// A height in words: a number, or per cent where it is an accuracy.
pub fn height(is_accuracy: bool, value: f64, digits: usize) -> String {
    if is_accuracy && value.is_finite() {
        percent(value)
    } else {
        number(value, digits)
    }
}

/// A difference of heights, with its sign.
pub fn difference(is_accuracy: bool, value: f64, digits: usize) -> String {
    if !(is_accuracy && value.is_finite()) {
        return signed(value, digits);
    }
    let text = percent(value).replace('-', "−");
    if value > 0.0 {
        format!("+{text}")
    } else {
        text
    }
}

/// The name of axis 0 (x) or 1 (y).
pub fn axis(texts: &Texts, shown: &ErrorSurface, axis: usize) -> String {
    if let Some(name) = shown.parameter_name(axis) {
        return name;
    }
    plane_axis(texts, shown.facts.as_ref(), axis)
}

/// The name of axis 0 (x) or 1 (y) of a plane whose axes are no parameters.
pub fn plane_axis(texts: &Texts, facts: Option<&PlaneFacts>, axis: usize) -> String {
    let n = axis + 1;
    let plain = |key: &str| texts.with(key, &[("n", &n)]);
    let Some(facts) = facts else {
        return plain("axis.direction");
    };
    if facts.stands_in {
        return plain("axis.random");
    }
    match facts.directions {
        Directions::Weights(..) => plain("axis.direction"),
        Directions::Random { .. } => plain("axis.random"),
        Directions::Path => match facts.shares {
            Some(shares) => {
                let share = percent(shares[axis]);
                texts.with("axis.component", &[("n", &n), ("share", &share)])
            }
            None => plain("axis.direction"),
        },
        Directions::Hessian | Directions::HessianEnds => match facts.eigenvalues {
            Some(values) => {
                let value = number(values[axis], 3);
                texts.with("axis.eigenvector", &[("n", &n), ("value", &value)])
            }
            None => plain("axis.direction"),
        },
        Directions::Gradient if axis == 0 => texts.get("axis.gradient").to_owned(),
        Directions::Gradient => texts.get("axis.turn").to_owned(),
        Directions::Checkpoints(_) if axis == 0 => "A → B".to_owned(),
        Directions::Checkpoints(_) => "A → C".to_owned(),
    }
}

/// A kind of plane as the language files name it: in `plane.<kind>`, and what it
/// is for in `plane.<kind>_note`.
pub fn plane_kind(directions: Directions) -> &'static str {
    match directions {
        Directions::Path => "path",
        Directions::Random { .. } => "random",
        Directions::Weights(..) => "weights",
        Directions::Hessian => "hessian",
        Directions::HessianEnds => "hessian_ends",
        Directions::Gradient => "gradient",
        Directions::Checkpoints(_) => "checkpoints",
    }
}

/// The name of a kind of place.
pub fn point(texts: &Texts, point: CriticalPoint) -> String {
    texts.get(&format!("point.{}", point.name())).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::Scope;

    fn shown(directions: Directions) -> ErrorSurface {
        ErrorSurface {
            facts: Some(PlaneFacts {
                directions,
                scope: Scope::Whole,
                stands_in: false,
                range: (-1.0, 1.0),
                shares: Some([0.9, 0.08]),
                eigenvalues: Some([12.5, -3.0]),
                gradient_norm: None,
                steps: None,
                found_at: 0,
            }),
            ..ErrorSurface::default()
        }
    }

    #[test]
    fn axes_carry_the_figures_that_belong_to_them() {
        let texts = Texts::default();
        let path = shown(Directions::Path);
        assert!(axis(&texts, &path, 0).contains("90.0 %"));
        assert!(axis(&texts, &path, 1).contains("8.0 %"));
        let hessian = shown(Directions::Hessian);
        assert!(axis(&texts, &hessian, 1).contains("−3.00"));
        let mut stand_in = shown(Directions::Path);
        stand_in.facts.iter_mut().for_each(|f| f.stands_in = true);
        let random = axis(&texts, &shown(Directions::Random { seed: 3 }), 0);
        assert_eq!(axis(&texts, &stand_in, 0), random);
    }

    #[test]
    fn accuracies_are_in_per_cent_and_differences_have_their_sign() {
        assert_eq!(height(true, 0.925, 4), "92.5 %");
        assert_eq!(height(false, 0.925, 3), "0.925");
        assert_eq!(difference(true, 0.02, 3), "+2.0 %");
        assert_eq!(difference(true, -0.02, 3), "−2.0 %");
        assert_eq!(difference(false, -0.5, 2), "−0.50");
        let texts = Texts::default();
        let all = [Over::Train, Over::Validation, Over::Batch].map(|over| {
            measure(
                &texts,
                Measure {
                    over,
                    ..Measure::default()
                },
            )
        });
        assert!(all[0] != all[1] && all[1] != all[2]);
    }
}
