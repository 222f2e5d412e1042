//! The panel on the left: the experiment as data, network, training and file.

use super::panels::Panels;
use super::stage::Stage;
use super::widgets::{choose, complaint, remark, row, section, slide};
use super::{files, learning, network, picture, top};
use crate::data::{self, DataConfig, InputFeature, Scale, SourceKind, TaskKind};
use crate::experiment::{Experiment, LossConfig, samples};
use bevy_egui::egui::{self, Ui};

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels) {
    let wrong = panels.draft.error();
    let complain = |ui: &mut Ui, stage: &Stage<'_>, table: &str| {
        if let Some(error) = wrong.as_ref().filter(|e| e.key.starts_with(table)) {
            complaint(ui, &stage.palette, &error.to_string());
        }
    };
    section(ui, "section/data", stage.t("experiment.data"), true, |ui| {
        data_section(ui, stage, &mut panels.draft.experiment);
        complain(ui, stage, "data");
    });
    section(
        ui,
        "section/network",
        stage.t("experiment.network"),
        true,
        |ui| {
            network::show(ui, stage, &mut panels.draft.experiment);
            complain(ui, stage, "network");
        },
    );
    section(
        ui,
        "section/training",
        stage.t("experiment.training"),
        true,
        |ui| {
            learning::show(ui, stage, panels);
            complain(ui, stage, "training");
        },
    );
    section(ui, "section/file", stage.t("experiment.file"), true, |ui| {
        files::show(ui, stage, panels);
    });
    section(
        ui,
        "section/picture",
        stage.t("picture.title"),
        false,
        |ui| picture::show(ui, stage, panels),
    );
}

fn data_section(ui: &mut Ui, stage: &mut Stage<'_>, experiment: &mut Experiment) {
    let source = experiment.data.source.clone();
    row(ui, stage.t("data_panel.source"), |ui| {
        egui::ComboBox::from_id_salt("data/source")
            .width(ui.available_width())
            .truncate()
            .selected_text(top::source_name(stage, &source))
            .show_ui(ui, |ui| {
                let mut last = None;
                for info in data::sources() {
                    let group = source_group(info.kind, info.task);
                    if last != Some(group) {
                        ui.label(egui::RichText::new(stage.texts.get(group)).small().weak());
                        last = Some(group);
                    }
                    let name = stage.texts.get(&format!("source.{}", info.name)).to_owned();
                    let chosen = info.name == source;
                    let response = ui.selectable_label(chosen, name);
                    let tip = stage.texts.get(info.description);
                    if response.on_hover_text(tip).clicked() && !chosen {
                        change_source(experiment, info.name);
                    }
                }
            });
    });
    let info = data::source_info(&experiment.data.source);
    if let Some(info) = info {
        remark(ui, stage.texts.get(info.description));
    }
    let config = &mut experiment.data;
    if let Some(info) = info.filter(|i| i.kind == SourceKind::Generated) {
        row(ui, stage.t("data_panel.samples"), |ui| {
            let mut n = config.samples.unwrap_or(info.samples);
            let slider = egui::Slider::new(&mut n, 20..=5000).logarithmic(true);
            let slider = slider.clamping(egui::SliderClamping::Never);
            if slide(ui, slider).changed() {
                config.samples = Some(n);
            }
        });
        row(ui, stage.t("data_panel.noise"), |ui| {
            let mut noise = config.noise.unwrap_or(0.0);
            let slider = egui::Slider::new(&mut noise, 0.0..=0.5).fixed_decimals(2);
            if slide(ui, slider).changed() {
                config.noise = Some((noise * 100.0).round() / 100.0);
            }
        });
        features(ui, stage, config, info.inputs);
    } else {
        let inputs = stage.training.problem.network.inputs();
        row(ui, stage.t("data_panel.inputs"), |ui| {
            ui.label(inputs.to_string())
        });
        limit(ui, stage, config, info.map(|i| i.samples));
    }
    row(ui, stage.t("data_panel.validation"), |ui| {
        let n = &stage.training.problem;
        let all = (n.train.len() + n.validation.len()).max(1);
        let now = n.validation.len() as f64 / all as f64;
        let mut share = config.validation.unwrap_or((now * 100.0).round() / 100.0);
        let slider = egui::Slider::new(&mut share, 0.0..=0.9)
            .custom_formatter(|v, _| format!("{:.0} %", v * 100.0))
            .custom_parser(|t| Some(t.trim_end_matches('%').trim().parse::<f64>().ok()? / 100.0));
        if slide(ui, slider).changed() {
            config.validation = Some((share * 100.0).round() / 100.0);
        }
    });
    row(ui, stage.t("data_panel.scale"), |ui| {
        let texts = stage.texts;
        choose(ui, "data/scale", &mut config.scale, &Scale::ALL, |s| {
            texts.get(&format!("scale.{}", s.name())).to_owned()
        });
    });
    let problem = &stage.training.problem;
    let (train, held) = (problem.train.len(), problem.validation.len());
    remark(
        ui,
        &stage.texts.with(
            "data_panel.parts",
            &[("train", &train), ("validation", &held)],
        ),
    );
}

fn source_group(kind: SourceKind, task: TaskKind) -> &'static str {
    match (kind, task) {
        (SourceKind::Generated, TaskKind::Classification) => "data_panel.generated_classes",
        (SourceKind::Generated, TaskKind::Regression) => "data_panel.generated_values",
        _ => "data_panel.real",
    }
}

/// Another source from the menu. A network of the user's own stays; one that came
/// with its data, and was not changed, gives way to what suits the new data, step
/// size and all.
fn change_source(experiment: &mut Experiment, source: &str) {
    let is_as_it_came = samples::fitting(&experiment.data.source)
        .is_some_and(|sample| sample.network == experiment.network);
    let fitting = samples::fitting(source).filter(|_| is_as_it_came);
    set_source(experiment, source);
    if let Some(sample) = fitting {
        if sample.data.source == source {
            experiment.data = sample.data;
            experiment.name = sample.name;
        }
        experiment.network = sample.network;
        experiment.training = sample.training;
    }
}

/// Another source, with the parts of the experiment that depend on it.
pub(super) fn set_source(experiment: &mut Experiment, source: &str) {
    let old = experiment.data.clone();
    experiment.name = None;
    experiment.data = DataConfig {
        validation: old.validation,
        ..DataConfig::of(source)
    };
    let Some(info) = data::source_info(source) else {
        return;
    };
    // What means the same for the new source is kept.
    let generated =
        |name: &str| data::source_info(name).is_some_and(|i| i.kind == SourceKind::Generated);
    if generated(source) && generated(&old.source) {
        experiment.data.noise = old.noise;
        let inputs = data::source_info(&old.source).map(|i| i.inputs);
        if inputs == Some(info.inputs) {
            experiment.data.features = old.features;
        }
    }
    if info.samples < 200 || info.kind == SourceKind::Asset {
        // Playground's half would starve a small set, and a large one has its own part.
        experiment.data.validation = None;
    }
    let network = &mut experiment.network;
    let fits_values = info.task == TaskKind::Regression;
    if fits_values && network.loss == LossConfig::CrossEntropy {
        network.loss = LossConfig::HalfSquaredError;
        network.output = None;
    } else if !fits_values && network.loss != LossConfig::CrossEntropy {
        network.loss = LossConfig::CrossEntropy;
        network.output = None;
    } else if !fits_values && info.inputs > 2 {
        network.output = None;
    }
}

fn features(ui: &mut Ui, stage: &Stage<'_>, config: &mut DataConfig, inputs: usize) {
    let line = inputs == 1;
    let all: &[InputFeature] = if line {
        &InputFeature::LINE
    } else {
        &InputFeature::PLANE
    };
    let name = |f: InputFeature| {
        if line {
            f.line_name().unwrap_or("x")
        } else {
            f.name()
        }
    };
    let parse = |text: &String| {
        if line {
            InputFeature::parse_line(text)
        } else {
            InputFeature::parse(text)
        }
    };
    let default = if line {
        vec![InputFeature::X1]
    } else {
        vec![InputFeature::X1, InputFeature::X2]
    };
    let chosen: Vec<InputFeature> = match &config.features {
        None => default.clone(),
        Some(list) => list.iter().filter_map(parse).collect(),
    };
    row(ui, stage.t("data_panel.features"), |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = egui::vec2(4.0, 4.0);
            ui.spacing_mut().button_padding = egui::vec2(6.0, 2.0);
            for &feature in all {
                let on = chosen.contains(&feature);
                let last = on && chosen.len() == 1;
                let response =
                    ui.add_enabled(!last, egui::Button::selectable(on, pretty(name(feature))));
                if response.clicked() {
                    let list: Vec<InputFeature> = all
                        .iter()
                        .copied()
                        .filter(|f| chosen.contains(f) != (*f == feature))
                        .collect();
                    let names = list.iter().map(|&f| name(f).to_owned()).collect();
                    config.features = (list != default).then_some(names);
                }
            }
        });
    });
}

/// `x1^2` as a formula is written.
fn pretty(name: &str) -> String {
    name.replace("^2", "²").replace('*', "·")
}

fn limit(ui: &mut Ui, stage: &Stage<'_>, config: &mut DataConfig, all: Option<usize>) {
    row(ui, stage.t("data_panel.limit"), |ui| {
        let mut limited = config.limit.is_some();
        if ui.checkbox(&mut limited, "").changed() {
            config.limit = limited.then(|| all.unwrap_or(1000).min(1000));
        }
        if let Some(limit) = &mut config.limit {
            let most = all.unwrap_or(1_000_000);
            ui.add(egui::DragValue::new(limit).speed(10).range(2..=most));
        } else {
            ui.weak(stage.t("data_panel.no_limit"));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spiral() -> Experiment {
        let text = "[data]\nsource = \"spiral\"\nnoise = 0.2\nfeatures = [\"x1\", \"x1*x2\"]\nvalidation = 0.5\n[network]\nloss = \"cross-entropy\"\n";
        Experiment::parse(text, "test").unwrap()
    }

    #[test]
    fn every_source_can_be_chosen_after_every_other() {
        for first in data::sources() {
            for second in data::sources() {
                let mut experiment = spiral();
                set_source(&mut experiment, first.name);
                set_source(&mut experiment, second.name);
                experiment.validate().unwrap_or_else(|e| {
                    panic!("{} after {}: {e}", second.name, first.name);
                });
                let values = second.task == TaskKind::Regression;
                assert_eq!(values, experiment.network.loss != LossConfig::CrossEntropy);
            }
        }
    }

    #[test]
    fn a_network_that_came_with_its_data_gives_way_and_an_own_one_stays() {
        let mut experiment = samples::fitting("spiral").unwrap();
        change_source(&mut experiment, "digits");
        let digits = samples::fitting("digits").unwrap();
        assert_eq!(experiment.network, digits.network);
        assert_eq!(experiment.training, digits.training);
        assert_eq!(experiment.data, digits.data);
        experiment.training.optimizer.learning_rate = 0.5;
        change_source(&mut experiment, "circle");
        let plane = samples::fitting("spiral").unwrap();
        assert_eq!(experiment.network, plane.network);
        assert_eq!(experiment.training, plane.training);
        assert_eq!(experiment.data.source, "circle");

        let mut own = spiral();
        let network = own.network.clone();
        change_source(&mut own, "digits");
        assert_eq!(own.network, network);
    }

    #[test]
    fn what_suits_a_source_is_valid_for_it() {
        for info in data::sources() {
            let mut experiment = samples::fitting("spiral").unwrap();
            change_source(&mut experiment, info.name);
            experiment.validate().unwrap();
            let values = info.task == TaskKind::Regression;
            assert_eq!(
                values,
                experiment.network.loss != LossConfig::CrossEntropy,
                "{}",
                info.name
            );
        }
    }

    #[test]
    fn noise_and_features_stay_among_problems_in_the_plane() {
        let mut experiment = spiral();
        set_source(&mut experiment, "circle");
        assert_eq!(experiment.data.noise, Some(0.2));
        assert!(experiment.data.features.is_some());
        set_source(&mut experiment, "sine");
        assert_eq!(experiment.data.features, None);
        set_source(&mut experiment, "iris");
        assert_eq!(
            (experiment.data.noise, experiment.data.validation),
            (None, None)
        );
    }
}
