//! What suits each source of data: the experiments that come with the program.

use super::Experiment;
use crate::data::{self, SourceKind, TaskKind};

/// Sources, and the experiment that was made for each.
const SAMPLES: [(&str, &str); 10] = [
    ("spiral", include_str!("../../experiments/spiral.toml")),
    ("xor", include_str!("../../experiments/xor.toml")),
    (
        "gauss-regression",
        include_str!("../../experiments/hills.toml"),
    ),
    ("sine", include_str!("../../experiments/sine.toml")),
    ("iris", include_str!("../../experiments/iris.toml")),
    ("wine", include_str!("../../experiments/wine.toml")),
    (
        "breast-cancer",
        include_str!("../../experiments/breast-cancer.toml"),
    ),
    ("digits", include_str!("../../experiments/digits.toml")),
    ("mnist", include_str!("../../experiments/mnist.toml")),
    (
        "fashion-mnist",
        include_str!("../../experiments/fashion-mnist.toml"),
    ),
];

/// The experiment that was made for `source`, or for data of its kind; `None`
/// for a source that is not built in.
pub fn fitting(source: &str) -> Option<Experiment> {
    let info = data::source_info(source)?;
    let like = match (info.kind, info.task) {
        (SourceKind::Generated, TaskKind::Classification) => "spiral",
        (SourceKind::Generated, TaskKind::Regression) => "gauss-regression",
        _ => "digits",
    };
    let text = |name: &str| SAMPLES.iter().find(|(source, _)| *source == name);
    let (name, text) = text(source).or_else(|| text(like))?;
    Experiment::parse(text, name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_valid_and_stands_for_its_source() {
        for (source, text) in SAMPLES {
            let experiment = Experiment::parse(text, source).unwrap();
            assert_eq!(experiment.data.source, source);
            experiment.validate().unwrap();
        }
        for info in data::sources() {
            assert!(fitting(info.name).is_some(), "{}", info.name);
        }
        assert_eq!(fitting("a/file.csv"), None);
    }
}
