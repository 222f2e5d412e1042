//! The bar at the top: what is shown and how, and the run with its controls
//! and figures.

use super::format::{count, number, percent};
use super::icons::Icon;
use super::panels::Panels;
use super::stage::Stage;
use super::widgets::{
    captioned, control_id, group, icon_button, icon_button_sized, row, segmented, slide,
};
use super::{exercise, lecture, model};
use crate::app::settings::Choices;
use crate::app::theme::color32;
use crate::app::{Language, ViewMode};
use crate::figure::Tone;
use crate::train::{RunState, TrainCommand};
use bevy_egui::egui::{self, Align, Layout, RichText, Ui, vec2};

const ROW: f32 = 32.0;
const TRANSPORT: f32 = 44.0;
/// The speed slider's right end, in epochs a second; beyond lies "as fast as it goes".
const FASTEST: f64 = 1000.0;

/// Draws both rows; `compact` leaves out what has a key or a place elsewhere.
pub fn show(
    ui: &mut Ui,
    stage: &mut Stage<'_>,
    panels: &mut Panels,
    open: [bool; 2],
    compact: bool,
) {
    let bar = Layout::left_to_right(Align::TOP).with_main_wrap(true);
    ui.spacing_mut().item_spacing = vec2(8.0, 6.0);
    ui.with_layout(bar, |ui| title_row(ui, stage, panels, open, compact));
    ui.add_space(2.0);
    ui.with_layout(bar, |ui| transport_row(ui, stage, panels, compact));
}

/// Speed and learning rate, for where the bar has no room for them.
pub fn sliders(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels) {
    row(ui, stage.t("run.speed"), |ui| speed(ui, stage, None));
    row(ui, stage.t("run.learning_rate"), |ui| {
        learning_rate(ui, stage, panels, None);
    });
}

fn title_row(
    ui: &mut Ui,
    stage: &mut Stage<'_>,
    panels: &mut Panels,
    open: [bool; 2],
    compact: bool,
) {
    let width = ui.available_width();
    let modes = [
        (ViewMode::Network, Icon::Network, stage.t("view.network")),
        (ViewMode::Surface, Icon::Surface, stage.t("view.surface")),
        (ViewMode::Both, Icon::Both, stage.t("view.both")),
        (ViewMode::Together, Icon::Together, stage.t("view.together")),
    ]
    .map(|(mode, icon, text)| (mode, Some(icon), if compact { "" } else { text }));
    // Measured, so that the switch is one block whatever the language.
    let font = egui::TextStyle::Button.resolve(ui.style());
    let switch: f32 = modes
        .iter()
        .map(|(_, _, text)| {
            let (text, font) = ((*text).to_owned(), font.clone());
            let galley = ui
                .painter()
                .layout_no_wrap(text, font, egui::Color32::WHITE);
            galley.size().x + if compact { 30.0 } else { 38.0 }
        })
        .sum::<f32>()
        + 2.0;
    let settings = if compact { 166.0 } else { 510.0 };
    let room = (width - switch - settings - 24.0).max(0.0);
    let title = if compact {
        30.0
    } else {
        room.clamp(150.0, 420.0)
    };
    group(ui, vec2(title, ROW), |ui| name(ui, stage, open[0], compact));
    let before = ((width - switch) / 2.0 - title - 8.0).min(room - title);
    if before > 0.0 {
        ui.add_space(before.floor());
    }
    group(ui, vec2(switch, ROW), |ui| {
        segmented(ui, "view", &mut stage.choices.mode, &modes);
    });
    let after = ui.available_size_before_wrap().x - settings;
    if after > 0.0 {
        ui.add_space(after.floor());
    }
    group(ui, vec2(settings, ROW), |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            interface(ui, stage, panels, open[1], compact);
        });
    });
}

fn name(ui: &mut Ui, stage: &mut Stage<'_>, open: bool, compact: bool) {
    let tip = stage.t("top.left_panel");
    if bar_button(ui, "top/left", Icon::PanelLeft, tip).clicked() {
        stage.choices.left_panel = Some(!open);
    }
    if compact {
        return;
    }
    let accent = color32(stage.palette.accent);
    ui.label(RichText::new(stage.t("app.title")).heading().color(accent));
    if stage.loading {
        ui.add(egui::Spinner::new().size(16.0));
    }
    let name = match stage.blocks.foreign() {
        Some(foreign) => foreign.name(),
        None => source_name(stage, stage.training.problem.experiment.title()),
    };
    if ui.available_width() > 60.0 {
        ui.add(egui::Label::new(RichText::new(name).weak()).truncate());
    }
}

fn bar_button(ui: &mut Ui, name: &str, icon: Icon, tip: &str) -> egui::Response {
    icon_button_sized(ui, name, icon, tip, true, false, vec2(30.0, 28.0))
}

/// Theme, language, scale, help: from right to left.
fn interface(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels, open: bool, compact: bool) {
    ui.spacing_mut().item_spacing.x = 4.0;
    let tip = stage.t("top.right_panel");
    if bar_button(ui, "top/right", Icon::PanelRight, tip).clicked() {
        stage.choices.right_panel = Some(!open);
    }
    if bar_button(ui, "top/help", Icon::Help, stage.t("top.help")).clicked() {
        panels.help = !panels.help;
    }
    if !compact {
        lecture::menu(ui, stage, panels);
        exercise::menu(ui, stage, panels);
        let tip = stage.t("inside.open");
        if bar_button(ui, "top/inside", Icon::Inside, tip).clicked() {
            panels.inside.open = !panels.inside.open;
        }
        let tip = stage.t("runs.open_list");
        if bar_button(ui, "top/runs", Icon::Runs, tip).clicked() {
            panels.runs.open = !panels.runs.open;
        }
        let tip = stage.t("top.sweep");
        if bar_button(ui, "top/sweep", Icon::Sweep, tip).clicked() {
            panels.sweep.open = !panels.sweep.open;
        }
    }
    scale(ui, stage, compact);
    let (icon, tip) = match stage.choices.theme.tone {
        Tone::Dark => (Icon::Sun, stage.t("top.light")),
        Tone::Light => (Icon::Moon, stage.t("top.dark")),
    };
    if bar_button(ui, "top/theme", icon, tip).clicked() {
        stage.choices.theme = stage.choices.theme.turned();
    }
    if !compact {
        let languages = Language::ALL.map(|l| (l, None, l.name()));
        segmented(ui, "language", &mut stage.choices.language, &languages);
    }
}

fn scale(ui: &mut Ui, stage: &mut Stage<'_>, compact: bool) {
    let [least, most] = Choices::SCALES;
    let now = stage.choices.scale;
    let small = vec2(26.0, 28.0);
    let tip = stage.t("top.larger");
    // From right to left.
    if icon_button_sized(ui, "top/larger", Icon::Plus, tip, now < most, false, small).clicked() {
        stage.choices.scale = rescaled(now, 1);
    }
    if !compact {
        let (rect, response) = ui.allocate_exact_size(vec2(42.0, 28.0), egui::Sense::click());
        ui.painter().text(
            rect.center(),
            egui::Align2::CENTER_CENTER,
            format!("{:.0}%", 100.0 * now),
            egui::FontId::proportional(13.0),
            ui.visuals().weak_text_color(),
        );
        if response.on_hover_text(stage.t("top.scale")).clicked() {
            stage.choices.scale = 1.0;
        }
    }
    let tip = stage.t("top.smaller");
    if icon_button_sized(
        ui,
        "top/smaller",
        Icon::Minus,
        tip,
        now > least,
        false,
        small,
    )
    .clicked()
    {
        stage.choices.scale = rescaled(now, -1);
    }
}

/// The interface scale so many quarter steps away, within its limits.
pub fn rescaled(now: f32, steps: i32) -> f32 {
    let [least, most] = Choices::SCALES;
    ((now * 4.0).round() / 4.0 + 0.25 * steps as f32).clamp(least, most)
}

/// The name of a source in the language in use; a path's own name.
pub fn source_name(stage: &Stage<'_>, source: &str) -> String {
    if crate::data::source_info(source).is_some() {
        stage.texts.get(&format!("source.{source}")).to_owned()
    } else {
        let path = std::path::Path::new(source);
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        name.unwrap_or_else(|| source.to_owned())
    }
}

fn transport_row(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels, compact: bool) {
    if stage.blocks.foreign().is_some() {
        let size = vec2(ui.available_width(), TRANSPORT);
        group(ui, size, |ui| model::bar(ui, stage));
        return;
    }
    let width = if compact { 186.0 } else { 255.0 };
    if let Some(run) = stage.training.elsewhere.clone() {
        let size = vec2(width, TRANSPORT);
        captioned(ui, size, stage.t("watch.badge"), |ui| {
            let name = RichText::new(&*run).size(16.0).strong();
            let accent = color32(stage.palette.accent);
            let label = egui::Label::new(name.color(accent)).truncate();
            ui.add(label)
                .on_hover_text(stage.t("watch.trained_elsewhere"));
        });
        return figures(ui, stage, compact);
    }
    group(ui, vec2(width, TRANSPORT), |ui| {
        controls(ui, stage, compact)
    });
    if !compact {
        let size = vec2(176.0, TRANSPORT);
        captioned(ui, size, stage.t("run.speed"), |ui| {
            speed(ui, stage, Some(82.0))
        });
        let size = vec2(212.0, TRANSPORT);
        captioned(ui, size, stage.t("run.learning_rate"), |ui| {
            learning_rate(ui, stage, panels, Some(92.0));
            let heeds = stage.training.problem.experiment.training.optimizer.kind();
            let tip = stage.t("range_test.tip");
            let size = vec2(24.0, 24.0);
            let (name, icon) = ("top/range_test", Icon::RangeTest);
            let on = heeds.heeds_rate();
            if icon_button_sized(ui, name, icon, tip, on, false, size).clicked() {
                panels.range.open();
            }
        });
    }
    figures(ui, stage, compact);
}

fn controls(ui: &mut Ui, stage: &mut Stage<'_>, compact: bool) {
    ui.spacing_mut().item_spacing.x = 5.0;
    let state = stage.training.snapshot.state;
    let diverged = state == RunState::Diverged;
    let running = state == RunState::Running;
    let large = vec2(46.0, 34.0);
    if diverged {
        let tip = stage.t("run.rewind");
        if icon_button_sized(ui, "run/rewind", Icon::Rewind, tip, true, true, large).clicked() {
            stage.train(TrainCommand::Rewind);
        }
    } else {
        let (icon, tip) = if running {
            (Icon::Pause, stage.t("run.pause"))
        } else {
            (Icon::Play, stage.t("run.start"))
        };
        if icon_button_sized(ui, "run/toggle", icon, tip, true, true, large).clicked() {
            stage.train(toggled(state));
        }
    }
    let still = !diverged;
    if icon_button(ui, "run/step", Icon::Step, stage.t("run.step"), still).clicked() {
        stage.train(TrainCommand::Step);
    }
    if !compact
        && icon_button(ui, "run/events", Icon::Events, stage.t("micro.step"), still).clicked()
    {
        let walk = &mut stage.choices.walk;
        walk.on = !walk.on;
        walk.walking = false;
    }
    if icon_button(ui, "run/epoch", Icon::Epoch, stage.t("run.epoch"), still).clicked() {
        stage.train(TrainCommand::Epoch);
    }
    if icon_button(ui, "run/reset", Icon::Reset, stage.t("run.reset"), true).clicked() {
        stage.train(TrainCommand::Reset);
    }
    if !compact && icon_button(ui, "run/reseed", Icon::Dice, stage.t("run.reseed"), true).clicked()
    {
        let seed = stage.training.snapshot.seed.wrapping_add(1);
        stage.train(TrainCommand::Reseed(seed));
    }
}

/// What the run button does in a state.
pub fn toggled(state: RunState) -> TrainCommand {
    if state == RunState::Running {
        TrainCommand::Pause
    } else {
        TrainCommand::Start
    }
}

fn speed(ui: &mut Ui, stage: &mut Stage<'_>, rail: Option<f32>) {
    let mut value = stage.choices.speed.min(2.0 * FASTEST);
    let all = stage.t("run.unlimited").to_owned();
    let unit = stage.texts;
    let slider = egui::Slider::new(&mut value, 0.5..=2.0 * FASTEST)
        .logarithmic(true)
        .custom_formatter(move |v, _| {
            if v > FASTEST {
                all.clone()
            } else {
                unit.with("run.per_second", &[("n", &number(v, 2))])
            }
        })
        .custom_parser(|text| text.split_whitespace().next()?.parse().ok());
    let tip = stage.t("run.speed_tip");
    if slide_on(ui, slider, rail).on_hover_text(tip).changed() {
        stage.choices.speed = if value > FASTEST {
            f64::INFINITY
        } else {
            value
        };
    }
}

fn learning_rate(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels, rail: Option<f32>) {
    let method = stage.training.problem.experiment.training.optimizer.kind();
    if !method.has_rate() {
        let text = RichText::new(stage.t("run.own_rate")).weak();
        ui.add(egui::Label::new(text).truncate());
        return;
    }
    // The base of a schedule: what the slider sets.
    let mut rate = stage.training.snapshot.base_learning_rate;
    if let Some((wanted, until)) = panels.rate_in_flight {
        // What was set shows until the run confirms it.
        if rate == wanted || ui.input(|i| i.time) > until {
            panels.rate_in_flight = None;
        } else {
            rate = wanted;
        }
    }
    let slider = egui::Slider::new(&mut rate, 1e-5..=10.0)
        .logarithmic(true)
        .clamping(egui::SliderClamping::Never)
        .custom_formatter(|v, _| plain(v))
        .custom_parser(|text| text.trim().replace('−', "-").parse().ok());
    let response = slide_on(ui, slider, rail).on_hover_text(stage.t("run.learning_rate_tip"));
    if response.changed() && rate.is_finite() && rate > 0.0 {
        let dragged = response.dragged();
        set_rate(
            ui,
            stage,
            panels,
            if dragged { rounded(rate) } else { rate },
        );
    }
}

/// Sets the learning rate of the run and of the draft.
pub fn set_rate(ui: &Ui, stage: &mut Stage<'_>, panels: &mut Panels, rate: f64) {
    let optimizer = &stage.training.problem.experiment.training.optimizer;
    if !optimizer.kind().has_rate() {
        // It finds the length of each step itself.
        return;
    }
    stage.train(TrainCommand::SetLearningRate(rate));
    panels.draft.set_learning_rate(rate);
    panels.rate_in_flight = Some((rate, ui.input(|i| i.time) + 1.0));
}

/// Exactly, as far as that is short.
fn plain(v: f64) -> String {
    let exact = format!("{v}");
    if exact.len() <= 8 {
        exact
    } else {
        number(v, 4)
    }
}

/// To two significant digits: what a hand on a slider means.
fn rounded(v: f64) -> f64 {
    format!("{v:.1e}").parse().unwrap_or(v)
}

/// A slider with a rail of that length, or as long as there is room.
fn slide_on(ui: &mut Ui, slider: egui::Slider<'_>, rail: Option<f32>) -> egui::Response {
    let Some(rail) = rail else {
        return slide(ui, slider);
    };
    ui.spacing_mut().slider_width = rail;
    ui.add(slider)
}

fn figures(ui: &mut Ui, stage: &Stage<'_>, compact: bool) {
    let snapshot = &stage.training.snapshot;
    let last = stage.training.shown_row();
    let epochs = format!("{} / {}", snapshot.epoch, snapshot.target_epoch);
    let figure = |ui: &mut Ui, width: f32, key: &'static str, value: String, color| {
        captioned(ui, vec2(width, TRANSPORT), stage.texts.get(key), |ui| {
            let text = RichText::new(value).size(16.0).color(color);
            ui.add(egui::Label::new(text).truncate());
        });
    };
    let text = color32(stage.palette.text);
    let training = color32(stage.palette.training);
    let validation = color32(stage.palette.validation);
    let stopped = snapshot.stop.as_ref();
    let (key, color) = match stopped {
        Some(_) => ("stopped.epoch", color32(stage.palette.accent)),
        None => ("figure.epoch", text),
    };
    let begin = ui.cursor().min;
    let elsewhere = stage.training.elsewhere.is_some();
    if !elsewhere {
        figure(ui, 96.0, key, epochs, color);
    }
    if let Some(reason) = stopped {
        let rect = egui::Rect::from_min_size(begin, vec2(96.0, TRANSPORT));
        ui.interact(rect, control_id("top/stopped"), egui::Sense::hover())
            .on_hover_text(super::stopped::words(stage.texts, reason));
    }
    if !compact || elsewhere {
        figure(ui, 76.0, "figure.step", count(snapshot.step), text);
    }
    let loss = |v: Option<f64>| v.map_or_else(|| "–".to_owned(), |v| number(v, 4));
    figure(
        ui,
        92.0,
        "figure.train_loss",
        loss(last.map(|r| r.train_loss)),
        training,
    );
    if compact {
        return;
    }
    if let Some(v) = last.and_then(|r| r.validation_loss) {
        figure(ui, 92.0, "figure.validation_loss", number(v, 4), validation);
    }
    if let Some(v) = last.and_then(|r| r.train_accuracy) {
        figure(ui, 82.0, "figure.train_accuracy", percent(v), training);
    }
    if let Some(v) = last.and_then(|r| r.validation_accuracy) {
        figure(
            ui,
            82.0,
            "figure.validation_accuracy",
            percent(v),
            validation,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_go_in_quarters_between_one_and_three() {
        assert_eq!(rescaled(1.0, -1), 1.0);
        assert_eq!(rescaled(1.1, 1), 1.25);
        assert_eq!(rescaled(3.0, 1), 3.0);
    }

    #[test]
    fn a_learning_rate_shows_without_idle_zeros() {
        assert_eq!(plain(0.03), "0.03");
        assert_eq!(plain(10.0), "10");
        assert_eq!(plain(1e-5), "0.00001");
        assert_eq!(plain(1.0 / 3e7), "3.333e−8");
        assert_eq!(rounded(0.031_415), 0.031);
    }
}
