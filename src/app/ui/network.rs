//! The network editor: hidden layers, loss, initial weights.

use super::icons::Icon;
use super::stage::Stage;
use super::widgets::{choose, row, small_icon};
use crate::experiment::{Experiment, LayerConfig, LossConfig};
use crate::nn::{Activation, Init};
use bevy_egui::egui::{self, Align, Layout, Ui, vec2};

/// Layers that a new one is modelled on when there is none.
const FIRST: LayerConfig = LayerConfig {
    dense: 8,
    activation: Activation::Tanh,
};
/// The most units that the editor gives a layer; a file can have more.
const MOST_UNITS: usize = 4096;

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>, experiment: &mut Experiment) {
    let texts = stage.texts;
    let network = &mut experiment.network;
    let hidden: Vec<Activation> = Activation::ALL
        .into_iter()
        .filter(|a| *a != Activation::Softmax)
        .collect();
    let problem = &stage.training.problem;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.label(
            egui::RichText::new(stage.t("network.layers"))
                .size(13.5)
                .weak(),
        );
        let some = !network.layers.is_empty();
        let tip = stage.t("network.remove");
        if small_icon(ui, "network/remove_layer", Icon::Minus, tip, some).clicked() {
            network.layers.pop();
        }
        ui.label(network.layers.len().to_string());
        let tip = stage.t("network.add");
        if small_icon(ui, "network/add_layer", Icon::Plus, tip, true).clicked() {
            network
                .layers
                .push(network.layers.last().copied().unwrap_or(FIRST));
        }
        let parameters = super::format::count(problem.network.layout().len() as u64);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let text = texts.with("network.parameters", &[("n", &parameters)]);
            let text = egui::RichText::new(text).small().weak();
            ui.add(egui::Label::new(text).extend());
        });
    });
    end_of_network(ui, stage.t("network.input"), problem.network.inputs(), "");
    for (k, layer) in network.layers.iter_mut().enumerate() {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            ui.spacing_mut().button_padding.y = 2.0;
            let number = k + 1;
            layer_name(ui, &texts.with("network.hidden", &[("n", &number)]));
            let tip = stage.t("network.fewer");
            let name = format!("layer/{k}/fewer");
            if small_icon(ui, &name, Icon::Minus, tip, layer.dense > 1).clicked() {
                layer.dense -= 1;
            }
            ui.spacing_mut().button_padding.x = 4.0;
            let units = egui::DragValue::new(&mut layer.dense)
                .range(1..=MOST_UNITS)
                .speed(0.15);
            ui.add_sized(vec2(38.0, 24.0), units);
            let tip = stage.t("network.more");
            let name = format!("layer/{k}/more");
            if small_icon(ui, &name, Icon::Plus, tip, layer.dense < MOST_UNITS).clicked() {
                layer.dense += 1;
            }
            let name = format!("layer/{k}/activation");
            choose(ui, &name, &mut layer.activation, &hidden, |a| {
                activation(stage, a)
            });
        });
    }
    let outputs = problem.network.outputs();
    let last = problem.network.layers().last().map(|l| l.activation());
    let last = last.map_or_else(String::new, |a| activation(stage, a));
    end_of_network(ui, stage.t("network.output"), outputs, &last);
    row(ui, stage.t("network.loss"), |ui| {
        let before = network.loss;
        let classes = problem.data.task.is_classification();
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

fn activation(stage: &Stage<'_>, activation: Activation) -> String {
    let key = format!("activation.{}", activation.name());
    stage.texts.get(&key).to_owned()
}

fn layer_name(ui: &mut Ui, name: &str) {
    let size = vec2(52.0, 22.0);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_size(size);
        let text = egui::RichText::new(name).size(13.5).weak();
        ui.add(egui::Label::new(text).truncate());
    });
}

/// Input or output: as many units as the data ask for.
fn end_of_network(ui: &mut Ui, name: &str, units: usize, note: &str) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        layer_name(ui, name);
        ui.add_sized(vec2(94.0, 22.0), egui::Label::new(units.to_string()));
        ui.add_space(8.0);
        ui.label(egui::RichText::new(note).size(13.5).weak());
    });
}
