//! Eigenvalues at the ends of a symmetric matrix that is known only by what it
//! does to vectors: the Lanczos process (Lanczos 1950) with full
//! reorthogonalisation (Golub and Van Loan 2013, section 10.3).

use super::krylov::{Krylov, Step, Symmetric, add, affordable, dot, gaussian, norm};
use crate::rng::Rng;

/// An eigenvalue with its eigenvector.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigenpair {
    /// The eigenvalue.
    pub value: f64,
    /// The eigenvector, of unit length; its largest entry is above 0.
    pub vector: Vec<f64>,
    /// `|H v - value v|`: the matrix has an eigenvalue no farther from `value`.
    pub residual: f64,
}

/// The eigenvalues at the ends of a spectrum.
#[derive(Debug, Clone, PartialEq)]
pub struct Ends {
    /// Those largest in absolute value, the largest first; as many as were asked
    /// for, or as there are.
    pub top: Vec<Eigenpair>,
    /// The largest; `None` of a matrix without rows.
    pub largest: Option<Eigenpair>,
    /// The smallest: the most negative one where there are negative ones.
    pub smallest: Option<Eigenpair>,
    /// Products with the matrix that it took.
    pub products: usize,
    /// Whether all residuals are as small as was asked for.
    pub converged: bool,
}

/// How far a search for eigenvalues goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// The residual to reach, as a share of the largest eigenvalue's size. An
    /// eigenvalue that stands apart is then good to about its square.
    pub tolerance: f64,
    /// The most Lanczos vectors; memory bounds them as well ([`BYTES`](super::BYTES)).
    pub vectors: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Effort {
            tolerance: 1e-6,
            vectors: 300,
        }
    }
}

/// A matrix of at most so many rows is taken to its last Lanczos vector, which
/// gives all of its eigenvalues, repeated ones as often as they occur.
pub const WHOLE: usize = 256;

/// The eigenvalues at the ends of `matrix`: the `top` largest in absolute value,
/// the largest and the smallest. `step` is told after each product how many were
/// made. `None` where it was called off or numbers are not finite.
///
/// A random start misses nothing but by chance, except that of eigenvalues that
/// are exactly the same it sees one. So what is orthogonal to the vectors found
/// is searched again until nothing larger turns up.
pub fn ends(
    matrix: &mut impl Symmetric,
    top: usize,
    effort: Effort,
    rng: &mut Rng,
    step: &dyn Fn(usize),
) -> Option<Ends> {
    let size = matrix.size();
    let mut found: Vec<Eigenpair> = Vec::new();
    let (mut products, mut converged) = (0, true);
    let wanted = top.clamp(1, size.max(1));
    loop {
        let locked: Vec<Vec<f64>> = found.iter().map(|p| p.vector.clone()).collect();
        if locked.len() >= size {
            break;
        }
        let floor = found.iter().fold(0.0_f64, |m, p| m.max(p.value.abs()));
        let more = if found.is_empty() { wanted } else { 1 };
        let search = Search {
            wanted: more,
            effort,
            floor,
        };
        let counted = |n: usize| step(products + n);
        let (pairs, made, settled) = search.run(matrix, &locked, rng, &counted)?;
        products += made;
        converged &= settled;
        let news = pairs.iter().any(|p| beats(p, &found, wanted));
        found.extend(pairs);
        found.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
        if size <= WHOLE || !news || !settled {
            break;
        }
    }
    let by_value = |a: &usize, b: &usize| found[*a].value.total_cmp(&found[*b].value);
    let largest = (0..found.len()).max_by(by_value);
    let smallest = (0..found.len()).min_by(by_value);
    // What the process says of its residuals holds without rounding; this is so.
    let mut image = vec![0.0; size];
    for (k, pair) in found.iter_mut().enumerate() {
        if k < top || Some(k) == largest || Some(k) == smallest {
            if !matrix.product(&pair.vector, &mut image) {
                return None;
            }
            products += 1;
            step(products);
            add(&mut image, -pair.value, &pair.vector);
            pair.residual = norm(&image);
        }
    }
    Some(Ends {
        largest: largest.map(|k| found[k].clone()),
        smallest: smallest.map(|k| found[k].clone()),
        products,
        converged,
        top: {
            found.truncate(top);
            found
        },
    })
}

/// Whether a pair belongs to the ends, seen from those found before.
fn beats(pair: &Eigenpair, found: &[Eigenpair], wanted: usize) -> bool {
    let (mut lo, mut hi) = (f64::INFINITY, f64::NEG_INFINITY);
    for p in found {
        (lo, hi) = (lo.min(p.value), hi.max(p.value));
    }
    let Some(last) = found.get(wanted - 1) else {
        return true;
    };
    let slack = 1e-9 * found[0].value.abs();
    pair.value.abs() > last.value.abs() + slack
        || pair.value > hi + slack
        || pair.value < lo - slack
}

struct Search {
    wanted: usize,
    effort: Effort,
    floor: f64,
}

impl Search {
    /// The wanted pairs orthogonal to `locked`, how many products they took, and
    /// whether they are as good as was asked for.
    fn run(
        &self,
        matrix: &mut impl Symmetric,
        locked: &[Vec<f64>],
        rng: &mut Rng,
        step: &dyn Fn(usize),
    ) -> Option<(Vec<Eigenpair>, usize, bool)> {
        let size = matrix.size();
        let free = size - locked.len();
        let whole = size <= WHOLE;
        let room = affordable(size).saturating_sub(locked.len()).max(4);
        let most = if whole {
            free
        } else {
            free.min(self.effort.vectors.max(4)).min(room)
        };
        let mut start = gaussian(size, rng);
        for q in locked {
            let share = dot(&start, q);
            add(&mut start, -share, q);
        }
        let mut krylov = Krylov::new(start)?;
        let mut check = 2 * self.wanted + 8;
        loop {
            let outcome = krylov.step(matrix, locked);
            if outcome == Step::Cancelled {
                return None;
            }
            let made = krylov.steps();
            step(made);
            let open =
                made < most && (outcome == Step::Grown || (whole && krylov.restart(locked, rng)));
            if open && (whole || made < check) {
                continue;
            }
            let ritz = krylov.ritz()?;
            let chosen = self.chosen(&ritz.values);
            let scale = ritz.values.iter().fold(self.floor, |m, v| m.max(v.abs()));
            let settled = chosen
                .iter()
                .all(|&i| krylov.residual(&ritz, i) <= self.effort.tolerance * scale);
            if settled || !open {
                let pairs = chosen.iter().map(|&i| krylov.pair(&ritz, i)).collect();
                return Some((pairs, made, settled));
            }
            // A tenth more each time, so that looking costs little.
            check = made + (made / 10).max(4);
        }
    }

    /// Which of ascending values are wanted.
    fn chosen(&self, values: &[f64]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&a, &b| values[b].abs().total_cmp(&values[a].abs()));
        order.truncate(self.wanted);
        for end in [0, values.len() - 1] {
            if !order.contains(&end) {
                order.push(end);
            }
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, stream};

    /// `Q D Q` with a reflection Q: known eigenvalues, full matrix.
    struct Known {
        values: Vec<f64>,
        mirror: Vec<f64>,
    }

    impl Known {
        fn new(values: Vec<f64>) -> Self {
            let mut mirror: Vec<f64> = (0..values.len()).map(|i| (0.3 + i as f64).sin()).collect();
            let length = norm(&mirror);
            mirror.iter_mut().for_each(|m| *m /= length);
            Known { values, mirror }
        }

        fn reflect(&self, v: &mut [f64]) {
            let share = dot(v, &self.mirror);
            add(v, -2.0 * share, &self.mirror);
        }
    }

    impl Symmetric for Known {
        fn size(&self) -> usize {
            self.values.len()
        }

        fn product(&mut self, v: &[f64], out: &mut [f64]) -> bool {
            out.copy_from_slice(v);
            self.reflect(out);
            out.iter_mut().zip(&self.values).for_each(|(o, d)| *o *= d);
            self.reflect(out);
            true
        }
    }

    fn check(values: Vec<f64>, top: usize) {
        let mut matrix = Known::new(values.clone());
        let mut rng = stream(3, Stream::Curvature);
        let ends = ends(&mut matrix, top, Effort::default(), &mut rng, &|_| {}).unwrap();
        assert!(ends.converged);
        let mut expected = values;
        expected.sort_by(|a, b| b.abs().total_cmp(&a.abs()));
        let size = expected[0].abs();
        assert_eq!(ends.top.len(), top.min(expected.len()));
        for (pair, value) in ends.top.iter().zip(&expected) {
            assert!((pair.value - value).abs() < 1e-9 * size, "{pair:?} {value}");
            let mut image = vec![0.0; matrix.size()];
            matrix.product(&pair.vector, &mut image);
            add(&mut image, -pair.value, &pair.vector);
            assert!((norm(&image) - pair.residual).abs() <= 1e-12 * size);
            assert!((norm(&pair.vector) - 1.0).abs() < 1e-12);
        }
        let (lo, hi) = expected
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), &v| {
                (lo.min(v), hi.max(v))
            });
        let (smallest, largest) = (ends.smallest.unwrap(), ends.largest.unwrap());
        assert!((smallest.value - lo).abs() < 1e-6 * size);
        assert!((largest.value - hi).abs() < 1e-6 * size);
    }

    #[test]
    fn the_ends_of_a_small_spectrum_are_found_with_repeated_eigenvalues() {
        check(vec![2.0], 3);
        check(vec![5.0, 5.0, 5.0, -1.0, 0.0, 0.0], 4);
        check((0..40).map(|i| f64::from(i) - 7.5).collect(), 6);
    }

    #[test]
    fn the_ends_of_a_large_spectrum_are_found_with_repeated_eigenvalues() {
        let mut values: Vec<f64> = (0..900).map(|i| 1e-3 * f64::from(i)).collect();
        values.extend([9.0, 9.0, 9.0, -4.0, -4.0, 7.0]);
        check(values, 5);
    }

    #[test]
    fn a_zero_matrix_has_zero_eigenvalues() {
        let mut matrix = Known::new(vec![0.0; 300]);
        let mut rng = stream(0, Stream::Curvature);
        let ends = ends(&mut matrix, 2, Effort::default(), &mut rng, &|_| {}).unwrap();
        assert!(ends.top.iter().all(|p| p.value == 0.0));
    }
}
