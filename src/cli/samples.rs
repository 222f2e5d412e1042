//! The experiments that come with the program, by name.

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;
    use crate::train::Problem;

    #[test]
    fn every_sample_is_a_valid_experiment_whose_data_and_network_go_together() {
        for sample in &SAMPLES {
            let experiment = Experiment::parse(sample.toml, sample.name).unwrap();
            assert!(experiment.name.is_some(), "{}", sample.name);
            Problem::new(&experiment).unwrap();
        }
    }
}
