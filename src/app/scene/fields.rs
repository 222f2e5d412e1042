//! Each neuron's activation over the plane of inputs, on the neuron itself, as TensorFlow
//! Playground has it: for problems with two inputs and few neurons.

use super::super::rivals::Rivals;
use super::super::state::{NetworkView, SceneView};
use super::super::theme::Theme;
use super::super::training::Training;
use super::layout::{Column, LINE};
use super::paint::Colors;
use super::parts::{Neuron, Outline, Standing, Tint};
use super::picture::Picture;
use super::rivals::{RivalNeuron, RivalPart, RivalScene};
use super::scale::robust_max;
use super::spawn::NetworkLayout;
use crate::figure::{HeatColors, HeatTable};
use crate::insight::field::largest_target;
use crate::insight::neuron_field::{NeuronFields, affordable, neuron_fields};
use crate::nn::Activation;
use crate::train::{Encoding, Problem, WatchedPart};
use bevy::platform::collections::HashMap;
use bevy::prelude::*;
use std::sync::Arc;

/// In networks of more neurons than this, or with a longer column than a line, pictures
/// would be too small to be read.
const MOST: usize = 96;
/// Points a side, at most, and the multiply-adds that a frame may spend on them.
const RESOLUTION: usize = 32;
const BUDGET: usize = 4_000_000;
/// Half a picture's side as a share of the distance to the next neuron, and at most.
const SHARE: f32 = 0.43;
const LARGEST: f32 = 0.5;
/// The frame, which shows the neuron's own value, in world units.
const RIM: f32 = 0.05;

/// The field of a neuron, or of an input; it has a [`Picture`].
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
#[require(Picture)]
pub struct FieldOf {
    /// In which view its network is seen.
    pub view: SceneView,
    /// Its column: 0 for an input.
    pub column: usize,
    /// Its unit within the column.
    pub unit: usize,
}

/// Whether there is a plane to show fields over, and few enough neurons to show them on.
pub fn few_enough(problem: &Problem) -> bool {
    let network = &problem.network;
    let widths = || {
        let layers = network.layers().iter().map(|layer| layer.outputs());
        std::iter::once(network.inputs()).chain(layers)
    };
    problem.data.is_plane() && widths().sum::<usize>() <= MOST && widths().all(|n| n <= LINE)
}

/// Spawns the pictures where they are wanted, and takes them away. Event by event neurons
/// have other things to show.
pub(super) fn spawn(
    mut commands: Commands,
    view: Res<NetworkView>,
    (training, layout): (Res<Training>, Res<NetworkLayout>),
    (rivals, scene): (Res<Rivals>, Res<RivalScene>),
    fields: Query<(Entity, &FieldOf)>,
) {
    let beside = rivals.list.iter().zip(&scene.0).enumerate();
    let beside = beside.map(|(k, (run, s))| (SceneView::Beside(k), run, &s.layout));
    let own = (SceneView::Network, &*training, &*layout);
    for (network, run, layout) in std::iter::once(own).chain(beside) {
        let events = run.snapshot.micro.is_some();
        let wanted = view.fields && !events && few_enough(&run.problem);
        let mut there = fields
            .iter()
            .filter(|(_, of)| of.view == network)
            .peekable();
        if !wanted {
            there.for_each(|(it, _)| commands.entity(it).despawn());
        } else if there.peek().is_none() {
            put_up(&mut commands, network, layout);
        }
    }
}

fn put_up(commands: &mut Commands, view: SceneView, layout: &NetworkLayout) {
    for (column, places) in layout.columns.iter().enumerate() {
        let half = half_side(places);
        for (unit, &center) in places.places.iter().enumerate() {
            let picture = Picture {
                view,
                center,
                right: half * Vec3::X,
                up: half * Vec3::Y,
                faces_eye: true,
                smooth: true,
                rim: RIM,
                // In front of the ball.
                lift: 1.3 * places.radius,
                ..default()
            };
            let field = commands
                .spawn((FieldOf { view, column, unit }, picture))
                .id();
            if view != SceneView::Network {
                commands.entity(field).insert(RivalPart);
            }
        }
    }
}

fn half_side(column: &Column) -> f32 {
    let apart = column
        .places
        .windows(2)
        .map(|pair| pair[0].distance(pair[1]));
    let pitch = apart.fold(f32::INFINITY, f32::min);
    (SHARE * pitch).min(LARGEST)
}

/// What the pictures were made from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Painted {
    params: Arc<[f32]>,
    problem: usize,
    theme: Theme,
    dot: Option<[f32; 2]>,
}

/// Computes the fields where the weights have changed.
pub(super) fn paint(
    (training, rivals): (Res<Training>, Res<Rivals>),
    theme: Res<Theme>,
    added: Query<(), Added<FieldOf>>,
    mut pictures: Query<(&FieldOf, &mut Picture)>,
    mut painted: Local<HashMap<SceneView, Painted>>,
) {
    if pictures.is_empty() {
        return;
    }
    let beside = rivals.list.iter().enumerate();
    let beside = beside.map(|(k, run)| (SceneView::Beside(k), run));
    let networks = std::iter::once((SceneView::Network, &*training)).chain(beside);
    for (view, run) in networks {
        let now = Painted {
            params: Arc::clone(&run.snapshot.params),
            problem: Arc::as_ptr(&run.problem) as usize,
            theme: *theme,
            // In small views side by side it would hide what it stands on.
            dot: watched_point(run).filter(|_| rivals.list.is_empty()),
        };
        let same = |known: &Painted| {
            Arc::ptr_eq(&known.params, &now.params)
                && (known.problem, known.theme, known.dot) == (now.problem, now.theme, now.dot)
        };
        if added.is_empty() && painted.get(&view).is_some_and(same) {
            continue;
        }
        let own = pictures.iter_mut().filter(|(of, _)| of.view == view);
        let budget = BUDGET / (1 + rivals.list.len());
        if fill(&run.problem, &now, *theme, budget, own) {
            painted.insert(view, now);
        }
    }
}

/// Paints the pictures of one network; `false` where it has no plane.
fn fill<'a>(
    problem: &Problem,
    now: &Painted,
    theme: Theme,
    budget: usize,
    pictures: impl Iterator<Item = (&'a FieldOf, Mut<'a, Picture>)>,
) -> bool {
    let mut pictures = pictures.peekable();
    if pictures.peek().is_none() {
        return true;
    }
    let n = affordable(problem, budget, RESOLUTION);
    let Some(fields) = neuron_fields(problem, &now.params, n) else {
        return false;
    };
    let mut style = theme.tone.style();
    style.diverging = theme.palette().diverging;
    let table = HeatTable::new(HeatColors::Diverging, &style);
    let columns = problem.network.layers().len() + 1;
    let scales: Vec<FieldScale> = (0..columns)
        .map(|column| FieldScale::of(problem, &fields, column))
        .collect();
    let dot = now.dot.map(|at| {
        let share = |axis: usize| {
            let [least, greatest] = fields.domain[axis];
            (at[axis] - least) / (greatest - least)
        };
        [share(0) * n as f32, (1.0 - share(1)) * n as f32]
    });
    for (of, mut picture) in pictures {
        let (Some(field), Some(scale)) = (fields.of(of.column, of.unit), scales.get(of.column))
        else {
            continue;
        };
        picture.columns = n;
        picture.dot = dot;
        picture.cells.clear();
        // Pictures begin at the top, where x2 is greatest.
        for row in field.chunks_exact(n).rev() {
            picture.cells.extend(row.iter().map(|&a| {
                let [r, g, b] = table.at(scale.share(a), [-1.0, 1.0]);
                [r, g, b, 255]
            }));
        }
    }
    true
}

/// What counts as full strength in a column, and what as neutral.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldScale {
    middle: f32,
    strength: f32,
}

impl FieldScale {
    /// That of a column's fields: of an output that tells two classes apart the answer, as
    /// in the picture of the data, else activations about zero.
    pub fn of(problem: &Problem, fields: &NeuronFields, column: usize) -> Self {
        let about_zero = |strength: f32| FieldScale {
            middle: 0.0,
            strength,
        };
        let layers = problem.network.layers();
        let is_output = column == layers.len();
        let all = (0..fields.units(column)).filter_map(|unit| fields.of(column, unit));
        let largest = || all.map(robust_max).fold(0.0, f32::max);
        match (
            problem.encoding,
            column.checked_sub(1).map(|k| layers[k].activation()),
        ) {
            (Encoding::Binary { low, high }, _) if is_output => FieldScale {
                middle: 0.5 * (low + high),
                strength: 0.5 * (high - low),
            },
            (Encoding::Values, _) if is_output => about_zero(largest_target(problem)),
            (_, Some(Activation::Sigmoid | Activation::Tanh | Activation::Softmax)) => {
                about_zero(1.0)
            }
            _ => about_zero(largest()),
        }
    }

    /// A value as a share of full strength.
    pub fn share(&self, value: f32) -> f32 {
        if self.strength > 0.0 {
            (value - self.middle) / self.strength
        } else {
            0.0
        }
    }
}

/// Where in the plane the watched sample is.
fn watched_point(training: &Training) -> Option<[f32; 2]> {
    let data = &training.problem.data;
    let watched = training.snapshot.probe.watched;
    let rows = match watched.part {
        WatchedPart::Train => &data.train.rows,
        WatchedPart::Validation => &data.validation.rows,
        WatchedPart::Drawn | WatchedPart::Maximised => return None,
    };
    let (row, points) = (*rows.get(watched.index)?, data.points.as_ref()?);
    Some([points[[row, 0]], points[[row, 1]]])
}

/// The frames: the neuron's own colour, or that of what is selected or pointed at.
pub(super) fn frame(
    colors: Res<Colors>,
    added: Query<(), Added<FieldOf>>,
    changed: Query<
        (),
        (
            Or<(With<Neuron>, With<RivalNeuron>)>,
            Or<(Changed<Tint>, Changed<Outline>, Changed<Standing>)>,
        ),
    >,
    neurons: Query<(&Neuron, &Tint, &Outline, &Standing)>,
    beside: Query<(&RivalNeuron, &Tint, &Outline, &Standing)>,
    mut pictures: Query<(&FieldOf, &mut Picture)>,
) {
    if pictures.is_empty() || (changed.is_empty() && added.is_empty()) {
        return;
    }
    let own = neurons
        .iter()
        .map(|(n, t, o, s)| ((SceneView::Network, *n), (t, o, s)));
    let beside = beside
        .iter()
        .map(|(n, t, o, s)| ((SceneView::Beside(n.rival), n.neuron), (t, o, s)));
    let all: HashMap<_, _> = own.chain(beside).collect();
    for (of, mut picture) in &mut pictures {
        let neuron = Neuron {
            column: of.column,
            unit: of.unit,
        };
        let Some((tint, outline, standing)) = all.get(&(of.view, neuron)) else {
            continue;
        };
        let frame = if outline.0.alpha > 0.0 {
            outline.0
        } else {
            tint.0
        };
        // The tint of what has receded is pale already, the picture is not.
        let fade = match standing {
            Standing::Receded => colors.fade(),
            _ => 0.0,
        };
        if picture.frame != frame || picture.fade != fade {
            picture.frame = frame;
            picture.fade = fade;
        }
    }
}
