// The curves of the run, the moment's slider, and the table of epochs.

function buildCurves() {
  const place = byId("charts"), colors = {
    training: () => palette().training, validation: () => palette().validation, plain: () => palette().training,
  };
  const line = (key, y, color, dash, x = curves.step) => y && { key, y, color: colors[color], dash, x };
  const rate = steps ? line("series.rate", steps.learning_rate, "plain", false, steps.step) : line("series.rate", curves.learning_rate, "plain");
  const norm = steps ? line("series.norm", steps.gradient_norm, "plain", false, steps.step) : line("series.norm", curves.gradient_norm, "plain");
  const all = [
    ["chart.loss", [line("series.train", curves.train_loss, "training"), line("series.validation", curves.validation_loss, "validation", true)], { log: true }],
    ["chart.accuracy", [line("series.train", curves.train_accuracy, "training"), line("series.validation", curves.validation_accuracy, "validation", true)],
      { format: v => percent(v), tick: v => percent(v, 1), bounds: [0, 1] }],
    ["chart.rate", [rate], { log: true }],
    ["chart.norm", [norm], { log: true }],
  ];
  const missing = [];
  for (const [title, series, options] of all) {
    const known = series.filter(Boolean);
    if (known.length) place.append(chart(title, known, options));
    else if (title !== "chart.accuracy") missing.push(title);
  }
  const controls = byId("curves-controls");
  controls.append(choice("chart.unit", [["epoch", "axis.epochs"], ["step", "axis.steps"]], "epoch", unit => {
    chartView.unit = unit;
    redraw();
  }));
  controls.append(button("chart.log", false, made => {
    chartView.log = !chartView.log;
    made.setAttribute("aria-pressed", String(chartView.log));
    redraw();
  }));
  const slider = make("input", { type: "range", min: "0", max: "0.99", step: "0.01", value: "0", id: "smooth" });
  const label = make("label", { for: "smooth" }), told = make("output", { for: "smooth" });
  slider.addEventListener("input", () => {
    chartView.smooth = Number(slider.value);
    told.textContent = slider.value;
    redraw();
  });
  told.textContent = "0";
  controls.append(make("span", { class: "slider" }, label, slider, told));
  const reset = button("chart.reset", null, () => zoomTo(0, lastStep));
  controls.append(reset);
  const note = make("p", { class: "hint" });
  place.after(note);
  view({
    words: () => {
      label.textContent = t("chart.smooth");
      const parts = [];
      if (missing.length) parts.push(t("curves.missing", { what: list(missing.map(key => t(key))) }));
      const [kept, here] = data.curves.counts;
      if (here < kept) parts.push(t("curves.thinned", { here: whole(here), all: whole(kept) }));
      note.textContent = parts.join(" ");
      note.hidden = !parts.length;
    },
    draw: () => { reset.disabled = fullRange(); },
  });
  buildTable();
}

// The epochs as a table: at most 60 of them, the first and the last among them.
function buildTable() {
  const place = byId("curves-table").querySelector("div"), columns = [
    ["axis.epoch", curves.epoch, whole], ["axis.step", curves.step, whole],
    ["table.train_loss", curves.train_loss, num], ["table.train_accuracy", curves.train_accuracy, percent],
    ["table.validation_loss", curves.validation_loss, num], ["table.validation_accuracy", curves.validation_accuracy, percent],
    ["chart.rate", curves.learning_rate, num], ["chart.norm", curves.gradient_norm, num],
  ].filter(([, values]) => values);
  const rows = curves.step.length, most = Math.min(rows, 60), chosen = [];
  for (let k = 0; k < most; k += 1) chosen.push(most > 1 ? Math.floor(k * (rows - 1) / (most - 1)) : 0);
  view({
    words: () => {
      const head = make("tr", {}, ...columns.map(([key]) => make("th", { scope: "col", text: t(key) })));
      const body = chosen.map(k => make("tr", {}, ...columns.map(([key, values, format]) =>
        make("td", { text: format(values[k]), "data-value": String(values[k]), "data-column": key }))));
      place.replaceChildren(make("table", { class: "numbers" }, make("thead", {}, head), make("tbody", {}, ...body)));
    },
  });
}

// The slider of the moment, at the foot of the window.
function buildScrub() {
  const place = byId("scrub");
  const play = make("button", { type: "button", class: "play", id: "play" });
  const slider = make("input", { type: "range", min: "0", max: "1000", step: "1", value: "1000", id: "moment" });
  const told = make("output", { for: "moment", id: "moment-words" });
  place.append(play, slider, told);
  const icon = playing => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", playing ? "M7 5h4v14H7zM13 5h4v14h-4z" : "M8 5l11 7-11 7z");
    path.setAttribute("fill", "currentColor");
    svg.append(path);
    return svg;
  };
  slider.addEventListener("input", () => {
    stop();
    setStep(lastStep * Number(slider.value) / 1000);
  });
  let before = 0;
  // The whole run in ten seconds.
  function tick(now) {
    if (!moment.playing) return;
    const by = lastStep * Math.min(now - before, 100) / 10000;
    before = now;
    setStep(moment.step + by);
    if (moment.step >= lastStep) stop();
    else requestAnimationFrame(tick);
  }
  function stop() {
    if (!moment.playing) return;
    moment.playing = false;
    words();
  }
  play.addEventListener("click", () => {
    if (moment.playing) return stop();
    if (moment.step >= lastStep) moment.step = 0;
    moment.playing = true;
    words();
    requestAnimationFrame(now => {
      before = now;
      tick(now);
    });
  });
  function words() {
    play.replaceChildren(icon(moment.playing));
    play.setAttribute("aria-label", t(moment.playing ? "scrub.pause" : "scrub.play"));
    play.title = t(moment.playing ? "scrub.pause" : "scrub.play");
    slider.setAttribute("aria-label", t("heading.scrub"));
    draw();
  }
  function draw() {
    slider.value = String(Math.round(1000 * moment.step / lastStep));
    const k = placeOf(curves.step, Math.round(moment.step)), parts = [];
    const say = t("scrub.at", { epoch: num(Number(epochOf(moment.step).toFixed(1)), 6), step: whole(Math.round(moment.step)) });
    parts.push(`${t("chart.loss")} ${num(curves.train_loss[k])}`);
    if (curves.validation_accuracy) parts.push(`${t("scrub.validation")} ${percent(curves.validation_accuracy[k])}`);
    else if (curves.validation_loss) parts.push(`${t("scrub.validation")} ${num(curves.validation_loss[k])}`);
    told.replaceChildren(make("b", { text: say }), make("span", { text: parts.join(" · ") }));
    slider.setAttribute("aria-valuetext", say);
  }
  view({ words, draw });
}
