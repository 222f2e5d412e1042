//! Experiments that no threshold was set by: other data, sizes, rates and seeds than those
//! of the ill and the well runs beside this file. They were written down before any of them
//! was run, and stay as they are.

use super::{Ill, layers, noise, normal};
use gradscape::insight::diagnosis::Kind;
use std::fmt::Write;

fn held_out(seed: u64, data: &str, loss: &str, network: &str, training: &str) -> String {
    format!(
        "seed = {seed}\n[data]\nvalidation = 0.25\n{data}\n[network]\nloss = \"{loss}\"\n\
         {network}\n[training]\nbatch = 20\n{training}\n"
    )
}

fn train(optimizer: &str, rate: f64, epochs: usize) -> String {
    format!("optimizer = {{ name = \"{optimizer}\", learning_rate = {rate} }}\nepochs = {epochs}")
}

/// One in sixteen is of another class.
fn rare() -> String {
    let mut table = "a,b,c,kind\n".to_owned();
    for i in 0..480 {
        let is_rare = i % 16 == 5;
        let centre = if is_rare { 1.8 } else { 0.0 };
        let [a, b, c] = [4, 5, 6].map(|k| centre + 0.8 * normal(i, k));
        let kind = if is_rare { "defect" } else { "fine" };
        writeln!(table, "{a:.3},{b:.3},{c:.3},{kind}").unwrap();
    }
    format!("source = \"defects.csv\"\nlabel = \"kind\"\ntable = \"\"\"\n{table}\"\"\"")
}

/// Five measurements that say a little, and one that was taken once the answer was known.
fn leak() -> String {
    let mut table = "v1,v2,v3,v4,v5,after,class\n".to_owned();
    for i in 0..330 {
        let class = i % 3;
        let mut line = String::new();
        for k in 1..=5 {
            let value = 0.5 * class as f64 + normal(i, k);
            write!(line, "{value:.3},").unwrap();
        }
        let after = 4.0 * class as f64 + noise(i, 9);
        let name = ["low", "middle", "high"][class];
        writeln!(table, "{line}{after:.3},{name}").unwrap();
    }
    format!("source = \"late.csv\"\nlabel = \"class\"\ntable = \"\"\"\n{table}\"\"\"")
}

const CLASSES: &str = "cross-entropy";
const VALUES: &str = "half-squared-error";
const DIGITS: &str = "source = \"digits\"\nlimit = 600";
const CANCER: &str = "source = \"breast-cancer\"\nscale = \"standard\"";
const WINE: &str = "source = \"wine\"\nscale = \"standard\"";

/// Runs that are ill, of every kind.
pub fn ill_held_out() -> Vec<Ill> {
    let with = |network: String, more: &str| format!("{network}\n{more}");
    let runs = [
        (
            Kind::VanishingGradient,
            DIGITS.to_owned(),
            CLASSES,
            layers(7, 20, "sigmoid"),
            train("sgd", 0.1, 25),
        ),
        (
            Kind::ExplodingGradient,
            CANCER.to_owned(),
            CLASSES,
            with(layers(10, 24, "relu"), "init = \"he\"\ninit_scale = 2.4"),
            train("sgd", 0.005, 40),
        ),
        (
            Kind::DeadUnits,
            WINE.to_owned(),
            CLASSES,
            with(layers(1, 32, "relu"), "init = \"he\"\nbias = -5.0"),
            train("adam", 0.003, 50),
        ),
        (
            Kind::Saturation,
            CANCER.to_owned(),
            CLASSES,
            with(
                layers(2, 16, "tanh"),
                "init = \"uniform\"\ninit_scale = 15.0",
            ),
            train("sgd", 0.01, 40),
        ),
        (
            Kind::Overfitting,
            "source = \"xor\"\nsamples = 70\nnoise = 0.4\nscale = \"standard\"".to_owned(),
            CLASSES,
            with(layers(2, 96, "relu"), "init = \"he\""),
            train("adam", 0.005, 150),
        ),
        (
            Kind::Underfitting,
            "source = \"spiral\"\nsamples = 400\nscale = \"standard\"".to_owned(),
            CLASSES,
            "layers = []".to_owned(),
            train("adam", 0.01, 50),
        ),
        (
            Kind::Underfitting,
            DIGITS.to_owned(),
            CLASSES,
            layers(1, 24, "tanh"),
            format!("{}\nl2 = 2.0", train("adam", 0.005, 40)),
        ),
        (
            Kind::Plateau,
            "source = \"circle\"\nsamples = 360\nscale = \"standard\"".to_owned(),
            CLASSES,
            with(
                layers(1, 10, "tanh"),
                "init = \"normal\"\ninit_scale = 0.001",
            ),
            train("sgd", 0.03, 80),
        ),
        (
            Kind::LearningRateLow,
            WINE.to_owned(),
            CLASSES,
            with(layers(1, 12, "relu"), "init = \"he\""),
            train("sgd", 0.00003, 50),
        ),
        (
            Kind::LearningRateHigh,
            DIGITS.to_owned(),
            CLASSES,
            layers(1, 32, "tanh"),
            train("adam", 2.0, 25),
        ),
        (
            Kind::Symmetry,
            "source = \"iris\"".to_owned(),
            CLASSES,
            with(layers(2, 10, "tanh"), "init = \"zero\""),
            train("adam", 0.01, 50),
        ),
        (
            Kind::UnscaledInputs,
            "source = \"breast-cancer\"\nscale = \"none\"".to_owned(),
            CLASSES,
            layers(1, 16, "tanh"),
            train("adam", 0.003, 40),
        ),
        (
            Kind::ClassImbalance,
            rare(),
            CLASSES,
            layers(1, 12, "tanh"),
            train("sgd", 0.003, 40),
        ),
        (
            Kind::LabelLeakage,
            leak(),
            CLASSES,
            layers(1, 10, "tanh"),
            format!("{}\nl2 = 0.01", train("adam", 0.01, 40)),
        ),
        (
            Kind::Oscillation,
            "source = \"sine\"\nnoise = 0.05\nsamples = 300".to_owned(),
            VALUES,
            layers(1, 24, "tanh"),
            train("sgd", 0.25, 80),
        ),
        (
            Kind::Divergence,
            "source = \"gauss-regression\"\nsamples = 280".to_owned(),
            VALUES,
            with(layers(2, 12, "relu"), "init = \"he\""),
            train("sgd", 0.6, 30),
        ),
    ];
    let ill = runs.into_iter().enumerate();
    ill.map(|(k, (kind, data, loss, network, training))| Ill {
        kind,
        experiment: held_out(100 + k as u64, &data, loss, &network, &training),
        cure: 0,
    })
    .collect()
}

/// Runs that are well.
pub fn well_held_out() -> Vec<(&'static str, String)> {
    let relu = |number, units| format!("{}\ninit = \"he\"", layers(number, units, "relu"));
    let conv = "layers = [{ conv = 6, kernel = 3, activation = \"relu\" }, { max_pool = 2 }, \
        \"flatten\", { dense = 24, activation = \"relu\" }]\ninit = \"he\"";
    let runs = [
        (
            "iris",
            "source = \"iris\"".to_owned(),
            CLASSES,
            relu(2, 12),
            train("sgd", 0.05, 60),
        ),
        (
            "digits",
            "source = \"digits\"\nlimit = 900".to_owned(),
            CLASSES,
            layers(1, 48, "tanh"),
            train("adam", 0.002, 15),
        ),
        (
            "digits, convolutional",
            "source = \"digits\"\nlimit = 900".to_owned(),
            CLASSES,
            conv.to_owned(),
            train("adam", 0.003, 12),
        ),
        (
            "breast-cancer",
            CANCER.to_owned(),
            CLASSES,
            relu(1, 6),
            train("sgd", 0.05, 30),
        ),
        (
            "wine",
            WINE.to_owned(),
            CLASSES,
            relu(1, 16),
            train("adam", 0.005, 30),
        ),
        (
            "moons",
            "source = \"moons\"\nsamples = 250\nnoise = 0.1\nscale = \"standard\"".to_owned(),
            CLASSES,
            relu(2, 10),
            train("adam", 0.01, 60),
        ),
        (
            "spiral",
            "source = \"spiral\"\nsamples = 500\nscale = \"standard\"".to_owned(),
            CLASSES,
            layers(3, 12, "tanh"),
            train("adam", 0.01, 250),
        ),
        (
            "gauss-regression",
            "source = \"gauss-regression\"\nsamples = 320\nscale = \"standard\"".to_owned(),
            VALUES,
            layers(1, 24, "tanh"),
            train("adam", 0.01, 80),
        ),
        (
            "mnist",
            "source = \"mnist\"\nlimit = 600".to_owned(),
            CLASSES,
            relu(1, 40),
            train("adam", 0.002, 12),
        ),
        (
            "circle",
            "source = \"circle\"\nsamples = 500\nscale = \"standard\"".to_owned(),
            CLASSES,
            relu(1, 8),
            train("adam", 0.02, 60),
        ),
    ];
    let well = runs.into_iter().enumerate();
    well.map(|(k, (name, data, loss, network, training))| {
        let training = format!("{training}\nl2 = 0.0005");
        (
            name,
            held_out(200 + k as u64, &data, loss, &network, &training),
        )
    })
    .collect()
}
