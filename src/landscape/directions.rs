//! Ways to choose the two directions of a plane.

use super::plane::{Plane, PlaneError};
use super::principal::principal_plane;
use crate::nn::{Layout, ParamRole};
use crate::rng::{Rng, Stream, stream};
use crate::train::PathPoint;
use rand::RngExt;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Which two directions span the plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Directions {
    /// The axes of two parameters, by index in the flat vector.
    Weights(usize, usize),
    /// Two random directions, filter-normalised (Li et al. 2018,
    /// arXiv:1712.09913): Gaussian, then each unit's row of weights scaled to
    /// the norm of that row in the network; biases do not move.
    Random {
        /// Which random directions.
        seed: u64,
    },
    /// The first two principal components of the optimiser's path: the plane
    /// that holds most of it. Random directions are almost orthogonal to any
    /// path through many parameters and show little of it (Li et al. 2018,
    /// section 7).
    Path,
}

/// Why directions cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectionsError {
    /// Not a way to choose directions.
    #[error(
        "{0:?} names no directions; give weights:I,J with two parameter indices, random, random:SEED, or path"
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
    /// They span no plane.
    #[error(transparent)]
    Plane(#[from] PlaneError),
}

impl FromStr for Directions {
    type Err = DirectionsError;

    /// `weights:I,J`, `random`, `random:SEED` or `path`.
    fn from_str(text: &str) -> Result<Self, DirectionsError> {
        let bad = || DirectionsError::Syntax(text.to_owned());
        match text.split_once(':') {
            None if text == "path" => Ok(Directions::Path),
            None if text == "random" => Ok(Directions::Random { seed: 0 }),
            Some(("random", seed)) => Ok(Directions::Random {
                seed: seed.parse().map_err(|_| bad())?,
            }),
            Some(("weights", pair)) => {
                let (i, j) = pair.split_once(',').ok_or_else(bad)?;
                let parse = |s: &str| s.trim().parse::<usize>().map_err(|_| bad());
                Ok(Directions::Weights(parse(i)?, parse(j)?))
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
        }
    }
}

impl Directions {
    /// The plane through `center` along these directions, where they need no path.
    pub fn plane(&self, layout: &Layout, center: &[f32]) -> Result<Plane, DirectionsError> {
        self.plane_along(layout, center, &[])
    }

    /// The plane through `center` along these directions, for a run that came
    /// along `path`.
    pub fn plane_along(
        &self,
        layout: &Layout,
        center: &[f32],
        path: &[PathPoint],
    ) -> Result<Plane, DirectionsError> {
        let len = layout.len();
        let (x, y) = match *self {
            Directions::Path => {
                let points: Vec<&[f32]> = path.iter().map(|p| &*p.params).collect();
                let found = principal_plane(center, &points)?;
                return found.map(|(plane, _)| plane).ok_or(DirectionsError::NoPath);
            }
            Directions::Weights(i, j) => {
                if let Some(&index) = [i, j].iter().find(|&&k| k >= len) {
                    return Err(DirectionsError::NoParameter { index, len });
                }
                if i == j {
                    return Err(DirectionsError::SameParameter(i));
                }
                let unit = |k: usize| {
                    let mut direction = vec![0.0; len];
                    direction[k] = 1.0;
                    direction
                };
                (unit(i), unit(j))
            }
            Directions::Random { seed } => {
                let mut rng = stream(seed, Stream::Directions);
                let x = filter_normalised(layout, center, &mut rng);
                (x, filter_normalised(layout, center, &mut rng))
            }
        };
        Ok(Plane::new(center.to_vec(), x, y)?)
    }
}

fn filter_normalised(layout: &Layout, center: &[f32], rng: &mut Rng) -> Vec<f32> {
    let mut direction = vec![0.0_f32; layout.len()];
    for tensor in layout.tensors() {
        if tensor.role == ParamRole::Bias {
            continue;
        }
        let row: usize = tensor.shape[1..].iter().product();
        let rows = direction[tensor.range.clone()].chunks_exact_mut(row);
        for (d, w) in rows.zip(center[tensor.range.clone()].chunks_exact(row)) {
            d.iter_mut().for_each(|v| *v = rng.sample(StandardNormal));
            let scale = norm(w) / norm(d).max(f64::MIN_POSITIVE);
            d.iter_mut()
                .for_each(|v| *v = (f64::from(*v) * scale) as f32);
        }
    }
    direction
}

fn norm(row: &[f32]) -> f64 {
    row.iter()
        .map(|&v| f64::from(v).powi(2))
        .sum::<f64>()
        .sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Loss, Network};

    #[test]
    fn random_directions_have_the_norms_of_the_weights_rows_and_leave_biases() {
        let network = Network::dense(
            3,
            &[(4, Activation::Tanh), (2, Activation::Linear)],
            Loss::HalfSquaredError,
        )
        .unwrap();
        let layout = network.layout();
        let center: Vec<f32> = (0..layout.len()).map(|i| 0.3 * i as f32 - 2.0).collect();
        let plane = Directions::Random { seed: 5 }
            .plane(layout, &center)
            .unwrap();
        for direction in [plane.direction_x(), plane.direction_y()] {
            for tensor in layout.tensors() {
                let part = &direction[tensor.range.clone()];
                if tensor.role == ParamRole::Bias {
                    assert!(part.iter().all(|&v| v == 0.0));
                    continue;
                }
                let row = tensor.shape[1];
                let weights = center[tensor.range.clone()].chunks(row);
                for (d, w) in part.chunks(row).zip(weights) {
                    assert!((norm(d) / norm(w) - 1.0).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn directions_are_read_as_they_are_written() {
        for d in [
            Directions::Weights(3, 17),
            Directions::Random { seed: 9 },
            Directions::Path,
        ] {
            assert_eq!(d.to_string().parse::<Directions>().unwrap(), d);
        }
        for bad in [
            "weights",
            "weights:1",
            "weights:a,b",
            "pca",
            "random:x",
            "path:1",
        ] {
            assert!(bad.parse::<Directions>().is_err(), "{bad}");
        }
    }
}
