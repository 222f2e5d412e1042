//! Networks side by side: what differs between them, what each has come to, their curves.

use super::super::charts::{decades, even, thin};
use super::super::format::{count, number, percent};
use super::super::icons::Icon;
use super::super::race::chip;
use super::super::stage::{Intent, Stage};
use super::super::widgets::{remark, segmented, small_icon};
use crate::app::theme::color32;
use crate::app::{RivalWish, Training};
use crate::compare::{Difference, Outcome, Variant, differences, letter};
use crate::experiment::Experiment;
use crate::train::{HistoryRow, RunState};
use bevy_egui::egui::{self, RichText, ScrollArea, Ui, vec2};
use egui_plot::{AxisHints, Line, Plot, PlotPoints};
use std::path::PathBuf;

/// Which curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Curve {
    /// Of what is held back; of the training part where nothing is.
    #[default]
    Validation,
    /// Of the training part.
    Training,
    /// The share of right answers, of what is held back.
    Accuracy,
}

/// What the comparison keeps.
#[derive(Default)]
pub struct Comparison {
    curve: Curve,
    path: String,
    /// Why the file could not be put beside.
    fault: Option<String>,
    /// What differs, and between which problems.
    differing: Option<(Vec<usize>, Vec<Difference>)>,
}

impl Comparison {
    /// Finds out what differs where the networks are others than before.
    fn follow(&mut self, all: &[&Training]) {
        let now: Vec<usize> = all
            .iter()
            .map(|run| std::sync::Arc::as_ptr(&run.problem) as usize)
            .collect();
        if self
            .differing
            .as_ref()
            .is_none_or(|(known, _)| *known != now)
        {
            let experiments: Vec<&Experiment> =
                all.iter().map(|run| &run.problem.experiment).collect();
            self.differing = Some((now, differences(&experiments)));
        }
    }
}

/// What can be put beside the network on screen, and which curve is drawn.
pub(super) fn options(ui: &mut Ui, comparison: &mut Comparison, stage: &mut Stage<'_>) {
    let room = stage.rivals.has_room();
    ui.add_enabled_ui(room, |ui| {
        ui.menu_button(stage.t("compare.add"), |ui| {
            let experiment = &stage.training.problem.experiment;
            for variant in Variant::ALL {
                let fits = variant.of(experiment).is_some();
                let name = format!("compare.{}", variant.name());
                let button = egui::Button::new(stage.texts.get(&name));
                if ui.add_enabled(fits, button).clicked() {
                    let wish = RivalWish::AddVariant(variant);
                    stage.intents.push(Intent::Rival(wish));
                    ui.close();
                }
            }
            ui.separator();
            let edit = egui::TextEdit::singleline(&mut comparison.path)
                .hint_text(stage.t("file.path"))
                .desired_width(220.0);
            ui.add(edit);
            let path = PathBuf::from(comparison.path.trim());
            let named = !comparison.path.trim().is_empty();
            let button = egui::Button::new(stage.t("compare.file"));
            if ui.add_enabled(named, button).clicked() {
                match Experiment::read(&path) {
                    Ok(experiment) => {
                        comparison.fault = None;
                        let wish = RivalWish::Add(Box::new(experiment));
                        stage.intents.push(Intent::Rival(wish));
                        ui.close();
                    }
                    Err(error) => comparison.fault = Some(error.to_string()),
                }
            }
            if let Some(fault) = &comparison.fault {
                ui.set_max_width(320.0);
                ui.colored_label(color32(stage.palette.warning), fault);
            }
        });
    });
    if !stage.rivals.is_empty() && ui.button(stage.t("compare.clear")).clicked() {
        stage.intents.push(Intent::Rival(RivalWish::Clear));
    }
    if stage.rivals.is_loading() {
        ui.weak(stage.t("compare.loading"));
    }
    if !stage.rivals.list.is_empty() {
        ui.separator();
        let rows = stage.training.history.rows();
        let mut curves = vec![(Curve::Training, None, stage.t("compare.train_loss"))];
        if rows.iter().any(|row| row.validation_loss.is_some()) {
            let name = stage.t("compare.validation_loss");
            curves.insert(0, (Curve::Validation, None, name));
        }
        if rows.iter().any(|row| row.train_accuracy.is_some()) {
            curves.push((Curve::Accuracy, None, stage.t("curves.accuracy")));
        }
        segmented(ui, "compare/curve", &mut comparison.curve, &curves);
        ui.separator();
        ui.weak(stage.t("compare.surface"));
        let names: Vec<String> = (1..=stage.rivals.list.len())
            .map(|k| letter(k).to_string())
            .collect();
        let mut choices = vec![(None, None, stage.t("compare.no_surface"))];
        let others = names.iter().enumerate();
        choices.extend(others.map(|(k, name)| (Some(k), None, name.as_str())));
        let mut surface = stage.rivals.surface;
        if segmented(ui, "compare/surface", &mut surface, &choices) {
            let wish = RivalWish::Surface(surface);
            stage.intents.push(Intent::Rival(wish));
        }
    }
}

pub(super) fn show(ui: &mut Ui, comparison: &mut Comparison, stage: &mut Stage<'_>) {
    if stage.rivals.list.is_empty() {
        remark(ui, stage.t("compare.none"));
        return;
    }
    let all = stage.networks();
    comparison.follow(&all);
    let differing = comparison.differing.as_ref().map(|(_, rows)| &rows[..]);
    let differing = differing.unwrap_or_default();
    let wide = ui.available_width();
    let tall = ui.available_height();
    ui.horizontal_top(|ui| {
        ui.allocate_ui(vec2(0.56 * wide, tall), |ui| {
            ui.set_min_size(vec2(0.56 * wide, tall));
            ScrollArea::both()
                .id_salt("comparison")
                .auto_shrink([false, false])
                .show(ui, |ui| table(ui, stage, &all, differing));
        });
        curves(ui, stage, comparison.curve, &all);
    });
}

/// A column for each network.
fn table(ui: &mut Ui, stage: &mut Stage<'_>, all: &[&Training], differing: &[Difference]) {
    let outcomes: Vec<Option<Outcome>> = all
        .iter()
        .map(|run| Outcome::of(&run.problem, run.history.rows()))
        .collect();
    let most = (ui.available_width() - 150.0) / all.len() as f32 - 18.0;
    egui::Grid::new("comparison")
        .striped(true)
        .spacing(vec2(18.0, 4.0))
        .max_col_width(most.clamp(104.0, 260.0))
        .show(ui, |ui| {
            ui.label("");
            for (k, run) in all.iter().enumerate() {
                heading(ui, stage, k, run);
            }
            ui.end_row();
            for (key, shown) in figures() {
                let values: Vec<Option<String>> = outcomes
                    .iter()
                    .map(|outcome| outcome.as_ref().and_then(shown))
                    .collect();
                if values.iter().any(Option::is_some) {
                    row(ui, RichText::new(stage.t(key)), &values);
                }
            }
            for Difference { key, values } in differing {
                row(ui, RichText::new(key).monospace().size(12.0), values);
            }
        });
}

fn heading(ui: &mut Ui, stage: &mut Stage<'_>, index: usize, run: &Training) {
    ui.horizontal(|ui| {
        chip(ui, stage, index);
        let widths: Vec<String> = run
            .problem
            .network
            .widths()
            .iter()
            .map(usize::to_string)
            .collect();
        let widths = RichText::new(widths.join("-")).strong();
        ui.add(egui::Label::new(widths).truncate());
        if run.snapshot.state == RunState::Diverged {
            let said = RichText::new(stage.t("compare.diverged")).size(12.0);
            ui.colored_label(color32(stage.palette.warning), said);
        }
        if let Some(rival) = index.checked_sub(1) {
            let tip = stage.t("compare.remove");
            let name = format!("compare/remove {rival}");
            if small_icon(ui, &name, Icon::Cross, tip, true).clicked() {
                stage.intents.push(Intent::Rival(RivalWish::Remove(rival)));
            }
        }
    });
}

type Shown = fn(&Outcome) -> Option<String>;

fn figures() -> [(&'static str, Shown); 8] {
    [
        ("compare.parameters", |o| Some(count(o.parameters as u64))),
        ("compare.multiply_adds", |o| {
            Some(count(o.multiply_adds as u64))
        }),
        ("compare.epoch", |o| Some(count(o.epochs as u64))),
        ("compare.train_loss", |o| Some(number(o.train_loss, 4))),
        ("compare.validation_loss", |o| {
            o.validation_loss.map(|loss| number(loss, 4))
        }),
        ("compare.train_accuracy", |o| o.train_accuracy.map(percent)),
        ("compare.validation_accuracy", |o| {
            o.validation_accuracy.map(percent)
        }),
        ("compare.best", |o| {
            let (loss, epoch) = o.best;
            Some(format!("{} ({epoch})", number(loss, 4)))
        }),
    ]
}

fn row(ui: &mut Ui, name: RichText, values: &[Option<String>]) {
    ui.label(name.weak());
    for value in values {
        let value = value.as_deref().unwrap_or("–");
        ui.add(egui::Label::new(value).wrap());
    }
    ui.end_row();
}

/// The curves over the epochs, on one pair of axes.
fn curves(ui: &mut Ui, stage: &Stage<'_>, curve: Curve, all: &[&Training]) {
    let value = |row: &HistoryRow| match curve {
        Curve::Validation => Some(row.validation_loss.unwrap_or(row.train_loss)),
        Curve::Training => Some(row.train_loss),
        Curve::Accuracy => row.validation_accuracy.or(row.train_accuracy),
    };
    let log = curve != Curve::Accuracy;
    let pixels = (ui.available_width() * ui.pixels_per_point()) as usize;
    let lines = all.iter().map(|run| {
        let points = run.history.rows().iter().filter_map(|row| {
            let y = value(row)?;
            let y = if log { y.log10() } else { y };
            y.is_finite().then_some([row.epoch as f64, y])
        });
        thin(&points.collect::<Vec<_>>(), pixels)
    });
    let lines: Vec<Vec<[f64; 2]>> = lines.collect();
    let shown = move |y: f64| match log {
        true => number(10f64.powf(y), 3),
        false => percent(y),
    };
    let tick = egui::FontId::proportional(11.5);
    let grid = ui.visuals().text_color().gamma_multiply(0.25);
    let mut plot = Plot::new("comparison curves")
        .height((ui.available_height() - 6.0).max(60.0))
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .show_background(false)
        .set_margin_fraction(vec2(0.0, 0.06))
        .auto_bounds(true)
        .grid_color(grid)
        .include_x(0.0)
        .x_grid_spacer(|input| even(input, 6.0, 1.0))
        .custom_x_axes(vec![
            AxisHints::new_x()
                .label(stage.t("figure.epoch"))
                .tick_label_font(tick.clone()),
        ])
        .custom_y_axes(vec![
            AxisHints::new_y()
                .tick_label_font(tick)
                .min_thickness(46.0)
                .formatter(move |mark, _| shown(mark.value)),
        ]);
    plot = match log {
        true => plot.y_grid_spacer(decades),
        false => plot.y_grid_spacer(|input| even(input, 5.0, 0.0)),
    };
    plot.show(ui, |plot| {
        for (k, points) in lines.iter().enumerate() {
            let name = letter(k).to_string();
            let points = PlotPoints::from(points.clone());
            let color = color32(stage.palette.racer(k));
            plot.line(Line::new(name, points).color(color).width(2.2));
        }
    });
}
