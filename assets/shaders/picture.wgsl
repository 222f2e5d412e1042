// Pictures of numbers in the scene: upright sheets of coloured cells, or squares that face
// the eye. All colours are in one buffer; a cell whose alpha is 0 is not there.

#import bevy_pbr::mesh_view_bindings::view

struct Sheet {
    center: vec3<f32>,
    // The number of its first cell.
    first: f32,
    // Half its width, as a vector.
    right: vec3<f32>,
    columns: f32,
    // Half its height, as a vector.
    up: vec3<f32>,
    rows: f32,
    frame: vec3<f32>,
    // Bit 0: faces the eye; bit 1: colours pass into each other; bit 2: receded.
    kind: f32,
    // First row and column of marked cells, and those behind the last; of one that faces
    // the eye, where its dot is: column and row.
    mark: vec4<f32>,
    // The frame's width.
    rim: f32,
    // How far it stands in front of its centre.
    lift: f32,
    // How far its colours go toward the background.
    fade: f32,
    spare: f32,
}

struct Look {
    mark: vec4<f32>,
    ground: vec4<f32>,
    text: vec4<f32>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<storage, read> sheets: array<Sheet>;
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var<storage, read> cells: array<u32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(2) var<uniform> look: Look;

struct Varyings {
    @builtin(position) position: vec4<f32>,
    // From the middle, in halves of the sheet.
    @location(0) at: vec2<f32>,
    @location(1) @interpolate(flat) slot: u32,
    // Cells in a pixel, in the middle of the sheet. Derivatives would tell it too, but
    // software renderers have wrong ones where two triangles meet.
    @location(2) @interpolate(flat) pixel: vec2<f32>,
}

@vertex
fn vertex(@location(0) corner: vec3<f32>) -> Varyings {
    let slot = u32(corner.x);
    let sheet = sheets[slot];
    let kind = u32(sheet.kind);
    let wide = length(sheet.right);
    let high = length(sheet.up);
    var right = sheet.right;
    var up = sheet.up;
    let orthographic = view.clip_from_view[3][3] == 1.0;
    var toward = normalize(view.world_position - sheet.center);
    if orthographic {
        toward = view.world_from_view[2].xyz;
    }
    if (kind & 1u) == 1u {
        right = wide * view.world_from_view[0].xyz;
        up = high * view.world_from_view[1].xyz;
    }
    var out: Varyings;
    out.at = corner.yz * (1.0 + sheet.rim / max(vec2(wide, high), vec2(1e-6)));
    let world = sheet.center + out.at.x * right + out.at.y * up + sheet.lift * toward;
    out.position = view.clip_from_world * vec4(world, 1.0);
    if (kind & 4u) != 0u {
        // Behind everything that did not recede.
        out.position.z *= 0.5;
    }
    if wide <= 0.0 || high <= 0.0 {
        out.position = vec4(0.0, 0.0, 0.0, 1.0);
    }
    out.slot = slot;
    let middle = on_screen(sheet.center);
    let reach = vec2(
        length(on_screen(sheet.center + right) - middle),
        length(on_screen(sheet.center + up) - middle),
    );
    out.pixel = 0.5 * vec2(sheet.columns, sheet.rows) / max(reach, vec2(1e-3));
    return out;
}

// A place of the scene in pixels from the middle of the view.
fn on_screen(place: vec3<f32>) -> vec2<f32> {
    let clip = view.clip_from_world * vec4(place, 1.0);
    return 0.5 * view.viewport.zw * clip.xy / max(clip.w, 1e-3);
}

fn cell(sheet: Sheet, column: i32, row: i32) -> vec4<f32> {
    let x = clamp(column, 0, i32(sheet.columns) - 1);
    let y = clamp(row, 0, i32(sheet.rows) - 1);
    return unpack4x8unorm(cells[u32(sheet.first) + u32(y) * u32(sheet.columns) + u32(x)]);
}

fn to_linear(c: vec3<f32>) -> vec3<f32> {
    let low = c / 12.92;
    let high = pow((c + 0.055) / 1.055, vec3(2.4));
    return select(high, low, c <= vec3(0.04045));
}

@fragment
fn fragment(in: Varyings) -> @location(0) vec4<f32> {
    let sheet = sheets[in.slot];
    let kind = u32(sheet.kind);
    let size = vec2(sheet.columns, sheet.rows);
    // Columns from the left and rows from the top, in cells.
    let place = 0.5 * vec2(1.0 + in.at.x, 1.0 - in.at.y) * size;
    // Cells in a pixel.
    let pixel = max(in.pixel, vec2(1e-4));
    if max(abs(in.at.x), abs(in.at.y)) > 1.0 {
        return vec4(sheet.frame, 1.0);
    }
    var color: vec4<f32>;
    if (kind & 2u) != 0u {
        let spot = place - 0.5;
        let corner = floor(spot);
        let t = spot - corner;
        let c = vec2<i32>(corner);
        let above = mix(cell(sheet, c.x, c.y), cell(sheet, c.x + 1, c.y), t.x);
        let below = mix(cell(sheet, c.x, c.y + 1), cell(sheet, c.x + 1, c.y + 1), t.x);
        color = mix(above, below, t.y);
    } else if max(pixel.x, pixel.y) <= 1.0 {
        color = cell(sheet, i32(place.x), i32(place.y));
        // A line between cells, while there are pixels enough for one.
        let edge = min(fract(place), 1.0 - fract(place)) / pixel;
        if min(edge.x, edge.y) < 0.6 && max(pixel.x, pixel.y) < 0.12 {
            color = vec4(color.rgb * 0.7, color.a);
        }
    } else {
        // The mean of the cells under this pixel, at most four by four of them.
        let n = clamp(vec2<i32>(ceil(pixel)), vec2(1), vec2(4));
        var sum = vec4(0.0);
        for (var j = 0; j < n.y; j++) {
            for (var i = 0; i < n.x; i++) {
                let share = (vec2(f32(i), f32(j)) + 0.5) / vec2<f32>(n) - 0.5;
                let at = place + share * pixel;
                let one = cell(sheet, i32(floor(at.x)), i32(floor(at.y)));
                sum += vec4(one.rgb * one.a, one.a);
            }
        }
        color = vec4(sum.rgb / max(sum.a, 1e-4), sum.a / f32(n.x * n.y));
    }
    var rgb = mix(to_linear(color.rgb), look.ground.rgb, sheet.fade);
    var alpha = color.a;
    if (kind & 1u) == 1u {
        // A dot where the watched sample is.
        let off = length((place - sheet.mark.xy) / pixel);
        let dot = max(2.5, 0.05 * sheet.rows / pixel.y);
        if sheet.mark.z > 0.0 && off < dot + 1.5 {
            rgb = select(look.ground.rgb, look.text.rgb, off < dot);
            alpha = 1.0;
        }
    } else if sheet.mark.z > sheet.mark.x {
        // A frame around what is marked, two pixels wide, between lines of the ground.
        let low = (place - sheet.mark.yx) / pixel;
        let high = (sheet.mark.wz - place) / pixel;
        let inside = min(min(low.x, low.y), min(high.x, high.y));
        if abs(inside) < 3.0 {
            rgb = select(look.ground.rgb, look.mark.rgb, abs(inside) < 1.8);
            alpha = 1.0;
        }
    }
    if alpha < 0.5 {
        discard;
    }
    return vec4(rgb, 1.0);
}
