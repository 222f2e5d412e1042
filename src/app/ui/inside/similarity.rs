//! How alike what any two layers make of the data is: linear CKA, worked out on a thread
//! of its own once an epoch; of two layers of the network on screen, or of one of its
//! layers and one of a network beside it.

use super::super::format::{count, kind_name, number};
use super::super::stage::Stage;
use super::super::widgets::{remark, segmented};
use crate::app::Training;
use crate::app::background;
use crate::app::theme::color32;
use crate::colormap::viridis;
use crate::compare::letter;
use crate::figure::Tone;
use crate::insight::model::Model;
use crate::insight::similarity::{cka_between_layers, cka_of_layers};
use crate::train::{Problem, RunState};
use bevy_egui::egui::{self, Align2, FontId, Rect, ScrollArea, Sense, Ui, pos2, vec2};
use crossbeam_channel::{Receiver, bounded};
use ndarray::Array2;
use std::sync::Arc;

/// No more samples than this are compared, nor so many values of a layer.
const SAMPLES: usize = 512;
const VALUES: usize = 8_000_000;

/// The run, its epoch, and at rest the step as well.
type Moment = (usize, u64, usize, Option<u64>);

/// What is compared: the problem of the network on screen, that of the other, the run.
type Pair = (usize, usize, u64);

/// What is known.
#[derive(Default)]
pub struct Similarity {
    /// The number of the other network among those side by side; 0 is the one on screen.
    against: usize,
    seen: Option<(usize, Moment)>,
    job: Option<Receiver<Found>>,
    found: Option<Found>,
}

/// How alike layers are.
struct Found {
    of: Pair,
    epoch: usize,
    samples: usize,
    /// Layer by layer; 0 is the input. A row for each layer of the network on screen.
    cka: Array2<f64>,
}

/// Which network its layers are compared with.
pub(super) fn options(ui: &mut Ui, similarity: &mut Similarity, stage: &Stage<'_>) {
    let n = stage.networks().len();
    similarity.against = similarity.against.min(n - 1);
    if n > 1 {
        let names: Vec<String> = (0..n).map(|k| format!("A – {}", letter(k))).collect();
        let choices = names.iter().enumerate();
        let choices: Vec<_> = choices.map(|(k, name)| (k, None, name.as_str())).collect();
        segmented(ui, "similarity/against", &mut similarity.against, &choices);
    }
}

impl Similarity {
    /// Whether something is being worked out.
    pub(super) fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    /// Takes what came, and asks again once an epoch while it is looked at.
    pub fn follow(&mut self, stage: &Stage<'_>, ctx: &egui::Context) {
        let training = stage.training;
        let snapshot = &training.snapshot;
        let networks = stage.networks();
        let other = networks.get(self.against).unwrap_or(&networks[0]);
        let problem = Arc::as_ptr(&training.problem) as usize;
        let beside = Arc::as_ptr(&other.problem) as usize;
        let of = (problem, beside, snapshot.generation);
        if let Some(found) = self.job.as_ref().and_then(|job| job.try_recv().ok()) {
            self.job = None;
            self.found = (found.of == of).then_some(found);
        }
        if self.found.as_ref().is_some_and(|found| found.of != of) {
            self.found = None;
        }
        let at_rest = snapshot.state != RunState::Running;
        let step = at_rest.then_some(snapshot.step);
        let now = (problem, snapshot.generation, snapshot.epoch, step);
        if self.job.is_some() || self.seen == Some((beside, now)) || stage.loading {
            return;
        }
        self.seen = Some((beside, now));
        let side = |run: &Training| (Arc::clone(&run.problem), Arc::clone(&run.snapshot.params));
        let (own, other) = (side(training), side(other));
        let (epoch, ctx) = (snapshot.epoch, ctx.clone());
        let (sender, receiver) = bounded(1);
        let spawned = std::thread::Builder::new()
            .name("similarity".into())
            .spawn(move || {
                background::step_back();
                let (samples, cka) = compare(&own, &other);
                let found = Found {
                    of,
                    epoch,
                    samples,
                    cka,
                };
                // Nobody waits for it any more where another run was begun.
                let _ = sender.send(found);
                ctx.request_repaint();
            });
        self.job = spawned.ok().map(|_| receiver);
    }
}

/// A network with its data, and its weights.
type Side = (Arc<Problem>, Arc<[f32]>);

/// Linear CKA of every layer of one with every layer of the other over training samples,
/// and over how many.
fn compare((problem, params): &Side, (other, others): &Side) -> (usize, Array2<f64>) {
    let all = problem.train.len().min(other.train.len());
    let widths = [problem, other].map(|problem| problem.network.widths());
    let widest = widths.iter().flatten().copied().max().unwrap_or(1);
    let n = all.min(SAMPLES).min((VALUES / widest.max(1)).max(2));
    let rows: Vec<usize> = (0..n).map(|i| i * all / n).collect();
    let own = problem.train.select(&rows);
    let mut model = Model::new(&problem.network, params);
    if Arc::ptr_eq(problem, other) {
        return (n, cka_of_layers(&mut model, own.x.view()));
    }
    // Those beside it have the very same samples.
    let theirs = other.train.select(&rows);
    let mut rival = Model::new(&other.network, others);
    let cka = cka_between_layers((&mut model, own.x.view()), (&mut rival, theirs.x.view()));
    (n, cka)
}

pub(super) fn show(ui: &mut Ui, similarity: &Similarity, stage: &Stage<'_>) {
    let Some(found) = &similarity.found else {
        remark(ui, stage.t("inside.looking"));
        return;
    };
    let n = count(found.samples as u64);
    let values: [(&str, &dyn std::fmt::Display); 2] = [("n", &n), ("epoch", &found.epoch)];
    remark(ui, &stage.texts.with("similarity.about", &values));
    ScrollArea::both()
        .id_salt("similarity")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.horizontal_top(|ui| {
                matrix(ui, stage, similarity.against, &found.cka);
                ui.add_space(20.0);
                bar(ui, stage);
            });
        });
}

/// A layer in short and at length; 0 is the input.
fn title(stage: &Stage<'_>, network: usize, column: usize) -> String {
    let networks = stage.networks();
    let layers = networks.get(network).unwrap_or(&networks[0]);
    let layers = layers.problem.network.layers();
    match column.checked_sub(1).and_then(|layer| layers.get(layer)) {
        None => stage.t("similarity.input").to_owned(),
        Some(layer) => format!("{column} {}", kind_name(stage.texts, layer.kind().name())),
    }
}

/// Room for the names of layers, in points.
const NAME: f32 = 104.0;
/// A cell from this side on has its number in it.
const ROOMY: f32 = 30.0;

fn matrix(ui: &mut Ui, stage: &Stage<'_>, against: usize, cka: &Array2<f64>) {
    let (n, columns) = cka.dim();
    let tall = (ui.available_height() - 22.0) / n as f32;
    let wide = (ui.available_width() - NAME - 90.0) / columns as f32;
    let high = tall.clamp(17.0, 44.0);
    // Wide enough for a number, where there is room.
    let cell = vec2(wide.clamp(high, 58.0), high);
    let size = vec2(NAME + cell.x * columns as f32, cell.y * n as f32 + 18.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter();
    let text = color32(stage.palette.text);
    let font = FontId::proportional(12.5);
    let corner = rect.min + vec2(NAME, 18.0);
    let (ground, ink) = (stage.palette.background, stage.palette.text);
    let (dark, bright) = match stage.theme.tone {
        Tone::Dark => (ground, ink),
        Tone::Light => (ink, ground),
    };
    for column in 0..columns {
        let at = pos2(corner.x + cell.x * (column as f32 + 0.5), corner.y - 3.0);
        let name = match against {
            0 => column.to_string(),
            k => format!("{} {column}", letter(k)),
        };
        painter.text(at, Align2::CENTER_BOTTOM, name, font.clone(), text);
    }
    for row in 0..n {
        let y = corner.y + cell.y * row as f32;
        let at = pos2(corner.x - 6.0, y + 0.5 * cell.y);
        painter.text(
            at,
            Align2::RIGHT_CENTER,
            title(stage, 0, row),
            font.clone(),
            text,
        );
        for column in 0..columns {
            let value = cka[[row, column]];
            let x = corner.x + cell.x * column as f32;
            let place = Rect::from_min_size(pos2(x, y), cell - vec2(1.0, 1.0));
            painter.rect_filled(place, 1.0, color32(viridis(value as f32)));
            if cell.x >= ROOMY {
                // Dark on bright and bright on dark.
                let ink = color32(if value > 0.6 { dark } else { bright });
                let said = format!("{value:.2}");
                let font = FontId::proportional(12.0);
                painter.text(place.center(), Align2::CENTER_CENTER, said, font, ink);
            }
        }
    }
    if let Some(at) = response.hover_pos() {
        let (column, row) = ((at.x - corner.x) / cell.x, (at.y - corner.y) / cell.y);
        if column >= 0.0 && row >= 0.0 {
            let (row, column) = (row as usize, column as usize);
            if let Some(&value) = cka.get((row, column)) {
                let value = number(value, 5);
                let (a, b) = (title(stage, 0, row), title(stage, against, column));
                let values: [(&str, &dyn std::fmt::Display); 3] =
                    [("a", &a), ("b", &b), ("v", &value)];
                response.on_hover_text(stage.texts.with("similarity.cell", &values));
            }
        }
    }
}

/// From nothing in common to the same but for a turn and a factor.
fn bar(ui: &mut Ui, stage: &Stage<'_>) {
    const STEPS: usize = 40;
    let tall = (ui.available_height() - 22.0).clamp(60.0, 220.0);
    let (rect, _) = ui.allocate_exact_size(vec2(60.0, tall + 18.0), Sense::hover());
    let painter = ui.painter();
    let top = rect.top() + 18.0;
    for k in 0..STEPS {
        let share = 1.0 - (k as f32 + 0.5) / STEPS as f32;
        let part = Rect::from_min_size(
            pos2(rect.left(), top + tall * k as f32 / STEPS as f32),
            vec2(12.0, tall / STEPS as f32 + 0.5),
        );
        painter.rect_filled(part, 0.0, color32(viridis(share)));
    }
    let text = color32(stage.palette.text);
    for (value, align) in [
        (1.0, Align2::LEFT_TOP),
        (0.5, Align2::LEFT_CENTER),
        (0.0, Align2::LEFT_BOTTOM),
    ] {
        let at = pos2(rect.left() + 18.0, top + tall * (1.0 - value));
        painter.text(
            at,
            align,
            value.to_string(),
            FontId::proportional(12.0),
            text,
        );
    }
    let at = pos2(rect.left(), top - 3.0);
    painter.text(
        at,
        Align2::LEFT_BOTTOM,
        "CKA",
        FontId::proportional(12.5),
        text,
    );
}
