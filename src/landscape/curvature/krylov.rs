//! The Lanczos process: an orthonormal basis in which a symmetric matrix, known
//! only by what it does to vectors, is tridiagonal.

use super::lanczos::Eigenpair;
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

/// Bytes that the Lanczos vectors may take; a million parameters leave 64 of
/// them, ten million six.
pub const BYTES: usize = 512 << 20;
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

    /// The `i`-th Ritz pair, its vector of unit length with its largest entry above 0.
    pub fn pair(&self, ritz: &Ritz, i: usize) -> Eigenpair {
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

pub(super) fn gaussian(size: usize, rng: &mut Rng) -> Vec<f64> {
    (0..size).map(|_| rng.sample(StandardNormal)).collect()
}
