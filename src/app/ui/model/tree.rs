//! Everything that is on show and the blocks around it, as a list to open and close.

use crate::app::scene::{Face, block_name, operator};
use crate::app::theme::color32;
use crate::app::ui::format::count;
use crate::app::ui::stage::Stage;
use crate::app::ui::widgets::control_id;
use crate::insight::outline::{Outline, Part};
use bevy_egui::egui::{self, Align, Layout, RichText, ScrollArea, Sense, Ui, vec2};
use std::collections::HashSet;
use std::sync::Arc;

/// How high the list is at most, and a row.
const HIGH: f32 = 300.0;
const ROW: f32 = 22.0;
/// The side of a sign's colour.
const SWATCH: f32 = 12.0;

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>) {
    let Some(outline) = stage.blocks.outline().cloned() else {
        return;
    };
    ui.horizontal_wrapped(|ui| {
        if ui.button(stage.t("model.find")).clicked() {
            ui.data_mut(|data| data.insert_temp(control_id("finder/asked"), true));
        }
        if ui.button(stage.t("model.home")).clicked() {
            stage.blocks.fly_home();
        }
        if !outline.blocks().is_empty() {
            if ui.button(stage.t("model.open_all")).clicked() {
                stage.blocks.open_all();
                stage.blocks.fly_home();
            }
            if ui.button(stage.t("model.close_all")).clicked() {
                stage.blocks.close_all();
                stage.blocks.fly_home();
            }
        }
    });
    legend(ui, stage, &outline);
    let mut rows = Vec::new();
    list(&outline, stage, outline.top(), 0, &mut rows);
    let mut act = None;
    ScrollArea::vertical()
        .id_salt("model tree")
        .max_height(HIGH)
        .auto_shrink([false, true])
        .show_rows(ui, ROW, rows.len(), |ui, range| {
            for &(part, depth) in &rows[range] {
                if let Some(asked) = row(ui, stage, &outline, part, depth) {
                    act = Some((part, asked));
                }
            }
        });
    match act {
        Some((part, Asked::Turn)) => stage.blocks.toggle(part),
        Some((part, Asked::Go)) => {
            stage.blocks.select(Some(part));
            stage.blocks.fly_to(part);
            stage.selection.selected = None;
        }
        None => {}
    }
}

/// What the colours of plates say, of those that there are.
fn legend(ui: &mut Ui, stage: &Stage<'_>, outline: &Outline) {
    let (id, begun) = (control_id("model/faces"), stage.blocks.begun());
    let known = ui.data(|data| data.get_temp::<(u64, Arc<HashSet<Face>>)>(id));
    let faces = match known {
        Some((of, faces)) if of == begun => faces,
        _ => {
            let nodes = (0..outline.nodes().len()).map(Part::Node);
            let parts = nodes.chain((0..outline.blocks().len()).map(Part::Block));
            let faces: Arc<HashSet<Face>> =
                Arc::new(parts.map(|part| Face::of(outline, part)).collect());
            ui.data_mut(|data| data.insert_temp(id, (begun, Arc::clone(&faces))));
            faces
        }
    };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(4.0, 2.0);
        for face in Face::ALL.into_iter().filter(|face| faces.contains(face)) {
            sign(ui, stage, face);
        }
    });
}

/// A colour and what it says, on one line.
fn sign(ui: &mut Ui, stage: &Stage<'_>, face: Face) {
    let font = egui::TextStyle::Small.resolve(ui.style());
    let text = stage.t(face.key()).to_owned();
    let galley = ui
        .painter()
        .layout_no_wrap(text, font, ui.visuals().text_color());
    let size = vec2(
        SWATCH + 6.0 + galley.size().x + 8.0,
        galley.size().y.max(SWATCH),
    );
    let (all, _) = ui.allocate_exact_size(size, Sense::hover());
    let corner = egui::pos2(all.left(), all.center().y - 0.5 * SWATCH);
    let rect = egui::Rect::from_min_size(corner, vec2(SWATCH, SWATCH));
    let color = color32(face.color(&stage.palette));
    ui.painter().rect_filled(rect, 2.0, color);
    if face == Face::Opaque {
        let stroke = egui::Stroke::new(1.0, color32(stage.palette.text).gamma_multiply(0.6));
        let (a, b) = (rect.left_bottom(), rect.right_top());
        ui.painter().line_segment([a, b], stroke);
        let corners = [a, rect.left_top(), b, rect.right_bottom(), a];
        let dashes = egui::Shape::dashed_line(&corners, stroke, 3.0, 2.0);
        ui.painter().extend(dashes);
    }
    let at = egui::pos2(rect.right() + 6.0, all.center().y - 0.5 * galley.size().y);
    ui.painter().galley(at, galley, ui.visuals().text_color());
}

/// What a click on a row asks for.
enum Asked {
    Turn,
    Go,
}

fn list(
    outline: &Outline,
    stage: &Stage<'_>,
    parts: &[Part],
    depth: usize,
    rows: &mut Vec<(Part, usize)>,
) {
    for &part in parts {
        rows.push((part, depth));
        if let Part::Block(block) = part
            && stage.blocks.is_open(block)
        {
            list(
                outline,
                stage,
                &outline.blocks()[block].parts,
                depth + 1,
                rows,
            );
        }
    }
}

fn row(
    ui: &mut Ui,
    stage: &Stage<'_>,
    outline: &Outline,
    part: Part,
    depth: usize,
) -> Option<Asked> {
    let mut asked = None;
    ui.allocate_ui_with_layout(
        vec2(ui.available_width(), ROW),
        Layout::left_to_right(Align::Center),
        |ui| {
            ui.set_min_height(ROW);
            ui.spacing_mut().item_spacing.x = 4.0;
            ui.add_space(10.0 * depth as f32);
            let sign = match part {
                Part::Block(block) if stage.blocks.is_open(block) => "−",
                Part::Block(_) => "+",
                Part::Node(_) => "",
            };
            let button = egui::Button::new(sign).small().min_size(vec2(18.0, 18.0));
            if sign.is_empty() {
                ui.add_space(18.0);
            } else if ui.add(button).clicked() {
                asked = Some(Asked::Turn);
            }
            let (name, what, dim) = match part {
                Part::Block(block) => {
                    let nodes = outline.nodes_of(part).len();
                    (
                        block_name(outline, block, stage.texts),
                        count(nodes as u64),
                        false,
                    )
                }
                Part::Node(node) => {
                    let why = outline.nodes()[node].kind.reason().is_some();
                    let what = operator(outline, node, stage.texts);
                    (outline.short_name(node).to_owned(), what, why)
                }
            };
            let mut text = RichText::new(name);
            if stage.blocks.selected() == Some(part) {
                text = text.strong().color(color32(stage.palette.accent));
            } else if dim {
                text = text.italics().weak();
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.label(RichText::new(what).small().weak());
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let label = egui::Label::new(text).truncate().sense(Sense::click());
                    if ui.add(label).clicked() {
                        asked = Some(Asked::Go);
                    }
                });
            });
        },
    );
    asked
}
