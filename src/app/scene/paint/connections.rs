//! The colours and thicknesses of connections.

use super::super::super::micro::Playing;
use super::super::super::state::NetworkView;
use super::super::super::training::Training;
use super::super::super::ways::WaysShown;
use super::super::drawn::{DrawnConnections, DrawnPair};
use super::super::event;
use super::super::parts::{Connection, Learnt, Sign, Standing, Thickness, Tint};
use super::super::scale::{robust_max, signed_root};
use super::super::spawn::NetworkLayout;
use super::super::ways;
use super::super::weight_maps::Folding;
use super::{Colors, Scales, connection_values, share_of};
use crate::train::micro::Micro;
use bevy::prelude::*;

/// The thickest ribbon as a share of the smaller of its neurons' radii.
const THICK: f32 = 0.42;
/// From so many ribbons in a layer pair on they become thinner.
const MANY: f32 = 400.0;
/// The strength of a connection without a weight, and of one that arches over
/// other columns.
const UNWEIGHTED: f32 = 0.12;
const ARCHED: f32 = 0.5;
/// Of a feature map's cells at least so much counts for the thickness.
const LEAST_RADIUS: f32 = 0.13;
/// The thinnest ribbon as a share of the thickest.
const THIN: f32 = 0.06;
/// The ribbon of the strongest way of an answer, and how much of it is left of the
/// weakest, both as shares of the thickest where there is no crowd.
const WAY: f32 = 1.15;
const WEAKEST_WAY: f32 = 0.16;
/// However small the units are, a way's ribbon is measured by this, in world units.
const LEAST_WAY: f32 = 0.075;
/// How much thicker a raised ribbon is, as a share of the thickest.
const RAISED: f32 = 0.2;
/// How much thinner it is where a map stands.
const COVERED: f32 = 0.65;
/// How far the weakest of a crowd goes toward the background.
const HAZE: f32 = 0.8;
/// The floor of a crowd is at most this.
const MOST_FLOOR: f32 = 0.9;

/// What all connections of a layer pair have in common.
struct PairStyle {
    scale: f32,
    thick: f32,
    /// The same where it does not stand in a crowd.
    alone: f32,
    /// The weakest share that is drawn, where the others are not; 0 where all are.
    floor: f32,
    /// The strength of connections without a weight.
    plain: f32,
}

impl PairStyle {
    fn share(&self, values: &[f32], weight: usize) -> f32 {
        share_of(values.get(weight).copied().unwrap_or(0.0), self.scale)
    }

    /// How strongly a share is drawn, 0 to 1. Of a crowd only strong ones are
    /// drawn at all: there the weakest drawn is 0 and the rest is spread out,
    /// so that the eye finds the strongest.
    fn strength(&self, share: f32) -> f32 {
        let strength = share.abs().min(1.0);
        if self.floor > 0.0 {
            ((strength - self.floor) / (1.0 - self.floor))
                .max(0.0)
                .powi(2)
        } else {
            strength
        }
    }
}

/// Colours connections and gives them their thickness.
pub(in crate::app::scene) fn paint_connections(
    training: Res<Training>,
    view: Res<NetworkView>,
    layout: Res<NetworkLayout>,
    drawn: Res<DrawnConnections>,
    scales: Res<Scales>,
    colors: Res<Colors>,
    (playing, folding, lit): (Res<Playing>, Res<Folding>, Res<WaysShown>),
    mut connections: Query<(
        Ref<Connection>,
        &Learnt,
        Ref<Standing>,
        &mut Tint,
        &mut Thickness,
        &mut Sign,
    )>,
) {
    let all = training.is_changed()
        || view.is_changed()
        || layout.is_changed()
        || scales.is_changed()
        || colors.is_changed()
        || playing.is_changed()
        || folding.is_changed()
        || lit.is_changed();
    let changes = training.snapshot.micro.as_ref().map(Micro::changes);
    let changes = changes.unwrap_or_default();
    let painter = ConnectionPainter::new(
        (&training, &changes),
        &view,
        &layout,
        &drawn,
        &scales,
        &colors,
    );
    let micro = training.snapshot.micro.as_ref();
    let way = lit.0.as_deref().filter(|_| micro.is_none());
    for (connection, learnt, standing, mut tint, mut thickness, mut sign) in &mut connections {
        if !(all || connection.is_changed() || standing.is_changed()) {
            continue;
        }
        let way = way.and_then(|ways| ways.link(ways::link(&connection)));
        if let Some(look) = way.and_then(|share| painter.of_way(&connection, share as f32)) {
            tint.set_if_neq(look.0);
            thickness.set_if_neq(look.1);
            sign.set_if_neq(look.2);
        } else if let Some(look) = painter.look(&connection, *learnt, *standing) {
            tint.set_if_neq(look.0);
            // A map of the weights takes the place of the connections, but of those that
            // stand out, and these hide no more of it than they must.
            let hidden = folding.over(connection.layer);
            let share = match *standing {
                Standing::Raised => 1.0 - COVERED * hidden,
                _ => 1.0 - hidden,
            };
            thickness.set_if_neq(Thickness(share * look.1.0));
            sign.set_if_neq(look.2);
        }
    }
}

/// What all connections of a network are painted by.
pub(in crate::app::scene) struct ConnectionPainter<'a> {
    drawn: &'a DrawnConnections,
    colors: &'a Colors,
    /// For each pair its values and its style.
    styles: Vec<(&'a [f32], PairStyle)>,
}

impl<'a> ConnectionPainter<'a> {
    /// `changes` is what the step of an iteration that is gone through event by event
    /// added to each parameter.
    pub(in crate::app::scene) fn new(
        (training, changes): (&'a Training, &'a [f32]),
        view: &NetworkView,
        layout: &NetworkLayout,
        drawn: &'a DrawnConnections,
        scales: &Scales,
        colors: &'a Colors,
    ) -> Self {
        let usual = connection_values(training, view.connections).0;
        let micro = training.snapshot.micro.as_ref();
        let network = &training.problem.network;
        // What a layer's connections show, and what of it counts as full strength.
        let shown = |layer: usize| -> (&'a [f32], f32) {
            let Some(micro) = micro else {
                let scale = scales.connections.get(layer);
                let scale = scale.map_or(0.0, |scale| scale[view.connections as usize]);
                return (usual, scale);
            };
            let values = match event::of_weights(micro, layer) {
                event::OfWeight::Weight => &micro.trace.before[..],
                event::OfWeight::Gradient => &micro.trace.data_gradient[..],
                event::OfWeight::Change => changes,
            };
            let of_layer = values.get(network.layout().weight(layer));
            let most = robust_max(of_layer.unwrap_or_default());
            (values, most)
        };
        let style = |pair: &DrawnPair| {
            let (values, scale) = shown(pair.layer);
            let style = PairStyle {
                scale,
                thick: thickest(layout, pair) / crowd(pair),
                alone: thickest(layout, pair),
                floor: 0.0,
                plain: if pair.is_arched() { ARCHED } else { UNWEIGHTED },
            };
            if pair.shows_windows() || pair.shown.len() == pair.total() {
                return (values, style);
            }
            let weights = pair.shown.iter().filter_map(|&index| {
                let link = pair.connections.get(index as usize)?;
                link.parameter
            });
            let shares = weights.map(|weight| style.share(values, weight).abs());
            let floor = shares.fold(MOST_FLOOR, f32::min);
            (values, PairStyle { floor, ..style })
        };
        ConnectionPainter {
            drawn,
            colors,
            // Once for all connections of a pair: full strength takes all of its weights.
            styles: drawn.pairs.iter().map(style).collect(),
        }
    }

    /// The same of one that lies on a way of an answer, with its share of the strongest.
    fn of_way(&self, connection: &Connection, share: f32) -> Option<(Tint, Thickness, Sign)> {
        let (_, style) = self.styles.get(self.drawn.pair_of(connection)?)?;
        let width = WEAKEST_WAY + (1.0 - WEAKEST_WAY) * share.abs();
        let color = Tint(self.colors.pulse(share));
        Some((
            color,
            Thickness(WAY * style.alone.max(LEAST_WAY) * width),
            sign_of(share),
        ))
    }

    /// A connection's colour, thickness and sign.
    pub(in crate::app::scene) fn look(
        &self,
        connection: &Connection,
        learnt: Learnt,
        standing: Standing,
    ) -> Option<(Tint, Thickness, Sign)> {
        let colors = self.colors;
        let (values, style) = self.styles.get(self.drawn.pair_of(connection)?)?;
        let t = learnt.0.map_or(0.0, |weight| style.share(values, weight));
        // Raised ones stand for themselves and not in a crowd.
        let strength = match standing {
            _ if learnt.0.is_none() => style.plain,
            Standing::Raised => t.abs().min(1.0),
            _ => style.strength(t),
        };
        let width = style.thick * (THIN + (1.0 - THIN) * strength);
        let width = match standing {
            Standing::Raised => 1.3 * width + RAISED * style.thick,
            Standing::Receded => 0.5 * width,
            Standing::Plain => width,
        };
        let mut color = if learnt.0.is_some() {
            colors.signed.at(signed_root(t))
        } else {
            colors.neutral[usize::from(standing == Standing::Raised)]
        };
        if style.floor > 0.0 && standing != Standing::Raised {
            color = color.mix(&colors.background, HAZE * (1.0 - strength));
        }
        Some((
            Tint(colors.seen(color, standing)),
            Thickness(width),
            sign_of(t),
        ))
    }
}

fn sign_of(value: f32) -> Sign {
    if value < 0.0 {
        Sign::Negative
    } else {
        Sign::Positive
    }
}

/// How much thinner the connections of a pair are, as they are many.
fn crowd(pair: &DrawnPair) -> f32 {
    (1.0 + pair.shown.len() as f32 / MANY).sqrt()
}

/// The thickness of the strongest connection of a layer pair where it is no crowd.
fn thickest(layout: &NetworkLayout, pair: &DrawnPair) -> f32 {
    // A cell lies beside the next one, and a window's connections end in few.
    let radius = |column: usize| {
        layout.columns.get(column).map_or(0.0, |c| {
            if c.arrangement.has_cells() && pair.shows_windows() {
                c.radius.max(LEAST_RADIUS)
            } else {
                c.radius
            }
        })
    };
    THICK * radius(pair.column).min(radius(pair.layer + 1))
}
