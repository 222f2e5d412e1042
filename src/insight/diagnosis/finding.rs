//! What was found, and the numbers that say so.

use super::{Cure, Kind};
use serde::{Deserialize, Serialize};

/// Something that is wrong with a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// How much it matters.
    pub severity: Severity,
    /// The layer where it shows, from 0, if it shows in one.
    pub layer: Option<usize>,
    /// The input that it is about, by its name, if it is about one.
    pub feature: Option<String>,
    /// The class that it is about, by its name, if it is about one.
    pub class: Option<String>,
    /// The numbers, every one of which is beyond its threshold.
    pub evidence: Vec<Evidence>,
    /// What to try, the likeliest first; each changes the experiment.
    pub cures: Vec<Cure>,
    /// What was found too and follows from this.
    pub explains: Vec<Kind>,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It may be all right; look.
    Suspicion,
    /// The run will not get as far as it could.
    Warning,
    /// The run gets nowhere.
    Severe,
}

/// One number and what it is held against.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// The name of the threshold, which is that of the number as well.
    pub name: &'static str,
    /// The number.
    pub value: f64,
    /// Which side of the threshold it is on.
    pub comparison: Comparison,
    /// The threshold.
    pub threshold: f64,
}

/// Which side of a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// The number is at least the threshold.
    AtLeast,
    /// The number is at most the threshold.
    AtMost,
}

impl Evidence {
    /// That `value` is at least what is allowed, if it is.
    pub(super) fn at_least(name: &'static str, value: f64, threshold: f64) -> Option<Self> {
        (value >= threshold).then_some(Evidence {
            name,
            value,
            comparison: Comparison::AtLeast,
            threshold,
        })
    }

    /// That `value` is at most what is needed, if it is.
    pub(super) fn at_most(name: &'static str, value: f64, threshold: f64) -> Option<Self> {
        (value <= threshold).then_some(Evidence {
            name,
            value,
            comparison: Comparison::AtMost,
            threshold,
        })
    }
}

impl Finding {
    /// That `kind` was found by `evidence`.
    pub(super) fn new(kind: Kind, evidence: Vec<Evidence>, cures: Vec<Cure>) -> Self {
        Finding {
            kind,
            severity: kind.severity(),
            layer: None,
            feature: None,
            class: None,
            evidence,
            cures,
            explains: Vec::new(),
        }
    }

    pub(super) fn in_layer(mut self, layer: usize) -> Self {
        self.layer = Some(layer);
        self
    }
}
