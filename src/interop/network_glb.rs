//! A network as binary glTF: its units as balls, its strongest connections as thin prisms,
//! in the picture's plane with each layer's block turned to face the next.
//!
//! The picture of `figure` stands upright: x to the right, from the input to the output,
//! y up, in metres, and the blocks of a layer, which lie in the page there, are turned a
//! quarter about the vertical so that connections run from block to block.

use super::InteropError;
use super::glb::Glb;
use crate::colormap::Diverging;
use crate::figure::{NetworkFigure, NetworkPlan, Tone};
use crate::nn::Network;
use gltf_json::{Index, Node, Scene};
use std::f32::consts::{PI, TAU};
use std::path::Path;

/// Metres from the first column to the last.
const LENGTH: f32 = 3.0;
/// Metres of the tallest column.
const HEIGHT: f32 = 1.6;
/// Connections into a layer from each of its sources, at most.
const CONNECTIONS: usize = 400;
/// Units of one column, at most; of larger ones every so many stands for all.
const UNITS: usize = 1024;
/// Rings and sectors of a ball.
const BALL: (usize, usize) = (6, 10);
/// Sides of a prism.
const SIDES: usize = 6;

/// What is drawn.
#[derive(Debug, Clone)]
pub struct NetworkModel<'a> {
    /// The network.
    pub network: &'a Network,
    /// Its parameters.
    pub params: &'a [f32],
    /// One sample's values: the input, then each layer's activations; units are coloured
    /// by them. Empty for none.
    pub values: &'a [Vec<f32>],
    /// Rows and columns of the image that the input is.
    pub image: Option<(usize, usize)>,
    /// The scene's name.
    pub title: String,
    /// Dark or light.
    pub tone: Tone,
}

/// Writes a network as a `.glb` file, whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub fn write_network_glb(path: &Path, model: &NetworkModel<'_>) -> Result<(), InteropError> {
    let bytes = bytes(path, model)?;
    crate::files::replace(path, &bytes).map_err(|error| InteropError::io(path, error))
}

fn bytes(path: &Path, model: &NetworkModel<'_>) -> Result<Vec<u8>, InteropError> {
    let plan = NetworkFigure {
        network: model.network,
        params: model.params,
        values: model.values,
        image: model.image,
        outputs: &[],
        title: String::new(),
        subtitle: String::new(),
        tone: model.tone,
    }
    .plan(CONNECTIONS);
    let diverging = model.tone.style().diverging;
    let places = Places::of(&plan);
    let mut glb = Glb::default();
    let mut children: Vec<Index<Node>> = Vec::new();
    for (column, units) in places.points.iter().enumerate() {
        let values = model.values.get(column).map_or(&[][..], Vec::as_slice);
        let mut solid = Solid::default();
        let largest = values.iter().fold(f32::MIN_POSITIVE, |m, v| m.max(v.abs()));
        for unit in (0..units.len()).step_by(units.len().div_ceil(UNITS).max(1)) {
            let value = values.get(unit).map_or(0.0, |v| v / largest);
            solid.ball(
                units[unit],
                places.radii[column],
                diverging.at(value).linear(),
            );
        }
        let name = match column {
            0 => "input".to_owned(),
            k => format!("layer {k}"),
        };
        let mesh = solid.into_mesh(&mut glb, &format!("{name}: units"));
        children.extend(mesh.map(|mesh| glb.node(&format!("{name}: units"), mesh)));
    }
    for layer in 0..model.network.layers().len() {
        let mut solid = Solid::default();
        connections(&mut solid, &plan, &places, layer, model.params, &diverging);
        let name = format!("layer {}: connections", layer + 1);
        let mesh = solid.into_mesh(&mut glb, &name);
        children.extend(mesh.map(|mesh| glb.node(&name, mesh)));
    }
    let scene = glb.root.push(Scene {
        name: Some(model.title.clone()).filter(|title| !title.is_empty()),
        nodes: children,
        extensions: None,
        extras: Default::default(),
    });
    glb.root.scene = Some(scene);
    glb.finish()
        .map_err(|error| InteropError::format(path, error.to_string()))
}

fn connections(
    solid: &mut Solid,
    plan: &NetworkPlan,
    places: &Places,
    layer: usize,
    params: &[f32],
    diverging: &Diverging,
) {
    let links = || plan.links.iter().filter(move |link| link.layer == layer);
    let weight = |p: Option<usize>| p.map_or(0.0, |p| params[p]);
    let largest = links()
        .map(|link| weight(link.parameter).abs())
        .filter(|size| size.is_finite())
        .fold(f32::MIN_POSITIVE, f32::max);
    for link in links() {
        let share = (weight(link.parameter) / largest).clamp(-1.0, 1.0);
        let share = if share.is_finite() { share } else { 0.0 };
        let (from, to) = (
            places.points[link.column][link.from],
            places.points[layer + 1][link.to],
        );
        let color = match link.parameter {
            Some(_) => diverging.at(share.signum() * (0.25 + 0.75 * share.abs())),
            None => diverging.at(0.0),
        };
        let width = 0.0012 + 0.006 * share.abs();
        if link.column == layer {
            solid.prism(from, to, width, color.linear());
            continue;
        }
        // Over the layers between.
        let over = |t: f32| {
            let [x, _, z] = mix(from, to, t);
            [x, HEIGHT / 2.0 + 0.12, z]
        };
        let way = [from, over(0.2), over(0.8), to];
        for pair in way.windows(2) {
            solid.prism(pair[0], pair[1], width, color.linear());
        }
    }
}

/// Where units stand, in metres, and how large they are.
struct Places {
    points: Vec<Vec<[f32; 3]>>,
    radii: Vec<f32>,
}

impl Places {
    fn of(plan: &NetworkPlan) -> Self {
        let middle = |points: &[(f64, f64)], of: fn(&(f64, f64)) -> f64| {
            let (lo, hi) = points
                .iter()
                .map(of)
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
                    (a.min(v), b.max(v))
                });
            (lo + hi) / 2.0
        };
        let gaps = plan.columns.len().saturating_sub(1).max(1) as f32;
        let scale = HEIGHT / plan.size.1 as f32 * 1.25;
        let mut places = Places {
            points: Vec::new(),
            radii: Vec::new(),
        };
        for (k, column) in plan.columns.iter().enumerate() {
            let x = LENGTH * (k as f32 / gaps - 0.5);
            let (across, down) = (
                middle(&column.points, |p| p.0),
                middle(&column.points, |p| p.1),
            );
            let points = column.points.iter().map(|p| {
                let (right, below) = ((p.0 - across) as f32, (p.1 - down) as f32);
                [x, -scale * below, scale * right]
            });
            places.points.push(points.collect());
            places.radii.push((scale * column.radius as f32).min(0.05));
        }
        places
    }
}

/// Corners and triangles of many bodies as one mesh.
#[derive(Default)]
struct Solid {
    positions: Vec<[f32; 3]>,
    normals: Vec<[f32; 3]>,
    colors: Vec<[f32; 3]>,
    indices: Vec<u32>,
}

impl Solid {
    fn corner(&mut self, position: [f32; 3], normal: [f32; 3], color: [f32; 3]) {
        self.positions.push(position);
        self.normals.push(normal);
        self.colors.push(color);
    }

    /// Two triangles for each cell of a grid of corners, `across` to a ring.
    fn grid(&mut self, first: usize, rings: usize, across: usize) {
        for ring in 0..rings {
            for sector in 0..across {
                let at = |r: usize, s: usize| (first + r * (across + 1) + s) as u32;
                let [a, b] = [at(ring, sector), at(ring, sector + 1)];
                let [c, d] = [at(ring + 1, sector), at(ring + 1, sector + 1)];
                self.indices.extend([a, c, b, b, c, d]);
            }
        }
    }

    fn ball(&mut self, center: [f32; 3], radius: f32, color: [f32; 3]) {
        let (rings, sectors) = BALL;
        let first = self.positions.len();
        for ring in 0..=rings {
            let (sin, cos) = (PI * ring as f32 / rings as f32).sin_cos();
            for sector in 0..=sectors {
                let (s, c) = (TAU * sector as f32 / sectors as f32).sin_cos();
                let normal = unit([sin * c, cos, -sin * s]);
                let position = std::array::from_fn(|k| center[k] + radius * normal[k]);
                self.corner(position, normal, color);
            }
        }
        self.grid(first, rings, sectors);
    }

    fn prism(&mut self, from: [f32; 3], to: [f32; 3], radius: f32, color: [f32; 3]) {
        let along: [f32; 3] = std::array::from_fn(|k| to[k] - from[k]);
        if along.iter().all(|v| *v == 0.0) {
            return;
        }
        let along = unit(along);
        // Any direction that is not along it.
        let helper = if along[1].abs() < 0.9 {
            [0.0, 1.0, 0.0]
        } else {
            [1.0, 0.0, 0.0]
        };
        let side = unit(cross(along, helper));
        let other = cross(along, side);
        let first = self.positions.len();
        // The far end first, so that the sides are seen from outside.
        for end in [to, from] {
            for k in 0..=SIDES {
                let (s, c) = (TAU * k as f32 / SIDES as f32).sin_cos();
                let normal = unit(std::array::from_fn(|i| c * side[i] + s * other[i]));
                let position = std::array::from_fn(|i| end[i] + radius * normal[i]);
                self.corner(position, normal, color);
            }
        }
        self.grid(first, 1, SIDES);
    }

    fn into_mesh(self, glb: &mut Glb, name: &str) -> Option<Index<gltf_json::Mesh>> {
        let corners = (&self.positions[..], &self.normals[..], &self.colors[..]);
        (!self.indices.is_empty()).then(|| glb.triangles(name, corners, &self.indices))
    }
}

fn unit(v: [f32; 3]) -> [f32; 3] {
    let length = v.iter().map(|c| c * c).sum::<f32>().sqrt();
    v.map(|c| c / length)
}

fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

fn mix(a: [f32; 3], b: [f32; 3], t: f32) -> [f32; 3] {
    std::array::from_fn(|k| a[k] + t * (b[k] - a[k]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Loss};

    #[test]
    fn a_body_is_closed_and_its_normals_point_outwards() {
        let mut solid = Solid::default();
        solid.ball([1.0, 2.0, 3.0], 0.5, [1.0; 3]);
        solid.prism([0.0; 3], [1.0, 1.0, 0.0], 0.1, [1.0; 3]);
        for (p, n) in solid.positions.iter().zip(&solid.normals).take(77) {
            let out: f32 = (0..3).map(|k| (p[k] - [1.0, 2.0, 3.0][k]) * n[k]).sum();
            assert!((out - 0.5).abs() < 1e-5);
        }
        // Triangles are seen from outside: their own normal is on their corners' side.
        for t in solid.indices.chunks(3) {
            let p = |k: usize| solid.positions[t[k] as usize];
            let edge = |a: [f32; 3], b: [f32; 3]| std::array::from_fn(|k| b[k] - a[k]);
            let own = cross(edge(p(0), p(1)), edge(p(0), p(2)));
            let corner = solid.normals[t[0] as usize];
            let side: f32 = (0..3).map(|k| own[k] * corner[k]).sum();
            assert!(side >= -1e-7, "{t:?}");
        }
    }

    #[test]
    fn every_unit_of_a_small_network_is_a_ball_and_every_weight_a_prism() {
        let layers = [(3, Activation::Tanh), (1, Activation::Sigmoid)];
        let network = Network::dense(2, &layers, Loss::BinaryCrossEntropy).unwrap();
        let params = vec![0.5; network.layout().len()];
        let model = NetworkModel {
            network: &network,
            params: &params,
            values: &[],
            image: None,
            title: "a".to_owned(),
            tone: Tone::Dark,
        };
        let bytes = bytes(Path::new("n.glb"), &model).unwrap();
        let json = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
        let root: gltf_json::Root = serde_json::from_slice(&bytes[20..20 + json]).unwrap();
        let count = |mesh: usize| {
            let indices = root.meshes[mesh].primitives[0].indices.unwrap();
            root.accessors[indices.value()].count.0 as usize
        };
        let (ball, prism) = (6 * BALL.0 * BALL.1, 6 * SIDES);
        assert_eq!([0, 1, 2].map(count), [2 * ball, 3 * ball, ball]);
        assert_eq!([3, 4].map(count), [6 * prism, 3 * prism]);
    }
}
