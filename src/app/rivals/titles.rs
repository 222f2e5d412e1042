//! What says which of the networks side by side is which: letter, loss and widths in the
//! corner of each one's view, and lines between the views.

use super::super::labels::ViewCamera;
use super::super::state::SceneView;
use super::super::theme::{Theme, color32};
use super::super::training::Training;
use super::Rivals;
use crate::app::format::number;
use crate::compare::letter;
use bevy::prelude::*;
use bevy_egui::{EguiContexts, egui};

/// Height of a title in points.
const SIZE: f32 = 16.0;

pub(super) fn draw(
    mut contexts: EguiContexts,
    cameras: Query<(&ViewCamera, &Camera)>,
    training: Res<Training>,
    rivals: Res<Rivals>,
    theme: Res<Theme>,
) -> Result {
    if rivals.list.is_empty() {
        return Ok(());
    }
    let ctx = contexts.ctx_mut()?;
    let zoom = ctx.zoom_factor();
    let palette = theme.palette();
    let layer = egui::LayerId::new(egui::Order::Background, egui::Id::new("rival titles"));
    for (view, camera) in &cameras {
        let (index, run) = match view.0 {
            SceneView::Network => (0, Some(&*training)),
            SceneView::Beside(rival) => (rival + 1, rivals.list.get(rival)),
            SceneView::Surface => continue,
        };
        let rect = camera.logical_viewport_rect().filter(|_| camera.is_active);
        let (Some(run), Some(rect)) = (run, rect) else {
            continue;
        };
        let rect = egui::Rect::from_min_max(
            egui::pos2(rect.min.x / zoom, rect.min.y / zoom),
            egui::pos2(rect.max.x / zoom, rect.max.y / zoom),
        );
        let painter = egui::Painter::new(ctx.clone(), layer, rect);
        let line = egui::Stroke::new(1.0, color32(palette.faint).gamma_multiply(0.45));
        painter.rect_stroke(rect, 0.0, line, egui::StrokeKind::Inside);
        let chip =
            egui::Rect::from_min_size(rect.min + egui::vec2(10.0, 10.0), egui::vec2(24.0, 23.0));
        painter.rect_filled(chip, 5.0, color32(palette.racer(index)));
        let font = egui::FontId::proportional(SIZE);
        let middle = egui::Align2::CENTER_CENTER;
        let ground = color32(palette.background);
        painter.text(chip.center(), middle, letter(index), font.clone(), ground);
        let mut at = chip.right_center() + egui::vec2(9.0, 0.0);
        for (text, color) in title(run).into_iter().zip([palette.faint, palette.text]) {
            let left = egui::Align2::LEFT_CENTER;
            let taken = painter.text(at, left, text, font.clone(), color32(color));
            at.x = taken.right() + 12.0;
        }
    }
    Ok(())
}

/// Its loss after the last epoch, of what is held back where something is, and the widths
/// of its layers.
fn title(run: &Training) -> [String; 2] {
    let widths = run.problem.network.widths();
    let widths: Vec<String> = widths.iter().map(usize::to_string).collect();
    let loss = run.shown_row().map(|row| {
        let loss = row.validation_loss.unwrap_or(row.train_loss);
        number(loss, 3)
    });
    [loss.unwrap_or_default(), widths.join("-")]
}
