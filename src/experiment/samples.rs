//! The experiments that come with the program: by name, and by the data that each
//! was made for.

use super::Experiment;
use crate::data::{self, SourceKind, TaskKind};

/// A bundled experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// What to call it by.
    pub name: &'static str,
    /// The file.
    pub toml: &'static str,
}

macro_rules! sample {
    ($name:literal) => {
        Sample {
            name: $name,
            toml: include_str!(concat!("../../experiments/", $name, ".toml")),
        }
    };
}

/// All of them; the first is what the window starts with.
pub const SAMPLES: [Sample; 17] = [
    sample!("spiral"),
    sample!("xor"),
    sample!("hills"),
    sample!("sine"),
    sample!("iris"),
    sample!("wine"),
    sample!("breast-cancer"),
    sample!("digits"),
    sample!("mnist"),
    sample!("fashion-mnist"),
    sample!("sine-levenberg-marquardt"),
    sample!("hills-lbfgs"),
    sample!("digits-one-cycle"),
    sample!("moons-residual"),
    sample!("digits-conv"),
    sample!("mnist-lenet"),
    sample!("fashion-cnn"),
];

/// The sample of this name.
pub fn sample(name: &str) -> Option<&'static Sample> {
    SAMPLES.iter().find(|sample| sample.name == name)
}

/// The experiment that was made for `source`, or for data of its kind; `None`
/// for a source that is not built in.
pub fn fitting(source: &str) -> Option<Experiment> {
    let info = data::source_info(source)?;
    let like = match (info.kind, info.task) {
        (SourceKind::Generated, TaskKind::Classification) => "spiral",
        (SourceKind::Generated, TaskKind::Regression) => "gauss-regression",
        _ => "digits",
    };
    // The first for a source is its plain one.
    let made_for = |source: &str| {
        SAMPLES
            .iter()
            .filter_map(|sample| Experiment::parse(sample.toml, sample.name).ok())
            .find(|experiment| experiment.data.source == source)
    };
    made_for(source).or_else(|| made_for(like))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Problem;

    #[test]
    fn every_sample_is_a_valid_experiment_whose_data_and_network_go_together() {
        for sample in &SAMPLES {
            let experiment = Experiment::parse(sample.toml, sample.name).unwrap();
            assert!(experiment.name.is_some(), "{}", sample.name);
            Problem::new(&experiment).unwrap();
        }
    }

    #[test]
    fn every_built_in_source_has_an_experiment_that_fits() {
        for (source, expected) in [
            ("spiral", "spiral"),
            ("mnist", "mnist"),
            ("gauss-regression", "hills"),
            ("plane", "hills"),
            ("moons", "moons-residual"),
        ] {
            let sample = sample(expected).unwrap();
            let experiment = Experiment::parse(sample.toml, expected).unwrap();
            assert_eq!(fitting(source).as_ref(), Some(&experiment), "{source}");
        }
        for info in data::sources() {
            assert!(fitting(info.name).is_some(), "{}", info.name);
        }
        assert_eq!(fitting("a/file.csv"), None);
    }
}
