//! The edges of a network's graph against what the network does: move a value,
//! and see what changes.
#![allow(clippy::unwrap_used)]

use gradscape::nn::layer::{BatchNorm, Conv, Pool};
use gradscape::nn::{
    Activation, Connections, LayerKind, LayerSpec, Link, Loss, Network, Shape, Source, Workspace,
};
use ndarray::Array2;
use std::collections::BTreeSet;

fn kinds() -> Vec<LayerKind> {
    let conv = Conv::square(4, 3);
    vec![
        LayerKind::Dense { units: 5 },
        LayerKind::Conv(conv),
        LayerKind::Conv(Conv {
            padding: [1, 2],
            stride: [2, 1],
            ..conv
        }),
        LayerKind::Conv(Conv {
            dilation: [2, 1],
            kernel: [2, 3],
            padding: [2, 0],
            ..conv
        }),
        LayerKind::Conv(Conv {
            groups: 2,
            bias: false,
            ..conv
        }),
        LayerKind::Conv(Conv {
            kernel: [6, 5],
            ..conv
        }),
        LayerKind::MaxPool(Pool::square(2)),
        LayerKind::MaxPool(Pool {
            stride: [1, 2],
            padding: [1, 1],
            ..Pool::square(3)
        }),
        LayerKind::AvgPool(Pool {
            size: [3, 2],
            stride: [2, 2],
            ..Pool::square(1)
        }),
        LayerKind::GlobalAvgPool,
        LayerKind::Flatten,
        LayerKind::Dropout { rate: 0.4 },
        LayerKind::BatchNorm(BatchNorm::default()),
        LayerKind::PRelu { slope: 0.25 },
    ]
}

const INPUT: Shape = Shape::image(2, 6, 5);

fn network(kind: LayerKind) -> Network {
    let spec = LayerSpec::new(kind, Activation::Linear);
    Network::new(INPUT, &[spec], Loss::MeanSquaredError).unwrap()
}

/// Numbers without a pattern, none of them 0.
fn noise(n: usize, salt: u64) -> Vec<f32> {
    let mut x = salt.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..n)
        .map(|_| {
            x = x
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let v = (x >> 40) as f32 / (1 << 24) as f32;
            0.2 + v
        })
        .collect()
}

fn z(network: &Network, params: &[f32], x: &[f32]) -> Vec<f32> {
    let mut workspace = Workspace::new(network, 1);
    let x = Array2::from_shape_vec((1, x.len()), x.to_vec()).unwrap();
    network.forward(params, x.view(), &mut workspace);
    workspace
        .z(network.layers().len() - 1)
        .iter()
        .copied()
        .collect()
}

fn links(connections: &Connections) -> Vec<Link> {
    (0..connections.len())
        .map(|i| connections.get(i).unwrap())
        .collect()
}

#[test]
fn a_value_reaches_exactly_the_units_that_its_connections_say() {
    for kind in kinds() {
        let network = network(kind);
        let params = noise(network.layout().len(), 3);
        let x = noise(INPUT.size(), 5);
        let connections = Connections::of(&network, 0, 0).unwrap();
        let said: BTreeSet<(usize, usize)> =
            links(&connections).iter().map(|l| (l.from, l.to)).collect();
        assert_eq!(
            said.len(),
            connections.len(),
            "{kind:?}: no connection twice"
        );
        let before = z(&network, &params, &x);
        let mut seen = BTreeSet::new();
        for from in 0..x.len() {
            // Far enough up to win every pool.
            let mut moved = x.clone();
            moved[from] += 7.0;
            let after = z(&network, &params, &moved);
            seen.extend(
                (0..after.len())
                    .filter(|&to| after[to] != before[to])
                    .map(|to| (from, to)),
            );
        }
        assert_eq!(said, seen, "{kind:?}");
    }
}

#[test]
fn weights_times_what_they_connect_are_the_pre_activation() {
    for kind in kinds() {
        let network = network(kind);
        let connections = Connections::of(&network, 0, 0).unwrap();
        if !connections.is_weighted() {
            assert!(
                links(&connections).iter().all(|l| l.parameter.is_none()),
                "{kind:?}"
            );
            continue;
        }
        let params = noise(network.layout().len(), 11);
        let x = noise(INPUT.size(), 13);
        let mut sums: Vec<f32> = (0..network.outputs())
            .map(|unit| network.bias_of(0, unit).map_or(0.0, |b| params[b]))
            .collect();
        for link in links(&connections) {
            sums[link.to] += params[link.parameter.unwrap()] * x[link.from];
        }
        for (sum, z) in sums.iter().zip(z(&network, &params, &x)) {
            assert!((sum - z).abs() < 1e-4 * z.abs(), "{kind:?}: {sum} {z}");
        }
    }
}

#[test]
fn ranges_walks_and_numbers_agree_with_the_enumeration() {
    for kind in kinds() {
        let network = network(kind);
        let connections = Connections::of(&network, 0, 0).unwrap();
        let all = links(&connections);
        assert_eq!(connections.get(all.len()), None);
        let mut at = 0;
        for to in 0..connections.units() {
            let range = connections.into_unit(to);
            assert_eq!(range.start, at, "{kind:?}: units follow each other");
            assert!(all[range.clone()].iter().all(|l| l.to == to), "{kind:?}");
            at = range.end;
        }
        assert_eq!(at, all.len());
        for from in 0..connections.inputs() {
            let walked: BTreeSet<usize> = connections.out_of(from).collect();
            let leaving = (0..all.len()).filter(|&i| all[i].from == from);
            assert_eq!(walked, leaving.collect(), "{kind:?}: out of {from}");
        }
        for (index, link) in all.iter().enumerate().step_by(7) {
            assert_eq!(
                connections.number(link.from, link.to),
                Some(index),
                "{kind:?}"
            );
        }
    }
}

#[test]
fn the_first_layer_of_lenet_has_as_many_connections_as_its_arithmetic() {
    let spec = LayerSpec::new(LayerKind::Conv(Conv::square(6, 5)), Activation::Relu);
    let network = Network::new(Shape::image(1, 28, 28), &[spec], Loss::MeanSquaredError).unwrap();
    let connections = Connections::of(&network, 0, 0).unwrap();
    // 6 maps of 24 x 24 units with 25 taps each (LeCun et al. 1998, layer C1, less the bias).
    assert_eq!(connections.len(), 6 * 24 * 24 * 25);
    assert_eq!(connections.len(), network.layers()[0].multiply_adds());
}

#[test]
fn each_source_of_a_sum_is_connected_one_to_one() {
    let dense = |units| LayerSpec::new(LayerKind::Dense { units }, Activation::Tanh);
    let mut sum = LayerSpec::new(LayerKind::Add, Activation::Linear);
    sum.sources = vec![Source::Layer(1), Source::Layer(0)];
    let specs = [dense(3), dense(3), sum];
    let network = Network::new(Shape::flat(2), &specs, Loss::MeanSquaredError).unwrap();
    let both = network.connections(2);
    assert_eq!(both.len(), 2);
    for connections in &both {
        let pairs: Vec<_> = links(connections).iter().map(|l| (l.from, l.to)).collect();
        assert_eq!(pairs, [(0, 0), (1, 1), (2, 2)]);
    }
    assert_eq!(network.layers()[2].sources()[1].column(), 1);
}
