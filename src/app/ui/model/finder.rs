//! Looking for a layer, a node, a block or a parameter by a part of its name or kind.

use crate::app::Item;
use crate::app::scene::{block_name, operator, shape_text};
use crate::app::theme::color32;
use crate::app::ui::overlays::card;
use crate::app::ui::panels::Panels;
use crate::app::ui::stage::Stage;
use crate::app::ui::widgets::{control_id, remark};
use crate::insight::outline::{Hit, Outline, Part};
use bevy_egui::egui::{
    self, Align, Align2, Key, Layout, Modifiers, Rect, RichText, ScrollArea, Sense, Ui, vec2,
};
use std::sync::Arc;

/// At most so many are listed.
const MOST: usize = 200;
/// How high a row is, and how many are seen at once.
const ROW: f32 = 26.0;
const SEEN: f32 = 9.0;

/// What is looked for.
#[derive(Debug, Default)]
pub struct Finder {
    /// Whether the field is there.
    pub open: bool,
    query: String,
    hits: Vec<Hit>,
    /// For which words and which outline those were found.
    found: Option<(String, usize)>,
    at: usize,
    /// The outline of a network that is not shown in blocks, and of which problem it is.
    own: Option<(usize, Arc<Outline>)>,
}

impl Finder {
    /// Shows the field, with what was looked for last.
    pub fn ask(&mut self) {
        self.open = true;
        self.found = None;
    }

    fn outline(&mut self, stage: &Stage<'_>) -> Arc<Outline> {
        if let Some(outline) = stage.blocks.outline() {
            return Arc::clone(outline);
        }
        let problem = &stage.training.problem;
        let of = Arc::as_ptr(problem) as usize;
        match &self.own {
            Some((known, outline)) if *known == of => Arc::clone(outline),
            _ => {
                let outline = Arc::new(Outline::of_network(&problem.network));
                self.own = Some((of, Arc::clone(&outline)));
                outline
            }
        }
    }

    fn look(&mut self, outline: &Arc<Outline>) {
        let key = (self.query.clone(), Arc::as_ptr(outline) as usize);
        if self.found.as_ref() != Some(&key) {
            self.hits = outline.find(&self.query, MOST);
            self.found = Some(key);
            self.at = 0;
        }
    }
}

/// The field and what was found, over the scene.
pub fn show(ui: &Ui, panels: &mut Panels, stage: &mut Stage<'_>, free: Rect) {
    let asked = control_id("finder/asked");
    if ui
        .data_mut(|data| data.remove_temp::<bool>(asked))
        .is_some()
    {
        panels.finder.ask();
    }
    if !panels.finder.open {
        return;
    }
    let width = (free.width() - 40.0).clamp(220.0, 520.0);
    let at = free.center_top() + vec2(0.0, 14.0);
    // Before the field sees them, as it would move its cursor.
    let pressed = |key: Key| ui.input_mut(|i| i.consume_key(Modifiers::NONE, key));
    let [up, down, enter, escape] =
        [Key::ArrowUp, Key::ArrowDown, Key::Enter, Key::Escape].map(pressed);
    let mut chosen = None;
    let finder = &mut panels.finder;
    let outline = finder.outline(stage);
    card(ui, "finder", Align2::CENTER_TOP, at, width, |ui| {
        let field = egui::TextEdit::singleline(&mut finder.query)
            .id(control_id("finder/field"))
            .hint_text(stage.t("model.find_hint"))
            .desired_width(f32::INFINITY);
        ui.add(field).request_focus();
        finder.look(&outline);
        let last = finder.hits.len().saturating_sub(1);
        let moved = up || down;
        finder.at = match (up, down) {
            (true, _) => finder.at.saturating_sub(1),
            (_, true) => (finder.at + 1).min(last),
            _ => finder.at.min(last),
        };
        if enter {
            chosen = finder.hits.get(finder.at).cloned();
        }
        if finder.hits.is_empty() {
            let key = if finder.query.trim().is_empty() {
                "model.find_what"
            } else {
                "model.find_nothing"
            };
            remark(ui, stage.t(key));
            return;
        }
        // Not more rows than there is room for.
        let room = ((free.height() - 120.0) / ROW).clamp(2.0, SEEN);
        let mut area = ScrollArea::vertical()
            .id_salt("finder")
            .max_height(room * ROW)
            .auto_shrink([false, true]);
        if moved {
            let top = (finder.at as f32 - 0.5 * room).max(0.0) * ROW;
            area = area.vertical_scroll_offset(top);
        }
        ui.spacing_mut().item_spacing.y = 0.0;
        area.show_rows(ui, ROW, finder.hits.len(), |ui, range| {
            for k in range {
                let hit = &finder.hits[k];
                if row(ui, stage, &outline, hit, k == finder.at) {
                    chosen = Some(hit.clone());
                }
            }
        });
        let n = finder.hits.len();
        let key = if n == MOST {
            "model.found_most"
        } else {
            "model.found"
        };
        remark(ui, &stage.texts.with(key, &[("n", &n)]));
    });
    if let Some(hit) = chosen {
        finder.open = false;
        go(stage, hit.part);
    } else if escape {
        finder.open = false;
    }
}

/// Shows what was chosen: opened, selected, in the middle.
fn go(stage: &mut Stage<'_>, part: Part) {
    if stage.blocks.outline().is_some() {
        stage.blocks.reveal(part);
        stage.selection.selected = None;
    } else if let Part::Node(column) = part {
        stage.selection.selected = Some(Item::Neuron { column, unit: 0 });
    }
}

fn row(ui: &mut Ui, stage: &Stage<'_>, outline: &Outline, hit: &Hit, lit: bool) -> bool {
    let (name, what) = match hit.part {
        Part::Block(block) => {
            let n = outline.nodes_of(hit.part).len();
            let what = stage.texts.with("model.n_nodes", &[("n", &n)]);
            (block_name(outline, block, stage.texts), what)
        }
        Part::Node(at) => {
            let node = &outline.nodes()[at];
            let name = match &hit.tensor {
                Some(tensor) if tensor.starts_with(&node.name) => tensor.clone(),
                Some(tensor) => format!("{}: {tensor}", node.name),
                None => node.name.clone(),
            };
            let shape = shape_text(node.output.as_deref());
            (
                name,
                format!("{} {shape}", operator(outline, at, stage.texts)),
            )
        }
    };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    if lit {
        ui.painter()
            .rect_filled(rect, 4.0, ui.visuals().selection.bg_fill);
    } else if response.hovered() {
        ui.painter()
            .rect_filled(rect, 4.0, ui.visuals().widgets.hovered.weak_bg_fill);
    }
    let inner = rect.shrink2(vec2(8.0, 0.0));
    let mut ui = ui.new_child(
        egui::UiBuilder::new()
            .max_rect(inner)
            .layout(Layout::right_to_left(Align::Center)),
    );
    ui.label(RichText::new(what).small().weak());
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        let mut text = RichText::new(name);
        if lit {
            text = text.color(color32(stage.palette.text)).strong();
        }
        ui.add(egui::Label::new(text).truncate().selectable(false));
    });
    response.clicked()
}
