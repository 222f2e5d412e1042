//! A lesson over the scene: heading and caption for the last row, questions, the
//! lecturer's notes and the way on.

use super::icons::Icon;
use super::panels::Panels;
use super::stage::Stage;
use super::widgets::icon_button;
use crate::app::theme::color32;
use crate::app::{Language, Lecture};
use crate::lesson::{Both, LESSONS, Lesson, Question};
use bevy_egui::egui::{
    self, Align, Color32, Frame, Id, Key, Layout, Margin, Order, Panel, Rect, RichText, Sense, Ui,
    pos2, vec2,
};

/// The text in the language in use.
pub(super) fn said(language: Language, both: &Both) -> &str {
    match language {
        Language::English => &both.en,
        Language::Chinese => &both.zh,
    }
}

/// The letters of the caption in a window so many points high: for the last row.
pub(super) fn size_in(height: f32) -> f32 {
    (height / 34.0).clamp(15.0, 40.0)
}

/// Keys of a lesson, before those of everything else. Says whether it was one.
pub(super) fn key(stage: &mut Stage<'_>, key: Key) -> bool {
    let question = open_question(&stage.choices.lecture).map(|q| q.answers.len());
    let lecture = &mut stage.choices.lecture;
    if lecture.lesson.is_none() {
        return false;
    }
    let digits = [
        Key::Num1,
        Key::Num2,
        Key::Num3,
        Key::Num4,
        Key::Num5,
        Key::Num6,
        Key::Num7,
        Key::Num8,
        Key::Num9,
    ];
    if let Some(digit) = digits.iter().position(|d| *d == key) {
        match question {
            Some(answers) if digit < answers => answer(stage, digit),
            Some(_) => {}
            None => lecture.go_to(digit),
        }
        return true;
    }
    match key {
        Key::PageDown => lecture.go(1),
        Key::PageUp => lecture.go(-1),
        Key::Home => lecture.again += 1,
        Key::B => lecture.black = !lecture.black,
        Key::N => lecture.notes = !lecture.notes,
        _ => return false,
    }
    true
}

/// The question that has not been answered yet.
fn open_question(lecture: &Lecture) -> Option<&Question> {
    let question = lecture.current()?.question.as_ref()?;
    (!lecture.answers.contains_key(&lecture.scene)).then_some(question)
}

fn answer(stage: &mut Stage<'_>, answer: usize) {
    let lecture = &mut stage.choices.lecture;
    let reveal = lecture.current().and_then(|s| s.question.as_ref());
    let reveal = reveal.map_or(0, |q| q.reveal);
    lecture.answers.insert(lecture.scene, answer);
    // What happens is the answer.
    if reveal > 0 {
        let walk = &mut stage.choices.walk;
        walk.on = true;
        walk.steps += reveal as i32;
    }
}

/// Heading and caption at the top.
pub(super) fn caption(root: &mut Ui, stage: &mut Stage<'_>) {
    let size = size_in(root.max_rect().height());
    let language = stage.choices.language;
    let Some(scene) = stage.choices.lecture.current().cloned() else {
        return;
    };
    let inner = Margin::symmetric((1.2 * size) as i8, (0.5 * size) as i8);
    let frame = Frame::side_top_panel(root.style()).inner_margin(inner);
    Panel::top("gradscape caption")
        .resizable(false)
        .frame(frame)
        .show(root, |ui| {
            ui.spacing_mut().item_spacing.y = 0.3 * size;
            let title = RichText::new(said(language, &scene.title));
            ui.label(
                title
                    .size(1.25 * size)
                    .strong()
                    .color(color32(stage.palette.accent)),
            );
            ui.label(RichText::new(said(language, &scene.caption)).size(size));
            if let Some(question) = &scene.question {
                ask(ui, stage, question, size);
            }
        });
}

/// The question with its answers; once it was answered, which is right, and why.
fn ask(ui: &mut Ui, stage: &mut Stage<'_>, question: &Question, size: f32) {
    let language = stage.choices.language;
    let given = stage
        .choices
        .lecture
        .answers
        .get(&stage.choices.lecture.scene);
    let given = given.copied();
    ui.label(
        RichText::new(said(language, &question.text))
            .size(size)
            .strong(),
    );
    let mut chosen = None;
    ui.horizontal_wrapped(|ui| {
        for (index, text) in question.answers.iter().enumerate() {
            let text = format!("{}  {}", index + 1, said(language, text));
            let (mark, color) = match given {
                Some(_) if index == question.right => ("✔ ", stage.palette.accent),
                Some(given) if index == given => ("× ", stage.palette.warning),
                _ => ("", stage.palette.text),
            };
            let text = RichText::new(format!("{mark}{text}"))
                .size(size)
                .color(color32(color));
            let button = egui::Button::new(text);
            if ui.add_enabled(given.is_none(), button).clicked() {
                chosen = Some(index);
            }
        }
    });
    if let Some(index) = chosen {
        answer(stage, index);
    }
    if given.is_some() {
        ui.label(RichText::new(said(language, &question.why)).size(size));
    }
}

/// The way on at the foot, and the notes where they are wanted.
pub(super) fn foot(root: &mut Ui, stage: &mut Stage<'_>, now: f64) {
    let language = stage.choices.language;
    let Some(lesson) = stage.choices.lecture.lesson.clone() else {
        return;
    };
    let frame = Frame::side_top_panel(root.style()).inner_margin(Margin::symmetric(12, 5));
    Panel::bottom("gradscape lesson")
        .resizable(false)
        .frame(frame)
        .show(root, |ui| {
            ui.horizontal(|ui| {
                let texts = stage.texts;
                let lecture = &mut stage.choices.lecture;
                let (at, all) = (lecture.scene, lesson.scenes.len());
                let tip = texts.get("lesson.back");
                if icon_button(ui, "lesson/back", Icon::Previous, tip, at > 0).clicked() {
                    lecture.go(-1);
                }
                dots(ui, lecture, all, stage.palette.accent, stage.palette.faint);
                let tip = texts.get("lesson.next");
                if icon_button(ui, "lesson/next", Icon::Next, tip, at + 1 < all).clicked() {
                    lecture.go(1);
                }
                ui.label(format!("{} / {all}", at + 1));
                ui.label(RichText::new(said(language, &lesson.title)).weak());
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let tip = texts.get("lesson.leave");
                    if icon_button(ui, "lesson/leave", Icon::Cross, tip, true).clicked() {
                        *lecture = Lecture::default();
                    }
                    if lecture.notes {
                        let seconds = now as u64;
                        let clock = format!("{:02}:{:02}", seconds / 60, seconds % 60);
                        ui.label(RichText::new(clock).monospace());
                    }
                });
            });
            let lecture = &stage.choices.lecture;
            let notes = lecture.current().and_then(|scene| scene.notes.as_ref());
            if let Some(notes) = notes.filter(|_| lecture.notes) {
                ui.label(RichText::new(said(language, notes)).italics());
            }
        });
}

/// A dot a scene; a click goes there.
fn dots(
    ui: &mut Ui,
    lecture: &mut Lecture,
    all: usize,
    on: crate::colormap::Rgb,
    off: crate::colormap::Rgb,
) {
    let step = 15.0;
    let (rect, response) = ui.allocate_exact_size(vec2(step * all as f32, 22.0), Sense::click());
    for scene in 0..all {
        let center = pos2(rect.left() + (scene as f32 + 0.5) * step, rect.center().y);
        let (radius, color) = if scene == lecture.scene {
            (5.5, on)
        } else {
            (3.5, off)
        };
        ui.painter().circle_filled(center, radius, color32(color));
    }
    if response.clicked()
        && let Some(at) = response.interact_pointer_pos()
    {
        lecture.go_to(((at.x - rect.left()) / step) as usize);
    }
}

/// The bundled lessons, to begin one.
pub(super) fn menu(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels) {
    let tip = stage.texts.get("lesson.choose");
    let button = icon_button(ui, "top/lessons", Icon::Lessons, tip, true);
    let mut chosen = None;
    egui::Popup::menu(&button).show(|ui| {
        for bundled in LESSONS {
            // They are tested to be right.
            let Ok(lesson) = Lesson::find(bundled.name) else {
                continue;
            };
            let title = said(stage.choices.language, &lesson.title).to_owned();
            let summary = said(stage.choices.language, &lesson.summary).to_owned();
            if ui.button(title).on_hover_text(summary).clicked() {
                chosen = Some(lesson);
            }
        }
    });
    if let Some(lesson) = chosen {
        let choices = &mut stage.choices;
        (choices.left_panel, choices.right_panel) = (Some(false), Some(false));
        choices.lecture = Lecture::of(lesson, None);
        panels.toasts.clear();
    }
}

/// Nothing but black.
pub(super) fn curtain(ui: &Ui, whole: Rect) {
    let layer = egui::LayerId::new(Order::Foreground, Id::new("gradscape curtain"));
    ui.ctx()
        .layer_painter(layer)
        .rect_filled(whole, 0.0, Color32::BLACK);
}
