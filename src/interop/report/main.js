// The page as a whole: languages, themes, sections, printing.

const sections = ["curves", "surface", "answers", "network", "weights", "diagnosis", "events", "again"];

function applyWords() {
  root.lang = language === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", t(element.dataset.label));
  byId("nav").replaceChildren(...sections.map(name => make("a", { href: `#${name}`, text: byId(`${name}-h`).textContent })));
  for (const name of ["en", "zh"]) byId(`lang-${name}`).setAttribute("aria-pressed", String(language === name));
  byId("theme-name").textContent = { auto: t("theme.auto"), dark: t("theme.dark"), light: t("theme.light") }[theme];
  byId("made-by").textContent = t("page.made_by", { version: data.program });
  for (const each of views) if (each.words) each.words();
  // What is out of sight as well: it is read aloud, printed, and scrolled to.
  for (const each of views) if (each.draw) each.draw();
}

function applyTheme() {
  root.dataset.theme = isDark() ? "dark" : "light";
  applyWords();
}

for (const name of ["en", "zh"]) byId(`lang-${name}`).addEventListener("click", () => {
  language = name;
  applyWords();
});
byId("theme").addEventListener("click", () => {
  const order = ["auto", "dark", "light"];
  // The first click changes what is seen.
  theme = theme === "auto" ? dark.matches ? "light" : "dark" : order[(order.indexOf(theme) + 1) % 3];
  applyTheme();
});
dark.addEventListener("change", applyTheme);

// Paper is light, and has all of the page on it.
addEventListener("beforeprint", () => {
  printing = true;
  applyTheme();
});
addEventListener("afterprint", () => {
  printing = false;
  applyTheme();
});

buildHeading();
buildCurves();
buildRelief();
buildAnswers();
buildNetwork();
buildRidges();
buildMaps();
buildFindings();
buildEvents();
buildAgain();
buildScrub();
applyTheme();
watch();
new ResizeObserver(redraw).observe(document.body);

// Space plays, wherever nothing else takes it.
addEventListener("keydown", event => {
  if (event.key === " " && (event.target === document.body || event.target.tagName === "CANVAS")) {
    event.preventDefault();
    byId("play").click();
  }
});

root.dataset.drawn = "yes";
