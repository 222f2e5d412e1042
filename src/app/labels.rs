//! Text that stands at a place of the 3D scene, drawn over it by egui.

use super::blocks::deep_direction;
use super::scene::{Slab, row_direction};
use super::state::SceneView;
use super::theme::Theme;
use crate::figure::Tone;
use bevy::asset::AssetEventSystems;
use bevy::camera::visibility::RenderLayers;
use bevy::prelude::*;
use bevy_egui::{EguiContexts, EguiPostUpdateSet, EguiPrimaryContextPass, egui};

pub(super) fn plugin(app: &mut App) {
    app.add_systems(EguiPrimaryContextPass, draw_labels)
        // A letter that is needed for the first time goes into egui's texture. Only what
        // changed before the frame's asset events are sent is drawn in the same frame.
        .configure_sets(
            PostUpdate,
            EguiPostUpdateSet::PostProcessOutput.before(AssetEventSystems),
        );
}

/// Text at the entity's place, facing the reader.
#[derive(Component, Debug, Clone, PartialEq)]
#[require(Transform)]
pub struct Label {
    /// What it says.
    pub text: String,
    /// In whose camera it is seen.
    pub view: SceneView,
    /// Height in points.
    pub size: f32,
    /// Which corner of the text lies at the place.
    pub anchor: egui::Align2,
    /// Less important.
    pub faint: bool,
}

/// Beside a [`Label`]: what it says is a warning.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarming;

/// Beside a [`Label`]: it stands on a plate, for text over what moves.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plate;

/// Beside a [`Label`]: it gives way to others that have it too. Where there is no
/// room at its place it is put lower, then said in short, then left out.
#[derive(Component, Debug, Clone, PartialEq, Eq, Default)]
pub struct Crowded {
    /// The smallest are placed first.
    pub rank: u8,
    /// What it says where there is less room.
    pub short: String,
    /// Whether it is not put lower, where it would seem to belong to something else.
    pub stays: bool,
}

/// How far a crowded label may be put below its place, in its own height.
const LOWEST: f32 = 1.4;
/// Room between crowded labels, in points. Lines may come as near as lines of a
/// text, whose heights have room in them.
const APART: egui::Vec2 = egui::vec2(6.0, -5.0);

/// Where a text that should be at `wanted` fits between `taken`, moved into `clip`
/// sidewards: there, or where it may go `down` as little below as can be.
fn find_room(
    wanted: egui::Rect,
    down: bool,
    clip: egui::Rect,
    taken: &[egui::Rect],
) -> Option<egui::Rect> {
    let mut rect = wanted;
    let over = (rect.right() - clip.right()).max(0.0);
    let under = (clip.left() - rect.left()).max(0.0);
    // What is wholly outside stays there.
    if over < rect.width() && under < rect.width() {
        rect = rect.translate(egui::vec2(under - over, 0.0));
    }
    let lowest = rect.top() + if down { LOWEST * rect.height() } else { 0.0 };
    while rect.top() <= lowest {
        let in_the_way = taken
            .iter()
            .filter(|other| other.expand2(APART).intersects(rect))
            .map(|other| other.bottom() + APART.y)
            .reduce(f32::max);
        let Some(below) = in_the_way else {
            return Some(rect);
        };
        rect = rect.translate(egui::vec2(0.0, (below - rect.top()).max(1.0)));
    }
    None
}

/// Marks the camera of a view.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewCamera(pub SceneView);

/// Where the copies of a text stand that make its halo, in points.
const HALO: [(f32, f32); 8] = [
    (-1.5, 0.0),
    (1.5, 0.0),
    (0.0, -1.5),
    (0.0, 1.5),
    (-1.1, -1.1),
    (1.1, -1.1),
    (-1.1, 1.1),
    (1.1, 1.1),
];

/// Where a label of a surface goes: wholly into the view from side to side, and up
/// or down where others stand already. Where there is no room it stays.
fn settled(rect: egui::Rect, clip: egui::Rect, taken: &[egui::Rect]) -> egui::Rect {
    let right = (clip.right() - MARGIN - rect.right()).min(0.0);
    let left = (clip.left() + MARGIN - rect.left()).max(0.0);
    let rect = rect.translate(egui::vec2(right + left, 0.0));
    let lines = [0.0, 1.0, -1.0, 2.0, -2.0];
    let places = lines.map(|line| rect.translate(egui::vec2(0.0, line * (rect.height() + 2.0))));
    let is_free = |place: &egui::Rect| {
        let inner = place.shrink(1.0);
        clip.contains_rect(inner) && taken.iter().all(|other| !other.intersects(inner))
    };
    places.into_iter().find(is_free).unwrap_or(rect)
}

/// Points between a label and the edge of its view.
const MARGIN: f32 = 6.0;

/// Several lines stand under each other's middle where the label does.
fn layout(
    painter: &egui::Painter,
    label: &Label,
    text: &str,
    font: &egui::FontId,
    color: egui::Color32,
) -> std::sync::Arc<egui::Galley> {
    let mut job =
        egui::text::LayoutJob::simple(text.to_owned(), font.clone(), color, f32::INFINITY);
    if label.anchor.x() == egui::Align::Center && text.contains('\n') {
        job.halign = egui::Align::Center;
    }
    painter.layout_job(job)
}

/// What share of a plate on the screen no other plate's name may cover: its middle.
const CORE: f32 = 0.6;

/// The middle of a plate on the screen, in points.
fn core_of(slab: &Slab, camera: &Camera, place: &GlobalTransform, zoom: f32) -> Option<egui::Rect> {
    let axes = [row_direction(), Vec3::Y, deep_direction()];
    let mut rect = egui::Rect::NOTHING;
    for corner in 0..8 {
        let sign = |axis: usize| if corner >> axis & 1 == 0 { 1.0 } else { -1.0 };
        let off: Vec3 = (0..3)
            .map(|axis| sign(axis) * CORE * slab.half[axis] * axes[axis])
            .sum();
        let point = camera.world_to_viewport(place, slab.center + off).ok()?;
        rect.extend_with(egui::pos2(point.x / zoom, point.y / zoom));
    }
    Some(rect)
}

fn draw_labels(
    mut contexts: EguiContexts,
    labels: Query<(
        Entity,
        &Label,
        &GlobalTransform,
        Option<&InheritedVisibility>,
        Has<Alarming>,
        Has<Plate>,
        Option<&Crowded>,
    )>,
    plates_of_parts: Query<(Entity, &Slab)>,
    cameras: Query<(&RenderLayers, &Camera, &GlobalTransform), With<ViewCamera>>,
    theme: Res<Theme>,
) -> Result {
    let ctx = contexts.ctx_mut()?;
    let layer = egui::LayerId::new(egui::Order::Background, egui::Id::new("scene labels"));
    let palette = theme.palette();
    let color = |rgb: crate::colormap::Rgb| {
        let [r, g, b] = rgb.bytes();
        egui::Color32::from_rgb(r, g, b)
    };
    let zoom = ctx.zoom_factor();
    for (layers, camera, place) in &cameras {
        if !camera.is_active {
            continue;
        }
        let Some(rect) = camera.logical_viewport_rect() else {
            continue;
        };
        let clip = egui::Rect::from_min_max(
            egui::pos2(rect.min.x / zoom, rect.min.y / zoom),
            egui::pos2(rect.max.x / zoom, rect.max.y / zoom),
        );
        let painter = egui::Painter::new(ctx.clone(), layer, clip);
        let mut taken: Vec<egui::Rect> = Vec::new();
        let mut plates: Vec<egui::Rect> = Vec::new();
        let seen = layers.intersects(&RenderLayers::layer(SceneView::Network.layer()));
        let bodies: Vec<(Entity, egui::Rect)> = plates_of_parts
            .iter()
            .filter(|_| seen)
            .filter_map(|(entity, slab)| Some((entity, core_of(slab, camera, place, zoom)?)))
            .collect();
        let mut ordered: Vec<_> = labels.iter().collect();
        ordered.sort_by_key(|(_, label, .., crowded)| (crowded.map_or(0, |c| c.rank), label.faint));
        for (entity, label, at, visible, alarming, plated, crowded) in ordered {
            let layer = RenderLayers::layer(label.view.layer());
            if label.text.is_empty()
                || !layers.intersects(&layer)
                || visible.is_some_and(|v| !v.get())
            {
                continue;
            }
            let Ok(point) = camera.world_to_viewport(place, at.translation()) else {
                continue;
            };
            let at = egui::pos2(point.x / zoom, point.y / zoom);
            let tint = color(if alarming {
                palette.warning
            } else if label.faint {
                palette.faint
            } else {
                palette.text
            });
            let font = egui::FontId::proportional(label.size);
            let mut galley = layout(&painter, label, &label.text, &font, tint);
            let mut rect = label.anchor.anchor_size(at, galley.size());
            if let Some(crowded) = crowded {
                let down = label.anchor.y() == egui::Align::TOP && !crowded.stays;
                // Nor over something else that has a name.
                let free = |rect: &egui::Rect| {
                    let over = |(owner, body): &(Entity, egui::Rect)| {
                        *owner != entity && body.intersects(*rect)
                    };
                    !(crowded.stays && bodies.iter().any(over))
                };
                let mut room = find_room(rect, down, clip, &taken).filter(free);
                if room.is_none() {
                    galley = layout(&painter, label, &crowded.short, &font, tint);
                    rect = label.anchor.anchor_size(at, galley.size());
                    room = find_room(rect, down, clip, &taken).filter(free);
                }
                let Some(room) = room else { continue };
                rect = room;
                taken.push(room);
            } else if label.view == SceneView::Surface && !label.faint && clip.contains(at) {
                rect = settled(rect, clip, &taken);
                taken.push(rect);
            } else if label.faint && plates.iter().any(|plate| plate.intersects(rect)) {
                // Numbers of an axis do not strike through what stands on a plate.
                continue;
            }
            // Lines under each other's middle lie on both sides of a galley's origin.
            let corner = rect.min - galley.rect.min.to_vec2();
            if plated {
                // Opaque, as a half-covered plate has the same trouble as a light halo below.
                let plate = rect.expand2(egui::vec2(4.0, 1.0));
                painter.rect_filled(plate, 3.0, color(palette.background));
                plates.push(plate);
            }
            // A halo in a dark background's colour keeps text legible over
            // anything. A light one would leave grey fringes: half-covered
            // pixels are blended in linear light.
            if theme.tone == Tone::Dark && !plated {
                let halo = color(palette.background);
                let shade = layout(&painter, label, galley.text(), &font, halo);
                for (x, y) in HALO {
                    let at = corner + egui::vec2(x, y);
                    painter.galley(at, shade.clone(), halo);
                }
            }
            painter.galley(corner, galley, tint);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{Rect, pos2, vec2};

    fn at(x: f32, y: f32) -> Rect {
        Rect::from_min_size(pos2(x, y), vec2(60.0, 16.0))
    }

    #[test]
    fn labels_of_a_surface_come_into_view_and_give_way_to_each_other() {
        let clip = Rect::from_min_size(Pos2::ZERO, vec2(300.0, 200.0));
        assert_eq!(settled(at(-20.0, 50.0), clip, &[]), at(MARGIN, 50.0));
        assert_eq!(
            settled(at(290.0, 50.0), clip, &[]),
            at(240.0 - MARGIN, 50.0)
        );
        let taken = [at(100.0, 50.0)];
        assert_eq!(settled(at(120.0, 50.0), clip, &taken), at(120.0, 68.0));
        // One above the other, as written, is no collision.
        assert_eq!(settled(at(100.0, 66.0), clip, &taken), at(100.0, 66.0));
        let crowd = [-36.0, -18.0, 0.0, 18.0, 36.0].map(|dy| at(100.0, 50.0 + dy));
        assert_eq!(settled(at(100.0, 50.0), clip, &crowd), at(100.0, 50.0));
    }

    #[test]
    fn a_label_gives_way_downwards_and_goes_where_there_is_no_room() {
        let clip = Rect::from_min_size(Pos2::ZERO, vec2(300.0, 200.0));
        let mut taken = vec![at(100.0, 20.0)];
        assert_eq!(
            find_room(at(10.0, 20.0), true, clip, &taken),
            Some(at(10.0, 20.0))
        );
        let lower = find_room(at(120.0, 20.0), true, clip, &taken);
        let lower = lower.expect("there is room below");
        assert!(
            lower.left() == 120.0 && (31.0..34.0).contains(&lower.top()),
            "{lower:?}"
        );
        assert_eq!(find_room(at(120.0, 20.0), false, clip, &taken), None);
        taken.extend([at(100.0, 34.0), at(100.0, 50.0)]);
        assert_eq!(find_room(at(120.0, 20.0), true, clip, &taken), None);
    }

    #[test]
    fn a_label_that_would_be_cut_is_moved_into_the_view() {
        let clip = Rect::from_min_size(Pos2::ZERO, vec2(300.0, 200.0));
        assert_eq!(
            find_room(at(-20.0, 9.0), true, clip, &[]),
            Some(at(0.0, 9.0))
        );
        assert_eq!(
            find_room(at(270.0, 9.0), true, clip, &[]),
            Some(at(240.0, 9.0))
        );
        let outside = at(400.0, 9.0);
        assert_eq!(find_room(outside, true, clip, &[]), Some(outside));
    }

    use egui::Pos2;
}
