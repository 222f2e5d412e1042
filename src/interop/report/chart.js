// A chart of lines over the steps: values under the pointer, zoom, smoothing, logarithm.

// What all charts share: the range of steps, the unit below, smoothing.
const chartView = { range: [0, lastStep], unit: "epoch", smooth: 0, log: false, hover: null };
const charts = [];
const fullRange = () => chartView.range[0] <= 0 && chartView.range[1] >= lastStep;

function zoomTo(lo, hi) {
  const least = lastStep / 500;
  if (hi - lo < least) [lo, hi] = [(lo + hi - least) / 2, (lo + hi + least) / 2];
  const width = Math.min(hi - lo, lastStep);
  const from = Math.min(Math.max(lo, 0), lastStep - width);
  chartView.range = [from, from + width];
  redraw();
}

// The exponential mean, each value with `weight` of the mean before it, corrected for its
// beginning (TensorBoard's).
function smoothed(values, weight) {
  const out = new Float64Array(values.length);
  let mean = 0, n = 0;
  for (let k = 0; k < values.length; k += 1) {
    if (Number.isFinite(values[k])) {
      mean = weight * mean + (1 - weight) * values[k];
      n += 1;
      out[k] = mean / (1 - weight ** n);
    } else out[k] = NaN;
  }
  return out;
}

const MARGIN = { left: 74, right: 14, top: 10, bottom: 34 };

// `series` are { key, color: () => css, dash, x, y }; `format` writes a value.
function chart(title, series, options) {
  const format = options.format || (value => num(value));
  const canvas = make("canvas", { tabindex: "0", role: "img" });
  const legend = make("div", { class: "legend" });
  const heading = make("h3");
  const figure = make("figure", { class: "chart card" }, make("div", { class: "chart-head" }, heading, legend), canvas);
  const shown = series.map(() => true);
  const own = { size: [0, 0], x: [0, 1], y: [0, 1], log: false };
  let drag = null;

  const cache = { weight: -1, lines: [] };
  const lines = () => {
    if (cache.weight !== chartView.smooth) {
      cache.weight = chartView.smooth;
      cache.lines = series.map(s => cache.weight > 0 ? smoothed(s.y, cache.weight) : s.y);
    }
    return cache.lines;
  };

  const inner = () => ({ w: own.size[0] - MARGIN.left - MARGIN.right, h: own.size[1] - MARGIN.top - MARGIN.bottom });
  const toX = step => MARGIN.left + (step - own.x[0]) / (own.x[1] - own.x[0]) * inner().w;
  const fromX = px => own.x[0] + (px - MARGIN.left) / inner().w * (own.x[1] - own.x[0]);
  const height = value => own.log ? Math.log10(value) : value;
  const toY = value => MARGIN.top + (own.y[1] - height(value)) / (own.y[1] - own.y[0]) * inner().h;

  function fit(drawn) {
    own.x = chartView.range;
    let lo = Infinity, hi = -Infinity, least = Infinity;
    series.forEach((s, i) => {
      if (!shown[i]) return;
      // Of a smoothed line the outliers behind it need not all be in sight.
      for (const values of chartView.smooth > 0 ? [drawn[i]] : [s.y]) {
        for (let k = 0; k < values.length; k += 1) {
          const v = values[k];
          if (s.x[k] < own.x[0] || s.x[k] > own.x[1] || !Number.isFinite(v)) continue;
          lo = Math.min(lo, v);
          hi = Math.max(hi, v);
          if (v > 0) least = Math.min(least, v);
        }
      }
    });
    own.log = Boolean(options.log && chartView.log && least < Infinity && hi > 0);
    if (!(lo <= hi)) [lo, hi] = [0, 1];
    if (own.log) [lo, hi] = [Math.log10(least), Math.log10(hi)];
    else if (options.bounds) hi = Math.min(hi + 0.04 * (hi - lo), Math.max(options.bounds[1], hi));
    // What differs by rounding alone is one number.
    const wide = hi - lo > 1e-9 * Math.max(Math.abs(lo), Math.abs(hi));
    const pad = wide ? 0.06 * (hi - lo) : Math.abs(hi) * 0.1 || 0.5;
    own.y = [!own.log && lo >= 0 && lo - pad < 0 ? 0 : lo - pad, hi + pad];
  }

  function path(g, x, y) {
    g.beginPath();
    let pen = false;
    // No more points than pixels can tell apart: of each column its first, least, greatest and last.
    let column = null;
    const flush = () => {
      if (!column) return;
      for (const v of column.first === column.last && column.min === column.max ? [column.first] : [column.first, column.min, column.max, column.last]) {
        if (pen) g.lineTo(column.px, toY(v));
        else g.moveTo(column.px, toY(v));
        pen = true;
      }
      column = null;
    };
    const dense = x.length > 2 * inner().w;
    for (let k = 0; k < x.length; k += 1) {
      const v = y[k];
      if (!Number.isFinite(v) || (own.log && v <= 0)) {
        flush();
        pen = false;
        continue;
      }
      // One point beyond either end, so that lines reach the frame.
      if ((k + 1 < x.length && x[k + 1] < own.x[0]) || (k > 0 && x[k - 1] > own.x[1])) continue;
      const px = toX(x[k]), at = dense ? Math.round(px) : px;
      if (column && column.px === at) {
        column.min = Math.min(column.min, v);
        column.max = Math.max(column.max, v);
        column.last = v;
      } else {
        flush();
        column = { px: at, first: v, min: v, max: v, last: v };
      }
    }
    flush();
    g.stroke();
  }

  function draw() {
    const width = canvas.clientWidth, tall = canvas.clientHeight;
    if (!width) return;
    own.size = [width, tall];
    const g = begin(canvas, width, tall), colors = palette(), { w, h } = inner();
    const drawn = lines();
    fit(drawn);
    g.lineWidth = 1;
    // Grid and numbers.
    g.fillStyle = colors.faint;
    g.strokeStyle = colors.grid;
    const ticks = own.log ? logTicks(10 ** own.y[0], 10 ** own.y[1]) : niceTicks(own.y[0], own.y[1], Math.max(Math.floor(h / 42), 2));
    g.textAlign = "right";
    for (const tick of ticks) {
      const y = Math.round(toY(tick)) + 0.5;
      if (y < MARGIN.top - 1 || y > MARGIN.top + h + 1) continue;
      g.beginPath();
      g.moveTo(MARGIN.left, y);
      g.lineTo(MARGIN.left + w, y);
      g.stroke();
      g.fillText(options.tick ? options.tick(tick) : num(tick, 3), MARGIN.left - 8, y);
    }
    const per = chartView.unit === "epoch" ? stepsPerEpoch : 1;
    g.textAlign = "center";
    for (const tick of niceTicks(own.x[0] / per, own.x[1] / per, Math.max(Math.floor(w / 80), 2))) {
      const x = Math.round(toX(tick * per)) + 0.5;
      g.beginPath();
      g.moveTo(x, MARGIN.top + h);
      g.lineTo(x, MARGIN.top + h + 4);
      g.stroke();
      g.fillText(num(tick, 6), x, MARGIN.top + h + 14);
    }
    g.textAlign = "right";
    g.fillText(t(chartView.unit === "epoch" ? "axis.epoch" : "axis.step"), MARGIN.left + w, MARGIN.top + h + 28);
    g.strokeStyle = colors.faint;
    g.beginPath();
    g.moveTo(MARGIN.left, MARGIN.top + h + 0.5);
    g.lineTo(MARGIN.left + w, MARGIN.top + h + 0.5);
    g.stroke();
    // Lines.
    g.save();
    g.beginPath();
    g.rect(MARGIN.left, MARGIN.top - 2, w, h + 4);
    g.clip();
    series.forEach((s, i) => {
      if (!shown[i]) return;
      if (chartView.smooth > 0) {
        g.strokeStyle = s.color();
        g.globalAlpha = 0.28;
        g.lineWidth = 1;
        path(g, s.x, s.y);
        g.globalAlpha = 1;
      }
      g.strokeStyle = s.color();
      g.lineWidth = 2;
      g.setLineDash(s.dash ? [7, 4] : []);
      path(g, s.x, drawn[i]);
      g.setLineDash([]);
    });
    // The moment, and what is under the pointer.
    const marks = [[moment.step, colors.path, 1.5]];
    if (chartView.hover !== null) marks.push([chartView.hover, colors.faint, 1]);
    for (const [step, color, thick] of marks) {
      const x = toX(step);
      g.strokeStyle = color;
      g.lineWidth = thick;
      g.globalAlpha = 0.85;
      g.beginPath();
      g.moveTo(x, MARGIN.top);
      g.lineTo(x, MARGIN.top + h);
      g.stroke();
      g.globalAlpha = 1;
      series.forEach((s, i) => {
        if (!shown[i] || !s.x.length) return;
        const k = nearest(s.x, step), v = drawn[i][k];
        if (!Number.isFinite(v) || (own.log && v <= 0)) return;
        g.fillStyle = s.color();
        g.strokeStyle = colors.background;
        g.lineWidth = 1.5;
        g.beginPath();
        g.arc(toX(s.x[k]), toY(v), 4, 0, 7);
        g.fill();
        g.stroke();
      });
    }
    if (drag && drag.to !== null && !drag.pan) {
      g.fillStyle = faded(colors.training, 0.18);
      g.fillRect(Math.min(drag.from, drag.to), MARGIN.top, Math.abs(drag.to - drag.from), h);
    }
    g.restore();
    if (options.log && chartView.log && !own.log) {
      g.textAlign = "left";
      g.fillStyle = colors.faint;
      g.fillText(t("chart.no_log"), MARGIN.left + 6, MARGIN.top + 8);
    }
  }

  function nearest(x, step) {
    const k = placeOf(x, step);
    return k + 1 < x.length && x[k + 1] - step < step - x[k] ? k + 1 : k;
  }

  function values(step) {
    const drawn = lines(), rows = [];
    series.forEach((s, i) => {
      if (!shown[i] || !s.x.length) return;
      const k = nearest(s.x, step), raw = format(s.y[k]);
      const both = chartView.smooth > 0 ? `${format(drawn[i][k])} (${raw})` : raw;
      rows.push([s, both, s.x[k]]);
    });
    return rows;
  }

  function tipLines(step) {
    const rows = values(step), at = rows.length ? rows[0][2] : step;
    return [t("chart.at", { epoch: num(epochOf(at), 4), step: whole(Math.round(at)) }), ...rows.map(([s, v]) => tipRow(s.color(), s.dash, t(s.key), v))];
  }

  const local = event => event.clientX - canvas.getBoundingClientRect().left;
  canvas.addEventListener("pointermove", event => {
    const px = local(event);
    if (drag) {
      if (drag.pan) {
        const by = fromX(drag.from) - fromX(px);
        zoomTo(drag.range[0] + by, drag.range[1] + by);
        drag.moved = true;
      } else if (Math.abs(px - drag.from) > 4) {
        drag.to = Math.min(Math.max(px, MARGIN.left), own.size[0] - MARGIN.right);
      }
    }
    const step = Math.min(Math.max(fromX(px), own.x[0]), own.x[1]);
    chartView.hover = step;
    if (event.pointerType !== "mouse" && drag) setStep(step);
    showTip(event, tipLines(step));
    redraw();
  });
  canvas.addEventListener("pointerleave", () => {
    chartView.hover = null;
    hideTip();
    redraw();
  });
  canvas.addEventListener("pointerdown", event => {
    if (event.pointerType === "mouse" && event.button === 0) canvas.setPointerCapture(event.pointerId);
    drag = { from: local(event), to: null, pan: event.shiftKey, range: [...chartView.range], moved: false, touch: event.pointerType !== "mouse" };
  });
  canvas.addEventListener("pointerup", event => {
    if (!drag) return;
    const { from, to, pan, touch } = drag;
    drag = null;
    if (to !== null && !pan && !touch) zoomTo(...[fromX(from), fromX(to)].sort((a, b) => a - b));
    else if (!pan) setStep(fromX(local(event)));
    redraw();
  });
  canvas.addEventListener("pointercancel", () => { drag = null; });
  canvas.addEventListener("dblclick", () => zoomTo(0, lastStep));
  canvas.addEventListener("keydown", event => {
    const [lo, hi] = chartView.range, by = (hi - lo) / 50, fine = event.shiftKey ? 5 : 1;
    const middle = Math.min(Math.max(moment.step, lo), hi);
    const acts = {
      ArrowLeft: () => setStep(moment.step - by * fine), ArrowRight: () => setStep(moment.step + by * fine),
      Home: () => setStep(0), End: () => setStep(lastStep), 0: () => zoomTo(0, lastStep),
      "+": () => zoomTo(middle - (middle - lo) / 1.5, middle + (hi - middle) / 1.5),
      "=": () => zoomTo(middle - (middle - lo) / 1.5, middle + (hi - middle) / 1.5),
      "-": () => zoomTo(middle - (middle - lo) * 1.5, middle + (hi - middle) * 1.5),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
    describe();
  });
  // What a screen reader says of it: the values at the moment.
  function describe() {
    const told = values(moment.step).map(([s, v]) => `${t(s.key)} ${v}`);
    canvas.setAttribute("aria-label", `${t(title)}, ${t("chart.at", { epoch: num(epochOf(moment.step)), step: whole(Math.round(moment.step)) })}: ${list(told)}`);
  }

  const toggles = series.map((s, i) => {
    const toggle = make("button", {
      type: "button", class: "series", "aria-pressed": "true",
      onclick: () => {
        shown[i] = !shown[i];
        toggle.setAttribute("aria-pressed", String(shown[i]));
        redraw();
      },
    });
    legend.append(toggle);
    return toggle;
  });
  const own_view = view({
    place: figure,
    words: () => {
      heading.textContent = t(title);
      toggles.forEach((toggle, i) => toggle.replaceChildren(swatch(series[i].color(), series[i].dash), t(series[i].key)));
      describe();
    },
    draw,
  });
  charts.push(own_view);
  return figure;
}
