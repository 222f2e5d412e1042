//! What a diagnosis found, in a run's file and out of it again.

use crate::insight::diagnosis::{
    Comparison, Cure, Evidence, Finding, Kind, Severity, Thresholds, words,
};
use serde::Deserialize;

/// A finding as its JSON in the file says it.
#[derive(Deserialize)]
struct Written {
    kind: Kind,
    severity: Severity,
    layer: Option<usize>,
    feature: Option<String>,
    class: Option<String>,
    #[serde(default)]
    evidence: Vec<WrittenEvidence>,
    #[serde(default)]
    cures: Vec<serde_json::Value>,
    #[serde(default)]
    explains: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct WrittenEvidence {
    name: String,
    value: Option<f64>,
    comparison: Comparison,
    threshold: f64,
}

/// The title of a kind in English, for who reads the file without the program.
pub(super) fn title(kind: Kind) -> &'static str {
    words::english(&words::title(kind)).unwrap_or(kind.key())
}

/// The finding of a row's JSON; none of a kind that is not known here. Thresholds and
/// cures that are not known are left out.
pub(super) fn parse(text: &str) -> Option<Finding> {
    let written: Written = serde_json::from_str(text).ok()?;
    let evidence = written.evidence.into_iter().filter_map(|e| {
        let name = Thresholds::NAMES.iter().find(|name| **name == e.name)?;
        Some(Evidence {
            name,
            // JSON has no infinity.
            value: e.value.unwrap_or(f64::INFINITY),
            comparison: e.comparison,
            threshold: e.threshold,
        })
    });
    Some(Finding {
        kind: written.kind,
        severity: written.severity,
        layer: written.layer,
        feature: written.feature,
        class: written.class,
        evidence: evidence.collect(),
        cures: known::<Cure>(written.cures),
        explains: known::<Kind>(written.explains),
    })
}

fn known<T: serde::de::DeserializeOwned>(values: Vec<serde_json::Value>) -> Vec<T> {
    let values = values.into_iter();
    values
        .filter_map(|value| serde_json::from_value(value).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_equal_and_the_unknown_is_left_out() {
        let finding = Finding {
            kind: Kind::LearningRateHigh,
            severity: Severity::Warning,
            layer: Some(2),
            feature: None,
            class: Some("7".to_owned()),
            evidence: vec![Evidence {
                name: Thresholds::NAMES[0],
                value: 0.125,
                comparison: Comparison::AtLeast,
                threshold: 0.1,
            }],
            cures: vec![Cure::Cosine, Cure::LearningRate { factor: 0.1 }],
            explains: vec![Kind::Plateau],
        };
        let text = serde_json::to_string(&finding).unwrap();
        assert_eq!(parse(&text), Some(finding.clone()));
        let newer = text.replace("\"plateau\"", "\"mystery\"");
        let read = parse(&newer).unwrap();
        assert_eq!(read.explains, []);
        assert_eq!(read.cures, finding.cures);
        assert_eq!(parse(&text.replace("learning-rate-high", "mystery")), None);
        assert!(!title(Kind::Plateau).is_empty());
    }
}
