//! The networks beside the one on screen as entities: laid out, painted and captioned as
//! that one is, on the same scales, each in a render layer of its own.

use super::super::labels::{Crowded, Label};
use super::super::micro::Playing;
use super::super::rivals::{Rivals, RivalsReplaced};
use super::super::state::{NetworkBounds, NetworkView, SceneView};
use super::super::text::Texts;
use super::super::training::Training;
use super::captions::{BELOW, column_text};
use super::drawn::{DrawnConnections, ends_of};
use super::layout::{lay_out, plans};
use super::paint::{Colors, ConnectionPainter, NeuronPainter, Scales};
use super::parts::{Connection, Ends, Learnt, Neuron, Outline, Shape, Sign, Slot, Standing};
use super::parts::{Thickness, Tint};
use super::spawn::{NetworkLayout, bounds_of};
use bevy::prelude::*;
use bevy_egui::egui::Align2;

/// A neuron of a network beside the one on screen.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
#[require(RivalPart, Transform, Tint, Standing, Shape, Outline)]
pub struct RivalNeuron {
    /// The number of the network, from 0.
    pub rival: usize,
    /// Which neuron it is there.
    pub neuron: Neuron,
}

/// A connection of such a network.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
#[require(RivalPart, Ends, Tint, Thickness, Sign, Standing, Learnt)]
pub struct RivalConnection {
    /// The number of the network, from 0.
    pub rival: usize,
    /// Which connection it is there.
    pub connection: Connection,
}

/// Marks every entity of those networks.
#[derive(Component, Debug, Clone, Copy, Default)]
pub(super) struct RivalPart;

/// The caption of a column of such a network.
#[derive(Component, Debug, Clone, Copy)]
#[require(RivalPart)]
pub(super) struct RivalCaption {
    rival: usize,
    column: usize,
}

/// How one of those networks stands.
#[derive(Debug, Clone, Default)]
pub struct RivalStanding {
    /// Where its columns are.
    pub layout: NetworkLayout,
    /// Which of its connections are drawn.
    pub drawn: DrawnConnections,
    /// The box around it.
    pub bounds: NetworkBounds,
    scales: Scales,
}

/// How the networks beside the one on screen stand, in their order.
#[derive(Resource, Debug, Clone, Default)]
pub struct RivalScene(pub Vec<RivalStanding>);

/// Despawns those that were there and spawns those that are.
pub(super) fn lay_out_rivals(
    _: On<RivalsReplaced>,
    mut commands: Commands,
    rivals: Res<Rivals>,
    view: Res<NetworkView>,
    old: Query<Entity, With<RivalPart>>,
    mut scene: ResMut<RivalScene>,
) {
    old.iter()
        .for_each(|entity| commands.entity(entity).despawn());
    scene.0.clear();
    for (rival, training) in rivals.list.iter().enumerate() {
        let standing = stand(training, &view);
        spawn(&mut commands, rival, &standing);
        scene.0.push(standing);
    }
}

fn stand(training: &Training, view: &NetworkView) -> RivalStanding {
    let problem = &training.problem;
    let pixels = problem.data.image.filter(|_| !problem.is_channels_first());
    let layout = NetworkLayout {
        columns: lay_out(&plans(problem), pixels),
        ..default()
    };
    let drawn = DrawnConnections::choose(training, &layout, view.connection_budget, None, None);
    RivalStanding {
        bounds: bounds_of(&layout, &drawn),
        scales: Scales::for_problem(problem, layout.shows_image()),
        layout,
        drawn,
    }
}

fn spawn(commands: &mut Commands, rival: usize, standing: &RivalStanding) {
    let mut slot = 0;
    for (column, places) in standing.layout.columns.iter().enumerate() {
        let shape = match places.arrangement.has_cells() {
            true => Shape::Cell,
            false => Shape::Ball,
        };
        for (unit, &place) in places.places.iter().enumerate() {
            let neuron = Neuron { column, unit };
            commands.spawn((
                RivalNeuron { rival, neuron },
                Slot(slot),
                shape,
                Transform::from_translation(place).with_scale(Vec3::splat(places.radius)),
            ));
            slot += 1;
        }
        let center = places.center();
        let label = Label {
            text: String::new(),
            view: SceneView::Beside(rival),
            size: 13.0,
            anchor: Align2::CENTER_TOP,
            faint: false,
        };
        let at = Vec3::new(center.x, places.min.y - BELOW, center.z);
        commands.spawn((
            RivalCaption { rival, column },
            label,
            Crowded::default(),
            Transform::from_translation(at),
        ));
    }
    for (slot, ends, connection, learnt) in ends_of(&standing.drawn, &standing.layout) {
        commands.spawn((RivalConnection { rival, connection }, learnt, slot, ends));
    }
}

/// Lets all scales follow the numbers, one for all networks.
pub(super) fn fit_scales(
    training: Res<Training>,
    rivals: Res<Rivals>,
    view: Res<NetworkView>,
    mut own: ResMut<Scales>,
    mut scene: ResMut<RivalScene>,
) {
    let changed = training.is_changed() || rivals.is_changed() || view.is_changed();
    if scene.0.is_empty() || !changed {
        return;
    }
    for (standing, training) in scene.0.iter_mut().zip(&rivals.list) {
        standing.scales.fit(training, &view);
    }
    let others = scene.0.iter_mut().map(|standing| &mut standing.scales);
    let mut all: Vec<&mut Scales> = others.chain(std::iter::once(&mut *own)).collect();
    Scales::unite(&mut all);
}

/// Gives neurons and connections their colours and sizes.
pub(super) fn paint(
    rivals: Res<Rivals>,
    view: Res<NetworkView>,
    scene: Res<RivalScene>,
    colors: Res<Colors>,
    mut neurons: Query<(&RivalNeuron, &Shape, &mut Tint, &mut Transform), Without<RivalConnection>>,
    mut connections: Query<
        (
            &RivalConnection,
            &Learnt,
            &mut Tint,
            &mut Thickness,
            &mut Sign,
        ),
        Without<RivalNeuron>,
    >,
) {
    let changed = rivals.is_changed() || view.is_changed() || scene.is_changed();
    if scene.0.is_empty() || !(changed || colors.is_changed()) {
        return;
    }
    let still = Playing::default();
    let all = || rivals.list.iter().zip(&scene.0);
    let painters: Vec<NeuronPainter<'_>> = all()
        .map(|(run, s)| NeuronPainter::new(run, &view, &s.layout, &s.scales, &colors, &still))
        .collect();
    for (RivalNeuron { rival, neuron }, shape, mut tint, mut transform) in &mut neurons {
        let Some(painter) = painters.get(*rival) else {
            continue;
        };
        let (color, scale) = painter.look(neuron, *shape, Standing::Plain);
        tint.set_if_neq(Tint(color));
        if transform.scale != scale {
            transform.scale = scale;
        }
    }
    let painters: Vec<ConnectionPainter<'_>> = all()
        .map(|(run, s)| {
            ConnectionPainter::new((run, &[]), &view, &s.layout, &s.drawn, &s.scales, &colors)
        })
        .collect();
    for (at, learnt, mut tint, mut thickness, mut sign) in &mut connections {
        let painter = painters.get(at.rival);
        let look = painter.and_then(|p| p.look(&at.connection, *learnt, Standing::Plain));
        if let Some(look) = look {
            tint.set_if_neq(look.0);
            thickness.set_if_neq(look.1);
            sign.set_if_neq(look.2);
        }
    }
}

/// Writes what the columns are.
pub(super) fn write_captions(
    rivals: Res<Rivals>,
    scene: Res<RivalScene>,
    texts: Res<Texts>,
    mut captions: Query<(&RivalCaption, &mut Label, &mut Crowded)>,
) {
    if !(scene.is_changed() || texts.is_changed()) {
        return;
    }
    for (caption, mut label, mut crowded) in &mut captions {
        let found = rivals
            .list
            .get(caption.rival)
            .zip(scene.0.get(caption.rival));
        let Some((training, standing)) = found else {
            continue;
        };
        let [text, short] = column_text(training, &standing.layout, &texts, caption.column);
        if label.text != text {
            label.text = text;
        }
        if crowded.short != short {
            crowded.short = short;
        }
    }
}
