//! Where an axis has its numbers, and how they are written.

/// Multiples of 1, 2 or 5 times a power of ten within `lo..=hi`, about `wanted`
/// of them. Empty when the interval is.
pub fn nice_ticks(lo: f64, hi: f64, wanted: usize) -> Vec<f64> {
    if !(lo.is_finite() && hi.is_finite() && lo < hi) {
        return Vec::new();
    }
    let raw = (hi - lo) / wanted.max(1) as f64;
    let exponent = raw.log10().floor();
    let mantissa = match raw / 10f64.powf(exponent) {
        r if r <= 1.5 => 1.0,
        r if r <= 3.5 => 2.0,
        r if r <= 7.5 => 5.0,
        _ => 10.0,
    };
    // Divided by a whole power of ten a tick is rounded once: 6 / 10 is 0.6,
    // and 6 times 0.1 is not.
    let tick = |k: f64| match exponent {
        e if e < 0.0 => k * mantissa / 10f64.powf(-e),
        e => k * mantissa * 10f64.powf(e),
    };
    let step = tick(1.0);
    if !(step.is_finite() && step > 0.0) {
        return Vec::new();
    }
    let slack = 1e-9 * step;
    let first = ((lo - slack) / step).ceil();
    let last = ((hi + slack) / step).floor();
    let count = (last - first).clamp(0.0, 1000.0) as usize;
    (0..=count)
        // Adding 0 turns -0 into 0.
        .map(|i| tick(first + i as f64) + 0.0)
        .filter(|t| (lo - slack..=hi + slack).contains(t))
        .collect()
}

/// Powers of ten within `lo..=hi`, both above 0, with 2 and 5 times them where
/// there are few.
pub fn log_ticks(lo: f64, hi: f64) -> Vec<f64> {
    if !(lo > 0.0 && hi.is_finite() && lo < hi) {
        return Vec::new();
    }
    let (first, last) = (lo.log10().floor() as i32, hi.log10().ceil() as i32);
    let decades = (hi / lo).log10();
    let factors: &[f64] = match decades {
        d if d > 3.0 => &[1.0],
        d if d > 1.0 => &[1.0, 3.0],
        _ => &[1.0, 2.0, 3.0, 5.0, 7.0],
    };
    let every = ((decades / 8.0).ceil() as i32).max(1);
    (first..=last)
        .filter(|p| p.rem_euclid(every) == 0)
        .flat_map(|p| factors.iter().map(move |f| f * 10f64.powi(p)))
        .filter(|t| (lo * (1.0 - 1e-9)..=hi * (1.0 + 1e-9)).contains(t))
        .collect()
}

/// A number on an axis: short, and exact for ticks.
pub fn tick_label(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let size = value.abs();
    if !(1e-3..1e5).contains(&size) {
        let text = format!("{value:.2e}");
        // 1.00e-4 as 1e-4
        return match text.split_once('e') {
            Some((digits, power)) => {
                let digits = digits.trim_end_matches('0').trim_end_matches('.');
                format!("{digits}e{power}")
            }
            None => text,
        };
    }
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_inside_the_interval() {
        assert_eq!(nice_ticks(-1.0, 1.0, 4), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert_eq!(
            nice_ticks(0.0, 300.0, 6),
            [0.0, 50.0, 100.0, 150.0, 200.0, 250.0, 300.0]
        );
        assert_eq!(nice_ticks(0.13, 0.68, 3), [0.2, 0.4, 0.6]);
        assert!(nice_ticks(1.0, 1.0, 4).is_empty());
        assert!(nice_ticks(f64::NAN, 1.0, 4).is_empty());
        for (lo, hi) in [(-3e-7, 5e-9), (1e8, 3e8), (-0.77, 12.0), (0.999, 1.001)] {
            let ticks = nice_ticks(lo, hi, 5);
            assert!((3..=11).contains(&ticks.len()), "{lo} {hi} {ticks:?}");
            assert!(ticks.iter().all(|t| *t >= lo && *t <= hi), "{ticks:?}");
        }
    }

    #[test]
    fn log_ticks_are_powers_of_ten() {
        assert_eq!(
            log_ticks(0.001, 100.0),
            [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]
        );
        assert!(log_ticks(0.0, 1.0).is_empty());
        assert!(log_ticks(1e-30, 1e30).len() <= 16);
        assert!(!log_ticks(0.4, 0.9).is_empty());
    }

    #[test]
    fn labels_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.30000000000000004, "0.3"),
            (-2.5, "-2.5"),
            (1e-4, "1e-4"),
            (2500000.0, "2.5e6"),
            (300.0, "300"),
        ] {
            assert_eq!(tick_label(value), text);
        }
    }
}
