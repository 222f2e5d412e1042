//! What attributions promise.

use crate::{assert_close, dense, lenet, spec, trained, trained_for};
use gradscape::experiment::Experiment;
use gradscape::insight::contributions::contributions;
use gradscape::insight::explain::{
    Explainer, IntegratedGradients, Method, SmoothGrad, Window, gradient_times_input, parts_of,
    readout_of, saliency, sentence,
};
use gradscape::insight::model::Model;
use gradscape::insight::picture::Picture;
use gradscape::nn::layer::{BatchNorm, Conv, LayerNorm, Pool};
use gradscape::nn::{Activation, Init, LayerKind, Loss, Network, Readout, Shape, Source, Stage};
use gradscape::rng::{Stream, stream};
use gradscape::train::Encoding;
use ndarray::{Array1, ArrayView1, s};
use rand::RngExt;

fn random(n: usize, seed: u64) -> Array1<f64> {
    let mut rng = stream(seed, Stream::Data);
    (0..n).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect()
}

#[test]
fn every_method_finds_the_weights_of_a_linear_model() {
    let network = Network::dense(5, &[(3, Activation::Softmax)], Loss::SoftmaxCrossEntropy);
    let network = network.unwrap();
    let params = random(network.layout().len(), 1).to_vec();
    let mut model = Model::new(&network, &params);
    let (x, baseline) = (random(5, 2), random(5, 3));
    for class in 0..3 {
        let readout = Readout::logit(&network, class).unwrap();
        let weights = &params[5 * class..5 * (class + 1)];
        assert_eq!(saliency(&mut model, &readout, x.view()), weights);
        let times: Vec<f64> = weights.iter().zip(&x).map(|(w, x)| w * x).collect();
        assert_close(
            "times",
            &gradient_times_input(&mut model, &readout, x.view()),
            &times,
            1e-15,
        );
        let smooth = SmoothGrad::default().explain(&mut model, &readout, x.view());
        assert_close("smooth", &smooth, weights, 1e-14);
        let moved: Vec<f64> = (0..5).map(|i| weights[i] * (x[i] - baseline[i])).collect();
        let integrated = IntegratedGradients::default();
        let found = integrated.explain(&mut model, &readout, x.view(), baseline.view());
        assert_close("integrated", &found.values, &moved, 1e-12);
        assert_eq!(found.gradients, 128, "nothing to refine");
        let (x, baseline) = (x.view(), baseline.view());
        let lost = gradscape::insight::explain::occlude_each(&mut model, &readout, x, baseline);
        assert_close("occlusion", &lost, &moved, 1e-12);
        let ways = contributions(&mut model, &readout, x, 5);
        assert_close("contributions", &ways.inputs, &times, 1e-15);
        assert!((ways.offsets - params[15 + class]).abs() < 1e-14);
    }
}

#[test]
fn integrated_gradients_sum_to_the_difference_of_the_outputs() {
    let (network, params) = lenet::<f64>();
    let mut model = Model::new(&network, &params);
    let (single_network, single) = lenet::<f32>();
    let mut single = Model::new(&single_network, &single);
    for seed in 0..6 {
        let x = random(784, seed).mapv(f64::abs);
        let readout = Readout::logit(&network, seed as usize).unwrap();
        let how = IntegratedGradients::default();
        let zero = Array1::zeros(784);
        let found = how.explain(&mut model, &readout, x.view(), zero.view());
        assert!(found.gap() < 1e-3, "{seed}: {}", found.gap());
        assert!(found.gap() <= how.tolerance, "{seed}: {}", found.gap());
        assert!(found.gradients < 4000, "{}", found.gradients);
        assert_eq!(found.at_sample, model.value(&readout, x.view()));
        let (x, zero) = (x.mapv(|v| v as f32), Array1::zeros(784));
        let found = how.explain(&mut single, &readout, x.view(), zero.view());
        assert!(
            found.gap() < 1e-3,
            "{seed}: {} at single precision",
            found.gap()
        );
    }
}

#[test]
fn a_tolerance_of_nothing_takes_the_steps_that_were_asked_for() {
    let (network, params) = lenet::<f64>();
    let mut model = Model::new(&network, &params);
    let readout = Readout::logit(&network, 0).unwrap();
    let (x, zero) = (random(784, 1), Array1::zeros(784));
    let how = IntegratedGradients {
        steps: 10,
        tolerance: 0.0,
        most: 10,
    };
    let found = how.explain(&mut model, &readout, x.view(), zero.view());
    assert_eq!(found.gradients, 10);
    assert!(
        found.gap() > 1e-3,
        "a coarse sum is coarse: {}",
        found.gap()
    );
}

/// Every layer kind in one network, with ways that skip.
fn everything() -> (Network, Vec<f64>) {
    let mut padded = Conv::square(4, 3);
    padded.padding = [1, 1];
    let mut sum = spec(LayerKind::Add, Activation::Tanh);
    sum.sources = vec![Source::Layer(0), Source::Layer(2)];
    let specs = [
        spec(LayerKind::Conv(padded), Activation::Sigmoid),
        spec(
            LayerKind::BatchNorm(BatchNorm::default()),
            Activation::Linear,
        ),
        spec(LayerKind::PRelu { slope: 0.2 }, Activation::Linear),
        sum,
        spec(LayerKind::MaxPool(Pool::square(2)), Activation::Linear),
        spec(LayerKind::Conv(Conv::square(3, 2)), Activation::Gelu),
        spec(LayerKind::AvgPool(Pool::square(2)), Activation::Linear),
        spec(LayerKind::Flatten, Activation::Linear),
        spec(LayerKind::Dropout { rate: 0.5 }, Activation::Linear),
        spec(
            LayerKind::LayerNorm(LayerNorm::default()),
            Activation::Softplus,
        ),
        dense(3, Activation::Softmax),
    ];
    let network = Network::new(Shape::image(2, 6, 6), &specs, Loss::SoftmaxCrossEntropy).unwrap();
    let mut rng = stream(5, Stream::Init);
    let params = network.initialise::<f64>(Init::Xavier, 1.5, 0.2, &mut rng);
    (network, params)
}

#[test]
fn contributions_add_up_to_the_answer_through_layers_of_every_kind() {
    let (network, params) = everything();
    let mut model = Model::new(&network, &params);
    for seed in 0..4 {
        let x = random(72, seed);
        for readout in [
            Readout::logit(&network, 1).unwrap(),
            Readout::unit(&network, 5, 4, Stage::Activation).unwrap(),
            Readout::channel(&network, 3, 2, Stage::Sum).unwrap(),
        ] {
            let ways = contributions(&mut model, &readout, x.view(), 6);
            let sum = ways.inputs.iter().sum::<f64>() + ways.offsets;
            assert!(
                (sum - ways.readout).abs() < 1e-9,
                "{sum} for {}",
                ways.readout
            );
            assert_eq!(ways.readout, model.value(&readout, x.view()));
            assert!(ways.ways > 6.0);
            let sizes: Vec<f64> = ways.paths.iter().map(|p| p.value.abs()).collect();
            assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
        }
    }
}

#[test]
fn what_comes_through_the_units_of_each_layer_adds_up_to_the_answer() {
    let layers = [
        (6, Activation::Relu),
        (5, Activation::Tanh),
        (3, Activation::Linear),
    ];
    let network = Network::dense(4, &layers, Loss::MeanSquaredError).unwrap();
    let mut params = random(network.layout().len(), 20).to_vec();
    for layer in 0..3 {
        for unit in 0..network.layers()[layer].outputs() {
            // Without biases nothing comes in on the way.
            params[network.bias_of(layer, unit).unwrap()] = 0.0;
        }
    }
    let x = random(4, 21);
    let mut model = Model::new(&network, &params);
    for readout in [
        Readout::logit(&network, 2).unwrap(),
        Readout::unit(&network, 1, 3, Stage::Activation).unwrap(),
        Readout::unit(&network, 1, 3, Stage::Sum).unwrap(),
    ] {
        let ways = contributions(&mut model, &readout, x.view(), 1);
        assert_eq!(ways.units.len(), readout.layer() + 2);
        assert_eq!(ways.units[0], ways.inputs);
        for (column, units) in ways.units.iter().enumerate() {
            assert_eq!(units.len(), network.widths()[column]);
            let sum: f64 = units.iter().sum();
            assert!((sum - ways.readout).abs() < 1e-12, "column {column}: {sum}");
        }
    }
}

#[test]
fn the_strongest_way_is_the_strongest_of_all_that_there_are() {
    let layers = [
        (3, Activation::Relu),
        (4, Activation::Tanh),
        (2, Activation::Linear),
    ];
    let network = Network::dense(3, &layers, Loss::MeanSquaredError).unwrap();
    let params = random(network.layout().len(), 8).to_vec();
    let x = random(3, 9);
    let mut model = Model::new(&network, &params);
    let readout = Readout::logit(&network, 1).unwrap();
    let ways = contributions(&mut model, &readout, x.view(), 3);
    // By hand: x_i w1_ji c_j w2_kj c_k w3_1k with c the chords.
    let (w1, b1, w2, b2, w3) = (0, 9, 12, 24, 28);
    let z1 = |j: usize| (0..3).map(|i| params[w1 + 3 * j + i] * x[i]).sum::<f64>() + params[b1 + j];
    let a1 = |j: usize| z1(j).max(0.0);
    let z2 =
        |k: usize| (0..3).map(|j| params[w2 + 3 * k + j] * a1(j)).sum::<f64>() + params[b2 + k];
    let mut strongest = (0.0_f64, (0, 0, 0));
    for (i, j, k) in (0..3).flat_map(|i| (0..3).flat_map(move |j| (0..4).map(move |k| (i, j, k)))) {
        let chords = a1(j) / z1(j) * (z2(k).tanh() / z2(k));
        let weights = params[w1 + 3 * j + i] * params[w2 + 3 * k + j] * params[w3 + 4 + k];
        let value = x[i] * weights * chords;
        if value.abs() > strongest.0.abs() {
            strongest = (value, (i, j, k));
        }
    }
    let (value, (i, j, k)) = strongest;
    assert!((ways.paths[0].value - value).abs() < 1e-12);
    assert_eq!(ways.paths[0].units, [(0, i), (1, j), (2, k), (3, 1)]);
    let product: f64 = ways.paths[0].links.iter().map(|l| l.factor).product();
    assert!(product.is_finite() && ways.paths[0].links.len() == 3);
}

#[test]
fn a_window_covers_every_pixel_and_no_method_leaves_its_range() {
    let picture = Picture::of_shape(Shape::image(1, 9, 7)).unwrap();
    for window in [
        Window::fitting(picture),
        Window {
            size: [4, 3],
            stride: [3, 2],
        },
    ] {
        let mut covered = [false; 63];
        for at in window.places(picture) {
            window
                .covers(picture, at)
                .iter()
                .for_each(|&i| covered[i] = true);
        }
        assert!(covered.iter().all(|&c| c), "{window:?}");
    }
    let (problem, params) = trained("digits-conv", 2);
    let mut explainer = Explainer::new(&problem, &params);
    let x = problem.validation.x.row(0).mapv(f64::from);
    for method in Method::ALL {
        let readout = readout_of(&problem.network, problem.encoding, 3).unwrap();
        let found = explainer.explain(method, &readout, x.view()).unwrap();
        assert_eq!(found.values.len(), 64, "{method:?}");
        assert!(found.values.iter().all(|v| v.is_finite()));
        assert!(method.is_signed() || found.values.iter().all(|&v| v >= 0.0));
        let again = explainer.explain(method, &readout, x.view()).unwrap();
        assert_eq!(found, again, "{method:?}");
    }
}

#[test]
fn grad_cam_needs_a_convolution_and_says_so() {
    let (problem, params) = trained("digits", 1);
    let mut explainer = Explainer::new(&problem, &params);
    let x = problem.train.x.row(0).mapv(f64::from);
    let readout = readout_of(&problem.network, problem.encoding, 0).unwrap();
    let error = explainer
        .explain(Method::GradCam, &readout, x.view())
        .unwrap_err();
    assert!(error.to_string().contains("convolution"), "{error}");
    let error = readout_of(&problem.network, problem.encoding, 10).unwrap_err();
    assert!(error.to_string().contains("class 10"), "{error}");
}

#[test]
fn the_two_classes_of_one_output_are_opposites() {
    let (problem, params) = trained("xor", 3);
    assert!(matches!(problem.encoding, Encoding::Binary { .. }));
    let mut model = Model::new(&problem.network, &params);
    let x = problem.train.x.row(0).mapv(f64::from);
    let of = |class| readout_of(&problem.network, problem.encoding, class).unwrap();
    let (first, second) = (of(0), of(1));
    assert_eq!(
        model.value(&first, x.view()),
        -model.value(&second, x.view())
    );
}

/// Every claim of every sentence, by asking the network again.
fn check_sentences(name: &str, problem: &gradscape::train::Problem, params: &[f64]) -> usize {
    let mut explainer = Explainer::new(problem, params);
    let baseline = explainer.baseline.mapv(|v| v as f32);
    let names = problem.data.task.names();
    let mut changed = 0;
    for row in 0..problem.validation.len().min(25) {
        let x = problem.validation.x.row(row);
        let place = problem.data.validation.rows[row];
        let points = problem.data.points.as_ref();
        let point = points.map(|p| [p[[place, 0]], p[[place, 1]]]);
        let parts = parts_of(problem, x, baseline.view(), point);
        assert!(!parts.is_empty(), "{name} {row}");
        let x = x.mapv(f64::from);
        let encoding = problem.encoding;
        let said = sentence(
            &mut explainer.model,
            x.view(),
            &parts,
            encoding,
            names,
            true,
        );
        let answer = explainer.model.output(x.view());
        let class = encoding.class(ArrayView1::from(&answer)).unwrap();
        assert_eq!(said.whole.class, class);
        assert!(
            said.text.starts_with(&format!("It says {}", names[class])),
            "{}",
            said.text
        );
        let without = said.without.unwrap();
        let mut rest = x.clone();
        for &(i, value) in without.parts.iter().flat_map(|p| &p.replaced) {
            rest[i] = f64::from(value);
        }
        let answer = explainer.model.output(rest.view());
        let then = encoding.class(ArrayView1::from(&answer)).unwrap();
        assert_eq!(then, without.verdict.class, "{name} {row}: {}", said.text);
        assert_eq!(
            then != class,
            without.changes,
            "{name} {row}: {}",
            said.text
        );
        assert!(
            said.text.contains(&format!("it would say {}", names[then])),
            "{}",
            said.text
        );
        assert_eq!(said.text.contains("mostly because of"), without.changes);
        for part in &without.parts {
            assert!(said.text.contains(&part.what.to_string()), "{}", said.text);
        }
        changed += usize::from(without.changes);
    }
    changed
}

#[test]
fn a_sentence_claims_only_what_the_network_does() {
    for (name, epochs, least) in [
        ("digits-conv", 3, 15),
        ("iris", 30, 2),
        ("spiral", 5, 5),
        ("breast-cancer", 3, 5),
    ] {
        let (problem, params) = trained(name, epochs);
        let changed = check_sentences(name, &problem, &params);
        assert!(changed >= least, "{name}: {changed} of 25 rest on parts");
    }
}

#[test]
fn a_network_of_real_values_is_explained_by_what_its_output_becomes() {
    let text = "[data]\nsource = \"plane\"\nsamples = 100\n[network]\nlayers = []\n\
                loss = \"half-squared-error\"\n";
    let experiment = Experiment::parse(text, "plane").unwrap();
    let (problem, _) = trained_for(&experiment, 1);
    let params = [3.0, 0.1, 0.5];
    let mut explainer = Explainer::new(&problem, &params);
    let points = problem.data.points.as_ref().unwrap();
    let place = problem.data.validation.rows[0];
    let point = [points[[place, 0]], points[[place, 1]]];
    let x = problem.validation.x.row(0);
    let baseline = explainer.baseline.mapv(|v| v as f32);
    let parts = parts_of(&problem, x, baseline.view(), Some(point));
    let x = x.mapv(f64::from);
    let (encoding, names) = (problem.encoding, problem.data.task.names());
    let said = sentence(
        &mut explainer.model,
        x.view(),
        &parts,
        encoding,
        names,
        false,
    );
    assert!(said.text.contains("mostly because of x1"), "{}", said.text);
    let mean = points.slice(s![.., 0]).mean().unwrap();
    let output = 3.0 * f64::from(mean) + 0.1 * f64::from(point[1]) + 0.5;
    let without = said.without.unwrap();
    assert!((without.verdict.outputs[0] - output).abs() < 1e-5);
}
