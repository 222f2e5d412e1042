//! Which parameters a plane moves: all, those of some layers, or a chosen set.

use crate::nn::Layout;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Which parameters move. Along a direction of a plane all others stay as they
/// are, and its gradient and Hessian are the block of these alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The whole network.
    #[default]
    Whole,
    /// All parameters of these layers, counted from 0 as in the names of their
    /// parameters (`layers.0.weight`).
    Layers(Vec<usize>),
    /// These parameters, by index in the flat vector, counted from 0 as in
    /// `weights:I,J`.
    Parameters(Vec<usize>),
}

/// Why a choice of parameters makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// Not a choice of parameters.
    #[error(
        "{0:?} names no parameters; give all, layers:0,2 or parameters:0,5-9, each counted from 0"
    )]
    Syntax(String),
    /// There is no such layer, or it has nothing to move.
    #[error("layer {layer} has no parameters; those with parameters are {with}, counted from 0")]
    NoLayer {
        /// The layer given.
        layer: usize,
        /// The layers that have some.
        with: String,
    },
    /// There is no such parameter.
    #[error("there is no parameter {index} to move; this network has {len}, numbered from 0")]
    NoParameter {
        /// The index given.
        index: usize,
        /// How many there are.
        len: usize,
    },
}

/// The most indices that a text may name: a bound on mistakes.
const MOST: usize = 10_000_000;

impl FromStr for Scope {
    type Err = ScopeError;

    /// `all`, `layers:0,2` or `parameters:0,5-9`.
    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let bad = || ScopeError::Syntax(text.to_owned());
        if text == "all" {
            return Ok(Scope::Whole);
        }
        let (kind, list) = text.split_once(':').ok_or_else(bad)?;
        let mut indices = Vec::new();
        for part in list.split(',') {
            let number = |s: &str| s.trim().parse::<usize>().map_err(|_| bad());
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => (number(first)?, number(last)?),
                None => (number(part)?, number(part)?),
            };
            if first > last || last - first >= MOST - indices.len() {
                return Err(bad());
            }
            indices.extend(first..=last);
        }
        indices.sort_unstable();
        indices.dedup();
        match kind {
            "layers" => Ok(Scope::Layers(indices)),
            "parameters" => Ok(Scope::Parameters(indices)),
            _ => Err(bad()),
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, indices) = match self {
            Scope::Whole => return f.write_str("all"),
            Scope::Layers(indices) => ("layers", indices),
            Scope::Parameters(indices) => ("parameters", indices),
        };
        write!(f, "{kind}:")?;
        let runs = indices.chunk_by(|a, b| a.checked_add(1) == Some(*b));
        for (k, run) in runs.enumerate() {
            let comma = if k == 0 { "" } else { "," };
            match run {
                [one] => write!(f, "{comma}{one}")?,
                [first, .., last] => write!(f, "{comma}{first}-{last}")?,
                [] => {}
            }
        }
        Ok(())
    }
}

impl Scope {
    /// For each value of the parameter vector whether it moves. Of a layer, what
    /// batch normalisation has gathered counts as its own.
    ///
    /// # Errors
    /// When it names what the network does not have.
    pub fn mask(&self, layout: &Layout) -> Result<Vec<bool>, ScopeError> {
        let mut mask = vec![*self == Scope::Whole; layout.len()];
        match self {
            Scope::Whole => {}
            Scope::Layers(layers) => {
                for &layer in layers {
                    let mut found = false;
                    for tensor in layout.tensors().iter().filter(|t| t.layer == layer) {
                        mask[tensor.range.clone()].fill(true);
                        found = true;
                    }
                    if !found {
                        let mut with: Vec<usize> =
                            layout.tensors().iter().map(|t| t.layer).collect();
                        with.sort_unstable();
                        with.dedup();
                        let with: Vec<String> = with.iter().map(usize::to_string).collect();
                        return Err(ScopeError::NoLayer {
                            layer,
                            with: with.join(", "),
                        });
                    }
                }
            }
            Scope::Parameters(indices) => {
                let len = layout.trainable();
                for &index in indices {
                    if index >= len {
                        return Err(ScopeError::NoParameter { index, len });
                    }
                    mask[index] = true;
                }
            }
        }
        Ok(mask)
    }

    /// The indices of the parameters that move and that training moves too,
    /// ascending.
    ///
    /// # Errors
    /// When it names what the network does not have.
    pub fn indices(&self, layout: &Layout) -> Result<Vec<usize>, ScopeError> {
        let mask = self.mask(layout)?;
        Ok((0..layout.trainable()).filter(|&i| mask[i]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Loss, Network};

    #[test]
    fn scopes_are_read_as_they_are_written() {
        for text in ["all", "layers:0,2", "parameters:0,5-9,11", "layers:0-3"] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        assert_eq!(
            "parameters:7,3,3-5".parse::<Scope>().unwrap(),
            Scope::Parameters(vec![3, 4, 5, 7])
        );
        for bad in [
            "",
            "layers",
            "layers:",
            "layers:x",
            "rows:1",
            "parameters:5-3",
            "parameters:0-99999999999",
            "parameters:-1",
        ] {
            assert!(bad.parse::<Scope>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_scope_moves_what_it_names_and_refuses_what_is_not_there() {
        let layers = [(2, Activation::Tanh), (1, Activation::Linear)];
        let network = Network::dense(2, &layers, Loss::HalfSquaredError).unwrap();
        let layout = network.layout();
        assert_eq!(layout.len(), 9);
        let indices = |text: &str| text.parse::<Scope>().unwrap().indices(layout);
        assert_eq!(indices("all").unwrap(), (0..9).collect::<Vec<_>>());
        assert_eq!(indices("layers:1").unwrap(), [6, 7, 8]);
        assert_eq!(indices("parameters:2,4-5").unwrap(), [2, 4, 5]);
        let error = indices("layers:4").unwrap_err().to_string();
        assert!(error.contains("are 0, 1, counted from 0"), "{error}");
        assert!(matches!(
            indices("parameters:9"),
            Err(ScopeError::NoParameter { index: 9, len: 9 })
        ));
    }
}
