//! Matrix products at the sizes of training, by three libraries and by a fully
//! connected layer: `cargo bench --no-default-features --bench gemm`.
//!
//! Single precision, one thread. A line is a product `m x k . k x n`; the columns
//! are the best GFLOP/s of many short rounds, in which the contestants take turns,
//! so that other work on the machine disturbs all of them alike. `gemm` is called
//! without its AVX-512 feature; faer chooses its instructions at run time.
#![allow(missing_docs)]
#![allow(clippy::print_stdout)] // it prints a table
#![allow(clippy::unwrap_used)] // a benchmark fails by panicking

use gradscape::nn::{Activation, Loss, Matrix, Network, Real, Workspace};
use ndarray::{Array2, ArrayView2, linalg::general_mat_mul};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// What is multiplied, and how the operands lie.
struct Size {
    what: &'static str,
    m: usize,
    k: usize,
    n: usize,
    /// The left operand is a transposed view of a `k x m` array.
    transposed: bool,
}

const fn size(what: &'static str, m: usize, k: usize, n: usize) -> Size {
    Size {
        what,
        m,
        k,
        n,
        transposed: false,
    }
}

const SIZES: [Size; 10] = [
    size("first layer of 784-128-64-10", 64, 784, 128),
    Size {
        what: "its weights' gradient",
        m: 784,
        k: 64,
        n: 128,
        transposed: true,
    },
    size("its output layer", 64, 64, 10),
    size("a surface's first layer", 1000, 784, 128),
    size("LeNet's second convolution", 16, 150, 4096),
    size("LeNet's 400-120", 64, 400, 120),
    size("8-8, batch 10", 10, 8, 8),
    size("8-8, batch 16", 16, 8, 8),
    size("2-4, batch 10", 10, 2, 4),
    size("32-32, batch 32", 32, 32, 32),
];

/// Calls a second of each contestant, its best round.
fn contest(contestants: &mut [&mut dyn FnMut()]) -> Vec<f64> {
    let repeats: Vec<usize> = contestants
        .iter_mut()
        .map(|run| {
            run();
            let start = Instant::now();
            let mut calls = 0;
            while start.elapsed() < Duration::from_millis(5) {
                run();
                calls += 1;
            }
            calls
        })
        .collect();
    let mut best = vec![0.0_f64; contestants.len()];
    for _ in 0..60 {
        for ((run, &calls), best) in contestants.iter_mut().zip(&repeats).zip(&mut best) {
            let start = Instant::now();
            for _ in 0..calls {
                run();
            }
            *best = best.max(calls as f64 / start.elapsed().as_secs_f64());
        }
    }
    best
}

/// `out = left right` by the crate gemm; all matrices lie row by row or are views
/// of such.
#[allow(unsafe_code)]
fn by_gemm(out: &mut Array2<f32>, left: ArrayView2<'_, f32>, right: &Array2<f32>) {
    let ((m, k), n) = (left.dim(), right.ncols());
    assert_eq!((out.dim(), right.nrows()), ((m, n), k));
    // SAFETY: pointers and strides are those of arrays of just these shapes, and
    // `out`, borrowed mutably, overlaps neither operand.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            out.strides()[1],
            out.strides()[0],
            false,
            left.as_ptr(),
            left.strides()[1],
            left.strides()[0],
            right.as_ptr(),
            right.strides()[1],
            right.strides()[0],
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

fn measure(size: &Size) {
    let &Size { m, k, n, .. } = size;
    let value = |(i, j): (usize, usize)| ((i * 31 + j * 17) as f32).sin();
    let stored = if size.transposed { (k, m) } else { (m, k) };
    let left_stored = Array2::from_shape_fn(stored, value);
    let left = match size.transposed {
        true => left_stored.t(),
        false => left_stored.view(),
    };
    let right = Array2::from_shape_fn((k, n), value);
    let right_transposed = right.t().as_standard_layout().into_owned();
    let mut outs: [Array2<f32>; 3] = std::array::from_fn(|_| Array2::zeros((m, n)));
    let [by_ndarray, out_gemm, by_faer] = &mut outs;

    // The same product as a layer: samples in, weights stored out x in.
    let network = Network::dense(k, &[(n, Activation::Linear)], Loss::HalfSquaredError).unwrap();
    let params: Vec<f32> = right_transposed
        .iter()
        .copied()
        .chain(vec![0.0; n])
        .collect();
    let mut workspace = Workspace::new(&network, m);
    let rows: Vec<usize> = (0..m).collect();
    workspace.load(left.as_standard_layout().view(), &rows);

    let rates = contest(&mut [
        &mut || general_mat_mul(1.0, &left, &right, 0.0, black_box(&mut *by_ndarray)),
        &mut || by_gemm(black_box(&mut *out_gemm), left, &right),
        &mut || {
            let out = Matrix {
                values: black_box(&mut *by_faer).as_slice_mut().unwrap(),
                rows: m,
                columns: n,
                by_column: false,
            };
            let left = Matrix {
                values: left_stored.as_slice().unwrap(),
                rows: m,
                columns: k,
                by_column: size.transposed,
            };
            let right = Matrix {
                values: right.as_slice().unwrap(),
                rows: k,
                columns: n,
                by_column: false,
            };
            f32::product(out, false, left, right);
        },
        &mut || network.forward_loaded(&params, black_box(&mut workspace)),
    ]);
    let [first, others @ ..] = &outs;
    let tolerance = 1e-5 * k as f32;
    for other in others.iter().map(|o| o.view()).chain([workspace.output()]) {
        let off = (&other - first).fold(0.0_f32, |worst, d| worst.max(d.abs()));
        assert!(off <= tolerance, "{}: products differ by {off}", size.what);
    }
    let flops = 2.0 * (m * k * n) as f64 * 1e-9;
    let cells: Vec<_> = rates.iter().map(|r| format!("{:.1}", r * flops)).collect();
    let t = if size.transposed { " T" } else { "" };
    println!(
        "| {} | {m}x{k}{t}.{k}x{n} | {} |",
        size.what,
        cells.join(" | ")
    );
}

fn main() {
    println!("| product | size | ndarray (matrixmultiply) | gemm | faer | a layer |");
    println!("|---|---|---|---|---|---|");
    SIZES.iter().for_each(measure);
}
