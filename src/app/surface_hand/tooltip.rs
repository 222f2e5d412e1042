//! What is under the pointer on the surface, in numbers that can be read out.

use super::grip::Drag;
use super::pointer::SurfacePointer;
use super::touch::Touched;
use crate::app::format::{number, signed};
use crate::app::presenter::{PointerAs, Presenter};
use crate::app::surface::ErrorSurface;
use crate::app::surface_words as words;
use crate::app::text::Texts;
use crate::landscape::Quantity;
use bevy::prelude::*;
use bevy_egui::{EguiContexts, egui};

/// From the pointer to the tooltip's corner, in points.
const OFFSET: f32 = 18.0;
/// Below this difference, as a share of the loss, what is drawn is as good as exact.
const CLOSE: f64 = 2e-3;

pub(super) fn show(
    mut contexts: EguiContexts,
    pointer: Res<SurfacePointer>,
    touched: Res<Touched>,
    drag: Res<Drag>,
    shown: Res<ErrorSurface>,
    texts: Res<Texts>,
    presenter: Option<Res<Presenter>>,
    mut before: Local<usize>,
) -> Result {
    // Whoever points something out wants nothing over it.
    let points = presenter.is_some_and(|p| p.pointer != PointerAs::Usual);
    if points || drag.is_held() {
        // The figures at the ball say it all.
        return Ok(());
    }
    let (rows, hint) = lines(&touched, &shown, &texts);
    // What it says now needs another size, which egui finds in one frame for the next.
    let lines = rows.len() + hint.len();
    let grown = *before != lines;
    *before = lines;
    if lines == 0 {
        return Ok(());
    }
    let ctx = contexts.ctx_mut()?;
    if grown {
        ctx.request_repaint();
    }
    let at = pointer.at / ctx.zoom_factor();
    egui::Area::new(egui::Id::new("what is under the pointer on the surface"))
        .order(egui::Order::Tooltip)
        .fixed_pos(egui::pos2(at.x + OFFSET, at.y + OFFSET))
        .constrain(true)
        .interactable(false)
        .show(ctx, |ui| {
            egui::Frame::popup(ui.style()).show(ui, |ui| {
                egui::Grid::new(("numbers on the surface", rows.len()))
                    .num_columns(2)
                    .spacing([12.0, 2.0])
                    .show(ui, |ui| {
                        for (name, value) in &rows {
                            ui.label(name);
                            ui.monospace(value);
                            ui.end_row();
                        }
                    });
                ui.add(egui::Label::new(egui::RichText::new(hint).weak()).extend());
            });
        });
    Ok(())
}

/// Names and numbers, and what a click does.
fn lines<'a>(
    touched: &Touched,
    shown: &ErrorSurface,
    texts: &'a Texts,
) -> (Vec<(String, String)>, &'a str) {
    let function = shown.function.is_some();
    if touched.ball && !function {
        return (Vec::new(), texts.get("hover.ball"));
    }
    let Some(touch) = &touched.surface else {
        return (Vec::new(), "");
    };
    let name = |axis: usize| match function {
        true => ["x", "y"][axis].to_owned(),
        false => words::axis(texts, shown, axis),
    };
    let (height, hint) = match function {
        true => (texts.get("surface.value").to_owned(), ""),
        false => (
            words::measure(texts, shown.measure),
            texts.get("hover.click"),
        ),
    };
    let is_accuracy = !function && shown.measure.quantity == Quantity::Accuracy;
    let value = |v: f64, digits: usize| words::height(is_accuracy, v, digits);
    let mut rows = vec![
        (name(0), number(touch.x + shown.axis_origin(0), 4)),
        (name(1), number(touch.y + shown.axis_origin(1), 4)),
    ];
    let drawn = (texts.get("hover.drawn").to_owned(), value(touch.drawn, 4));
    let Some(exact) = &touch.exact else {
        rows.push(drawn);
        return (rows, hint);
    };
    rows.push((height, value(exact.loss, 5)));
    if (exact.loss - touch.drawn).abs() > CLOSE * exact.loss.abs() {
        rows.push(drawn);
    }
    for axis in 0..2 {
        let slope = texts.with("hover.slope", &[("axis", &name(axis))]);
        rows.push((slope, signed(exact.gradient[axis], 4)));
    }
    (rows, hint)
}
