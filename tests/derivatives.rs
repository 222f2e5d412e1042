//! `gradscape derivatives`: the files say what the library computes, and their
//! parts agree with each other.
#![allow(clippy::unwrap_used)]

use ndarray::{Array1, Array2, Array3, Axis, s};
use ndarray_npy::NpzReader;
use std::fs::File;
use std::path::Path;
use std::process::Command;

fn run(dir: &Path, arguments: &str) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_gradscape"))
        .args(arguments.split(' '))
        .current_dir(dir)
        .env("GRADSCAPE_RUNS_DIR", dir.join(".runs"))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn archive(dir: &Path, of: &str) -> (NpzReader<File>, serde_json::Value) {
    let line = format!("derivatives tiny.toml --of {of} --samples 9 --out {of}.npz --json");
    let (status, stdout, stderr) = run(dir, &line);
    assert_eq!(status, 0, "{stderr}");
    let file = File::open(dir.join(format!("{of}.npz"))).unwrap();
    (
        NpzReader::new(file).unwrap(),
        serde_json::from_str(&stdout).unwrap(),
    )
}

#[test]
fn the_quantities_agree_with_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(
        dir.join("tiny.toml"),
        "[data]\nsource = \"iris\"\n[network]\nlayers = [{ dense = 3 }, \"batch_norm\"]\n\
         loss = \"mean-squared-error\"\noutput = \"linear\"\n",
    )
    .unwrap();
    // 4-3-3 with biases, and a gain and a shift for each of three.
    let p = 4 * 3 + 3 + 3 + 3 + 3 * 3 + 3;

    let (mut signals, _) = archive(dir, "error-signals");
    let a: Array2<f64> = signals.by_name("layers.1.a").unwrap();
    let output: Array2<f64> = signals.by_name("layers.2.a").unwrap();
    let delta: Array2<f64> = signals.by_name("layers.2.delta").unwrap();
    assert_eq!((a.dim(), delta.dim()), ((9, 3), (9, 3)));

    let (mut samples, _) = archive(dir, "sample-gradients");
    let gradients: Array2<f64> = samples.by_name("gradients").unwrap();
    assert_eq!(gradients.dim(), (9, p));
    // dL/dw = delta a for the output layer, whose weights are the last but three.
    for i in 0..9 {
        for o in 0..3 {
            for k in 0..3 {
                let g = gradients[[i, p - 12 + 3 * o + k]];
                assert!((g - delta[[i, o]] * a[[i, k]]).abs() < 1e-15);
            }
        }
    }

    let (mut fisher, _) = archive(dir, "fisher");
    let fisher: Array2<f64> = fisher.by_name("fisher").unwrap();
    let outer = gradients.t().dot(&gradients) / 9.0;
    assert!((&fisher - &outer).iter().all(|d| d.abs() < 1e-14));

    let (mut hessian, summary) = archive(dir, "hessian");
    let eigenvalues: Array1<f64> = hessian.by_name("eigenvalues").unwrap();
    let hessian: Array2<f64> = hessian.by_name("hessian").unwrap();
    assert_eq!(summary["parameters"], p);
    let trace = hessian.diag().sum();
    assert!((eigenvalues.sum() - trace).abs() < 1e-12 * trace.abs().max(1.0));
    assert_eq!(summary["summary"]["largest_eigenvalue"], eigenvalues[p - 1]);

    let (mut product, _) = archive(dir, "hessian-gradient");
    let gradient: Array1<f64> = product.by_name("gradient").unwrap();
    let product: Array1<f64> = product.by_name("product").unwrap();
    let mean = gradients.mean_axis(Axis(0)).unwrap();
    assert!((&gradient - &mean).iter().all(|d| d.abs() < 1e-14));
    assert!(
        (&hessian.dot(&gradient) - &product)
            .iter()
            .all(|d| d.abs() < 1e-13)
    );

    // With a linear output and squared errors, dL/dw = 2/3 sum_k (a_k - t_k) J_k.
    let (mut jacobian, _) = archive(dir, "jacobian");
    let jacobian: Array3<f64> = jacobian.by_name("jacobian").unwrap();
    assert_eq!(jacobian.dim(), (9, 3, p));
    for i in 0..9 {
        let sum: Array1<f64> = (0..3)
            .map(|k| &jacobian.slice(s![i, k, ..]) * delta[[i, k]])
            .fold(Array1::zeros(p), |sum, row| sum + row);
        assert!((&sum - &gradients.row(i)).iter().all(|d| d.abs() < 1e-14));
    }
    assert!(output.iter().any(|v| v.abs() > 1e-3));
}

#[test]
fn what_is_too_large_is_refused_with_its_size_and_a_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let (status, _, error) = run(dir.path(), "derivatives mnist --of hessian --out h.npz");
    assert_eq!(status, 1, "{error}");
    for part in ["4000", "hessian-gradient"] {
        assert!(error.contains(part), "{error}");
    }
    let (status, _, error) = run(
        dir.path(),
        "derivatives mnist --of sample-gradients --out g.npz",
    );
    assert_eq!(status, 1, "{error}");
    assert!(error.contains("--samples"), "{error}");
    let (status, _, error) = run(dir.path(), "derivatives xor --of hessian --out h.png");
    assert_eq!(status, 2, "{error}");
}
