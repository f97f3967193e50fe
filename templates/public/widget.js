// The state of a status page, on any other site: <script async src="…/widget.js"></script>.
// It defines nothing in its host, takes no style from it unless asked, and shows data as text only.
(() => {
  "use strict";

  const KNOWN = null; // the service writes its words and signs here
  const EVERY = 60_000;
  const PATIENCE = 10_000;
  const MOST = 3;
  const SVG = "http://www.w3.org/2000/svg";
  const TONES = { none: "fine", maintenance: "planned", minor: "minor", major: "major", critical: "critical" };
  const STYLE = `
:host { all: initial; display: block; max-width: 26rem; }
:host([hidden]) { display: none; }
:host([data-look="host"]) { font: inherit; color: inherit; }
:host([data-position="corner"]) { position: fixed; inset-block-end: 1rem; inset-inline-end: 1rem; z-index: 2147483000; max-width: min(26rem, calc(100vw - 2rem)); }
.box {
  --ground: var(--status-ground, #fff); --ink: var(--status-ink, #15181c); --soft: var(--status-soft, #535b66);
  --line: var(--status-line, #c4cad1);
  --fine: var(--status-fine, #14713d); --planned: var(--status-planned, #1d5fc4); --minor: var(--status-minor, #855600);
  --major: var(--status-major, #ad3f06); --critical: var(--status-critical, #b61a2a); --unknown: var(--status-unknown, #535b66);
  box-sizing: border-box; padding: .75rem 1rem; background: var(--ground); color: var(--ink);
  border: 1px solid var(--line); border-radius: var(--status-radius, .5rem);
  font: 400 .9375rem/1.45 var(--status-font, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif);
  overflow-wrap: anywhere;
}
.dark {
  --ground: var(--status-ground, #171b20); --ink: var(--status-ink, #e9ebee); --soft: var(--status-soft, #a5adb8);
  --line: var(--status-line, #454d57);
  --fine: var(--status-fine, #56c98a); --planned: var(--status-planned, #8ab4ff); --minor: var(--status-minor, #e8b84f);
  --major: var(--status-major, #f7935c); --critical: var(--status-critical, #ff878f); --unknown: var(--status-unknown, #a5adb8);
}
:host([data-look="host"]) .box {
  padding: 0; border: 0; background: none; color: inherit; font: inherit; --soft: currentcolor;
}
a { color: inherit; text-underline-offset: .15em; }
a:focus-visible { outline: 2px solid; outline-offset: 2px; border-radius: 2px; }
p, ul { margin: 0; padding: 0; }
ul { list-style: none; }
li { margin-block-start: .375rem; }
.state { display: flex; gap: .5rem; align-items: center; font-weight: 600; }
.state svg { flex: none; width: 1.25rem; height: 1.25rem; fill: currentcolor; }
.soft { color: var(--soft); font-size: .875em; }
.fine { color: var(--fine); } .planned { color: var(--planned); } .minor { color: var(--minor); }
.major { color: var(--major); } .critical { color: var(--critical); } .unknown { color: var(--unknown); }
.state a { color: var(--ink); }
/* Which ground it stands on is not known there. */
:host([data-look="host"]) .state :is(a, svg) { color: inherit; }
@media (forced-colors: active) { .state svg { fill: CanvasText; } }
`;

  const script =
    document.currentScript || document.querySelector('script[src$="/widget.js"]:not([data-shown])');
  if (!script || "shown" in script.dataset) return;
  script.dataset.shown = "";
  const page = new URL(".", script.src);
  const { theme, look, position, when } = script.dataset;
  const darkness = matchMedia("(prefers-color-scheme: dark)");

  const host = document.createElement("div");
  host.hidden = true;
  if (look === "host") host.dataset.look = look;
  if (position === "corner") host.dataset.position = position;
  const root = host.attachShadow({ mode: "open" });
  const box = make("section", "box");
  box.lang = KNOWN.language;
  box.dir = KNOWN.direction;
  const state = make("p", "state");
  state.setAttribute("role", "status");
  const list = make("ul");
  const note = make("p", "soft");
  box.append(state, list, note);
  dress();
  root.append(box);

  function make(name, looks = "", text = "") {
    const element = document.createElement(name);
    if (looks) element.className = looks;
    // As text and never as markup: titles are written by people.
    if (text) element.textContent = text;
    return element;
  }

  /** The style, in a way that a host's own policy for styles does not forbid. */
  function dress() {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
    } catch {
      root.append(make("style", "", STYLE));
    }
  }

  function shade() {
    box.classList.toggle("dark", theme === "dark" || (theme !== "light" && darkness.matches));
  }

  function sign(tone) {
    const picture = document.createElementNS(SVG, "svg");
    picture.setAttribute("viewBox", "0 0 20 20");
    picture.setAttribute("aria-hidden", "true");
    picture.setAttribute("class", tone);
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("fill-rule", "evenodd");
    path.setAttribute("d", KNOWN.signs[tone]);
    picture.append(path);
    return picture;
  }

  function link(text, address, dir) {
    const anchor = make("a", "", text);
    anchor.href = address;
    if (dir) anchor.dir = dir;
    return anchor;
  }

  const say = (words) => KNOWN.words[words] || words;

  function showState(tone, words, name) {
    const anchor = link(words, page.href);
    anchor.setAttribute("aria-label", name ? `${name}: ${words}` : words);
    state.replaceChildren(sign(tone), anchor);
  }

  /** A story by its code, so that no address comes out of the data. */
  function item(story) {
    const row = make("li");
    const about = make("span", "soft", ` ${say(story.status)}`);
    row.append(link(story.name, new URL(`incidents/${encodeURIComponent(story.id)}`, page).href, "auto"), about);
    return row;
  }

  let shown = "";

  function show(summary) {
    const now = summary.scheduled_maintenances.filter((each) => each.status !== "scheduled");
    const stories = [...summary.incidents, ...now];
    const { indicator, description } = summary.status;
    const isFine = indicator === "none" && !stories.length;
    const tone = indicator === "none" && now.length ? "planned" : TONES[indicator] || "unknown";
    const key = JSON.stringify([summary.page.name, tone, description, stories.map((each) => [each.id, each.name, each.status])]);
    note.textContent = "";
    host.hidden = when === "trouble" && isFine;
    // What has not changed stays, so that a screen reader does not hear it anew.
    if (key === shown) return;
    shown = key;
    box.setAttribute("aria-label", summary.page.name);
    showState(tone, say(description), summary.page.name);
    list.replaceChildren(...stories.slice(0, MOST).map(item));
  }

  /** Nothing is claimed that could not be confirmed. */
  function showAway() {
    if (!shown) showState("unknown", KNOWN.words.unreachable, "");
    else note.textContent = KNOWN.words.unconfirmed;
    host.hidden = when === "trouble" && !list.childElementCount;
  }

  async function ask() {
    const timer = new AbortController();
    const end = setTimeout(() => timer.abort(), PATIENCE);
    try {
      const answer = await fetch(new URL("api/v2/summary.json", page), {
        credentials: "omit",
        referrerPolicy: "no-referrer",
        signal: timer.signal,
      });
      if (!answer.ok) throw new Error(String(answer.status));
      show(await answer.json());
    } catch {
      showAway();
    } finally {
      clearTimeout(end);
    }
  }

  let last = 0;

  async function refresh() {
    if (document.hidden || Date.now() - last < EVERY / 2) return;
    last = Date.now();
    await ask();
  }

  function begin() {
    // In <head> nothing is drawn.
    const isDrawn = document.body.contains(script);
    if (position === "corner") document.body.append(host);
    else if (isDrawn) script.after(host);
    else document.body.prepend(host);
    shade();
    darkness.addEventListener("change", shade);
    document.addEventListener("visibilitychange", refresh);
    const rounds = setInterval(() => (host.isConnected ? refresh() : clearInterval(rounds)), EVERY);
    refresh();
  }

  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
})();
