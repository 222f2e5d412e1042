//! A colour map as a table, for pictures that are coloured anew many times a second.

use super::matrices::HeatColors;
use super::style::Style;

/// Colours of a [`HeatColors`] at equal steps, as sRGB bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatTable {
    colors: HeatColors,
    table: Vec<[u8; 3]>,
}

/// An odd number, so that zero has a colour of its own, and so many that neighbours differ
/// by one step of a byte or two.
const STEPS: usize = 511;

impl HeatTable {
    /// The table of `colors` in a style.
    pub fn new(colors: HeatColors, style: &Style) -> Self {
        let range = match colors {
            HeatColors::Diverging => [-1.0, 1.0],
            _ => [0.0, 1.0],
        };
        let value = |k: usize| range[0] + (range[1] - range[0]) * k as f32 / (STEPS - 1) as f32;
        let table = (0..STEPS).map(|k| colors.at(style, value(k), range).bytes());
        HeatTable {
            colors,
            table: table.collect(),
        }
    }

    /// The colour of `value` between `low` and `high`: that of [`HeatColors::at`] to a step
    /// of the table. What is no number is drawn as zero, or as the least.
    pub fn at(&self, value: f32, [low, high]: [f32; 2]) -> [u8; 3] {
        let share = match self.colors {
            HeatColors::Diverging => 0.5 + 0.5 * value / high.max(f32::MIN_POSITIVE),
            _ => (value - low) / (high - low).max(f32::MIN_POSITIVE),
        };
        let share = match share.is_nan() {
            true if self.colors == HeatColors::Diverging => 0.5,
            true => 0.0,
            false => share.clamp(0.0, 1.0),
        };
        self.table[(share * (STEPS - 1) as f32).round() as usize]
    }

    /// How numbers become colours.
    pub fn colors(&self) -> HeatColors {
        self.colors
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Tone;

    #[test]
    fn the_table_is_the_map_to_a_step() {
        for tone in [Tone::Dark, Tone::Light] {
            let style = tone.style();
            for colors in [
                HeatColors::Diverging,
                HeatColors::Sequential,
                HeatColors::Hot,
            ] {
                let table = HeatTable::new(colors, &style);
                let range = match colors {
                    HeatColors::Diverging => [-2.5, 2.5],
                    _ => [-0.5, 2.5],
                };
                for k in 0..=300 {
                    let value = -3.0 + 0.02 * k as f32;
                    let exact = colors.at(&style, value, range).bytes();
                    let ours = table.at(value, range);
                    let near = exact.iter().zip(ours).all(|(a, b)| a.abs_diff(b) <= 3);
                    assert!(near, "{colors:?} {value}: {exact:?} {ours:?}");
                }
            }
            let signed = HeatTable::new(HeatColors::Diverging, &style);
            let zero = style.diverging.zero.bytes();
            assert_eq!(signed.at(0.0, [-1.0, 1.0]), zero);
            assert_eq!(signed.at(f32::NAN, [-1.0, 1.0]), zero);
        }
    }
}
