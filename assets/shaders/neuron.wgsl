// Neurons: one camera-facing quad each, shaded as a ball; cells of an image are
// upright squares in their column's plane.

#import bevy_pbr::mesh_view_bindings::view

struct Neuron {
    place: vec3<f32>,
    radius: f32,
    color: vec3<f32>,
    // Bit 0: a cell; bit 1: receded.
    kind: f32,
    ring: vec3<f32>,
    ring_alpha: f32,
}

struct Look {
    rim: vec4<f32>,
    row: vec4<f32>,
    shade: f32,
    gloss: f32,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<storage, read> neurons: array<Neuron>;
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var<uniform> look: Look;

struct Varyings {
    @builtin(position) position: vec4<f32>,
    // From the middle, in radii.
    @location(0) at: vec2<f32>,
    @location(1) @interpolate(flat) color: vec3<f32>,
    @location(2) @interpolate(flat) kind: u32,
    @location(3) @interpolate(flat) ring: vec4<f32>,
    // One pixel, in radii.
    @location(4) @interpolate(flat) pixel: f32,
}

// Room around a ball for its ring and its soft edge, in radii.
const ROOM: f32 = 1.35;
const RING_INNER: f32 = 1.08;
const RING_OUTER: f32 = 1.26;

@vertex
fn vertex(@location(0) corner: vec3<f32>) -> Varyings {
    let neuron = neurons[u32(corner.x)];
    let kind = u32(neuron.kind);
    let is_cell = (kind & 1u) == 1u;
    let orthographic = view.clip_from_view[3][3] == 1.0;
    let right = view.world_from_view[0].xyz;
    let up = view.world_from_view[1].xyz;
    var toward = normalize(view.world_position - neuron.place);
    if orthographic {
        toward = view.world_from_view[2].xyz;
    }

    var out: Varyings;
    var world: vec3<f32>;
    if is_cell {
        out.at = corner.yz;
        let grown = 1.0 + 0.35 * neuron.ring_alpha;
        out.at *= grown;
        world = neuron.place
            + neuron.radius * (out.at.x * look.row.xyz + out.at.y * vec3(0.0, 1.0, 0.0))
            + 0.02 * neuron.ring_alpha * toward;
    } else {
        // Facing the eye rather than the screen keeps balls round at the edges.
        let side = normalize(cross(up, toward));
        out.at = corner.yz * ROOM;
        world = neuron.place + neuron.radius * (out.at.x * side + out.at.y * cross(toward, side));
    }
    out.position = view.clip_from_world * vec4(world, 1.0);
    let depth = select(out.position.w, 1.0, orthographic);
    let per_unit = 0.5 * view.viewport.w * view.clip_from_view[1][1] / max(depth, 1e-3);
    out.pixel = 1.0 / max(neuron.radius * per_unit, 1e-3);
    if (kind & 2u) != 0u {
        // Behind everything that did not recede.
        out.position.z *= 0.5;
    }
    if neuron.radius <= 0.0 {
        out.position = vec4(0.0, 0.0, 0.0, 1.0);
    }
    out.color = neuron.color;
    out.kind = kind;
    out.ring = vec4(neuron.ring, neuron.ring_alpha);
    return out;
}

@fragment
fn fragment(in: Varyings) -> @location(0) vec4<f32> {
    if (in.kind & 1u) == 1u {
        let edge = max(abs(in.at.x), abs(in.at.y));
        // A seam between cells, while there are pixels enough for one.
        let seam = 1.0 - 0.06 * smoothstep(0.1, 0.06, in.pixel);
        if edge > 1.0 || (in.ring.a > 0.0 && edge > 0.86) {
            return vec4(in.ring.rgb, in.ring.a);
        }
        return vec4(in.color * select(1.0, 0.6, edge > seam), 1.0);
    }

    let r = length(in.at);
    let ball = clamp((1.0 - r) / in.pixel + 0.5, 0.0, 1.0);
    let ring_edge = min(r - RING_INNER, RING_OUTER - r);
    let ring = in.ring.a * clamp(ring_edge / in.pixel + 0.5, 0.0, 1.0);
    let alpha = max(ball, ring);
    if alpha < 0.02 {
        discard;
    }
    if ring > ball {
        return vec4(in.ring.rgb, ring);
    }
    let inside = min(r, 1.0);
    let normal = vec3(in.at * (inside / max(r, 1e-4)), sqrt(1.0 - inside * inside));
    let light = normalize(vec3(-0.45, 0.65, 0.62));
    let lit = 0.5 + 0.5 * dot(normal, light);
    let receded = select(1.0, 0.0, (in.kind & 2u) != 0u);
    // Wrapped light from the upper left, a broad soft highlight, a rim.
    let shade = mix(1.0 - look.shade, 1.12, lit * lit);
    let halfway = normalize(light + vec3(0.0, 0.0, 1.0));
    let gloss = look.gloss * pow(max(dot(normal, halfway), 0.0), 24.0);
    let edge = 1.0 - normal.z;
    let rim = look.rim.a * edge * edge * receded;
    var color = in.color * shade + vec3(gloss * receded);
    color = mix(color, look.rim.rgb, rim);
    return vec4(color, ball);
}
