//! Curves without their jitter.

/// An exponential moving average of `values`: each is `1 - weight` of itself and `weight`
/// of the average before it, divided by the share that real values have in it so that the
/// first counts as itself. That is what TensorBoard's smoothing does. Values that are not
/// finite stay as they are and count for nothing.
pub fn smoothed(values: &[f64], weight: f64) -> Vec<f64> {
    let (mut average, mut share) = (0.0, 0.0);
    let step = |&value: &f64| {
        if !value.is_finite() {
            return value;
        }
        average = weight * average + (1.0 - weight) * value;
        share = weight * share + (1.0 - weight);
        match share > 0.0 {
            true => average / share,
            false => value,
        }
    };
    values.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_stays_and_a_step_is_approached() {
        assert_eq!(smoothed(&[3.0; 4], 0.5), [3.0; 4]);
        // By hand: 0, then (0.5 * 0 + 0.5 * 1) / 0.75, then (0.25 + 0.5) / 0.875.
        let found = smoothed(&[0.0, 1.0, 1.0], 0.5);
        for (a, b) in found.iter().zip([0.0, 2.0 / 3.0, 6.0 / 7.0]) {
            assert!((a - b).abs() < 1e-12);
        }
        assert_eq!(smoothed(&[1.0, 5.0, 2.0], 0.0), [1.0, 5.0, 2.0]);
        let odd = smoothed(&[1.0, f64::NAN, 1.0], 0.9);
        assert!(odd[1].is_nan() && (odd[2] - 1.0).abs() < 1e-12);
    }
}
