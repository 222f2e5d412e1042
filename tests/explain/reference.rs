//! PyTorch, Captum and ckatorch on the LeNet of tests/reference.

use crate::{assert_close, lenet};
use gradscape::insight::contributions::contributions;
use gradscape::insight::explain::{
    IntegratedGradients, Window, grad_cam, grad_cam_layer, gradient_times_input, occlude_windows,
    saliency,
};
use gradscape::insight::model::Model;
use gradscape::insight::picture::Picture;
use gradscape::insight::similarity::{activations, cka_features, cka_gram, cka_of_layers, gram};
use gradscape::nn::{Readout, Real, Shape};
use ndarray::{Array1, Array2, ArrayView2};
use serde::Deserialize;
use std::collections::BTreeMap;

const TOLERANCE: f64 = 1e-4;

#[derive(Deserialize)]
struct Reference {
    library: BTreeMap<String, String>,
    samples: Vec<Sample>,
    cka_layers: Vec<usize>,
    cka_samples: usize,
    cka: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Sample {
    index: usize,
    label: usize,
    pixels: Vec<u8>,
    layers: Vec<Vec<f64>>,
    layer_sums: Vec<f64>,
    saliency: Vec<f64>,
    gradient_times_input: Vec<f64>,
    integrated_64: Vec<f64>,
    integrated_fine: Vec<f64>,
    grad_cam: Vec<f64>,
    grad_cam_over: Vec<f64>,
    occlusion: Vec<f64>,
}

fn reference() -> Reference {
    let text = include_str!("../reference/explain.json");
    let reference: Reference = serde_json::from_str(text).unwrap();
    assert!(reference.library["torch"].starts_with("2."));
    assert_eq!(reference.samples.len(), 3);
    reference
}

fn pixels<R: Real>(sample: &Sample) -> Array1<R> {
    let pixels = sample.pixels.iter();
    pixels.map(|&p| R::of(f64::from(p) / 255.0)).collect()
}

fn compare<R: Real>(along_the_way: f64) {
    let (network, params) = lenet::<R>();
    let mut model = Model::new(&network, &params);
    let zero = Array1::zeros(784);
    let picture = Picture::of_shape(Shape::image(1, 28, 28)).unwrap();
    for sample in &reference().samples {
        let x = pixels::<R>(sample);
        let readout = Readout::logit(&network, sample.label).unwrap();
        let label = sample.label;
        let what = |name: &str| format!("{name} of the {label}");

        let workspace = model.pass(&readout, x.view().insert_axis(ndarray::Axis(0)), |_, _| {});
        for (k, (theirs, sum)) in sample.layers.iter().zip(&sample.layer_sums).enumerate() {
            let ours = if k + 1 < network.layers().len() {
                workspace.a(k)
            } else {
                workspace.z(k)
            };
            let ours: Vec<f64> = ours.iter().map(|v| v.wide()).collect();
            // Sums of up to 3456 values of size 1.
            let total: f64 = ours.iter().sum();
            assert!((total - sum).abs() < 1e-2, "layer {k}: {total} for {sum}");
            if !theirs.is_empty() {
                assert_close(&what(&format!("layer {k}")), &ours, theirs, TOLERANCE);
            }
        }

        let model = &mut model;
        let x = x.view();
        assert_close(
            &what("gradient"),
            &saliency(model, &readout, x),
            &sample.saliency,
            TOLERANCE,
        );
        let times = gradient_times_input(model, &readout, x);
        assert_close(
            &what("times input"),
            &times,
            &sample.gradient_times_input,
            TOLERANCE,
        );
        // Straight pieces through 0 all the way: a value's contribution is the same.
        let ways = contributions(model, &readout, x, 3);
        assert_close(
            &what("contribution"),
            &ways.inputs,
            &sample.gradient_times_input,
            TOLERANCE,
        );

        let plain = IntegratedGradients {
            steps: 64,
            tolerance: 0.0,
            most: 64,
        };
        let found = plain.explain(model, &readout, x, zero.view());
        assert_close(
            &what("integrated"),
            &found.values,
            &sample.integrated_64,
            along_the_way,
        );
        let fine = IntegratedGradients::default().explain(model, &readout, x, zero.view());
        // Completeness holds the sum, and each value as far as the parts of the line are
        // short: corners that cancel in the sum are not looked for.
        let each = TOLERANCE.max(0.2 * along_the_way);
        assert_close(
            &what("refined"),
            &fine.values,
            &sample.integrated_fine,
            each,
        );
        assert!(fine.gap() < 1e-3);

        let layer = grad_cam_layer(&network, &readout).unwrap();
        assert_eq!(layer, 2);
        let cam = grad_cam(model, &readout, x, layer);
        assert_eq!(cam.size, [8, 8]);
        assert_close(&what("Grad-CAM"), &cam.uncut, &sample.grad_cam, TOLERANCE);
        let over = cam.over(picture.shape);
        assert_close(
            &what("Grad-CAM over it"),
            &over,
            &sample.grad_cam_over,
            TOLERANCE,
        );

        let window = Window {
            size: [6, 6],
            stride: [2, 2],
        };
        let lost = occlude_windows(model, &readout, x, zero.view(), picture, window);
        assert_close(&what("occlusion"), &lost, &sample.occlusion, TOLERANCE);
    }
}

#[test]
fn layers_and_attributions_are_those_of_pytorch_and_captum() {
    compare::<f64>(TOLERANCE);
}

#[test]
fn they_are_at_single_precision_too() {
    // Of some two thousand corners on the way one may lie so close to the middle of one
    // of 64 steps that rounding takes the other side: a 64th of a change of the gradient.
    compare::<f32>(1.0 / 64.0);
}

/// What a user sees: the weights in a file, the built-in images, and every method as the
/// command has it, in double precision.
#[test]
fn the_command_attributes_as_captum_does() {
    const NETWORK: &str = "[data]\nsource = \"mnist\"\n[network]\nloss = \"cross-entropy\"\n\
        layers = [{ conv = 6, kernel = 5, activation = \"linear\" }, { max_pool = 2 }, \
        { conv = 16, kernel = 5, activation = \"linear\" }, { max_pool = 2 }, \"flatten\", \
        { dense = 120, activation = \"relu\" }, { dense = 84, activation = \"relu\" }]\n";
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(dir.join("lenet.toml"), NETWORK).unwrap();
    let (network, params) = lenet::<f32>();
    let file = dir.join("lenet.safetensors");
    gradscape::interop::write_params(&file, network.layout(), &params).unwrap();
    let sample = &reference().samples[0];
    let (index, label) = (sample.index.to_string(), sample.label.to_string());
    let mut args = vec!["explain", "lenet.toml", "--weights", "lenet.safetensors"];
    args.extend(["--sample", &index, "--target", &label, "--json"]);
    args.extend(["--method", "saliency", "--method", "integrated-gradients"]);
    let text = crate::command::succeeds(dir, &args);
    let object: serde_json::Value = serde_json::from_str(&text).unwrap();
    let theirs = [&sample.saliency, &sample.integrated_fine];
    for (method, theirs) in theirs.into_iter().enumerate() {
        let ours = object["attributions"][method]["values"].as_array().unwrap();
        let ours: Vec<f64> = ours.iter().map(|v| v.as_f64().unwrap()).collect();
        assert_close("the command", &ours, theirs, TOLERANCE);
    }
}

/// The first images of MNIST's test part, as the reference took them.
fn images(count: usize) -> Array2<f64> {
    let file = include_bytes!("../../assets/data/mnist/2k-test-images-idx3-ubyte.gz");
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&file[..]), &mut bytes).unwrap();
    Array2::from_shape_fn((count, 784), |(i, j)| {
        f64::from(bytes[16 + 784 * i + j]) / 255.0
    })
}

#[test]
fn similarity_of_layers_is_that_of_ckatorch_in_both_forms() {
    let reference = reference();
    let (network, params) = lenet::<f64>();
    let mut model = Model::new(&network, &params);
    let x = images(reference.cka_samples);
    let chosen = &reference.cka_layers;
    let values: Vec<Array2<f64>> = chosen
        .iter()
        .map(|&layer| activations(&mut model, x.view(), layer))
        .collect();
    let all = cka_of_layers(&mut model, x.view());
    for (i, &a) in chosen.iter().enumerate() {
        for (j, &b) in chosen.iter().enumerate() {
            let theirs = reference.cka[i][j];
            // The first layer's 3456 features are too many for the features' form here.
            if i > 0 && j > 0 {
                let by_features = cka_features(values[i].view(), values[j].view());
                assert!(
                    (by_features - theirs).abs() < 1e-9,
                    "{a} {b}: {by_features} {theirs}"
                );
            }
            let (k, l) = (gram(values[i].view()), gram(values[j].view()));
            let by_gram = cka_gram(k.view(), l.view());
            assert!(
                (by_gram - theirs).abs() < 1e-9,
                "{a} {b}: {by_gram} {theirs}"
            );
            assert!((all[[a + 1, b + 1]] - theirs).abs() < 1e-9);
        }
    }
    assert!((all[[0, 0]] - 1.0).abs() < 1e-12);
}

#[test]
fn similarity_does_not_mind_rotation_scale_or_shift_and_sees_independence() {
    let x = images(40);
    let x: ArrayView2<'_, f64> = x.slice(ndarray::s![.., 300..308]);
    // A rotation in the plane of two features, a scale and a shift.
    let (sin, cos) = 0.7_f64.sin_cos();
    let mut turned = x.to_owned();
    for (mut row, old) in turned.rows_mut().into_iter().zip(x.rows()) {
        row[0] = cos * old[0] - sin * old[1];
        row[1] = sin * old[0] + cos * old[1];
        row.mapv_inplace(|v| 3.0 * v + 5.0);
    }
    assert!((cka_features(x, turned.view()) - 1.0).abs() < 1e-12);
    // Columns at right angles to each other, and a column that never varies.
    let wave = |k: usize| {
        Array2::from_shape_fn((40, 1), |(i, _)| {
            (std::f64::consts::TAU * (k * i) as f64 / 40.0).sin()
        })
    };
    assert!(cka_features(wave(1).view(), wave(2).view()) < 1e-12);
    let flat = Array2::ones((40, 2));
    assert_eq!(cka_features(x, flat.view()), 0.0);
}
