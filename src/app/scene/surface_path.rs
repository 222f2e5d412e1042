//! The optimiser's path over the error surface: at its true losses, its shadow
//! on the slice, and the gaps between both.

use super::surface_frame::{SurfaceFrame, clip_to_box};
use super::surface_parts::Strokes;
use crate::app::state::{SURFACE_MAX, SURFACE_MIN, SurfaceView};
use crate::app::surface::ErrorSurface;
use crate::app::surface_words as words;
use crate::app::text::Texts;
use crate::app::theme::Palette;
use crate::landscape::curvature::CriticalPoint;
use crate::landscape::{LITTLE_SHARE, PathOnPlane, PlanePoint};
use crate::train::Jumps;
use bevy::prelude::*;
use std::ops::Range;

/// Gaps are drawn at least so far apart along the path.
const GAP_SPACING: f32 = 0.3;
/// Gaps that are shorter than this are not drawn.
const LEAST_GAP: f32 = 0.03;
/// How far the balls and the lines stand above what they lie on.
const LIFT: Vec3 = Vec3::new(0.0, 0.02, 0.0);
/// Widths in points.
const LINE: f32 = 2.6;
const SHADOW: f32 = 1.6;
const THIN: f32 = 1.2;
const CASING: f32 = 2.4;
const DOT: f32 = 9.0;

/// The stretches of the path that the optimiser made in one go. Where the weights
/// were put somewhere else, one ends and another begins.
fn unbroken(points: &[PlanePoint], jumps: &Jumps) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut first = 0;
    for k in 1..=points.len() {
        let ends = points
            .get(k)
            .is_none_or(|next| !jumps.joins(points[k - 1].step, next.step));
        if ends {
            runs.push(first..k);
            first = k;
        }
    }
    runs
}

/// The lines of the path.
pub fn strokes(
    frame: &SurfaceFrame,
    path: &PathOnPlane,
    jumps: &Jumps,
    view: &SurfaceView,
    palette: &Palette,
) -> Strokes {
    let mut strokes = Strokes::default();
    if !view.path {
        return strokes;
    }
    let truth: Vec<Vec3> = path
        .points
        .iter()
        .map(|p| true_place(frame, p) + LIFT)
        .collect();
    let slice: Vec<Vec3> = path
        .points
        .iter()
        .map(|p| slice_place(frame, p) + LIFT)
        .collect();
    let shadow = palette.path.blend(palette.background, 0.45);
    let runs = unbroken(&path.points, jumps);
    for run in &runs {
        strokes.polyline(&slice[run.clone()], palette.background, SHADOW + CASING);
        strokes.polyline(&slice[run.clone()], shadow, SHADOW);
    }
    if view.gaps {
        let last = path.points.len().saturating_sub(1);
        let mut before: Option<Vec3> = None;
        for (k, (&top, &foot)) in truth.iter().zip(&slice).enumerate() {
            let is_near = before.is_some_and(|b| b.distance(foot) < GAP_SPACING);
            if (is_near && k != last) || (top.y - foot.y).abs() < LEAST_GAP {
                continue;
            }
            before = Some(foot);
            if let Some((a, b)) = clip_to_box(top, foot) {
                strokes.line(a, b, palette.gap, if k == last { 2.0 * THIN } else { THIN });
            }
        }
    }
    // The outline keeps the line visible on every colour that it crosses.
    for run in &runs {
        strokes.polyline(&truth[run.clone()], palette.background, LINE + CASING);
        strokes.polyline(&truth[run.clone()], palette.path, LINE);
    }
    strokes
}

/// The path's lines as they shine through the surface, without the part that a
/// ball of `radius` at the newest point hides, and that ball as a dot.
pub fn strokes_behind(
    frame: &SurfaceFrame,
    path: &PathOnPlane,
    jumps: &Jumps,
    view: &SurfaceView,
    palette: &Palette,
    radius: f32,
) -> Strokes {
    let mut strokes = Strokes::default();
    let Some(newest) = path.points.last().filter(|_| view.path) else {
        return strokes;
    };
    let end = true_place(frame, newest);
    for run in unbroken(&path.points, jumps) {
        let places = path.points[run].iter().map(|p| true_place(frame, p));
        let visible: Vec<Vec3> = places.filter(|p| p.distance(end) > 2.0 * radius).collect();
        strokes.polyline(&visible, palette.path, LINE);
    }
    if let Some(place) = ball(frame, newest).filter(|_| frame.has(newest.x, newest.y)) {
        let center = place + Vec3::Y * radius;
        strokes.line(center, center, palette.accent, DOT);
    }
    strokes
}

/// Where a point of the path touches its ball: at its true loss, held inside the box.
pub fn ball(frame: &SurfaceFrame, point: &PlanePoint) -> Option<Vec3> {
    let place = true_place(frame, point);
    place
        .is_finite()
        .then(|| place.clamp(SURFACE_MIN, SURFACE_MAX))
}

/// How far the path lies towards `direction` from its newest point, on average.
pub fn leans(frame: &SurfaceFrame, path: &PathOnPlane, direction: Vec3) -> f32 {
    let Some(newest) = path.points.last() else {
        return 0.0;
    };
    let end = true_place(frame, newest);
    let places = path.points.iter().map(|p| true_place(frame, p));
    let finite = places.filter(|p| p.is_finite());
    finite.map(|p| (p - end).dot(direction)).sum()
}

/// What is printed at the ball: the name of the place where it is known and more
/// than a slope, the height there, and where they differ the slice's and the gap.
pub fn figures(shown: &ErrorSurface, strings: &Texts) -> Option<String> {
    let newest = shown.path.points.last()?;
    let (measure, is_accuracy) = (words::measure(strings, shown.measure), shown.is_accuracy());
    let value = words::height(is_accuracy, newest.true_loss, 3);
    let point = shown.study.point();
    let point = point.filter(|p| *p != CriticalPoint::Slope);
    let mut text = point.map_or_else(String::new, |p| words::point(strings, p) + "\n");
    text += &format!("{measure} {value}");
    let gap = newest.gap();
    if gap.abs() > 1e-6 * newest.true_loss.abs() {
        let slice = words::height(is_accuracy, newest.slice_loss, 3);
        let gap = words::difference(is_accuracy, gap, 2);
        text += "\n";
        text += &strings.with("surface.gap_value", &[("slice", &slice), ("gap", &gap)]);
    }
    Some(text)
}

/// The number of the largest gap beside it, where it is not the ball's and long
/// enough to be seen.
pub fn largest_gap(
    frame: &SurfaceFrame,
    shown: &ErrorSurface,
    strings: &Texts,
) -> Option<(Vec3, String)> {
    let largest = shown.path.largest_gap()?;
    let newest = shown.path.points.last()?;
    let (top, foot) = (true_place(frame, largest), slice_place(frame, largest));
    let long = (top.y - foot.y).abs() >= 10.0 * LEAST_GAP;
    if largest.step == newest.step || !long || !frame.has(largest.x, largest.y) {
        return None;
    }
    let (a, b) = clip_to_box(top, foot)?;
    let gap = words::difference(shown.is_accuracy(), largest.gap(), 2);
    let text = strings.with(
        "surface.largest_gap",
        &[("gap", &gap), ("step", &largest.step)],
    );
    Some((0.5 * (a + b), text))
}

/// The share of the path that lies in the plane, in words, and whether it is so
/// little that the picture misleads.
pub fn share(path: &PathOnPlane, strings: &Texts) -> Option<(String, bool)> {
    let share = path.share_in_plane()?;
    let is_little = share < LITTLE_SHARE;
    let share = percent(share);
    let text = if is_little {
        strings.with("surface.share_little", &[("share", &share)])
    } else {
        strings.with("surface.share_value", &[("share", &share)])
    };
    Some((text, is_little))
}

/// A share in per cent, with a digit more where it is small.
fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent < 9.95 {
        format!("{percent:.1}")
    } else {
        format!("{percent:.0}")
    }
}

fn true_place(frame: &SurfaceFrame, point: &PlanePoint) -> Vec3 {
    frame.place(point.x, point.y, point.true_loss)
}

fn slice_place(frame: &SurfaceFrame, point: &PlanePoint) -> Vec3 {
    frame.place(point.x, point.y, point.slice_loss)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::theme::Theme;
    use crate::landscape::Surface;
    use ndarray::Array2;

    fn point(step: u64, x: f64, true_loss: f64, slice_loss: f64) -> PlanePoint {
        PlanePoint {
            step,
            x,
            y: 0.0,
            recorded_loss: true_loss,
            true_loss,
            slice_loss,
            residual_squared: 0.5,
            distance_squared: 1.0,
        }
    }

    fn frame(path: &PathOnPlane) -> SurfaceFrame {
        let axis = vec![-1.0, 0.0, 1.0];
        let loss = Array2::from_shape_fn((3, 3), |(j, i)| axis[i] * axis[i] + axis[j] * axis[j]);
        let surface = Surface {
            x: axis.clone(),
            y: axis,
            loss,
        };
        SurfaceFrame::new(&surface, path, (0.0, 0.0), false).unwrap()
    }

    #[test]
    fn the_ball_stands_at_the_true_loss_and_the_gap_reaches_down_to_the_slice() {
        let path = PathOnPlane {
            points: vec![point(0, -0.5, 1.2, 0.25), point(1, 0.0, 1.0, 0.5)],
        };
        let frame = frame(&path);
        let place = ball(&frame, &path.points[1]).unwrap();
        assert_eq!(place, Vec3::new(0.0, frame.height(1.0), 0.0));
        let palette = Theme::DARK.palette();
        let lines = strokes(
            &frame,
            &path,
            &Jumps::default(),
            &SurfaceView::default(),
            &palette,
        );
        let gaps: Vec<_> = lines.0.iter().filter(|s| s.color == palette.gap).collect();
        assert_eq!(gaps.len(), 2);
        assert!((gaps[1].from.y - frame.height(1.0)).abs() < 0.05);
        assert!((gaps[1].to.y - frame.height(0.5)).abs() < 0.05);
        let without = SurfaceView {
            gaps: false,
            ..Default::default()
        };
        let lines = strokes(&frame, &path, &Jumps::default(), &without, &palette);
        assert!(lines.0.iter().all(|s| s.color != palette.gap));
    }

    #[test]
    fn a_path_that_leaves_the_box_ends_at_its_wall() {
        let path = PathOnPlane {
            points: vec![point(0, 3.0, 1.0, 1.0), point(1, 0.0, 1.0, 1.0)],
        };
        let lines = strokes(
            &frame(&path),
            &path,
            &Jumps::default(),
            &SurfaceView::default(),
            &Theme::DARK.palette(),
        );
        assert!(!lines.0.is_empty());
        for stroke in &lines.0 {
            assert!(stroke.from.abs().max_element() < 5.01 && stroke.to.abs().max_element() < 5.01);
        }
    }

    #[test]
    fn no_line_leads_to_weights_that_were_put_somewhere_else() {
        let path = PathOnPlane {
            points: vec![
                point(0, -0.8, 1.0, 1.0),
                point(4, -0.4, 0.9, 0.9),
                point(5, 0.5, 0.8, 0.8),
                point(9, 0.7, 0.7, 0.7),
            ],
        };
        let mut jumps = Jumps::default();
        jumps.add(5);
        let frame = frame(&path);
        let palette = Theme::DARK.palette();
        let view = SurfaceView::default();
        let lines = strokes(&frame, &path, &jumps, &view, &palette);
        let line = |s: &&crate::app::scene::Stroke| s.color == palette.path && s.width == LINE;
        let spans: Vec<(f32, f32)> = lines
            .0
            .iter()
            .filter(line)
            .map(|s| (s.from.x, s.to.x))
            .collect();
        assert_eq!(spans, [(-4.0, -2.0), (2.5, 3.5)]);
    }

    #[test]
    fn the_figures_name_loss_gap_and_share() {
        let path = PathOnPlane {
            points: vec![point(0, 0.0, 1.0, 0.75)],
        };
        let mut shown = ErrorSurface {
            path: path.clone(),
            ..ErrorSurface::default()
        };
        let text = figures(&shown, &Texts::default()).unwrap();
        for part in ["1", "0.75", "+0.25"] {
            assert!(text.contains(part), "no {part} in {text}");
        }
        shown.measure.quantity = crate::landscape::Quantity::Accuracy;
        let text = figures(&shown, &Texts::default()).unwrap();
        for part in ["100.0 %", "75.0 %", "+25.0 %"] {
            assert!(text.contains(part), "no {part} in {text}");
        }
        let (text, is_little) = share(&path, &Texts::default()).unwrap();
        assert!(text.contains("50") && !is_little, "{text}");
        assert_eq!(figures(&ErrorSurface::default(), &Texts::default()), None);
    }

    #[test]
    fn the_largest_gap_of_the_way_carries_its_number_and_step() {
        let points = vec![
            point(0, -0.9, 1.0, 1.0),
            point(7, -0.5, 1.4, 0.25),
            point(9, 0.0, 0.1, 0.1),
        ];
        let path = PathOnPlane { points };
        let frame = frame(&path);
        let shown = ErrorSurface {
            path,
            ..ErrorSurface::default()
        };
        let (place, text) = largest_gap(&frame, &shown, &Texts::default()).unwrap();
        assert!(text.contains("+1.1") && text.contains('7'), "{text}");
        assert!(place.y > frame.height(0.25) && place.y < frame.height(1.4));
    }
}
