//! The network editor: hidden layers of every kind, loss, initial weights.

use super::format::{count, kind_name, shape};
use super::icons::Icon;
use super::layer_kinds::{Kind, activation_applies, output_shapes};
use super::stage::Stage;
use super::widgets::{choose, control_id, remark, row, small_icon};
use crate::experiment::{Experiment, Extent, LayerConfig, LossConfig};
use crate::nn::{Activation, Init, Shape};
use bevy_egui::egui::{self, Align, DragValue, Layout, RichText, Sense, Ui, vec2};

/// The most units that the editor gives a layer; a file can have more.
const MOST_UNITS: usize = 4096;
/// The same for filters, and for the sides of windows.
const MOST_FILTERS: usize = 512;
const MOST_SIDE: usize = 64;

/// What the menu of a layer asks for.
enum Change {
    Insert(Kind),
    Up,
    Down,
    Remove,
}

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>, experiment: &mut Experiment) {
    let texts = stage.texts;
    let problem = &stage.training.problem;
    let shapes = output_shapes(experiment, problem.network.input_shape());
    let network = &mut experiment.network;
    let layers = &mut network.layers;
    let mut change = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.label(RichText::new(stage.t("network.layers")).size(13.5).weak());
        let some = !layers.is_empty();
        let tip = stage.t("network.remove");
        if small_icon(ui, "network/remove_layer", Icon::Minus, tip, some).clicked() {
            change = Some((layers.len() - 1, Change::Remove));
        }
        ui.label(layers.len().to_string());
        let tip = stage.t("network.add");
        let add = small_icon(ui, "network/add_layer", Icon::Plus, tip, true);
        egui::Popup::menu(&add).show(|ui| {
            if let Some(kind) = kinds(ui, stage) {
                change = Some((layers.len(), Change::Insert(kind)));
            }
        });
    });
    let input = shape(problem.network.input_shape());
    end_of_network(ui, stage.t("network.input"), &input, "");
    let layer_count = layers.len();
    for (k, layer) in layers.iter_mut().enumerate() {
        let out = shapes.get(k).copied().flatten();
        let asked = layer_row(ui, stage, k, layer_count, layer, out);
        change = asked.map(|c| (k, c)).or(change);
    }
    if let Some((k, change)) = change {
        apply(layers, k, change);
    }
    let outputs = problem.network.outputs().to_string();
    let last = problem.network.layers().last().map(|l| l.activation());
    let last = last.map_or_else(String::new, |a| activation(stage, a));
    end_of_network(ui, stage.t("network.output"), &outputs, &last);
    let parameters = count(problem.network.layout().len() as u64);
    remark(ui, &texts.with("network.parameters", &[("n", &parameters)]));
    loss_and_start(ui, stage, experiment);
}

fn loss_and_start(ui: &mut Ui, stage: &Stage<'_>, experiment: &mut Experiment) {
    let texts = stage.texts;
    let network = &mut experiment.network;
    row(ui, stage.t("network.loss"), |ui| {
        let before = network.loss;
        let classes = stage.training.problem.data.task.is_classification();
        let offered: &[LossConfig] = if classes {
            &LossConfig::ALL
        } else {
            &[LossConfig::HalfSquaredError, LossConfig::MeanSquaredError]
        };
        choose(ui, "network/loss", &mut network.loss, offered, |l| {
            texts.get(&format!("loss.{}", l.name())).to_owned()
        });
        if network.loss != before {
            network.output = None;
        }
    });
    if network.loss != LossConfig::CrossEntropy {
        row(ui, stage.t("network.output_activation"), |ui| {
            let mut options = vec![None];
            options.extend(Activation::ALL.map(Some));
            choose(ui, "network/output", &mut network.output, &options, |a| {
                a.map_or_else(
                    || texts.get("network.automatic").to_owned(),
                    |a| activation(stage, a),
                )
            });
        });
    }
    row(ui, stage.t("network.init"), |ui| {
        let before = network.init;
        choose(ui, "network/init", &mut network.init, &Init::ALL, |i| {
            texts.get(&format!("init.{}", i.name())).to_owned()
        });
        if network.init != before {
            network.init_scale = None;
        }
    });
}

fn apply(layers: &mut Vec<LayerConfig>, k: usize, change: Change) {
    match change {
        Change::Insert(kind) => {
            let like = layers[..k.min(layers.len())]
                .iter()
                .rev()
                .find(|l| kind.is_of(l));
            let layer = kind.layer(like);
            layers.insert(k.min(layers.len()), layer);
        }
        Change::Up if k > 0 => layers.swap(k, k - 1),
        Change::Down if k + 1 < layers.len() => layers.swap(k, k + 1),
        Change::Remove if k < layers.len() => {
            layers.remove(k);
        }
        Change::Up | Change::Down | Change::Remove => {}
    }
}

/// A line for each kind of layer; the one that was clicked.
fn kinds(ui: &mut Ui, stage: &Stage<'_>) -> Option<Kind> {
    let mut chosen = None;
    for kind in Kind::ALL {
        let name = kind_name(stage.texts, kind.name());
        if ui.button(name).clicked() {
            chosen = Some(kind);
            ui.close();
        }
    }
    chosen
}

fn layer_row(
    ui: &mut Ui,
    stage: &Stage<'_>,
    k: usize,
    count: usize,
    layer: &mut LayerConfig,
    out: Option<Shape>,
) -> Option<Change> {
    let mut change = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.spacing_mut().button_padding.y = 2.0;
        change = layer_menu(ui, stage, k, count);
        if layer.dense.is_some() {
            dense(ui, stage, k, layer);
        } else {
            others(ui, stage, layer);
        }
        if activation_applies(layer) {
            activations(ui, stage, k, layer);
        } else {
            output(ui, out);
        }
    });
    if layer.dense.is_none() && activation_applies(layer) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            ui.spacing_mut().button_padding = vec2(3.0, 1.0);
            ui.spacing_mut().interact_size.x = 22.0;
            layer_name(ui, "");
            steps(ui, stage, layer);
            output(ui, out);
        });
    }
    change
}

/// What comes out of a layer.
fn output(ui: &mut Ui, out: Option<Shape>) {
    if let Some(out) = out {
        let text = format!("→ {}", shape(out));
        ui.add(egui::Label::new(RichText::new(text).small().weak()).truncate());
    }
}

fn dense(ui: &mut Ui, stage: &Stage<'_>, k: usize, layer: &mut LayerConfig) {
    let Some(units) = &mut layer.dense else {
        return;
    };
    let tip = stage.t("network.fewer");
    let name = format!("layer/{k}/fewer");
    if small_icon(ui, &name, Icon::Minus, tip, *units > 1).clicked() {
        *units -= 1;
    }
    ui.spacing_mut().button_padding.x = 4.0;
    let drag = DragValue::new(units).range(1..=MOST_UNITS).speed(0.15);
    ui.add_sized(vec2(38.0, 24.0), drag);
    let tip = stage.t("network.more");
    let name = format!("layer/{k}/more");
    if small_icon(ui, &name, Icon::Plus, tip, *units < MOST_UNITS).clicked() {
        *units += 1;
    }
}

/// The kind's name and the number that makes it.
fn others(ui: &mut Ui, stage: &Stage<'_>, layer: &mut LayerConfig) {
    let name = Kind::of(layer).map_or("add", Kind::name);
    let name = kind_name(stage.texts, name);
    ui.add(egui::Label::new(RichText::new(name).size(13.5)).extend());
    ui.spacing_mut().button_padding.x = 4.0;
    if let Some(filters) = &mut layer.conv {
        let drag = DragValue::new(filters).range(1..=MOST_FILTERS).speed(0.1);
        ui.add_sized(vec2(30.0, 24.0), drag)
            .on_hover_text(stage.t("network.filters"));
    }
    for window in [&mut layer.kernel, &mut layer.max_pool, &mut layer.avg_pool] {
        match window {
            Some(Extent::Both(side)) => {
                let drag = DragValue::new(side)
                    .range(1..=MOST_SIDE)
                    .speed(0.05)
                    .custom_formatter(|v, _| format!("{v}×{v}"));
                let tip = stage.t("network.window");
                ui.add_sized(vec2(38.0, 24.0), drag).on_hover_text(tip);
            }
            Some(Extent::Each([a, b])) => {
                ui.label(format!("{a}×{b}"));
            }
            None => {}
        }
    }
    if let Some(rate) = &mut layer.dropout {
        ui.add(
            DragValue::new(rate)
                .range(0.0..=0.95)
                .speed(0.005)
                .max_decimals(2),
        );
    }
    if let Some(names) = &layer.add {
        let names = match names {
            crate::experiment::Names::One(name) => name.clone(),
            crate::experiment::Names::Many(names) => names.join(" + "),
        };
        ui.label(format!("+ {names}"));
    }
}

/// How the windows of a convolution move; of a pool by their own size.
fn steps(ui: &mut Ui, stage: &Stage<'_>, layer: &mut LayerConfig) {
    if layer.conv.is_none() {
        return;
    }
    for (value, least, [key, tip]) in [
        (
            &mut layer.padding,
            0,
            ["network.padding", "network.padding_tip"],
        ),
        (
            &mut layer.stride,
            1,
            ["network.stride", "network.stride_tip"],
        ),
    ] {
        let Extent::Both(mut side) = value.unwrap_or(Extent::Both(least)) else {
            continue;
        };
        let (label, tip) = (stage.t(key), stage.t(tip));
        ui.add(egui::Label::new(RichText::new(label).small().weak()).extend());
        let drag = DragValue::new(&mut side)
            .range(least..=MOST_SIDE)
            .speed(0.05);
        if ui
            .add_sized(vec2(22.0, 20.0), drag)
            .on_hover_text(tip)
            .changed()
        {
            *value = (side != least).then_some(Extent::Both(side));
        }
    }
}

fn activations(ui: &mut Ui, stage: &Stage<'_>, k: usize, layer: &mut LayerConfig) {
    let hidden: Vec<Activation> = Activation::ALL
        .into_iter()
        .filter(|a| *a != Activation::Softmax)
        .collect();
    let mut now = layer.activation();
    let name = format!("layer/{k}/activation");
    if choose(ui, &name, &mut now, &hidden, |a| activation(stage, a)) {
        layer.activation = Some(now);
    }
}

fn activation(stage: &Stage<'_>, activation: Activation) -> String {
    let key = format!("activation.{}", activation.name());
    stage.texts.get(&key).to_owned()
}

/// The number of a layer, which opens what can be done with it.
fn layer_menu(ui: &mut Ui, stage: &Stage<'_>, k: usize, count: usize) -> Option<Change> {
    let number = k + 1;
    let name = stage.texts.with("network.hidden", &[("n", &number)]);
    let rect = layer_name(ui, &name);
    let response = ui.interact(rect, control_id(&format!("layer/{k}/menu")), Sense::click());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Button, true, &name));
    if response.hovered() || response.has_focus() {
        let line = ui.visuals().widgets.hovered.bg_stroke;
        ui.painter()
            .rect_stroke(rect, 4.0, line, egui::StrokeKind::Outside);
    }
    let response = response.on_hover_text(stage.t("network.layer_menu"));
    let mut change = None;
    egui::Popup::menu(&response).show(|ui| {
        let mut line = |ui: &mut Ui, key: &'static str, enabled: bool, wish: Change| {
            let button = egui::Button::new(stage.texts.get(key));
            if ui.add_enabled(enabled, button).clicked() {
                change = Some(wish);
                ui.close();
            }
        };
        line(ui, "network.remove_this", true, Change::Remove);
        line(ui, "network.up", k > 0, Change::Up);
        line(ui, "network.down", k + 1 < count, Change::Down);
        ui.separator();
        ui.label(RichText::new(stage.t("network.insert")).small().weak());
        if let Some(kind) = kinds(ui, stage) {
            change = Some(Change::Insert(kind));
        }
    });
    change
}

fn layer_name(ui: &mut Ui, name: &str) -> egui::Rect {
    let size = vec2(52.0, 22.0);
    let inner = ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_size(size);
        let text = RichText::new(name).size(13.5).weak();
        ui.add(egui::Label::new(text).truncate());
    });
    inner.response.rect
}

/// Input or output: as many units as the data ask for.
fn end_of_network(ui: &mut Ui, name: &str, units: &str, note: &str) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        layer_name(ui, name);
        ui.add_sized(vec2(94.0, 22.0), egui::Label::new(units));
        ui.add_space(8.0);
        ui.label(RichText::new(note).size(13.5).weak());
    });
}
