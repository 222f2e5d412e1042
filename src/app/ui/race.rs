//! The race below the scene: how it runs, and the one table that says who is
//! where.

use super::constants::short;
use super::format::number;
use super::icons::Icon;
use super::optimizer::title;
use super::range_test::rate_drag;
use super::stage::{Intent, Stage};
use super::stopped;
use super::widgets::{control_id, icon_button_sized, remark, small_icon};
use crate::app::theme::color32;
use crate::app::{Arena, Ground, MOST_RACERS, MOST_STEPS, RaceCommand, Standing, ViewMode, letter};
use crate::experiment::{LossConfig, OptimizerConfig, OptimizerName};
use crate::race::End;
use bevy_egui::egui::{self, Align, Color32, Layout, RichText, Sense, Ui, vec2};

/// Height of a line of the table.
const LINE: f32 = 25.0;
/// Widths of the columns: rank, letter, optimiser, rate, steps, loss, best,
/// distance.
const WIDTHS: [f32; 8] = [22.0, 26.0, 132.0, 66.0, 46.0, 82.0, 82.0, 92.0];
/// The least width left for the state, and what removing takes.
const STATE: f32 = 96.0;
const REMOVE: f32 = 28.0;
/// Share of the way down to the minimum's value at which a racer has arrived.
const ARRIVED: f64 = 1e-4;

/// Opens the race that teaches at first sight, or closes what is open.
pub(super) fn toggle(stage: &mut Stage<'_>) {
    let arena = &mut stage.choices.arena;
    if arena.racing {
        arena.racing = false;
        arena.ground = Ground::Network;
        return;
    }
    arena.racing = true;
    arena.ground = Ground::Function;
    if stage.choices.mode == ViewMode::Network || stage.choices.mode == ViewMode::Both {
        stage.choices.mode = ViewMode::Surface;
    }
}

/// How high the dock is.
pub(super) fn height(stage: &Stage<'_>) -> f32 {
    let lines = stage.choices.arena.racers.len() as f32 + 1.0;
    let note = if stage.choices.arena.ground == Ground::Network {
        18.0
    } else {
        0.0
    };
    88.0 + lines * (LINE + 1.0) + note
}

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>) {
    ui.spacing_mut().item_spacing = vec2(6.0, 1.0);
    ui.horizontal(|ui| controls(ui, stage));
    ui.add_space(3.0);
    if let Some(error) = &stage.arena.error {
        super::widgets::complaint(ui, &stage.palette, error);
    }
    table(ui, stage);
    ui.horizontal(|ui| {
        add_menu(ui, stage);
        same_rate(ui, stage);
    });
    if stage.choices.arena.ground == Ground::Network {
        let key = if stage.arena.lanes.is_empty() {
            "race.wait"
        } else {
            "race.network_start"
        };
        remark(ui, stage.t(key));
    }
}

fn controls(ui: &mut Ui, stage: &mut Stage<'_>) {
    let race = |stage: &mut Stage<'_>, command| stage.intents.push(Intent::Race(command));
    let playing = stage.arena.playing;
    let (icon, tip) = if playing {
        (Icon::Pause, stage.t("race.pause"))
    } else {
        (Icon::Play, stage.t("race.start"))
    };
    let (large, small) = (vec2(42.0, 30.0), vec2(30.0, 28.0));
    if icon_button_sized(ui, "race/toggle", icon, tip, true, true, large).clicked() {
        race(stage, RaceCommand::Toggle);
    }
    for (name, icon, tip, command) in [
        (
            "race/reset",
            Icon::Reset,
            stage.t("race.reset"),
            RaceCommand::Restart,
        ),
        (
            "race/back",
            Icon::Rewind,
            stage.t("race.back"),
            RaceCommand::Step(-1),
        ),
        (
            "race/step",
            Icon::Step,
            stage.t("race.step"),
            RaceCommand::Step(1),
        ),
    ] {
        if icon_button_sized(ui, name, icon, tip, true, false, small).clicked() {
            race(stage, command);
        }
    }
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if small_icon(ui, "race/close", Icon::Cross, stage.t("race.close"), true).clicked() {
            stage.choices.arena.racing = false;
        }
        if ui.available_width() > 250.0 {
            speed(ui, stage);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            timeline(ui, stage);
        });
    });
}

/// The slider through all steps.
fn timeline(ui: &mut Ui, stage: &mut Stage<'_>) {
    let last = if stage.arena.is_over {
        stage.arena.computed
    } else {
        stage.choices.arena.steps
    };
    let n = stage.arena.at;
    let text = stage.texts.with("race.step_of", &[("n", &n), ("m", &last)]);
    let words = 104.0;
    let mut at = n;
    ui.spacing_mut().slider_width = (ui.available_width() - words - 8.0).max(40.0);
    let slider = egui::Slider::new(&mut at, 0..=last.max(1)).show_value(false);
    let response = ui.add(slider);
    ui.interact(response.rect, control_id("race/timeline"), Sense::hover());
    if response.changed() && at != n {
        stage.intents.push(Intent::Race(RaceCommand::Seek(at)));
    }
    ui.add(egui::Label::new(RichText::new(text).size(13.5)).truncate());
}

fn speed(ui: &mut Ui, stage: &mut Stage<'_>) {
    let texts = stage.texts;
    let tip = texts.get("race.steps_tip");
    let arena = &mut stage.choices.arena;
    let steps = egui::DragValue::new(&mut arena.steps)
        .range(10..=MOST_STEPS)
        .speed(2.0);
    ui.add(steps).on_hover_text(tip);
    let drag = egui::DragValue::new(&mut arena.speed)
        .range(0.5..=2000.0)
        .speed(0.2)
        .custom_formatter(move |v, _| texts.with("race.speed", &[("n", &number(v, 2))]))
        .custom_parser(|text| text.split_whitespace().next()?.parse().ok());
    ui.add(drag).on_hover_text(texts.get("race.speed_tip"));
}

fn same_rate(ui: &mut Ui, stage: &mut Stage<'_>) {
    let texts = stage.texts;
    let arena = &mut stage.choices.arena;
    let mut same = arena.same_rate.is_some();
    let check = ui.checkbox(&mut same, texts.get("race.same_rate"));
    if check
        .on_hover_text(texts.get("race.same_rate_tip"))
        .changed()
    {
        let first = arena.racers.first().map_or(0.1, |r| r.learning_rate);
        arena.same_rate = same.then_some(if first > 0.0 { first } else { 0.1 });
    }
    if let Some(rate) = &mut arena.same_rate {
        ui.add(rate_drag(rate, 1e-9, 1e3));
    }
}

/// Whether an optimiser can race here.
fn suits(stage: &Stage<'_>, name: OptimizerName) -> bool {
    let on_function = stage.choices.arena.ground == Ground::Function;
    let squares = stage.training.problem.experiment.network.loss != LossConfig::CrossEntropy;
    name != OptimizerName::LevenbergMarquardt || (squares && !on_function)
}

fn add_menu(ui: &mut Ui, stage: &mut Stage<'_>) {
    let room = stage.choices.arena.racers.len() < MOST_RACERS;
    let button = egui::ComboBox::from_id_salt(control_id("race/add"))
        .selected_text(RichText::new(stage.t("race.add")).size(13.5))
        .width(70.0)
        .height(480.0);
    let mut wanted = None;
    ui.add_enabled_ui(room, |ui| {
        let shown = button.show_ui(ui, |ui| wanted = names(ui, stage, None));
        shown.response.on_hover_text(stage.t("race.add_tip"));
    });
    if let Some(name) = wanted {
        let rate = stage.choices.arena.same_rate.unwrap_or(0.1);
        let racer = OptimizerConfig::new(name, rate);
        stage.choices.arena.racers.push(racer);
    }
}

/// Every optimiser; which one was clicked.
fn names(ui: &mut Ui, stage: &Stage<'_>, now: Option<OptimizerName>) -> Option<OptimizerName> {
    let mut wanted = None;
    for name in OptimizerName::ALL {
        let item = egui::Button::selectable(now == Some(name), title(stage, name));
        let response = ui
            .add_enabled(suits(stage, name), item)
            .on_disabled_hover_text(stage.t("training_panel.squares_only"));
        if response.clicked() {
            wanted = Some(name);
        }
    }
    wanted
}

fn cell<R>(ui: &mut Ui, width: f32, add: impl FnOnce(&mut Ui) -> R) -> R {
    let layout = Layout::left_to_right(Align::Center);
    ui.allocate_ui_with_layout(vec2(width, LINE), layout, |ui| {
        ui.set_min_width(width);
        ui.set_max_width(width);
        add(ui)
    })
    .inner
}

/// Which columns there is room for: best and distance go first.
fn columns(width: f32, distance: bool) -> [bool; 8] {
    let mut shown = [true; 8];
    shown[7] = distance;
    let needed = |shown: &[bool; 8]| {
        let all = WIDTHS.iter().zip(shown).filter(|(_, s)| **s);
        all.map(|(w, _)| w + 6.0).sum::<f32>() + STATE + REMOVE
    };
    for column in [6, 4, 7, 3] {
        if needed(&shown) > width {
            shown[column] = false;
        }
    }
    shown
}

fn table(ui: &mut Ui, stage: &mut Stage<'_>) {
    let function = stage.arena.function.clone();
    let has_minimum = function.as_ref().is_some_and(|f| !f.minima().is_empty());
    let shown = columns(ui.available_width(), has_minimum);
    let value = if function.is_some() {
        "race.value"
    } else {
        "race.loss"
    };
    let heads = [
        "",
        "",
        "race.optimizer",
        "race.rate",
        "race.steps",
        value,
        "race.best",
        "race.distance",
    ];
    ui.horizontal(|ui| {
        for ((key, width), _) in heads.iter().zip(WIDTHS).zip(shown).filter(|(_, s)| *s) {
            cell(ui, width, |ui| {
                if !key.is_empty() {
                    let text = RichText::new(stage.texts.get(key)).small().weak();
                    ui.add(egui::Label::new(text).truncate());
                }
            });
        }
        ui.label(RichText::new(stage.t("race.state")).small().weak());
    });
    let mut ranking = stage.arena.ranking();
    if ranking.len() != stage.choices.arena.racers.len() {
        // Not there yet: the list as it was chosen.
        ranking.clear();
    }
    let order: Vec<(Option<usize>, usize)> = if ranking.is_empty() {
        (0..stage.choices.arena.racers.len())
            .map(|i| (None, i))
            .collect()
    } else {
        let all = ranking.iter().enumerate();
        all.map(|(k, s)| (Some(k), s.index)).collect()
    };
    let mut removed = None;
    for (rank, index) in order {
        let standing = rank.and_then(|k| ranking.get(k));
        if line(ui, stage, &shown, rank, index, standing) {
            removed = Some(index);
        }
    }
    if let Some(index) = removed {
        stage.choices.arena.racers.remove(index);
    }
}

/// One racer's line; whether it is to go.
fn line(
    ui: &mut Ui,
    stage: &mut Stage<'_>,
    shown: &[bool; 8],
    rank: Option<usize>,
    index: usize,
    standing: Option<&Standing>,
) -> bool {
    let mut removed = false;
    let racer = stage.choices.arena.racers[index];
    let size = 14.0;
    ui.horizontal(|ui| {
        let figure = |ui: &mut Ui, column: usize, text: String| {
            if shown[column] {
                cell(ui, WIDTHS[column], |ui| {
                    let text = RichText::new(text).size(size);
                    ui.add(egui::Label::new(text).truncate());
                });
            }
        };
        let place = match rank {
            Some(rank) if stage.arena.at > 0 => format!("{}", rank + 1),
            _ => String::new(),
        };
        figure(ui, 0, place);
        cell(ui, WIDTHS[1], |ui| chip(ui, stage, index));
        cell(ui, WIDTHS[2], |ui| {
            ui.spacing_mut().button_padding.x = 7.0;
            let mut wanted = None;
            egui::ComboBox::from_id_salt(control_id(&format!("race/name {index}")))
                .width(WIDTHS[2] - 4.0)
                .height(480.0)
                .truncate()
                .selected_text(RichText::new(title(stage, racer.name)).size(size))
                .show_ui(ui, |ui| wanted = names(ui, stage, Some(racer.name)));
            if let Some(name) = wanted {
                let rate = match racer.learning_rate {
                    0.0 => 0.1,
                    rate => rate,
                };
                stage.choices.arena.racers[index] = OptimizerConfig::new(name, rate);
            }
        });
        if shown[3] {
            cell(ui, WIDTHS[3], |ui| rate(ui, stage, index));
        }
        let loss = |v: f64| number(v, 4);
        figure(
            ui,
            4,
            standing.map_or_else(String::new, |s| s.steps.to_string()),
        );
        figure(
            ui,
            5,
            standing.map_or_else(String::new, |s| loss(s.lap.loss)),
        );
        figure(ui, 6, standing.map_or_else(String::new, |s| loss(s.best)));
        let distance = standing.and_then(|s| {
            let function = stage.arena.function.as_ref()?;
            function.distance_to_minimum([s.lap.x, s.lap.y])
        });
        figure(ui, 7, distance.map_or_else(String::new, |d| number(d, 3)));
        let width = (ui.available_width() - REMOVE).max(20.0);
        cell(ui, width, |ui| state(ui, stage, standing));
        let name = title(stage, racer.name);
        let tip = stage.texts.with("race.remove", &[("name", &name)]);
        let several = stage.choices.arena.racers.len() > 1;
        let id = format!("race/remove {index}");
        removed = small_icon(ui, &id, Icon::Cross, &tip, several).clicked();
    });
    removed
}

/// The racer's letter in its colour.
pub(super) fn chip(ui: &mut Ui, stage: &Stage<'_>, index: usize) {
    let (rect, _) = ui.allocate_exact_size(vec2(21.0, 20.0), Sense::hover());
    let color = color32(stage.palette.racer(index));
    ui.painter().rect_filled(rect, 5.0, color);
    ui.painter().text(
        rect.center(),
        egui::Align2::CENTER_CENTER,
        letter(index),
        egui::FontId::proportional(14.5),
        color32(stage.palette.background),
    );
}

fn rate(ui: &mut Ui, stage: &mut Stage<'_>, index: usize) {
    let arena = &mut stage.choices.arena;
    let racer = &mut arena.racers[index];
    if !racer.kind().has_rate() {
        let text = RichText::new(stage.texts.get("race.own_step"))
            .size(13.5)
            .weak();
        ui.label(text);
        return;
    }
    match arena.same_rate {
        Some(rate) => {
            ui.label(RichText::new(short(rate)).size(14.0).weak());
        }
        None => {
            let response = ui.add(rate_drag(&mut racer.learning_rate, 1e-9, 1e3));
            let id = control_id(&format!("race/rate {index}"));
            ui.interact(response.rect, id, Sense::hover());
        }
    }
}

/// What there is to say of a racer besides numbers.
fn state(ui: &mut Ui, stage: &Stage<'_>, standing: Option<&Standing>) {
    let Some(standing) = standing else { return };
    let texts = stage.texts;
    let lane = &stage.arena.lanes[standing.index];
    let (warning, text): (Color32, Color32) =
        (color32(stage.palette.warning), color32(stage.palette.text));
    let (words, ink, tip) = match &lane.end {
        Some(end) if standing.is_out && end.is_divergence() => {
            let step = standing.steps + 1;
            (
                texts.with("race.diverged", &[("step", &step)]),
                warning,
                Some(end.to_string()),
            )
        }
        Some(End::Stopped(reason)) if standing.is_out => {
            let words = stopped::words(texts, reason);
            (words.clone(), text, Some(words))
        }
        _ => match arrival(stage.arena, standing) {
            Some(step) => (texts.with("race.there", &[("n", &step)]), text, None),
            None if is_outside(stage, standing) => {
                (texts.get("race.outside").to_owned(), warning, None)
            }
            None => return,
        },
    };
    let label = egui::Label::new(RichText::new(words).size(13.5).color(ink)).truncate();
    let response = ui.add(label);
    if let Some(tip) = tip {
        response.on_hover_text(tip);
    }
}

fn is_outside(stage: &Stage<'_>, standing: &Standing) -> bool {
    let Some(surface) = &stage.surface.surface else {
        return false;
    };
    let inside = |v: f64, axis: &[f64]| {
        let ends = axis.first().zip(axis.last());
        ends.is_some_and(|(&low, &high)| (low..=high).contains(&v))
    };
    !(inside(standing.lap.x, &surface.x) && inside(standing.lap.y, &surface.y))
}

/// After how many steps a racer was down at the value of the nearest minimum and
/// has stayed there until now.
fn arrival(arena: &Arena, standing: &Standing) -> Option<u64> {
    let function = arena.function.as_ref()?;
    let laps = &arena.lanes[standing.index].laps[..=standing.steps as usize];
    let distance =
        |m: &crate::landscape::Minimum| (m.at[0] - standing.lap.x).hypot(m.at[1] - standing.lap.y);
    let nearest = function
        .minima()
        .iter()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
    let all = laps.first()?.loss - nearest.value;
    let is_there = |loss: f64| loss - nearest.value <= ARRIVED * all;
    let away = laps.iter().rposition(|l| !is_there(l.loss));
    match away {
        None => Some(0),
        Some(last) if last + 1 < laps.len() => Some(last as u64 + 1),
        Some(_) => None,
    }
}
