//! Plates for nodes and blocks as entities: what stays on show keeps its entity and glides
//! to its new place, what comes out of a block begins where the block stood.

use super::super::blocks::{Blocks, Plate};
use super::super::camera::CameraSettings;
use super::super::format::{compact, count, kind_name};
use super::super::labels::{Crowded, Label};
use super::super::presenter::Motion;
use super::super::state::{CameraRequest, SceneView};
use super::super::text::Texts;
use super::super::theme::{Palette, Theme, linear};
use super::parts::{Ends, Sign, Slot, Standing, Thickness, Tint};
use crate::insight::outline::{BlockName, NodeKind, Outline, Part, Side};
use bevy::prelude::*;
use bevy::window::RequestRedraw;
use bevy_egui::egui::Align2;
use std::collections::HashMap;

/// How long a plate glides, in seconds.
const GLIDE: f32 = 0.28;
/// How far below its plate a name stands.
const BELOW: f32 = 0.25;
/// At most so many pieces of ways are drawn.
pub const MOST_LINKS: usize = 8000;
/// How wide ways are, and those of what is selected.
const WIDE: [f32; 2] = [0.05, 0.11];
/// What is framed shows so much around it, as a share of its size.
const AROUND: f32 = 0.35;

/// A plate as it is drawn.
#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[require(Transform)]
pub struct Slab {
    /// What it stands for.
    pub part: Part,
    /// Its middle.
    pub center: Vec3,
    /// Half its sides, as a [`Plate`]'s.
    pub half: Vec3,
    /// The colour of its sides, in linear light.
    pub color: LinearRgba,
    /// The colour of its edges and hatching.
    pub edge: LinearRgba,
    /// Whether the engine has no such thing: hatched, with dashed edges.
    pub opaque: bool,
    /// Whether nobody knows if it has: dashed edges alone.
    pub uncertain: bool,
    /// Whether its neurons are shown in it: edges alone.
    pub unfolded: bool,
    /// Whether it is a block.
    pub block: bool,
    /// Whether it is selected or under the pointer.
    pub raised: bool,
}

/// Where a plate came from, where it goes, and when it set out, in seconds.
#[derive(Component, Debug, Clone, Copy)]
pub(super) struct Gliding {
    from: [Vec3; 2],
    to: [Vec3; 2],
    since: f32,
}

/// A piece of the way from one part to another.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
#[require(Ends, Tint, Thickness, Sign, Standing)]
pub struct BlockLink {
    /// What is read, by its place among the shown parts.
    pub from: usize,
    /// What reads it, at a way's last piece.
    pub to: Option<usize>,
}

/// Spawns, moves and despawns plates and ways after the shown parts.
pub(super) fn follow(
    mut commands: Commands,
    blocks: Res<Blocks>,
    (settings, motion, time): (Res<CameraSettings>, Res<Motion>, Res<Time>),
    mut slabs: Query<(Entity, &mut Slab, &mut Transform)>,
    links: Query<Entity, With<BlockLink>>,
    mut seen: Local<Option<u64>>,
) {
    if *seen == Some(blocks.revision()) {
        return;
    }
    *seen = Some(blocks.revision());
    let jumps = settings.still || motion.reduced;
    let now = time.elapsed_secs();
    let mut old: HashMap<Part, (Entity, Slab)> = HashMap::new();
    for (entity, slab, _) in &slabs {
        old.insert(slab.part, (entity, *slab));
    }
    let outline = blocks.outline();
    for plate in blocks.plates() {
        let to = [plate.center, plate.half];
        let known = old.remove(&plate.part);
        let from = match &known {
            Some((_, slab)) => [slab.center, slab.half],
            None => outline
                .and_then(|outline| origin(outline, plate, &old))
                .unwrap_or(to),
        };
        let from = if jumps { to } else { from };
        let gliding = Gliding {
            from,
            to,
            since: now,
        };
        match known {
            Some((entity, _)) => {
                if let Ok((_, mut slab, mut place)) = slabs.get_mut(entity) {
                    [slab.center, slab.half] = from;
                    *place = label_place(from);
                }
                commands.entity(entity).insert(gliding);
            }
            None => {
                let slab = Slab {
                    part: plate.part,
                    center: from[0],
                    half: from[1],
                    color: LinearRgba::NONE,
                    edge: LinearRgba::NONE,
                    opaque: false,
                    uncertain: false,
                    unfolded: false,
                    block: matches!(plate.part, Part::Block(_)),
                    raised: false,
                };
                let label = Label {
                    text: String::new(),
                    view: SceneView::Network,
                    size: 13.0,
                    anchor: Align2::CENTER_TOP,
                    faint: false,
                };
                commands.spawn((slab, gliding, label, Crowded::default(), label_place(from)));
            }
        }
    }
    for (entity, _) in old.into_values() {
        commands.entity(entity).despawn();
    }
    links
        .iter()
        .for_each(|link| commands.entity(link).despawn());
    commands.spawn_batch(pieces(&blocks));
}

/// Where a plate comes from that was not on show: the block that held it, or the first part
/// that it holds.
fn origin(
    outline: &Outline,
    plate: &Plate,
    old: &HashMap<Part, (Entity, Slab)>,
) -> Option<[Vec3; 2]> {
    let around = outline.around(plate.part);
    let block = around
        .filter_map(|block| old.get(&Part::Block(block)))
        .next();
    let (_, slab) = block.or_else(|| {
        let nodes = outline.nodes_of(plate.part);
        nodes.iter().find_map(|&node| old.get(&Part::Node(node)))
    })?;
    Some([slab.center, slab.half])
}

fn label_place([center, half]: [Vec3; 2]) -> Transform {
    Transform::from_translation(center - (half.y + BELOW) * Vec3::Y)
}

/// The straight pieces of all ways. Plates are turned, and the ways lie in the plane through
/// their middles: they go on as far as the sides of the plates there.
fn pieces(blocks: &Blocks) -> Vec<(BlockLink, Slot, Ends, Sign)> {
    let at = |[x, y]: [f32; 2]| Vec3::new(x, y, 0.0);
    let mut all = Vec::new();
    for stroke in blocks.strokes() {
        let mut points = stroke.points.clone();
        if !stroke.back {
            let plates = blocks.plates();
            let begins = plates.get(stroke.from).map(|plate| plate.side(1.0));
            // What passes by other plates goes on from where another piece ended.
            if let (Some(side), Some(&first)) = (begins, points.first())
                && plates[stroke.from].touches(first)
            {
                points.insert(0, side);
            }
            points.extend(
                stroke
                    .to
                    .and_then(|to| plates.get(to))
                    .map(|plate| plate.side(-1.0)),
            );
        }
        for pair in points.windows(2) {
            if all.len() >= MOST_LINKS || pair[0] == pair[1] {
                continue;
            }
            let link = BlockLink {
                from: stroke.from,
                to: stroke.to,
            };
            let ends = Ends {
                from: at(pair[0]),
                to: at(pair[1]),
                lift: 0.0,
            };
            let sign = if stroke.back {
                Sign::Negative
            } else {
                Sign::Positive
            };
            all.push((link, Slot(all.len() as u32), ends, sign));
        }
    }
    all
}

/// Moves plates along, fast at first.
pub(super) fn glide(
    time: Res<Time>,
    mut slabs: Query<(Entity, &mut Slab, &mut Transform, &Gliding)>,
    mut commands: Commands,
    mut redraw: MessageWriter<RequestRedraw>,
) {
    let now = time.elapsed_secs();
    let mut moving = false;
    for (entity, mut slab, mut place, gliding) in &mut slabs {
        let share = ((now - gliding.since) / GLIDE).clamp(0.0, 1.0);
        let share = if gliding.from == gliding.to {
            1.0
        } else {
            share
        };
        let eased = 1.0 - (1.0 - share).powi(3);
        let now = [0, 1].map(|k| gliding.from[k].lerp(gliding.to[k], eased));
        [slab.center, slab.half] = now;
        *place = label_place(now);
        if share >= 1.0 {
            commands.entity(entity).remove::<Gliding>();
        } else {
            moving = true;
        }
    }
    if moving {
        redraw.write(RequestRedraw);
    }
}

/// Has the cameras go to what somebody wants to see.
pub(super) fn fly(mut blocks: ResMut<Blocks>, mut cameras: MessageWriter<CameraRequest>) {
    if blocks.bypass_change_detection().take_flight_home() {
        cameras.write(CameraRequest::FrameAll);
    }
    let Some(part) = blocks.bypass_change_detection().take_flight() else {
        return;
    };
    let reach = blocks.plates_of(part).into_iter().map(Plate::reach);
    let Some((low, high)) = reach.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
        return;
    };
    let room = AROUND * (high - low).max_element().max(2.0) * Vec3::ONE;
    cameras.write(CameraRequest::Frame {
        view: SceneView::Network,
        low: low - room,
        high: high + room,
    });
}

/// Colours, marks and names, where something of them changed.
pub(super) fn paint(
    blocks: Res<Blocks>,
    (theme, texts): (Res<Theme>, Res<Texts>),
    mut slabs: Query<(&mut Slab, &mut Label, &mut Crowded)>,
    mut links: Query<(&BlockLink, &mut Tint, &mut Thickness)>,
    mut painted: Local<u64>,
) {
    let changed = blocks.is_changed() || theme.is_changed() || texts.is_changed();
    // Plates and ways come with a revision.
    if !changed && *painted == blocks.revision() {
        return;
    }
    *painted = blocks.revision();
    let Some(outline) = blocks.outline() else {
        return;
    };
    let palette = theme.palette();
    let stands_for = |part: Option<Part>| part.and_then(|part| blocks.stands_for(part));
    let selected = stands_for(blocks.selected());
    let hovered = blocks.hovered();
    let unfolded = blocks.unfolded();
    for (mut slab, mut label, mut crowded) in &mut slabs {
        let part = slab.part;
        let kind = match part {
            Part::Node(node) => Some(&outline.nodes()[node].kind),
            Part::Block(_) => None,
        };
        let is_selected = selected == Some(part);
        let raised = is_selected || hovered == Some(part);
        let new = Slab {
            color: linear(Face::of(outline, part).color(&palette)),
            edge: linear(if raised {
                palette.accent
            } else {
                palette.text.blend(palette.background, 0.25)
            }),
            opaque: matches!(kind, Some(NodeKind::Opaque(_))),
            uncertain: matches!(kind, Some(NodeKind::Unknown(_))),
            unfolded: matches!(part, Part::Node(column) if unfolded.contains(&column)),
            raised,
            ..*slab
        };
        slab.set_if_neq(new);
        let own = blocks.foreign().is_none();
        let [text, short] = caption(outline, part, own, &texts);
        if label.text != text {
            label.text = text;
        }
        let rank = match (is_selected, part) {
            (true, _) => 0,
            (_, Part::Block(_)) => 1,
            _ => 2,
        };
        crowded.set_if_neq(Crowded {
            rank,
            short,
            stays: true,
        });
    }
    let place = |part: Option<Part>| {
        let part = part?;
        blocks.shown().parts.iter().position(|&shown| shown == part)
    };
    let selected = place(selected);
    for (link, mut tint, mut thickness) in &mut links {
        let touches = selected.is_some() && (Some(link.from) == selected || link.to == selected);
        let color = if touches {
            palette.accent
        } else {
            palette.background.blend(palette.faint, 0.75)
        };
        tint.set_if_neq(Tint(linear(color)));
        thickness.set_if_neq(Thickness(WIDE[usize::from(touches)]));
    }
}

/// What the colour of a plate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::app) enum Face {
    /// What goes in or out.
    Ends,
    /// A block with weights in it.
    Block,
    /// A node with weights.
    Weights,
    /// Anything without.
    Plain,
    /// What the engine has not.
    Opaque,
}

impl Face {
    /// All of them.
    pub(in crate::app) const ALL: [Face; 5] = [
        Face::Ends,
        Face::Block,
        Face::Weights,
        Face::Plain,
        Face::Opaque,
    ];

    /// That of a part.
    pub(in crate::app) fn of(outline: &Outline, part: Part) -> Self {
        match part {
            Part::Block(_) if outline.parameters(part) > 0 => Face::Block,
            Part::Block(_) => Face::Plain,
            Part::Node(node) => {
                let node = &outline.nodes()[node];
                match node.kind {
                    NodeKind::Input | NodeKind::Output => Face::Ends,
                    NodeKind::Opaque(_) => Face::Opaque,
                    _ if node.parameters > 0 => Face::Weights,
                    _ => Face::Plain,
                }
            }
        }
    }

    /// Its colour.
    pub(in crate::app) fn color(self, palette: &Palette) -> crate::colormap::Rgb {
        let (color, share) = match self {
            Face::Ends => (palette.text, 0.62),
            Face::Block => (palette.accent, 0.42),
            Face::Weights => (palette.diverging.positive, 0.6),
            Face::Plain => (palette.faint, 0.5),
            Face::Opaque => (palette.faint, 0.28),
        };
        palette.background.blend(color, share)
    }

    /// The key of its name in the texts.
    pub(in crate::app) fn key(self) -> &'static str {
        match self {
            Face::Ends => "model.face_ends",
            Face::Block => "model.face_block",
            Face::Weights => "model.face_weights",
            Face::Plain => "model.face_plain",
            Face::Opaque => "model.opaque",
        }
    }
}

/// What stands below a plate, at length and in short. Nodes of our `own` networks are layers.
fn caption(outline: &Outline, part: Part, own: bool, texts: &Texts) -> [String; 2] {
    match part {
        Part::Block(block) => {
            let name = block_name(outline, block, texts);
            let nodes = outline.nodes_of(part).len();
            let key = if own {
                "model.n_layers"
            } else {
                "model.n_nodes"
            };
            let mut what = texts.with(key, &[("n", &count(nodes as u64))]);
            let parameters = outline.parameters(part);
            if parameters > 0 {
                what = format!("{what}, {}", compact(parameters as u64));
            }
            [format!("{name}\n{what}"), name]
        }
        Part::Node(at) => {
            let node = &outline.nodes()[at];
            let name = outline.short_name(at).to_owned();
            let operator = operator(outline, at, texts);
            let short = if name.chars().count() > 14 {
                operator.clone()
            } else {
                name.clone()
            };
            // Names often say what is done: Conv, conv1/Conv, relu_2/Relu.
            let said = name.to_lowercase().contains(&operator.to_lowercase());
            let shape = shape_text(node.output.as_deref());
            let what = if said {
                &shape
            } else {
                &format!("{operator} {shape}")
            };
            [
                format!("{name}\n{}", what.trim()).trim_end().to_owned(),
                short,
            ]
        }
    }
}

/// What a node does, in words.
pub(in crate::app) fn operator(outline: &Outline, node: usize, texts: &Texts) -> String {
    let node = &outline.nodes()[node];
    match node.kind {
        NodeKind::Input => texts.get("model.input").to_owned(),
        NodeKind::Output => texts.get("model.output").to_owned(),
        NodeKind::Layer(kind) if node.operator == kind => kind_name(texts, kind),
        _ => node.operator.clone(),
    }
}

/// The name of a block in words.
pub(in crate::app) fn block_name(outline: &Outline, block: usize, texts: &Texts) -> String {
    match outline.blocks().get(block).map(|block| &block.name) {
        Some(BlockName::Path(path)) => {
            let last = path.rsplit('/').next();
            last.unwrap_or(path).to_owned()
        }
        Some(BlockName::Constants) => texts.get("model.constants").to_owned(),
        Some(BlockName::Branches(n)) => texts.with("model.branches", &[("n", n)]),
        Some(BlockName::Run([from, to])) => {
            let values: [(&str, &dyn std::fmt::Display); 2] = [("from", from), ("to", to)];
            texts.with("model.run", &values)
        }
        None => String::new(),
    }
}

/// Sides as `64×28×28`, with `?` for those that are open.
pub(in crate::app) fn shape_text(sides: Option<&[Side]>) -> String {
    let side = |side: &Side| side.map_or("?".to_owned(), |n| n.to_string());
    let sides = sides.unwrap_or_default().iter().map(side);
    sides.collect::<Vec<_>>().join("×")
}
