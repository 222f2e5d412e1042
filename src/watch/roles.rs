//! Which of the numbers that another program logs are the loss, the accuracy and the
//! learning rate, by their names.

use crate::train::ForeignRow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The loss of what is trained on.
    TrainLoss,
    /// The share of right answers among what is trained on.
    TrainAccuracy,
    /// The loss of what is held back.
    ValidationLoss,
    /// The share of right answers among what is held back.
    ValidationAccuracy,
    /// The step size.
    LearningRate,
    /// The gradient's Euclidean norm.
    GradientNorm,
}

/// Words that say that something is of what is held back.
pub(super) const HELD_BACK: [&str; 7] = [
    "val",
    "valid",
    "validation",
    "test",
    "eval",
    "evaluation",
    "dev",
];

impl Role {
    /// A number of this role as the row of its step.
    pub(super) fn row(self, step: i64, value: f64) -> ForeignRow {
        let mut row = ForeignRow {
            step: u64::try_from(step).unwrap_or(0),
            ..ForeignRow::default()
        };
        let place = match self {
            Role::TrainLoss => &mut row.train_loss,
            Role::TrainAccuracy => &mut row.train_accuracy,
            Role::ValidationLoss => &mut row.validation_loss,
            Role::ValidationAccuracy => &mut row.validation_accuracy,
            Role::LearningRate => &mut row.learning_rate,
            Role::GradientNorm => &mut row.gradient_norm,
        };
        *place = Some(value);
        row
    }

    /// What `tag` of `run` is, if its words say so, and how many words it has: of two names
    /// that say the same, the shorter one is meant.
    fn of(run: &str, tag: &str) -> Option<(Role, usize)> {
        let split = |text: &str| -> Vec<String> {
            let words = text.split(|c: char| !c.is_alphanumeric());
            words
                .filter(|w| !w.is_empty())
                .map(str::to_lowercase)
                .collect()
        };
        let (words, of_run) = (split(tag), split(run));
        let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
        let held_back = words
            .iter()
            .chain(&of_run)
            .any(|w| HELD_BACK.contains(&w.as_str()));
        let role = if has(&["lr"]) || (has(&["learning"]) && has(&["rate"])) {
            Role::LearningRate
        } else if has(&["grad", "gradient", "gradients"]) && has(&["norm"]) {
            Role::GradientNorm
        } else if has(&["acc", "accuracy"]) {
            match held_back {
                true => Role::ValidationAccuracy,
                false => Role::TrainAccuracy,
            }
        } else if has(&["loss", "nll", "cost", "objective"]) {
            match held_back {
                true => Role::ValidationLoss,
                false => Role::TrainLoss,
            }
        } else {
            return None;
        };
        Some((role, words.len()))
    }
}

/// Which tag stands for each role: the first that says so, or one with fewer words.
#[derive(Debug, Clone, Default)]
pub struct Roles {
    tags: BTreeMap<Role, (usize, Arc<str>, Arc<str>)>,
}

impl Roles {
    /// What the number `tag` of `run` is; none where another stands for that.
    pub fn of(&mut self, run: &Arc<str>, tag: &Arc<str>) -> Option<Role> {
        let (role, words) = Role::of(run, tag)?;
        let held = self.tags.get(&role);
        if held.is_none_or(|(other, ..)| words < *other) {
            self.tags
                .insert(role, (words, Arc::clone(run), Arc::clone(tag)));
        }
        let (_, of_run, chosen) = self.tags.get(&role)?;
        (of_run == run && chosen == tag).then_some(role)
    }

    /// The run and the tag that stand for a role.
    pub fn tag(&self, role: Role) -> Option<(&Arc<str>, &Arc<str>)> {
        self.tags.get(&role).map(|(_, run, tag)| (run, tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_common_programs_are_understood() {
        for (run, tag, role) in [
            (".", "loss", Some(Role::TrainLoss)),
            (".", "Loss/train", Some(Role::TrainLoss)),
            ("train", "epoch_loss", Some(Role::TrainLoss)),
            ("validation", "epoch_loss", Some(Role::ValidationLoss)),
            (".", "val_loss", Some(Role::ValidationLoss)),
            (".", "eval/loss", Some(Role::ValidationLoss)),
            (".", "train_acc_epoch", Some(Role::TrainAccuracy)),
            ("x", "val/accuracy", Some(Role::ValidationAccuracy)),
            (".", "lr-Adam", Some(Role::LearningRate)),
            ("train", "epoch_learning_rate", Some(Role::LearningRate)),
            (".", "grad_norm", Some(Role::GradientNorm)),
            (".", "glossary", None),
            (".", "epoch", None),
        ] {
            assert_eq!(
                Role::of(run, tag).map(|(role, _)| role),
                role,
                "{run} {tag}"
            );
        }
    }

    #[test]
    fn the_shortest_name_stands_for_a_role() {
        let mut roles = Roles::default();
        let run: Arc<str> = Arc::from(".");
        let [long, short] = ["aux/loss", "loss"].map(Arc::from);
        assert_eq!(roles.of(&run, &long), Some(Role::TrainLoss));
        assert_eq!(roles.of(&run, &short), Some(Role::TrainLoss));
        assert_eq!(roles.of(&run, &long), None);
        assert_eq!(roles.tag(Role::TrainLoss), Some((&run, &short)));
    }
}
