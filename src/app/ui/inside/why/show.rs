//! An explanation as it is shown: the sample beside its maps or bars, the sentence, the
//! completeness check, and the strongest ways with what comes by them.

use super::super::super::format::{count, number, place, signed};
use super::super::super::stage::Stage;
use super::super::super::widgets::{control_id, remark};
use super::super::map::{self, Map};
use super::question::{Found, targets};
use super::{Key, MOST_WAYS, Why, bars, words};
use crate::app::Texts;
use crate::app::theme::color32;
use crate::insight::contributions::Path;
use crate::insight::explain::{Explanation, Part, Said};
use crate::train::{Encoding, Problem};
use bevy_egui::egui::{Align, ComboBox, Label, Layout, RichText, ScrollArea, Slider, Ui, vec2};
use std::fmt::Display;

/// The least and the greatest side of a map, in points.
const SIDE: [f32; 2] = [66.0, 230.0];
/// Narrower maps have titles of two lines.
const NARROW: f32 = 128.0;
/// Height of the sentence and of the line below it.
const BELOW: f32 = 72.0;

/// Which class is explained, and whether the ways are lit.
pub(in super::super) fn options(ui: &mut Ui, why: &mut Why, stage: &Stage<'_>) {
    let problem = &stage.training.problem;
    ui.label(stage.t("explain.explained"));
    let said = why.found.as_ref().filter(|f| f.key.target.is_none());
    let said = said.map_or(String::new(), |found| name(problem, found.target));
    let own = stage.texts.with("explain.predicted", &[("name", &said)]);
    let title = |k: Option<usize>| k.map_or(own.clone(), |k| name(problem, k));
    ComboBox::from_id_salt(control_id("explain/target"))
        .selected_text(title(why.target))
        .show_ui(ui, |ui| {
            for k in [None].into_iter().chain((0..targets(problem)).map(Some)) {
                ui.selectable_value(&mut why.target, k, title(k));
            }
        });
    let lit = ui.checkbox(&mut why.lit, stage.t("explain.ways"));
    lit.on_hover_text(stage.t("explain.ways_tip"));
    if why.lit {
        ui.spacing_mut().slider_width = 70.0;
        ui.add(Slider::new(&mut why.ways, 1..=MOST_WAYS));
    }
}

/// The name of a class or an output.
fn name(problem: &Problem, k: usize) -> String {
    let names = problem.data.task.names();
    names.get(k).cloned().unwrap_or_else(|| k.to_string())
}

pub(in super::super) fn show(ui: &mut Ui, why: &mut Why, stage: &Stage<'_>) {
    let Why {
        found,
        sheet,
        said,
        ways,
        ..
    } = why;
    let Some(found) = found.as_ref() else {
        remark(ui, stage.t("inside.looking"));
        return;
    };
    if !found.contributions.readout.is_finite() {
        remark(ui, stage.t("explain.not_finite"));
        return;
    }
    let maps = maps(stage, found, said.as_ref());
    let (many, shown) = (maps.len(), *ways);
    sheet.put(ui, stage, maps);
    let gap = 12.0;
    let side = (ui.available_width() - 12.0) / many.max(1) as f32 - gap;
    let lines = if side < NARROW { 2 } else { 1 };
    let tall = ui.available_height() - BELOW - map::words(lines);
    let side = side.min(tall).clamp(SIDE[0], SIDE[1]).floor();
    ScrollArea::vertical()
        .id_salt("explanation")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            if many > 0 {
                let row = Layout::left_to_right(Align::Min).with_main_wrap(true);
                let tall = side + map::words(lines);
                ui.allocate_ui_with_layout(vec2(ui.available_width(), tall), row, |ui| {
                    ui.spacing_mut().item_spacing.x = gap;
                    (0..many).for_each(|k| sheet.show(ui, stage, k, side, lines));
                });
            } else {
                bars::show(ui, stage, found);
                ui.add_space(4.0);
            }
            sentence(ui, said.as_ref(), stage, found);
            if let Some(check) = check(stage, found) {
                remark(ui, &check);
            }
            strongest(ui, shown, stage, found);
        });
}

/// The sentence; paler while it is that of a moment before.
fn sentence(ui: &mut Ui, said: Option<&(Key, Said)>, stage: &Stage<'_>, found: &Found) {
    let problem = &stage.training.problem;
    let Some((key, said)) = said else {
        ui.label(RichText::new(stage.t("explain.checking")).size(16.0).weak());
        return;
    };
    let text = words::sentence(stage.texts, problem, said);
    let is_of_it = key.watched == found.key.watched;
    let text = RichText::new(text).size(17.0).strong();
    let color = match is_of_it {
        true => stage.palette.text,
        false => stage.palette.faint,
    };
    ui.add(Label::new(text.color(color32(color))).wrap());
}

/// The sample, and a map for each method; none where it is no picture.
fn maps(stage: &Stage<'_>, found: &Found, said: Option<&(Key, Said)>) -> Vec<Map> {
    let Some(picture) = found.picture else {
        return Vec::new();
    };
    let epoch = stage.texts.with("explain.epoch", &[("n", &found.epoch)]);
    let sample = Map::photo(picture, &found.x, found.range);
    // What the sentence names, where it is about this sample.
    let said = said.filter(|(key, _)| key.watched == found.key.watched);
    let without = said.and_then(|(_, said)| said.without.as_ref());
    let parts = without.map_or(&[][..], |without| &without.parts);
    let values = |part: &Part| part.replaced.iter().map(|&(i, _)| i).collect();
    let parts: Vec<Vec<usize>> = parts.iter().map(values).collect();
    let sample = sample.framing(picture, &parts);
    let sample = sample.saying(stage.t("explain.sample"), epoch);
    let attribution = |e: &Explanation| {
        let map = match &e.cam {
            Some(_) => Map::amount(picture, &e.values),
            None => Map::signed(picture, &e.values),
        };
        map.saying(bars::title(stage, e.method), "")
    };
    let maps = found.methods.iter().map(attribution);
    [sample].into_iter().chain(maps).collect()
}

/// What is explained, and whether integrated gradients add up as they have to.
fn check(stage: &Stage<'_>, found: &Found) -> Option<String> {
    let problem = &stage.training.problem;
    let name = name(problem, found.target);
    let integrated = found.methods.iter().find_map(|e| e.completeness.as_ref())?;
    let [readout, sum, difference] = [
        integrated.at_sample,
        integrated.sum(),
        integrated.difference(),
    ]
    .map(|v| number(v, 5));
    let gap = format!("{:.0e}", integrated.gap());
    let values: [(&str, &dyn Display); 5] = [
        ("name", &name),
        ("value", &readout),
        ("sum", &sum),
        ("difference", &difference),
        ("gap", &gap),
    ];
    let key = match problem.encoding {
        Encoding::Values => "explain.check_output",
        _ => "explain.check",
    };
    Some(stage.texts.with(key, &values))
}

/// The strongest ways, each with what comes by it.
fn strongest(ui: &mut Ui, shown: usize, stage: &Stage<'_>, found: &Found) {
    let problem = &stage.training.problem;
    let all = &found.contributions;
    if all.paths.is_empty() {
        return;
    }
    let from_sample: f64 = all.inputs.iter().sum();
    let many = match all.ways {
        many if many < 1e6 => count(many as u64),
        many => number(many, 2),
    };
    let [readout, sample, offsets] = [
        number(all.readout, 4),
        signed(from_sample, 4),
        signed(all.offsets, 4),
    ];
    let values: [(&str, &dyn Display); 4] = [
        ("value", &readout),
        ("sample", &sample),
        ("ways", &many),
        ("offsets", &offsets),
    ];
    ui.add_space(4.0);
    remark(ui, &stage.texts.with("explain.ways_sum", &values));
    for path in all.paths.iter().take(shown) {
        let color = stage.palette.diverging.at(path.value.signum() as f32);
        let value = RichText::new(signed(path.value, 3)).strong();
        let value = value.color(color32(color));
        ui.horizontal(|ui| {
            ui.label(value);
            let way = RichText::new(way(stage.texts, problem, path)).size(13.0);
            ui.add(Label::new(way).truncate());
        });
    }
}

/// `pixel (3, 4) → 12 → 5 → 7`
fn way(texts: &Texts, problem: &Problem, path: &Path) -> String {
    let network = &problem.network;
    let last = network.layers().len();
    // A single output stands for two classes.
    let names_outputs = !matches!(problem.encoding, Encoding::Binary { .. });
    let unit = |&(column, unit): &(usize, usize)| match column.checked_sub(1) {
        None => {
            let feature = problem.feature_of(unit);
            let names = &problem.data.feature_names;
            names.get(feature).cloned().unwrap_or_default()
        }
        Some(layer) if layer + 1 == last && names_outputs => name(problem, unit),
        Some(layer) => {
            let shape = network.layers()[layer].output_shape();
            place(texts, shape, unit)
        }
    };
    let units: Vec<String> = path.units.iter().map(unit).collect();
    units.join(" → ")
}
