//! The keyboard: one table that the handler obeys and the help shows.

use super::panels::Panels;
use super::stage::{Intent, Stage};
use super::{
    draw, edit, function, lecture, model, picture, presenter, race, surface_choice, surface_export,
    top,
};
use crate::app::settings::Choices;
use crate::app::{
    CameraRequest, Ground, Language, PinCommand, PointerAs, RaceCommand, ReplayWish, StudyWish,
    ViewMode, WeightsWish,
};
use crate::train::{RunState, TrainCommand};
use bevy_egui::egui::{Key, Ui};

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)] // the names say it
pub enum Action {
    Run,
    Step,
    Epoch,
    Reset,
    Reseed,
    View(ViewMode),
    Theme,
    Language,
    Scale(i32),
    Camera(CameraRequest),
    Panels,
    RangeTest,
    Sweep,
    Arena,
    RaceBack,
    Ground,
    NextFunction,
    Pin,
    Plane,
    Measure,
    Curvature,
    Export,
    Picture,
    Undo,
    BallCamera,
    Replay,
    Past(i32),
    Now,
    GoOn,
    Event(i32),
    Pace(i32),
    Chain,
    Draw,
    Inside,
    Maps,
    Fields,
    Ways,
    Ask,
    Nudge,
    NextWeight,
    Find,
    Runs,
    Known,
    Present,
    Pointer(PointerAs),
    Contrast,
    Signs,
    Motion,
    Help,
    Close,
}

/// A line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Shortcut {
    /// Any of these keys.
    pub keys: &'static [Key],
    /// Whether with Ctrl (on a Mac with Command) and not without.
    pub ctrl: bool,
    /// How the help writes them.
    pub label: &'static str,
    /// The key of what the help says about it.
    pub text: &'static str,
    /// What it does.
    pub action: Action,
}

const fn on(
    keys: &'static [Key],
    label: &'static str,
    text: &'static str,
    action: Action,
) -> Shortcut {
    Shortcut {
        keys,
        ctrl: false,
        label,
        text,
        action,
    }
}

const fn with_ctrl(shortcut: Shortcut) -> Shortcut {
    Shortcut {
        ctrl: true,
        ..shortcut
    }
}

/// Every key, in the order of the help.
pub const SHORTCUTS: [Shortcut; 63] = [
    on(&[Key::Space], "Space", "keys.run", Action::Run),
    on(&[Key::S], "S", "keys.step", Action::Step),
    on(&[Key::E], "E", "keys.epoch", Action::Epoch),
    on(&[Key::ArrowRight], "→", "keys.event", Action::Event(1)),
    on(&[Key::ArrowLeft], "←", "keys.event_back", Action::Event(-1)),
    on(&[Key::ArrowUp], "↑", "keys.faster", Action::Pace(1)),
    on(&[Key::ArrowDown], "↓", "keys.slower", Action::Pace(-1)),
    on(&[Key::Slash], "/", "keys.chain", Action::Chain),
    on(
        &[Key::Semicolon, Key::Quote],
        "; '",
        "keys.next_weight",
        Action::NextWeight,
    ),
    on(
        &[Key::OpenBracket, Key::CloseBracket],
        "[ ]",
        "keys.nudge",
        Action::Nudge,
    ),
    on(&[Key::Enter], "Enter", "keys.ask", Action::Ask),
    on(&[Key::Backslash], "\\", "keys.draw", Action::Draw),
    on(&[Key::Backtick], "`", "keys.inside", Action::Inside),
    on(&[Key::Num9], "9", "keys.ways", Action::Ways),
    with_ctrl(on(&[Key::F], "Ctrl F", "keys.find", Action::Find)),
    with_ctrl(on(&[Key::R], "Ctrl R", "keys.runs", Action::Runs)),
    on(&[Key::R], "R", "keys.reset", Action::Reset),
    on(&[Key::N], "N", "keys.reseed", Action::Reseed),
    on(
        &[Key::Num1],
        "1",
        "keys.network",
        Action::View(ViewMode::Network),
    ),
    on(
        &[Key::Num2],
        "2",
        "keys.surface",
        Action::View(ViewMode::Surface),
    ),
    on(&[Key::Num3], "3", "keys.both", Action::View(ViewMode::Both)),
    on(
        &[Key::Num4],
        "4",
        "keys.together",
        Action::View(ViewMode::Together),
    ),
    on(
        &[Key::F],
        "F",
        "keys.frame_all",
        Action::Camera(CameraRequest::FrameAll),
    ),
    on(
        &[Key::Home],
        "Home",
        "keys.view_reset",
        Action::Camera(CameraRequest::Reset),
    ),
    on(
        &[Key::X],
        "X",
        "keys.view_side",
        Action::Camera(CameraRequest::Side),
    ),
    on(
        &[Key::Y],
        "Y",
        "keys.view_top",
        Action::Camera(CameraRequest::Top),
    ),
    on(
        &[Key::Z],
        "Z",
        "keys.view_front",
        Action::Camera(CameraRequest::Front),
    ),
    on(&[Key::Q], "Q", "keys.range_test", Action::RangeTest),
    on(&[Key::G], "G", "keys.sweep", Action::Sweep),
    on(&[Key::A], "A", "keys.arena", Action::Arena),
    on(&[Key::B], "B", "keys.race_back", Action::RaceBack),
    on(&[Key::W], "W", "keys.ground", Action::Ground),
    on(&[Key::O], "O", "keys.next_function", Action::NextFunction),
    on(&[Key::V], "V", "keys.pin", Action::Pin),
    on(&[Key::D], "D", "keys.plane", Action::Plane),
    on(&[Key::M], "M", "keys.measure", Action::Measure),
    on(&[Key::K], "K", "keys.curvature", Action::Curvature),
    on(&[Key::I], "I", "keys.export", Action::Export),
    on(&[Key::U], "U", "keys.undo", Action::Undo),
    on(&[Key::J], "J", "keys.ball_camera", Action::BallCamera),
    on(&[Key::P], "P", "keys.replay", Action::Replay),
    on(&[Key::Comma], ",", "keys.earlier", Action::Past(-1)),
    on(&[Key::Period], ".", "keys.later", Action::Past(1)),
    on(&[Key::Backspace], "Backspace", "keys.now", Action::Now),
    on(&[Key::C], "C", "keys.go_on", Action::GoOn),
    on(&[Key::H], "H", "keys.panels", Action::Panels),
    on(&[Key::T], "T", "keys.theme", Action::Theme),
    on(&[Key::L], "L", "keys.language", Action::Language),
    on(
        &[Key::Plus, Key::Equals],
        "+",
        "keys.larger",
        Action::Scale(1),
    ),
    on(&[Key::Minus], "−", "keys.smaller", Action::Scale(-1)),
    on(&[Key::Num0], "0", "keys.scale", Action::Scale(0)),
    on(
        &[Key::F2],
        "F2",
        "keys.laser",
        Action::Pointer(PointerAs::Laser),
    ),
    on(
        &[Key::F3],
        "F3",
        "keys.spotlight",
        Action::Pointer(PointerAs::Spotlight),
    ),
    on(&[Key::F4], "F4", "keys.known", Action::Known),
    on(&[Key::F5], "F5", "keys.present", Action::Present),
    on(&[Key::F6], "F6", "keys.contrast", Action::Contrast),
    on(&[Key::F7], "F7", "keys.signs", Action::Signs),
    on(&[Key::F8], "F8", "keys.motion", Action::Motion),
    on(&[Key::F9], "F9", "keys.maps", Action::Maps),
    on(&[Key::F10], "F10", "keys.fields", Action::Fields),
    on(&[Key::F12], "F12", "keys.picture", Action::Picture),
    on(
        &[Key::Questionmark, Key::F1],
        "?",
        "keys.help",
        Action::Help,
    ),
    on(&[Key::Escape], "Esc", "keys.close", Action::Close),
];

/// Obeys the keys of this frame, unless text is being typed.
pub(super) fn handle(ui: &Ui, panels: &mut Panels, stage: &mut Stage<'_>, open: [bool; 2]) {
    let ctx = ui.ctx();
    if ctx.text_edit_focused() {
        return;
    }
    // A lesson's own keys come first.
    let pressed = |key: &Key| {
        ctx.input(|i| {
            let m = i.modifiers;
            !(m.ctrl || m.alt || m.command || m.mac_cmd) && i.key_pressed(*key)
        })
    };
    let lessons: Vec<Key> = Key::ALL.iter().copied().filter(pressed).collect();
    let taken: Vec<Key> = lessons
        .into_iter()
        .filter(|&key| edit::key(stage, panels, key) || lecture::key(stage, key))
        .collect();
    // A focused button takes the space bar for itself.
    let focused = ctx.memory(|m| m.focused().is_some());
    for shortcut in &SHORTCUTS {
        if shortcut.action == Action::Run && focused {
            continue;
        }
        let pressed = ctx.input(|i| {
            let m = i.modifiers;
            let ctrl = m.ctrl || m.command || m.mac_cmd;
            (ctrl, m.alt) == (shortcut.ctrl, false)
                && shortcut
                    .keys
                    .iter()
                    .any(|&k| i.key_pressed(k) && !taken.contains(&k))
        });
        if pressed {
            act(shortcut.action, panels, stage, open);
        }
    }
}

/// What a key cannot do while a model is shown that has no run, and what is said of it.
fn impossible(action: Action) -> Option<&'static str> {
    match action {
        Action::Run
        | Action::Step
        | Action::Epoch
        | Action::Reset
        | Action::Reseed
        | Action::Event(_)
        | Action::RangeTest
        | Action::Sweep
        | Action::Undo
        | Action::GoOn
        | Action::Past(_)
        | Action::Now
        | Action::Replay
        | Action::RaceBack
        | Action::Chain => Some("model.no_training"),
        Action::View(mode) if mode != ViewMode::Network => Some("model.no_surface"),
        Action::Arena
        | Action::Ground
        | Action::NextFunction
        | Action::Pin
        | Action::Plane
        | Action::Measure
        | Action::Curvature
        | Action::Export
        | Action::BallCamera => Some("model.no_surface"),
        Action::Maps | Action::Fields | Action::Ways => Some("model.no_inside"),
        Action::Draw => Some("model.no_data"),
        _ => None,
    }
}

fn act(action: Action, panels: &mut Panels, stage: &mut Stage<'_>, open: [bool; 2]) {
    if stage.blocks.foreign().is_some()
        && let Some(why) = impossible(action)
    {
        model::refuse(stage, why);
        return;
    }
    let snapshot = &stage.training.snapshot;
    let diverged = snapshot.state == RunState::Diverged;
    if stage.choices.arena.racing {
        // While a race is open, the keys of the run are the race's.
        let command = match action {
            Action::Run => Some(RaceCommand::Toggle),
            Action::Step => Some(RaceCommand::Step(1)),
            Action::RaceBack => Some(RaceCommand::Step(-1)),
            Action::Reset => Some(RaceCommand::Restart),
            _ => None,
        };
        if let Some(command) = command {
            stage.intents.push(Intent::Race(command));
            return;
        }
    }
    let walk = &mut stage.choices.walk;
    if walk.on {
        match action {
            Action::Run => return walk.toggle(),
            Action::Close if stage.selection.selected.is_none() => return walk.leave(),
            _ => {}
        }
    }
    match action {
        Action::Event(1..) => walk.forward(),
        Action::Event(_) => walk.back(),
        Action::Pace(by) => walk.change_pace(by),
        Action::Chain => edit::toggle_chain(stage),
        Action::Draw => draw::toggle(stage, &mut panels.drawer),
        Action::Inside => panels.inside.open = !panels.inside.open,
        Action::Maps => {
            let view = &mut stage.choices.network;
            view.maps = !view.maps;
        }
        Action::Fields => {
            let view = &mut stage.choices.network;
            view.fields = !view.fields;
        }
        Action::Ways => panels.inside.why.lit = !panels.inside.why.lit,
        // What is in the hand has taken it; without it, it opens and closes what is selected.
        Action::Ask => {
            if let Some(part) = stage.blocks.selected() {
                stage.blocks.toggle(part);
                stage.blocks.fly_to(part);
            }
        }
        Action::Find => panels.finder.ask(),
        Action::Runs => panels.runs.open = !panels.runs.open,
        // Without something in the hand these mean nothing.
        Action::Nudge | Action::NextWeight => {}
        Action::Known => presenter::known_state(panels, stage),
        Action::Present => stage.choices.presenter.on = !stage.choices.presenter.on,
        Action::Pointer(pointer) => stage.choices.presenter.toggle(pointer),
        Action::Contrast => {
            let theme = &mut stage.choices.theme;
            theme.contrast = !theme.contrast;
        }
        Action::Signs => stage.choices.theme = stage.choices.theme.with_next_signs(),
        Action::Motion => {
            let motion = &mut stage.choices.motion;
            motion.reduced = !motion.reduced;
        }
        Action::Arena => race::toggle(stage),
        Action::RaceBack => {}
        Action::Ground => {
            let arena = &mut stage.choices.arena;
            arena.ground = match arena.ground {
                Ground::Network => Ground::Function,
                Ground::Function => Ground::Network,
            };
        }
        Action::NextFunction => function::next(stage),
        Action::Pin => stage.intents.push(Intent::Pin(PinCommand::Toggle)),
        Action::Run if diverged => stage.train(TrainCommand::Rewind),
        Action::Run => stage.train(top::toggled(snapshot.state)),
        Action::Step if !diverged => stage.train(TrainCommand::Step),
        Action::Epoch if !diverged => stage.train(TrainCommand::Epoch),
        Action::Step | Action::Epoch => {}
        Action::Reset => stage.train(TrainCommand::Reset),
        Action::Reseed => stage.train(TrainCommand::Reseed(snapshot.seed.wrapping_add(1))),
        Action::View(mode) => stage.choices.mode = mode,
        Action::Theme => {
            stage.choices.theme = stage.choices.theme.turned();
        }
        Action::Language => {
            let all = Language::ALL;
            let at = all.iter().position(|l| *l == stage.choices.language);
            stage.choices.language = all[at.map_or(0, |i| (i + 1) % all.len())];
        }
        Action::Scale(0) => stage.choices.scale = Choices::SCALES[0],
        Action::Scale(steps) => stage.choices.scale = top::rescaled(stage.choices.scale, steps),
        Action::Camera(request) => stage.intents.push(Intent::Camera(request)),
        Action::Panels => {
            let shown = Some(!(open[0] || open[1]));
            (stage.choices.left_panel, stage.choices.right_panel) = (shown, shown);
        }
        Action::RangeTest if panels.range.open => panels.range.open = false,
        Action::RangeTest => panels.range.open(),
        Action::Sweep => panels.sweep.open = !panels.sweep.open,
        Action::Plane => surface_choice::next_plane(stage),
        Action::Measure => {
            surface_choice::next_measure(&mut stage.choices.surface, stage.training);
        }
        Action::Curvature => stage.intents.push(Intent::Study(StudyWish::Curvature)),
        Action::Export => surface_export::write(stage, panels),
        Action::Picture => picture::take(stage, panels),
        Action::Undo => stage.intents.push(Intent::Weights(WeightsWish::Undo)),
        Action::BallCamera => {
            let view = &mut stage.choices.surface;
            view.camera_follows = !view.camera_follows;
        }
        Action::Replay => panels.timeline.toggle(stage),
        Action::Past(points) => panels.timeline.step(stage, points),
        Action::Now => panels.timeline.leave(stage, ReplayWish::Now),
        Action::GoOn => panels.timeline.leave(stage, ReplayWish::GoOn),
        Action::Help => panels.help = !panels.help,
        Action::Close => {
            if panels.help {
                panels.help = false;
            } else if panels.range.open {
                panels.range.open = false;
            } else if panels.sweep.open {
                panels.sweep.open = false;
            } else if stage.selection.selected.is_some() {
                stage.selection.selected = None;
            } else if stage.blocks.selected().is_some() {
                stage.blocks.select(None);
            } else {
                stage.choices.presenter.on = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_key_means_two_things() {
        let mut seen = HashSet::new();
        for shortcut in &SHORTCUTS {
            for key in shortcut.keys {
                assert!(seen.insert((shortcut.ctrl, *key)), "{key:?}");
            }
        }
    }
}
