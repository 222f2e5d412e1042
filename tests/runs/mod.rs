//! Experiments whose runs are ill, each in its own way, and experiments whose runs are well.

mod held_out;

pub use held_out::{ill_held_out, well_held_out};

use gradscape::insight::diagnosis::Kind;
use std::fmt::Write;

/// A run that is ill.
pub struct Ill {
    pub kind: Kind,
    pub experiment: String,
    // The place, among those suggested, of the cure that is tried.
    pub cure: usize,
}

fn ill(kind: Kind, cure: usize, data: &str, network: &str, training: &str) -> Ill {
    Ill {
        kind,
        experiment: format!(
            "seed = 7\n[data]\nvalidation = 0.3\n{data}\n[network]\nloss = \"cross-entropy\"\n\
             {network}\n[training]\nbatch = 16\n{training}\n"
        ),
        cure,
    }
}

fn layers(number: usize, units: usize, activation: &str) -> String {
    let layer = format!("{{ dense = {units}, activation = \"{activation}\" }}");
    format!("layers = [{}]", vec![layer; number].join(", "))
}

/// A number from 0 to 1 that looks random.
fn noise(i: usize, k: usize) -> f64 {
    let x = (i * 12 + k) as f64;
    (x.sin() * 43_758.545_3).abs().fract()
}

/// About normal, of deviation 1.
fn normal(i: usize, k: usize) -> f64 {
    (0..4).map(|j| noise(i, 20 * k + j)).sum::<f64>() * 1.732 - 3.464
}

/// One in twenty is of another class, and lies aside.
fn rare_class() -> String {
    let mut table = "x,y,class\n".to_owned();
    for i in 0..400 {
        let is_rare = i % 20 == 0;
        let (centre, size) = if is_rare { (2.5, 0.4) } else { (0.0, 1.0) };
        let [x, y] = [1, 2].map(|k| centre + size * normal(i, k));
        let class = if is_rare { "rare" } else { "common" };
        writeln!(table, "{x:.3},{y:.3},{class}").unwrap();
    }
    format!("source = \"rare.csv\"\nlabel = \"class\"\ntable = \"\"\"\n{table}\"\"\"")
}

/// Three measurements that say a little, and a code that was written down with the answer.
fn leaking() -> String {
    let mut table = "age,dose,weight,outcome_code,answer\n".to_owned();
    for i in 0..240 {
        let answer = i % 2;
        let shift = 0.8 * answer as f64;
        let [a, b, c] = [1, 2, 3].map(|k| shift + normal(i, k));
        let code = 10.0 * answer as f64 + normal(i, 4);
        let name = ["no", "yes"][answer];
        writeln!(table, "{a:.3},{b:.3},{c:.3},{code:.3},{name}").unwrap();
    }
    format!("source = \"leak.csv\"\nlabel = \"answer\"\ntable = \"\"\"\n{table}\"\"\"")
}

const SGD: &str = "optimizer = { name = \"sgd\", learning_rate = 0.1 }\nepochs = 60";
const ADAM: &str = "optimizer = { name = \"adam\", learning_rate = 0.01 }\nepochs = 60";

/// One for each kind at least.
pub fn ill_runs() -> Vec<Ill> {
    let circle = "source = \"circle\"\nsamples = 300\nscale = \"standard\"";
    let xor = "source = \"xor\"\nsamples = 300\nscale = \"standard\"";
    let sgd = |rate: f64, epochs: usize| {
        format!("optimizer = {{ name = \"sgd\", learning_rate = {rate} }}\nepochs = {epochs}")
    };
    let squares = "loss = \"half-squared-error\"";
    let mut runs = vec![
        ill(
            Kind::VanishingGradient,
            0,
            circle,
            &layers(6, 8, "sigmoid"),
            SGD,
        ),
        ill(
            Kind::ExplodingGradient,
            0,
            circle,
            &format!("{}\ninit = \"he\"\ninit_scale = 2.5", layers(8, 16, "relu")),
            &sgd(0.01, 60),
        ),
        ill(
            Kind::DeadUnits,
            0,
            "source = \"iris\"",
            &format!("{}\ninit = \"he\"\nbias = -6.0", layers(1, 16, "relu")),
            ADAM,
        ),
        ill(
            Kind::Saturation,
            0,
            circle,
            &format!(
                "{}\ninit = \"normal\"\ninit_scale = 30.0",
                layers(2, 12, "sigmoid")
            ),
            SGD,
        ),
        ill(
            Kind::Saturation,
            0,
            "source = \"spiral\"\nsamples = 300\nscale = \"standard\"",
            &format!(
                "{}\ninit = \"uniform\"\ninit_scale = 20.0",
                layers(2, 8, "tanh")
            ),
            &sgd(0.02, 60),
        ),
        ill(
            Kind::Overfitting,
            0,
            "source = \"moons\"\nsamples = 80\nnoise = 0.35\nscale = \"standard\"",
            &format!("{}\ninit = \"he\"", layers(2, 64, "relu")),
            "optimizer = { name = \"adam\", learning_rate = 0.005 }\nepochs = 120",
        ),
        ill(Kind::Underfitting, 0, circle, "layers = []", ADAM),
        ill(
            Kind::Underfitting,
            0,
            "source = \"moons\"\nsamples = 300\nscale = \"standard\"",
            &layers(1, 16, "tanh"),
            "optimizer = { name = \"adam\", learning_rate = 0.01 }\nepochs = 60\nl2 = 1.0",
        ),
        ill(
            Kind::Plateau,
            0,
            xor,
            &format!(
                "{}\ninit = \"normal\"\ninit_scale = 0.001",
                layers(1, 6, "tanh")
            ),
            &sgd(0.05, 60),
        ),
        ill(
            Kind::LearningRateLow,
            0,
            "source = \"iris\"",
            &layers(1, 8, "tanh"),
            &sgd(0.00005, 60),
        ),
        ill(
            Kind::LearningRateHigh,
            0,
            circle,
            &layers(2, 8, "tanh"),
            "optimizer = { name = \"adam\", learning_rate = 3.0 }\nepochs = 60",
        ),
        ill(
            Kind::Symmetry,
            0,
            xor,
            &format!("{}\ninit = \"zero\"", layers(1, 6, "sigmoid")),
            "optimizer = { name = \"adam\", learning_rate = 0.02 }\nepochs = 60",
        ),
        ill(
            Kind::UnscaledInputs,
            0,
            "source = \"wine\"\nscale = \"none\"",
            &layers(1, 8, "tanh"),
            ADAM,
        ),
        ill(
            Kind::ClassImbalance,
            0,
            &rare_class(),
            &layers(1, 8, "tanh"),
            &sgd(0.005, 40),
        ),
        ill(
            Kind::LabelLeakage,
            0,
            &leaking(),
            &layers(1, 6, "tanh"),
            "optimizer = { name = \"adam\", learning_rate = 0.01 }\nepochs = 40\nl2 = 0.01",
        ),
    ];
    for (kind, data, network, training) in [
        (
            Kind::Oscillation,
            "source = \"gauss-regression\"\nsamples = 300\nscale = \"standard\"",
            layers(1, 16, "tanh"),
            sgd(0.3, 100),
        ),
        (
            Kind::Divergence,
            "source = \"plane\"\nsamples = 300",
            format!("{}\ninit = \"he\"", layers(1, 8, "relu")),
            sgd(0.3, 30),
        ),
    ] {
        let mut run = ill(kind, 0, data, &network, &training);
        run.experiment = run.experiment.replace("loss = \"cross-entropy\"", squares);
        runs.push(run);
    }
    runs
}

/// All built-in data, at settings that suit them.
pub fn well_runs() -> Vec<(&'static str, String)> {
    let plane = "noise = 0.05\nscale = \"standard\"\nsamples = 400";
    let circles = ["circle", "xor", "gauss", "moons"].map(|source| {
        (
            source,
            plane,
            layers(1, 16, "tanh"),
            "cross-entropy",
            0.01,
            50,
        )
    });
    let hills = ["plane", "gauss-regression"].map(|source| {
        (
            source,
            plane,
            layers(2, 16, "relu"),
            "half-squared-error",
            0.01,
            60,
        )
    });
    let tables =
        [("iris", 0.01), ("wine", 0.01), ("breast-cancer", 0.003)].map(|(source, rate)| {
            (
                source,
                "scale = \"standard\"",
                layers(1, 8, "tanh"),
                "cross-entropy",
                rate,
                40,
            )
        });
    let images = ["digits", "mnist", "fashion-mnist"].map(|source| {
        (
            source,
            "limit = 700",
            layers(1, 32, "relu"),
            "cross-entropy",
            0.003,
            12,
        )
    });
    let others = [
        (
            "spiral",
            "scale = \"standard\"\nsamples = 600",
            layers(2, 8, "tanh"),
            "cross-entropy",
            0.02,
            300,
        ),
        (
            "sine",
            "noise = 0.05",
            layers(2, 16, "tanh"),
            "mean-squared-error",
            0.01,
            200,
        ),
    ];
    let all = circles
        .into_iter()
        .chain(hills)
        .chain(tables)
        .chain(images)
        .chain(others);
    all.map(|(source, data, layers, loss, rate, epochs)| {
        let init = if layers.contains("relu") {
            "he"
        } else {
            "xavier"
        };
        (
            source,
            format!(
                "seed = 7\n[data]\nsource = \"{source}\"\nvalidation = 0.3\n{data}\n\
                 [network]\nloss = \"{loss}\"\ninit = \"{init}\"\n{layers}\n[training]\n\
                 optimizer = {{ name = \"adam\", learning_rate = {rate} }}\nbatch = 16\n\
                 epochs = {epochs}\nl2 = 0.0005\n"
            ),
        )
    })
    .collect()
}
