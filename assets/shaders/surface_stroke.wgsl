// Lines of constant width on the screen with round ends and smooth edges. A
// stroke is a quad around its two ends; the fragment's distance from the
// segment between them, in pixels, decides how much of the pixel it covers.

#import bevy_pbr::{
    mesh_functions,
    mesh_view_bindings::view,
    view_transformations::position_world_to_clip,
}

struct Look {
    // Pixels per point, opacity, share of the distance to the eye by which
    // strokes stand before what they lie on.
    scale: f32,
    opacity: f32,
    lift: f32,
    spare: f32,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> look: Look;

struct Vertex {
    @builtin(instance_index) instance_index: u32,
    @location(0) near_end: vec3<f32>,
    @location(1) far_end: vec3<f32>,
    // Corner (0 to 3) and width in points.
    @location(2) shape: vec2<f32>,
    @location(5) color: vec4<f32>,
}

struct Varying {
    @builtin(position) clip: vec4<f32>,
    @location(0) @interpolate(flat) ends: vec4<f32>,
    @location(1) @interpolate(flat) color: vec4<f32>,
    @location(2) @interpolate(flat) radius: f32,
}

const NEAREST: f32 = 0.02;

fn framebuffer(clip: vec4<f32>) -> vec2<f32> {
    let ndc = clip.xy / clip.w;
    return view.viewport.xy + (ndc * vec2(0.5, -0.5) + 0.5) * view.viewport.zw;
}

@vertex
fn vertex(in: Vertex) -> Varying {
    let world_from_local = mesh_functions::get_world_from_local(in.instance_index);
    var a = mesh_functions::mesh_position_local_to_clip(world_from_local, vec4(in.near_end, 1.0));
    var b = mesh_functions::mesh_position_local_to_clip(world_from_local, vec4(in.far_end, 1.0));
    var out: Varying;
    out.color = in.color;
    out.radius = 0.5 * in.shape.y * look.scale;
    if in.shape.y <= 0.0 || (a.w < NEAREST && b.w < NEAREST) {
        out.clip = vec4(2.0, 2.0, 2.0, 1.0);
        return out;
    }
    // What is behind the eye is cut off.
    let difference = b.w - a.w;
    if a.w < NEAREST {
        a = mix(a, b, (NEAREST - a.w) / difference);
    } else if b.w < NEAREST {
        b = mix(a, b, (NEAREST - a.w) / difference);
    }
    let pa = framebuffer(a);
    let pb = framebuffer(b);
    out.ends = vec4(pa, pb);
    var along = pb - pa;
    let length = length(along);
    along = select(vec2(1.0, 0.0), along / length, length > 1e-4);
    let across = vec2(-along.y, along.x);
    let corner = u32(in.shape.x + 0.5);
    let is_b = corner >= 2u;
    let reach = out.radius + 1.0;
    let sign = select(-1.0, 1.0, corner == 1u || corner == 2u);
    let pixel = select(pa - along * reach, pb + along * reach, is_b) + sign * reach * across;
    let clip = select(a, b, is_b);
    let ndc = ((pixel - view.viewport.xy) / view.viewport.zw - 0.5) * vec2(2.0, -2.0);
    // Depth is near / w: a little larger is a little nearer.
    out.clip = vec4(ndc * clip.w, min(clip.z * (1.0 + look.lift), clip.w), clip.w);
    return out;
}

@fragment
fn fragment(in: Varying) -> @location(0) vec4<f32> {
    let from_a = in.clip.xy - in.ends.xy;
    let span = in.ends.zw - in.ends.xy;
    let t = clamp(dot(from_a, span) / max(dot(span, span), 1e-8), 0.0, 1.0);
    let distance = length(from_a - t * span);
    let radius = max(in.radius, 0.5);
    // A line that is thinner than a pixel is a fainter one.
    let cover = clamp(radius + 0.5 - distance, 0.0, 1.0) * min(2.0 * in.radius, 1.0);
    let alpha = in.color.a * cover * look.opacity;
    if alpha < 0.004 {
        discard;
    }
    return vec4(in.color.rgb, alpha);
}
