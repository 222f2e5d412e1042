//! Which samples train and which validate: by share and seed, class by class.

use rand::seq::index;

use super::dataset::Target;
use crate::rng::Rng;

/// Two sets of rows that share none and together are all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The rows to train on, ascending.
    pub train: Vec<usize>,
    /// The rows held back, ascending.
    pub validation: Vec<usize>,
}

/// Holds back `share` of the samples, rounded to a whole number but at least
/// one, and never all.
///
/// Classes are held back in proportion by the method of the largest remainder,
/// and each class keeps at least one sample to train on. Rows are ascending in
/// both parts: the order of training is the business of the shuffle.
pub fn split(target: &Target, share: f64, rng: &mut Rng) -> Split {
    let n = target.len();
    if share <= 0.0 || n < 2 {
        return Split {
            train: (0..n).collect(),
            validation: Vec::new(),
        };
    }
    let wanted = ((share * n as f64).round() as usize).clamp(1, n - 1);
    let validation = draw(target, wanted, 1, rng);
    let mut held_back = vec![false; n];
    for &row in &validation {
        held_back[row] = true;
    }
    Split {
        train: (0..n).filter(|&row| !held_back[row]).collect(),
        validation,
    }
}

/// Draws `wanted` rows, ascending, with the classes in proportion; every class
/// leaves at least `leave` of its samples undrawn, so that there may be fewer.
pub fn draw(target: &Target, wanted: usize, leave: usize, rng: &mut Rng) -> Vec<usize> {
    let classes = match target {
        Target::Classes { labels, names } => {
            let mut rows = vec![Vec::new(); names.len()];
            for (row, &label) in labels.iter().enumerate() {
                rows[label].push(row);
            }
            rows
        }
        Target::Values { values, .. } => vec![(0..values.nrows()).collect()],
    };
    let counts: Vec<usize> = classes.iter().map(Vec::len).collect();
    let mut drawn = Vec::with_capacity(wanted);
    for (rows, quota) in classes.iter().zip(quotas(&counts, wanted, leave)) {
        drawn.extend(
            index::sample(rng, rows.len(), quota)
                .into_iter()
                .map(|i| rows[i]),
        );
    }
    drawn.sort_unstable();
    drawn
}

/// Shares `wanted` out over classes of these sizes by the largest remainder
/// (Hamilton's method), ties going to the earlier class, with at most
/// `count - leave` for each class.
fn quotas(counts: &[usize], wanted: usize, leave: usize) -> Vec<usize> {
    let total: usize = counts.iter().sum();
    let room: Vec<usize> = counts
        .iter()
        .map(|count| count.saturating_sub(leave))
        .collect();
    if total == 0 {
        return vec![0; counts.len()];
    }
    // In whole numbers: floor and remainder of wanted * count / total.
    let exact = |count: usize| wanted as u128 * count as u128;
    let mut quotas: Vec<usize> = counts
        .iter()
        .zip(&room)
        .map(|(&count, &room)| ((exact(count) / total as u128) as usize).min(room))
        .collect();
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&class| std::cmp::Reverse(exact(counts[class]) % total as u128));
    let mut left = wanted.saturating_sub(quotas.iter().sum());
    while left > 0 {
        let before = left;
        for &class in &order {
            if left > 0 && quotas[class] < room[class] {
                quotas[class] += 1;
                left -= 1;
            }
        }
        if left == before {
            break;
        }
    }
    quotas
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, stream};

    fn classes(counts: &[usize]) -> Target {
        let labels = counts
            .iter()
            .enumerate()
            .flat_map(|(class, &n)| vec![class; n])
            .collect();
        Target::Classes {
            labels,
            names: (0..counts.len()).map(|c| c.to_string()).collect(),
        }
    }

    #[test]
    fn quotas_follow_the_largest_remainder() {
        assert_eq!(quotas(&[50, 50, 50], 30, 1), [10, 10, 10]);
        // 7 * 53/100 = 3.71, 7 * 24/100 = 1.68, 7 * 23/100 = 1.61
        assert_eq!(quotas(&[53, 24, 23], 7, 1), [4, 2, 1]);
        assert_eq!(quotas(&[10, 1], 5, 1), [5, 0]);
        assert_eq!(quotas(&[1, 1], 1, 1), [0, 0]);
        assert_eq!(quotas(&[2, 2, 0], 4, 0), [2, 2, 0]);
    }

    #[test]
    fn parts_are_ascending_disjoint_and_together_everything() {
        let target = classes(&[31, 17, 52]);
        let split = split(&target, 0.3, &mut stream(3, Stream::Split));
        assert!(split.train.is_sorted() && split.validation.is_sorted());
        let mut all = [split.train.clone(), split.validation.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        assert_eq!(target.select(&split.validation).class_counts(), [9, 5, 16]);
    }

    #[test]
    fn every_class_keeps_a_sample_to_train_on() {
        let target = classes(&[1, 2, 40]);
        let split = split(&target, 0.9, &mut stream(0, Stream::Split));
        assert!(
            target
                .select(&split.train)
                .class_counts()
                .iter()
                .all(|&n| n >= 1)
        );
    }

    #[test]
    fn a_seed_repeats_its_split_and_another_gives_another() {
        let target = classes(&[100, 100]);
        let of = |seed| split(&target, 0.2, &mut stream(seed, Stream::Split));
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn a_share_of_zero_holds_nothing_back_and_a_small_one_holds_back_one() {
        let target = classes(&[4, 4]);
        assert!(
            split(&target, 0.0, &mut stream(0, Stream::Split))
                .validation
                .is_empty()
        );
        assert_eq!(
            split(&target, 0.01, &mut stream(0, Stream::Split))
                .validation
                .len(),
            1
        );
    }
}
