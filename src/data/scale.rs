//! Scaling of features: fitted on the training part, applied to every part.

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut2, Axis};
use serde::{Deserialize, Serialize};

use super::config::Scale;

/// An affine map of each feature, `x' = (x - shift) * factor`.
///
/// Pixels share one shift and one factor, so that an image stays an image: a
/// pixel that is almost always black is not blown up to the size of the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scaler {
    /// How it was fitted; never [`Scale::Auto`].
    pub scale: Scale,
    /// What is subtracted, one number a feature, in the feature's units.
    pub shift: Vec<f32>,
    /// What the difference is multiplied by, one number a feature; never 0.
    pub factor: Vec<f32>,
}

impl Scaler {
    /// The scaler that leaves `n_features` features as they are.
    pub fn identity(n_features: usize) -> Self {
        Self {
            scale: Scale::None,
            shift: vec![0.0; n_features],
            factor: vec![1.0; n_features],
        }
    }

    /// Fits to `x`, `[samples, features]`, each feature by itself or all
    /// together. A feature that never varies is shifted to 0 and not stretched.
    ///
    /// The standard deviation is that of the samples themselves (divided by n).
    /// [`Scale::Auto`] is taken as [`Scale::Standard`]; the choice by kind of
    /// data is made in [`prepare`](super::prepare).
    pub fn fit(scale: Scale, x: ArrayView2<f32>, together: bool) -> Self {
        let n_features = x.ncols();
        if scale == Scale::None || x.is_empty() {
            return Self {
                scale,
                ..Self::identity(n_features)
            };
        }
        let scale = if scale == Scale::Auto {
            Scale::Standard
        } else {
            scale
        };
        let fitted: Vec<(f32, f32)> = if together {
            vec![fit_one(scale, x.iter().copied()); n_features]
        } else {
            x.axis_iter(Axis(1))
                .map(|column| fit_one(scale, column.iter().copied()))
                .collect()
        };
        let (shift, factor) = fitted.into_iter().unzip();
        Self {
            scale,
            shift,
            factor,
        }
    }

    /// The number of features that it was fitted to.
    pub fn n_features(&self) -> usize {
        self.shift.len()
    }

    /// Scales `x`, `[samples, features]`, in place.
    pub fn apply(&self, mut x: ArrayViewMut2<f32>) {
        for mut row in x.rows_mut() {
            for (j, value) in row.iter_mut().enumerate() {
                *value = self.scaled(j, *value);
            }
        }
    }

    /// The scaled value of feature `j`.
    pub fn scaled(&self, j: usize, value: f32) -> f32 {
        (value - self.shift[j]) * self.factor[j]
    }

    /// The value of feature `j`, in its own units, that scales to `value`.
    pub fn unscaled(&self, j: usize, value: f32) -> f32 {
        value / self.factor[j] + self.shift[j]
    }

    /// Takes one sample, `[features]`, back into the features' own units.
    pub fn invert(&self, x: ArrayView1<f32>) -> Vec<f32> {
        x.iter()
            .enumerate()
            .map(|(j, &value)| self.unscaled(j, value))
            .collect()
    }
}

/// Shift and factor of one set of values, in double precision throughout.
fn fit_one(scale: Scale, values: impl Iterator<Item = f32> + Clone) -> (f32, f32) {
    let values = values.map(f64::from);
    let (least, greatest) = values
        .clone()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, g), v| {
            (l.min(v), g.max(v))
        });
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let (shift, width) = match scale {
        Scale::MinMax => (least, greatest - least),
        _ => (
            mean,
            (values.map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt(),
        ),
    };
    let factor = (1.0 / width) as f32;
    if greatest == least || !factor.is_finite() || factor == 0.0 {
        return (shift as f32, 1.0);
    }
    (shift as f32, factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn standard_scaling_gives_mean_zero_and_deviation_one() {
        let mut x = array![[1.0, 10.0], [3.0, 30.0]];
        let scaler = Scaler::fit(Scale::Standard, x.view(), false);
        assert_eq!(
            (scaler.shift.as_slice(), scaler.factor.as_slice()),
            (&[2.0, 20.0][..], &[1.0, 0.1][..])
        );
        scaler.apply(x.view_mut());
        assert_eq!(x, array![[-1.0, -1.0], [1.0, 1.0]]);
    }

    #[test]
    fn min_max_scaling_gives_zero_to_one() {
        let mut x = array![[2.0, 5.0], [4.0, 5.0], [3.0, 5.0]];
        Scaler::fit(Scale::MinMax, x.view(), false).apply(x.view_mut());
        assert_eq!(x, array![[0.0, 0.0], [1.0, 0.0], [0.5, 0.0]]);
    }

    #[test]
    fn a_constant_feature_stays_finite_under_every_scale() {
        for value in [0.1_f32, -7.0, 1e30] {
            let x = array![[value], [value], [value]];
            for scale in [Scale::None, Scale::Standard, Scale::MinMax] {
                let mut scaled = x.clone();
                Scaler::fit(scale, x.view(), false).apply(scaled.view_mut());
                assert!(scaled.iter().all(|v| v.is_finite()));
            }
        }
    }

    #[test]
    fn pixels_are_scaled_together() {
        let mut x = array![[0.0, 0.0], [0.0, 16.0]];
        Scaler::fit(Scale::MinMax, x.view(), true).apply(x.view_mut());
        assert_eq!(x, array![[0.0, 0.0], [0.0, 1.0]]);
    }

    #[test]
    fn inverting_gives_back_the_features_own_units() {
        let x = array![[1.5, -3.0], [2.5, 9.0], [7.0, 4.0]];
        let scaler = Scaler::fit(Scale::Standard, x.view(), false);
        let mut scaled = x.clone();
        scaler.apply(scaled.view_mut());
        for (row, original) in scaled.rows().into_iter().zip(x.rows()) {
            for (back, original) in scaler.invert(row).iter().zip(original) {
                assert!((back - original).abs() < 1e-5);
            }
        }
    }
}
