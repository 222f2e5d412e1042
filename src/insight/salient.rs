//! Which connections stand for all of a layer's where there are more than can
//! be drawn.
//!
//! Where every unit reads every value those with the largest weights do. Where
//! units look through windows the largest weights would be the same tap again
//! and again; there whole windows are shown, those of the most active units.

use crate::nn::Connections;
use std::cmp::Reverse;

/// What a choice is made by.
#[derive(Debug, Clone, Copy)]
pub struct Criterion<'a> {
    /// The network's parameters, or as many other values, such as a gradient.
    pub values: &'a [f32],
    /// The activations of the layer's units; empty where they are not known.
    pub activations: &'a [f32],
    /// Feature maps of the layer, which come one after the other.
    pub maps: usize,
    /// Values of the source, and units of the layer, that can be seen: the first ones.
    pub visible: [usize; 2],
}

/// The numbers of the `count` connections to draw, ascending. Those in `first`
/// (ascending) come before all others.
pub fn choose(
    connections: &Connections,
    by: &Criterion<'_>,
    count: usize,
    first: &[usize],
) -> Vec<u32> {
    if count == 0 {
        return Vec::new();
    }
    let [inputs, units] = by.visible;
    let all_seen = inputs >= connections.inputs() && units >= connections.units();
    if all_seen && count >= connections.len() {
        return (0..connections.len() as u32).collect();
    }
    let seen = |index: usize| {
        let link = connections.get(index);
        link.is_some_and(|link| link.from < inputs && link.to < units)
    };
    let mut chosen: Vec<u32> = first
        .iter()
        .filter(|&&index| seen(index))
        .take(count)
        .map(|&index| index as u32)
        .collect();
    let left = count - chosen.len();
    let rest = |index: &usize| first.binary_search(index).is_err() && (all_seen || seen(*index));
    let more = if ranks_weights(connections, by.maps) {
        let candidates = (0..connections.len()).filter(rest);
        strongest(connections, by.values, candidates, left)
    } else {
        windows(connections, by, left, rest)
    };
    chosen.extend(more);
    chosen.sort_unstable();
    chosen
}

/// Whether the connections of a layer with so many feature maps are ranked by
/// weight, one by one.
pub fn ranks_weights(connections: &Connections, maps: usize) -> bool {
    connections.is_full() || (connections.is_weighted() && maps == connections.units())
}

/// Of `candidates` (ascending) the `count` with the largest weights, and of
/// equals the first.
fn strongest(
    connections: &Connections,
    values: &[f32],
    candidates: impl Iterator<Item = usize>,
    count: usize,
) -> Vec<u32> {
    if count == 0 {
        return Vec::new();
    }
    // Of tens of millions only so many are kept at a time: whenever the room is full, those
    // that are not among the strongest so far go.
    let room = 4 * count + 4096;
    let mut ranked: Vec<(Reverse<u32>, u32)> = Vec::new();
    let mut weakest = None;
    for index in candidates {
        let parameter = connections.get(index).and_then(|link| link.parameter);
        let value = parameter.and_then(|p| values.get(p)).copied();
        let this = (Reverse(size(value.unwrap_or(0.0))), index as u32);
        if weakest.is_some_and(|weakest| this > weakest) {
            continue;
        }
        ranked.push(this);
        if ranked.len() >= room {
            ranked.select_nth_unstable(count - 1);
            ranked.truncate(count);
            weakest = ranked.last().copied();
        }
    }
    if count < ranked.len() {
        ranked.select_nth_unstable(count - 1);
    }
    ranked.truncate(count);
    ranked.into_iter().map(|(_, index)| index).collect()
}

/// How many connections the windows of so many units of each feature map have at
/// most, and at least so many as leave a value.
pub fn in_windows(connections: &Connections, maps: usize, windows: usize) -> usize {
    let units = connections.units();
    let pixels = (units / maps.max(1)).max(1);
    let largest = (0..pixels.min(units))
        .map(|unit| connections.into_unit(unit).len())
        .max();
    let inputs = connections.inputs();
    let sampled = (0..inputs).step_by(inputs / 16 + 1);
    let leaving = sampled
        .map(|from| connections.out_of(from).count())
        .max()
        .unwrap_or(0);
    if windows >= pixels {
        return connections.len();
    }
    connections
        .len()
        .min((windows * maps * largest.unwrap_or(0)).max(leaving))
}

/// Magnitudes in an order; NaN is 0.
fn size(value: f32) -> u32 {
    if value.is_nan() {
        0
    } else {
        value.abs().to_bits()
    }
}

/// Whole windows, first that of each map's most active unit, the most active
/// map first, then those of the second ones, and so on.
fn windows(
    connections: &Connections,
    by: &Criterion<'_>,
    count: usize,
    rest: impl Fn(&usize) -> bool,
) -> Vec<u32> {
    let maps = by.maps.max(1);
    let pixels = (connections.units() / maps).max(1);
    let activity = |unit: usize| size(by.activations.get(unit).copied().unwrap_or(0.0));
    // The middle first where nothing is active.
    let off_middle = |unit: usize| (unit % pixels).abs_diff(pixels / 2);
    let window = connections.into_unit(connections.units() / 2).len().max(1);
    let rounds = (count / window / maps + 2).min(pixels);
    let mut order: Vec<(usize, Reverse<u32>, usize)> = Vec::new();
    for map in 0..maps {
        let own = map * pixels..((map + 1) * pixels).min(by.visible[1]);
        let mut units: Vec<_> = own
            .map(|unit| (Reverse(activity(unit)), off_middle(unit), unit))
            .collect();
        if rounds < units.len() {
            units.select_nth_unstable(rounds - 1);
            units.truncate(rounds);
        }
        units.sort_unstable();
        let ranked = units.into_iter().enumerate();
        order.extend(ranked.map(|(round, (activity, _, unit))| (round, activity, unit)));
    }
    order.sort_unstable();
    let mut chosen = Vec::new();
    for (_, _, unit) in order {
        let own: Vec<usize> = connections.into_unit(unit).filter(&rest).collect();
        let room = count - chosen.len();
        if own.len() <= room {
            chosen.extend(own.iter().map(|&index| index as u32));
        } else {
            // What is left over goes to the strongest of one more window.
            chosen.extend(strongest(connections, by.values, own.into_iter(), room));
            break;
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::layer::{Conv, Pool};
    use crate::nn::{Activation, LayerKind, LayerSpec, Loss, Network, Shape};

    fn dense(inputs: usize, units: usize) -> Connections {
        let layers = [(units, Activation::Linear)];
        let network = Network::dense(inputs, &layers, Loss::MeanSquaredError).unwrap();
        Connections::of(&network, 0, 0).unwrap()
    }

    fn image(kind: LayerKind) -> Connections {
        let specs = [LayerSpec::new(kind, Activation::Linear)];
        let network = Network::new(Shape::image(2, 6, 6), &specs, Loss::MeanSquaredError);
        Connections::of(&network.unwrap(), 0, 0).unwrap()
    }

    fn by<'a>(values: &'a [f32], activations: &'a [f32], maps: usize) -> Criterion<'a> {
        Criterion {
            values,
            activations,
            maps,
            visible: [usize::MAX; 2],
        }
    }

    #[test]
    fn the_strongest_are_those_largest_in_magnitude() {
        let weights = [0.1, -3.0, 2.0, 0.0, -2.5, f32::NAN];
        let connections = dense(6, 1);
        let of = |count| choose(&connections, &by(&weights, &[], 1), count, &[]);
        assert_eq!(of(3), [1, 2, 4]);
        assert_eq!(of(9), [0, 1, 2, 3, 4, 5]);
        assert!(of(0).is_empty());
        let equal = choose(&dense(5, 1), &by(&[1.0; 5], &[], 1), 2, &[]);
        assert_eq!(equal, [0, 1]);
    }

    #[test]
    fn what_has_to_be_shown_comes_before_what_is_strong() {
        let weights = [0.1, -3.0, 2.0, 0.0];
        let chosen = choose(&dense(4, 1), &by(&weights, &[], 1), 2, &[3]);
        assert_eq!(chosen, [1, 3]);
    }

    #[test]
    fn what_cannot_be_seen_is_not_chosen() {
        let weights: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let seen = Criterion {
            visible: [2, 2],
            ..by(&weights, &[], 3)
        };
        assert_eq!(choose(&dense(4, 3), &seen, 9, &[11]), [0, 1, 4, 5]);
    }

    #[test]
    fn a_convolution_shows_the_window_of_each_maps_most_active_unit() {
        let connections = image(LayerKind::Conv(Conv::square(3, 3)));
        let mut activations = vec![0.0; 3 * 16];
        activations[5] = 1.0;
        activations[16 + 9] = -4.0;
        activations[32 + 15] = 2.0;
        let weights = vec![1.0; 3 * 2 * 9];
        let chosen = choose(&connections, &by(&weights, &activations, 3), 2 * 18, &[]);
        let mut units: Vec<usize> = chosen
            .iter()
            .map(|&i| connections.get(i as usize).unwrap().to)
            .collect();
        units.dedup();
        assert_eq!(
            units,
            [16 + 9, 32 + 15],
            "the two most active of three, whole"
        );
        assert_eq!(chosen.len(), 36);
    }

    #[test]
    fn windows_without_weights_are_whole_too_and_the_rest_of_the_count_is_used() {
        let connections = image(LayerKind::MaxPool(Pool::square(2)));
        let activations: Vec<f32> = (0..18).map(|i| i as f32).collect();
        let chosen = choose(&connections, &by(&[], &activations, 2), 10, &[]);
        assert_eq!(chosen.len(), 10);
        let whole = connections.into_unit(17).chain(connections.into_unit(8));
        for index in whole {
            assert!(chosen.contains(&(index as u32)), "{index}");
        }
    }
}
