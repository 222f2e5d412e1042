//! What happened to a run, and when.

use serde::{Deserialize, Serialize};

/// Something that happened to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEvent {
    /// When, in milliseconds since 1970 (UTC).
    pub time_ms: i64,
    /// Steps completed then.
    pub step: u64,
    /// Epochs completed then.
    pub epoch: usize,
    /// What.
    pub kind: EventKind,
    /// More about it, as JSON; an empty object where there is no more to say.
    pub detail: serde_json::Value,
}

/// What can happen to a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// It began.
    Started,
    /// It went on from another run's weights; `run` and `step` say from where.
    Branched,
    /// It was paused.
    Paused,
    /// It went on after a pause.
    Resumed,
    /// The base learning rate was changed, `from` one `to` another.
    RateChanged,
    /// The weights were put rather than stepped.
    WeightsSet,
    /// It went back to an earlier step, `from` a later one. What was recorded of the
    /// steps between is gone.
    Rewound,
    /// Numbers stopped being finite; `message` says which.
    Diverged,
    /// It came to its end; `reason` says why, where that was before its last epoch.
    Finished,
    /// Whoever recorded it ended before it did.
    Interrupted,
    /// Something that a later version records.
    #[serde(untagged)]
    Other(String),
}

impl EventKind {
    /// Its name in the file.
    pub fn name(&self) -> &str {
        match self {
            EventKind::Started => "started",
            EventKind::Branched => "branched",
            EventKind::Paused => "paused",
            EventKind::Resumed => "resumed",
            EventKind::RateChanged => "rate-changed",
            EventKind::WeightsSet => "weights-set",
            EventKind::Rewound => "rewound",
            EventKind::Diverged => "diverged",
            EventKind::Finished => "finished",
            EventKind::Interrupted => "interrupted",
            EventKind::Other(name) => name,
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Self {
        use EventKind as K;
        let all = [
            K::Started,
            K::Branched,
            K::Paused,
            K::Resumed,
            K::RateChanged,
            K::WeightsSet,
            K::Rewound,
            K::Diverged,
            K::Finished,
            K::Interrupted,
        ];
        let found = all.into_iter().find(|kind| kind.name() == name);
        found.unwrap_or_else(|| K::Other(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_json_are_those_of_the_file_and_unknown_ones_stay() {
        for name in ["started", "rate-changed", "weights-set", "split-in-two"] {
            let kind = EventKind::named(name);
            assert_eq!(kind.name(), name);
            assert_eq!(serde_json::to_value(&kind).unwrap(), name);
        }
        assert_eq!(EventKind::named("rewound"), EventKind::Rewound);
    }
}
