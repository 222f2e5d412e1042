//! The values of a flat layer as bars, above the line where they are positive and below
//! it where they are negative.

use super::super::format::number;
use super::super::stage::Stage;
use super::sheet::Image;
use crate::app::theme::color32;
use bevy_egui::egui::{self, Align2, FontId, Rect, RichText, Sense, Stroke, Ui, pos2, vec2};

/// How wide a bar is with the gap behind it, at least and at most, in points.
const PITCH: [f32; 2] = [2.0, 30.0];
/// Bars so wide have their unit's number below them.
const NUMBERED: f32 = 15.0;

/// The values of an image of one row; under the pointer the number.
pub(super) fn show(ui: &mut Ui, stage: &Stage<'_>, image: &Image, tall: f32) {
    let values = &image.tile.values;
    let pitch = (2.6 * tall / values.len().max(1) as f32).clamp(PITCH[0], PITCH[1]);
    let numbered = pitch >= NUMBERED;
    let foot = if numbered { 15.0 } else { 0.0 };
    let width = pitch * values.len() as f32;
    ui.vertical(|ui| {
        ui.set_width(width.max(90.0));
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.add(egui::Label::new(RichText::new(&image.tile.title).size(12.0)).truncate());
        let (all, response) = ui.allocate_exact_size(vec2(width, tall), Sense::hover());
        let rect = Rect::from_min_max(all.min, pos2(all.right(), all.bottom() - foot));
        let finite = values.iter().filter(|v| v.is_finite());
        let (low, high) = finite.fold((0.0_f32, 0.0_f32), |(a, b), &v| (a.min(v), b.max(v)));
        let span = (high - low).max(f32::MIN_POSITIVE);
        let y = |value: f32| rect.bottom() - rect.height() * (value - low) / span;
        let palette = &stage.palette;
        let (painter, faint) = (ui.painter(), color32(palette.faint));
        for (k, &value) in values.iter().enumerate() {
            let left = rect.left() + pitch * k as f32;
            if value.is_finite() {
                let color = if value < 0.0 {
                    palette.diverging.negative
                } else {
                    palette.diverging.positive
                };
                let gap = if pitch > 4.0 { 0.2 * pitch } else { 0.0 };
                let bar =
                    Rect::from_two_pos(pos2(left, y(value)), pos2(left + pitch - gap, y(0.0)));
                painter.rect_filled(bar, 1.0, color32(color));
            }
            if numbered {
                let at = pos2(left + 0.4 * pitch, all.bottom());
                let font = FontId::proportional(11.0);
                painter.text(at, Align2::CENTER_BOTTOM, k + 1, font, faint);
            }
        }
        painter.hline(rect.x_range(), y(0.0), Stroke::new(1.0, faint));
        let ends = [low, high].map(|v| number(v.into(), 3));
        let scale = RichText::new(format!("{} … {}", ends[0], ends[1])).size(11.0);
        ui.label(scale.color(faint));
        let Some(at) = response.hover_pos() else {
            return;
        };
        let unit = ((at.x - rect.left()) / pitch) as usize;
        if let Some(&value) = values.get(unit) {
            let value = number(value.into(), 5);
            let said: [(&str, &dyn std::fmt::Display); 2] = [("unit", &(unit + 1)), ("v", &value)];
            response.on_hover_text(stage.texts.with("inside.bar", &said));
        }
    });
}
