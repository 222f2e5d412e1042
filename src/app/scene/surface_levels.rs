//! Level sets that are named: losses written on contour lines, and the lines
//! again on the floor as on a map.

use super::surface::SurfaceStanding;
use super::surface_frame::{SurfaceFrame, short};
use super::surface_level::level_set;
use super::surface_parts::{StrokeKind, Strokes};
use super::surface_ray::meet;
use super::surface_relief::Relief;
use crate::app::labels::{Label, Plate, ViewCamera};
use crate::app::state::{SURFACE_MIN, SceneView, SurfaceRoot, SurfaceView};
use crate::colormap::viridis;
use bevy::camera::visibility::RenderLayers;
use bevy::prelude::*;
use bevy_egui::egui::Align2;

/// At most so many levels are named.
const NAMED: usize = 7;
/// Names are at least so far apart in the scene.
const APART: f32 = 0.9;
/// How far the eye moves before names look for better places.
const MOVED: f32 = 0.4;
/// Of a line's pieces, every so many are tried as a place for its name.
const PLACES: usize = 24;
/// Above the floor.
const LIFT: f32 = 0.012;
const LINE: f32 = 1.4;

/// Name number so many of a level.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelName(pub usize);

/// What the names and the lines on the floor were last made from.
#[derive(Resource, Debug, Default)]
pub(super) struct Named {
    eye: Option<Vec3>,
    view: Option<(bool, bool, bool, usize)>,
}

pub(super) fn lay_out(
    mut commands: Commands,
    view: Res<SurfaceView>,
    standing: Res<SurfaceStanding>,
    reliefs: Query<Ref<Relief>>,
    cameras: Query<(&Camera, &RenderLayers, &GlobalTransform), With<ViewCamera>>,
    roots: Query<(Entity, &GlobalTransform), With<SurfaceRoot>>,
    mut strokes: Query<(&mut Strokes, &StrokeKind)>,
    mut names: Query<(&LevelName, &mut Label, &mut Transform, &mut Visibility)>,
    mut named: ResMut<Named>,
) {
    let (Ok(relief), Ok((root, place))) = (reliefs.single(), roots.single()) else {
        return;
    };
    let layer = RenderLayers::layer(SceneView::Surface.layer());
    let eye = cameras
        .iter()
        .find(|(camera, layers, _)| camera.is_active && layers.intersects(&layer))
        .map(|(.., eye)| place.affine().inverse().transform_point3(eye.translation()));
    let wanted = (
        view.contours && view.level_names,
        view.contours && view.floor_levels,
        standing.frame.is_some(),
        view.levels,
    );
    let stayed = match (named.eye, eye) {
        (Some(before), Some(eye)) => before.distance(eye) < MOVED,
        (before, eye) => before.is_some() == eye.is_some(),
    };
    let same = named.view == Some(wanted) && !relief.is_changed();
    if same && (stayed || !wanted.0) {
        return;
    }
    named.view = Some(wanted);
    named.eye = eye;
    let frame = standing.frame.as_ref();
    if !same {
        let floor = frame.filter(|_| wanted.1);
        let floor = floor.map_or_else(Strokes::default, |frame| on_floor(frame, &relief));
        for (mut strokes, kind) in &mut strokes {
            if *kind == StrokeKind::Levels {
                strokes.set_if_neq(floor.clone());
            }
        }
    }
    let texts = match (frame.filter(|_| wanted.0), eye) {
        (Some(frame), Some(eye)) => places(frame, &relief, eye),
        _ => Vec::new(),
    };
    let mut known = 0;
    for (LevelName(k), mut label, mut transform, mut visibility) in &mut names {
        known += 1;
        let Some((place, text)) = texts.get(*k) else {
            visibility.set_if_neq(Visibility::Hidden);
            continue;
        };
        visibility.set_if_neq(Visibility::Inherited);
        transform.set_if_neq(Transform::from_translation(*place));
        if label.text != *text {
            label.text.clone_from(text);
        }
    }
    for (k, (place, text)) in texts.into_iter().enumerate().skip(known) {
        let label = Label {
            text,
            view: SceneView::Surface,
            size: 10.5,
            anchor: Align2::CENTER_CENTER,
            faint: false,
        };
        commands.spawn((
            LevelName(k),
            label,
            Plate,
            Transform::from_translation(place),
            Visibility::Inherited,
            ChildOf(root),
        ));
    }
}

/// The contour lines as seen from above, in the colours of their heights.
fn on_floor(frame: &SurfaceFrame, relief: &Relief) -> Strokes {
    let mut strokes = Strokes::default();
    let levels = &frame.scale.levels;
    for (k, &level) in levels.iter().enumerate() {
        let color = viridis((k as f32 + 0.5) / levels.len() as f32);
        for [a, b] in level_set(relief, frame.height(level)) {
            let down = |p: Vec3| p.with_y(SURFACE_MIN.y + LIFT);
            strokes.line(down(a), down(b), color, LINE);
        }
    }
    strokes
}

/// Where which losses are written: of the pieces of each line that the eye sees,
/// the one that lies most to the front, away from the names before it.
fn places(frame: &SurfaceFrame, relief: &Relief, eye: Vec3) -> Vec<(Vec3, String)> {
    let levels = &frame.scale.levels;
    let every = levels.len().div_ceil(NAMED).max(1);
    let mut placed: Vec<(Vec3, String)> = Vec::new();
    for &level in levels.iter().skip(every / 2).step_by(every) {
        let line = level_set(relief, frame.height(level));
        let step = line.len().div_ceil(PLACES).max(1);
        let middles = line.iter().step_by(step).map(|[a, b]| 0.5 * (*a + *b));
        let free = middles.filter(|p| placed.iter().all(|(q, _)| q.distance(*p) > APART));
        let seen = free.filter(|p| is_seen(relief, eye, *p));
        // Not at the rim, where a line ends and the numbers of the axes begin.
        let rim = |p: &Vec3| p.x.abs().max(p.z.abs()) > 4.6;
        let cost = |p: &Vec3| p.distance(eye) + if rim(p) { 4.0 } else { 0.0 };
        if let Some(place) = seen.min_by(|a, b| cost(a).total_cmp(&cost(b))) {
            placed.push((place, short(level)));
        }
    }
    placed
}

fn is_seen(relief: &Relief, eye: Vec3, place: Vec3) -> bool {
    let Ok(direction) = Dir3::new(place - eye) else {
        return false;
    };
    meet(&Ray3d::new(eye, direction), relief).is_none_or(|hit| hit.distance(place) < 0.12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::{PathOnPlane, Surface};
    use ndarray::Array2;

    fn hill() -> (SurfaceFrame, Relief) {
        let axis: Vec<f64> = (0..33).map(|i| -1.0 + f64::from(i) / 16.0).collect();
        let loss =
            Array2::from_shape_fn((33, 33), |(j, i)| 2.0 - axis[i].powi(2) - axis[j].powi(2));
        let surface = Surface {
            x: axis.clone(),
            y: axis,
            loss,
        };
        let frame =
            SurfaceFrame::new(&surface, &PathOnPlane::default(), (0.0, 0.0), false).unwrap();
        let relief = Relief::new(&surface, &frame);
        (frame, relief)
    }

    #[test]
    fn names_stand_on_their_lines_apart_and_on_the_side_that_is_seen() {
        let (frame, relief) = hill();
        let eye = Vec3::new(0.0, 3.0, 14.0);
        let names = places(&frame, &relief, eye);
        assert!((3..=NAMED).contains(&names.len()), "{names:?}");
        for (k, (place, text)) in names.iter().enumerate() {
            assert!(place.z > -0.5, "behind the hill: {place}");
            let level: f64 = text.parse().unwrap();
            assert!((place.y - frame.height(level)).abs() < 1e-3);
            let mut others = names[..k].iter();
            assert!(others.all(|(q, _)| q.distance(*place) > APART));
        }
    }

    #[test]
    fn the_map_on_the_floor_has_every_level_and_no_height() {
        let (frame, relief) = hill();
        let map = on_floor(&frame, &relief);
        assert!(map.0.iter().all(|s| s.from.y == LIFT && s.to.y == LIFT));
        let mut colors: Vec<_> = map.0.iter().map(|s| s.color.bytes()).collect();
        colors.dedup();
        let inside = frame.scale.levels.iter().filter(|&&l| l > 0.0 && l <= 2.0);
        assert_eq!(colors.len(), inside.count());
    }
}
