//! What can be wrong with a run, and what follows from what.

use super::Severity;
use serde::{Deserialize, Serialize};

/// What can be wrong with a run. In the order in which causes come before what they lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Inputs of very different or very large size.
    UnscaledInputs,
    /// Units that are copies of each other and learn the same.
    Symmetry,
    /// Activations at the flat ends of their function.
    Saturation,
    /// ReLU units that are 0 for every sample.
    DeadUnits,
    /// Error signals that grow on their way back.
    ExplodingGradient,
    /// Error signals that fade on their way back.
    VanishingGradient,
    /// A loss that runs away.
    Divergence,
    /// Steps that are too large for anything to be learnt.
    LearningRateHigh,
    /// Steps that are too small to get anywhere.
    LearningRateLow,
    /// A loss that goes up and down instead of down.
    Oscillation,
    /// A class so rare that it is not learnt.
    ClassImbalance,
    /// A stretch without progress where there is a way on.
    Plateau,
    /// A network that cannot do what the data would allow.
    Underfitting,
    /// A network that learns its samples by heart.
    Overfitting,
    /// An input that gives the answer away.
    LabelLeakage,
}

impl Kind {
    /// All of them, causes first.
    pub const ALL: [Kind; 15] = [
        Kind::UnscaledInputs,
        Kind::Symmetry,
        Kind::Saturation,
        Kind::DeadUnits,
        Kind::ExplodingGradient,
        Kind::VanishingGradient,
        Kind::Divergence,
        Kind::LearningRateHigh,
        Kind::LearningRateLow,
        Kind::Oscillation,
        Kind::ClassImbalance,
        Kind::Plateau,
        Kind::Underfitting,
        Kind::Overfitting,
        Kind::LabelLeakage,
    ];

    /// Its name in files, and in the keys of its words.
    pub fn key(self) -> &'static str {
        match self {
            Kind::UnscaledInputs => "unscaled-inputs",
            Kind::Symmetry => "symmetry",
            Kind::Saturation => "saturation",
            Kind::DeadUnits => "dead-units",
            Kind::ExplodingGradient => "exploding-gradient",
            Kind::VanishingGradient => "vanishing-gradient",
            Kind::Divergence => "divergence",
            Kind::LearningRateHigh => "learning-rate-high",
            Kind::LearningRateLow => "learning-rate-low",
            Kind::Oscillation => "oscillation",
            Kind::ClassImbalance => "class-imbalance",
            Kind::Plateau => "plateau",
            Kind::Underfitting => "underfitting",
            Kind::Overfitting => "overfitting",
            Kind::LabelLeakage => "label-leakage",
        }
    }

    /// How much it matters.
    pub fn severity(self) -> Severity {
        match self {
            Kind::Divergence | Kind::Symmetry | Kind::ExplodingGradient => Severity::Severe,
            Kind::LabelLeakage => Severity::Suspicion,
            _ => Severity::Warning,
        }
    }

    /// What follows from it: where it is found too, it is not told as a trouble of its own.
    pub fn explains(self) -> &'static [Kind] {
        use Kind as K;
        match self {
            K::UnscaledInputs => &[
                K::Saturation,
                K::DeadUnits,
                K::ExplodingGradient,
                K::VanishingGradient,
                K::Divergence,
                K::LearningRateHigh,
                K::LearningRateLow,
                K::Oscillation,
                K::Plateau,
                K::Underfitting,
            ],
            K::Symmetry => &[
                K::Saturation,
                K::DeadUnits,
                K::VanishingGradient,
                K::LearningRateHigh,
                K::LearningRateLow,
                K::Plateau,
                K::Underfitting,
            ],
            K::Saturation => &[
                K::ExplodingGradient,
                K::VanishingGradient,
                K::LearningRateHigh,
                K::LearningRateLow,
                K::Oscillation,
                K::Plateau,
                K::Underfitting,
            ],
            K::DeadUnits => &[
                K::VanishingGradient,
                K::LearningRateHigh,
                K::LearningRateLow,
                K::Oscillation,
                K::Plateau,
                K::Underfitting,
            ],
            K::ExplodingGradient => &[
                K::Saturation,
                K::DeadUnits,
                K::Divergence,
                K::LearningRateHigh,
                K::LearningRateLow,
                K::Oscillation,
                K::Plateau,
                K::Underfitting,
            ],
            K::VanishingGradient => &[K::LearningRateLow, K::Plateau, K::Underfitting],
            // Units that died or saturated on the way.
            K::Divergence => &[
                K::Saturation,
                K::DeadUnits,
                K::LearningRateHigh,
                K::Oscillation,
                K::Plateau,
                K::Underfitting,
            ],
            K::LearningRateHigh => &[
                K::Saturation,
                K::DeadUnits,
                K::Oscillation,
                K::Plateau,
                K::Underfitting,
            ],
            K::LearningRateLow => &[K::Plateau, K::Underfitting],
            K::Oscillation => &[K::Plateau, K::Underfitting],
            K::ClassImbalance => &[K::Plateau, K::Underfitting],
            K::Plateau => &[K::Underfitting],
            K::Underfitting | K::Overfitting | K::LabelLeakage => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_files_are_those_of_the_keys_and_all_are_listed_in_order() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.key());
        }
        assert!(Kind::ALL.is_sorted());
    }
}
