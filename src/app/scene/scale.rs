//! From numbers to colour and thickness: what counts as large, and a table of
//! the diverging map.

use super::super::theme::linear;
use crate::colormap::Diverging;
use bevy::prelude::*;

/// What counts as full strength among `values`: the largest magnitude, but at
/// most three times the root mean square, so that one outlier does not make all
/// others vanish. 0 where nothing is finite and non-zero.
pub fn robust_max(values: &[f32]) -> f32 {
    let (mut most, mut squares, mut count) = (0.0f32, 0.0f32, 0u32);
    for &value in values {
        if value.is_finite() {
            most = most.max(value.abs());
            squares += value * value;
            count += 1;
        }
    }
    let rms = (squares / count.max(1) as f32).sqrt();
    most.min(3.0 * rms)
}

/// A scale that stays where it is until what it has to fit has moved away by
/// the factor `slack`: a scale that breathed with every step would make
/// everything flicker.
pub fn settle(current: f32, wanted: f32, slack: f32) -> f32 {
    if wanted <= 0.0 || !wanted.is_finite() {
        return current;
    }
    let ratio = wanted / current;
    if (1.0 / slack..=slack).contains(&ratio) {
        current
    } else {
        wanted
    }
}

/// A diverging map as a table in linear light: blending in OKLab for each of
/// tens of thousands of connections a frame would cost more than drawing them.
#[derive(Debug, Clone)]
pub struct Ramp {
    colors: Vec<LinearRgba>,
}

/// Entries on each side of zero.
const STEPS: usize = 128;

impl Ramp {
    /// The table of `map`.
    pub fn new(map: &Diverging) -> Self {
        let colors = (0..=2 * STEPS)
            .map(|i| linear(map.at(i as f32 / STEPS as f32 - 1.0)))
            .collect();
        Ramp { colors }
    }

    /// The colour of `t`, clamped to -1 to 1; NaN is zero.
    pub fn at(&self, t: f32) -> LinearRgba {
        let t = if t.is_nan() { 0.0 } else { t.clamp(-1.0, 1.0) };
        self.colors[((t + 1.0) * STEPS as f32).round() as usize]
    }
}

/// `t` with its magnitude replaced by the root of it: small values stay visible
/// and the order stays what it was.
pub fn signed_root(t: f32) -> f32 {
    t.abs().sqrt().copysign(t)
}

#[cfg(test)]
mod tests {
    use super::super::super::theme::Theme;
    use super::*;

    #[test]
    fn full_strength_is_the_largest_value_unless_it_is_an_outlier() {
        assert_eq!(robust_max(&[0.5, -2.0, 1.0]), 2.0);
        let mut values = vec![0.1; 1000];
        values[3] = 100.0;
        assert!(robust_max(&values) < 10.0);
        assert_eq!(robust_max(&[0.0, f32::NAN]), 0.0);
        assert_eq!(robust_max(&[]), 0.0);
    }

    #[test]
    fn a_scale_holds_still_under_small_changes_and_follows_large_ones() {
        assert_eq!(settle(1.0, 1.1, 1.2), 1.0);
        assert_eq!(settle(1.0, 1.3, 1.2), 1.3);
        assert_eq!(settle(1.0, 0.5, 1.2), 0.5);
        assert_eq!(settle(1.0, 0.0, 1.2), 1.0);
        assert_eq!(settle(0.0, 0.5, 1.2), 0.5);
    }

    #[test]
    fn the_table_agrees_with_the_map() {
        let map = Theme::DARK.palette().diverging;
        let ramp = Ramp::new(&map);
        assert_eq!(ramp.at(-7.0), linear(map.at(-1.0)));
        assert_eq!(ramp.at(f32::NAN), linear(map.at(0.0)));
        assert_eq!(ramp.at(0.5), linear(map.at(0.5)));
    }
}
