//! What stands out when something is selected or under the pointer: a neuron
//! with its fan-in and fan-out and all that it sees of the image, or a
//! connection with its two neurons.

use super::super::chain::ChainShown;
use super::super::state::{Item, Selection};
use super::super::theme::{Theme, linear};
use super::super::training::Training;
use super::super::ways::WaysShown;
use super::chain::OnPath;
use super::event::Touched;
use super::parts::{Connection, Neuron, Outline, Shape, Standing};
use super::ways::OnWays;
use crate::nn::Network;
use bevy::prelude::*;

/// At most so many connections are followed down from a neuron to what it sees.
const MOST_LINKS: usize = 1_000_000;

/// What everything else steps back for. A neuron under the pointer comes before
/// what is selected; a connection under the pointer only stands out itself, or
/// the picture would flicker wherever the pointer passes.
pub(super) fn focus_of(selection: &Selection) -> Option<Item> {
    match selection.hovered {
        Some(neuron @ Item::Neuron { .. }) => Some(neuron),
        _ => selection.selected,
    }
}

/// What stands out, unit by unit.
#[derive(Resource, Debug, Clone, Default)]
pub(super) struct Lit {
    focus: Option<Item>,
    /// For each column its units that do not step back; empty where all do.
    columns: Vec<Vec<bool>>,
    /// The column of the source, where a connection is in focus.
    source: usize,
}

impl Lit {
    /// Around `focus` of `network`: the units that a neuron reads and those that
    /// read it; and behind windows and single values, down to the image, what
    /// those see.
    pub(super) fn of(network: &Network, focus: Option<Item>) -> Self {
        let mut lit = Lit {
            focus,
            columns: vec![Vec::new(); network.layers().len() + 1],
            source: 0,
        };
        match focus {
            Some(Item::Neuron { column, unit }) => lit.around(network, column, unit),
            Some(Item::Connection { layer, source, .. }) => {
                let layer = network.layers().get(layer);
                let source = layer.and_then(|l| l.sources().get(source));
                lit.source = source.map_or(0, |source| source.column());
            }
            None => {}
        }
        lit
    }

    fn around(&mut self, network: &Network, column: usize, unit: usize) {
        for layer in 0..network.layers().len() {
            for (source, connections) in network.connections(layer).into_iter().enumerate() {
                if network.layers()[layer].sources()[source].column() != column {
                    continue;
                }
                let reader = self.column(layer + 1, connections.units());
                for index in connections.out_of(unit) {
                    if let Some(link) = connections.get(index) {
                        reader[link.to] = true;
                    }
                }
            }
        }
        // What is seen by each column, from the neuron's down, as far as that is worth while:
        // in a deep network it is nearly everything before long.
        let mut left = MOST_LINKS;
        let mut seen: Vec<Vec<usize>> = vec![Vec::new(); column + 1];
        seen[column] = vec![unit];
        for at in (1..=column).rev() {
            let units = std::mem::take(&mut seen[at]);
            for (source, connections) in network.connections(at - 1).into_iter().enumerate() {
                let below = network.layers()[at - 1].sources()[source].column();
                // Behind a fully connected layer everything is seen.
                if units.is_empty() || (connections.is_full() && at < column) {
                    continue;
                }
                let lit = self.column(below, connections.inputs());
                let links = units.iter().flat_map(|&unit| connections.into_unit(unit));
                let links = links.take(left).inspect(|_| left -= 1);
                for link in links.filter_map(|index| connections.get(index)) {
                    if !lit[link.from] {
                        lit[link.from] = true;
                        seen[below].push(link.from);
                    }
                }
                if connections.is_full() {
                    seen[below].clear();
                }
            }
        }
    }

    fn column(&mut self, column: usize, units: usize) -> &mut [bool] {
        let units_of = &mut self.columns[column];
        units_of.resize(units.max(units_of.len()), false);
        units_of
    }

    fn neuron(&self, neuron: &Neuron) -> Standing {
        let &Neuron { column, unit } = neuron;
        let (is_it, is_near) = match self.focus {
            None => return Standing::Plain,
            Some(Item::Connection {
                layer, from, to, ..
            }) => {
                let end =
                    (column, unit) == (self.source, from) || (column, unit) == (layer + 1, to);
                (end, false)
            }
            Some(item) => {
                let near = self.columns.get(column).and_then(|units| units.get(unit));
                (item == Item::Neuron { column, unit }, near == Some(&true))
            }
        };
        match (is_it, is_near) {
            (true, _) => Standing::Raised,
            (_, true) => Standing::Plain,
            _ => Standing::Receded,
        }
    }

    /// `source` is the column that the connection comes from.
    fn connection(
        &self,
        selection: &Selection,
        connection: &Connection,
        source: usize,
    ) -> Standing {
        let this = connection.item();
        if selection.hovered == Some(this) {
            return Standing::Raised;
        }
        let near = match self.focus {
            None => return Standing::Plain,
            Some(Item::Neuron { column, unit }) => {
                (column, unit) == (source, connection.from)
                    || (column, unit) == (connection.layer + 1, connection.to)
            }
            Some(item) => item == this,
        };
        if near {
            Standing::Raised
        } else {
            Standing::Receded
        }
    }
}

/// While an iteration is gone through event by event, what the event does not touch
/// steps back, and of the rest what is selected or pointed at stands out.
impl Lit {
    fn neuron_in_event(&self, neuron: &Neuron, touched: &Touched) -> Standing {
        let is_touched = touched.columns.get(neuron.column) == Some(&true);
        match (is_touched, self.neuron(neuron)) {
            (false, Standing::Plain | Standing::Receded) => Standing::Receded,
            (_, Standing::Raised) => Standing::Raised,
            (true, _) => Standing::Plain,
        }
    }

    fn connection_in_event(
        &self,
        selection: &Selection,
        connection: &Connection,
        source: usize,
        touched: &Touched,
    ) -> Standing {
        let is_touched = touched.has(connection.layer, source);
        let usual = self.connection(selection, connection, source);
        match (is_touched, usual) {
            (false, _) if self.focus != Some(connection.item()) => Standing::Receded,
            (true, Standing::Receded) => Standing::Plain,
            _ => usual,
        }
    }
}

fn outline(selection: &Selection, neuron: &Neuron, theme: Theme) -> Outline {
    let &Neuron { column, unit } = neuron;
    let this = Some(Item::Neuron { column, unit });
    let palette = theme.palette();
    if selection.selected == this {
        Outline(linear(palette.accent))
    } else if selection.hovered == this {
        Outline(linear(palette.text))
    } else {
        Outline::default()
    }
}

/// Writes [`Standing`] and [`Outline`] where the selection, or what an entity
/// stands for, changed.
pub(super) fn raise_what_is_selected(
    selection: Res<Selection>,
    theme: Res<Theme>,
    training: Res<Training>,
    (chain, ways): (Res<ChainShown>, Res<WaysShown>),
    mut lit: ResMut<Lit>,
    mut touched: Local<Option<Touched>>,
    mut neurons: Query<(Ref<Neuron>, &Shape, &mut Standing, &mut Outline), Without<Connection>>,
    mut connections: Query<(Ref<Connection>, &mut Standing), Without<Neuron>>,
) {
    let network = &training.problem.network;
    let micro = training.snapshot.micro.as_ref();
    let now = micro.map(|micro| Touched::by(network, micro.last()));
    let path = chain.0.as_deref().map(OnPath);
    let all = selection.is_changed()
        || theme.is_changed()
        || chain.is_changed()
        || ways.is_changed()
        || *touched != now;
    // Event by event other things are lit.
    let ways = ways.0.as_deref().filter(|_| now.is_none()).map(OnWays);
    *touched = now;
    if selection.is_changed() || lit.columns.len() != network.layers().len() + 1 {
        *lit = Lit::of(network, focus_of(&selection));
    }
    for (neuron, shape, mut standing, mut ring) in &mut neurons {
        if all || neuron.is_changed() {
            standing.set_if_neq(match (&path, &ways, &*touched) {
                (Some(path), ..) => path.neuron(&neuron),
                (None, Some(ways), _) => ways.neuron(&neuron, *shape),
                (None, None, None) => lit.neuron(&neuron),
                (None, None, Some(touched)) => lit.neuron_in_event(&neuron, touched),
            });
            let on_way = ways.as_ref().filter(|_| path.is_none());
            let on_way = on_way.and_then(|ways| ways.outline(&neuron, *theme));
            ring.set_if_neq(on_way.unwrap_or_else(|| outline(&selection, &neuron, *theme)));
        }
    }
    for (connection, mut standing) in &mut connections {
        if all || connection.is_changed() {
            let layer = network.layers().get(connection.layer);
            let source = layer.and_then(|l| l.sources().get(connection.source));
            let source = source.map_or(0, |source| source.column());
            standing.set_if_neq(match (&path, &ways, &*touched) {
                (Some(path), ..) => path.connection(&connection),
                (None, Some(ways), _) => ways.connection(&connection),
                (None, None, None) => lit.connection(&selection, &connection, source),
                (None, None, Some(touched)) => {
                    lit.connection_in_event(&selection, &connection, source, touched)
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::layer::{Conv, Pool};
    use crate::nn::{Activation, LayerKind, LayerSpec, Loss, Shape};

    const NEURON: Item = Item::Neuron { column: 1, unit: 2 };

    fn link(layer: usize, from: usize, to: usize) -> Connection {
        Connection {
            layer,
            source: 0,
            from,
            to,
        }
    }

    fn dense() -> Network {
        let layer = (8, Activation::Tanh);
        Network::dense(8, &[layer, layer, layer], Loss::MeanSquaredError).unwrap()
    }

    #[test]
    fn fan_in_and_fan_out_of_a_selected_neuron_stand_out_and_the_rest_steps_back() {
        let selection = Selection {
            selected: Some(NEURON),
            ..default()
        };
        let lit = Lit::of(&dense(), Some(NEURON));
        let standing = |layer, from, to| lit.connection(&selection, &link(layer, from, to), layer);
        assert_eq!(standing(0, 7, 2), Standing::Raised);
        assert_eq!(standing(1, 2, 0), Standing::Raised);
        assert_eq!(standing(0, 2, 7), Standing::Receded);
        assert_eq!(standing(2, 2, 2), Standing::Receded);
        let neuron = |column, unit| lit.neuron(&Neuron { column, unit });
        assert_eq!(neuron(1, 2), Standing::Raised);
        assert_eq!(neuron(2, 5), Standing::Plain);
        assert_eq!(neuron(0, 5), Standing::Plain);
        assert_eq!(neuron(1, 3), Standing::Receded);
        assert_eq!(neuron(3, 2), Standing::Receded);
    }

    #[test]
    fn behind_windows_the_whole_receptive_field_is_lit() {
        let conv = || LayerSpec::new(LayerKind::Conv(Conv::square(2, 3)), Activation::Relu);
        let pool = LayerSpec::new(LayerKind::MaxPool(Pool::square(2)), Activation::Linear);
        let specs = [conv(), pool, conv()];
        let network = Network::new(Shape::image(1, 10, 10), &specs, Loss::MeanSquaredError);
        // The unit in the upper left of 2x2, of the last layer.
        let lit = Lit::of(&network.unwrap(), Some(Item::Neuron { column: 3, unit: 0 }));
        let count = |column: usize| lit.columns[column].iter().filter(|l| **l).count();
        // 3x3 of both pooled maps, 6x6 of both maps before, 8x8 pixels.
        assert_eq!([count(2), count(1), count(0)], [18, 72, 64]);
        assert_eq!(lit.neuron(&Neuron { column: 0, unit: 7 }), Standing::Plain);
        assert_eq!(
            lit.neuron(&Neuron { column: 0, unit: 8 }),
            Standing::Receded
        );
    }

    #[test]
    fn a_hovered_connection_stands_out_without_dimming_anything() {
        let selection = Selection {
            hovered: Some(link(0, 1, 2).item()),
            selected: None,
        };
        let lit = Lit::of(&dense(), focus_of(&selection));
        let of = |from| lit.connection(&selection, &link(0, from, 2), 0);
        assert_eq!(of(1), Standing::Raised);
        assert_eq!(of(0), Standing::Plain);
    }

    #[test]
    fn a_hovered_neuron_comes_before_the_selected_item() {
        let selection = Selection {
            hovered: Some(NEURON),
            selected: Some(Item::Neuron { column: 0, unit: 0 }),
        };
        assert_eq!(focus_of(&selection), Some(NEURON));
    }
}
