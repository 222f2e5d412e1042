//! Problems drawn from a formula: small enough to see whole, and each one
//! teaches something about what a network can do.
//!
//! Circle, xor, gauss, spiral, plane and gauss-regression are the problems of
//! TensorFlow Playground on its square of ±6. There, noise in a classification
//! problem may relabel a point; here noise moves the point and the point keeps
//! its class, so that the classes are always equally large.

mod classes;
mod values;

use ndarray::Array2;
use rand::RngExt;

use super::config::{ConfigError, DataConfig, default_samples};
use super::dataset::{Dataset, Target};
use super::features::InputFeature;
use crate::rng::{Rng, Stream, stream};

/// Raw inputs are drawn, and shown, over `-DOMAIN..=DOMAIN` on each axis.
pub const DOMAIN: f32 = 6.0;

/// Samples in the plane with their classes, or with their values.
enum Drawn {
    Classes(Vec<([f64; 2], usize)>),
    Values(Vec<([f64; 2], f64)>),
    /// The same on a line; the second coordinate is not used.
    Line(Vec<([f64; 2], f64)>),
}

/// The generated problem that `config` describes, always the same for a seed.
///
/// # Errors
/// On `data.source` or `data.features`, when a name is not a generator's.
pub fn generate(config: &DataConfig, seed: u64) -> Result<Dataset, ConfigError> {
    let name = config.source.as_str();
    let n = config.samples.unwrap_or_else(|| default_samples(name));
    let noise = config.noise.unwrap_or(0.0);
    let rng = &mut stream(seed, Stream::Data);
    let drawn = match name {
        "circle" => Drawn::Classes(classes::circle(n, noise, rng)),
        "xor" => Drawn::Classes(classes::xor(n, noise, rng)),
        "gauss" => Drawn::Classes(classes::gauss(n, noise, rng)),
        "spiral" => Drawn::Classes(classes::spiral(n, noise, rng)),
        "moons" => Drawn::Classes(classes::moons(n, noise, rng)),
        "plane" => Drawn::Values(values::plane(n, noise, rng)),
        "gauss-regression" => Drawn::Values(values::gauss(n, noise, rng)),
        "sine" => Drawn::Line(values::sine(n, noise, rng)),
        _ => {
            return Err(ConfigError::new(
                "data.source",
                format!("\"{name}\" is not a generated problem"),
            ));
        }
    };
    let raw = vec![InputFeature::X1, InputFeature::X2];
    Ok(assemble(
        name,
        drawn,
        config.input_features()?.unwrap_or(raw),
    ))
}

/// Puts drawn samples through the input features.
fn assemble(name: &str, drawn: Drawn, input_features: Vec<InputFeature>) -> Dataset {
    let on_line = matches!(drawn, Drawn::Line(_));
    let (raw, target): (Vec<[f64; 2]>, Target) = match drawn {
        Drawn::Classes(samples) => {
            let (raw, labels) = samples.into_iter().unzip();
            // Playground's two classes, by the sign of its targets.
            (
                raw,
                Target::Classes {
                    labels,
                    names: vec!["-1".to_owned(), "+1".to_owned()],
                },
            )
        }
        Drawn::Values(samples) | Drawn::Line(samples) => {
            let (raw, values): (Vec<_>, Vec<f64>) = samples.into_iter().unzip();
            let values = Array2::from_shape_fn((values.len(), 1), |(i, _)| values[i] as f32);
            (
                raw,
                Target::Values {
                    values,
                    names: vec!["y".to_owned()],
                },
            )
        }
    };
    let points = Array2::from_shape_fn((raw.len(), 2), |(i, j)| raw[i][j] as f32);
    let features = Array2::from_shape_fn((raw.len(), input_features.len()), |(i, j)| {
        input_features[j].apply(points[[i, 0]], points[[i, 1]])
    });
    let feature_names = input_features
        .iter()
        .map(|feature| {
            feature
                .line_name()
                .filter(|_| on_line)
                .unwrap_or(feature.name())
                .to_owned()
        })
        .collect();
    let line = on_line.then(|| points.column(0).to_vec());
    Dataset {
        name: name.to_owned(),
        features,
        feature_names,
        target,
        image: None,
        points: (!on_line).then_some(points),
        line,
        input_features: Some(input_features),
        fixed_validation: None,
        missing: Vec::new(),
        n_missing: 0,
    }
}

/// A number drawn evenly from `low..high`.
fn uniform(rng: &mut Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * rng.random::<f64>()
}

/// Two numbers drawn evenly from `-width..width`.
fn jitter(rng: &mut Rng, width: f64) -> [f64; 2] {
    [uniform(rng, -width, width), uniform(rng, -width, width)]
}
