//! One sample's way through a network, layer by layer.

use super::problem::Problem;
use super::snapshot::{Probe, Watched, WatchedPart};
use crate::nn::Workspace;
use ndarray::{ArrayView2, s};

/// The watched sample's way through `problem`'s network with `params`; where
/// something is watched that is not of the data, that of `made`, forwards alone.
pub fn probe(
    problem: &Problem,
    params: &[f32],
    watched: Watched,
    made: &[f32],
    workspace: &mut Workspace<f32>,
) -> Probe {
    let network = &problem.network;
    let layers = 0..network.layers().len();
    let of = |values: &dyn Fn(usize) -> Vec<f32>| layers.clone().map(values).collect();
    if watched.part.is_made()
        && let Ok(x) = ArrayView2::from_shape((1, network.inputs()), made)
    {
        network.forward(params, x, workspace);
        return Probe {
            watched,
            input: made.to_vec(),
            target: Vec::new(),
            z: of(&|l| workspace.z(l).iter().copied().collect()),
            a: of(&|l| workspace.a(l).iter().copied().collect()),
            delta: vec![Vec::new(); layers.len()],
            loss: f64::NAN,
        };
    }
    let samples = match watched.part {
        WatchedPart::Validation if !problem.validation.is_empty() => &problem.validation,
        _ => &problem.train,
    };
    if samples.is_empty() {
        return Probe::default();
    }
    let index = watched.index.min(samples.len() - 1);
    let (x, y) = (
        samples.x.slice(s![index..=index, ..]),
        samples.y.slice(s![index..=index, ..]),
    );
    let mut gradient = vec![0.0; params.len()];
    let loss = network.gradient(params, x, y, workspace, &mut gradient);
    Probe {
        watched: Watched {
            part: watched.part,
            index,
        },
        input: x.iter().copied().collect(),
        target: y.iter().copied().collect(),
        z: of(&|l| workspace.z(l).iter().copied().collect()),
        a: of(&|l| workspace.a(l).iter().copied().collect()),
        delta: of(&|l| workspace.delta(l).iter().copied().collect()),
        loss,
    }
}
