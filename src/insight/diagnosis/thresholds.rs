//! From where on a number counts as a trouble. Every one can be changed.

use serde::{Deserialize, Serialize};

macro_rules! thresholds {
    ($($(#[$doc:meta])* $field:ident $name:literal = $default:literal;)*) => {
        /// The thresholds of all rules. Where a source gives a number it is that number;
        /// where it gives a criterion alone, the number was set so that the runs of
        /// `tests/diagnosis.rs` are told apart.
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
        pub struct Thresholds {
            $($(#[$doc])* pub $field: f64,)*
        }

        impl Default for Thresholds {
            fn default() -> Self {
                Thresholds { $($field: $default,)* }
            }
        }

        impl Thresholds {
            /// The name of each, in order.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The one of this name.
            pub fn get(&self, name: &str) -> Option<f64> {
                match name {
                    $($name => Some(self.$field),)*
                    _ => None,
                }
            }

            fn place(&mut self, name: &str) -> Option<&mut f64> {
                match name {
                    $($name => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }
    };
}

thresholds! {
    /// The score (share of right answers, or of the variance of values explained) by which
    /// the network stays behind that of its samples' five nearest neighbours, from which on
    /// it counts as not having learnt what can be learnt. That neighbours come near the
    /// best possible answer: Cover and Hart 1967. Number: ours.
    lag "lag" = 0.05;
    /// The error signal of the first layer over that of the last, at most. That it should be
    /// near 1: Glorot and Bengio 2010, section 4.2.1. Number: ours, two decades.
    vanishing "vanishing" = 0.01;
    /// The error signal of the first layer over that of the last, at least. Pascanu, Mikolov
    /// and Bengio 2013, section 2. Number: ours, two decades.
    exploding "exploding" = 100.0;
    /// The share of a layer's ReLU units that are 0 for every sample. CS231n's notes on
    /// activation functions: "as much as 40 %".
    dead "dead" = 0.4;
    /// The share of a layer's activations at which the slope is below a tenth of the
    /// steepest. Glorot and Bengio 2010, section 3. Number: ours.
    saturated "saturated" = 0.75;
    /// The share of a layer's units that are copies of another. That they never come apart:
    /// Rumelhart, Hinton and Williams 1986. Number: ours.
    identical "identical" = 0.5;
    /// The loss now over the first, or over that of the best constant answer, whichever is
    /// more. The learning-rate finder of fastai (after Smith 2017) stops at 4 times the
    /// least.
    divergence "divergence" = 4.0;
    /// What a step adds to the weights over their natural size (Glorot and Bengio 2010,
    /// equation 12), at least. Karpathy (CS231n): about 1e-3 of the weights is right; a
    /// hundred times that. Number: ours.
    update_high "update-high" = 0.1;
    /// What a step adds to the weights over the weights, at most. Karpathy (CS231n): about
    /// 1e-3 is right; a tenth of that. Number: ours.
    update_low "update-low" = 1e-4;
    /// The share of epochs after which the loss turns. Of pure noise two in three do.
    /// Number: ours.
    reversals "reversals" = 0.4;
    /// The mean change of the loss from epoch to epoch, as a share of the loss of the best
    /// constant answer. Number: ours.
    swing "swing" = 0.1;
    /// How much the loss fell over the last stretch, as a share of it, at most, where a loss
    /// that swings counts as not falling. Number: ours.
    falling "falling" = 0.5;
    /// How much the loss fell over the last stretch, as a share of it, at most. That progress
    /// is judged over a strip of epochs: Prechelt 1998. Number: ours.
    progress "progress" = 0.02;
    /// The mean change of the loss from epoch to epoch, as a share of the loss, at most, where
    /// a loss counts as standing still: one that flutters by more may be on its way.
    /// Number: ours.
    flutter "flutter" = 0.05;
    /// How far a stretch without progress has to go, in epochs. ReduceLROnPlateau (PyTorch)
    /// waits 10.
    stretch "stretch" = 20.0;
    /// How much the loss bends down in some direction, as a share of how much it bends up at
    /// most: there is a way on. Saddle points rather than minima: Dauphin et al. 2014.
    /// Number: ours.
    bend "bend" = 0.05;
    /// The validation loss over its least value, less 1: the generalisation loss of Prechelt
    /// 1998, who stops at 0.05 at the most; ours is larger, because we accuse.
    generalisation "generalisation" = 0.2;
    /// The validation loss over the training loss. Number: ours.
    gap "gap" = 1.5;
    /// The largest spread of an input over the smallest. That all should be alike: LeCun et
    /// al. 1998, section 4.3. Number: ours, two decades.
    spread "spread" = 100.0;
    /// The largest size (RMS) of an input. LeCun et al. 1998, section 4.3: about 1. Number:
    /// ours.
    size "size" = 30.0;
    /// The share of the rarest class, as a share of what an even one would be, at most: 20 %
    /// of two classes, from where down Google's course on data preparation calls it moderate.
    rarity "rarity" = 0.4;
    /// The share of the rarest class that is recognised, at most. He and Garcia 2009,
    /// section 4.1: accuracy hides it. Number: ours.
    recall "recall" = 0.5;
    /// The score of one input alone. Kaufman et al. 2012: what is too good to be true.
    /// Number: ours.
    leak "leak" = 0.985;
    /// By how much one input alone is better than all others together. Number: ours.
    leak_lead "leak-lead" = 0.05;
}

/// Why a threshold cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// It is not `NAME=VALUE`.
    #[error("{0:?} is no threshold; give NAME=VALUE, such as dead=0.5")]
    Syntax(String),
    /// There is none of this name.
    #[error("there is no threshold {name:?}; there are {all}")]
    Name {
        /// What was given.
        name: String,
        /// Which there are.
        all: String,
    },
    /// The value is no number.
    #[error("threshold {name}: {value:?} is not a finite number of at least 0")]
    Value {
        /// Which.
        name: String,
        /// What was given.
        value: String,
    },
}

impl Thresholds {
    /// Sets the one of this name.
    ///
    /// # Errors
    /// When there is none, or `value` is below 0 or not finite.
    pub fn set(&mut self, name: &str, value: f64) -> Result<(), ThresholdError> {
        let Some(place) = self.place(name) else {
            return Err(ThresholdError::Name {
                name: name.to_owned(),
                all: Self::NAMES.join(", "),
            });
        };
        if !(value.is_finite() && value >= 0.0) {
            return Err(ThresholdError::Value {
                name: name.to_owned(),
                value: value.to_string(),
            });
        }
        *place = value;
        Ok(())
    }

    /// Sets what `NAME=VALUE` says.
    ///
    /// # Errors
    /// When it is not of that form, there is no such threshold, or no such number.
    pub fn set_text(&mut self, text: &str) -> Result<(), ThresholdError> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| ThresholdError::Syntax(text.to_owned()))?;
        let number = value.trim().parse().map_err(|_| ThresholdError::Value {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
        })?;
        self.set(name.trim(), number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_threshold_is_found_and_set_by_the_name_that_files_have() {
        let written = serde_json::to_value(Thresholds::default()).unwrap();
        let names: Vec<&str> = written
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut expected = Thresholds::NAMES.to_vec();
        expected.sort_unstable();
        let mut names = names;
        names.sort_unstable();
        assert_eq!(names, expected);
        for name in Thresholds::NAMES {
            let mut thresholds = Thresholds::default();
            thresholds.set_text(&format!("{name} = 0.25")).unwrap();
            assert_eq!(thresholds.get(name), Some(0.25));
        }
    }

    #[test]
    fn what_is_no_threshold_is_refused_with_what_there_is() {
        let mut thresholds = Thresholds::default();
        for (text, said) in [
            ("dead", "NAME=VALUE"),
            ("deaf=1", "dead"),
            ("dead=many", "finite number"),
            ("dead=-1", "at least 0"),
        ] {
            let error = thresholds.set_text(text).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        assert_eq!(thresholds, Thresholds::default());
    }
}
