//! Attributions of a table's columns or a point's coordinates: a line for each, a bar for
//! each method.

use super::super::super::format::{number, signed};
use super::super::super::stage::Stage;
use super::question::Found;
use crate::app::theme::color32;
use crate::insight::explain::Method;
use bevy_egui::egui::{self, Align2, FontId, Rect, Sense, Ui, pos2, vec2};

/// A line's height, and the room of a name and of a value, in points.
const LINE: f32 = 19.0;
const NAME: f32 = 128.0;
const VALUE: f32 = 56.0;
/// The narrowest and the widest a bar's rail is.
const RAIL: [f32; 2] = [66.0, 190.0];

/// The lines, under headings. What bars of a method show is measured against its largest.
pub(super) fn show(ui: &mut Ui, stage: &Stage<'_>, found: &Found) {
    let problem = &stage.training.problem;
    let many = found.methods.len().max(1) as f32;
    let rail = (ui.available_width() - NAME - VALUE) / many - 10.0;
    let rail = rail.clamp(RAIL[0], RAIL[1]);
    let wide = NAME + VALUE + many * (rail + 10.0);
    let size = vec2(wide, LINE * (found.x.len() + 1) as f32);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter();
    let font = FontId::proportional(12.5);
    let (text, faint) = (color32(stage.palette.text), color32(stage.palette.faint));
    let left = |k: usize| rect.left() + NAME + VALUE + 10.0 + (rail + 10.0) * k as f32;
    let most = |k: usize| {
        let values = found.methods[k].values.iter();
        values
            .filter(|v| v.is_finite())
            .fold(0.0_f64, |m, v| m.max(v.abs()))
    };
    let truncated = |name: &str, wide: f32, color| {
        let mut job = egui::text::LayoutJob::simple_singleline(name.into(), font.clone(), color);
        job.wrap = egui::text::TextWrapping::truncate_at_width(wide);
        painter.layout_job(job)
    };
    for (k, method) in found.methods.iter().enumerate() {
        let title = title(stage, method.method);
        let at = pos2(left(k), rect.top() + 1.0);
        painter.galley(at, truncated(&title, rail + 8.0, text), text);
    }
    for (unit, &value) in found.x.iter().enumerate() {
        let y = rect.top() + LINE * (unit as f32 + 1.0);
        let feature = problem.feature_of(unit);
        let name = problem.data.feature_names.get(feature);
        let name = name.map_or("?", String::as_str);
        painter.galley(
            pos2(rect.left(), y + 2.0),
            truncated(name, NAME - 6.0, text),
            text,
        );
        // In the data's own units.
        let own = problem.data.scaler.unscaled(feature, value as f32);
        let at = pos2(rect.left() + NAME + VALUE, y + 0.5 * LINE);
        let own = number(own.into(), 3);
        painter.text(at, Align2::RIGHT_CENTER, own, font.clone(), faint);
        for (k, method) in found.methods.iter().enumerate() {
            let place = Rect::from_min_size(pos2(left(k), y + 3.0), vec2(rail, LINE - 6.0));
            painter.rect_filled(place, 2.0, ui.visuals().extreme_bg_color);
            let most = most(k);
            let value = method.values[unit];
            if most > 0.0 && value.is_finite() {
                let share = (value / most) as f32;
                let middle = place.center().x;
                let end = middle + 0.5 * rail * share;
                let bar = Rect::from_x_y_ranges(middle.min(end)..=middle.max(end), place.y_range());
                let color = stage.palette.diverging.at(share.signum());
                painter.rect_filled(bar, 1.0, color32(color));
            }
            painter.vline(
                place.center().x,
                place.y_range(),
                egui::Stroke::new(1.0, faint),
            );
        }
    }
    let Some(at) = response.hover_pos() else {
        return;
    };
    let unit = (at.y - rect.top()) / LINE - 1.0;
    let k = (at.x - left(0)) / (rail + 10.0);
    let method = (k >= 0.0).then(|| found.methods.get(k as usize)).flatten();
    if let Some(method) = method.filter(|_| unit >= 0.0)
        && let Some(&value) = method.values.get(unit as usize)
    {
        let name = problem
            .data
            .feature_names
            .get(problem.feature_of(unit as usize));
        let name = name.cloned().unwrap_or_default();
        let title = title(stage, method.method);
        response.on_hover_text(format!("{name}, {title}: {}", signed(value, 4)));
    }
}

/// A method's name in the language in use.
pub(super) fn title(stage: &Stage<'_>, method: Method) -> String {
    let key = format!("explain.method.{}", method.name());
    stage.texts.get(&key).to_owned()
}
