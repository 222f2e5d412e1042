//! The recorded runs, over the scene: a list to open, compare, tag, rename and delete
//! them, and their comparison.

mod compare;
mod hand_on;
mod job;
mod list;
mod parallel;

use super::icons::Icon;
use super::panels::Panels;
use super::stage::Stage;
use super::widgets::{complaint, segmented, small_icon};
use crate::app::RunKeeper;
use crate::run::{Catalogue, CurveOf, Listing, RecordingStatus};
use bevy_egui::egui::{
    self, Align, Area, Frame, Id, Key, Layout, Order as Layer, Rect, TextEdit, Ui, vec2,
};
use crossbeam_channel::Receiver;
use job::{Answer, Compared, Order};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// What of the runs is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum View {
    #[default]
    List,
    Curves,
    Table,
    Histograms,
    Parallel,
}

/// What is being typed about the chosen runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Typing {
    Name,
    Tag,
    Comment,
}

/// The list is read again after so many seconds.
const AGAIN: f64 = 5.0;

/// The list of runs, and whether it is on the screen.
#[derive(Default)]
pub struct RunsPanel {
    /// Whether it is shown.
    pub open: bool,
    /// Where the runs are.
    catalogue: Option<Catalogue>,
    /// How the run on the screen is being recorded.
    pub(super) recording: Option<RecordingStatus>,
    /// What a branch of the run on the screen names as its parent.
    pub(super) id: Option<String>,
    view: View,
    search: String,
    /// The files that are chosen, in the order of the list.
    chosen: BTreeSet<PathBuf>,
    listing: Listing,
    compared: Compared,
    curve: Option<CurveOf>,
    /// Which run of a comparison is under the pointer.
    lit: Option<usize>,
    typing: Option<(Typing, String)>,
    deleting: bool,
    hand_on: hand_on::HandOn,
    fault: Option<String>,
    job: Option<Receiver<Answer>>,
    waiting: Option<Order>,
    /// When the list was read last, in seconds, and whether it is being read by itself.
    listed: f64,
    by_itself: bool,
    was_open: bool,
}

impl RunsPanel {
    /// Takes over what is known of the recording.
    pub(super) fn see(&mut self, keeper: &RunKeeper) {
        self.catalogue = keeper.catalogue().cloned();
        self.recording = keeper.status();
        self.id = keeper.id();
    }

    /// Shows the runs of a folder, though none may be recorded.
    pub fn look_into(&mut self, catalogue: Catalogue) {
        self.catalogue = Some(catalogue);
    }

    /// Has reports, films and files made by this program instead of the running one.
    pub fn hand_on_by(&mut self, program: PathBuf) {
        self.hand_on.program = Some(program);
    }

    /// Whether a report, a film or files are being made.
    pub fn is_handing_on(&self) -> bool {
        self.hand_on.is_busy()
    }

    /// Whether something is being read or written.
    pub fn is_busy(&self) -> bool {
        self.job.is_some() || self.waiting.is_some()
    }

    fn order(&mut self, order: Order) {
        self.waiting = Some(order);
    }

    /// Takes what was done, and has the next thing done.
    fn follow(&mut self, ctx: &egui::Context) {
        let now = ctx.input(|input| input.time);
        if self.open && !self.was_open {
            self.order(Order::List);
        }
        // Runs of other programs, and of the command line, come while one looks.
        let due = self.open && self.view == View::List && now - self.listed > AGAIN;
        if due && !self.is_busy() && self.fault.is_none() {
            self.order(Order::List);
            self.by_itself = true;
        }
        if self.open && self.view == View::List {
            ctx.request_repaint_after(Duration::from_secs_f64(AGAIN));
        }
        self.was_open = self.open;
        if let Some(answer) = self.job.as_ref().and_then(|job| job.try_recv().ok()) {
            self.job = None;
            self.by_itself = false;
            self.fault = answer.fault;
            if let Some(listing) = answer.listing {
                self.chosen
                    .retain(|path| listing.runs.iter().any(|run| run.path == *path));
                self.listing = listing;
                self.listed = now;
            }
            if let Some(compared) = answer.compared {
                self.compared = compared;
                if self.view == View::List {
                    self.view = View::Curves;
                }
            }
        }
        if self.job.is_none()
            && let (Some(catalogue), Some(order)) = (&self.catalogue, self.waiting.take())
        {
            match job::start(catalogue.clone(), order, ctx) {
                Ok(job) => self.job = Some(job),
                Err(fault) => self.fault = Some(fault),
            }
        }
    }
}

pub(super) fn show(ui: &mut Ui, panels: &mut Panels, stage: &mut Stage<'_>, free: Rect) {
    panels.runs.follow(ui.ctx());
    panels.runs.hand_on.follow(stage);
    if !panels.runs.open {
        return;
    }
    let rect = free.shrink(1.0);
    Area::new(Id::new("gradscape runs"))
        .order(Layer::Middle)
        .fixed_pos(rect.min)
        .movable(false)
        .constrain(false)
        .default_size(rect.size())
        .show(ui.ctx(), |ui| {
            ui.set_min_size(rect.size());
            ui.set_max_size(rect.size());
            ui.set_clip_rect(rect);
            let fill = ui.visuals().panel_fill;
            Frame::new().fill(fill).inner_margin(14).show(ui, |ui| {
                ui.set_min_size(ui.available_size());
                ui.spacing_mut().item_spacing = vec2(8.0, 6.0);
                head(ui, &mut panels.runs, stage);
                if let Some(fault) = &panels.runs.fault {
                    complaint(ui, &stage.palette, fault);
                }
                match panels.runs.view {
                    View::List => list::show(ui, &mut panels.runs, stage),
                    View::Curves => compare::curves(ui, &mut panels.runs, stage),
                    View::Table => compare::table(ui, &panels.runs, stage),
                    View::Histograms => compare::histograms(ui, &panels.runs, stage),
                    View::Parallel => parallel::show(ui, &mut panels.runs, stage),
                }
            });
        });
    let typing = ui.ctx().text_edit_focused();
    if !typing && ui.input(|input| input.key_pressed(Key::Escape)) {
        panels.runs.open = false;
    }
}

fn head(ui: &mut Ui, runs: &mut RunsPanel, stage: &Stage<'_>) {
    ui.horizontal(|ui| {
        ui.heading(stage.t("runs.title"));
        let compared = runs.compared.runs.len();
        let mut views = vec![(View::List, None, stage.t("runs.list"))];
        if compared > 1 {
            views.push((View::Curves, None, stage.t("runs.curves")));
            views.push((View::Table, None, stage.t("runs.table")));
            if !runs.compared.histograms.is_empty() {
                views.push((View::Histograms, None, stage.t("runs.histograms")));
            }
            views.push((View::Parallel, None, stage.t("runs.parallel")));
        }
        segmented(ui, "runs/view", &mut runs.view, &views);
        if runs.is_busy() && !runs.by_itself {
            ui.add(egui::Spinner::new().size(16.0));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let tip = stage.t("runs.close");
            if small_icon(ui, "runs/close", Icon::Cross, tip, true).clicked() {
                runs.open = false;
            }
            if runs.view == View::List {
                let edit = TextEdit::singleline(&mut runs.search)
                    .hint_text(stage.t("runs.search"))
                    .desired_width(220.0);
                ui.push_id(super::widgets::control_id("runs/search"), |ui| ui.add(edit));
            }
        });
    });
}
