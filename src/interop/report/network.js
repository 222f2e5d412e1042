// The network: a picture with the weights of the moment, and its layers as a table.

function buildNetwork() {
  const place = byId("network-body"), { plan, rows } = data.network;
  const caption = make("p", { class: "hint" });
  if (plan) {
    const canvas = make("canvas", { class: "wiring", role: "img", tabindex: "0" });
    place.append(make("figure", { class: "card wide" }, canvas, caption));
    drawNetwork(canvas, caption, plan);
  } else {
    place.append(caption);
    view({ words: () => { caption.textContent = t("network.too_large"); } });
  }
  const scroll = make("div", { class: "scroll card", tabindex: "0" });
  place.append(scroll);
  view({
    words: () => {
      const head = ["table.layer", "table.kind", "table.activation", "table.output", "table.parameters"];
      const body = rows.map((row, k) => make("tr", {},
        make("th", { scope: "row", text: k ? `${k}` : t("network.input") }),
        make("td", { text: [kindName(row.kind), row.detail].filter(Boolean).join(" · ") + (row.name !== `${row.kind}_${k}` && k ? ` (${row.name})` : "") }),
        make("td", { text: row.activation || "–" }),
        make("td", { text: row.output.join(" × ") }),
        make("td", { text: row.parameters ? whole(row.parameters) : "–" })));
      const foot = make("tr", {}, make("th", { scope: "row", text: t("table.total") }), make("td", { colspan: "3", class: "left", text: t("network.adds", { n: whole(data.network.multiply_adds) }) }),
        make("td", { text: whole(data.network.parameters) }));
      const more = data.network.all_rows - rows.length;
      scroll.replaceChildren(make("table", { class: "numbers" },
        make("thead", {}, make("tr", {}, ...head.map(key => make("th", { scope: "col", text: t(key) })))),
        make("tbody", {}, ...body), make("tfoot", {}, foot)));
      if (more > 0) scroll.append(make("p", { class: "hint", text: t("network.more", { n: whole(more) }) }));
    },
  });
}

function drawNetwork(canvas, caption, plan) {
  const px = unpack(plan.x), py = unpack(plan.y), [width, height] = plan.size;
  const first = [];
  let units = 0;
  for (const [n] of plan.columns) {
    first.push(units);
    units += n;
  }
  const links = { layer: unpack(plan.layer), column: unpack(plan.column), from: unpack(plan.from), to: unpack(plan.to), parameter: unpack(plan.parameter), weight: unpack(plan.weight) };
  const n = links.layer.length;
  const at = unit => [px[unit] / plan.parts, py[unit] / plan.parts];
  // Where a weight stands among the maps; those that are whole follow the moment.
  const sources = Array.from(links.parameter, parameter => {
    const map = parameter && maps.find(m => parameter - 1 >= m.range[0] && parameter - 1 < m.range[0] + m.range[1] && m.reduced[0] * m.reduced[1] === 1);
    return map ? [map.values, parameter - 1 - map.range[0], map.range[1]] : null;
  });
  const weightOf = (k, m) => sources[k] ? sources[k][0][m * sources[k][2] + sources[k][1]] : links.weight[k];
  const follows = sources.some(Boolean);
  // The largest of each layer over all moments, so that growth is seen.
  const largest = [];
  for (let k = 0; k < n; k += 1) for (let m = 0; m < (sources[k] ? weightSteps.length : 1); m += 1) {
    const size = Math.abs(weightOf(k, m));
    if (size > (largest[links.layer[k]] || 0)) largest[links.layer[k]] = size;
  }
  let chosen = null, fit = { scale: 1, left: 0, top: 0 };
  // The drawing without its empty margins.
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let u = 0; u < units; u += 1) {
    const [x, y] = at(u);
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
  }
  function draw() {
    const wide = canvas.clientWidth;
    if (!wide) return;
    const named = plan.outputs.length > 0, room = named ? Math.min(110, wide * 0.2) : 28;
    const scale = Math.min((wide - 40 - room) / Math.max(right - left, 1), 2, Math.max(420 / Math.max(bottom - top, 1), 0.2));
    const edge = Math.max(...plan.columns.map(([, r]) => r * scale), 0.8);
    const tall = Math.max((bottom - top) * scale + 2 * edge + 74, 130);
    canvas.style.height = `${tall}px`;
    const offset = (wide - room - (right - left) * scale) / 2;
    fit = { scale, left: offset - left * scale, top: 20 + edge - top * scale };
    const g = begin(canvas, wide, tall), colors = palette(), m = weightMoment();
    const spot = unit => {
      const [x, y] = at(unit);
      return [fit.left + x * scale, fit.top + y * scale];
    };
    const radius = column => Math.max(plan.columns[column][1] * scale, 0.8);
    for (const lit of [false, true]) for (let k = 0; k < n; k += 1) {
      const layer = links.layer[k], a = first[links.column[k]] + links.from[k], b = first[layer + 1] + links.to[k];
      const touched = chosen === null || a === chosen || b === chosen;
      if (touched !== lit && chosen !== null) continue;
      if (chosen === null && lit) continue;
      const weight = weightOf(k, m), share = Number.isFinite(weight) ? weight / (largest[layer] || 1) : 0, strength = Math.abs(share);
      const [x0, y0] = spot(a), [x1, y1] = spot(b);
      g.globalAlpha = (links.parameter[k] ? 0.1 + 0.8 * strength ** 1.5 : 0.35) * (touched ? 1 : 0.15);
      g.strokeStyle = links.parameter[k] ? css(diverging(Math.sign(share))) : colors.faint;
      g.lineWidth = 0.5 + 3 * strength;
      // Negative weights are dashed: a second cue beside the colour.
      g.setLineDash(share < 0 ? [6, 4] : []);
      g.beginPath();
      g.moveTo(x0 + radius(links.column[k]), y0);
      if (links.column[k] < layer) g.bezierCurveTo(x0 + (x1 - x0) / 4, 6, x1 - (x1 - x0) / 4, 6, x1, y1);
      else g.lineTo(x1 - radius(layer + 1), y1);
      g.stroke();
    }
    g.setLineDash([]);
    g.globalAlpha = 1;
    plan.columns.forEach(([count], column) => {
      g.lineWidth = radius(column) > 3 ? 1.4 : 0.5;
      for (let k = 0; k < count; k += 1) {
        const unit = first[column] + k, [x, y] = spot(unit);
        g.beginPath();
        g.arc(x, y, radius(column), 0, 7);
        g.fillStyle = unit === chosen ? colors.path : colors.background;
        g.strokeStyle = radius(column) > 3 ? colors.text : colors.faint;
        g.fill();
        g.stroke();
      }
      let [low, high] = [Infinity, -Infinity];
      for (let k = 0; k < count; k += 1) {
        const [x] = spot(first[column] + k);
        [low, high] = [Math.min(low, x), Math.max(high, x)];
      }
      g.textAlign = "center";
      g.fillStyle = colors.text;
      g.font = font(13, 600);
      const row = data.network.rows[column];
      g.fillText(whole(count), (low + high) / 2, tall - 30);
      g.font = font(11);
      g.fillStyle = colors.faint;
      const gap = (right - left) * scale / Math.max(plan.columns.length - 1, 1);
      if (row && gap > 62) g.fillText(column ? row.activation || kindName(row.kind) : t("network.input"), (low + high) / 2, tall - 13, gap - 6);
    });
    g.font = font(12);
    g.fillStyle = colors.text;
    g.textAlign = "left";
    const column = plan.columns.length - 1;
    if (named) plan.outputs.forEach((name, k) => {
      const [x, y] = spot(first[column] + k);
      if (radius(column) > 4) g.fillText(name, x + radius(column) + 7, y, room - 6);
    });
    const shown = plan.counts.reduce((sum, [a]) => sum + a, 0), all = plan.counts.reduce((sum, [, b]) => sum + b, 0);
    const said = [t("network.colors"), shown < all ? t("network.some", { some: whole(shown), all: whole(all) }) : t("network.all", { all: whole(all) })];
    said.push(follows ? t("network.follows", { epoch: num(weightEpochs[m]) }) : t("network.last"));
    caption.textContent = said.join(language === "zh" ? "" : " ");
    canvas.setAttribute("aria-label", t("network.label", { units: data.run.network.join("–") }));
  }
  function describe(unit) {
    const column = placeOf(first, unit), k = unit - first[column], m = weightMoment();
    const lines = [column ? `${layerName(column - 1)}, ${t("network.unit", { n: k + 1 })}` : `${t("network.input")} ${k + 1}`];
    const touching = [];
    for (let l = 0; l < n; l += 1) {
      if (links.layer[l] + 1 === column && links.to[l] === k && links.parameter[l]) touching.push([links.from[l] + 1, weightOf(l, m)]);
    }
    touching.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
    for (const [from, weight] of touching.slice(0, 6)) lines.push(`${t("network.from", { n: from })} ${num(weight)}`);
    return lines;
  }
  canvas.addEventListener("pointermove", event => {
    const box = canvas.getBoundingClientRect(), x = (event.clientX - box.left - fit.left) / fit.scale, y = (event.clientY - box.top - fit.top) / fit.scale;
    let best = null, near = 14 / fit.scale;
    for (let u = 0; u < units; u += 1) {
      const [ux, uy] = at(u), d = Math.hypot(ux - x, uy - y);
      if (d < near) [best, near] = [u, d];
    }
    if (best !== chosen) {
      chosen = best;
      draw();
    }
    if (chosen === null) hideTip();
    else showTip(event, describe(chosen));
  });
  canvas.addEventListener("pointerleave", () => {
    chosen = null;
    hideTip();
    draw();
  });
  canvas.addEventListener("keydown", event => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    chosen = chosen === null ? 0 : Math.min(Math.max(chosen + by, 0), units - 1);
    draw();
    canvas.setAttribute("aria-label", list(describe(chosen)));
  });
  view({ place: canvas, draw });
}
