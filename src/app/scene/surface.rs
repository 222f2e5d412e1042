//! The error surface as entities and plain components. Nothing here draws or
//! knows an asset.
//!
//! Everything hangs under one [`SurfaceRoot`] and lies in its box: the
//! [`Relief`], the [`Strokes`] of axes and path, the [`Ball`]s and the texts.
//! They are brought up to date when the [`ErrorSurface`] was, or what it is
//! shown like; in other frames nothing is touched.

use super::breath::Breath;
use super::surface_axes::{self, Facing, Titles};
use super::surface_frame::{FUNCTION_LOG_FLOOR, HeightScale, LOG_FLOOR, SurfaceFrame};
use super::surface_levels;
use super::surface_parts::{Ball, StrokeKind, Strokes, SurfaceText};
use super::surface_path;
use super::surface_relief::Relief;
use super::{pinned, racers};
use crate::app::arena::{Arena, ArenaView, Pinned};
use crate::app::labels::{Alarming, Label, Plate, ViewCamera};
use crate::app::plugins::GradscapeSystems;
use crate::app::presenter::Motion;
use crate::app::state::{SceneView, SurfaceRoot, SurfaceView};
use crate::app::surface::ErrorSurface;
use crate::app::surface_words;
use crate::app::text::{Language, Texts};
use crate::app::theme::Theme;
use crate::app::training::{Drive, DriveChoice};
use bevy::camera::visibility::RenderLayers;
use bevy::prelude::*;
use bevy::window::RequestRedraw;
use bevy_egui::egui::Align2;
use std::ops::Range;

/// The error surface's entities, without anything that draws them or computes
/// the [`ErrorSurface`] that they show.
pub struct SurfaceScenePlugin;

impl Plugin for SurfaceScenePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<ErrorSurface>()
            .init_resource::<SurfaceView>()
            .init_resource::<Texts>()
            .init_resource::<Theme>()
            .init_resource::<Facing>()
            .init_resource::<Laid>()
            .init_resource::<Breath>()
            .init_resource::<SurfaceStanding>()
            .init_resource::<surface_levels::Named>()
            .init_resource::<ArenaView>()
            .init_resource::<Arena>()
            .init_resource::<Pinned>()
            .init_resource::<racers::Tags>()
            .add_systems(
                Startup,
                (spawn_surface, (racers::spawn, pinned::spawn)).chain(),
            )
            .add_systems(
                Update,
                (
                    face_reader,
                    lay_out_surface,
                    breathe,
                    tell_frame,
                    surface_levels::lay_out,
                    write_texts,
                    racers::lay_out,
                    pinned::lay_out,
                )
                    .chain()
                    .in_set(SurfaceLaid)
                    .in_set(GradscapeSystems::Scene),
            );
    }
}

/// The surface's entities are brought up to date.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SurfaceLaid;

/// Where the surface stands in the scene, for those who point at it.
#[derive(Resource, Debug, Clone, PartialEq, Default)]
pub struct SurfaceStanding {
    /// Of the surface that is drawn, if one is.
    pub frame: Option<SurfaceFrame>,
}

/// Radii of the balls.
const NEWEST: f32 = 0.19;
const START: f32 = 0.11;

/// What the components were last made from.
#[derive(Resource, Debug, Default)]
pub(super) struct Laid {
    revision: Option<u64>,
    pinned: Option<u64>,
    function_log: bool,
    view: Option<SurfaceView>,
    theme: Option<Theme>,
    language: Option<Language>,
    facing: Facing,
    /// Where everything of the surface stands.
    pub(super) frame: Option<SurfaceFrame>,
    /// Counts what was laid out: another number, another layout.
    pub(super) count: u64,
    texts: Vec<(Vec3, Label)>,
    /// Which of the texts are warnings.
    alarming: Vec<usize>,
    /// Which of them stand on plates.
    plated: Range<usize>,
    texts_written: bool,
}

fn spawn_surface(mut commands: Commands) {
    let layer = RenderLayers::layer(SceneView::Surface.layer());
    let root = commands
        .spawn((SurfaceRoot, Transform::default(), layer.clone()))
        .id();
    let child = (
        ChildOf(root),
        Transform::default(),
        Visibility::Inherited,
        layer,
    );
    commands.spawn((Relief::default(), child.clone()));
    commands.spawn((Strokes::default(), StrokeKind::Axes, child.clone()));
    commands.spawn((Strokes::default(), StrokeKind::Path, child.clone()));
    commands.spawn((Strokes::default(), StrokeKind::Behind, child.clone()));
    commands.spawn((Strokes::default(), StrokeKind::Hover, child.clone()));
    commands.spawn((Strokes::default(), StrokeKind::Levels, child.clone()));
    commands.spawn((Ball::Newest, child.clone()));
    commands.spawn((Ball::Start, child));
}

/// Turns the axes to the reader.
fn face_reader(
    mut facing: ResMut<Facing>,
    cameras: Query<(&Camera, &RenderLayers, &GlobalTransform), With<ViewCamera>>,
    roots: Query<&GlobalTransform, With<SurfaceRoot>>,
) {
    let Ok(root) = roots.single() else { return };
    let layer = RenderLayers::layer(SceneView::Surface.layer());
    let eye = cameras
        .iter()
        .find(|(camera, layers, _)| camera.is_active && layers.intersects(&layer));
    let Some((_, _, eye)) = eye else { return };
    let eye = root.affine().inverse().transform_point3(eye.translation());
    let towards = facing.towards(eye);
    if *facing != towards {
        *facing = towards;
    }
}

fn lay_out_surface(
    shown: Res<ErrorSurface>,
    view: Res<SurfaceView>,
    theme: Res<Theme>,
    strings: Res<Texts>,
    facing: Res<Facing>,
    pinned: Res<Pinned>,
    arena: Res<ArenaView>,
    mut laid: ResMut<Laid>,
    mut breath: ResMut<Breath>,
    (time, drive, motion): (
        Option<Res<Time<Real>>>,
        Option<Res<DriveChoice>>,
        Option<Res<Motion>>,
    ),
    mut reliefs: Query<(&mut Relief, &mut Visibility), Without<Ball>>,
    mut strokes: Query<(&mut Strokes, &StrokeKind)>,
    mut balls: Query<(&Ball, &mut Transform, &mut Visibility)>,
) {
    let new_surface = laid.revision != Some(shown.revision);
    let new_view = laid.view.as_ref() != Some(&*view)
        || laid.pinned != Some(pinned.revision)
        || laid.function_log != arena.log_height;
    let new_look = laid.theme != Some(*theme)
        || laid.language != Some(strings.language())
        || laid.facing != *facing;
    if !(new_surface || new_view || new_look) {
        return;
    }
    laid.revision = Some(shown.revision);
    laid.view = Some(view.clone());
    laid.pinned = Some(pinned.revision);
    laid.function_log = arena.log_height;
    laid.count += 1;
    laid.theme = Some(*theme);
    laid.language = Some(strings.language());
    laid.facing = *facing;
    laid.texts_written = false;
    let Ok((mut relief, mut relief_visibility)) = reliefs.single_mut() else {
        return;
    };
    let mut frame = shown.surface.as_ref().and_then(|surface| {
        let origin = (shown.axis_origin(0), shown.axis_origin(1));
        let mut all = vec![(&**surface, &shown.path)];
        all.extend(pinned.kept.iter().map(|k| (&*k.surface, &k.path)));
        let floor = match &shown.function {
            Some(_) => arena.log_height.then_some(FUNCTION_LOG_FLOOR),
            None => (view.log_height && !shown.is_accuracy()).then_some(LOG_FLOOR),
        };
        SurfaceFrame::scaled(surface, origin, HeightScale::over(&all, floor))
    });
    if let (Some(frame), Some(before), false) = (&mut frame, &laid.frame, new_view)
        && (frame.x, frame.y) == (before.x, before.y)
    {
        frame.scale = frame.scale.clone().steadied(&before.scale);
    }
    if let Some(frame) = &mut frame
        && view.levels != SurfaceView::LEVELS[2]
    {
        frame.scale.divide(view.levels);
    }
    let (Some(frame), Some(surface)) = (frame, &shown.surface) else {
        *relief_visibility = Visibility::Hidden;
        strokes.iter_mut().for_each(|(mut s, _)| s.0.clear());
        balls
            .iter_mut()
            .for_each(|(_, _, mut v)| *v = Visibility::Hidden);
        laid.texts.clear();
        laid.alarming.clear();
        laid.frame = None;
        return;
    };
    relief_visibility.set_if_neq(Visibility::Inherited);
    if new_surface || laid.frame.as_ref() != Some(&frame) {
        let next = Relief::new(surface, &frame);
        // Where frames are the clock, each shows the surface of its own weights.
        let still = motion.is_some_and(|motion| motion.reduced);
        let passes = !new_view && !still && drive.is_some_and(|d| matches!(d.0, Drive::Thread));
        match time {
            Some(time) if passes => breath.begin(&mut relief, next, time.elapsed_secs_f64()),
            _ => breath.jump(&mut relief, next),
        }
    }
    let palette = theme.palette();
    for (mut strokes, kind) in &mut strokes {
        *strokes = match kind {
            // Whoever else has strokes lays them out.
            StrokeKind::Hover | StrokeKind::Levels => continue,
            StrokeKind::Racers | StrokeKind::RacersBehind | StrokeKind::Pinned => continue,
            StrokeKind::Axes => surface_axes::strokes(&frame, &relief, *facing, &palette),
            StrokeKind::Path => {
                surface_path::strokes(&frame, &shown.path, &shown.jumps, &view, &palette)
            }
            StrokeKind::Behind => surface_path::strokes_behind(
                &frame,
                &shown.path,
                &shown.jumps,
                &view,
                &palette,
                NEWEST,
            ),
        };
    }
    for (ball, mut transform, mut visibility) in &mut balls {
        let (point, radius) = match ball {
            Ball::Newest => (shown.path.points.last(), NEWEST),
            Ball::Start => (shown.path.points.first(), START),
        };
        let place = point.and_then(|p| surface_path::ball(&frame, p));
        let is_inside = point.is_some_and(|p| frame.has(p.x, p.y));
        let is_drawn = place.is_some() && is_inside && view.path;
        visibility.set_if_neq(if is_drawn {
            Visibility::Inherited
        } else {
            Visibility::Hidden
        });
        if let Some(place) = place {
            // It rests on the point.
            transform.translation = place + Vec3::Y * radius;
            transform.scale = Vec3::splat(radius);
        }
    }
    let titles = titles(&shown, frame.scale.is_log(), &strings);
    laid.texts = surface_axes::texts(&frame, *facing, &titles, &strings);
    laid.alarming.clear();
    laid.plated = 0..0;
    if view.path
        && let Some(newest) = shown.path.points.last()
        && let Some(place) = surface_path::ball(&frame, newest)
        && let Some(text) = surface_path::figures(&shown, &strings)
    {
        // On the side from which the path does not come.
        let right = facing.right();
        let lies_right = surface_path::leans(&frame, &shown.path, right) > 0.0;
        let (side, above, below) = if lies_right {
            (-right, Align2::RIGHT_BOTTOM, Align2::RIGHT_TOP)
        } else {
            (right, Align2::LEFT_BOTTOM, Align2::LEFT_TOP)
        };
        let label = |text, anchor| Label {
            text,
            view: SceneView::Surface,
            size: 14.0,
            anchor,
            faint: false,
        };
        let place = place + Vec3::Y * NEWEST + side * (2.0 * NEWEST);
        let first = laid.texts.len();
        laid.plated = first..first + 1;
        laid.texts.push((place, label(text, above)));
        // Of a path that is not drawn nobody needs to be told.
        let share = surface_path::share(&shown.path, &strings).filter(|_| view.path);
        if let Some((text, is_little)) = share {
            if is_little {
                laid.alarming.push(first + 1);
            }
            laid.plated = first..first + 2;
            laid.texts.push((place, label(text, below)));
        }
        if view.gaps
            && let Some((place, text)) = surface_path::largest_gap(&frame, &shown, &strings)
        {
            laid.texts.push((place, label(text, Align2::CENTER_CENTER)));
            laid.plated.end += 1;
        }
    }
    laid.frame = Some(frame);
}

/// Draws what lies between two surfaces, with its edges.
fn breathe(
    mut breath: ResMut<Breath>,
    laid: Res<Laid>,
    time: Option<Res<Time<Real>>>,
    theme: Res<Theme>,
    facing: Res<Facing>,
    mut reliefs: Query<&mut Relief>,
    mut strokes: Query<(&mut Strokes, &StrokeKind)>,
    redraw: Option<ResMut<Messages<RequestRedraw>>>,
) {
    let (true, Some(time)) = (breath.is_on(), time) else {
        return;
    };
    let (Ok(mut relief), Some(frame)) = (reliefs.single_mut(), &laid.frame) else {
        return;
    };
    breath.go_on(&mut relief, time.elapsed_secs_f64());
    let axes = strokes.iter_mut().find(|(_, k)| **k == StrokeKind::Axes);
    if let Some((mut axes, _)) = axes {
        *axes = surface_axes::strokes(frame, &relief, *facing, &theme.palette());
    }
    if let Some(mut redraw) = redraw
        && breath.is_on()
    {
        redraw.write(RequestRedraw);
    }
}

fn titles(shown: &ErrorSurface, is_log: bool, strings: &Texts) -> Titles {
    if shown.function.is_some() {
        let key = if is_log {
            "surface.value_log"
        } else {
            "surface.value"
        };
        return Titles {
            x: "x".to_owned(),
            y: "y".to_owned(),
            height: strings.get(key).to_owned(),
            percent: false,
        };
    }
    let mut height = surface_words::measure(strings, shown.measure);
    if is_log && !shown.is_accuracy() {
        height = strings.with("surface.logarithmic", &[("measure", &height)]);
    }
    Titles {
        x: surface_words::axis(strings, shown, 0),
        y: surface_words::axis(strings, shown, 1),
        height,
        percent: shown.is_accuracy(),
    }
}

fn tell_frame(laid: Res<Laid>, mut standing: ResMut<SurfaceStanding>) {
    if laid.is_changed() && standing.frame != laid.frame {
        standing.frame.clone_from(&laid.frame);
    }
}

/// Gives each text an entity; those that are too many are hidden.
fn write_texts(
    mut commands: Commands,
    mut laid: ResMut<Laid>,
    roots: Query<Entity, With<SurfaceRoot>>,
    mut texts: Query<(
        Entity,
        &SurfaceText,
        &mut Label,
        &mut Transform,
        &mut Visibility,
        Has<Alarming>,
        Has<Plate>,
    )>,
) {
    let Ok(root) = roots.single() else { return };
    if laid.texts_written {
        return;
    }
    laid.texts_written = true;
    let mut known = 0;
    for (entity, SurfaceText(index), mut label, mut transform, mut visibility, alarms, plated) in
        &mut texts
    {
        known += 1;
        match (laid.plated.contains(index), plated) {
            (true, false) => {
                commands.entity(entity).insert(Plate);
            }
            (false, true) => {
                commands.entity(entity).remove::<Plate>();
            }
            _ => {}
        }
        match (laid.alarming.contains(index), alarms) {
            (true, false) => {
                commands.entity(entity).insert(Alarming);
            }
            (false, true) => {
                commands.entity(entity).remove::<Alarming>();
            }
            _ => {}
        }
        match laid.texts.get(*index) {
            None => {
                visibility.set_if_neq(Visibility::Hidden);
            }
            Some((place, wanted)) => {
                visibility.set_if_neq(Visibility::Inherited);
                label.set_if_neq(wanted.clone());
                transform.set_if_neq(Transform::from_translation(*place));
            }
        }
    }
    for (index, (place, label)) in laid.texts.iter().enumerate().skip(known) {
        let mut text = commands.spawn((
            SurfaceText(index),
            label.clone(),
            Transform::from_translation(*place),
            Visibility::Inherited,
            ChildOf(root),
        ));
        if laid.plated.contains(&index) {
            text.insert(Plate);
        }
        if laid.alarming.contains(&index) {
            text.insert(Alarming);
        }
    }
}
