// What the run is and came to, in words: heading, diagnosis, events, how to make it again.

const run = data.run;
// Trained by another program: its optimiser, seed and epochs are not known.
const watched = run.origin === "watched";

function buildHeading() {
  const at = key => curves[key] && curves[key].length ? curves[key][curves[key].length - 1] : null;
  const epochs = lastRow >= 0 ? curves.epoch[lastRow] : 0, total = lastRow >= 0 ? curves.step[lastRow] : 0;
  view({
    words: () => {
      const network = run.network.join("–");
      const parts = [
        run.image ? t("about.images", { data: run.data, rows: run.image[0], columns: run.image[1] }) : t("about.data", { data: run.data, n: run.features }),
        t("about.network", { network }),
        watched ? t("about.watched") : t("about.seed", { seed: run.seed }),
      ];
      if (run.made) {
        const when = new Date(run.made);
        parts.push(new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", { dateStyle: "long", timeStyle: "short" }).format(when));
      }
      byId("about").textContent = parts.join(" · ");
      const accuracy = at("validation_accuracy"), seen = at("train_accuracy");
      const values = {
        epochs: whole(epochs), loss: num(at("train_loss")), validation: num(at("validation_loss")),
        accuracy: percent(accuracy === null ? seen : accuracy), n: whole(run.samples[accuracy === null ? 0 : 1]),
      };
      const key = accuracy !== null ? "result.accuracy" : seen !== null ? "result.train_accuracy" : at("validation_loss") !== null ? "result.loss" : "result.train_loss";
      const said = {
        "result.accuracy": t("result.accuracy", values), "result.train_accuracy": t("result.train_accuracy", values),
        "result.loss": t("result.loss", values), "result.train_loss": t("result.train_loss", values),
      };
      const how = { finished: "", stopped: t("result.stopped"), diverged: t("result.diverged"), interrupted: t("result.interrupted") };
      const told = t("result.watched", { steps: whole(total), loss: num(at("train_loss")) });
      byId("result").textContent = watched ? told : [said[key], how[run.outcome]].filter(Boolean).join(language === "zh" ? "" : " ");
      const tile = (name, value, raw, small) => make("div", { class: "tile" }, make("dt", { text: name }),
        make("dd", { text: value, "data-value": raw === null ? null : String(raw) }), small ? make("dd", { class: "small", text: small }) : null);
      const tiles = [];
      if (accuracy !== null) tiles.push(tile(t("table.validation_accuracy"), percent(accuracy), accuracy, best("validation_accuracy", true)));
      if (seen !== null) tiles.push(tile(t("table.train_accuracy"), percent(seen), seen));
      if (at("validation_loss") !== null) tiles.push(tile(t("table.validation_loss"), num(at("validation_loss")), at("validation_loss"), best("validation_loss", false)));
      tiles.push(tile(t("table.train_loss"), num(at("train_loss")), at("train_loss")));
      tiles.push(watched ? tile(t("tile.told"), whole(total), total) : tile(t("tile.epochs"), whole(epochs), epochs, t("tile.steps", { n: whole(total) })));
      tiles.push(tile(t("table.parameters"), whole(run.parameters), run.parameters, run.loss));
      if (!watched) tiles.push(tile(t("tile.optimizer"), run.optimizer, null, t("tile.rate", { rate: num(run.learning_rate), batch: whole(run.batch) })));
      if (run.seconds !== null && !watched) tiles.push(tile(t("tile.time"), duration(run.seconds), run.seconds, t("tile.per_epoch", { time: duration(run.seconds / Math.max(epochs, 1)) })));
      byId("figures").replaceChildren(...tiles);
      const remarks = byId("remarks");
      remarks.replaceChildren(...run.tags.map(tag => make("span", { class: "tag", text: tag })), ...run.comments.map(text => make("blockquote", { text })));
      document.title = `${run.name} · gradscape`;
    },
  });
  // The best of a column and the epoch after which it was.
  function best(key, high) {
    const values = curves[key];
    if (watched) return null;
    let k = 0;
    for (let i = 1; i < values.length; i += 1) if (high ? values[i] > values[k] : values[i] < values[k]) k = i;
    return t("tile.best", { v: high ? percent(values[k]) : num(values[k]), epoch: whole(curves.epoch[k]) });
  }
}

function buildFindings() {
  const place = byId("findings");
  const filled = (key, values) => t(key, Object.fromEntries(values));
  view({
    words: () => {
      if (!data.findings) return place.replaceChildren(make("p", { text: t("findings.unknown") }));
      const notes = run.updates_measured ? [] : [make("p", { class: "hint", text: t("findings.afterwards") })];
      if (!data.findings.length) return place.replaceChildren(make("p", { class: "card good", text: t("findings.none") }), ...notes);
      const cards = data.findings.map(finding => {
        const where = [];
        if (finding.layer !== null) where.push(t("diagnosis.layer", { n: finding.layer + 1 }));
        if (finding.feature !== null) where.push(t("diagnosis.input", { name: finding.feature }));
        if (finding.class !== null) where.push(t("diagnosis.class", { name: finding.class }));
        const card = make("article", { class: `card finding ${["suspicion", "warning", "severe"].includes(finding.severity) ? finding.severity : ""}` },
          make("h3", {}, t(`diagnosis.${finding.kind}.title`), make("span", { class: "tag", text: t(`diagnosis.${finding.severity}`) }), ...where.map(text => make("span", { class: "tag plain", text }))),
          make("p", { text: t(`diagnosis.${finding.kind}.meaning`) }));
        const evidence = make("ul", { class: "evidence" });
        for (const e of finding.evidence) {
          evidence.append(make("li", {}, t(`diagnosis.evidence.${e.name}`), ": ", make("b", { text: t(e.at_least ? "diagnosis.at_least" : "diagnosis.at_most", { value: num(e.value, 3), threshold: num(e.threshold, 3) }), "data-value": String(e.value) })));
        }
        card.append(make("h4", { text: t("findings.evidence") }), evidence);
        if (finding.explains.length) card.append(make("p", { text: t("diagnosis.explains", { kinds: list(finding.explains.map(kind => t(`diagnosis.${kind}.title`))) }) }));
        if (finding.cures.length) {
          card.append(make("h4", { text: t("diagnosis.what") }), make("ul", {}, ...finding.cures.map(([key, values]) => make("li", { text: filled(`diagnosis.cure.${key}`, values) }))));
        }
        card.append(make("p", { class: "hint", text: t("findings.sources", { sources: t(`diagnosis.${finding.kind}.sources`) }) }));
        return card;
      });
      place.replaceChildren(...cards, ...notes);
    },
  });
}

function buildEvents() {
  const place = byId("events-list");
  view({
    words: () => {
      place.replaceChildren(...data.events.map(event => {
        const values = Object.fromEntries(event.values);
        for (const [name, write] of [["loss", v => num(v)], ["accuracy", v => percent(v)], ["from", v => num(v)], ["to", v => num(v)]]) {
          if (name in values && Number.isFinite(Number(values[name]))) values[name] = write(Number(values[name]));
        }
        const known = has("event." + event.kind) ? t("event." + event.kind, values) : [event.kind, ...event.values.map(([name, value]) => `${name} ${value}`)].join(" · ");
        const when = event.epoch === null ? t("events.step", { step: whole(event.step) }) : t("chart.at", { epoch: whole(event.epoch), step: whole(event.step) });
        const go = make("button", { type: "button", class: "when", text: when, onclick: () => setStep(event.step) });
        return make("li", {}, go, make("span", { text: event.text ? `${known} ${event.text}` : known }));
      }));
      if (!data.events.length) place.replaceChildren(make("li", { text: t("events.none") }));
    },
  });
}

function buildAgain() {
  const place = byId("again-body");
  const copier = text => {
    const made = make("button", {
      type: "button", class: "copy", text: t("again.copy"),
      onclick: async () => {
        let done = false;
        try {
          await navigator.clipboard.writeText(text);
          done = true;
        } catch {
          // Without the clipboard's interface (an older browser, or one that forbids it for files).
          const area = make("textarea", { readonly: true, class: "off" });
          area.value = text;
          document.body.append(area);
          area.select();
          done = document.execCommand("copy");
          area.remove();
        }
        made.textContent = t(done ? "again.copied" : "again.not_copied");
        setTimeout(() => { made.textContent = t("again.copy"); }, 1800);
      },
    });
    return made;
  };
  const saver = () => make("button", {
    type: "button", class: "copy", text: t("again.save"),
    onclick: () => {
      const url = URL.createObjectURL(new Blob([run.experiment], { type: "text/plain" }));
      const link = make("a", { href: url, download: run.file });
      document.body.append(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    },
  });
  const code = (text, id, ...buttons) => make("div", { class: "code" }, make("div", { class: "code-head" }, ...buttons, copier(text)), make("pre", { tabindex: "0", id }, make("code", { text })));
  const out = run.file.replace(/\.toml$/, "");
  const commands = [`gradscape train ${run.file} --out ${out}`, `gradscape report ${out} --out ${out}.html`].join("\n");
  view({
    words: () => {
      const facts = [];
      const fact = (key, value) => facts.push(make("div", {}, make("dt", { text: key }), make("dd", { text: value })));
      if (!watched) fact(t("again.seed"), run.reseeded === null ? String(run.seed) : t("again.reseeded", { seed: run.reseeded, data: run.seed }));
      fact(t("again.version"), `gradscape ${run.version || data.program}`);
      for (const [name, value] of run.environment) {
        if (name !== "gradscape") fact(has("environment." + name) ? t("environment." + name) : name, value);
      }
      const origin = { trained: t("origin.trained"), folder: t("origin.folder"), file: t("origin.file"), watched: t("origin.watched") };
      fact(t("again.origin"), origin[run.origin]);
      const [train, validation] = run.samples;
      const split = validation ? t("data.split", { train: whole(train), validation: whole(validation) }) : t("data.no_split", { train: whole(train) });
      const source = { generated: t("data.generated", { data: run.data, seed: run.seed }), own: t("data.own", { data: run.data }), real: t("data.real", { data: run.data }) };
      const provenance = make("div", { class: "card" }, make("h3", { text: t("heading.data") }), make("p", { text: `${source[run.source]} ${split}` }));
      if (run.provenance) {
        const [licence, citation] = run.provenance;
        provenance.append(make("p", {}, `${t("data.licence")} `, make("b", { text: licence })), make("p", { class: "hint", text: citation }));
      }
      place.replaceChildren(
        ...(watched ? [make("p", { text: t("again.watched") })] : [make("p", { text: t("again.how", { file: run.file }) }), code(commands, "commands")]),
        make("h3", { text: t("again.experiment", { file: run.file }) }), code(run.experiment, "experiment", saver()),
        make("div", { class: "cards" }, make("div", { class: "card" }, make("h3", { text: t("again.environment") }), make("dl", { class: "facts" }, ...facts), watched ? null : make("p", { class: "hint", text: t("again.same") })), provenance));
    },
  });
}
