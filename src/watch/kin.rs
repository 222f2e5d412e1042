//! Which of the numbers of many runs belong together: programs log what is trained on and what
//! is held back as runs of their own, `train` and `validation`.

use super::news::Metric;
use super::roles::{HELD_BACK, Role, Roles};
use std::collections::HashSet;
use std::sync::Arc;

/// Numbers that are kept until it is known whose they are.
const MOST_EARLY: usize = 50_000;
/// Other runs that are told of.
const MOST_OTHERS: usize = 100;

/// One run among many, in all the parts that it is logged in: the first that tells a loss of
/// what is trained on, or another that was chosen.
#[derive(Debug, Default)]
pub(super) struct Kin {
    stem: Option<String>,
    roles: Roles,
    early: Vec<Metric>,
    others: HashSet<String>,
}

impl Kin {
    /// What the parts of a run have in common: its path without the words that tell them
    /// apart.
    pub(super) fn stem(run: &str) -> String {
        let parts = run.split('/').filter(|part| {
            let word = part.to_lowercase();
            let tells_apart = matches!(&*word, "" | "." | "train" | "training");
            !tells_apart && !HELD_BACK.contains(&&*word)
        });
        parts.collect::<Vec<_>>().join("/")
    }

    /// The run, once it is known.
    pub(super) fn run(&self) -> Option<&str> {
        self.stem.as_deref()
    }

    /// Whether `run` is a part of it.
    pub(super) fn has(&self, run: &str) -> bool {
        self.stem
            .as_ref()
            .is_some_and(|stem| *stem == Self::stem(run))
    }

    /// From now on it is the run of which `run` is a part. What was told of it before comes
    /// with its roles.
    pub(super) fn follow(&mut self, run: &str) -> Vec<(Role, Metric)> {
        self.stem = Some(Self::stem(run));
        self.roles = Roles::default();
        let early = std::mem::take(&mut self.early);
        early.iter().flat_map(|metric| self.own(metric)).collect()
    }

    /// Takes in a number; those that have a role in the run are given.
    pub(super) fn see(&mut self, metric: &Metric) -> Vec<(Role, Metric)> {
        if self.has(&metric.run) {
            return self.own(metric).into_iter().collect();
        }
        let role = Roles::default().of(&metric.run, &metric.tag);
        match (&self.stem, role) {
            (None, Some(Role::TrainLoss)) => {
                let mut all = self.follow(&Arc::clone(&metric.run));
                all.extend(self.own(metric));
                return all;
            }
            (None, Some(_)) if self.early.len() < MOST_EARLY => self.early.push(metric.clone()),
            _ => {}
        }
        Vec::new()
    }

    /// The first time that `metric` is a training loss of another run: what that is called.
    pub(super) fn other(&mut self, metric: &Metric) -> Option<String> {
        let role = Roles::default().of(&metric.run, &metric.tag);
        let is_other = self.stem.is_some() && !self.has(&metric.run);
        if !is_other || role != Some(Role::TrainLoss) || self.others.len() >= MOST_OTHERS {
            return None;
        }
        let stem = Self::stem(&metric.run);
        self.others.insert(stem).then(|| metric.run.to_string())
    }

    fn own(&mut self, metric: &Metric) -> Option<(Role, Metric)> {
        if !self.has(&metric.run) {
            return None;
        }
        let role = self.roles.of(&metric.run, &metric.tag)?;
        Some((role, metric.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(run: &str, tag: &str, step: i64) -> Metric {
        Metric {
            run: run.into(),
            tag: tag.into(),
            step,
            wall_time: 0.0,
            value: 1.0,
        }
    }

    #[test]
    fn what_is_trained_on_and_what_is_held_back_are_one_run_and_others_are_not() {
        let mut kin = Kin::default();
        assert!(kin.see(&metric("a/eval", "epoch_loss", 1)).is_empty());
        assert!(kin.see(&metric("b/eval", "epoch_loss", 1)).is_empty());
        let found = kin.see(&metric("a/train", "epoch_loss", 1));
        let roles: Vec<Role> = found.iter().map(|(role, _)| *role).collect();
        assert_eq!(roles, [Role::ValidationLoss, Role::TrainLoss]);
        assert_eq!(kin.run(), Some("a"));
        assert!(kin.see(&metric("b/train", "epoch_loss", 1)).is_empty());
        assert_eq!(
            kin.other(&metric("b/train", "epoch_loss", 2)).as_deref(),
            Some("b/train")
        );
        assert_eq!(kin.other(&metric("b/train", "epoch_loss", 3)), None);
        assert_eq!(
            kin.see(&metric("a/train", "lr", 1))[0].0,
            Role::LearningRate
        );
    }

    #[test]
    fn the_words_that_tell_parts_apart_are_no_part_of_a_name() {
        for (run, stem) in [
            (".", ""),
            ("train", ""),
            ("x/Validation", "x"),
            ("x/y", "x/y"),
        ] {
            assert_eq!(Kin::stem(run), stem);
        }
    }
}
