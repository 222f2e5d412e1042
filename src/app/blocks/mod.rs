//! A large network, or another program's model, in blocks: what is open, what is selected
//! and where everything stands. Levels of detail are blocks, then layers or nodes, each a
//! plate with its name and shape, then neurons, of the few layers that are opened or looked
//! at from near by.
//!
//! Nothing here draws. `scene/blocks.rs` makes entities of it, `ui/model` panels.

mod levels;
mod opening;
mod point;
mod stand;

pub use opening::{OpenFile, OpeningFile, Stage as OpeningStage};
pub use stand::Plate;
pub(super) use stand::{deep_direction, of_model, of_part};

use crate::insight::outline::{Foreign, MOST_SHOWN, Outline, Part, Shown, Stroke};
use crate::nn::Network;
use crate::train::Problem;
use bevy::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A network with more layers than this is shown in blocks.
pub const MOST_LAYERS: usize = 20;
/// So is one with more parameters than this: which of its connections are the strongest is
/// not to be asked of all of them again and again.
pub const MOST_PARAMETERS: usize = 4_000_000;
/// At most so many layers are shown neuron by neuron at a time.
pub const MOST_UNFOLDED: usize = 6;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Blocks>()
        .add_plugins((levels::plugin, opening::plugin, point::plugin));
}

/// Whether a network is shown in blocks and not as a whole.
pub fn is_large(network: &Network) -> bool {
    network.layers().len() > MOST_LAYERS || network.layout().len() > MOST_PARAMETERS
}

/// What is outlined, and what of it is open and chosen.
#[derive(Resource, Debug, Clone, Default)]
pub struct Blocks {
    outline: Option<Arc<Outline>>,
    foreign: Option<Arc<Foreign>>,
    /// The problem whose network is outlined, by its address.
    of: Option<usize>,
    open: BTreeSet<usize>,
    /// Open blocks, that opened last at the end.
    opened: Vec<usize>,
    /// Columns that are shown neuron by neuron because somebody wanted it, and because they
    /// are near.
    wanted: Vec<usize>,
    near: Vec<usize>,
    selected: Option<Part>,
    hovered: Option<Part>,
    /// Where the cameras go once everything stands.
    fly_to: Option<Part>,
    /// Whether they go back until everything is in view.
    fly_home: bool,
    shown: Shown,
    plates: Vec<Plate>,
    strokes: Vec<Stroke>,
    /// Counts what changes where things stand, and what neurons are shown.
    revision: u64,
    /// The revision with which this outline came.
    begun: u64,
}

impl Blocks {
    /// What is shown in blocks: nodes, edges, and blocks in blocks.
    pub fn outline(&self) -> Option<&Arc<Outline>> {
        self.outline.as_ref()
    }

    /// The model of another program, where one is shown in place of the network.
    pub fn foreign(&self) -> Option<&Arc<Foreign>> {
        self.foreign.as_ref()
    }

    /// Nodes and closed blocks that are on show, and what reads what among them.
    pub fn shown(&self) -> &Shown {
        &self.shown
    }

    /// Where each of the shown parts stands.
    pub fn plates(&self) -> &[Plate] {
        &self.plates
    }

    /// The ways between them.
    pub fn strokes(&self) -> &[Stroke] {
        &self.strokes
    }

    /// Counts changes of what stands where.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The revision with which what is shown took the place of something else.
    pub fn begun(&self) -> u64 {
        self.begun
    }

    /// What is selected.
    pub fn selected(&self) -> Option<Part> {
        self.selected
    }

    /// What is under the pointer.
    pub fn hovered(&self) -> Option<Part> {
        self.hovered
    }

    /// Whether a block is open.
    pub fn is_open(&self, block: usize) -> bool {
        self.open.contains(&block)
    }

    /// The columns that are shown neuron by neuron: at most [`MOST_UNFOLDED`].
    pub fn unfolded(&self) -> Vec<usize> {
        let shown = |&&column: &&usize| self.shown.parts.contains(&Part::Node(column));
        let mut all: Vec<usize> = self.wanted.iter().filter(shown).copied().collect();
        for &column in self.near.iter().filter(shown) {
            if all.len() < MOST_UNFOLDED && !all.contains(&column) {
                all.push(column);
            }
        }
        all.sort_unstable();
        all
    }

    /// Whether a part is a layer of the network on screen whose neurons can be shown.
    pub fn has_neurons(&self, part: Part) -> bool {
        matches!(part, Part::Node(_)) && self.foreign.is_none() && self.outline.is_some()
    }

    /// Shows the network of `problem` as a whole, or in blocks where it is large.
    pub fn show_network(&mut self, problem: &Arc<Problem>) {
        let of = Some(Arc::as_ptr(problem) as usize);
        if self.of == of && self.foreign.is_none() {
            return;
        }
        let large = is_large(&problem.network);
        let outline = large.then(|| Arc::new(Outline::of_network(&problem.network)));
        self.begin(outline, None);
        self.of = of;
    }

    /// Shows the network again, where a model stood in its place.
    pub fn leave_foreign(&mut self) {
        if self.foreign.is_some() {
            self.begin(None, None);
        }
    }

    /// Shows a model in place of the network.
    pub fn show_foreign(&mut self, foreign: Arc<Foreign>) {
        self.begin(Some(Arc::clone(&foreign.outline)), Some(foreign));
    }

    /// Of the model on show more is known now: `outline` has the same nodes and blocks.
    pub fn refine(&mut self, outline: Outline) {
        let Some(foreign) = &self.foreign else {
            return;
        };
        let outline = Arc::new(outline);
        // Weights are shared.
        self.foreign = Some(Arc::new(Foreign {
            outline: Arc::clone(&outline),
            ..Foreign::clone(foreign)
        }));
        self.outline = Some(outline);
        self.update();
    }

    fn begin(&mut self, outline: Option<Arc<Outline>>, foreign: Option<Arc<Foreign>>) {
        *self = Blocks {
            open: outline.as_ref().map(|o| o.first_open()).unwrap_or_default(),
            outline,
            foreign,
            revision: self.revision + 1,
            begun: self.revision + 1,
            ..Blocks::default()
        };
        self.opened = self.open.iter().copied().collect();
        self.update();
    }

    /// Selects a part, or nothing.
    pub fn select(&mut self, part: Option<Part>) {
        let known = |part: &Part| self.outline.as_ref().is_some_and(|o| o.has(*part));
        self.selected = part.filter(known);
    }

    /// Has the camera go back until everything is in view.
    pub fn fly_home(&mut self) {
        (self.fly_home, self.fly_to) = (true, None);
    }

    /// Whether the camera should go back, taken away.
    pub(super) fn take_flight_home(&mut self) -> bool {
        std::mem::take(&mut self.fly_home)
    }

    /// What the camera should go to, taken away.
    pub(super) fn take_flight(&mut self) -> Option<Part> {
        self.fly_to.take()
    }

    pub(super) fn hover(&mut self, part: Option<Part>) {
        self.hovered = part;
    }

    /// The shown part that stands for `part`: itself, or the closed block that it is in.
    pub fn stands_for(&self, part: Part) -> Option<Part> {
        let outline = self.outline.as_ref()?;
        let blocks: Vec<usize> = outline.around(part).collect();
        let closed = blocks.into_iter().rev().find(|b| !self.open.contains(b));
        Some(closed.map_or(part, Part::Block))
    }

    /// Opens a closed block, closes an open one, and shows the neurons of a layer or shows
    /// them no longer.
    pub fn toggle(&mut self, part: Part) {
        match part {
            Part::Block(block) if self.is_open(block) => self.close(block),
            Part::Block(block) => self.open(block),
            Part::Node(column) if self.has_neurons(part) => {
                let unfolded = self.unfolded().contains(&column);
                self.wanted.retain(|&other| other != column);
                self.near.retain(|&other| other != column);
                if !unfolded {
                    self.wanted.push(column);
                    let surplus = self.wanted.len().saturating_sub(MOST_UNFOLDED);
                    self.wanted.drain(..surplus);
                }
                self.revision += 1;
            }
            Part::Node(_) => {}
        }
    }

    /// Opens a block and all around it. Where more than [`MOST_SHOWN`] parts would be shown,
    /// those that were opened longest ago are closed.
    pub fn open(&mut self, block: usize) {
        let Some(outline) = self.outline.clone() else {
            return;
        };
        if !outline.has(Part::Block(block)) {
            return;
        }
        let mut kept: Vec<usize> = outline.around(Part::Block(block)).collect();
        kept.reverse();
        kept.push(block);
        self.opened.retain(|other| !kept.contains(other));
        self.opened.extend(&kept);
        self.open.extend(&kept);
        while outline.shown(&self.open).parts.len() > MOST_SHOWN {
            let oldest = self.opened.iter().position(|other| !kept.contains(other));
            let Some(oldest) = oldest else { break };
            let oldest = self.opened.remove(oldest);
            self.open.remove(&oldest);
        }
        self.update();
    }

    /// Closes a block. What is selected in it stays selected.
    pub fn close(&mut self, block: usize) {
        self.opened.retain(|&other| other != block);
        if self.open.remove(&block) {
            self.update();
        }
    }

    /// Opens as many blocks as there is room for, from the outside in.
    pub fn open_all(&mut self) {
        let Some(outline) = self.outline.clone() else {
            return;
        };
        loop {
            let shown = outline.shown(&self.open).parts;
            let closed = shown.iter().filter_map(|part| match *part {
                Part::Block(block) => Some((outline.blocks()[block].parts.len(), block)),
                Part::Node(_) => None,
            });
            let fits = |&(parts, _): &(usize, usize)| shown.len() + parts <= MOST_SHOWN + 1;
            let Some((_, block)) = closed.filter(fits).min() else {
                break;
            };
            self.open.insert(block);
            self.opened.push(block);
        }
        self.update();
    }

    /// Closes everything.
    pub fn close_all(&mut self) {
        self.open.clear();
        self.opened.clear();
        self.update();
    }

    /// Opens whatever a part is in, selects it and has the camera go there.
    pub fn reveal(&mut self, part: Part) {
        let inner = self.outline.as_ref().and_then(|o| o.parent(part));
        if let Some(block) = inner {
            self.open(block);
        }
        self.select(Some(part));
        self.fly_to = Some(part);
    }

    /// Has the camera go to a part.
    pub fn fly_to(&mut self, part: Part) {
        self.fly_to = Some(part);
    }

    /// The plates of a part: its own, or those that an open block holds.
    pub fn plates_of(&self, part: Part) -> Vec<&Plate> {
        let Some(outline) = &self.outline else {
            return Vec::new();
        };
        let inside = |plate: &&Plate| {
            plate.part == part
                || match part {
                    Part::Block(block) => outline.around(plate.part).any(|b| b == block),
                    Part::Node(_) => false,
                }
        };
        self.plates.iter().filter(inside).collect()
    }

    fn update(&mut self) {
        self.shown = match &self.outline {
            Some(outline) => outline.shown(&self.open),
            None => Shown::default(),
        };
        self.plates.clear();
        self.strokes.clear();
        self.revision += 1;
    }

    /// Places the shown parts; `extents` are half the sides of a part's plate.
    pub(super) fn stand(&mut self, extents: impl Fn(Part) -> Vec3) {
        (self.plates, self.strokes) = stand::stand(&self.shown, extents);
    }
}
