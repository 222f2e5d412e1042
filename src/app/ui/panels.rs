//! All panels on one root `Ui`: where each stands, and what they keep from one
//! frame to the next.

use super::branch::BranchForm;
use super::draft::Draft;
use super::draw::Drawer;
use super::exercise::{self as exercises, Exercises};
use super::function::FunctionForm;
use super::inside::{self, Inside};
use super::line::LineForm;
use super::overlays::{self, Toast};
use super::picture::PictureForm;
use super::range_test::RangeForm;
use super::runs::RunsPanel;
use super::samples::Pictures;
use super::stage::{Intent, Stage};
use super::sweep::SweepForm;
use super::timeline::{self, Timeline};
use super::{
    charts, draw, edit, events, experiment, insight, keys, lecture, model, presenter, race, top,
};
use crate::app::{Notice, Searches};
use crate::train::{Problem, RunState};
use bevy_egui::egui::{self, Frame, Margin, Panel, Rect, ScrollArea, Ui, vec2};
use std::path::PathBuf;
use std::sync::Arc;

/// Narrower than this, in points, and the left panel starts closed.
const WIDE: f32 = 1000.0;
/// Narrower than this, and so does the right one.
const MIDDLE: f32 = 720.0;

/// What the panels keep between frames.
pub struct Panels {
    /// The experiment as it is edited.
    pub draft: Draft,
    /// Where to save or what to open.
    pub path: String,
    /// Whether the list of keys is open.
    pub help: bool,
    /// Messages on the screen.
    pub toasts: Vec<Toast>,
    /// Whether a file is being held over the window.
    pub file_over: bool,
    /// A learning rate that the run has not confirmed yet, and until when, in
    /// seconds, to wait for that.
    pub(super) rate_in_flight: Option<(f64, f64)>,
    /// What the range test is asked for.
    pub range: RangeForm,
    /// What the sweep is asked for.
    pub sweep: SweepForm,
    /// The formula of the surface.
    pub function: FunctionForm,
    /// The ends of the line, as steps, and where the surface is written to.
    pub line: LineForm,
    /// See `line`.
    pub surface_path: String,
    /// What the next picture will be.
    pub picture: PictureForm,
    /// The searches themselves.
    pub searches: Searches,
    /// The run and the step whose stop the user has read of.
    pub(super) stop_read: Option<(u64, u64)>,
    /// The slider through time.
    pub timeline: Timeline,
    /// The recorded runs.
    pub runs: RunsPanel,
    /// What a branch of the run is asked for.
    pub branch: BranchForm,
    /// Which scene of a lesson was shown last.
    pub(super) scene_seen: Option<(usize, u32)>,
    /// The inside of the network.
    pub inside: Inside,
    /// Looking for names.
    pub finder: model::Finder,
    /// A model of another program that is run forward.
    pub forward: model::ForwardForm,
    /// The exercises.
    pub exercises: Exercises,
    /// Paper to draw on.
    pub drawer: Drawer,
    /// The weight in the hand.
    pub(super) edit: edit::Edit,
    /// Finite differences beside the formula of an event.
    pub(super) checks: events::Checks,
    pub(super) pictures: Pictures,
    pub(super) curves: charts::Curves,
}

impl Panels {
    /// Panels over a run of `problem`.
    pub fn new(problem: &Arc<Problem>) -> Self {
        Panels {
            draft: Draft::of(problem),
            path: default_path().display().to_string(),
            help: false,
            toasts: Vec::new(),
            file_over: false,
            rate_in_flight: None,
            range: RangeForm::default(),
            sweep: SweepForm::default(),
            function: FunctionForm::default(),
            line: LineForm::default(),
            picture: PictureForm::in_folder(&pictures_folder()),
            surface_path: default_path()
                .with_file_name("error-surface.png")
                .display()
                .to_string(),
            searches: Searches::default(),
            stop_read: None,
            timeline: Timeline::default(),
            runs: RunsPanel::default(),
            branch: BranchForm::default(),
            scene_seen: None,
            inside: Inside::default(),
            finder: model::Finder::default(),
            forward: model::ForwardForm::default(),
            exercises: Exercises::bundled(),
            drawer: Drawer::default(),
            edit: edit::Edit::default(),
            checks: events::Checks::default(),
            pictures: Pictures::default(),
            curves: charts::Curves::default(),
        }
    }

    /// Puts a message on the screen.
    pub fn notify(&mut self, notice: Notice, now: f64) {
        overlays::push(&mut self.toasts, notice, now);
    }
}

/// A file in the user's documents, else in the working directory.
fn default_path() -> PathBuf {
    let documents = directories::UserDirs::new()
        .and_then(|dirs| dirs.document_dir().map(PathBuf::from))
        .filter(|folder| folder.is_dir());
    let folder = documents.or_else(|| std::env::current_dir().ok());
    folder.unwrap_or_default().join("experiment.toml")
}

/// Where the user keeps pictures, or the working folder.
fn pictures_folder() -> PathBuf {
    let pictures = directories::UserDirs::new()
        .and_then(|dirs| dirs.picture_dir().map(PathBuf::from))
        .filter(|folder| folder.is_dir());
    pictures
        .or_else(|| std::env::current_dir().ok())
        .unwrap_or_default()
}

/// Which side panels are open in a window so many points wide.
pub fn open_panels(chosen: [Option<bool>; 2], width: f32) -> [bool; 2] {
    [
        chosen[0].unwrap_or(width >= WIDE),
        chosen[1].unwrap_or(width >= MIDDLE),
    ]
}

/// Whether a window of so many points has room for the barest bar only.
fn is_compact(size: egui::Vec2) -> bool {
    size.x < 700.0 || size.y < 420.0
}

/// Draws everything and returns the rectangle that is left for the scene, in
/// points. Wishes are in `stage.intents` afterwards.
pub fn show(root: &mut Ui, panels: &mut Panels, stage: &mut Stage<'_>) -> Rect {
    let now = root.input(|i| i.time);
    let width = root.max_rect().width();
    let chosen = [stage.choices.left_panel, stage.choices.right_panel];
    let lectures = stage.choices.lecture.lesson.is_some();
    let presents = stage.choices.presents();
    // In a lesson the scene has all the room until panels are asked for.
    let open = if presents {
        let scene = stage.choices.lecture.current();
        let wanted = scene.is_some_and(|scene| scene.panel);
        let [left, right] = chosen.map(|panel| panel == Some(true));
        [left, right || wanted]
    } else {
        open_panels(chosen, width)
    };
    panels.draft.follow(&stage.training.problem);
    panels.searches.receive();
    keys::handle(root, panels, stage, open);
    model::hold_view(stage);
    // A model of another program has panels of its own: it has no run.
    let foreign = stage.blocks.foreign().is_some();

    let compact = is_compact(root.max_rect().size());
    let style = root.style().clone();
    let frame = |x: i8, y: i8| Frame::side_top_panel(&style).inner_margin(Margin::symmetric(x, y));
    let asked = chosen.contains(&Some(true));
    if !presents || asked {
        Panel::top("gradscape top")
            .resizable(false)
            .frame(frame(10, 6))
            .show(root, |ui| top::show(ui, stage, panels, open, compact));
    }
    if lectures {
        // What was said of another scene is not of this one.
        let lecture = &stage.choices.lecture;
        let scene = (lecture.scene, lecture.again);
        if panels.scene_seen.replace(scene) != Some(scene) {
            panels.toasts.clear();
            panels.edit = edit::Edit::default();
            let strokes = lecture.current().and_then(|scene| scene.draw.clone());
            panels.drawer.is_open = strokes.is_some();
            panels.drawer.put(strokes.unwrap_or_default());
        }
        lecture::caption(root, stage);
        lecture::foot(root, stage, now);
    }
    if !lectures {
        exercises::banner(root, panels, stage);
    }
    let room = root.available_width();
    if open[0] {
        let size = 280.0_f32.min(room * if open[1] { 0.46 } else { 0.86 });
        Panel::left("gradscape left")
            .resizable(false)
            .exact_size(size)
            .frame(frame(12, 8))
            .show(root, |ui| {
                scroll(ui, "left", |ui| {
                    if foreign {
                        model::left(ui, stage, panels);
                        return;
                    }
                    if compact {
                        top::sliders(ui, stage, panels);
                    }
                    experiment::show(ui, stage, panels);
                });
            });
    }
    if open[1] {
        let size = 304.0_f32.min(room * if open[0] { 0.5 } else { 0.86 });
        Panel::right("gradscape right")
            .resizable(false)
            .exact_size(size)
            .frame(frame(12, 8))
            .show(root, |ui| {
                scroll(ui, "right", |ui| {
                    if foreign {
                        model::sections(ui, stage, &panels.forward);
                    } else {
                        insight::show(ui, stage, panels);
                    }
                });
            });
    }
    if foreign {
        if panels.inside.open {
            model::no_inside(root, stage);
        }
    } else {
        lower_panels(root, panels, stage, presents, compact, now);
    }
    // What was chosen in the bar of this frame.
    model::hold_view(stage);
    let free = root.available_rect_before_wrap();
    overlays::show(root, panels, stage, free, now);
    presenter::pointer(root, stage, root.ctx().viewport_rect());
    if stage.choices.lecture.black {
        lecture::curtain(root, root.max_rect());
    }
    carry_out_draft(root, panels, stage, now);
    free
}

/// What stands below the scene, and paper to draw on.
fn lower_panels(
    root: &mut Ui,
    panels: &mut Panels,
    stage: &mut Stage<'_>,
    presents: bool,
    compact: bool,
    now: f64,
) {
    draw::show(root, panels, stage);
    if stage.choices.arena.racing {
        let most = (0.6 * root.available_height()).max(60.0);
        Panel::bottom("gradscape race")
            .resizable(false)
            .exact_size(race::height(stage).min(most))
            .frame(
                Frame::side_top_panel(&root.style().clone()).inner_margin(Margin::symmetric(10, 6)),
            )
            .show(root, |ui| scroll(ui, "race", |ui| race::show(ui, stage)));
    }
    if !stage.choices.arena.racing {
        inside::show(root, panels, stage);
    }
    if stage.choices.walk.on {
        events::show(root, panels, stage);
    } else if !presents {
        timeline::show(root, panels, stage, compact, now);
    }
}

fn scroll(ui: &mut Ui, name: &str, add: impl FnOnce(&mut Ui)) {
    ScrollArea::vertical()
        .id_salt(name)
        .auto_shrink([false, false])
        .show(ui, |ui| {
            // The scroll bar has a lane of its own.
            let width = ui.available_width() - 4.0;
            ui.set_max_width(width);
            ui.spacing_mut().item_spacing = vec2(8.0, 6.0);
            add(ui);
        });
}

fn carry_out_draft(ui: &Ui, panels: &mut Panels, stage: &mut Stage<'_>, now: f64) {
    let busy = ui.input(|i| i.pointer.any_down()) || ui.ctx().text_edit_focused();
    if let Some(experiment) = panels.draft.due(now, busy) {
        stage.intents.push(Intent::Load {
            experiment: Box::new(experiment),
            start: stage.training.snapshot.state == RunState::Running,
        });
    } else if panels.draft.is_waiting() && !busy {
        ui.ctx().request_repaint();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_windows_start_with_fewer_panels_and_choices_win() {
        assert_eq!(open_panels([None, None], 1280.0), [true, true]);
        assert_eq!(open_panels([None, None], 900.0), [false, true]);
        assert_eq!(open_panels([None, None], 427.0), [false, false]);
        assert_eq!(open_panels([Some(true), Some(false)], 427.0), [true, false]);
    }
}
