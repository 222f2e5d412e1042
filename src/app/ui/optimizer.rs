//! The optimiser: which one, its update rule and its constants.

use super::constants::{Constant, Limits, edit, real, whole};
use super::stage::Stage;
use super::widgets::{control_id, row};
use crate::experiment::{
    Batch, Experiment, LossConfig, OptimizerConfig, OptimizerName as Name, ScheduleConfig,
    TrainingConfig,
};
use crate::optim::{Method, OptimizerKind, SolverKind};
use bevy_egui::egui::{self, Frame, Margin, RichText, Ui};

/// The name of an optimiser in the language in use.
pub(super) fn title(stage: &Stage<'_>, name: Name) -> String {
    let name = OptimizerConfig::new(name, 1.0).kind().name();
    stage.texts.get(&format!("optimizer.{name}")).to_owned()
}

/// The menu, the rule beneath it, and the constants.
pub(super) fn show(ui: &mut Ui, stage: &Stage<'_>, experiment: &mut Experiment) {
    let loss = experiment.network.loss;
    let training = &mut experiment.training;
    row(ui, stage.t("training_panel.optimizer"), |ui| {
        menu(ui, stage, training, loss);
    });
    rule(ui, stage, training.optimizer.kind());
    edit(ui, stage, constants(&mut training.optimizer));
}

fn menu(ui: &mut Ui, stage: &Stage<'_>, training: &mut TrainingConfig, loss: LossConfig) {
    let now = training.optimizer.name;
    egui::ComboBox::from_id_salt(control_id("training/optimizer"))
        .width(ui.available_width())
        .height(620.0)
        .truncate()
        .selected_text(RichText::new(title(stage, now)).size(13.5))
        .show_ui(ui, |ui| {
            let mut last = None;
            for name in Name::ALL {
                let group = group(OptimizerConfig::new(name, 1.0).kind());
                if last != Some(group) {
                    ui.label(RichText::new(stage.texts.get(group)).small().weak());
                    last = Some(group);
                }
                let item = egui::Button::selectable(name == now, title(stage, name));
                let response = ui
                    .add_enabled(suits(name, loss), item)
                    .on_disabled_hover_text(stage.t("training_panel.squares_only"));
                if response.clicked() && name != now {
                    choose(training, name);
                }
            }
        });
}

fn group(method: Method) -> &'static str {
    match method {
        Method::FirstOrder(_) => "training_panel.first_order",
        Method::FullBatch(_) => "training_panel.full_batch",
    }
}

/// Another optimiser; what does not go together with it is reset.
pub(super) fn choose(training: &mut TrainingConfig, name: Name) {
    // Constants of one optimiser mean nothing to another.
    let rate = match training.optimizer.learning_rate {
        0.0 => OptimizerConfig::default().learning_rate,
        rate => rate,
    };
    training.optimizer = OptimizerConfig::new(name, rate);
    let method = training.optimizer.kind();
    if !method.heeds_rate() {
        training.schedule = ScheduleConfig::default();
    }
    if let Method::FullBatch(kind) = method {
        training.batch = Batch::Full;
        (training.clip_norm, training.clip_value) = (None, None);
        if let SolverKind::LevenbergMarquardt { .. } = kind {
            training.l1 = 0.0;
        }
    }
}

/// Whether an optimiser can minimise this loss.
pub(super) fn suits(name: Name, loss: LossConfig) -> bool {
    name != Name::LevenbergMarquardt || loss != LossConfig::CrossEntropy
}

fn rule(ui: &mut Ui, stage: &Stage<'_>, method: Method) {
    let text = stage
        .texts
        .get(&format!("update_rule.{}", method.name()))
        .to_owned();
    Frame::new()
        .fill(ui.visuals().extreme_bg_color)
        .corner_radius(5)
        .inner_margin(Margin::symmetric(8, 5))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            let text = RichText::new(statements(&text)).size(12.5);
            ui.add(egui::Label::new(text).wrap())
                .on_hover_text(stage.t("training_panel.rule_tip"));
        });
}

/// A rule with a line for each of its statements: commas within brackets do not
/// part them.
fn statements(rule: &str) -> String {
    let (mut lines, mut depth) = (String::new(), 0_usize);
    let mut characters = rule.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '(' | '（' => depth += 1,
            ')' | '）' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let parts = depth == 0 && matches!(c, ',' | ';' | '，' | '；');
        if !parts {
            lines.push(c);
            continue;
        }
        lines.push('\n');
        while characters.next_if_eq(&' ').is_some() {}
    }
    lines
}

/// The constants that the optimiser has, at their defaults unless set. Weight
/// decay is with the penalties.
fn constants(o: &mut OptimizerConfig) -> Vec<Constant<'_>> {
    use Limits::{AboveOne, BelowOne, FromOne, Inside, Positive, Share, Small};
    match o.kind() {
        Method::FirstOrder(kind) => match kind {
            OptimizerKind::Sgd => Vec::new(),
            OptimizerKind::Momentum { momentum } | OptimizerKind::Nesterov { momentum } => {
                vec![real(
                    "training_panel.momentum",
                    momentum,
                    &mut o.momentum,
                    BelowOne,
                )]
            }
            OptimizerKind::Qhm { momentum, nu } => vec![
                real(
                    "training_panel.momentum",
                    momentum,
                    &mut o.momentum,
                    BelowOne,
                ),
                real("training_panel.nu", nu, &mut o.nu, Share),
            ],
            OptimizerKind::AdaGrad { epsilon } => {
                vec![real(
                    "training_panel.epsilon",
                    epsilon,
                    &mut o.epsilon,
                    Small,
                )]
            }
            OptimizerKind::RmsProp { rho, epsilon } | OptimizerKind::AdaDelta { rho, epsilon } => {
                vec![
                    real("training_panel.rho", rho, &mut o.rho, BelowOne),
                    real("training_panel.epsilon", epsilon, &mut o.epsilon, Small),
                ]
            }
            OptimizerKind::Adam {
                beta1,
                beta2,
                epsilon,
            }
            | OptimizerKind::AdamW {
                beta1,
                beta2,
                epsilon,
                ..
            }
            | OptimizerKind::Adamax {
                beta1,
                beta2,
                epsilon,
            } => vec![
                real("training_panel.beta1", beta1, &mut o.beta1, BelowOne),
                real("training_panel.beta2", beta2, &mut o.beta2, BelowOne),
                real("training_panel.epsilon", epsilon, &mut o.epsilon, Small),
            ],
            OptimizerKind::NAdam {
                beta1,
                beta2,
                epsilon,
                momentum_decay,
            } => vec![
                real("training_panel.beta1", beta1, &mut o.beta1, BelowOne),
                real("training_panel.beta2", beta2, &mut o.beta2, BelowOne),
                real("training_panel.epsilon", epsilon, &mut o.epsilon, Small),
                real(
                    "training_panel.momentum_decay",
                    momentum_decay,
                    &mut o.momentum_decay,
                    Small,
                ),
            ],
            OptimizerKind::Lion { beta1, beta2, .. } => vec![
                real("training_panel.beta1", beta1, &mut o.beta1, BelowOne),
                real("training_panel.beta2", beta2, &mut o.beta2, BelowOne),
            ],
            OptimizerKind::Rprop {
                eta_minus,
                eta_plus,
                step_min,
                step_max,
            } => vec![
                real(
                    "training_panel.eta_minus",
                    eta_minus,
                    &mut o.eta_minus,
                    Inside,
                ),
                real(
                    "training_panel.eta_plus",
                    eta_plus,
                    &mut o.eta_plus,
                    AboveOne,
                ),
                real("training_panel.step_min", step_min, &mut o.step_min, Small),
                real(
                    "training_panel.step_max",
                    step_max,
                    &mut o.step_max,
                    Positive,
                ),
            ],
        },
        Method::FullBatch(kind) => match kind {
            SolverKind::Gdx {
                momentum,
                lr_inc,
                lr_dec,
                max_perf_inc,
            } => vec![
                real(
                    "training_panel.momentum",
                    momentum,
                    &mut o.momentum,
                    BelowOne,
                ),
                real("training_panel.lr_inc", lr_inc, &mut o.lr_inc, FromOne),
                real("training_panel.lr_dec", lr_dec, &mut o.lr_dec, Inside),
                real(
                    "training_panel.max_perf_inc",
                    max_perf_inc,
                    &mut o.max_perf_inc,
                    FromOne,
                ),
            ],
            SolverKind::FletcherReeves | SolverKind::PolakRibiere => Vec::new(),
            SolverKind::Lbfgs { history } => {
                vec![whole(
                    "training_panel.history",
                    history,
                    &mut o.history,
                    [1, 100],
                )]
            }
            SolverKind::LevenbergMarquardt {
                mu,
                mu_dec,
                mu_inc,
                mu_max,
            } => vec![
                real("training_panel.mu", mu, &mut o.mu, Positive),
                real("training_panel.mu_dec", mu_dec, &mut o.mu_dec, Inside),
                real("training_panel.mu_inc", mu_inc, &mut o.mu_inc, AboveOne),
                real("training_panel.mu_max", mu_max, &mut o.mu_max, Positive),
            ],
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::constants::Slot;
    use super::*;
    use crate::app::{Language, Texts};

    /// A rule of the interface as the core writes it.
    fn plain(text: &str) -> String {
        let signs = [
            ("η+", "eta+"),
            ("η−", "eta-"),
            ("μ+", "mu+"),
            ("←", "<-"),
            ("−", "-"),
            ("√ ", "sqrt "),
            ("√(", "sqrt("),
            ("²", "^2"),
            ("η", "lr"),
            ("β", "b"),
            ("ε", "eps"),
            ("ρ", "rho"),
            ("ν", "nu"),
            ("ψ", "psi"),
            ("μ", "mu"),
        ];
        signs.iter().fold(text.to_owned(), |text, (sign, word)| {
            text.replace(sign, word)
        })
    }

    #[test]
    fn the_rules_shown_are_those_of_the_optimisers() {
        let texts = Texts::new(Language::English);
        for name in Name::ALL {
            let method = OptimizerConfig::new(name, 0.1).kind();
            let shown = texts
                .get(&format!("update_rule.{}", method.name()))
                .to_owned();
            assert_eq!(plain(&shown), method.update_rule(), "{}", method.name());
        }
    }

    #[test]
    fn each_statement_of_a_rule_has_a_line() {
        assert_eq!(
            statements("v ← m v + g, w ← w − η v (a, b); c"),
            "v ← m v + g\nw ← w − η v (a, b)\nc"
        );
        assert_eq!(
            statements("d ← max(0, g)，同 Adam"),
            "d ← max(0, g)\n同 Adam"
        );
    }

    #[test]
    fn every_optimiser_that_is_chosen_makes_a_valid_experiment() {
        let text = "[data]\nsource = \"sine\"\n[network]\nloss = \"half-squared-error\"\n\
                    [training]\nl1 = 0.1\nclip_norm = 1.0\nschedule = { name = \"cosine\" }\n";
        let experiment = crate::experiment::Experiment::parse(text, "test").unwrap();
        for name in Name::ALL {
            let mut experiment = experiment.clone();
            choose(&mut experiment.training, name);
            experiment.validate().unwrap();
            // And each constant written at the value it shows.
            for constant in constants(&mut experiment.training.optimizer) {
                let range = constant.limits.range();
                assert!(range.contains(&constant.value), "{name:?} {}", constant.key);
                match constant.slot {
                    Slot::Real(slot) => *slot = Some(constant.value),
                    Slot::Whole(slot) => {
                        *slot = Some(constant.value as usize);
                    }
                }
            }
            experiment.validate().unwrap();
        }
    }
}
