//! What each layer makes of many samples: a matrix with a row for each sample and a column
//! for each unit.

use super::super::stage::Stage;
use super::super::view_options;
use super::super::widgets::{remark, segmented};
use super::sheet::{self, Image};
use crate::app::{HeatView, Theme};
use crate::insight::tiles;
use crate::train::{Problem, Samples, WatchedPart};
use bevy_egui::egui::{ScrollArea, Ui};
use std::sync::Arc;

/// At most so many samples, at least so many, and the multiply-adds that a look may take.
const MOST: usize = 100;
const LEAST: usize = 10;
const BUDGET: usize = 20_000_000;
/// While training goes on, a look every so many seconds.
const PATIENCE: f64 = 0.2;

/// What a look was made from.
type Key = (usize, u64, WatchedPart, bool, HeatView, Theme);

/// What is looked at, and what was last seen.
#[derive(Default)]
pub(super) struct Batch {
    part: WatchedPart,
    sorted: bool,
    seen: Option<Seen>,
}

struct Seen {
    key: Key,
    /// When, in seconds.
    at: f64,
    /// The sample of each row, from 0.
    rows: Vec<usize>,
    images: Vec<Image>,
}

/// Which samples, in which order, in which colours.
pub(super) fn options(ui: &mut Ui, batch: &mut Batch, stage: &mut Stage<'_>) {
    let parts = [
        (WatchedPart::Train, None, stage.t("samples.train")),
        (WatchedPart::Validation, None, stage.t("samples.validation")),
    ];
    segmented(ui, "inside/batch", &mut batch.part, &parts);
    if stage.training.problem.data.task.is_classification() {
        ui.checkbox(&mut batch.sorted, stage.t("inside.by_class"));
    }
    let heat = &mut stage.choices.network.heat;
    view_options::heat(ui, stage.texts, "inside/batch_map", heat);
}

fn samples(problem: &Problem, part: WatchedPart) -> &Samples {
    match part {
        WatchedPart::Validation => &problem.validation,
        _ => &problem.train,
    }
}

/// The class of a sample; `None` in a regression.
fn class_of(problem: &Problem, part: WatchedPart, sample: usize) -> Option<usize> {
    let data = match part {
        WatchedPart::Validation => &problem.data.validation,
        _ => &problem.data.train,
    };
    data.target.labels()?.get(sample).copied()
}

/// The samples that are looked at, from 0: the first ones, as many as the network's size
/// allows; by class where that is wanted, in their order within each.
fn chosen(problem: &Problem, part: WatchedPart, sorted: bool) -> Vec<usize> {
    let cost = problem.network.multiply_adds().max(1);
    let most = (BUDGET / cost).clamp(LEAST, MOST);
    let mut rows: Vec<usize> = (0..samples(problem, part).len().min(most)).collect();
    if sorted {
        rows.sort_by_key(|&row| class_of(problem, part, row));
    }
    rows
}

pub(super) fn show(ui: &mut Ui, batch: &mut Batch, stage: &Stage<'_>) {
    let training = stage.training;
    let problem = &training.problem;
    let key: Key = (
        Arc::as_ptr(problem) as usize,
        training.snapshot.revision,
        batch.part,
        batch.sorted,
        stage.choices.network.heat,
        stage.theme,
    );
    let now = ui.input(|i| i.time);
    let is_due = batch.seen.as_ref().is_none_or(|seen| {
        // What is only newer can wait, what is another thing cannot.
        let mut older = key;
        older.1 = seen.key.1;
        seen.key != key && (older != seen.key || now - seen.at >= PATIENCE)
    });
    if is_due {
        let rows = chosen(problem, batch.part, batch.sorted);
        let picked = samples(problem, batch.part).select(&rows);
        let layers = 0..problem.network.layers().len();
        let tiles =
            tiles::activations(&problem.network, &training.snapshot.params, &picked, layers);
        let old = batch.seen.take().map(|seen| seen.images);
        let images = sheet::dress(ui, stage, tiles, old.unwrap_or_default());
        batch.seen = Some(Seen {
            key,
            at: now,
            rows,
            images,
        });
    } else if batch.seen.as_ref().is_some_and(|seen| seen.key != key) {
        let wait = std::time::Duration::from_secs_f64(PATIENCE);
        ui.ctx().request_repaint_after(wait);
    }
    let Some(seen) = batch.seen.as_ref().filter(|seen| !seen.rows.is_empty()) else {
        remark(ui, stage.t("inside.no_samples"));
        return;
    };
    let values: [(&str, &dyn std::fmt::Display); 2] = [
        ("n", &seen.rows.len()),
        ("all", &samples(problem, batch.part).len()),
    ];
    remark(ui, &stage.texts.with("inside.batch_of", &values));
    let tall = (ui.available_height() - 34.0).max(60.0);
    let names = problem.data.task.names();
    ScrollArea::both()
        .id_salt("batch")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                for image in &seen.images {
                    sheet::picture_with(ui, stage, image, tall, |row, unit, value| {
                        let sample = seen.rows.get(row - 1).copied().unwrap_or(0);
                        let class = class_of(problem, batch.part, sample);
                        let class = class.and_then(|class| names.get(class));
                        let said: [(&str, &dyn std::fmt::Display); 4] = [
                            ("n", &(sample + 1)),
                            ("class", &class.map_or("", String::as_str)),
                            ("unit", &unit),
                            ("v", &value),
                        ];
                        let key = match class {
                            Some(_) => "inside.batch_cell",
                            None => "inside.batch_value",
                        };
                        stage.texts.with(key, &said)
                    });
                }
            });
        });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    #[test]
    fn samples_by_class_are_the_same_samples_in_another_order() {
        let text = "[data]\nsource = \"digits\"\nlimit = 80\n[network]\nloss = \"cross-entropy\"\n";
        let problem = Problem::new(&Experiment::parse(text, "test").unwrap()).unwrap();
        let part = WatchedPart::Train;
        let plain = chosen(&problem, part, false);
        let sorted = chosen(&problem, part, true);
        let classes: Vec<_> = sorted
            .iter()
            .map(|&r| class_of(&problem, part, r))
            .collect();
        assert!(classes.is_sorted() && classes.iter().all(Option::is_some));
        assert_ne!(plain, sorted);
        let mut again = sorted;
        again.sort_unstable();
        assert_eq!(again, plain);
    }
}
