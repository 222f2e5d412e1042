// The error surface in three dimensions, turned by hand, with the optimiser's path; the
// same as a map from above, which also serves where there is no WebGL.

// Columns of a 4 by 4 matrix, as WebGL wants them.
function product(a, b) {
  const out = new Float32Array(16);
  for (let c = 0; c < 4; c += 1) for (let r = 0; r < 4; r += 1) {
    for (let k = 0; k < 4; k += 1) out[4 * c + r] += a[4 * k + r] * b[4 * c + k];
  }
  return out;
}

const SURFACE_VERTEX = `
attribute vec3 at; attribute vec3 normal; attribute float share;
uniform mat4 all; varying vec3 n; varying float v;
void main() { gl_Position = all * vec4(at, 1.0); n = normal; v = share; }`;
const SURFACE_FRAGMENT = `
#extension GL_OES_standard_derivatives : enable
precision highp float;
varying vec3 n; varying float v; uniform sampler2D map; uniform float levels; uniform vec3 light; uniform float ink;
void main() {
  vec3 m = normalize(gl_FrontFacing ? n : -n);
  vec3 c = texture2D(map, vec2(clamp(v, 0.004, 0.996), 0.5)).rgb;
  float lit = 0.62 + 0.42 * max(dot(m, light), 0.0);
  float s = v * levels, width = fwidth(s);
  float line = 1.0 - smoothstep(0.6, 1.5, abs(fract(s - 0.5) - 0.5) / max(width, 1e-5));
  // Where lines would lie closer than three pixels there are none.
  line *= 1.0 - smoothstep(0.2, 0.4, width);
  gl_FragColor = vec4(mix(c * lit, vec3(ink), 0.3 * line), 1.0);
}`;
const LINE_VERTEX = `
attribute vec3 at; attribute vec3 to; attribute float side; attribute float when;
uniform mat4 all; uniform vec2 size; uniform float width; varying float age;
void main() {
  vec4 a = all * vec4(at, 1.0), b = all * vec4(to, 1.0);
  vec2 d = normalize((b.xy / b.w - a.xy / a.w) * size + vec2(1e-6, 0.0));
  gl_Position = a;
  gl_Position.xy += vec2(-d.y, d.x) * side * width / size * a.w;
  gl_Position.z -= 0.0015 * a.w;
  age = when;
}`;
const LINE_FRAGMENT = `
precision highp float;
uniform vec4 color; uniform float now; varying float age;
void main() { if (age > now) discard; gl_FragColor = color; }`;

function program(gl, vertex, fragment) {
  const made = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) return null;
  const places = {};
  for (let k = 0; k < gl.getProgramParameter(made, gl.ACTIVE_ATTRIBUTES); k += 1) {
    const { name } = gl.getActiveAttrib(made, k);
    places[name] = gl.getAttribLocation(made, name);
  }
  for (let k = 0; k < gl.getProgramParameter(made, gl.ACTIVE_UNIFORMS); k += 1) {
    const { name } = gl.getActiveUniform(made, k);
    places[name] = gl.getUniformLocation(made, name);
  }
  return { made, places };
}

// How losses become heights and colours.
function reliefScale(log) {
  const values = [relief.lo, relief.hi];
  for (const v of relief.loss) if (Number.isFinite(v)) values.push(v);
  let least = Infinity;
  for (const v of relief.z) if (v > 0) least = Math.min(least, v);
  // A path far above the surface is cut off rather than flattening it.
  const top = Math.max(relief.hi, ...relief.loss.filter(v => v <= 2 * relief.hi - relief.lo));
  const lo = Math.min(...values.filter(v => !log || v > 0)), hi = top;
  const raw = v => log ? Math.log10(Math.max(v, least)) : v;
  const [a, b] = [raw(lo), raw(hi)];
  return { log, lo, hi, share: v => b > a ? (raw(v) - a) / (b - a) : 0.5, ticks: log ? logTicks(lo, hi) : niceTicks(lo, hi, 6) };
}

function buildRelief() {
  const place = byId("relief");
  if (!relief) {
    place.remove();
    const words = byId("surface-words");
    view({ words: () => { words.textContent = t("surface.none"); } });
    return;
  }
  const [nx, ny] = relief.n, [lo, hi] = relief.range;
  const logPossible = relief.z.every(v => !(v <= 0)) && relief.loss.every(v => !(v <= 0));
  let scale = reliefScale(logPossible && relief.hi / relief.lo > 30);
  const canvas = make("canvas", { class: "scene", id: "scene" });
  const overlay = make("canvas", { class: "overlay", tabindex: "0", role: "img", id: "scene-labels" });
  const bar = make("canvas", { class: "bar-canvas", role: "img" });
  const stage = make("div", { class: "stage" }, canvas, overlay);
  place.append(stage, make("div", { class: "colorbar" }, bar));
  const gl = canvas.getContext("webgl", { antialias: true, alpha: true, preserveDrawingBuffer: true });
  const derivatives = gl && gl.getExtension("OES_standard_derivatives") && gl.getExtension("OES_element_index_uint");
  const surfaceProgram = derivatives && program(gl, SURFACE_VERTEX, SURFACE_FRAGMENT);
  const lineProgram = surfaceProgram && program(gl, LINE_VERTEX, LINE_FRAGMENT);
  const deep = Boolean(lineProgram);
  let mode = deep ? "deep" : "map";
  let turning = deep && !still.matches;
  const eye = { yaw: 0.7, pitch: 0.6, far: 4 };
  const HEIGHT = 0.95, FLOOR = -HEIGHT / 2 - 0.08;
  let buffers = null, matrix = null, hovered = null;

  const unit = v => 2 * (v - lo) / (hi - lo) - 1;
  const place3 = (x, y, loss) => [unit(x), HEIGHT * (Math.min(scale.share(loss), 1.15) - 0.5), -unit(y)];
  const count = relief.step.length;

  // Look into the relief from the side where it is low.
  function face() {
    let best = [Infinity, 0];
    for (const [k, [right, near]] of [[true, true], [false, true], [false, false], [true, false]].entries()) {
      let sum = 0, n = 0;
      for (let j = 0; j < ny; j += 1) for (let i = 0; i < nx; i += 1) {
        const v = relief.z[j * nx + i];
        if ((2 * i > nx) === right && (2 * j < ny) === near && Number.isFinite(v)) {
          sum += Math.min(scale.share(v), 1);
          n += 1;
        }
      }
      if (n && sum / n < best[0]) best = [sum / n, k];
    }
    eye.yaw = best[1] * Math.PI / 2 - Math.PI / 4 - 0.2;
  }
  face();

  function fill() {
    const at = new Float32Array(3 * nx * ny), normal = new Float32Array(3 * nx * ny), share = new Float32Array(nx * ny);
    const known = k => Number.isFinite(relief.z[k]);
    const shareAt = (i, j) => scale.share(relief.z[Math.min(Math.max(j, 0), ny - 1) * nx + Math.min(Math.max(i, 0), nx - 1)]);
    for (let j = 0; j < ny; j += 1) for (let i = 0; i < nx; i += 1) {
      const k = j * nx + i, s = known(k) ? scale.share(relief.z[k]) : 0;
      at.set([2 * i / (nx - 1) - 1, HEIGHT * (s - 0.5), 1 - 2 * j / (ny - 1)], 3 * k);
      share[k] = s;
      const dx = HEIGHT * (shareAt(i + 1, j) - shareAt(i - 1, j)) * (nx - 1) / 4;
      const dy = HEIGHT * (shareAt(i, j + 1) - shareAt(i, j - 1)) * (ny - 1) / 4;
      const length = Math.hypot(dx, 1, dy) || 1;
      normal.set([-dx / length, 1 / length, dy / length], 3 * k);
    }
    const cells = [];
    for (let j = 0; j + 1 < ny; j += 1) for (let i = 0; i + 1 < nx; i += 1) {
      const a = j * nx + i, b = a + 1, c = a + nx, d = c + 1;
      if (known(a) && known(b) && known(c) && known(d)) cells.push(a, b, c, b, d, c);
    }
    const lines = [], strip = (from, to, when) => {
      // Two triangles: each corner with its own end and a point ahead of it.
      const ahead = [0, 1, 2].map(k => 2 * to[k] - from[k]);
      const corners = [[from, to, 1], [from, to, -1], [to, ahead, 1], [to, ahead, 1], [from, to, -1], [to, ahead, -1]];
      for (const [p, q, side] of corners) lines.push(...p, ...q, side, when);
    };
    const points = [];
    for (let k = 0; k < count; k += 1) points.push(place3(relief.px[k], relief.py[k], relief.loss[k]));
    for (let k = 1; k < count; k += 1) {
      if (points[k].every(Number.isFinite) && points[k - 1].every(Number.isFinite)) strip(points[k - 1], points[k], relief.step[k]);
    }
    const pathLength = lines.length / 8;
    const every = Math.max(1, Math.ceil(count / 50));
    for (let k = 0; k < count; k += every) {
      const foot = place3(relief.px[k], relief.py[k], relief.slice[k]);
      if (Number.isFinite(foot[1]) && points[k].every(Number.isFinite)) strip(points[k], foot, relief.step[k]);
    }
    const gapLength = lines.length / 8 - pathLength;
    const frame = [], floor = FLOOR, parts = 8;
    for (let k = 0; k <= parts; k += 1) {
      const p = 2 * k / parts - 1;
      frame.push([[p, floor, -1], [p, floor, 1]], [[-1, floor, p], [1, floor, p]]);
    }
    for (const [a, b] of frame) strip(a, b, 0);
    const frameLength = lines.length / 8 - pathLength - gapLength;
    const upload = (kind, values) => {
      const made = gl.createBuffer();
      gl.bindBuffer(kind, made);
      gl.bufferData(kind, values, gl.STATIC_DRAW);
      return made;
    };
    if (buffers) for (const old of buffers.all) gl.deleteBuffer(old);
    const all = [upload(gl.ARRAY_BUFFER, at), upload(gl.ARRAY_BUFFER, normal), upload(gl.ARRAY_BUFFER, share),
      upload(gl.ELEMENT_ARRAY_BUFFER, new Uint32Array(cells)), upload(gl.ARRAY_BUFFER, new Float32Array(lines))];
    buffers = { all, at: all[0], normal: all[1], share: all[2], cells: all[3], lines: all[4], corners: cells.length, pathLength, gapLength, frameLength, grid: at };
  }

  function texture() {
    const made = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, made);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, 64, 1, 0, gl.RGB, gl.UNSIGNED_BYTE, viridisBytes);
    for (const [name, value] of [[gl.TEXTURE_MIN_FILTER, gl.LINEAR], [gl.TEXTURE_MAG_FILTER, gl.LINEAR], [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE], [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE]]) {
      gl.texParameteri(gl.TEXTURE_2D, name, value);
    }
  }
  if (deep) {
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    texture();
    fill();
  }

  function look(width, height) {
    const { yaw, pitch, far } = eye, focus = 1 / Math.tan(0.36), near = 0.5, last = 20;
    // In a narrow window the whole has to fit its width.
    const away = far * Math.max(1, 1.12 * height / width);
    const perspective = new Float32Array([focus * height / width, 0, 0, 0, 0, focus, 0, 0, 0, 0, (last + near) / (near - last), -1, 0, 0, 2 * last * near / (near - last), 0]);
    const [sy, cy, sp, cp] = [Math.sin(yaw), Math.cos(yaw), Math.sin(pitch), Math.cos(pitch)];
    // About the vertical, then about the horizontal, then away.
    const turned = new Float32Array([cy, sp * sy, -cp * sy, 0, 0, cp, sp, 0, sy, -sp * cy, cp * cy, 0, 0, 0.13, -away, 1]);
    return product(perspective, turned);
  }
  function project(p) {
    const m = matrix.all, w = m[3] * p[0] + m[7] * p[1] + m[11] * p[2] + m[15];
    const x = (m[0] * p[0] + m[4] * p[1] + m[8] * p[2] + m[12]) / w, y = (m[1] * p[0] + m[5] * p[1] + m[9] * p[2] + m[13]) / w;
    return [(x + 1) / 2 * matrix.width, (1 - y) / 2 * matrix.height, w];
  }

  function drawDeep(width, height) {
    const ratio = Math.min(window.devicePixelRatio || 1, 2), colors = palette();
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    gl.viewport(0, 0, w, h);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.BLEND);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    matrix = { all: look(width, height), width, height };
    const line = lineProgram.places;
    const lines = (first, length, color, alpha, thick, now) => {
      gl.useProgram(lineProgram.made);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers.lines);
      for (const [name, size, offset] of [["at", 3, 0], ["to", 3, 12], ["side", 1, 24], ["when", 1, 28]]) {
        gl.enableVertexAttribArray(line[name]);
        gl.vertexAttribPointer(line[name], size, gl.FLOAT, false, 32, offset);
      }
      gl.uniformMatrix4fv(line.all, false, matrix.all);
      gl.uniform2f(line.size, w, h);
      gl.uniform1f(line.width, thick * ratio);
      gl.uniform1f(line.now, now);
      gl.uniform4f(line.color, ...bytesOf(color).map(b => b / 255), alpha);
      gl.drawArrays(gl.TRIANGLES, first, length);
    };
    const { pathLength, gapLength, frameLength } = buffers;
    lines(pathLength + gapLength, frameLength, colors.faint, 0.35, 1, 1e12);
    const s = surfaceProgram.places;
    gl.useProgram(surfaceProgram.made);
    for (const k of [line.at, line.to, line.side, line.when]) gl.disableVertexAttribArray(k);
    for (const [name, size] of [["at", 3], ["normal", 3], ["share", 1]]) {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
      gl.enableVertexAttribArray(s[name]);
      gl.vertexAttribPointer(s[name], size, gl.FLOAT, false, 0, 0);
    }
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffers.cells);
    gl.uniformMatrix4fv(s.all, false, matrix.all);
    gl.uniform1f(s.levels, 16);
    gl.uniform1f(s.ink, isDark() ? 0.02 : 0.05);
    // The light comes from over the left shoulder.
    const a = eye.yaw + 0.9;
    gl.uniform3f(s.light, -0.6 * Math.sin(a), 0.8, 0.6 * Math.cos(a));
    gl.drawElements(gl.TRIANGLES, buffers.corners, gl.UNSIGNED_INT, 0);
    for (const k of [s.at, s.normal, s.share]) gl.disableVertexAttribArray(k);
    const now = Math.round(moment.step) + 0.5;
    // What lies behind the surface shines through it.
    gl.depthMask(false);
    gl.depthFunc(gl.GREATER);
    lines(0, pathLength, colors.path, 0.3, 2.5, now);
    gl.depthFunc(gl.LESS);
    lines(pathLength, gapLength, colors.path, 0.45, 1, now);
    lines(0, pathLength, "#ffffff", 0.9, 6.4, now);
    lines(0, pathLength, colors.path, 1, 4, now);
    gl.depthMask(true);
  }

  const title = () => t("surface.label", { min: num(relief.lo), max: num(relief.hi), end: num(relief.center_loss) });
  const axisNames = () => relief.random !== null ? [t("surface.random1"), t("surface.random2")]
    : ["surface.pc1", "surface.pc2"].map((key, k) => t(key === "surface.pc1" ? "surface.pc1" : "surface.pc2", { share: relief.shares ? percent(relief.shares[k], 1) : "–" }));

  // Where the path is at the moment, between two of its points.
  function ball() {
    if (!count) return null;
    const k = placeOf(relief.step, moment.step), next = Math.min(k + 1, count - 1);
    const f = next > k ? Math.min(Math.max((moment.step - relief.step[k]) / (relief.step[next] - relief.step[k]), 0), 1) : 0;
    const mix = values => values[k] * (1 - f) + values[next] * f;
    return { x: mix(relief.px), y: mix(relief.py), loss: mix(relief.loss), slice: mix(relief.slice) };
  }

  function mark(g, [x, y], radius, fill, stroke, width = 2) {
    g.beginPath();
    g.arc(x, y, radius, 0, 7);
    if (fill) {
      g.fillStyle = fill;
      g.fill();
    }
    g.lineWidth = width;
    g.strokeStyle = stroke;
    g.stroke();
  }
  function label(g, text, x, y, align) {
    const colors = palette();
    g.textAlign = align;
    g.lineWidth = 4;
    g.strokeStyle = faded(colors.background, 0.85);
    g.strokeText(text, x, y);
    g.fillStyle = colors.text;
    g.fillText(text, x, y);
  }

  function drawLabels(g, width, height) {
    const colors = palette(), floor = FLOOR;
    // The two edges of the floor that face the reader.
    const corners = [[-1, 1], [1, 1], [1, -1], [-1, -1]].map(([x, z]) => ({ x, z, p: project([x, floor, z]) }));
    const nearest = corners.reduce((a, b) => b.p[2] < a.p[2] ? b : a);
    const center = project([0, floor, 0]);
    const small = width < 520;
    const [nameX, nameY] = small ? [1, 2].map(n => relief.random !== null ? t("surface.direction", { n }) : t("surface.component", { n })) : axisNames();
    g.font = font(small ? 11 : 12.5);
    for (const along of ["x", "z"]) {
      const fixed = along === "x" ? nearest.z : nearest.x;
      const at = v => along === "x" ? [v, floor, fixed] : [fixed, floor, v];
      const out = p => {
        const d = [p[0] - center[0], p[1] - center[1]], length = Math.hypot(...d) || 1;
        return [d[0] / length, d[1] / length];
      };
      for (const tick of niceTicks(lo, hi, small ? 3 : 4)) {
        const v = along === "x" ? unit(tick) : -unit(tick);
        const p = project(at(v));
        // Outwards, square to the edge.
        const q = along === "x" ? project([v, floor, fixed * 1.09]) : project([fixed * 1.09, floor, v]);
        g.fillStyle = colors.faint;
        g.textAlign = "center";
        g.fillText(num(tick, 3), q[0], q[1]);
      }
      const middle = along === "x" ? project([0, floor, fixed * 1.28]) : project([fixed * 1.28, floor, 0]);
      const d = out(middle);
      const name = along === "x" ? nameX : nameY, wide = g.measureText(name).width;
      const x = Math.min(Math.max(middle[0] + d[0] * 8 - (d[0] > 0.3 ? 0 : d[0] < -0.3 ? wide : wide / 2), 4), width - wide - 4);
      label(g, name, x, Math.min(middle[1] + 10, height - 10), "left");
    }
    if (count) {
      const start = place3(relief.px[0], relief.py[0], relief.loss[0]), end = place3(relief.px[count - 1], relief.py[count - 1], relief.loss[count - 1]);
      const s = project(start), e = project(end), now = ball(), at = now && project(place3(now.x, now.y, now.loss));
      mark(g, s, 6, faded(colors.background, 0.6), colors.path, 3);
      label(g, t("surface.start"), s[0] + 11, s[1] - 11, "left");
      mark(g, e, 4.5, "#ffffff", colors.path, 2);
      label(g, t("surface.end"), e[0] + 11, e[1] + 12, "left");
      if (at) mark(g, at, 8, colors.path, "#ffffff", 2.5);
    }
    if (hovered) mark(g, hovered.p, 4, "#ffffff", "#14171f", 1.5);
  }

  // ---- From above ----

  function drawMap(width, height) {
    const g = begin(overlay, width, height), colors = palette();
    const side = Math.min(width - 90, height - 64), left = (width - side) / 2 + 18, top = 10;
    const image = new ImageData(nx, ny);
    for (let j = 0; j < ny; j += 1) for (let i = 0; i < nx; i += 1) {
      const v = relief.z[j * nx + i], k = 4 * ((ny - 1 - j) * nx + i);
      if (Number.isFinite(v)) image.data.set([...viridis(scale.share(v)), 255], k);
    }
    const small = make("canvas", { width: nx, height: ny });
    small.getContext("2d").putImageData(image, 0, 0);
    g.imageSmoothingEnabled = true;
    // Samples lie at the centres of the picture's pixels.
    g.drawImage(small, 0.5, 0.5, nx - 1, ny - 1, left, top, side, side);
    const px = x => left + (x - lo) / (hi - lo) * side, py = y => top + (hi - y) / (hi - lo) * side;
    g.strokeStyle = "rgba(0,0,0,0.45)";
    g.lineWidth = 1;
    for (let k = 1; k < 16; k += 1) contour(g, k / 16, (i, j) => [left + i / (nx - 1) * side, top + side - j / (ny - 1) * side]);
    g.fillStyle = colors.faint;
    for (const tick of niceTicks(lo, hi, 5)) {
      g.textAlign = "center";
      g.fillText(num(tick, 3), px(tick), top + side + 14);
      g.textAlign = "right";
      g.fillText(num(tick, 3), left - 7, py(tick));
    }
    const [nameX, nameY] = axisNames();
    g.textAlign = "center";
    g.fillStyle = colors.text;
    g.fillText(nameX, left + side / 2, top + side + 36, width - 10);
    g.save();
    g.translate(left - 52, top + side / 2);
    g.rotate(-Math.PI / 2);
    g.fillText(nameY, 0, 0, side);
    g.restore();
    const shown = relief.step.findIndex(step => step > moment.step + 0.5), end = shown < 0 ? count : shown;
    const trace = () => {
      g.beginPath();
      for (let k = 0; k < end; k += 1) g.lineTo(px(relief.px[k]), py(relief.py[k]));
      const now = ball();
      if (now) g.lineTo(px(now.x), py(now.y));
      g.stroke();
    };
    g.save();
    g.beginPath();
    g.rect(left, top, side, side);
    g.clip();
    [g.strokeStyle, g.lineWidth] = ["#ffffff", 5];
    trace();
    [g.strokeStyle, g.lineWidth] = [colors.path, 3];
    trace();
    g.restore();
    if (count) {
      mark(g, [px(relief.px[0]), py(relief.py[0])], 5.5, null, colors.path, 3);
      const now = ball();
      mark(g, [px(now.x), py(now.y)], 7, colors.path, "#ffffff", 2.5);
    }
    matrix = { map: { left, top, side } };
  }

  // Lines of one height, cell by cell.
  function contour(g, level, toPixel) {
    const at = (i, j) => scale.share(relief.z[j * nx + i]);
    g.beginPath();
    for (let j = 0; j + 1 < ny; j += 1) for (let i = 0; i + 1 < nx; i += 1) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]], v = corners.map(([a, b]) => at(a, b)), crossing = [];
      for (let k = 0; k < 4; k += 1) {
        const next = (k + 1) % 4;
        if ((v[k] < level) !== (v[next] < level) && Number.isFinite(v[k] + v[next])) {
          const f = (level - v[k]) / (v[next] - v[k]);
          crossing.push(toPixel(corners[k][0] + f * (corners[next][0] - corners[k][0]), corners[k][1] + f * (corners[next][1] - corners[k][1])));
        }
      }
      for (let k = 0; k + 1 < crossing.length; k += 2) {
        g.moveTo(...crossing[k]);
        g.lineTo(...crossing[k + 1]);
      }
    }
    g.stroke();
  }

  function drawBar() {
    const width = bar.clientWidth, height = bar.clientHeight;
    if (!width) return;
    const g = begin(bar, width, height), colors = palette(), flat = width > height;
    const length = flat ? width - 60 : height - 44, at = s => flat ? 30 + s * length : height - 14 - s * length;
    for (let k = 0; k < length; k += 1) {
      g.fillStyle = css(viridis(k / (length - 1)));
      if (flat) g.fillRect(30 + k, 18, 1.5, 12);
      else g.fillRect(4, height - 14 - k - 1, 14, 1.5);
    }
    g.fillStyle = colors.faint;
    let before = -Infinity;
    for (const tick of scale.ticks) {
      const s = scale.share(tick);
      if (s < -0.001 || s > 1.001) continue;
      const p = at(s);
      if (flat) {
        const text = num(tick, 3), half = g.measureText(text).width / 2;
        if (p - half < before + 6) continue;
        before = p + half;
        g.textAlign = "center";
        g.fillText(text, p, 42);
      } else {
        g.textAlign = "left";
        g.fillText(num(tick, 3), 24, p);
      }
    }
    const now = ball();
    if (now) {
      const p = at(Math.min(Math.max(scale.share(now.loss), 0), 1));
      g.fillStyle = colors.path;
      g.beginPath();
      if (flat) {
        g.moveTo(p, 18);
        g.lineTo(p - 5, 11);
        g.lineTo(p + 5, 11);
      } else {
        g.moveTo(4, p);
        g.lineTo(-3, p - 5);
        g.lineTo(-3, p + 5);
      }
      g.fill();
    }
    g.fillStyle = colors.text;
    g.textAlign = "left";
    g.fillText(t(scale.log ? "surface.loss_log" : "surface.loss"), flat ? 4 : 0, flat ? 6 : 8);
    bar.setAttribute("aria-label", t("surface.bar", { min: num(scale.lo), max: num(scale.hi) }));
  }

  function draw() {
    const width = stage.clientWidth, height = stage.clientHeight;
    if (!width) return;
    // Paper gets the map: browsers leave WebGL out of it.
    const solid = mode === "deep" && !printing;
    canvas.style.visibility = solid ? "visible" : "hidden";
    if (solid) {
      drawDeep(width, height);
      drawLabels(begin(overlay, width, height), width, height);
    } else drawMap(width, height);
    drawBar();
    overlay.setAttribute("aria-label", title());
    root.dataset.surface = mode;
  }

  // ---- By hand ----

  let held = null;
  const fingers = new Map();
  const zoom = by => {
    eye.far = Math.min(Math.max(eye.far * by, 1.4), 8);
    redraw();
  };
  function rest() {
    if (!turning) return;
    turning = false;
    turn.setAttribute("aria-pressed", "false");
  }
  overlay.addEventListener("pointerdown", event => {
    overlay.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    held = { x: event.clientX, y: event.clientY };
    rest();
    hideTip();
  });
  overlay.addEventListener("pointermove", event => {
    if (fingers.has(event.pointerId) && mode === "deep") {
      const before = [...fingers.values()];
      fingers.set(event.pointerId, [event.clientX, event.clientY]);
      const after = [...fingers.values()];
      if (after.length === 2) {
        const apart = ([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]);
        zoom(apart(before) / Math.max(apart(after), 1));
      } else {
        eye.yaw += (event.clientX - held.x) * 0.008;
        eye.pitch = Math.min(Math.max(eye.pitch + (event.clientY - held.y) * 0.006, 0.05), 1.5);
        redraw();
      }
      held = { x: event.clientX, y: event.clientY };
      return;
    }
    hover(event);
  });
  for (const name of ["pointerup", "pointercancel"]) overlay.addEventListener(name, event => fingers.delete(event.pointerId));
  overlay.addEventListener("pointerleave", () => {
    hovered = null;
    hideTip();
    redraw();
  });
  // The page scrolls past; once it was clicked or with Ctrl the wheel comes nearer.
  overlay.addEventListener("wheel", event => {
    if (mode !== "deep" || !(event.ctrlKey || document.activeElement === overlay)) return;
    event.preventDefault();
    rest();
    zoom(Math.exp(Math.sign(event.deltaY) * 0.12));
  }, { passive: false });
  overlay.addEventListener("keydown", event => {
    const acts = {
      ArrowLeft: () => { eye.yaw -= 0.12; }, ArrowRight: () => { eye.yaw += 0.12; },
      ArrowUp: () => { eye.pitch = Math.min(eye.pitch + 0.08, 1.5); }, ArrowDown: () => { eye.pitch = Math.max(eye.pitch - 0.08, 0.05); },
      "+": () => zoom(0.88), "=": () => zoom(0.88), "-": () => zoom(1.14),
      Home: () => { [eye.pitch, eye.far] = [0.6, 4]; face(); },
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    rest();
    acts[event.key]();
    redraw();
  });

  function hover(event) {
    const box = overlay.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    let found = null;
    if (mode === "deep" && matrix && matrix.all) {
      let best = 18 * 18;
      for (let k = 0; k < nx * ny; k += 1) {
        if (!Number.isFinite(relief.z[k])) continue;
        const p = project([buffers.grid[3 * k], buffers.grid[3 * k + 1], buffers.grid[3 * k + 2]]);
        // Of those under the pointer the one in front.
        const d = (p[0] - x) ** 2 + (p[1] - y) ** 2;
        if (d < 18 * 18 && (!found || d + 400 * (p[2] - found.p[2]) < best)) {
          best = d;
          found = { k, p };
        }
      }
    } else if (matrix && matrix.map) {
      const { left, top, side } = matrix.map;
      const i = Math.round((x - left) / side * (nx - 1)), j = Math.round((top + side - y) / side * (ny - 1));
      if (i >= 0 && j >= 0 && i < nx && j < ny && Number.isFinite(relief.z[j * nx + i])) found = { k: j * nx + i, p: null };
    }
    hovered = found && found.p ? found : null;
    if (found) {
      const i = found.k % nx, j = Math.floor(found.k / nx), v = q => lo + (hi - lo) * q / (nx - 1);
      showTip(event, [`${t("surface.loss")} ${num(relief.z[found.k], 5)}`, `x ${num(v(i), 3)}, y ${num(v(j), 3)}`]);
    } else hideTip();
    redraw();
  }

  const controls = byId("surface-controls");
  if (deep) controls.append(choice("surface.view", [["deep", "surface.deep"], ["map", "surface.map"]], mode, chosen => {
    mode = chosen;
    hovered = null;
    redraw();
  }));
  if (logPossible) controls.append(button("surface.log", scale.log, made => {
    scale = reliefScale(!scale.log);
    made.setAttribute("aria-pressed", String(scale.log));
    if (deep) fill();
    redraw();
  }));
  const turn = button("surface.turn", turning, made => {
    turning = !turning;
    made.setAttribute("aria-pressed", String(turning));
    if (turning) requestAnimationFrame(now => spin(now, now));
  });
  const nearer = make("button", { type: "button", onclick: () => zoom(0.85), text: "+" });
  const farther = make("button", { type: "button", onclick: () => zoom(1 / 0.85), text: "−" });
  if (deep) controls.append(turn, make("span", { class: "group" }, nearer, farther));
  function spin(now, before) {
    if (!turning) return;
    if (parts.seen && mode === "deep" && !held && !document.hidden) {
      eye.yaw += Math.min(now - before, 100) * 1.6e-4;
      draw();
    }
    requestAnimationFrame(next => spin(next, now));
  }
  overlay.addEventListener("pointerup", () => { held = null; });
  const words = byId("surface-words");
  const parts = view({
    place,
    words: () => {
      nearer.setAttribute("aria-label", t("surface.nearer"));
      farther.setAttribute("aria-label", t("surface.farther"));
      const said = [];
      const [some, all] = relief.samples;
      said.push(t("surface.what", { n: `${nx} × ${ny}` }));
      said.push(relief.random !== null ? t("surface.by_random", { seed: relief.random })
        : t("surface.by_path", { a: relief.shares ? percent(relief.shares[0], 1) : "–", b: relief.shares ? percent(relief.shares[1], 1) : "–" }));
      said.push(some < all ? t("surface.some", { some: whole(some), all: whole(all) }) : t("surface.all", { all: whole(all) }));
      if (relief.share !== null) said.push(t("surface.share", { share: percent(relief.share, 1) }));
      if (relief.misleads) said.push(relief.misleads[0] === "share" ? t("surface.little")
        : t("surface.gap", { share: percent(relief.misleads[1], 0), step: whole(relief.misleads[2]) }));
      if (!deep) said.push(t("surface.no_webgl"));
      words.textContent = said.join(language === "zh" ? "" : " ");
      if (deep) words.append(make("span", { class: "hint block", text: t("surface.hint") }));
    },
    draw,
  });
  if (turning) requestAnimationFrame(now => spin(now, now));
}
