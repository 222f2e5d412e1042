//! At which values contour lines are drawn: round numbers, evenly spread.

use super::scale::Scale;
use super::ticks::nice_ticks;

/// No more lines than this.
const MOST: usize = 15;

/// What a power of ten is multiplied by, from few lines to many.
const WITHIN_A_DECADE: [&[f64]; 6] = [
    &[1.0],
    &[1.0, 3.0],
    &[1.0, 2.0, 5.0],
    &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
    &[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0],
    &[
        1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0, 2.2, 2.4, 2.6, 2.8, 3.0, 3.3, 3.6,
        4.0, 4.4, 4.8, 5.2, 5.6, 6.0, 6.5, 7.0, 7.5, 8.0, 8.5, 9.0, 9.5,
    ],
];

/// Round values strictly within the scale, as many as there is room for.
pub(super) fn levels(scale: Scale) -> Vec<f64> {
    let inside = |v: &f64| *v > scale.lo && *v < scale.hi;
    let linear = || {
        nice_ticks(scale.lo, scale.hi, 12)
            .into_iter()
            .filter(inside)
    };
    // Below a factor of 1.3 a logarithm is as good as straight.
    if !scale.log || scale.hi / scale.lo < 1.3 {
        return linear().collect();
    }
    let (first, last) = (
        scale.lo.log10().floor() as i32,
        scale.hi.log10().ceil() as i32,
    );
    let every = |factors: &[f64], step: usize| -> Vec<f64> {
        (first..=last)
            .filter(|p| p.rem_euclid(step as i32) == 0)
            .flat_map(|p| {
                factors.iter().map(move |f| match p {
                    // Divided by a whole power of ten a value is rounded once.
                    p if p < 0 => f / 10f64.powi(-p),
                    p => f * 10f64.powi(p),
                })
            })
            .filter(inside)
            .collect()
    };
    let mut best = every(&[1.0], 1);
    if best.len() > MOST {
        return every(&[1.0], best.len().div_ceil(MOST));
    }
    for factors in WITHIN_A_DECADE {
        let more = every(factors, 1);
        if more.len() <= MOST {
            best = more;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_round_few_and_inside() {
        let scale = |lo, hi, log| Scale { lo, hi, log };
        assert_eq!(
            levels(scale(0.009, 12.0, true)),
            [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]
        );
        assert_eq!(
            levels(scale(0.0, 1.2, false)),
            [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1]
        );
        for (lo, hi) in [(1e-30, 1e30), (0.5, 0.9), (1e-4, 3e8), (0.8, 35.0)] {
            let n = levels(scale(lo, hi, true)).len();
            assert!((4..=MOST + 1).contains(&n), "{lo} {hi}: {n}");
        }
        assert!(levels(scale(1.0, 1.0, true)).is_empty());
    }
}
