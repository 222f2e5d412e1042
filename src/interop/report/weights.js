// Weights through time: histograms one behind the other, and heat maps of the moment.

const weightSteps = unpack(data.weights.step), weightEpochs = unpack(data.weights.epoch);
const spreadSteps = unpack(data.weights.spread_step);
const maps = data.weights.maps.map(map => ({ ...map, values: unpack(map.values) }));
// The newest moment with weights that is not after the one shown.
const weightMoment = () => placeOf(weightSteps, Math.round(moment.step));

const layerRow = layer => data.network.rows[layer + 1];
function layerName(layer) {
  const row = layerRow(layer), n = layer + 1;
  return row ? t("layer.title", { n, kind: kindName(row.kind) }) : t("layer.number", { n });
}
const kindName = kind => has("kind." + kind) ? t("kind." + kind) : kind;

function buildRidges() {
  const place = byId("ridges");
  let role = "weight";
  const figures = [];
  for (const spread of data.weights.spreads) {
    const counts = unpack(spread.counts), { bins } = spread, [lo, hi] = spread.range, n = spreadSteps.length;
    const canvas = make("canvas", { class: "ridge", role: "img" });
    const heading = make("h4"), figure = make("figure", { class: "card" }, heading, canvas);
    let most = 1;
    for (const c of counts) most = Math.max(most, c);
    let at = null;
    const box = () => {
      const width = canvas.clientWidth, height = canvas.clientHeight;
      return { width, height, left: 12, right: width - 50, low: height - 28, tall: Math.min(86, height * 0.3) };
    };
    const lineOf = (k, { low, tall, height }) => low - (n - 1 - k) / Math.max(n - 1, 1) * (height - 36 - tall);
    const x = (k, { left, right }) => left + (right - left) * k / bins;
    function draw() {
      const b = box();
      if (!b.width || figure.hidden) return;
      const g = begin(canvas, b.width, b.height), colors = palette();
      const now = placeOf(spreadSteps, Math.round(moment.step));
      // The oldest at the back.
      for (let k = 0; k < n; k += 1) {
        const base = lineOf(k, b), chosen = k === now;
        const top = v => base - b.tall * v / most;
        g.beginPath();
        g.moveTo(b.left, base);
        for (let i = 0; i < bins; i += 1) {
          const y = top(counts[k * bins + i]);
          g.lineTo(x(i + 0.5, b), y);
        }
        g.lineTo(b.right, base);
        const color = viridis(n > 1 ? 0.08 + 0.8 * k / (n - 1) : 0.5);
        g.fillStyle = chosen ? faded(colors.path, 0.75) : css(color, 0.82);
        g.fill();
        g.strokeStyle = chosen ? colors.text : faded(colors.background, 0.75);
        g.lineWidth = chosen ? 1.6 : 1;
        g.stroke();
      }
      if (at) {
        g.strokeStyle = colors.text;
        g.lineWidth = 1;
        g.strokeRect(x(at.i, b), lineOf(at.k, b) - b.tall * counts[at.k * bins + at.i] / most, (b.right - b.left) / bins, b.tall * counts[at.k * bins + at.i] / most + 1);
      }
      g.fillStyle = colors.faint;
      g.textAlign = "center";
      for (const tick of niceTicks(lo, hi, Math.max(Math.floor((b.right - b.left) / 70), 2))) {
        g.fillText(num(tick, 3), x((tick - lo) / (hi - lo) * bins, b), b.height - 12);
      }
      // Epochs at the right, as far as they fit.
      g.textAlign = "left";
      let before = Infinity;
      for (const k of [n - 1, 0, ...Array.from({ length: n }, (_, i) => n - 1 - i)]) {
        const y = lineOf(k, b);
        if (k !== n - 1 && k !== 0 && (Math.abs(before - y) < 22 || Math.abs(lineOf(0, b) - y) < 22 || b.low - y < 22)) continue;
        if (k !== 0) before = y;
        g.fillText(num(Number(epochOf(spreadSteps[k]).toFixed(epochOf(lastStep) > 20 ? 0 : 1)), 6), b.right + 8, y);
      }
      g.fillStyle = colors.faint;
      g.fillText(t("axis.epoch"), b.right + 8, Math.max(lineOf(0, b) - 18, 8));
      canvas.setAttribute("aria-label", t("weights.ridge_label", { layer: layerName(spread.layer), min: num(lo, 3), max: num(hi, 3), n }));
    }
    canvas.addEventListener("pointermove", event => {
      const b = box(), rect = canvas.getBoundingClientRect(), px = event.clientX - rect.left, py = event.clientY - rect.top;
      const i = Math.floor((px - b.left) / (b.right - b.left) * bins);
      at = null;
      if (i >= 0 && i < bins) {
        // The foremost ridge under the pointer, else the nearest line above which it is.
        for (let k = n - 1; k >= 0 && !at; k -= 1) {
          const base = lineOf(k, b);
          if (py <= base && py >= base - Math.max(b.tall * counts[k * bins + i] / most, 3)) at = { k, i };
        }
      }
      if (at) {
        const edge = q => num(lo + (hi - lo) * q / bins, 3);
        showTip(event, [t("chart.at", { epoch: num(epochOf(spreadSteps[at.k])), step: whole(spreadSteps[at.k]) }),
          t("weights.bin", { from: edge(at.i), to: edge(at.i + 1), n: whole(counts[at.k * bins + at.i]) })]);
      } else hideTip();
      draw();
    });
    canvas.addEventListener("pointerleave", () => {
      at = null;
      hideTip();
      draw();
    });
    canvas.addEventListener("click", () => { if (at) setStep(spreadSteps[at.k]); });
    place.append(figure);
    figures.push([spread, figure]);
    view({
      place: figure,
      words: () => { heading.textContent = `${layerName(spread.layer)} · ${t(spread.role === "weight" ? "weights.weights" : "weights.biases")}`; },
      draw,
    });
  }
  const roles = new Set(data.weights.spreads.map(spread => spread.role));
  const show = () => {
    for (const [spread, figure] of figures) figure.hidden = spread.role !== role;
    redraw();
  };
  if (roles.size > 1) byId("weights-controls").append(choice("weights.of", [["weight", "weights.weights"], ["bias", "weights.biases"]], "weight", chosen => {
    role = chosen;
    show();
  }));
  show();
}

function buildMaps() {
  const place = byId("maps");
  for (const map of maps) {
    const [blocks, across, high, wide, perUnit] = map.shape;
    const down = Math.ceil(blocks / across), rows = down * (high + 1) - 1, columns = across * (wide + 1) - 1;
    const cells = blocks * high * wide;
    let most = 0;
    for (const v of map.values) if (Number.isFinite(v)) most = Math.max(most, Math.abs(v));
    most = most || 1;
    const canvas = make("canvas", { class: "map", role: "img", tabindex: "0" });
    const scale = make("canvas", { class: "map-scale", "aria-hidden": "true" });
    const heading = make("h4"), told = make("p", { class: "hint" });
    const figure = make("figure", { class: "card" }, heading, canvas, scale, told);
    place.append(figure);
    const image = new ImageData(columns, rows), small = make("canvas", { width: columns, height: rows });
    let at = null, drawn = "", size = 1;
    // The cell's place among the values; none in a seam between blocks.
    function valueAt(row, column) {
      const [top, r, left, c] = [Math.floor(row / (high + 1)), row % (high + 1), Math.floor(column / (wide + 1)), column % (wide + 1)];
      const block = top * across + left;
      return r < high && c < wide && block < blocks ? { block, r, c, k: (block * high + r) * wide + c } : null;
    }
    function draw() {
      const room = figure.clientWidth - 32;
      if (room <= 0) return;
      const k = weightMoment(), mark = `${k} ${isDark()}`;
      if (mark !== drawn) {
        drawn = mark;
        for (let row = 0; row < rows; row += 1) for (let column = 0; column < columns; column += 1) {
          const cell = valueAt(row, column), place = 4 * (row * columns + column);
          if (cell) image.data.set([...diverging(map.values[k * cells + cell.k] / most), 255], place);
          else image.data.set([0, 0, 0, 0], place);
        }
        small.getContext("2d").putImageData(image, 0, 0);
      }
      size = Math.min(room / columns, 320 / rows, 40);
      if (size > 2) size = Math.floor(size);
      // A matrix with few rows or columns is still to be seen.
      const [width, height] = [Math.max(columns * size, 1), Math.max(rows * size, 1)];
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
      const g = begin(canvas, width, height), colors = palette();
      g.imageSmoothingEnabled = size < 1;
      g.drawImage(small, 0, 0, width, height);
      if (at) {
        g.strokeStyle = colors.text;
        g.lineWidth = 1.5;
        g.strokeRect(at.column * size, at.row * size, size, size);
      }
      const s = begin(scale, 220, 34);
      for (let q = 0; q < 180; q += 1) {
        s.fillStyle = css(diverging(q / 89.5 - 1));
        s.fillRect(20 + q, 2, 1.5, 10);
      }
      s.fillStyle = colors.faint;
      for (const [q, text, align] of [[20, num(-most, 3), "left"], [110, "0", "center"], [200, num(most, 3), "right"]]) {
        s.textAlign = align;
        s.fillText(text, q, 24);
      }
      const which = t("chart.at", { epoch: num(weightEpochs[k]), step: whole(weightSteps[k]) });
      told.textContent = at ? words(at, k) : which;
      canvas.setAttribute("aria-label", `${heading.textContent}. ${told.textContent}`);
    }
    function words({ cell }, k) {
      const value = num(map.values[k * cells + cell.k], 5);
      const [byRow, byColumn] = map.reduced;
      const span = (q, by) => by > 1 ? `${q * by + 1}–${q * by + by}` : `${q + 1}`;
      if (map.kind === "matrix") return t("map.matrix", { unit: span(cell.r, byRow), input: span(cell.c, byColumn), v: value });
      const unit = Math.floor(cell.block / perUnit) + 1, channel = cell.block % perUnit + 1;
      const spot = { row: span(cell.r, byRow), column: span(cell.c, byColumn), v: value, unit };
      return map.kind === "kernels" ? t("map.kernels", { ...spot, channel }) : t("map.pictures", spot);
    }
    function point(row, column) {
      const cell = row >= 0 && column >= 0 && row < rows && column < columns ? valueAt(row, column) : null;
      at = cell ? { row, column, cell } : null;
      draw();
    }
    canvas.addEventListener("pointermove", event => {
      const rect = canvas.getBoundingClientRect();
      point(Math.floor((event.clientY - rect.top) / size), Math.floor((event.clientX - rect.left) / size));
      if (at) showTip(event, [words(at, weightMoment())]);
      else hideTip();
    });
    canvas.addEventListener("pointerleave", () => {
      at = null;
      hideTip();
      draw();
    });
    canvas.addEventListener("keydown", event => {
      const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }, move = moves[event.key];
      if (!move) return;
      event.preventDefault();
      let [row, column] = at ? [at.row + move[0], at.column + move[1]] : [0, 0];
      // Over a seam.
      if (row >= 0 && column >= 0 && row < rows && column < columns && !valueAt(row, column)) [row, column] = [row + move[0], column + move[1]];
      if (row >= 0 && column >= 0 && row < rows && column < columns && valueAt(row, column)) point(row, column);
    });
    view({
      place: figure,
      words: () => {
        const [r, c] = map.reduced, size = map.block.map(n => whole(n)).join(" × ");
        const what = map.kind === "matrix" ? size : t(map.kind === "kernels" ? "map.n_kernels" : "map.n_pictures", { n: whole(blocks), size });
        heading.textContent = `${layerName(map.layer)} · ${what}`;
        if (r * c > 1) heading.textContent += ` · ${t("map.reduced", { rows: r, columns: c })}`;
      },
      draw,
    });
  }
  view({
    words: () => {
      const [weighted, mapped] = data.weights.layers;
      const said = [t("weights.maps_hint", { n: weightSteps.length })];
      if (mapped < weighted) said.push(t("weights.maps_some", { some: mapped, all: weighted }));
      if (!maps.length) said.splice(0, said.length, t("weights.maps_none"));
      byId("maps-hint").textContent = said.join(language === "zh" ? "" : " ");
    },
  });
}
