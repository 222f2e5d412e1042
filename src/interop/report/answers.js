// What the network answers: confusion and scores of classes, targets and outputs, the
// field over the plane, the curve over the line.

function buildAnswers() {
  const place = byId("answers-cards"), { parts, field, line } = data.answers;
  let part = parts.length > 1 ? "validation" : "train";
  if (field) place.append(fieldCard(field));
  if (line) place.append(lineCard(line));
  const cards = parts.map(each => {
    const card = make("div", { class: "cards inner" });
    if (each.scores) card.append(...[each.confusion ? confusionCard(each) : null, scoresCard(each)].filter(Boolean));
    else if (each.errors) card.append(errorsCard(each));
    place.append(card);
    return [each.part, card];
  });
  const show = () => {
    for (const [name, card] of cards) card.hidden = name !== part;
    redraw();
  };
  if (parts.length > 1) byId("answers-controls").append(choice("answers.part", [["validation", "series.validation"], ["train", "series.train"]], part, chosen => {
    part = chosen;
    show();
  }));
  show();
}

const className = k => data.answers.names[k] || `${k + 1}`;

function samplesNote(each) {
  const [asked, all] = each.samples;
  const values = { n: whole(asked), all: whole(all), part: t(each.part === "train" ? "series.train" : "series.validation") };
  return asked < all ? t("answers.some", values) : t("answers.all", values);
}

function confusionCard(each) {
  const counts = unpack(each.confusion), n = each.scores.length;
  const heading = make("h3"), axes = make("p", { class: "hint" }), scroll = make("div", { class: "scroll", tabindex: "0" }), note = make("p", { class: "hint" });
  const card = make("figure", { class: "card" }, heading, axes, scroll, note);
  const totals = Array.from({ length: n }, (_, row) => each.scores[row].support);
  function fill() {
    const table = make("table", { class: n > 14 ? "confusion tight" : n < 5 ? "confusion roomy" : "confusion" });
    table.append(make("thead", {}, make("tr", {}, make("td"), ...totals.map((_, k) => make("th", { scope: "col" }, make("span", { text: className(k) }))))));
    const body = make("tbody");
    for (let row = 0; row < n; row += 1) {
      const cells = totals.map((_, column) => {
        const count = counts[row * n + column], share = totals[row] ? count / totals[row] : 0;
        // Right answers in one colour, wrong ones in the other.
        const color = diverging((row === column ? 1 : -1) * (count ? 0.12 + 0.88 * Math.sqrt(share) : 0));
        const cell = make("td", { text: count ? whole(count) : "·", "data-count": String(count), class: row === column ? "right" : null });
        cell.style.background = css(color);
        cell.style.color = over(color);
        cell.addEventListener("pointermove", event => showTip(event, [
          t("confusion.cell", { n: whole(count), of: className(row), said: className(column) }), t("confusion.share", { share: percent(share, 1), of: className(row) })]));
        cell.addEventListener("pointerleave", hideTip);
        return cell;
      });
      body.append(make("tr", {}, make("th", { scope: "row", text: className(row) }), ...cells));
    }
    table.append(body);
    scroll.replaceChildren(table);
  }
  view({
    words: () => {
      heading.textContent = t("heading.confusion");
      axes.textContent = t("confusion.axes");
      const right = totals.reduce((sum, _, k) => sum + counts[k * n + k], 0), all = totals.reduce((a, b) => a + b, 0);
      note.textContent = `${samplesNote(each)} ${t("confusion.right", { right: whole(right), all: whole(all), share: percent(right / Math.max(all, 1)) })}`;
      fill();
    },
  });
  return card;
}

function scoresCard(each) {
  const heading = make("h3"), scroll = make("div", { class: "scroll", tabindex: "0" });
  view({
    words: () => {
      heading.textContent = t("heading.scores");
      const head = ["scores.class", "scores.precision", "scores.recall", "scores.f1", "scores.support"];
      const bar = value => {
        const cell = make("td", { class: "meter", text: percent(value, 1), "data-value": String(value) });
        cell.style.setProperty("--share", String(value));
        return cell;
      };
      const rows = each.scores.map((score, k) => make("tr", {}, make("th", { scope: "row", text: className(k) }), bar(score.precision), bar(score.recall), bar(score.f1), make("td", { text: whole(score.support) })));
      scroll.replaceChildren(make("table", { class: "numbers" }, make("thead", {}, make("tr", {}, ...head.map(key => make("th", { scope: "col", text: t(key) })))), make("tbody", {}, ...rows)));
    },
  });
  return make("figure", { class: "card" }, heading, scroll);
}

function errorsCard(each) {
  const target = unpack(each.target), value = unpack(each.value), outputs = each.errors.length, n = target.length / outputs;
  const canvas = make("canvas", { class: "square", role: "img" }), heading = make("h3"), note = make("p", { class: "hint" });
  const finite = [...target, ...value].filter(Number.isFinite);
  const lo = finite.reduce((a, b) => Math.min(a, b), Infinity), hi = finite.reduce((a, b) => Math.max(a, b), -Infinity), pad = 0.05 * (hi - lo) || 1;
  let near = null;
  const frame = () => ({ width: canvas.clientWidth, height: canvas.clientHeight, left: 58, top: 10, side: [canvas.clientWidth - 72, canvas.clientHeight - 54] });
  const spot = (k, f) => [f.left + (target[k] - lo + pad) / (hi - lo + 2 * pad) * f.side[0], f.top + f.side[1] - (value[k] - lo + pad) / (hi - lo + 2 * pad) * f.side[1]];
  function draw() {
    const f = frame();
    if (!f.width) return;
    const g = begin(canvas, f.width, f.height), colors = palette();
    const x = v => f.left + (v - lo + pad) / (hi - lo + 2 * pad) * f.side[0], y = v => f.top + f.side[1] - (v - lo + pad) / (hi - lo + 2 * pad) * f.side[1];
    g.strokeStyle = colors.grid;
    g.fillStyle = colors.faint;
    for (const tick of niceTicks(lo, hi, 5)) {
      g.beginPath();
      g.moveTo(f.left, y(tick));
      g.lineTo(f.left + f.side[0], y(tick));
      g.moveTo(x(tick), f.top);
      g.lineTo(x(tick), f.top + f.side[1]);
      g.stroke();
      g.textAlign = "right";
      g.fillText(num(tick, 3), f.left - 7, y(tick));
      g.textAlign = "center";
      g.fillText(num(tick, 3), x(tick), f.top + f.side[1] + 14);
    }
    g.strokeStyle = colors.faint;
    g.setLineDash([6, 4]);
    g.beginPath();
    g.moveTo(x(lo - pad), y(lo - pad));
    g.lineTo(x(hi + pad), y(hi + pad));
    g.stroke();
    g.setLineDash([]);
    for (let k = 0; k < target.length; k += 1) {
      const [px, py] = spot(k, f), color = outputs > 1 ? classColor(Math.floor(k / n)) : each.part === "train" ? colors.training : colors.validation;
      g.fillStyle = faded(color, 0.6);
      g.beginPath();
      g.arc(px, py, k === near ? 6 : 3.2, 0, 7);
      g.fill();
    }
    g.fillStyle = colors.text;
    g.textAlign = "center";
    g.fillText(t("errors.target"), f.left + f.side[0] / 2, f.height - 10);
    g.save();
    g.translate(12, f.top + f.side[1] / 2);
    g.rotate(-Math.PI / 2);
    g.fillText(t("errors.value"), 0, 0);
    g.restore();
  }
  canvas.addEventListener("pointermove", event => {
    const box = canvas.getBoundingClientRect(), f = frame(), x = event.clientX - box.left, y = event.clientY - box.top;
    near = null;
    let best = 14;
    for (let k = 0; k < target.length; k += 1) {
      const [px, py] = spot(k, f), d = Math.hypot(px - x, py - y);
      if (d < best) [best, near] = [d, k];
    }
    if (near !== null) showTip(event, [`${t("errors.target")} ${num(target[near])}`, `${t("errors.value")} ${num(value[near])}`, `${t("errors.residual")} ${num(value[near] - target[near])}`]);
    else hideTip();
    draw();
  });
  canvas.addEventListener("pointerleave", () => {
    near = null;
    hideTip();
    draw();
  });
  const card = make("figure", { class: "card" }, heading, canvas, note);
  view({
    place: card,
    words: () => {
      heading.textContent = t("heading.errors");
      const told = each.errors.map(([rmse, r2], k) => t("errors.figures", { name: data.answers.names[k] || `${k + 1}`, rmse: num(rmse), r2: num(r2) }));
      note.textContent = [samplesNote(each), ...told].join(" ");
      canvas.setAttribute("aria-label", note.textContent);
    },
    draw,
  });
  return card;
}

// The samples of each part, with what they are drawn by.
function unpackPoints(points) {
  return points.map(each => ({ part: each.part, x: unpack(each.x), y: unpack(each.y), class: unpack(each.class), value: unpack(each.value) }));
}

function fieldCard(field) {
  const { n } = field, values = unpack(field.value), classes = unpack(field.class), points = unpackPoints(field.points);
  const [[x0, x1], [y0, y1]] = field.domain;
  const canvas = make("canvas", { class: "square", role: "img" }), heading = make("h3"), note = make("p", { class: "hint" }), legend = make("div", { class: "legend" });
  // Finer than the numbers, so that the boundary between classes is a line.
  const fine = 4 * n, image = new ImageData(fine, fine), small = make("canvas", { width: fine, height: fine });
  const two = field.signed && data.run.task === "classes";
  function paint(m) {
    const ground = bytesOf(palette().background), table = Array.from({ length: 255 }, (_, v) => diverging((v - 127) / 127));
    const hues = classColors().map(bytesOf);
    for (let row = 0; row < fine; row += 1) for (let column = 0; column < fine; column += 1) {
      // The numbers are those of the middles of cells.
      const u = Math.min(Math.max((column + 0.5) / 4 - 0.5, 0), n - 1), v = Math.min(Math.max((row + 0.5) / 4 - 0.5, 0), n - 1);
      const i = Math.min(Math.floor(u), n - 2), j = Math.min(Math.floor(v), n - 2), a = u - i, b = v - j, k = m * n * n + j * n + i;
      const weights = [(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b], corners = [k, k + 1, k + n, k + n + 1];
      let color;
      if (field.signed) {
        let value = 0;
        for (let q = 0; q < 4; q += 1) value += weights[q] * values[corners[q]];
        color = table[Math.round(value) + 127];
      } else {
        // The class that is ahead where the corners are mixed, and by how much.
        const ahead = new Map();
        for (let q = 0; q < 4; q += 1) {
          const each = classes[corners[q]];
          ahead.set(each, (ahead.get(each) || 0) + weights[q] * Math.max(values[corners[q]], 1));
        }
        const [best, margin] = [...ahead].reduce((x, y) => y[1] > x[1] ? y : x), f = 0.25 + 0.5 * margin / 127;
        color = ground.map((c, q) => Math.round(c + f * (hues[best % hues.length][q] - c)));
      }
      image.data.set([...color, 255], 4 * ((fine - 1 - row) * fine + column));
    }
    small.getContext("2d").putImageData(image, 0, 0);
  }
  const pointColor = (each, k) => each.class ? two ? css(diverging(each.class[k] ? 1 : -1)) : classColor(each.class[k]) : css(diverging(each.value[k] / 127));
  const frame = () => {
    const side = Math.min(canvas.clientWidth - 60, canvas.clientHeight - 34);
    return { side, left: 44 + (canvas.clientWidth - 60 - side) / 2, top: 6 };
  };
  let shown = -1, painted = "";
  function draw() {
    const width = canvas.clientWidth;
    if (!width) return;
    const g = begin(canvas, width, canvas.clientHeight), colors = palette(), { side, left, top } = frame(), m = weightMoment();
    const mark = `${m} ${isDark()}`;
    if (mark !== painted) paint(m);
    [shown, painted] = [m, mark];
    g.imageSmoothingEnabled = true;
    g.imageSmoothingQuality = "high";
    g.globalAlpha = 0.8;
    g.drawImage(small, left, top, side, side);
    g.globalAlpha = 1;
    g.strokeStyle = colors.grid;
    g.strokeRect(left, top, side, side);
    for (const each of points) for (let k = 0; k < each.x.length; k += 1) {
      const x = left + (each.x[k] - x0) / (x1 - x0) * side, y = top + (y1 - each.y[k]) / (y1 - y0) * side;
      g.beginPath();
      g.arc(x, y, each.x.length > 400 ? 2.6 : 3.4, 0, 7);
      g.fillStyle = pointColor(each, k);
      g.fill();
      // Samples that were held back have a dark ring, the others a light one.
      g.strokeStyle = each.part === "validation" ? "#14171f" : "#ffffff";
      g.lineWidth = each.x.length > 400 ? 0.8 : 1.2;
      g.stroke();
    }
    g.fillStyle = colors.faint;
    for (const tick of niceTicks(x0, x1, 5)) {
      g.textAlign = "center";
      g.fillText(num(tick, 3), left + (tick - x0) / (x1 - x0) * side, top + side + 14);
    }
    for (const tick of niceTicks(y0, y1, 5)) {
      g.textAlign = "right";
      g.fillText(num(tick, 3), left - 7, top + (y1 - tick) / (y1 - y0) * side);
    }
    note.textContent = `${t("field.note", { epoch: num(weightEpochs[m]) })} ${t("field.rings")}`;
  }
  canvas.addEventListener("pointermove", event => {
    const box = canvas.getBoundingClientRect(), { side, left, top } = frame();
    const u = (event.clientX - box.left - left) / side, v = (top + side - event.clientY + box.top) / side;
    if (u < 0 || v < 0 || u >= 1 || v >= 1) return hideTip();
    const k = shown * n * n + Math.floor(v * n) * n + Math.floor(u * n);
    const where = `x₁ ${num(x0 + u * (x1 - x0), 3)}, x₂ ${num(y0 + v * (y1 - y0), 3)}`;
    const says = two ? t("field.two", { name: className(values[k] >= 0 ? 1 : 0), share: percent((1 + Math.abs(values[k]) / 127) / 2, 0) })
      : field.signed ? t("field.value", { v: num(values[k] / 127, 3) }) : t("field.class", { name: className(classes[k]), share: percent(values[k] / 127, 0) });
    showTip(event, [where, says]);
  });
  canvas.addEventListener("pointerleave", hideTip);
  const card = make("figure", { class: "card" }, make("div", { class: "chart-head" }, heading, legend), canvas, note);
  view({
    place: card,
    words: () => {
      heading.textContent = t("heading.field");
      canvas.setAttribute("aria-label", t("heading.field"));
      if (data.run.task === "classes") {
        const all = data.answers.names.map((name, k) => [name, two ? css(diverging(k ? 1 : -1)) : classColor(k)]);
        legend.replaceChildren(...all.map(([name, color]) => make("span", { class: "key" }, dot(color), name)));
      }
    },
    draw,
  });
  return card;
}

function dot(color) {
  const made = make("i", { class: "dot" });
  made.style.background = color;
  return made;
}

function lineCard(line) {
  const { n } = line, x = unpack(line.x), y = unpack(line.y), points = unpackPoints(line.points);
  const canvas = make("canvas", { class: "square", role: "img" }), heading = make("h3"), note = make("p", { class: "hint" });
  const all = [];
  for (const each of points) all.push(...each.y);
  for (let k = y.length - n; k < y.length; k += 1) all.push(y[k]);
  const finite = all.filter(Number.isFinite), lo = finite.reduce((a, b) => Math.min(a, b), Infinity), hi = finite.reduce((a, b) => Math.max(a, b), -Infinity), pad = 0.1 * (hi - lo) || 1;
  function draw() {
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width) return;
    const g = begin(canvas, width, height), colors = palette(), m = weightMoment();
    const toX = v => 52 + (v - x[0]) / (x[n - 1] - x[0]) * (width - 66), toY = v => 10 + (hi + pad - v) / (hi - lo + 2 * pad) * (height - 44);
    g.strokeStyle = colors.grid;
    g.fillStyle = colors.faint;
    g.textAlign = "right";
    for (const tick of niceTicks(lo - pad, hi + pad, 5)) {
      g.beginPath();
      g.moveTo(52, toY(tick));
      g.lineTo(width - 14, toY(tick));
      g.stroke();
      g.fillText(num(tick, 3), 45, toY(tick));
    }
    g.textAlign = "center";
    for (const tick of niceTicks(x[0], x[n - 1], 6)) g.fillText(num(tick, 3), toX(tick), height - 16);
    g.save();
    g.beginPath();
    g.rect(52, 4, width - 66, height - 36);
    g.clip();
    for (const each of points) {
      g.fillStyle = faded(each.part === "train" ? colors.training : colors.validation, 0.7);
      for (let k = 0; k < each.x.length; k += 1) {
        g.beginPath();
        g.arc(toX(each.x[k]), toY(each.y[k]), 3.2, 0, 7);
        g.fill();
      }
    }
    g.strokeStyle = colors.path;
    g.lineWidth = 2.5;
    g.beginPath();
    for (let k = 0; k < n; k += 1) g.lineTo(toX(x[k]), toY(y[m * n + k]));
    g.stroke();
    g.restore();
    note.textContent = t("line.note", { epoch: num(weightEpochs[m]) });
  }
  const legend = make("div", { class: "legend" });
  const card = make("figure", { class: "card" }, make("div", { class: "chart-head" }, heading, legend), canvas, note);
  view({
    place: card,
    words: () => {
      heading.textContent = t("heading.line");
      const parts = points.map(each => each.part === "train" ? [palette().training, t("series.train")] : [palette().validation, t("series.validation")]);
      legend.replaceChildren(...parts.map(([color, name]) => make("span", { class: "key" }, dot(color), name)), make("span", { class: "key" }, swatch(palette().path), t("errors.value")));
      canvas.setAttribute("aria-label", t("heading.line"));
    },
    draw,
  });
  return card;
}
