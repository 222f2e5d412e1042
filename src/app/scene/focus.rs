//! What stands out when something is selected or under the pointer: a neuron
//! with its fan-in and fan-out, or a connection with its two neurons.

use super::super::state::{Item, Selection};
use super::super::theme::{Theme, linear};
use super::parts::{Connection, Neuron, Outline, Standing};
use bevy::prelude::*;

/// What everything else steps back for. A neuron under the pointer comes before
/// what is selected; a connection under the pointer only stands out itself, or
/// the picture would flicker wherever the pointer passes.
pub(super) fn focus_of(selection: &Selection) -> Option<Item> {
    match selection.hovered {
        Some(neuron @ Item::Neuron { .. }) => Some(neuron),
        _ => selection.selected,
    }
}

/// How a neuron stands to the focus: itself, next to it, or neither.
fn neuron_standing(selection: &Selection, neuron: &Neuron) -> Standing {
    match focus_of(selection) {
        None => Standing::Plain,
        Some(Item::Neuron { column, unit }) => {
            if column == neuron.column && unit == neuron.unit {
                Standing::Raised
            } else if column.abs_diff(neuron.column) == 1 {
                Standing::Plain
            } else {
                Standing::Receded
            }
        }
        Some(Item::Connection { layer, from, to }) => {
            let end = (neuron.column == layer && neuron.unit == from)
                || (neuron.column == layer + 1 && neuron.unit == to);
            if end {
                Standing::Raised
            } else {
                Standing::Receded
            }
        }
    }
}

fn connection_standing(selection: &Selection, connection: &Connection) -> Standing {
    let &Connection { layer, from, to } = connection;
    let this = Item::Connection { layer, from, to };
    if selection.hovered == Some(this) {
        return Standing::Raised;
    }
    let near = match focus_of(selection) {
        None => return Standing::Plain,
        Some(Item::Neuron { column, unit }) => {
            (column == layer && unit == from) || (column == layer + 1 && unit == to)
        }
        Some(item) => item == this,
    };
    if near {
        Standing::Raised
    } else {
        Standing::Receded
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
    mut neurons: Query<(Ref<Neuron>, &mut Standing, &mut Outline), Without<Connection>>,
    mut connections: Query<(Ref<Connection>, &mut Standing), Without<Neuron>>,
) {
    let all = selection.is_changed() || theme.is_changed();
    for (neuron, mut standing, mut ring) in &mut neurons {
        if all || neuron.is_changed() {
            standing.set_if_neq(neuron_standing(&selection, &neuron));
            ring.set_if_neq(outline(&selection, &neuron, *theme));
        }
    }
    for (connection, mut standing) in &mut connections {
        if all || connection.is_changed() {
            standing.set_if_neq(connection_standing(&selection, &connection));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEURON: Item = Item::Neuron { column: 1, unit: 2 };

    #[test]
    fn fan_in_and_fan_out_of_a_selected_neuron_stand_out_and_the_rest_steps_back() {
        let selection = Selection {
            selected: Some(NEURON),
            ..default()
        };
        let standing =
            |layer, from, to| connection_standing(&selection, &Connection { layer, from, to });
        assert_eq!(standing(0, 7, 2), Standing::Raised);
        assert_eq!(standing(1, 2, 0), Standing::Raised);
        assert_eq!(standing(0, 2, 7), Standing::Receded);
        assert_eq!(standing(2, 2, 2), Standing::Receded);
        let neuron = |column, unit| neuron_standing(&selection, &Neuron { column, unit });
        assert_eq!(neuron(1, 2), Standing::Raised);
        assert_eq!(neuron(2, 5), Standing::Plain);
        assert_eq!(neuron(1, 3), Standing::Receded);
        assert_eq!(neuron(3, 2), Standing::Receded);
    }

    #[test]
    fn a_hovered_connection_stands_out_without_dimming_anything() {
        let hovered = Item::Connection {
            layer: 0,
            from: 1,
            to: 2,
        };
        let selection = Selection {
            hovered: Some(hovered),
            selected: None,
        };
        let of = |from| {
            let connection = Connection {
                layer: 0,
                from,
                to: 2,
            };
            connection_standing(&selection, &connection)
        };
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
