//! Which ways through the network are lit: those by which most of an answer comes.

use super::training::NetworkReplaced;
use crate::insight::contributions::{Contributions, Path};
use bevy::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<WaysShown>().add_observer(forget);
}

/// The ways that are lit, if some are.
#[derive(Resource, Debug, Clone, Default, PartialEq)]
pub struct WaysShown(pub Option<Arc<LitWays>>);

/// Those of another network are no ways through this one.
fn forget(_: On<NetworkReplaced>, mut ways: ResMut<WaysShown>) {
    ways.set_if_neq(WaysShown::default());
}

/// A connection by its layer, source, unit there and unit of the layer.
pub type Link = (usize, usize, usize, usize);

/// The strongest ways from a sample to an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct LitWays {
    /// The strongest first.
    pub ways: Vec<Path>,
    /// What comes through each unit of the strongest one, by all ways: column (0 is the
    /// sample), unit, contribution.
    pub stations: Vec<(usize, usize, f64)>,
    /// The answer.
    pub readout: f64,
    /// For each connection the strongest way through it, as a share of the strongest of
    /// all with its sign.
    links: HashMap<Link, f64>,
    /// For each unit the same, without sign: column and unit.
    units: HashMap<(usize, usize), f64>,
}

impl LitWays {
    /// The `count` strongest of `found`; `None` where nothing comes from the sample.
    pub fn of(found: &Contributions, count: usize) -> Option<Self> {
        let ways: Vec<Path> = found.paths.iter().take(count).cloned().collect();
        let first = ways.first()?;
        let most = first.value.abs();
        let through = |&(column, unit): &(usize, usize)| {
            let value = found.units.get(column).and_then(|units| units.get(unit));
            (column, unit, value.copied().unwrap_or(0.0))
        };
        let stations = first.units.iter().map(through).collect();
        let (mut links, mut units) = (HashMap::new(), HashMap::new());
        // The strongest come first, and what they have taken stays theirs.
        for way in &ways {
            let share = if most > 0.0 { way.value / most } else { 0.0 };
            for link in &way.links {
                let link = (link.layer, link.source, link.from, link.to);
                links.entry(link).or_insert(share);
            }
            for unit in &way.units {
                units.entry(*unit).or_insert(share.abs());
            }
        }
        Some(LitWays {
            stations,
            readout: found.readout,
            links,
            units,
            ways,
        })
    }

    /// The strongest way through a connection, as a share of the strongest of all, with
    /// its sign.
    pub fn link(&self, link: Link) -> Option<f64> {
        self.links.get(&link).copied()
    }

    /// The strongest way through a unit, as a share of the strongest of all.
    pub fn unit(&self, column: usize, unit: usize) -> Option<f64> {
        self.units.get(&(column, unit)).copied()
    }

    /// All connections of the ways, in no order.
    pub fn links(&self) -> impl Iterator<Item = Link> + '_ {
        self.links.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::contributions::contributions;
    use crate::insight::model::Model;
    use crate::nn::{Activation, Loss, Network, Readout};
    use ndarray::arr1;

    #[test]
    fn the_strongest_way_is_full_and_what_two_share_is_the_strongers() {
        let layers = [(2, Activation::Linear), (1, Activation::Linear)];
        let network = Network::dense(2, &layers, Loss::MeanSquaredError).unwrap();
        // Hidden unit 0 reads 3 x_0 - 2 x_1, unit 1 nothing; the output takes unit 0.
        let params = [3.0, -2.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.5_f64];
        let mut model = Model::new(&network, &params);
        let readout = Readout::logit(&network, 0).unwrap();
        let found = contributions(&mut model, &readout, arr1(&[1.0, 1.0]).view(), 5);
        let lit = LitWays::of(&found, 5).unwrap();
        assert_eq!(lit.link((0, 0, 0, 0)), Some(1.0));
        assert_eq!(lit.link((0, 0, 1, 0)), Some(-2.0 / 3.0));
        assert_eq!(lit.link((1, 0, 0, 0)), Some(1.0), "shared by both");
        assert_eq!(lit.link((1, 0, 1, 0)), None);
        assert_eq!(lit.unit(0, 1), Some(2.0 / 3.0));
        // 3 comes from the first value, 3 - 2 through the hidden unit; at the output its
        // bias of 0.5 has come in.
        assert_eq!(lit.stations, [(0, 0, 3.0), (1, 0, 1.0), (2, 0, 1.5)]);
        assert_eq!(lit.readout, 1.5);
        assert_eq!(LitWays::of(&found, 1).unwrap().links().count(), 2);
        assert_eq!(LitWays::of(&found, 0), None);
    }
}
