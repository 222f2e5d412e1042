//! Text that stands at a place of the 3D scene, drawn over it by egui.

use super::state::SceneView;
use super::theme::Theme;
use bevy::camera::visibility::RenderLayers;
use bevy::prelude::*;
use bevy_egui::{EguiContexts, EguiPrimaryContextPass, egui};

pub(super) fn plugin(app: &mut App) {
    app.add_systems(EguiPrimaryContextPass, draw_labels);
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

fn draw_labels(
    mut contexts: EguiContexts,
    labels: Query<(
        &Label,
        &GlobalTransform,
        Option<&InheritedVisibility>,
        Has<Alarming>,
        Has<Plate>,
    )>,
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
        for (label, at, visible, alarming, plated) in &labels {
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
            let galley = painter.layout_no_wrap(label.text.clone(), font.clone(), tint);
            let rect = label.anchor.anchor_size(at, galley.size());
            if plated {
                // Opaque, as a half-covered plate has the same trouble as a light halo below.
                let plate = rect.expand2(egui::vec2(4.0, 1.0));
                painter.rect_filled(plate, 3.0, color(palette.background));
            }
            // A halo in a dark background's colour keeps text legible over
            // anything. A light one would leave grey fringes: half-covered
            // pixels are blended in linear light.
            if *theme == Theme::Dark && !plated {
                let halo = color(palette.background);
                let shade = painter.layout_no_wrap(label.text.clone(), font, halo);
                for (x, y) in HALO {
                    let at = rect.min + egui::vec2(x, y);
                    painter.galley(at, shade.clone(), halo);
                }
            }
            painter.galley(rect.min, galley, tint);
        }
    }
    Ok(())
}
