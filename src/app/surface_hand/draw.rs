//! What lies on the surface under the pointer: a mark, the way down, and the
//! level set through the point, on the surface and on the floor.

use super::touch::{Touch, Touched};
use crate::app::scene::{
    Relief, StrokeKind, Strokes, SurfaceFrame, SurfaceStanding, height_over, level_set,
};
use crate::app::state::{SURFACE_MAX, SURFACE_MIN};
use crate::app::theme::{Palette, Theme};
use bevy::prelude::*;

/// Length of the arrow in the scene.
const ARROW: f32 = 1.1;
/// Length of its head.
const HEAD: f32 = 0.22;
/// Into so many pieces the arrow's way is divided, to lie on the surface.
const PIECES: usize = 16;
/// Above what they lie on.
const LIFT: Vec3 = Vec3::new(0.0, 0.025, 0.0);
/// Widths in points.
const LINE: f32 = 2.2;
const CASING: f32 = 2.4;
const DOT: f32 = 8.0;

pub(super) fn lay_out(
    touched: Res<Touched>,
    standing: Res<SurfaceStanding>,
    theme: Res<Theme>,
    reliefs: Query<Ref<Relief>>,
    mut strokes: Query<(&mut Strokes, &StrokeKind)>,
) {
    let Ok(relief) = reliefs.single() else { return };
    if !(touched.is_changed() || theme.is_changed() || relief.is_changed()) {
        return;
    }
    let wanted = match (&touched.surface, &standing.frame) {
        (Some(touch), Some(frame)) => marks(touch, frame, &relief, &theme.palette()),
        _ => Strokes::default(),
    };
    for (mut strokes, kind) in &mut strokes {
        if *kind == StrokeKind::Hover {
            strokes.set_if_neq(wanted.clone());
        }
    }
}

/// The lines for what is touched.
fn marks(touch: &Touch, frame: &SurfaceFrame, relief: &Relief, palette: &Palette) -> Strokes {
    let mut strokes = Strokes::default();
    let color = palette.accent;
    let faint = palette.background.blend(color, 0.6);
    // Where the surface has moved under a resting pointer, the mark goes with it.
    let height = height_over(relief, touch.place.x, touch.place.z).unwrap_or(touch.place.y);
    let place = touch.place.with_y(height) + LIFT;
    let level = level_set(relief, height);
    for [a, b] in &level {
        let floor = |p: &Vec3| p.with_y(SURFACE_MIN.y + LIFT.y);
        strokes.line(floor(a), floor(b), faint, 0.6 * LINE);
    }
    for [a, b] in &level {
        strokes.line(*a + LIFT, *b + LIFT, palette.background, LINE + CASING);
    }
    for [a, b] in &level {
        strokes.line(*a + LIFT, *b + LIFT, color, LINE);
    }
    if let Some(exact) = &touch.exact {
        let way = downhill(frame, relief, place, exact.gradient);
        strokes.polyline(&way, palette.background, LINE + 1.0 + CASING);
        let head = head(&way);
        strokes.polyline(&head, palette.background, LINE + 1.0 + CASING);
        strokes.polyline(&way, palette.path, LINE + 1.0);
        strokes.polyline(&head, palette.path, LINE + 1.0);
    }
    strokes.line(place, place, palette.background, DOT + CASING);
    strokes.line(place, place, color, DOT);
    strokes
}

/// Along the surface in the direction in which, as it is drawn, it falls most
/// steeply at `place`; nothing where it is level.
fn downhill(frame: &SurfaceFrame, relief: &Relief, place: Vec3, [gx, gy]: [f64; 2]) -> Vec<Vec3> {
    let size = SURFACE_MAX - SURFACE_MIN;
    // Derivatives along the scene's axes; z falls where y grows.
    let along_x = gx * (frame.x.1 - frame.x.0) / f64::from(size.x);
    let along_z = -gy * (frame.y.1 - frame.y.0) / f64::from(size.z);
    let down = Vec3::new(-along_x as f32, 0.0, -along_z as f32);
    let Some(down) = down.try_normalize() else {
        return Vec::new();
    };
    let mut way = vec![place];
    for k in 1..=PIECES {
        let at = place + down * (ARROW * k as f32 / PIECES as f32);
        let Some(height) = height_over(relief, at.x, at.z) else {
            break;
        };
        way.push(at.with_y(height) + LIFT);
    }
    way
}

/// The two strokes of an arrow's head, as one line through its tip.
fn head(way: &[Vec3]) -> Vec<Vec3> {
    let [.., before, tip] = way else {
        return Vec::new();
    };
    let back = (*before - *tip).normalize_or_zero();
    let side = back.cross(Vec3::Y).normalize_or_zero();
    vec![
        *tip + HEAD * (back + 0.6 * side),
        *tip,
        *tip + HEAD * (back - 0.6 * side),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::touch::Exact;
    use super::*;
    use crate::landscape::{PathOnPlane, Surface};
    use ndarray::Array2;

    #[test]
    fn the_arrow_goes_down_the_surface_and_the_lit_line_has_one_height() {
        let axis: Vec<f64> = (0..17).map(|i| -1.0 + f64::from(i) / 8.0).collect();
        let f = |x: f64, y: f64| x * x + 0.5 * y * y;
        let loss = Array2::from_shape_fn((17, 17), |(j, i)| f(axis[i], axis[j]));
        let surface = Surface {
            x: axis.clone(),
            y: axis,
            loss,
        };
        let frame =
            SurfaceFrame::new(&surface, &PathOnPlane::default(), (0.0, 0.0), false).unwrap();
        let relief = Relief::new(&surface, &frame);
        let (x, y) = (0.6, -0.5);
        let place = frame.place(x, y, f(x, y));
        let gradient = [2.0 * x, y];
        let way = downhill(&frame, &relief, place, gradient);
        assert_eq!(way.len(), PIECES + 1);
        assert!(way[1..].windows(2).all(|w| w[1].y < w[0].y), "{way:?}");
        let touch = Touch {
            x,
            y,
            drawn: f(x, y),
            place,
            exact: Some(Exact {
                loss: f(x, y),
                gradient,
            }),
        };
        let palette = Theme::DARK.palette();
        let strokes = marks(&touch, &frame, &relief, &palette);
        let lit = strokes.0.iter().filter(|s| s.color == palette.accent);
        let heights: Vec<f32> = lit.map(|s| s.from.y).collect();
        assert!(heights.len() > 100);
        let height = height_over(&relief, place.x, place.z).unwrap();
        for h in heights {
            assert!((h - height - LIFT.y).abs() < 1e-4);
        }
        assert!(downhill(&frame, &relief, place, [0.0, 0.0]).is_empty());
    }
}
