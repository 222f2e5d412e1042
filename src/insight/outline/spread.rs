//! How the weights of a node are distributed, in a few numbers.

/// Count, mean, standard deviation, ends.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spread {
    /// How many there are.
    pub count: usize,
    /// How many of them are not finite; the other figures are of the rest.
    pub not_finite: usize,
    /// How many are exactly zero.
    pub zeros: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, divided by their number (not one less).
    pub deviation: f64,
    /// The least.
    pub least: f32,
    /// The greatest.
    pub greatest: f32,
}

impl Spread {
    /// Of all `parts` together; `None` where there are no finite numbers.
    pub fn of<'a>(parts: impl Iterator<Item = &'a [f32]> + Clone) -> Option<Self> {
        let mut spread = Spread {
            least: f32::INFINITY,
            greatest: f32::NEG_INFINITY,
            ..Spread::default()
        };
        let mut sum = 0.0;
        for &value in parts.clone().flatten() {
            spread.count += 1;
            if !value.is_finite() {
                spread.not_finite += 1;
                continue;
            }
            spread.zeros += usize::from(value == 0.0);
            sum += f64::from(value);
            spread.least = spread.least.min(value);
            spread.greatest = spread.greatest.max(value);
        }
        let finite = spread.count - spread.not_finite;
        if finite == 0 {
            return None;
        }
        spread.mean = sum / finite as f64;
        // The second time around the mean is known, and nothing cancels.
        let off = |value: &f32| (f64::from(*value) - spread.mean).powi(2);
        let squares: f64 = parts.flatten().filter(|v| v.is_finite()).map(off).sum();
        spread.deviation = (squares / finite as f64).sqrt();
        Some(spread)
    }
}
