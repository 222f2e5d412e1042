//! Which surface is shown: the network's, or a function of x and y, built in or
//! typed.

use super::learning::named;
use super::stage::{Intent, Stage};
use super::widgets::{complaint, control_id, remark, row, segmented};
use crate::app::{Ground, PinCommand};
use crate::landscape::{Analytic, Builtin};
use bevy_egui::egui::{self, DragValue, RichText, Ui};

/// The formula as it is being typed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FunctionForm {
    /// What stands in the field.
    pub text: String,
    /// What is wrong with it.
    pub error: Option<String>,
    /// The function that it was last made from.
    of: String,
}

/// The switch between both kinds of surface, and all about a function.
pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>, form: &mut FunctionForm) {
    let texts = stage.texts;
    let kinds = [
        (Ground::Network, None, texts.get("function.network")),
        (Ground::Function, None, texts.get("function.function")),
    ];
    let arena = &mut stage.choices.arena;
    segmented(ui, "ground", &mut arena.ground, &kinds);
    if arena.ground == Ground::Network {
        return;
    }
    menu(ui, stage);
    formula(ui, stage, form);
    ranges(ui, stage);
    let arena = &mut stage.choices.arena;
    ui.checkbox(&mut arena.log_height, texts.get("surface_view.log_height"));
    let surface = stage.surface.surface.as_ref();
    let least = surface.and_then(|s| s.range()).map(|r| r.0);
    remark(ui, texts.get("function.drop"));
    if arena.log_height && least.is_some_and(|l| l < 0.0) {
        remark(ui, texts.get("function.no_log"));
    }
}

fn menu(ui: &mut Ui, stage: &mut Stage<'_>) {
    let texts = stage.texts;
    let arena = &mut stage.choices.arena;
    let name = |b: Builtin| texts.get(&format!("function.{}", b.name())).to_owned();
    let now = Builtin::ALL
        .into_iter()
        .find(|b| b.name() == arena.function);
    row(ui, texts.get("function.which"), |ui| {
        egui::ComboBox::from_id_salt(control_id("function/which"))
            .width(ui.available_width())
            .height(480.0)
            .truncate()
            .selected_text(
                RichText::new(now.map_or_else(|| texts.get("function.own").to_owned(), name))
                    .size(13.5),
            )
            .show_ui(ui, |ui| {
                for builtin in Builtin::ALL {
                    let item = ui.selectable_label(now == Some(builtin), name(builtin));
                    if item.on_hover_text(builtin.formula()).clicked() {
                        arena.choose_builtin(builtin);
                    }
                }
            });
    });
}

fn formula(ui: &mut Ui, stage: &mut Stage<'_>, form: &mut FunctionForm) {
    let texts = stage.texts;
    let arena = &mut stage.choices.arena;
    if form.of != arena.function {
        // Chosen from the menu or by a key: the field shows its formula.
        form.of.clone_from(&arena.function);
        form.text = arena.analytic().formula().to_owned();
        form.error = None;
    }
    ui.label(
        RichText::new(texts.get("function.formula"))
            .size(13.5)
            .weak(),
    );
    let field = egui::TextEdit::multiline(&mut form.text)
        .id(control_id("function/formula"))
        .desired_rows(2)
        .desired_width(f32::INFINITY)
        .return_key(None)
        .char_limit(400)
        .hint_text(texts.get("function.hint"));
    let response = ui.add(field);
    if response.changed() {
        match Analytic::find(&form.text) {
            Ok(function) => {
                form.error = None;
                match function.builtin() {
                    Some(builtin) => arena.choose_builtin(builtin),
                    None => arena.choose_formula(&form.text),
                }
                // What was typed stays as it was typed.
                form.of.clone_from(&arena.function);
            }
            Err(error) => form.error = Some(error.to_string()),
        }
    }
    if let Some(error) = &form.error {
        complaint(ui, &stage.palette, error);
    } else if let Some(builtin) = Builtin::ALL.iter().find(|b| b.name() == arena.function) {
        remark(
            ui,
            &texts.with("function.source", &[("source", &builtin.source())]),
        );
    }
}

fn ranges(ui: &mut Ui, stage: &mut Stage<'_>) {
    let texts = stage.texts;
    let arena = &mut stage.choices.arena;
    let before = arena.analytic().domain();
    let mut domain = before;
    for (key, [low, high]) in ["function.x", "function.y"].into_iter().zip(&mut domain) {
        row(ui, texts.get(key), |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            let speed = 0.01 * (*high - *low);
            let least = 1e-6 * (1.0 + low.abs() + high.abs());
            ui.add(DragValue::new(low).speed(speed).range(-1e6..=*high - least));
            ui.add(DragValue::new(high).speed(speed).range(*low + least..=1e6));
        });
    }
    if domain != before {
        arena.domain = Some(domain);
    }
    let before = arena.start.unwrap_or_else(|| arena.analytic().start());
    let [mut x, mut y] = before;
    row(ui, texts.get("function.start"), |ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (v, [low, high]) in [&mut x, &mut y].into_iter().zip(domain) {
            ui.add(
                DragValue::new(v)
                    .speed(0.01 * (high - low))
                    .range(-1e6..=1e6),
            );
        }
    });
    if [x, y] != before {
        arena.start = Some([x, y]);
    }
}

/// Keeps the surface beside the live one, or lets it go.
pub(super) fn pin(ui: &mut Ui, stage: &mut Stage<'_>) {
    let key = if stage.pinned { "pin.unpin" } else { "pin.pin" };
    let button = egui::Button::new(stage.t(key)).wrap();
    if named(ui, "surface/pin", button).clicked() {
        stage.intents.push(Intent::Pin(PinCommand::Toggle));
    }
    if stage.pinned {
        remark(ui, stage.t("pin.note"));
    }
}

/// The next of the built-in functions, for a key.
pub(super) fn next(stage: &mut Stage<'_>) {
    let arena = &mut stage.choices.arena;
    let all = Builtin::ALL;
    let now = all.iter().position(|b| b.name() == arena.function);
    // From the network's surface, the one that was shown last.
    let at = match now {
        Some(at) if arena.ground == Ground::Function => (at + 1) % all.len(),
        Some(at) => at,
        None => 0,
    };
    arena.choose_builtin(all[at]);
}
