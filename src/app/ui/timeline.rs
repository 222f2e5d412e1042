//! The slider through time: the recorded path again, point by point.

use super::format::count;
use super::icons::Icon;
use super::panels::Panels;
use super::stage::{Intent, Stage};
use super::widgets::{choose, control_id, icon_button};
use crate::app::theme::color32;
use crate::app::{ReplayWish, ViewMode};
use bevy_egui::egui::{
    self, Align2, Frame, Margin, Panel, Rect, RichText, Sense, Slider, Ui, vec2,
};

/// Seconds that the whole path takes at single speed.
const WHOLE: f64 = 20.0;
/// How much faster or slower it can be.
const SPEEDS: [f64; 6] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0];

/// How the past is being played.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// Whether it goes on by itself.
    pub playing: bool,
    /// Relative to the whole path in twenty seconds.
    pub speed: f64,
    /// Which point is shown, with a fraction that has not made up for a whole one yet.
    at: f64,
    before: f64,
}

impl Default for Timeline {
    fn default() -> Self {
        Timeline {
            playing: false,
            speed: 1.0,
            at: 0.0,
            before: 0.0,
        }
    }
}

/// Which point of the path is shown; the last in the present.
fn shown(stage: &Stage<'_>) -> usize {
    let points = stage.training.path.points();
    let step = stage.training.snapshot.step;
    if !stage.training.shows_past() {
        return points.len().saturating_sub(1);
    }
    points.partition_point(|p| p.step <= step).saturating_sub(1)
}

impl Timeline {
    fn show(&self, stage: &mut Stage<'_>, point: usize) {
        if let Some(point) = stage.training.path.points().get(point) {
            let (step, playing) = (point.step, self.playing);
            let wish = ReplayWish::Show { step, playing };
            stage.intents.push(Intent::Replay(wish));
        }
    }

    /// Plays or pauses; from the beginning if the end is shown.
    pub(super) fn toggle(&mut self, stage: &mut Stage<'_>) {
        let last = stage.training.path.points().len().saturating_sub(1);
        if last == 0 {
            return;
        }
        let at = shown(stage);
        self.playing = !self.playing;
        let from = if self.playing && at == last { 0 } else { at };
        self.at = from as f64;
        self.before = f64::NAN;
        self.show(stage, from);
    }

    /// So many points later; stops playing.
    pub(super) fn step(&mut self, stage: &mut Stage<'_>, points: i32) {
        let last = stage.training.path.points().len().saturating_sub(1);
        let at = shown(stage);
        if !stage.training.shows_past() && points > 0 {
            return;
        }
        self.playing = false;
        let to = at.saturating_add_signed(points as isize).min(last);
        self.show(stage, to);
    }

    /// Ends the replay.
    pub(super) fn leave(&mut self, stage: &mut Stage<'_>, wish: ReplayWish) {
        self.playing = false;
        if stage.training.shows_past() {
            stage.intents.push(Intent::Replay(wish));
        }
    }

    /// Goes on playing; `now` is in seconds.
    fn advance(&mut self, stage: &mut Stage<'_>, now: f64) {
        let last = stage.training.path.points().len().saturating_sub(1);
        if !stage.training.shows_past() {
            // Not yet, or the run was moved meanwhile.
            if !self.before.is_nan() {
                self.playing = false;
            }
            return;
        }
        let passed = if self.before.is_nan() {
            0.0
        } else {
            now - self.before
        };
        self.before = now;
        let rate = last as f64 / WHOLE * self.speed;
        self.at = (self.at + rate * passed.clamp(0.0, 0.5)).min(last as f64);
        let to = self.at as usize;
        if to >= last {
            self.playing = false;
        }
        if to != shown(stage) || !self.playing {
            self.show(stage, to);
        }
    }
}

/// Whether the bar is there: over a surface, as soon as there is a path; of a run that has been
/// opened with its past anywhere.
fn is_shown(stage: &Stage<'_>, compact: bool) -> bool {
    let has_path = stage.training.path.points().len() > 1;
    let has_surface = stage.choices.mode != ViewMode::Network;
    let opened = stage.training.snapshot.is_resumed() && stage.training.elsewhere.is_none();
    stage.training.shows_past() || (has_path && (opened || (has_surface && !compact)))
}

pub(super) fn show(
    root: &mut Ui,
    panels: &mut Panels,
    stage: &mut Stage<'_>,
    compact: bool,
    now: f64,
) {
    if panels.timeline.playing {
        panels.timeline.advance(stage, now);
        root.ctx().request_repaint();
    }
    if !is_shown(stage, compact) {
        return;
    }
    let past = stage.training.shows_past();
    let mut frame = Frame::side_top_panel(root.style()).inner_margin(Margin::symmetric(10, 4));
    if past {
        frame = frame.stroke((2.0, color32(stage.palette.accent)));
    }
    Panel::bottom("gradscape timeline")
        .resizable(false)
        .frame(frame)
        .show(root, |ui| {
            ui.horizontal(|ui| bar(ui, &mut panels.timeline, stage));
            if past {
                ui.horizontal_wrapped(|ui| ways_back(ui, panels, stage));
            }
        });
}

fn bar(ui: &mut Ui, timeline: &mut Timeline, stage: &mut Stage<'_>) {
    let texts = stage.texts;
    let last = stage.training.path.points().len().saturating_sub(1);
    let (icon, tip) = if timeline.playing {
        (Icon::Pause, "replay.pause")
    } else {
        (Icon::Play, "replay.play")
    };
    if icon_button(ui, "timeline/play", icon, texts.get(tip), last > 0).clicked() {
        timeline.toggle(stage);
    }
    let mut at = shown(stage);
    // As much as place and speed leave, which stand beside it in a narrow bar too.
    ui.spacing_mut().slider_width = (ui.available_width() - 275.0).max(60.0);
    let slider = Slider::new(&mut at, 0..=last.max(1)).show_value(false);
    let response = ui
        .push_id(control_id("timeline/at"), |ui| ui.add(slider))
        .inner;
    if response.on_hover_text(texts.get("replay.slider")).changed() {
        timeline.playing = false;
        timeline.show(stage, at);
    }
    let snapshot = &stage.training.snapshot;
    let (step, epoch) = (count(snapshot.step), count(snapshot.epoch as u64));
    let values: [(&str, &dyn std::fmt::Display); 2] = [("step", &step), ("epoch", &epoch)];
    ui.label(
        RichText::new(texts.with(
            match stage.training.elsewhere {
                Some(_) => "watch.place",
                None => "replay.place",
            },
            &values,
        ))
        .monospace()
        .size(13.0),
    );
    ui.allocate_ui(vec2(64.0, 24.0), |ui| {
        choose(ui, "timeline/speed", &mut timeline.speed, &SPEEDS, |s| {
            format!("{s} ×")
        });
    });
}

/// What can be done in the past.
fn ways_back(ui: &mut Ui, panels: &mut Panels, stage: &mut Stage<'_>) {
    let (texts, timeline) = (stage.texts, &mut panels.timeline);
    let view = &mut stage.choices.surface;
    ui.checkbox(&mut view.replay_surface, texts.get("replay.surface"))
        .on_hover_text(texts.get("replay.surface_tip"));
    if ui.button(texts.get("replay.now")).clicked() {
        timeline.leave(stage, ReplayWish::Now);
    }
    let go_on = ui.button(texts.get("replay.go_on"));
    if go_on.on_hover_text(texts.get("replay.go_on_tip")).clicked() {
        timeline.leave(stage, ReplayWish::GoOn);
    }
    let branch = ui.button(texts.get("branch.open"));
    ui.interact(branch.rect, control_id("timeline/branch"), Sense::hover());
    if branch.on_hover_text(texts.get("branch.tip")).clicked() {
        panels.timeline.playing = false;
        panels.branch.open(stage);
    }
}

/// Over the scene, so that nobody takes the past for the present.
pub(super) fn badge(ui: &Ui, stage: &Stage<'_>, free: Rect) {
    if !stage.training.shows_past() {
        return;
    }
    let texts = stage.texts;
    let (snapshot, now) = (&stage.training.snapshot, stage.training.now_snapshot());
    let (step, of, epoch) = (
        count(snapshot.step),
        count(now.step),
        count(snapshot.epoch as u64),
    );
    let values: [(&str, &dyn std::fmt::Display); 3] =
        [("step", &step), ("of", &of), ("epoch", &epoch)];
    let accent = color32(stage.palette.accent);
    egui::Area::new(control_id("past"))
        .order(egui::Order::Middle)
        .pivot(Align2::CENTER_TOP)
        .fixed_pos(free.center_top() + vec2(0.0, 8.0))
        .interactable(false)
        .show(ui.ctx(), |ui| {
            Frame::new()
                .fill(accent)
                .corner_radius(6)
                .inner_margin(Margin::symmetric(12, 5))
                .show(ui, |ui| {
                    let ink = color32(stage.palette.background);
                    let key = match stage.training.elsewhere {
                        Some(_) => "watch.past",
                        None => "replay.badge",
                    };
                    let text = RichText::new(texts.with(key, &values));
                    ui.add(egui::Label::new(text.color(ink).strong().size(15.0)).extend());
                });
        });
}
