// A shiny ball.

#import bevy_pbr::{
    mesh_functions,
    mesh_view_bindings::view,
    view_transformations::position_world_to_clip,
}

struct Look {
    color: vec4<f32>,
    // Of the outline, which keeps the ball visible on every colour.
    outline: vec4<f32>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> look: Look;

struct Vertex {
    @builtin(instance_index) instance_index: u32,
    @location(0) position: vec3<f32>,
    @location(1) normal: vec3<f32>,
}

struct Varying {
    @builtin(position) clip: vec4<f32>,
    @location(0) world: vec3<f32>,
    @location(1) normal: vec3<f32>,
}

@vertex
fn vertex(in: Vertex) -> Varying {
    let world_from_local = mesh_functions::get_world_from_local(in.instance_index);
    let world = mesh_functions::mesh_position_local_to_world(world_from_local, vec4(in.position, 1.0));
    var out: Varying;
    out.clip = position_world_to_clip(world.xyz);
    out.world = world.xyz;
    out.normal = mesh_functions::mesh_normal_local_to_world(in.normal, in.instance_index);
    return out;
}

@fragment
fn fragment(in: Varying) -> @location(0) vec4<f32> {
    let normal = normalize(in.normal);
    let to_eye = normalize(view.world_position - in.world);
    let light = normalize(vec3(-0.45, 0.80, 0.25) + 0.8 * to_eye);
    let lambert = clamp(dot(normal, light), 0.0, 1.0);
    let glint = pow(clamp(dot(normal, normalize(light + to_eye)), 0.0, 1.0), 60.0);
    let facing = clamp(dot(normal, to_eye), 0.0, 1.0);
    var color = look.color.rgb * (0.35 + 0.75 * lambert);
    color = mix(color, look.outline.rgb, (1.0 - smoothstep(0.28, 0.44, facing)) * look.outline.a);
    return vec4(color + vec3(0.8 * glint), 1.0);
}
