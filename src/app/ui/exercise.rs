//! Exercises over the scene: what is to be reached, how it stands, and which have been
//! solved.

use super::format::{number, percent};
use super::icons::Icon;
use super::lecture::said;
use super::panels::Panels;
use super::stage::{Intent, Stage};
use super::widgets::{icon_button, small_icon};
use crate::app::CameraRequest;
use crate::app::theme::color32;
use crate::lesson::{Attempt, Exercise, Figure, Short, Verdict};
use crate::train::Problem;
use bevy_egui::egui::{self, Align, Frame, Layout, Margin, Panel, RichText, Ui};
use std::sync::Arc;

/// The exercises, and how the open one stands.
#[derive(Default)]
pub struct Exercises {
    all: Vec<Exercise>,
    /// Of which state of which run the verdict is.
    judged: Option<(usize, u64, Verdict)>,
}

impl Exercises {
    /// The bundled ones.
    pub fn bundled() -> Self {
        Exercises {
            // They are tested to be right.
            all: Exercise::all().unwrap_or_default(),
            judged: None,
        }
    }

    fn verdict(&mut self, exercise: usize, stage: &Stage<'_>) -> Option<&Verdict> {
        let training = stage.training;
        let problem: &Arc<Problem> = &training.problem;
        let of = (Arc::as_ptr(problem) as usize, training.snapshot.revision);
        let known = self.judged.as_ref();
        if known.is_none_or(|(problem, revision, _)| (*problem, *revision) != of) {
            let verdict = self.all.get(exercise)?.judge(&Attempt {
                experiment: &problem.experiment,
                network: &problem.network,
                snapshot: &training.snapshot,
                rows: training.history.rows(),
            });
            self.judged = Some((of.0, of.1, verdict));
        }
        self.judged.as_ref().map(|(.., verdict)| verdict)
    }
}

/// The list of exercises, to begin one.
pub(super) fn menu(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels) {
    let tip = stage.texts.get("exercise.choose");
    let button = icon_button(ui, "top/exercises", Icon::Exercises, tip, true);
    let mut chosen = None;
    egui::Popup::menu(&button).show(|ui| {
        let solved = &stage.choices.exercises.solved;
        let all = &panels.exercises.all;
        let n = all.iter().filter(|e| solved.contains(&e.name)).count();
        let texts = stage.texts;
        let values: [(&str, &dyn std::fmt::Display); 2] = [("n", &n), ("all", &all.len())];
        ui.label(RichText::new(texts.with("exercise.progress", &values)).weak());
        for (index, exercise) in all.iter().enumerate() {
            let mark = if solved.contains(&exercise.name) {
                "✔ "
            } else {
                "    "
            };
            let title = said(stage.choices.language, &exercise.title);
            let task = said(stage.choices.language, &exercise.task);
            let button = ui.button(format!("{mark}{title}")).on_hover_text(task);
            if button.clicked() {
                chosen = Some(index);
            }
        }
    });
    if let Some(index) = chosen {
        begin(stage, panels, index);
    }
}

/// Opens an exercise at its start.
fn begin(stage: &mut Stage<'_>, panels: &mut Panels, index: usize) {
    let Some(exercise) = panels.exercises.all.get(index) else {
        return;
    };
    let choices = &mut *stage.choices;
    choices.exercises.open = Some(exercise.name.clone());
    choices.exercises.hint = false;
    choices.lecture = crate::app::Lecture::default();
    choices.arena.racing = false;
    choices.walk.leave();
    choices.mode = exercise.view.into();
    stage.intents.push(Intent::Load {
        experiment: Box::new(exercise.experiment.clone()),
        start: false,
    });
    stage.intents.push(Intent::Camera(CameraRequest::Reset));
    panels.exercises.judged = None;
    panels.toasts.clear();
}

/// The task at the top, and how it stands.
pub(super) fn banner(root: &mut Ui, panels: &mut Panels, stage: &mut Stage<'_>) {
    let Some(name) = stage.choices.exercises.open.clone() else {
        return;
    };
    let all = &panels.exercises.all;
    let Some(index) = all.iter().position(|exercise| exercise.name == name) else {
        stage.choices.exercises.open = None;
        return;
    };
    let exercise = all[index].clone();
    let verdict = panels.exercises.verdict(index, stage).cloned();
    let is_solved = matches!(verdict, Some(Verdict::Solved { .. }));
    if is_solved && !stage.loading {
        stage.choices.exercises.solved.insert(name);
    }
    let size = (root.max_rect().height() / 46.0).clamp(15.0, 30.0);
    let frame = Frame::side_top_panel(root.style()).inner_margin(Margin::symmetric(14, 8));
    let (mut next, mut again, mut close) = (false, false, false);
    Panel::top("gradscape exercise")
        .resizable(false)
        .frame(frame)
        .show(root, |ui| {
            let texts = stage.texts;
            let language = stage.choices.language;
            ui.spacing_mut().item_spacing.y = 4.0;
            ui.horizontal(|ui| {
                let accent = color32(stage.palette.accent);
                let title = RichText::new(said(language, &exercise.title));
                ui.label(title.size(1.2 * size).strong().color(accent));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let tip = texts.get("exercise.close");
                    close = small_icon(ui, "exercise/close", Icon::Cross, tip, true).clicked();
                    let tip = texts.get("exercise.next");
                    next = small_icon(ui, "exercise/next", Icon::Next, tip, true).clicked();
                    let tip = texts.get("exercise.again");
                    again = small_icon(ui, "exercise/again", Icon::Reset, tip, true).clicked();
                    let hint = &mut stage.choices.exercises.hint;
                    let button = egui::Button::new(texts.get("exercise.hint")).selected(*hint);
                    if ui.add(button).clicked() {
                        *hint = !*hint;
                    }
                });
            });
            ui.label(RichText::new(said(language, &exercise.task)).size(size));
            if stage.choices.exercises.hint {
                let hint = RichText::new(said(language, &exercise.hint)).size(size);
                ui.label(hint.italics());
            }
            match verdict.filter(|_| !stage.loading) {
                None => {}
                Some(Verdict::Solved { epoch }) => {
                    let text = texts.with("exercise.solved", &[("epoch", &epoch)]);
                    let color = color32(stage.palette.accent);
                    ui.label(
                        RichText::new(format!("✔ {text}"))
                            .size(size)
                            .strong()
                            .color(color),
                    );
                    ui.label(RichText::new(said(language, &exercise.solved)).size(size));
                }
                Some(Verdict::Forbidden(keys)) => {
                    let keys = named(&keys);
                    let text = texts.with("exercise.forbidden", &[("keys", &keys)]);
                    let color = color32(stage.palette.warning);
                    ui.label(RichText::new(text).size(size).color(color));
                }
                Some(Verdict::Open(short)) => {
                    let all: Vec<String> = short.iter().map(|s| missing(stage, s)).collect();
                    let text = format!("{} {}", texts.get("exercise.open"), all.join("; "));
                    ui.label(RichText::new(text).size(size));
                }
            }
        });
    if close {
        stage.choices.exercises.open = None;
    } else if next || again {
        let n = panels.exercises.all.len();
        begin(stage, panels, if next { (index + 1) % n } else { index });
    }
}

/// The first keys of many.
fn named(keys: &[String]) -> String {
    const MOST: usize = 3;
    let shown = keys.iter().take(MOST).map(String::as_str);
    let more = (keys.len() > MOST).then_some("…");
    shown.chain(more).collect::<Vec<_>>().join(", ")
}

/// What is missing, with its figures.
fn missing(stage: &Stage<'_>, short: &Short) -> String {
    let texts = stage.texts;
    match *short {
        Short::Finite => texts.get("exercise.finite").to_owned(),
        Short::Diverged => texts.get("exercise.diverged").to_owned(),
        Short::HiddenNeurons { now, most } => {
            texts.with("exercise.neurons", &[("now", &now), ("most", &most)])
        }
        Short::TooLate { epoch, within } => {
            texts.with("exercise.late", &[("epoch", &epoch), ("within", &within)])
        }
        Short::Figure {
            figure,
            best,
            wanted,
        } => {
            let name = texts.get(match figure {
                Figure::TrainLoss => "figure.train_loss",
                Figure::TrainAccuracy => "figure.train_accuracy",
                Figure::ValidationLoss => "figure.validation_loss",
                Figure::ValidationAccuracy => "figure.validation_accuracy",
            });
            let said = |value: f64| match figure.is_loss() {
                true => number(value, 3),
                false => percent(value),
            };
            let best = best.map_or_else(|| "–".to_owned(), said);
            let (sign, wanted) = match figure.is_loss() {
                true => ("≤", said(wanted)),
                false => ("≥", said(wanted)),
            };
            let values: [(&str, &dyn std::fmt::Display); 4] = [
                ("name", &name),
                ("best", &best),
                ("sign", &sign),
                ("wanted", &wanted),
            ];
            texts.with("exercise.figure", &values)
        }
    }
}
