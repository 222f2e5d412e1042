// Plates of layers, nodes and blocks: boxes with sharp edges. What the engine does not have is
// hatched and its edges are dashed; of one whose neurons are shown the edges alone are drawn.

#import bevy_pbr::mesh_view_bindings::view

struct Block {
    center: vec3<f32>,
    // Bit 0: the engine has not got it; bit 1: unfolded; bit 2: a block; bit 3: raised;
    // bit 4: nobody knows whether the engine has it.
    kind: f32,
    half: vec3<f32>,
    spare: f32,
    color: vec3<f32>,
    spare2: f32,
    edge: vec3<f32>,
    spare3: f32,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<storage, read> blocks: array<Block>;
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var<uniform> axes: array<vec4<f32>, 2>;

struct Varyings {
    @builtin(position) position: vec4<f32>,
    // From the middle of the face, in world units.
    @location(0) at: vec2<f32>,
    @location(1) @interpolate(flat) reach: vec2<f32>,
    @location(2) @interpolate(flat) slot: u32,
    @location(3) @interpolate(flat) light: f32,
    // World units in a pixel, times depth, so that it is linear on the screen.
    @location(4) pixel: f32,
}

// From one stripe or dash to the next, and the share of each that is drawn.
const STRIPE: f32 = 0.5;
const STRIPE_DRAWN: f32 = 0.28;
const DASH: f32 = 0.34;
const DASH_DRAWN: f32 = 0.58;

@vertex
fn vertex(@location(0) corner: vec3<f32>) -> Varyings {
    let slot = u32(corner.x);
    let block = blocks[slot];
    let face = u32(corner.y);
    let which = u32(corner.z);
    let axis = face / 2u;
    let side = select(-1.0, 1.0, face % 2u == 0u);
    let u = select(-1.0, 1.0, which == 1u || which == 2u);
    let v = select(-1.0, 1.0, which >= 2u);

    let row = axes[0].xyz;
    let deep = axes[1].xyz;
    let up = vec3(0.0, 1.0, 0.0);
    var out: Varyings;
    var place: vec3<f32>;
    var normal: vec3<f32>;
    if axis == 0u {
        normal = side * row;
        place = block.half.x * normal + u * block.half.z * deep + v * block.half.y * up;
        out.reach = block.half.zy;
    } else if axis == 1u {
        normal = side * up;
        place = block.half.y * normal + u * block.half.x * row + v * block.half.z * deep;
        out.reach = block.half.xz;
    } else {
        normal = side * deep;
        place = block.half.z * normal + u * block.half.x * row + v * block.half.y * up;
        out.reach = block.half.xy;
    }
    let world = block.center + place;
    out.at = vec2(u, v) * out.reach;
    out.slot = slot;
    out.light = 0.74 + 0.26 * dot(normal, normalize(vec3(-0.45, 0.75, 0.5)));
    out.position = view.clip_from_world * vec4(world, 1.0);
    let orthographic = view.clip_from_view[3][3] == 1.0;
    let depth = select(out.position.w, 1.0, orthographic);
    out.pixel = max(depth, 1e-3) / (0.5 * view.viewport.w * view.clip_from_view[1][1]);
    if max(block.half.x, block.half.y) <= 0.0 {
        out.position = vec4(0.0, 0.0, 0.0, 1.0);
    }
    return out;
}

@fragment
fn fragment(in: Varyings) -> @location(0) vec4<f32> {
    let block = blocks[in.slot];
    let kind = u32(block.kind);
    let inward = in.reach - abs(in.at);
    // Along the edge that is nearest.
    let along = select(in.at.x, in.at.y, inward.x < inward.y);
    let off = min(inward.x, inward.y) / in.pixel;
    var width = select(1.3, 3.2, (kind & 8u) != 0u);
    if (kind & 4u) != 0u {
        width += 0.6;
    }
    // No plate is all edge.
    width = min(width, 0.3 * min(in.reach.x, in.reach.y) / in.pixel);
    var edge = clamp(width - off + 0.5, 0.0, 1.0);
    if (kind & 17u) != 0u && (kind & 8u) == 0u {
        edge *= select(0.0, 1.0, fract(along / DASH) < DASH_DRAWN);
    }
    if (kind & 2u) != 0u {
        if edge < 0.5 {
            discard;
        }
        return vec4(block.edge, 1.0);
    }
    var color = block.color * in.light;
    if (kind & 1u) != 0u {
        let stripe = fract((in.at.x + in.at.y) / STRIPE) < STRIPE_DRAWN;
        color = mix(color, block.edge, select(0.0, 0.38, stripe));
    }
    if (kind & 4u) != 0u {
        // A second frame tells a block from a node.
        let inner = abs(off - 0.08 / in.pixel - width);
        let second = clamp(1.1 - inner, 0.0, 1.0);
        color = mix(color, block.edge, 0.55 * second);
    }
    return vec4(mix(color, block.edge, edge), 1.0);
}
