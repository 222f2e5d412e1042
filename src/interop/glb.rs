//! Binary glTF 2.0 (Khronos Group, ISO/IEC 12113) in the making: meshes, materials and
//! nodes, and the bytes behind them.

use crate::colormap::Rgb;
use gltf_json::accessor::{ComponentType, GenericComponentType, Type};
use gltf_json::buffer::{Buffer, Target, View};
use gltf_json::material::{EmissiveFactor, PbrBaseColorFactor, StrengthFactor};
use gltf_json::mesh::{Mode, Primitive, Semantic};
use gltf_json::validation::{Checked, USize64};
use gltf_json::{Accessor, Asset, Index, Material, Mesh, Node, Root};

/// A file in the making.
#[derive(Default)]
pub(super) struct Glb {
    pub(super) root: Root,
    bytes: Vec<u8>,
}

impl Glb {
    pub(super) fn lines(
        &mut self,
        mode: Mode,
        points: &[[f32; 3]],
        material: Index<Material>,
    ) -> Primitive {
        let positions = self.vectors(points);
        Primitive {
            attributes: [(Checked::Valid(Semantic::Positions), positions)].into(),
            ..primitive(mode, material)
        }
    }

    /// A material that has its colour under any light and under none: viewers
    /// take a line's from the base, the emission, or both.
    pub(super) fn glowing(&mut self, name: &str, color: Rgb) -> Index<Material> {
        let [r, g, b] = color.linear();
        self.root.push(Material {
            name: Some(name.to_owned()),
            emissive_factor: EmissiveFactor(color.linear().map(|c| 0.5 * c)),
            pbr_metallic_roughness: gltf_json::material::PbrMetallicRoughness {
                base_color_factor: PbrBaseColorFactor([r, g, b, 1.0]),
                metallic_factor: StrengthFactor(0.0),
                ..Default::default()
            },
            ..Default::default()
        })
    }

    pub(super) fn mesh(&mut self, name: &str, primitives: Vec<Primitive>) -> Index<Mesh> {
        self.root.push(Mesh {
            name: Some(name.to_owned()),
            primitives,
            extensions: None,
            extras: Default::default(),
            weights: None,
        })
    }

    pub(super) fn node(&mut self, name: &str, mesh: Index<Mesh>) -> Index<Node> {
        self.root.push(Node {
            name: Some(name.to_owned()),
            mesh: Some(mesh),
            ..Default::default()
        })
    }

    /// Three floats a point, with their bounds.
    pub(super) fn vectors(&mut self, values: &[[f32; 3]]) -> Index<Accessor> {
        let fold = |of: fn(f32, f32) -> f32| {
            let bounds = values
                .iter()
                .copied()
                .reduce(|a, b| std::array::from_fn(|k| of(a[k], b[k])));
            Some(serde_json::json!(bounds.unwrap_or_default()))
        };
        let (min, max) = (fold(f32::min), fold(f32::max));
        let bytes: Vec<u8> = values
            .iter()
            .flatten()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        let view = self.view(&bytes, Target::ArrayBuffer);
        let accessor = accessor(view, values.len(), ComponentType::F32, Type::Vec3);
        self.root.push(Accessor {
            min,
            max,
            ..accessor
        })
    }

    pub(super) fn indices(&mut self, values: &[u32]) -> Index<Accessor> {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let view = self.view(&bytes, Target::ElementArrayBuffer);
        let accessor = accessor(view, values.len(), ComponentType::U32, Type::Scalar);
        self.root.push(accessor)
    }

    /// All values have 4 bytes, so that every view begins where one may.
    pub(super) fn view(&mut self, bytes: &[u8], target: Target) -> Index<View> {
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.root.push(View {
            buffer: Index::new(0),
            byte_length: USize64::from(bytes.len()),
            byte_offset: Some(USize64::from(offset)),
            byte_stride: None,
            name: None,
            target: Some(Checked::Valid(target)),
            extensions: None,
            extras: Default::default(),
        })
    }

    /// The header and the two chunks, each as long as a multiple of 4.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, serde_json::Error> {
        self.root.asset = Asset {
            generator: Some(format!("gradscape {}", env!("CARGO_PKG_VERSION"))),
            ..Default::default()
        };
        self.root.buffers = vec![Buffer {
            byte_length: USize64::from(self.bytes.len()),
            name: None,
            uri: None,
            extensions: None,
            extras: Default::default(),
        }];
        let mut json = self.root.to_vec()?;
        json.resize(json.len().next_multiple_of(4), b' ');
        let length = 12 + 8 + json.len() + 8 + self.bytes.len();
        let mut out = Vec::with_capacity(length);
        let word = |v: usize| (v as u32).to_le_bytes();
        out.extend_from_slice(b"glTF");
        out.extend(word(2));
        out.extend(word(length));
        for (kind, chunk) in [(b"JSON", json), (b"BIN\0", self.bytes)] {
            out.extend(word(chunk.len()));
            out.extend_from_slice(kind);
            out.extend(chunk);
        }
        Ok(out)
    }

    /// Triangles, each corner with its position, normal and colour, seen from either side.
    pub(super) fn triangles(
        &mut self,
        name: &str,
        (positions, normals, colors): (&[[f32; 3]], &[[f32; 3]], &[[f32; 3]]),
        indices: &[u32],
    ) -> Index<Mesh> {
        let attributes = [
            (Semantic::Positions, self.vectors(positions)),
            (Semantic::Normals, self.vectors(normals)),
            (Semantic::Colors(0), self.vectors(colors)),
        ];
        let indices = self.indices(indices);
        let material = self.root.push(Material {
            name: Some(name.to_owned()),
            double_sided: true,
            pbr_metallic_roughness: gltf_json::material::PbrMetallicRoughness {
                metallic_factor: StrengthFactor(0.0),
                roughness_factor: StrengthFactor(0.7),
                ..Default::default()
            },
            ..Default::default()
        });
        self.mesh(
            name,
            vec![Primitive {
                attributes: attributes
                    .into_iter()
                    .map(|(semantic, accessor)| (Checked::Valid(semantic), accessor))
                    .collect(),
                indices: Some(indices),
                ..primitive(Mode::Triangles, material)
            }],
        )
    }
}

pub(super) fn primitive(mode: Mode, material: Index<Material>) -> Primitive {
    Primitive {
        attributes: Default::default(),
        extensions: None,
        extras: Default::default(),
        indices: None,
        material: Some(material),
        mode: Checked::Valid(mode),
        targets: None,
    }
}

fn accessor(view: Index<View>, count: usize, component: ComponentType, kind: Type) -> Accessor {
    Accessor {
        buffer_view: Some(view),
        byte_offset: None,
        count: USize64::from(count),
        component_type: Checked::Valid(GenericComponentType(component)),
        extensions: None,
        extras: Default::default(),
        type_: Checked::Valid(kind),
        min: None,
        max: None,
        name: None,
        normalized: false,
        sparse: None,
    }
}
