// Numbers, words, colours, and the moment that everything on the page shows.

const data = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
const byId = id => document.getElementById(id);

// Arrays are little-endian bytes in base64.
const kinds = {
  f4: Float32Array, f8: Float64Array, u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i1: Int8Array,
};
function unpack(packed) {
  if (!packed) return null;
  const text = atob(packed.d), bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k += 1) bytes[k] = text.charCodeAt(k);
  return new kinds[packed.t](bytes.buffer);
}

// An element; text is text, whatever stands in it.
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

// ---- Words ----

let language = data.language || ((navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en");

// The words at a key, with what stands in its braces.
function t(key, values) {
  let text = data.words[language][key];
  if (text === undefined) text = data.words.en[key];
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (all, name) => values && name in values ? String(values[name]) : all);
}
const has = key => data.words.en[key] !== undefined;

const raised = text => text.replace(/[-0-9]/g, c => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);

// A number in `digits` significant digits.
function num(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text;
  if (size >= 1e-4 && size < 1e5) text = String(Number(value.toPrecision(digits)));
  else {
    const [a, b] = value.toExponential(Math.max(digits - 2, 0)).split("e");
    const factor = Number(a), power = "10" + raised(String(Number(b)));
    text = Math.abs(factor) === 1 ? (factor < 0 ? "-" : "") + power : `${factor} × ${power}`;
  }
  return text.replace(/-/g, "−");
}
const whole = value => new Intl.NumberFormat(language === "zh" ? "zh-CN" : "en").format(value);
const percent = (value, digits = 2) => value === null || Number.isNaN(value) ? "–"
  : `${Number((100 * value).toFixed(digits))}${language === "zh" ? "%" : " %"}`;
const list = items => items.join(language === "zh" ? "、" : ", ");

function duration(seconds) {
  if (seconds < 0.1) return t("time.ms", { ms: num(1000 * seconds, 2) });
  if (seconds < 60) return t("time.seconds", { s: seconds < 10 ? Number(seconds.toFixed(1)) : Math.round(seconds) });
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return t("time.minutes", { m: minutes });
  return t("time.hours", { h: Math.floor(minutes / 60), m: minutes % 60 });
}

// ---- Themes ----

const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");
let theme = data.theme || "auto";
let printing = false;
const isDark = () => !printing && (theme === "auto" ? dark.matches : theme === "dark");
const palettes = {};
for (const name of ["dark", "light"]) palettes[name] = { ...data.colors[name], diverging: unpack(data.colors[name].diverging) };
const viridisBytes = unpack(data.colors.viridis);
const palette = () => palettes[isDark() ? "dark" : "light"];

// Three bytes of a map of `n` colours at a share from 0 to 1.
function mapped(bytes, share) {
  const n = bytes.length / 3, at = Math.min(Math.max(share || 0, 0), 1) * (n - 1);
  const k = Math.min(Math.floor(at), n - 2), f = at - k;
  return [0, 1, 2].map(c => Math.round(bytes[3 * k + c] * (1 - f) + bytes[3 * k + 3 + c] * f));
}
const css = ([r, g, b], alpha = 1) => alpha === 1 ? `rgb(${r},${g},${b})` : `rgba(${r},${g},${b},${alpha})`;
const viridis = share => mapped(viridisBytes, share);
// From -1 to 1.
const diverging = value => mapped(palette().diverging, (Number.isNaN(value) ? 0 : value) / 2 + 0.5);
const bytesOf = hex => [1, 3, 5].map(k => parseInt(hex.slice(k, k + 2), 16));
const faded = (hex, alpha) => css(bytesOf(hex), alpha);
// Text that can be read over a colour.
const over = ([r, g, b]) => 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#14171f" : "#ffffff";
// Colours of classes: Okabe and Ito, apart for every common colour vision.
const classColors = () => isDark()
  ? ["#4fb3ff", "#ffa24d", "#3fd6a3", "#f28fd0", "#f4e36b", "#c9a0ff", "#ff7b72", "#9fb0c8", "#7ee0e8", "#c8d86b"]
  : ["#0a62b5", "#b85c00", "#007f5c", "#b0307f", "#8a7500", "#6f3fc2", "#c2262e", "#51607a", "#00757f", "#5d7000"];
const classColor = k => classColors()[k % 10];

// ---- What is drawn again ----

const views = [];
// `words` fills in texts, `draw` draws for the moment; both may be called at any time.
function view(parts) {
  views.push(parts);
  return parts;
}
let due = false;
function redraw() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    for (const each of views) if (each.draw && (!each.place || each.seen !== false)) each.draw();
  });
}
const watcher = new IntersectionObserver(entries => {
  for (const entry of entries) {
    const found = views.find(each => each.place === entry.target);
    if (!found) continue;
    found.seen = entry.isIntersecting;
    if (found.seen && found.draw) found.draw();
  }
}, { rootMargin: "200px" });
function watch() {
  for (const each of views) if (each.place) watcher.observe(each.place);
}

// A canvas that is sharp on any screen: its context in CSS pixels, cleared.
function begin(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 3);
  const w = Math.max(Math.round(width * ratio), 1), h = Math.max(Math.round(height * ratio), 1);
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const g = canvas.getContext("2d");
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  g.font = font(12.5);
  g.textBaseline = "middle";
  g.lineJoin = "round";
  return g;
}
const font = (size, weight = 400) => `${weight} ${size}px "Noto Sans", system-ui, -apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif`;

// ---- Axes ----

const steps125 = [1, 2, 5, 10];
function niceTicks(lo, hi, most) {
  if (!(hi > lo)) return [lo];
  const raw = (hi - lo) / Math.max(most, 1), base = 10 ** Math.floor(Math.log10(raw));
  const step = steps125.find(s => s * base >= raw * 0.999) * base;
  const ticks = [];
  for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + 1e-9 * step; k += 1) ticks.push(Number((k * step).toPrecision(12)));
  return ticks;
}
function logTicks(lo, hi) {
  const from = Math.floor(Math.log10(lo)), to = Math.ceil(Math.log10(hi)), ticks = [];
  const every = Math.max(1, Math.ceil((to - from) / 7));
  const parts = Math.log10(hi / lo) < 2.3 ? [1, 2, 5] : [1];
  for (let e = from; e <= to; e += 1) {
    if ((e - from) % every) continue;
    for (const part of parts) {
      const v = Number((part * 10 ** e).toPrecision(6));
      if (v >= lo * 0.999 && v <= hi * 1.001) ticks.push(v);
    }
  }
  return ticks.length > 1 ? ticks : niceTicks(lo, hi, 4);
}

// ---- The moment ----

const curves = Object.fromEntries(Object.entries(data.curves).map(([name, v]) =>
  [name, v && v.t ? unpack(v) : v]));
const steps = data.curves.steps && Object.fromEntries(Object.entries(data.curves.steps).map(([name, v]) => [name, unpack(v)]));
const lastRow = curves.step.length - 1;
const relief = data.relief && {
  ...data.relief, z: unpack(data.relief.z), step: unpack(data.relief.step),
  px: unpack(data.relief.x), py: unpack(data.relief.y), loss: unpack(data.relief.loss), slice: unpack(data.relief.slice),
};
const lastStep = Math.max(lastRow >= 0 ? curves.step[lastRow] : 0, relief && relief.step.length ? relief.step[relief.step.length - 1] : 0, 1);
const stepsPerEpoch = lastRow > 0 && curves.epoch[lastRow] > 0 ? curves.step[lastRow] / curves.epoch[lastRow] : 1;
const epochOf = step => step / stepsPerEpoch;

// The last place of ascending numbers that is not beyond `value`.
function placeOf(ascending, value) {
  let lo = 0, hi = ascending.length - 1;
  while (lo < hi) {
    const middle = (lo + hi + 1) >> 1;
    if (ascending[middle] <= value) lo = middle;
    else hi = middle - 1;
  }
  return lo;
}

const moment = { step: lastStep, playing: false };
function setStep(step) {
  moment.step = Math.min(Math.max(step, 0), lastStep);
  redraw();
}

// ---- Controls ----

function button(key, pressed, act) {
  const made = make("button", { type: "button", "aria-pressed": pressed === null ? null : String(pressed), onclick: () => act(made) });
  view({ words: () => { made.textContent = t(key); } });
  return made;
}
function press(buttons, chosen) {
  for (const [name, each] of Object.entries(buttons)) each.setAttribute("aria-pressed", String(name === chosen));
}
// Several of which one is chosen.
function choice(label, options, chosen, act) {
  const buttons = {};
  const group = make("span", { class: "group", role: "group" });
  for (const [name, key] of options) {
    buttons[name] = button(key, name === chosen, () => {
      press(buttons, name);
      act(name);
    });
    group.append(buttons[name]);
  }
  view({ words: () => group.setAttribute("aria-label", t(label)) });
  return group;
}

// ---- Hints at the pointer ----

const tip = byId("tip");
function showTip(event, lines) {
  tip.replaceChildren(...lines.map(line => typeof line === "string" ? make("div", { text: line }) : line));
  tip.hidden = false;
  const { offsetWidth: w, offsetHeight: h } = tip;
  const left = event.clientX + 16 + w > innerWidth ? event.clientX - w - 12 : event.clientX + 16;
  tip.style.left = `${Math.max(left, 4)}px`;
  tip.style.top = `${Math.max(Math.min(event.clientY + 14, innerHeight - h - 6), 4)}px`;
}
const hideTip = () => { tip.hidden = true; };
const tipRow = (color, dash, name, value) => make("div", { class: "tip-row" }, swatch(color, dash), make("span", { text: name }), make("b", { text: value }));
function swatch(color, dash) {
  const made = make("i", { class: dash ? "swatch dashed" : "swatch" });
  made.style.color = color;
  return made;
}
