//! Ways to choose the two directions of a plane.

use super::plane::{Plane, PlaneError};
use super::scope::{Scope, ScopeError};
use super::span::cheap;
use crate::nn::Layout;
use crate::train::PathPoint;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Which two directions span the plane. [`span`](super::span) makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Directions {
    /// The axes of two parameters, by index in the flat vector, from 0.
    Weights(usize, usize),
    /// Two random directions, filter-normalised (Li et al. 2018,
    /// arXiv:1712.09913): Gaussian, then the weights of each unit, or of each
    /// filter with all its channels, scaled to the norm of those weights in the
    /// network. Parameters that are a single number a unit do not move: biases,
    /// and the gains, shifts and slopes of normalisations and learnt ReLUs (their
    /// `ignore='biasbn'`).
    Random {
        /// Which random directions.
        seed: u64,
    },
    /// The first two principal components of the optimiser's path: the plane
    /// that holds most of it. Random directions are almost orthogonal to any
    /// path through many parameters and show little of it (Li et al. 2018,
    /// section 7).
    Path,
    /// The eigenvectors of the two eigenvalues of the Hessian that are largest
    /// in absolute value: where the loss bends most.
    Hessian,
    /// The eigenvectors of the largest and of the smallest eigenvalue of the
    /// Hessian, which is the most negative one where there are negative ones:
    /// the steepest wall beside the way down.
    HessianEnds,
    /// Steepest descent `-g`, and what the Hessian makes of it, `H g` without
    /// its part along `g`: the way down, and the way that it turns.
    Gradient,
    /// The plane through three places of the run's recorded path, those nearest
    /// to these steps: the first at (0, 0), the second at (1, 0), the third at
    /// (0, 1). Its centre is the first ([`LAST_STEP`] is the last).
    Checkpoints([u64; 3]),
}

/// In [`Directions::Checkpoints`] the last recorded place. (Settings files hold
/// whole numbers up to this.)
pub const LAST_STEP: u64 = i64::MAX as u64;

/// Why directions cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectionsError {
    /// Not a way to choose directions.
    #[error(
        "{0:?} names no directions; give weights:I,J with two parameter indices, random, \
         random:SEED, path, hessian, hessian:ends, gradient, or checkpoints:A,B,C with three \
         steps of a run (or initial, last)"
    )]
    Syntax(String),
    /// There is no such parameter.
    #[error("there is no parameter {index}; this network has {len}, numbered from 0")]
    NoParameter {
        /// The index given.
        index: usize,
        /// How many there are.
        len: usize,
    },
    /// The same parameter twice.
    #[error("both directions are parameter {0}; give two different ones")]
    SameParameter(usize),
    /// There is no path, or one that spans no plane.
    #[error(
        "the path has fewer than three different points, or is straight, and spans no plane; \
         train first, or choose other directions"
    )]
    NoPath,
    /// No checkpoints to take.
    #[error("there is no recorded path to take checkpoints from; train first")]
    NoCheckpoints,
    /// Two of the steps lie nearest to the same recorded place.
    #[error(
        "steps {0:?} are nearest to the recorded places {1:?}, which span no plane; give three \
         steps that lie farther apart"
    )]
    SameCheckpoints([u64; 3], [u64; 3]),
    /// It is flat or level here.
    #[error("the gradient is zero here, so there is no way down; choose other directions")]
    NoGradient,
    /// The Hessian leaves the gradient's direction as it is.
    #[error(
        "the Hessian does not turn the gradient here, so that there is one direction and no \
         second; choose other directions"
    )]
    NoTurn,
    /// There are fewer than two different eigenvectors with an eigenvalue.
    #[error(
        "the Hessian is zero, or has a single eigenvalue that is not, here; choose other directions"
    )]
    NoCurvature,
    /// Numbers are not finite here.
    #[error("the loss, its gradient or its Hessian is not finite here")]
    NotFinite,
    /// A plane needs the loss, and there is none to differentiate.
    #[error("these directions follow from the loss and its derivatives, which are not at hand")]
    NeedsLoss,
    /// A parameter that is to move does not.
    #[error("parameter {index} does not move within {scope}; choose other parameters")]
    OutsideScope {
        /// The parameter.
        index: usize,
        /// What moves.
        scope: String,
    },
    /// A plane takes two parameters.
    #[error("{0} has fewer than two parameters that move, and a plane takes two")]
    SmallScope(String),
    /// It was called off.
    #[error("called off")]
    Cancelled,
    /// What should move is not there.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// They span no plane.
    #[error(transparent)]
    Plane(#[from] PlaneError),
}

/// A step, `initial` or `last`.
fn step(text: &str) -> Option<u64> {
    match text.trim() {
        "initial" => Some(0),
        "last" => Some(LAST_STEP),
        number => number.parse().ok().filter(|&s| s <= LAST_STEP),
    }
}

impl FromStr for Directions {
    type Err = DirectionsError;

    /// `weights:I,J`, `random`, `random:SEED`, `path`, `hessian`,
    /// `hessian:ends`, `gradient` or `checkpoints:A,B,C`.
    fn from_str(text: &str) -> Result<Self, DirectionsError> {
        let bad = || DirectionsError::Syntax(text.to_owned());
        match text.split_once(':') {
            None => match text {
                "path" => Ok(Directions::Path),
                "random" => Ok(Directions::Random { seed: 0 }),
                "hessian" => Ok(Directions::Hessian),
                "gradient" => Ok(Directions::Gradient),
                _ => Err(bad()),
            },
            Some(("hessian", "ends")) => Ok(Directions::HessianEnds),
            Some(("random", seed)) => Ok(Directions::Random {
                seed: seed.parse().map_err(|_| bad())?,
            }),
            Some(("weights", pair)) => {
                let (i, j) = pair.split_once(',').ok_or_else(bad)?;
                let parse = |s: &str| s.trim().parse::<usize>().map_err(|_| bad());
                Ok(Directions::Weights(parse(i)?, parse(j)?))
            }
            Some(("checkpoints", three)) => {
                let steps: Option<Vec<u64>> = three.split(',').map(step).collect();
                let steps = steps.and_then(|s| <[u64; 3]>::try_from(s).ok());
                Ok(Directions::Checkpoints(steps.ok_or_else(bad)?))
            }
            _ => Err(bad()),
        }
    }
}

impl std::fmt::Display for Directions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Directions::Weights(i, j) => write!(f, "weights:{i},{j}"),
            Directions::Random { seed } => write!(f, "random:{seed}"),
            Directions::Path => f.write_str("path"),
            Directions::Hessian => f.write_str("hessian"),
            Directions::HessianEnds => f.write_str("hessian:ends"),
            Directions::Gradient => f.write_str("gradient"),
            Directions::Checkpoints(steps) => {
                let word = |s: u64| match s {
                    LAST_STEP => "last".to_owned(),
                    s => s.to_string(),
                };
                let [a, b, c] = steps.map(word);
                write!(f, "checkpoints:{a},{b},{c}")
            }
        }
    }
}

impl Directions {
    /// Whether they need a recorded path.
    pub fn need_path(&self) -> bool {
        matches!(self, Directions::Path | Directions::Checkpoints(_))
    }

    /// Whether they follow from the derivatives of the loss, so that
    /// [`span`](super::span) takes as long as some evaluations of it and only
    /// that makes them.
    pub fn need_loss(&self) -> bool {
        matches!(
            self,
            Directions::Hessian | Directions::HessianEnds | Directions::Gradient
        )
    }

    /// The plane through `center` along these directions, where they need
    /// neither a path nor the loss.
    ///
    /// # Errors
    /// When there is no such plane.
    pub fn plane(&self, layout: &Layout, center: &[f32]) -> Result<Plane, DirectionsError> {
        self.plane_along(layout, center, &[])
    }

    /// The plane through `center` along these directions, for a run that came
    /// along `path`, where they do not need the loss.
    ///
    /// # Errors
    /// When there is no such plane; [`DirectionsError::NeedsLoss`] where only
    /// [`span`](super::span) can make it.
    pub fn plane_along(
        &self,
        layout: &Layout,
        center: &[f32],
        path: &[PathPoint],
    ) -> Result<Plane, DirectionsError> {
        cheap(*self, layout, center, path, &Scope::Whole)?
            .map(|spanned| spanned.plane)
            .ok_or(DirectionsError::NeedsLoss)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_read_as_they_are_written() {
        for d in [
            Directions::Weights(3, 17),
            Directions::Random { seed: 9 },
            Directions::Path,
            Directions::Hessian,
            Directions::HessianEnds,
            Directions::Gradient,
            Directions::Checkpoints([0, 120, LAST_STEP]),
        ] {
            assert_eq!(d.to_string().parse::<Directions>().unwrap(), d);
        }
        assert_eq!(
            "checkpoints:initial,5,last".parse::<Directions>().unwrap(),
            Directions::Checkpoints([0, 5, LAST_STEP])
        );
        for bad in [
            "weights",
            "weights:1",
            "weights:a,b",
            "pca",
            "random:x",
            "path:1",
            "hessian:1",
            "checkpoints",
            "checkpoints:1,2",
            "checkpoints:1,2,3,4",
        ] {
            assert!(bad.parse::<Directions>().is_err(), "{bad}");
        }
    }
}
