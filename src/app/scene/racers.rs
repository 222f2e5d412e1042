//! A race over the surface: each racer's path and ball in its colour, and what
//! is written beside the balls.

use super::surface::Laid;
use super::surface_frame::{SurfaceFrame, clip_to_box, short};
use super::surface_parts::{RacerBall, StrokeKind, Strokes};
use crate::app::arena::{Arena, ArenaView, Lap, MOST_RACERS, Standing, letter};
use crate::app::state::{SURFACE_MAX, SURFACE_MIN, SceneView, SurfaceRoot};
use crate::app::surface::ErrorSurface;
use crate::app::text::{Language, Texts};
use crate::app::theme::{Palette, Theme};
use bevy::camera::visibility::RenderLayers;
use bevy::prelude::*;

/// How large a racer's ball is.
const RADIUS: f32 = 0.16;
/// How far paths stand above what they lie on.
const LIFT: Vec3 = Vec3::new(0.0, 0.02, 0.0);
/// Widths in points.
const LINE: f32 = 2.8;
const CASING: f32 = 2.2;
const DOT: f32 = 5.5;
const THIN: f32 = 1.4;
/// A gap between the weights' loss and the surface that is shorter is not drawn.
const LEAST_GAP: f32 = 0.03;
/// A path is drawn with at most about so many points, and with a dot at each
/// step up to so many steps.
const MOST_POINTS: usize = 1500;
const MOST_DOTS: usize = 400;

/// What stands at a place of the scene besides a ball.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagKind {
    /// A racer's ball.
    Ball,
    /// Where a racer's numbers ran away, or where it left what is shown.
    Lost,
    /// A minimum that is known.
    Minimum,
}

/// Something written at a place of the scene.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// Where, in the coordinates of the surface's root.
    pub place: Vec3,
    /// What is there.
    pub kind: TagKind,
    /// The racer's number.
    pub racer: usize,
    /// What is written.
    pub text: String,
    /// Whether that is a warning.
    pub alarming: bool,
}

/// All tags of the surface.
#[derive(Resource, Debug, Default)]
pub struct Tags {
    /// In the order of the racers.
    pub all: Vec<Tag>,
    made_from: Option<(u64, u64, Theme, Language)>,
}

pub(super) fn spawn(mut commands: Commands, roots: Query<Entity, With<SurfaceRoot>>) {
    let Ok(root) = roots.single() else { return };
    let layer = RenderLayers::layer(SceneView::Surface.layer());
    let child = (ChildOf(root), Transform::default(), layer);
    for kind in [StrokeKind::Racers, StrokeKind::RacersBehind] {
        commands.spawn((
            Strokes::default(),
            kind,
            Visibility::Inherited,
            child.clone(),
        ));
    }
    for index in 0..MOST_RACERS {
        commands.spawn((RacerBall(index), Visibility::Hidden, child.clone()));
    }
}

/// Brings paths, balls and tags up to date when the race or the surface was.
pub(super) fn lay_out(
    arena: Res<Arena>,
    view: Res<ArenaView>,
    shown: Res<ErrorSurface>,
    theme: Res<Theme>,
    strings: Res<Texts>,
    laid: Res<Laid>,
    mut tags: ResMut<Tags>,
    mut strokes: Query<(&mut Strokes, &StrokeKind)>,
    mut balls: Query<(&RacerBall, &mut Transform, &mut Visibility)>,
) {
    let from = (arena.revision, laid.count, *theme, strings.language());
    if tags.made_from == Some(from) {
        return;
    }
    tags.made_from = Some(from);
    tags.all.clear();
    // On the other ground's surface its places mean nothing.
    let fits = arena.function.is_some() == shown.function.is_some();
    let frame = laid.frame.as_ref();
    let standings = match frame {
        Some(_) if view.racing && fits => arena.standings(),
        _ => Vec::new(),
    };
    let palette = theme.palette();
    for (mut strokes, kind) in &mut strokes {
        let wanted = match (kind, frame) {
            (StrokeKind::Racers, Some(frame)) => paths(&arena, &standings, frame, &palette),
            (StrokeKind::RacersBehind, Some(frame)) => behind(&arena, &standings, frame, &palette),
            (StrokeKind::Racers | StrokeKind::RacersBehind, None) => Strokes::default(),
            _ => continue,
        };
        strokes.set_if_neq(wanted);
    }
    let place = |index: usize| {
        let standing = standings.iter().find(|s| s.index == index)?;
        let frame = frame?;
        is_seen(&arena, standing, frame).then(|| ball(frame, &standing.lap))
    };
    for (RacerBall(index), mut transform, mut visibility) in &mut balls {
        let place = place(*index);
        visibility.set_if_neq(match place {
            Some(_) => Visibility::Inherited,
            None => Visibility::Hidden,
        });
        if let Some(place) = place {
            transform.translation = place + Vec3::Y * RADIUS;
            transform.scale = Vec3::splat(RADIUS);
        }
    }
    let Some(frame) = frame else { return };
    if let Some(function) = &shown.function {
        for minimum in function.minima() {
            let [x, y] = minimum.at;
            if frame.has(x, y) {
                tags.all.push(Tag {
                    place: frame.place(x, y, minimum.value).max(SURFACE_MIN),
                    kind: TagKind::Minimum,
                    racer: 0,
                    text: String::new(),
                    alarming: false,
                });
            }
        }
    }
    let texts: Vec<Tag> = standings
        .iter()
        .map(|standing| tag(&arena, standing, frame, &strings))
        .collect();
    tags.all.extend(texts);
}

/// Whether a racer is where its ball can be drawn: in the part that is shown,
/// and with numbers.
fn is_seen(arena: &Arena, standing: &Standing, frame: &SurfaceFrame) -> bool {
    let diverged = standing.is_out && arena.has_diverged(standing.index);
    !diverged && frame.has(standing.lap.x, standing.lap.y) && standing.lap.loss.is_finite()
}

fn place(frame: &SurfaceFrame, lap: &Lap) -> Vec3 {
    frame.place(lap.x, lap.y, lap.loss)
}

/// Where a racer's ball touches, held inside the box.
fn ball(frame: &SurfaceFrame, lap: &Lap) -> Vec3 {
    let place = place(frame, lap);
    // What is no number stands at the top.
    let sane = Vec3::select(place.is_nan_mask(), SURFACE_MAX, place);
    sane.clamp(SURFACE_MIN, SURFACE_MAX)
}

fn points(arena: &Arena, standing: &Standing, frame: &SurfaceFrame) -> Vec<Vec3> {
    let laps = &arena.lanes[standing.index].laps[..=standing.steps as usize];
    let stride = laps.len().div_ceil(MOST_POINTS).max(1);
    let mut points: Vec<Vec3> = laps
        .iter()
        .step_by(stride)
        .map(|lap| place(frame, lap) + LIFT)
        .collect();
    if !(laps.len() - 1).is_multiple_of(stride) {
        points.push(place(frame, &standing.lap) + LIFT);
    }
    points
}

fn paths(
    arena: &Arena,
    standings: &[Standing],
    frame: &SurfaceFrame,
    palette: &Palette,
) -> Strokes {
    let mut strokes = Strokes::default();
    for standing in standings {
        let color = palette.racer(standing.index);
        let points = points(arena, standing, frame);
        let lap = &standing.lap;
        let foot = frame.place(lap.x, lap.y, lap.slice);
        let top = ball(frame, lap);
        if (top.y - foot.y).abs() > LEAST_GAP
            && is_seen(arena, standing, frame)
            && let Some((a, b)) = clip_to_box(top, foot)
        {
            strokes.line(a, b, palette.gap, THIN);
        }
        // The outline keeps the line visible on every colour that it crosses.
        strokes.polyline(&points, palette.background, LINE + CASING);
        strokes.polyline(&points, color, LINE);
        if standing.steps as usize <= MOST_DOTS {
            for point in &points {
                if let Some((at, _)) = clip_to_box(*point, *point) {
                    strokes.line(at, at, color, DOT);
                }
            }
        }
    }
    strokes
}

fn behind(
    arena: &Arena,
    standings: &[Standing],
    frame: &SurfaceFrame,
    palette: &Palette,
) -> Strokes {
    let mut strokes = Strokes::default();
    for standing in standings {
        let points = points(arena, standing, frame);
        let end = points.last().copied().unwrap_or_default();
        let free: Vec<Vec3> = points
            .into_iter()
            .filter(|p| p.distance(end) > 2.0 * RADIUS)
            .collect();
        strokes.polyline(&free, palette.racer(standing.index), LINE);
    }
    strokes
}

fn tag(arena: &Arena, standing: &Standing, frame: &SurfaceFrame, strings: &Texts) -> Tag {
    let lane = &arena.lanes[standing.index];
    let key = format!("optimizer.{}", lane.optimizer.kind().name());
    let name = strings.get(&key);
    let loss = short(standing.lap.loss);
    let diverged = standing.is_out && arena.has_diverged(standing.index);
    let inside = frame.has(standing.lap.x, standing.lap.y);
    let mut place = ball(frame, &standing.lap);
    let (kind, text) = if diverged {
        let step = standing.steps + 1;
        let values: [(&str, &dyn std::fmt::Display); 2] = [("name", &name), ("step", &step)];
        (TagKind::Lost, strings.with("race.tag_diverged", &values))
    } else if inside {
        (TagKind::Ball, format!("{name}  {loss}"))
    } else {
        let values: [(&str, &dyn std::fmt::Display); 2] = [("name", &name), ("loss", &loss)];
        (TagKind::Lost, strings.with("race.tag_outside", &values))
    };
    if kind == TagKind::Ball {
        place += Vec3::Y * RADIUS;
    }
    Tag {
        place,
        kind,
        racer: standing.index,
        text: format!("{}  {text}", letter(standing.index)),
        alarming: diverged,
    }
}
