//! What is shown in blocks: its tree, what is selected in it, looking for names, and for
//! another program's model what it is and what cannot be done with it.

mod card;
mod facts;
mod finder;
mod forward;
mod tree;

pub(super) use facts::{bar, hold_view, left, no_inside, progress, refuse};
pub use finder::Finder;
pub(super) use finder::show as finder;
pub use forward::ForwardForm;

use super::stage::Stage;
use super::widgets::section;
use bevy_egui::egui::Ui;

/// The tree and the card of what is selected.
pub(super) fn sections(ui: &mut Ui, stage: &mut Stage<'_>, ran: &ForwardForm) {
    if stage.blocks.outline().is_none() {
        return;
    }
    let title = stage.t("model.selected");
    section(ui, "section/model_card", title, true, |ui| {
        card::show(ui, stage, ran);
    });
    let title = stage.t("model.blocks");
    section(ui, "section/model_tree", title, true, |ui| {
        tree::show(ui, stage);
    });
}
