//! Who is who in a race, written beside the balls so that nothing covers
//! anything: a plate with the racer's letter in its colour, and a thin line
//! from the plate to the ball.

use crate::app::labels::ViewCamera;
use crate::app::scene::{Tag, TagKind, Tags};
use crate::app::state::{SceneView, SurfaceRoot};
use crate::app::theme::{Palette, Theme, color32};
use bevy::camera::visibility::RenderLayers;
use bevy::prelude::{Camera, GlobalTransform, Query, Res, Result, With};
use bevy_egui::{EguiContexts, egui};
use egui::{Align2, Color32, FontId, Pos2, Rect, Stroke, Vec2, pos2, vec2};

/// Height of a plate and of its text, in points.
const PLATE: f32 = 22.0;
const TEXT: f32 = 14.5;
/// From a ball to its plate.
const OFFSET: Vec2 = vec2(26.0, -30.0);
/// Between plates.
const APART: f32 = 3.0;

/// Draws the tags over the surface.
pub(super) fn draw(
    mut contexts: EguiContexts,
    tags: Res<Tags>,
    theme: Res<Theme>,
    roots: Query<&GlobalTransform, With<SurfaceRoot>>,
    cameras: Query<(&RenderLayers, &Camera, &GlobalTransform), With<ViewCamera>>,
) -> Result {
    if tags.all.is_empty() {
        return Ok(());
    }
    let Ok(root) = roots.single() else {
        return Ok(());
    };
    let ctx = contexts.ctx_mut()?;
    let zoom = ctx.zoom_factor();
    let wanted = RenderLayers::layer(SceneView::Surface.layer());
    let layer = egui::LayerId::new(egui::Order::Background, egui::Id::new("scene tags"));
    for (layers, camera, place) in &cameras {
        if !(camera.is_active && layers.intersects(&wanted)) {
            continue;
        }
        let Some(rect) = camera.logical_viewport_rect() else {
            continue;
        };
        let clip = Rect::from_min_max(
            pos2(rect.min.x / zoom, rect.min.y / zoom),
            pos2(rect.max.x / zoom, rect.max.y / zoom),
        );
        let painter = egui::Painter::new(ctx.clone(), layer, clip);
        let seen = |tag: &Tag| {
            let at = root.transform_point(tag.place);
            let point = camera.world_to_viewport(place, at).ok()?;
            Some(pos2(point.x / zoom, point.y / zoom))
        };
        let seen: Vec<(&Tag, Pos2)> = tags
            .all
            .iter()
            .filter_map(|tag| Some((tag, seen(tag)?)))
            .collect();
        paint(&painter, clip, &seen, &theme.palette());
    }
    Ok(())
}

fn paint(painter: &egui::Painter, clip: Rect, tags: &[(&Tag, Pos2)], palette: &Palette) {
    let background = color32(palette.background);
    let mut racers = Vec::new();
    for &(tag, at) in tags {
        let color = color32(palette.racer(tag.racer));
        match tag.kind {
            TagKind::Minimum => {
                painter.circle_stroke(at, 7.0, Stroke::new(4.0, background));
                painter.circle_stroke(at, 7.0, Stroke::new(2.0, color32(palette.text)));
            }
            TagKind::Lost => {
                let at = clip.shrink(10.0).clamp(at);
                for stroke in [Stroke::new(7.0, background), Stroke::new(3.5, color)] {
                    let arm = 7.0;
                    painter.line_segment([at - vec2(arm, arm), at + vec2(arm, arm)], stroke);
                    painter.line_segment([at - vec2(arm, -arm), at + vec2(arm, -arm)], stroke);
                }
                racers.push((tag, at));
            }
            TagKind::Ball => racers.push((tag, at)),
        }
    }
    let font = FontId::proportional(TEXT);
    let sizes: Vec<f32> = racers
        .iter()
        .map(|(tag, _)| {
            let text = tag.text.get(1..).unwrap_or_default().trim().to_owned();
            let galley = painter.layout_no_wrap(text, font.clone(), Color32::PLACEHOLDER);
            PLATE + 6.0 + galley.size().x + 8.0
        })
        .collect();
    let wanted: Vec<Rect> = racers
        .iter()
        .zip(&sizes)
        .map(|((_, at), &width)| plate(*at, width, clip))
        .collect();
    let places = spread(&wanted, clip);
    for (((tag, at), rect), wanted) in racers.iter().zip(&places).zip(&wanted) {
        let color = color32(palette.racer(tag.racer));
        let left = wanted.center().x > at.x;
        let near = if left {
            rect.left_center()
        } else {
            rect.right_center()
        };
        painter.line_segment([*at, near], Stroke::new(3.0, background));
        painter.line_segment([*at, near], Stroke::new(1.5, color));
    }
    for ((tag, _), rect) in racers.iter().zip(&places) {
        let color = color32(palette.racer(tag.racer));
        painter.rect_filled(*rect, 5.0, color32(palette.panel));
        painter.rect_stroke(*rect, 5.0, (1.5, color), egui::StrokeKind::Inside);
        let chip = Rect::from_min_size(rect.min, vec2(PLATE, PLATE));
        painter.rect_filled(chip, 5.0, color);
        let (letter, text) = tag.text.split_at(1);
        painter.text(
            chip.center(),
            Align2::CENTER_CENTER,
            letter,
            FontId::proportional(TEXT + 1.0),
            background,
        );
        let ink = if tag.alarming {
            palette.warning
        } else {
            palette.text
        };
        painter.text(
            chip.right_center() + vec2(6.0, 0.0),
            Align2::LEFT_CENTER,
            text.trim(),
            font.clone(),
            color32(ink),
        );
    }
    for (tag, at) in &racers {
        if tag.kind == TagKind::Ball {
            // On the ball itself, so that the letter is where the eye is, and a
            // ball that the surface hides is seen all the same.
            let color = color32(palette.racer(tag.racer));
            painter.circle_filled(*at, 9.5, background);
            painter.circle_filled(*at, 8.0, color);
            let (letter, _) = tag.text.split_at(1);
            let font = FontId::proportional(12.0);
            painter.text(*at, Align2::CENTER_CENTER, letter, font, background);
        }
    }
}

/// Where a plate of this width should stand: up and to the right of its ball,
/// or to the left where the view ends.
fn plate(at: Pos2, width: f32, clip: Rect) -> Rect {
    let right = Rect::from_min_size(at + OFFSET, vec2(width, PLATE));
    if right.right() <= clip.right() - 4.0 {
        return right;
    }
    Rect::from_min_size(
        pos2(at.x - OFFSET.x - width, at.y + OFFSET.y),
        vec2(width, PLATE),
    )
}

/// The same plates, moved up and down as little as needed so that none covers
/// another, and all inside the view.
fn spread(wanted: &[Rect], clip: Rect) -> Vec<Rect> {
    let inside = clip.shrink(4.0);
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].top().total_cmp(&wanted[b].top()));
    let mut places = vec![Rect::NOTHING; wanted.len()];
    let mut done: Vec<Rect> = Vec::new();
    for index in order {
        let mut rect = wanted[index];
        let dx = (inside.left() - rect.left()).max(0.0) - (rect.right() - inside.right()).max(0.0);
        let dy = (inside.top() - rect.top()).max(0.0) - (rect.bottom() - inside.bottom()).max(0.0);
        rect = rect.translate(vec2(dx, dy));
        let free = |rect: &Rect| {
            let hit = |other: &&Rect| other.expand(APART - 0.5).intersects(*rect);
            done.iter().find(hit).copied()
        };
        // Down until it fits; where the view ends, up.
        let (mut down, mut up) = (rect, rect);
        while let Some(other) = free(&down) {
            down = down.translate(vec2(0.0, other.bottom() + APART - down.top()));
        }
        while let Some(other) = free(&up) {
            up = up.translate(vec2(0.0, other.top() - APART - up.bottom()));
        }
        let rect = if down.bottom() <= inside.bottom() || up.top() < inside.top() {
            down
        } else {
            up
        };
        places[index] = rect;
        done.push(rect);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plates_of_balls_at_one_place_stand_under_each_other_inside_the_view() {
        let clip = Rect::from_min_size(Pos2::ZERO, vec2(400.0, 300.0));
        for at in [pos2(200.0, 150.0), pos2(390.0, 295.0), pos2(2.0, 3.0)] {
            let wanted: Vec<Rect> = (0..6).map(|k| plate(at, 90.0 + k as f32, clip)).collect();
            let places = spread(&wanted, clip);
            for (k, a) in places.iter().enumerate() {
                assert!(clip.contains_rect(*a), "{at:?} {a:?}");
                let rest = places.iter().skip(k + 1);
                assert!(rest.clone().all(|b| !a.intersects(*b)), "{at:?} {places:?}");
            }
        }
    }

    #[test]
    fn a_plate_that_is_not_in_the_way_stays_where_it_should_be() {
        let clip = Rect::from_min_size(Pos2::ZERO, vec2(400.0, 300.0));
        let wanted = [
            plate(pos2(50.0, 100.0), 90.0, clip),
            plate(pos2(200.0, 103.0), 90.0, clip),
        ];
        assert_eq!(spread(&wanted, clip), wanted);
    }
}
