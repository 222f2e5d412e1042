//! Eigenvalues at the ends of a symmetric matrix that is known only by what it
//! does to vectors: the Lanczos process (Lanczos 1950) with full
//! reorthogonalisation (Golub and Van Loan 2013, section 10.3).

use crate::rng::Rng;
use faer::{Mat, Side};
use rand::RngExt;
use rand_distr::StandardNormal;

/// A symmetric matrix as what it does to a vector.
pub trait Symmetric {
    /// The number of its rows.
    fn size(&self) -> usize;

    /// Writes its product with `v` over `out`, both [`size`](Self::size) long.
    /// Says whether it did: not where it was called off.
    fn product(&mut self, v: &[f64], out: &mut [f64]) -> bool;
}

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
    /// The most Lanczos vectors; memory bounds them as well ([`BYTES`]).
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

/// Bytes that the Lanczos vectors may take; a million parameters leave 64 of
/// them, ten million six.
pub const BYTES: usize = 512 << 20;
/// A matrix of at most so many rows is taken to its last Lanczos vector, which
/// gives all of its eigenvalues, repeated ones as often as they occur.
pub const WHOLE: usize = 256;

/// How many vectors of `size` numbers may be kept.
pub(super) fn affordable(size: usize) -> usize {
    (BYTES / (8 * size.max(1))).max(4)
}

/// An orthonormal basis `Q` in which the matrix is tridiagonal.
pub(super) struct Krylov {
    pub basis: Vec<Vec<f64>>,
    diagonal: Vec<f64>,
    // Entry k couples vectors k and k + 1.
    beside: Vec<f64>,
    image: Vec<f64>,
    scale: f64,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// There is a next vector.
    Grown,
    /// What is there is mapped into itself.
    Closed,
    /// It was called off.
    Cancelled,
}

/// Eigenvalues of the tridiagonal matrix, ascending, with the first and last
/// entries of their eigenvectors and the eigenvectors, a column each.
pub(super) struct Ritz {
    pub values: Vec<f64>,
    pub first: Vec<f64>,
    vectors: Mat<f64>,
    last: Vec<f64>,
}

impl Krylov {
    /// From `start`, which is made a unit vector; `None` if it is zero.
    pub fn new(start: Vec<f64>) -> Option<Self> {
        let mut krylov = Krylov {
            image: vec![0.0; start.len()],
            basis: Vec::new(),
            diagonal: Vec::new(),
            beside: Vec::new(),
            scale: 0.0,
        };
        krylov.push(start).then_some(krylov)
    }

    fn push(&mut self, mut vector: Vec<f64>) -> bool {
        let length = norm(&vector);
        if !(length.is_finite() && length > 0.0) {
            return false;
        }
        vector.iter_mut().for_each(|v| *v /= length);
        self.basis.push(vector);
        true
    }

    /// How many steps were made.
    pub fn steps(&self) -> usize {
        self.diagonal.len()
    }

    /// Multiplies the newest vector, keeping to what is orthogonal to `locked`.
    pub fn step(&mut self, matrix: &mut impl Symmetric, locked: &[Vec<f64>]) -> Step {
        let k = self.steps();
        if !matrix.product(&self.basis[k], &mut self.image) {
            return Step::Cancelled;
        }
        let mut next = std::mem::take(&mut self.image);
        let along = dot(&next, &self.basis[k]);
        // Twice is enough (Parlett 1998, section 6.9).
        for _ in 0..2 {
            for q in locked.iter().chain(&self.basis) {
                let share = dot(&next, q);
                add(&mut next, -share, q);
            }
        }
        let length = norm(&next);
        self.scale = self.scale.max(along.abs()).max(length);
        self.diagonal.push(along);
        // What is left of rounding alone is no direction.
        let grown = length > 1e-12 * self.scale;
        self.beside.push(if grown { length } else { 0.0 });
        self.image = vec![0.0; next.len()];
        if grown && self.basis.len() < next.len() && self.push(next) {
            Step::Grown
        } else {
            Step::Closed
        }
    }

    /// Goes on from a random vector orthogonal to all there are; `false` where
    /// there is none.
    pub fn restart(&mut self, locked: &[Vec<f64>], rng: &mut Rng) -> bool {
        let size = self.image.len();
        if self.basis.len() + locked.len() >= size {
            return false;
        }
        let mut vector = gaussian(size, rng);
        for _ in 0..3 {
            for q in locked.iter().chain(&self.basis) {
                let share = dot(&vector, q);
                add(&mut vector, -share, q);
            }
        }
        norm(&vector) > 1e-8 && self.push(vector)
    }

    /// The eigenvalues as far as they are known; `None` where numbers are not
    /// finite.
    pub fn ritz(&self) -> Option<Ritz> {
        let m = self.steps();
        let all = self.diagonal.iter().chain(&self.beside);
        if !all.into_iter().all(|v| v.is_finite()) {
            return None;
        }
        let tridiagonal = Mat::from_fn(m, m, |i, j| match i.abs_diff(j) {
            0 => self.diagonal[i],
            1 => self.beside[i.min(j)],
            _ => 0.0,
        });
        let eigen = tridiagonal.self_adjoint_eigen(Side::Lower).ok()?;
        let (values, vectors) = (eigen.S().column_vector(), eigen.U());
        Some(Ritz {
            values: (0..m).map(|i| values[i]).collect(),
            first: (0..m).map(|i| vectors[(0, i)]).collect(),
            last: (0..m).map(|i| vectors[(m - 1, i)]).collect(),
            vectors: vectors.to_owned(),
        })
    }

    /// `|H v - value v|` of the `i`-th Ritz pair, but for rounding.
    pub fn residual(&self, ritz: &Ritz, i: usize) -> f64 {
        let beside = self.beside.last().copied().unwrap_or(0.0);
        (beside * ritz.last[i]).abs()
    }

    fn pair(&self, ritz: &Ritz, i: usize) -> Eigenpair {
        let mut vector = vec![0.0; self.image.len()];
        for (k, q) in self.basis.iter().take(self.steps()).enumerate() {
            add(&mut vector, ritz.vectors[(k, i)], q);
        }
        let largest = vector
            .iter()
            .fold(0.0_f64, |m, &v| if v.abs() > m.abs() { v } else { m });
        let sign = if largest < 0.0 { -1.0 } else { 1.0 };
        let factor = sign / norm(&vector);
        vector.iter_mut().for_each(|v| *v *= factor);
        Eigenpair {
            value: ritz.values[i],
            residual: self.residual(ritz, i),
            vector,
        }
    }
}

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

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// `to += factor * v`.
pub(super) fn add(to: &mut [f64], factor: f64, v: &[f64]) {
    to.iter_mut().zip(v).for_each(|(t, v)| *t += factor * v);
}

fn gaussian(size: usize, rng: &mut Rng) -> Vec<f64> {
    (0..size).map(|_| rng.sample(StandardNormal)).collect()
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
