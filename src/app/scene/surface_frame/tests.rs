use super::*;
use ndarray::Array2;

fn bowl(n: usize, floor: f64) -> Surface {
    let axis: Vec<f64> = (0..n)
        .map(|i| -1.0 + 2.0 * i as f64 / (n - 1) as f64)
        .collect();
    let loss = Array2::from_shape_fn((n, n), |(j, i)| floor + axis[i].powi(2) + axis[j].powi(2));
    Surface {
        x: axis.clone(),
        y: axis,
        loss,
    }
}

#[test]
fn the_corners_of_the_plane_are_the_corners_of_the_box() {
    let surface = bowl(9, 0.0);
    let path = PathOnPlane::default();
    let frame = SurfaceFrame::new(&surface, &path, (0.0, 0.0), false).unwrap();
    assert_eq!(frame.place(-1.0, -1.0, 0.0), Vec3::new(-5.0, 0.0, 5.0));
    assert_eq!(frame.place(1.0, 1.0, 2.0), Vec3::new(5.0, 4.0, -5.0));
    assert_eq!(frame.place(0.0, 0.0, 1.0), Vec3::new(0.0, 2.0, 0.0));
}

#[test]
fn heights_rise_with_the_loss_on_both_scales_and_a_zero_loss_is_at_the_floor() {
    for log in [false, true] {
        let scale = HeightScale::new(&bowl(9, 0.0), &PathOnPlane::default(), log);
        let heights: Vec<f64> = [0.0, 0.01, 0.3, 1.0, 2.0]
            .iter()
            .map(|&l| scale.fraction(l))
            .collect();
        assert_eq!(heights[0], 0.0);
        assert!(heights.windows(2).all(|w| w[0] < w[1]), "{heights:?}");
        assert!(heights[4] <= 1.0 + 1e-9);
        assert_eq!(scale.is_floored, log);
        assert!(scale.fraction(f64::NAN).is_nan() && scale.fraction(f64::INFINITY).is_nan());
        assert!((scale.loss_at(scale.fraction(0.3)) - 0.3).abs() < 1e-12);
    }
}

#[test]
fn a_scale_stays_while_its_surface_fits_and_gives_way_when_it_does_not() {
    let of = |floor: f64, size: f64| {
        let mut surface = bowl(9, floor);
        surface.loss.mapv_inplace(|l| size * l);
        HeightScale::new(&surface, &PathOnPlane::default(), false)
    };
    let before = of(0.0, 1.0);
    let ends = |scale: &HeightScale| (scale.loss_at(0.0), scale.loss_at(1.0));
    assert_ne!(ends(&of(0.0, 0.8)), ends(&before));
    assert_eq!(ends(&of(0.0, 0.8).steadied(&before)), ends(&before));
    for other in [of(0.0, 1.3), of(0.0, 0.4), of(3.0, 1.0)] {
        assert_eq!(ends(&other.clone().steadied(&before)), ends(&other));
    }
}

#[test]
fn towers_are_cut_and_the_rest_keeps_its_relief() {
    let mut surface = bowl(9, 0.0);
    surface.loss[[0, 0]] = 1e30;
    surface.loss[[0, 1]] = f64::INFINITY;
    let scale = HeightScale::new(&surface, &PathOnPlane::default(), false);
    assert!(scale.is_cut);
    assert!(scale.fraction(1.0) > 0.1, "{scale:?}");
    assert!(!HeightScale::new(&bowl(9, 0.0), &PathOnPlane::default(), false).is_cut);
}

#[test]
fn contour_coordinates_are_whole_at_the_levels_and_nowhere_else_beyond() {
    for log in [false, true] {
        let scale = HeightScale::new(&bowl(17, 0.02), &PathOnPlane::default(), log);
        let contour = scale.contours();
        for (k, &level) in scale.levels.iter().enumerate() {
            assert!((contour(scale.fraction(level)) - k as f64).abs() < 1e-9);
        }
        let low = contour(scale.fraction(scale.levels[0]) - 0.2);
        assert!((-0.5..0.0).contains(&low));
        let last = scale.levels.len() - 1;
        let high = contour(scale.fraction(scale.levels[last]) + 0.4);
        assert!(high > last as f64 && high < last as f64 + 0.9);
    }
}

#[test]
fn ticks_are_nice_numbers() {
    assert_eq!(nice_ticks(-1.0, 1.0, 4), [-1.0, -0.5, 0.0, 0.5, 1.0]);
    assert_eq!(nice_step(0.03), 0.05);
    assert_eq!(nice_step(0.2), 0.2);
    let levels = log_levels(1e-6, 1.0, 8);
    assert_eq!(levels.len(), 7);
    assert!((levels[0] / 1e-6 - 1.0).abs() < 1e-9);
    assert_eq!(log_levels(0.05, 2.0, 6), [0.05, 0.1, 0.2, 0.5, 1.0, 2.0]);
    assert_eq!(tick_text(0.1 + 0.2, 0.1), "0.3");
    assert_eq!(tick_text(-1e-17, 0.5), "0.0");
    assert_eq!(tick_text(1500.0, 500.0), "1500");
    assert_eq!(short(0.123_456), "0.123");
    assert_eq!(short(1e-5), "1e-5");
    assert_eq!(short(12.0), "12");
}

#[test]
fn segments_are_clipped_at_the_box() {
    let (a, b) = clip_to_box(Vec3::new(0.0, 1.0, 0.0), Vec3::new(10.0, 1.0, 0.0)).unwrap();
    assert_eq!(a, Vec3::new(0.0, 1.0, 0.0));
    assert!((b.x - 5.001).abs() < 1e-5);
    let outside = clip_to_box(Vec3::new(6.0, 1.0, 0.0), Vec3::new(10.0, 1.0, 0.0));
    assert_eq!(outside, None);
    assert_eq!(clip_to_box(Vec3::NAN, Vec3::ZERO), None);
}
