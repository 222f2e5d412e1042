// Connections: ribbons that are widened toward the eye, solid for positive
// values and dashed for negative ones. Of a crowd, THICK draws those that are
// wider than a line and LINES the others.

#import bevy_pbr::mesh_view_bindings::view

struct Connection {
    start: vec3<f32>,
    thickness: f32,
    end: vec3<f32>,
    // Bit 0: negative; bit 1: receded; bit 2: raised.
    kind: f32,
    color: vec3<f32>,
    spare: f32,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<storage, read> connections: array<Connection>;
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var<uniform> background: vec4<f32>;

struct Varyings {
    @builtin(position) position: vec4<f32>,
    // Pixels from the middle of the ribbon.
    @location(0) across: f32,
    // Half its width in pixels.
    @location(1) half_width: f32,
    // Along it, in dashes; 0 all along for solid ones.
    @location(2) along: f32,
    @location(3) @interpolate(flat) color: vec4<f32>,
}

// World units from one dash to the next, and the share that is drawn.
const DASH: f32 = 0.3;
const DRAWN: f32 = 0.62;
// The thinnest ribbon in pixels; below that it gets fainter instead.
const THINNEST: f32 = 1.0;
// Up to so many pixels wide, a connection in a crowd is a line.
const LINE: f32 = 2.0;

@vertex
fn vertex(@location(0) corner: vec3<f32>) -> Varyings {
    let connection = connections[u32(corner.x)];
    let kind = u32(connection.kind);
    let orthographic = view.clip_from_view[3][3] == 1.0;
    let span = connection.end - connection.start;
    let here = select(connection.start, connection.end, corner.y > 0.0);
    var toward = view.world_position - here;
    if orthographic {
        toward = view.world_from_view[2].xyz;
    }
    let side = normalize(cross(span, toward) + vec3(0.0, 1e-9, 0.0));

    // Pixels in a world unit at this end.
    let clip = view.clip_from_world * vec4(here, 1.0);
    let depth = select(clip.w, 1.0, orthographic);
    let per_unit = 0.5 * view.viewport.w * view.clip_from_view[1][1] / max(depth, 1e-3);
    let width = connection.thickness * per_unit;
    let half_width = 0.5 * max(width, THINNEST);
    let reach = half_width + 0.5;

    var out: Varyings;
    out.position = view.clip_from_world * vec4(here + side * (corner.z * reach / per_unit), 1.0);
    if (kind & 2u) != 0u {
        // Behind everything that did not recede.
        out.position.z *= 0.5;
    }
    if connection.thickness <= 0.0 {
        out.position = vec4(0.0, 0.0, 0.0, 1.0);
    }
#ifdef THICK
    let crowded = true;
#else
    let crowded = false;
#endif
#ifdef LINES
    let is_line = true;
#else
    let is_line = false;
#endif
    if crowded || is_line {
        // The thinner, the farther back, behind neurons too: what is strong
        // stays in sight.
        if (kind & 4u) == 0u {
            out.position.z *= mix(0.5, 1.0, smoothstep(0.5, 2.5, width));
        }
        // By its middle, so that both ends agree.
        let middle = view.clip_from_world * vec4(0.5 * (connection.start + connection.end), 1.0);
        let middle_depth = select(middle.w, 1.0, orthographic);
        let scale = 0.5 * view.viewport.w * view.clip_from_view[1][1] / max(middle_depth, 1e-3);
        let thin = connection.thickness * scale <= LINE && (kind & 4u) == 0u;
        if thin != is_line {
            out.position = vec4(2.0, 2.0, 2.0, 1.0);
        }
    }
    out.across = corner.z * reach;
    out.half_width = half_width;
    out.along = 0.0;
    if (kind & 1u) != 0u {
        // A whole number of dashes, with half a gap at each end.
        let dashes = max(round(length(span) / DASH), 1.0);
        out.along = select(0.5 - 0.5 * DRAWN, dashes + 0.5 - 0.5 * DRAWN, corner.y > 0.0)
            - (1.0 - DRAWN);
    }
    let faintest = select(0.35, 0.8, (kind & 4u) != 0u);
    out.color = vec4(connection.color, clamp(width / THINNEST, faintest, 1.0));
    return out;
}

#ifdef LINES

@fragment
fn fragment(in: Varyings) -> @location(0) vec4<f32> {
    let alpha = select(0.12, in.color.a, fract(in.along) <= DRAWN);
    return vec4(mix(background.rgb, in.color.rgb, alpha), 1.0);
}

#else

@fragment
fn fragment(in: Varyings) -> @location(0) vec4<f32> {
    let edge = clamp(in.half_width - abs(in.across) + 0.5, 0.0, 1.0);
    let phase = fract(in.along);
    let alpha = in.color.a * edge * select(0.0, 1.0, phase <= DRAWN);
    if alpha < 0.04 {
        discard;
    }
    return vec4(in.color.rgb, alpha);
}

#endif
