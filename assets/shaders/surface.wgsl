// The error surface: colour by height, contour lines, a soft light from above.

#import bevy_pbr::{
    mesh_functions,
    mesh_view_bindings::view,
    view_transformations::position_world_to_clip,
}

const COLORS: u32 = 64u;

struct Look {
    // From the floor to the top, linear light.
    colors: array<vec4<f32>, 64>,
    // Strength of contour lines, strength of the plane's grid lines, darkest
    // shade, highlight.
    strength: vec4<f32>,
    // Width of a contour line in pixels.
    pixel: vec4<f32>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> look: Look;

struct Vertex {
    @builtin(instance_index) instance_index: u32,
    @location(0) position: vec3<f32>,
    @location(1) normal: vec3<f32>,
    @location(2) levels: vec2<f32>,
}

struct Varying {
    @builtin(position) clip: vec4<f32>,
    @location(0) world: vec3<f32>,
    @location(1) normal: vec3<f32>,
    @location(2) levels: vec2<f32>,
    @location(3) place: vec2<f32>,
}

@vertex
fn vertex(in: Vertex) -> Varying {
    let world_from_local = mesh_functions::get_world_from_local(in.instance_index);
    let world = mesh_functions::mesh_position_local_to_world(world_from_local, vec4(in.position, 1.0));
    var out: Varying;
    out.clip = position_world_to_clip(world.xyz);
    out.world = world.xyz;
    out.normal = mesh_functions::mesh_normal_local_to_world(in.normal, in.instance_index);
    out.levels = in.levels;
    out.place = in.position.xz;
    return out;
}

// How much of a pixel a line of `width` pixels covers at whole numbers of
// `coordinate`; none where lines would be closer than they are wide.
fn lines(coordinate: f32, width: f32) -> f32 {
    let slope = max(fwidth(coordinate), 1e-6);
    let distance = abs(fract(coordinate + 0.5) - 0.5) / slope;
    let line = 1.0 - smoothstep(0.5 * width - 0.5, 0.5 * width + 0.7, distance);
    return line * (1.0 - smoothstep(0.15, 0.4, slope));
}

@fragment
fn fragment(in: Varying, @builtin(front_facing) is_front: bool) -> @location(0) vec4<f32> {
    let tone = in.levels.x;
    let contour = lines(in.levels.y, look.pixel.x);
    let grid = max(lines(in.place.x, 0.6 * look.pixel.x), lines(in.place.y, 0.6 * look.pixel.x));
    // Above the top nothing is shown: a clean cut, not a false plateau.
    if tone > 1.0005 {
        discard;
    }
    let t = clamp(tone, 0.0, 1.0) * f32(COLORS - 1u);
    let k = min(u32(t), COLORS - 2u);
    var color = mix(look.colors[k].rgb, look.colors[k + 1u].rgb, t - f32(k));

    // Lines lighten the dark part and darken the light part.
    let luminance = dot(color, vec3(0.2126, 0.7152, 0.0722));
    let ink = mix(color + vec3(0.35, 0.38, 0.42), color * 0.25, smoothstep(0.06, 0.22, luminance));
    color = mix(color, ink, grid * look.strength.y);
    color = mix(color, ink, contour * look.strength.x);

    let to_eye = normalize(view.world_position - in.world);
    let side = select(-1.0, 1.0, is_front);
    let normal = side * normalize(in.normal);
    let light = normalize(vec3(-0.45, 0.80, 0.25));
    let lambert = clamp(dot(normal, light), 0.0, 1.0);
    let sky = 0.5 + 0.5 * normal.y;
    let shade = look.strength.z + (1.0 - look.strength.z) * (0.75 * lambert + 0.35 * sky);
    let glint = pow(clamp(dot(normal, normalize(light + to_eye)), 0.0, 1.0), 40.0);
    color = color * shade * select(0.62, 1.0, is_front);
    color += vec3(glint * look.strength.w * select(0.0, 1.0, is_front));
    return vec4(color, 1.0);
}
