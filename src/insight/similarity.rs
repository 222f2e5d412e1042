//! How alike two layers represent the same samples: linear centred kernel alignment
//! (Kornblith, Norouzi, Lee and Hinton 2019, arXiv:1905.00414).

use super::model::Model;
use crate::nn::{Matrix, Real};
use ndarray::{Array2, ArrayView2, Axis, s};

/// No more samples than this are compared: a matrix of samples by samples is held for
/// each layer.
pub const MOST_SAMPLES: usize = 2048;
/// How many features of a layer are multiplied at once.
const FEATURES: usize = 4096;

/// Linear CKA of two representations of the same samples, `[n, p1]` and `[n, p2]`,
/// from their features: `||Y'X||^2 / (||X'X|| ||Y'Y||)` with centred columns and
/// Frobenius norms (equation 2 of the paper's section 3 in the form of its section 4).
/// From 0 to 1; 0 where one of the two does not vary. Takes `p1 p2` numbers of memory.
///
/// # Panics
/// When the two have different numbers of rows.
pub fn cka_features(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> f64 {
    assert_eq!(x.nrows(), y.nrows(), "both of the same samples");
    let (x, y) = (centred(x), centred(y));
    let squared = |a: &Array2<f64>, b: &Array2<f64>| -> f64 {
        let product = a.t().dot(b);
        product.iter().map(|v| v * v).sum()
    };
    ratio(squared(&y, &x), squared(&x, &x), squared(&y, &y))
}

/// The same from the samples' Gram matrices `K = X X'` and `L = Y Y'`, `[n, n]`:
/// `HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L))` (equation 5 of the paper, with
/// `HSIC(K, L) = tr(K H L H)` of its equation 3 without the factor, which cancels).
/// For few samples of many features.
///
/// # Panics
/// When the two are of different sizes.
pub fn cka_gram(k: ArrayView2<'_, f64>, l: ArrayView2<'_, f64>) -> f64 {
    assert_eq!(k.dim(), l.dim(), "both of the same samples");
    let (k, l) = (centred_gram(k), centred_gram(l));
    let inner = |a: &Array2<f64>, b: &Array2<f64>| -> f64 {
        let pairs = a.iter().zip(b);
        pairs.map(|(a, b)| a * b).sum()
    };
    ratio(inner(&k, &l), inner(&k, &k), inner(&l, &l))
}

/// `X X'` of a representation `[n, p]`, some features at a time.
pub fn gram<R: Real>(x: ArrayView2<'_, R>) -> Array2<f64> {
    let n = x.nrows();
    let mut gram = vec![0.0; n * n];
    for features in x.axis_chunks_iter(Axis(1), FEATURES) {
        let part: Vec<f64> = features.iter().map(|v| v.wide()).collect();
        let columns = features.ncols();
        let matrix = |by_column| Matrix {
            values: &part[..],
            rows: if by_column { columns } else { n },
            columns: if by_column { n } else { columns },
            by_column,
        };
        let out = Matrix {
            values: &mut gram[..],
            rows: n,
            columns: n,
            by_column: false,
        };
        f64::product(out, true, matrix(false), matrix(true));
    }
    Array2::from_shape_fn((n, n), |(i, j)| gram[i * n + j])
}

/// Linear CKA of every pair of layers, `[layers + 1, layers + 1]`, where 0 is the input
/// and layer `k` of the network is `k + 1`: their activations for the rows of `x`, of
/// more than [`MOST_SAMPLES`] evenly spread ones. Memory is that of one layer's
/// activations and one Gram matrix a layer.
pub fn cka_of_layers<R: Real>(model: &mut Model<'_, R>, x: ArrayView2<'_, R>) -> Array2<f64> {
    let grams = grams_of(model, x);
    between(&grams, &grams)
}

/// Linear CKA of every layer of one network with every layer of another,
/// `[layers + 1, other layers + 1]`, as [`cka_of_layers`]: row `i` of `x` and of `y` is the
/// same sample, as each of the two sees it.
///
/// # Panics
/// When `x` and `y` have different numbers of rows.
pub fn cka_between_layers<R: Real>(
    (model, x): (&mut Model<'_, R>, ArrayView2<'_, R>),
    (other, y): (&mut Model<'_, R>, ArrayView2<'_, R>),
) -> Array2<f64> {
    assert_eq!(x.nrows(), y.nrows(), "both of the same samples");
    between(&grams_of(model, x), &grams_of(other, y))
}

/// The centred Gram matrix of the input and of every layer.
fn grams_of<R: Real>(model: &mut Model<'_, R>, x: ArrayView2<'_, R>) -> Vec<Array2<f64>> {
    let n = x.nrows().min(MOST_SAMPLES);
    let rows: Vec<usize> = (0..n).map(|i| i * x.nrows() / n.max(1)).collect();
    let x = x.select(Axis(0), &rows);
    let layers = model.network().layers().len();
    let mut grams = vec![centred_gram(gram(x.view()).view())];
    for layer in 0..layers {
        let a = activations(model, x.view(), layer);
        grams.push(centred_gram(gram(a.view()).view()));
    }
    grams
}

fn between(rows: &[Array2<f64>], columns: &[Array2<f64>]) -> Array2<f64> {
    let inner = |a: &Array2<f64>, b: &Array2<f64>| -> f64 {
        let pairs = a.iter().zip(b);
        pairs.map(|(a, b)| a * b).sum()
    };
    let own = |grams: &[Array2<f64>]| -> Vec<f64> { grams.iter().map(|g| inner(g, g)).collect() };
    let (own_rows, own_columns) = (own(rows), own(columns));
    Array2::from_shape_fn((rows.len(), columns.len()), |(i, j)| {
        ratio(inner(&rows[i], &columns[j]), own_rows[i], own_columns[j])
    })
}

/// A layer's activations for every row of `x`, `[n, units]`.
pub fn activations<R: Real>(
    model: &mut Model<'_, R>,
    x: ArrayView2<'_, R>,
    layer: usize,
) -> Array2<R> {
    let units = model.network().layers()[layer].outputs();
    let mut all = Array2::zeros((x.nrows(), units));
    let zeros = ndarray::Array1::zeros(x.ncols());
    model.each(
        x.nrows(),
        zeros.view(),
        |k, mut row| row.assign(&x.row(k)),
        |k, workspace, row| {
            all.slice_mut(s![k, ..])
                .assign(&workspace.a(layer).row(row));
        },
    );
    all
}

fn ratio(between: f64, own: f64, other: f64) -> f64 {
    let scale = (own * other).sqrt();
    if scale > 0.0 {
        (between / scale).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

/// Columns of mean 0.
fn centred(x: ArrayView2<'_, f64>) -> Array2<f64> {
    match x.mean_axis(Axis(0)) {
        Some(mean) => &x - &mean,
        None => x.to_owned(),
    }
}

/// `H K H` with `H = I - 1/n`.
fn centred_gram(k: ArrayView2<'_, f64>) -> Array2<f64> {
    let (Some(rows), Some(columns), Some(all)) =
        (k.mean_axis(Axis(1)), k.mean_axis(Axis(0)), k.mean())
    else {
        return k.to_owned();
    };
    Array2::from_shape_fn(k.dim(), |(i, j)| k[[i, j]] - rows[i] - columns[j] + all)
}
