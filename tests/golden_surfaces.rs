//! Surfaces beside an independent library: the same weights, directions and samples
//! give the same loss at every point of a grid. `tests/golden/generate_surfaces.py`
//! made the reference.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::experiment::NetworkConfig;
use gradscape::landscape::{Axis, Gauge, Plane, Slice, evaluate};
use gradscape::nn::{Activation, LayerKind, LayerSpec, Loss, Network, Shape};
use gradscape::train::Samples;
use ndarray::{Array1, Array2};
use ndarray_npy::NpzReader;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::atomic::AtomicBool;

#[derive(Deserialize)]
struct Reference {
    library: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    input: [usize; 3],
    network: NetworkConfig,
    output: (usize, Activation),
    loss: Loss,
}

impl Case {
    fn network(&self) -> Network {
        let [channels, height, width] = self.input;
        let mut layers = self.network.hidden().unwrap();
        let (units, activation) = self.output;
        layers.push(LayerSpec::new(LayerKind::Dense { units }, activation));
        Network::new(Shape::image(channels, height, width), &layers, self.loss).unwrap()
    }
}

#[test]
fn every_point_of_a_surface_is_pytorch_s_to_five_digits() {
    let reference: Reference = serde_json::from_str(include_str!("golden/surfaces.json")).unwrap();
    assert!(reference.library["torch"].starts_with("2."));
    assert_eq!(reference.cases.len(), 5);
    let bytes = &include_bytes!("golden/surfaces.npz")[..];
    let mut arrays = NpzReader::new(Cursor::new(bytes)).unwrap();
    let mut bad = Vec::new();
    for case in &reference.cases {
        let name = |key: &str| format!("{}/{key}.npy", case.name);
        let x: Array2<f32> = arrays.by_name(&name("x")).unwrap();
        let y: Array2<f32> = arrays.by_name(&name("y")).unwrap();
        let mut vector = |key: &str| -> Vec<f32> {
            let array: Array1<f32> = arrays.by_name(&name(key)).unwrap();
            array.to_vec()
        };
        let plane = Plane::new(vector("center"), vector("u"), vector("v")).unwrap();
        let heights: Array2<f64> = arrays.by_name(&name("heights")).unwrap();
        let (network, samples) = (case.network(), Samples { x, y });
        let axis = Axis::new(-1.0, 1.0, heights.ncols()).unwrap();
        let slice = Slice::new(Gauge::loss(&network, &samples), &plane);
        let go = AtomicBool::new(false);
        let surface = evaluate(&slice, axis, axis, &go, |_| {}, |_| {}).unwrap();
        let errors = surface.loss.iter().zip(&heights);
        let worst = errors.map(|(a, b)| (a - b).abs() / b).fold(0.0, f64::max);
        if worst > 1e-5 {
            bad.push(format!("{}: {worst:.1e}", case.name));
        }
        // A surface that is flat would agree with anything.
        let (low, high) = surface.range().unwrap();
        assert!(high > 10.0 * low, "{}", case.name);
    }
    assert!(bad.is_empty(), "{}", bad.join(", "));
}
