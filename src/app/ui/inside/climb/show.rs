//! What has grown, beside the real samples most like it and those that are answered to
//! most.

use super::super::super::format::{count, number, place};
use super::super::super::stage::Stage;
use super::super::map::{self, Map};
use super::ascent::{Growth, Real};
use super::{Climb, Goal, plane, table};
use crate::app::format::kind_name;
use crate::app::theme::color32;
use crate::insight::picture::Picture;
use crate::train::Encoding;
use bevy_egui::egui::{Label, RichText, ScrollArea, Ui};
use std::fmt::Display;

/// The least and the greatest side of what grows, in points; a real sample's is less than
/// half of it.
const SIDE: [f32; 2] = [84.0, 360.0];
/// Lower than this, two rows of real samples would be too small.
const LOW: f32 = 220.0;

pub(in super::super) fn show(ui: &mut Ui, climb: &mut Climb, stage: &Stage<'_>) {
    let (Some(goal), Some(growth)) = (climb.climbed, climb.growth.clone()) else {
        let key = match climb.job {
            Some(_) => "inside.looking",
            None => "climb.hint",
        };
        ui.label(RichText::new(stage.t(key)).size(15.0).weak());
        return;
    };
    let growth = &growth;
    headline(ui, stage, goal, growth);
    let problem = &stage.training.problem;
    ScrollArea::both()
        .id_salt("maximised")
        .auto_shrink([false, false])
        .show(ui, |ui| match Picture::of(problem) {
            Some(picture) => pictures(ui, climb, stage, growth, picture),
            None if problem.data.points.is_some() => {
                ui.horizontal_top(|ui| {
                    plane::show(ui, stage, &climb.trail, growth);
                    ui.add_space(16.0);
                    table::show(ui, stage, growth);
                });
            }
            None => table::show(ui, stage, growth),
        });
}

/// What answers, how much, and how much real samples get.
fn headline(ui: &mut Ui, stage: &Stage<'_>, goal: Goal, growth: &Growth) {
    let texts = stage.texts;
    let name = name(stage, goal);
    let value = number(growth.value, 4);
    let best = growth.strong.first();
    let best = best.map_or("–".to_owned(), |best| number(best.value, 4));
    let among = count(growth.among as u64);
    let values: [(&str, &dyn Display); 8] = [
        ("name", &name),
        ("value", &value),
        ("step", &growth.step),
        ("steps", &growth.steps),
        ("best", &best),
        ("among", &among),
        ("epoch", &growth.epoch),
        ("seed", &growth.seed),
    ];
    let text = RichText::new(texts.with("climb.answer", &values)).size(16.0);
    ui.add(Label::new(text.strong()).wrap());
    let kind = RichText::new(texts.with("climb.no_sample", &values)).size(13.0);
    let kind = kind.color(color32(stage.palette.accent));
    ui.add(Label::new(kind).wrap());
}

/// What answers, in words.
fn name(stage: &Stage<'_>, goal: Goal) -> String {
    let problem = &stage.training.problem;
    let texts = stage.texts;
    let layers = problem.network.layers();
    let of_layer = |key: &str, layer: usize, what: String| {
        let kind = kind_name(texts, layers[layer].kind().name());
        let number = layer + 1;
        let values: [(&str, &dyn Display); 3] = [("layer", &number), ("kind", &kind), ("n", &what)];
        texts.with(key, &values)
    };
    match goal {
        Goal::Class(k) => {
            let names = problem.data.task.names();
            let name = names.get(k).cloned().unwrap_or_else(|| k.to_string());
            let key = match problem.encoding {
                Encoding::Values => "climb.of_output",
                _ => "climb.of_class",
            };
            texts.with(key, &[("name", &name)])
        }
        Goal::Unit(layer, unit) => {
            let place = place(texts, layers[layer].output_shape(), unit);
            of_layer("climb.of_unit", layer, place)
        }
        Goal::Channel(layer, channel) => {
            of_layer("climb.of_channel", layer, (channel + 1).to_string())
        }
    }
}

fn pictures(ui: &mut Ui, climb: &mut Climb, stage: &Stage<'_>, growth: &Growth, picture: Picture) {
    let problem = &stage.training.problem;
    let range = growth.range;
    let names = problem.data.task.names();
    let real = |real: &Real| {
        let x = problem.train.x.row(real.row);
        let x: Vec<f64> = x.iter().map(|&v| v.into()).collect();
        let class = problem.encoding.class(problem.train.y.row(real.row));
        let class = class.and_then(|k| names.get(k)).cloned();
        Map::photo(picture, &x, range).saying(class.unwrap_or_default(), number(real.value, 3))
    };
    let grown = Map::photo(picture, &growth.input, range)
        .saying(stage.t("climb.maximised"), number(growth.value, 4));
    let near: Vec<Map> = growth.near.iter().map(real).collect();
    let strong: Vec<Map> = growth.strong.iter().map(real).collect();
    let (many_near, many_strong) = (near.len(), strong.len());
    let maps = [grown].into_iter().chain(near).chain(strong);
    climb.sheet.put(ui, stage, maps.collect());
    let sheet = &climb.sheet;
    let tall = ui.available_height();
    let side = (tall - map::words(1) - 8.0).clamp(SIDE[0], SIDE[1]).floor();
    let rows = [
        ("climb.near", 1..1 + many_near),
        ("climb.strong", 1 + many_near..1 + many_near + many_strong),
    ];
    // Real samples in two rows, or where it is low in one.
    let is_low = tall < LOW;
    let small = if is_low {
        let many = (many_near + many_strong).max(1) as f32;
        (ui.available_width() - side - 56.0) / many - 8.0
    } else {
        0.5 * tall - map::words(1) - 24.0
    };
    let small = small.clamp(38.0, 0.6 * side).floor();
    let row = |ui: &mut Ui, key: &str, maps: std::ops::Range<usize>| {
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            let wide = (small + 8.0) * maps.len() as f32;
            ui.set_max_width(wide.max(160.0));
            let title = RichText::new(stage.texts.get(key)).size(12.5).weak();
            ui.add(Label::new(title).truncate());
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = 8.0;
                maps.for_each(|k| sheet.show(ui, stage, k, small, 1));
            });
        });
    };
    ui.horizontal_top(|ui| {
        sheet.show(ui, stage, 0, side, 1);
        ui.add_space(14.0);
        if is_low {
            for (key, maps) in rows {
                row(ui, key, maps);
                ui.add_space(8.0);
            }
        } else {
            ui.vertical(|ui| rows.into_iter().for_each(|(key, maps)| row(ui, key, maps)));
        }
    });
}
