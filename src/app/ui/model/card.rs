//! What is selected: name, kind, shapes, parameters, weights, and why it is not run.

use super::forward::{self, ForwardForm};
use crate::app::scene::{block_name, operator, shape_text};
use crate::app::theme::color32;
use crate::app::ui::format::{count, number};
use crate::app::ui::stage::Stage;
use crate::app::ui::widgets::{control_id, fact, remark};
use crate::insight::outline::{NodeKind, Outline, Part, Spread};
use bevy_egui::egui::{self, RichText, Ui};
use std::sync::Arc;

/// At most so many tensors and shapes are listed.
const MOST_LISTED: usize = 8;
/// While training runs, weights are looked through again after so many seconds.
const PATIENCE: f64 = 1.0;

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>, ran: &ForwardForm) {
    let Some(outline) = stage.blocks.outline().cloned() else {
        return;
    };
    let Some(part) = stage.blocks.selected().or(stage.blocks.hovered()) else {
        remark(ui, stage.t("model.nothing"));
        return;
    };
    match part {
        Part::Node(node) => of_node(ui, stage, &outline, node),
        Part::Block(block) => of_block(ui, stage, &outline, block),
    }
    weights(ui, stage, &outline, part);
    if let Part::Node(node) = part
        && stage.blocks.foreign().is_some()
        && let Some(node) = ran.node(&outline.nodes()[node].name)
    {
        forward::of_node(ui, stage, node);
    }
    ui.horizontal_wrapped(|ui| buttons(ui, stage, &outline, part));
}

fn of_node(ui: &mut Ui, stage: &Stage<'_>, outline: &Outline, at: usize) {
    let node = &outline.nodes()[at];
    ui.add(egui::Label::new(RichText::new(&node.name).strong()).wrap());
    fact(
        ui,
        stage.t("model.operator"),
        &operator(outline, at, stage.texts),
    );
    if !node.detail.is_empty() {
        fact(ui, stage.t("model.detail"), &node.detail);
    }
    let shape = |text: String| {
        if text.is_empty() {
            "?".to_owned()
        } else {
            text
        }
    };
    let reads = outline.edges().iter().filter(|edge| edge[1] == at);
    let reads: Vec<String> = reads
        .map(|edge| shape(shape_text(outline.nodes()[edge[0]].output.as_deref())))
        .collect();
    if !reads.is_empty() {
        let more = reads.len().saturating_sub(MOST_LISTED);
        let mut text = reads[..reads.len() - more].join(", ");
        if more > 0 {
            text += " …";
        }
        fact(ui, stage.t("model.reads"), &text);
    }
    let gives = shape(shape_text(node.output.as_deref()));
    fact(ui, stage.t("model.gives"), &gives);
    fact(
        ui,
        stage.t("model.parameters"),
        &count(node.parameters as u64),
    );
    for (name, sides) in node.tensors.iter().take(MOST_LISTED) {
        let sides: Vec<_> = sides.iter().map(|&side| Some(side)).collect();
        // Names of tensors may be long.
        let text = format!("{name}: {}", shape_text(Some(&sides)));
        ui.add(egui::Label::new(RichText::new(text).small()).wrap());
    }
    if let Some(why) = node.kind.reason() {
        let key = match node.kind {
            NodeKind::Opaque(_) => "model.opaque_because",
            _ => "model.unknown_because",
        };
        let text = stage.texts.with(key, &[("why", &why)]);
        let text = RichText::new(text).color(color32(stage.palette.warning));
        ui.add(egui::Label::new(text).wrap());
    }
}

fn of_block(ui: &mut Ui, stage: &Stage<'_>, outline: &Outline, block: usize) {
    let part = Part::Block(block);
    let name = block_name(outline, block, stage.texts);
    ui.add(egui::Label::new(RichText::new(name).strong()).wrap());
    let nodes = outline.nodes_of(part);
    fact(ui, stage.t("model.nodes"), &count(nodes.len() as u64));
    let parameters = outline.parameters(part);
    fact(ui, stage.t("model.parameters"), &count(parameters as u64));
    for (key, n) in [
        ("model.opaque", outline.opaque(part)),
        ("model.unknown", outline.unknown(part)),
    ] {
        if n > 0 {
            fact(ui, stage.texts.get(key), &count(n as u64));
        }
    }
    if let (Some(&first), Some(&last)) = (nodes.first(), nodes.last()) {
        for (key, node) in [("model.first", first), ("model.last", last)] {
            fact(ui, stage.texts.get(key), &outline.nodes()[node].name);
        }
    }
}

fn buttons(ui: &mut Ui, stage: &mut Stage<'_>, outline: &Outline, part: Part) {
    let key = match part {
        Part::Block(block) if stage.blocks.is_open(block) => Some("model.close"),
        Part::Block(_) => Some("model.open"),
        Part::Node(column) if stage.blocks.has_neurons(part) => {
            let open = stage.blocks.unfolded().contains(&column);
            Some(if open { "model.fold" } else { "model.unfold" })
        }
        Part::Node(_) => None,
    };
    if let Some(key) = key
        && ui.button(stage.t(key)).clicked()
    {
        stage.blocks.toggle(part);
        stage.blocks.fly_to(part);
    }
    if ui.button(stage.t("model.go")).clicked() {
        stage.blocks.reveal(part);
    }
    if let Some(block) = outline.parent(part)
        && ui.button(stage.t("model.close_around")).clicked()
    {
        stage.blocks.close(block);
        stage.blocks.fly_to(Part::Block(block));
    }
}

/// What the weights of a part come to, as it was when they were looked through last.
#[derive(Clone)]
struct Known {
    of: (Part, u64, u64),
    at: f64,
    spread: Option<Spread>,
}

fn weights(ui: &mut Ui, stage: &Stage<'_>, outline: &Outline, part: Part) {
    if outline.parameters(part) == 0 {
        return;
    }
    let snapshot = &stage.training.snapshot;
    let step = if stage.blocks.foreign().is_some() {
        0
    } else {
        snapshot.step
    };
    let of = (part, stage.blocks.begun(), step);
    let now = ui.input(|i| i.time);
    let id = control_id("model/spread");
    let known = ui.data(|data| data.get_temp::<Arc<Known>>(id));
    let fresh = known.filter(|known| {
        known.of == of || (known.of.0 == part && known.of.1 == of.1 && now - known.at < PATIENCE)
    });
    let known = fresh.unwrap_or_else(|| {
        let spread = match stage.blocks.foreign() {
            Some(foreign) => foreign.spread(part),
            None => {
                let layout = stage.training.problem.network.layout();
                let layers: Vec<usize> = outline.nodes_of(part);
                let tensors = layout.tensors().iter();
                let own = tensors.filter(|tensor| layers.contains(&(tensor.layer + 1)));
                Spread::of(own.filter_map(|tensor| snapshot.params.get(tensor.range.clone())))
            }
        };
        let known = Arc::new(Known {
            of,
            at: now,
            spread,
        });
        ui.data_mut(|data| data.insert_temp(id, Arc::clone(&known)));
        known
    });
    let Some(spread) = known.spread else { return };
    let mean = format!(
        "{} ± {}",
        number(spread.mean, 3),
        number(spread.deviation, 3)
    );
    fact(ui, stage.t("model.mean"), &mean);
    let ends = [spread.least, spread.greatest].map(|end| number(f64::from(end), 3));
    fact(
        ui,
        stage.t("model.ends"),
        &format!("{} … {}", ends[0], ends[1]),
    );
    if spread.zeros > 0 {
        fact(ui, stage.t("model.zeros"), &count(spread.zeros as u64));
    }
    if spread.not_finite > 0 {
        fact(
            ui,
            stage.t("model.not_finite"),
            &count(spread.not_finite as u64),
        );
    }
}
