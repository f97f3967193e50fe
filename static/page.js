// Times in the visitor's own zone, and a page that keeps itself up to date.
// Nothing depends on it: without this file the page is whole, and says everything.

(() => {
  "use strict";

  const EVERY = 30_000;
  // Of so many looks at the state, one is a look at the page itself: the server may have lost its
  // own records, and then says so on its pages alone.
  const WHOLE = 4;
  const NEWS_STAYS = 8_000;
  const GRACE = 3_000;

  const html = document.documentElement;
  const main = document.getElementById("main");
  const live = document.getElementById("live");
  const footnote = document.getElementById("zone");

  // --- Times ---------------------------------------------------------------------------------

  const pageZone = html.dataset.zone;
  const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone || pageZone;
  const DAY = { year: "numeric", month: "short", day: "numeric" };
  const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const ZONED = { ...CLOCK, timeZoneName: "short" };
  // The digits that the server writes, whatever is usual where the browser's words come from.
  const latin = (language) => `${language}-u-nu-latn`;
  const relative = new Intl.RelativeTimeFormat(latin(html.lang), { numeric: "auto" });
  const formats = new Map();
  let written = new WeakMap();
  let isPrinting = false;
  const isAway = differ(ownZone, pageZone);
  let isOwn = isAway && recall("zone") !== "page";

  function formatter(parts, language = html.lang) {
    const name = language + JSON.stringify(parts);
    if (!formats.has(name)) {
      formats.set(name, new Intl.DateTimeFormat(latin(language), { ...parts, timeZone: ownZone }));
    }
    return formats.get(name);
  }

  function format(moment, parts, language) {
    return formatter(parts, language).format(moment);
  }

  /** Whether clocks show different times in two zones; one zone may have several names. */
  function differ(zone, other) {
    if (zone === other) return false;
    const parts = { ...DAY, ...CLOCK };
    const [here, there] = [zone, other].map(
      (timeZone) => new Intl.DateTimeFormat("en", { ...parts, timeZone }),
    );
    const now = Date.now();
    for (let days = -400; days <= 400; days += 10) {
      const moment = now + days * 86_400_000;
      if (here.format(moment) !== there.format(moment)) return true;
    }
    return false;
  }

  /** The zone's name as it is written beside a time: it changes with the clocks. */
  function nameAt(moment) {
    const parts = formatter(ZONED).formatToParts(moment);
    return parts.find((part) => part.type === "timeZoneName").value;
  }

  const FULL = { ...DAY, ...ZONED };
  const START = { ...DAY, ...CLOCK };

  function distance(moment) {
    const minutes = Math.round((moment - Date.now()) / 60_000);
    if (Math.abs(minutes) < 60) return relative.format(minutes, "minute");
    if (Math.abs(minutes) < 48 * 60) return relative.format(Math.round(minutes / 60), "hour");
    return relative.format(Math.round(minutes / 60 / 24), "day");
  }

  /** Write a time element's text: what the server wrote, or the same in the visitor's zone. */
  function write(time, parts) {
    if (!written.has(time)) written.set(time, time.textContent);
    const moment = new Date(time.dateTime);
    // Within a text, in the language of the text, and with what its author wrote beside it.
    const told = time.closest(TEXTS);
    const language = told ? time.closest("[lang]").lang : html.lang;
    let text = isOwn ? format(moment, parts, language) : written.get(time);
    if (told) entitle(time.closest("[data-span]") || time);
    if ("near" in time.dataset && !isPrinting) text += ` (${distance(moment)})`;
    if (time.textContent !== text) time.textContent = text;
  }

  // What the company wrote: whole, and its first line.
  const TEXTS = ".prose, .gist";

  /** Keep the text that the server wrote where a pointer finds it; called before it changes. */
  function entitle(element) {
    if (!isOwn) element.removeAttribute("title");
    else if (!element.title) element.title = element.textContent;
  }

  function writeTimes() {
    for (const time of document.querySelectorAll('time[datetime*="T"]')) {
      const span = time.closest("[data-span]");
      if (!span) {
        write(time, FULL);
        continue;
      }
      const [first, last] = [...span.children].map((each) => new Date(each.dateTime));
      // As statuspage/clock.py does in show_span.
      const isOneDay = format(first, DAY) === format(last, DAY);
      const isOneName = nameAt(first) === nameAt(last);
      const [before, after] = isOneDay ? [isOneName ? START : FULL, ZONED] : [FULL, FULL];
      write(time, time === span.firstElementChild ? before : after);
    }
  }

  /** Undo `writeTimes`, so that the page can be compared with what the server sends. */
  function unwriteTimes() {
    for (const time of document.querySelectorAll("time")) {
      if (written.has(time)) time.textContent = written.get(time);
    }
    for (const told of document.querySelectorAll(`:is(${TEXTS}) [title]`)) told.removeAttribute("title");
    written = new WeakMap();
  }

  function offerZones() {
    if (!isAway) return;
    const button = document.createElement("button");
    button.type = "button";
    button.addEventListener("click", () => {
      isOwn = !isOwn;
      remember("zone", isOwn ? "own" : "page");
      writeTimes();
      nameZone(button);
    });
    nameZone(button);
    footnote.append(button);
  }

  function nameZone(button) {
    const [zone, other] = isOwn ? [ownZone, pageZone] : [pageZone, ownZone];
    const sentence = isOwn ? footnote.dataset.mine : footnote.dataset.page;
    footnote.firstChild.data = `${sentence.replace("{zone}", zone)} `;
    button.textContent = footnote.dataset.switch.replace("{zone}", other);
  }

  // Storage may be switched off; then the choice lasts for one page.
  function recall(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  }

  function remember(name, choice) {
    try {
      localStorage.setItem(name, choice);
    } catch {
      // Nothing to do: see above.
    }
  }

  // --- Other languages -------------------------------------------------------------------------

  /** Say in the visitor's own language that the page is there in it, until that is put away. */
  function offerLanguage() {
    const link = preferred([...document.querySelectorAll("#languages a")]);
    if (!link || link.hasAttribute("aria-current") || recall("not-in") === link.lang) return;
    const hint = document.createElement("aside"); // a landmark of its own, beside <main>
    hint.className = "hint frame";
    hint.lang = link.lang;
    hint.dir = link.dir;
    const way = document.createElement("a");
    way.href = link.getAttribute("href");
    way.hreflang = link.lang;
    way.textContent = link.dataset.offer;
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = link.dataset.close;
    close.addEventListener("click", () => {
      remember("not-in", link.lang);
      hint.remove();
    });
    hint.append(way, " ", close);
    main.before(hint);
  }

  /** The first of the visitor's languages that the page is there in, or nearly so. */
  function preferred(links) {
    const first = (code) => code.toLowerCase().split("-")[0];
    for (const wanted of navigator.languages) {
      const exact = links.find((link) => link.lang.toLowerCase() === wanted.toLowerCase());
      const near = exact || links.find((link) => first(link.lang) === first(wanted));
      if (near) return near;
    }
    return null;
  }

  // --- Keeping up to date ----------------------------------------------------------------------

  // Whoever comes from the admin has just changed something, and looks for exactly that.
  const wantsNewest = new URLSearchParams(location.search).has("v");
  let shown = Date.parse(main.dataset.updated) || null;
  let lastContact = Date.now();
  let lastLook = 0;
  let failures = 0;
  let looks = 0;
  let timer = 0;
  let silence = 0;
  const folded = new Map();

  function say(text, stays) {
    live.textContent = text;
    clearTimeout(silence);
    if (!stays) silence = setTimeout(() => (live.textContent = ""), NEWS_STAYS);
  }

  /** The visitor's folding of a group outlives an update. */
  document.addEventListener("click", (event) => {
    const details = event.target.closest("summary")?.parentElement;
    if (details) folded.set(details.id, !details.open);
  });

  /** Make `old` equal to `fresh` with as few changes as there are, so that focus and place stay. */
  function renew(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== Node.ELEMENT_NODE) {
      old.data = fresh.data;
      return;
    }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    let at = old.firstChild;
    for (const node of [...fresh.childNodes]) {
      const match = counterpart(old, at, node);
      if (!match) {
        if (node.matches?.(".post, .card")) node.classList.add("fresh");
        old.insertBefore(node, at);
        continue;
      }
      if (match === at) at = at.nextSibling;
      else old.insertBefore(match, at);
      renew(match, node);
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  function counterpart(old, at, node) {
    const isKin = (child) => child.id === node.id && child.nodeName === node.nodeName;
    if (node.id) return [...old.children].find(isKin);
    return at && !at.id && at.nodeName === node.nodeName ? at : null;
  }

  /** Fetch this page again and show what changed in it. */
  async function refresh() {
    const answer = await ask(location.pathname);
    if (answer.status === 404 || answer.status === 410) {
      location.reload();
      return;
    }
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const news = page.getElementById("main");
    if (!news) return;
    shown = Date.parse(news.dataset.updated) || shown;
    for (const [id, isOpen] of folded) {
      const details = page.getElementById(id);
      if (details) details.open = isOpen;
    }
    unwriteTimes();
    const isChanged = !main.isEqualNode(news);
    renew(main, news);
    renew(document.getElementById("pinned"), page.getElementById("pinned"));
    writeTimes();
    if (!isChanged) return;
    document.title = page.title;
    const icon = document.querySelector("link[rel=icon]");
    icon.href = page.querySelector("link[rel=icon]").getAttribute("href");
    const headline = main.querySelector("#overall h1")?.textContent || "";
    say(`${live.dataset.updated} ${headline}`);
  }

  /** A request that asks the server whether what the browser holds is still right. */
  function ask(path) {
    return fetch(path, { cache: "no-cache", signal: AbortSignal.timeout(10_000) });
  }

  /** Has anything changed, or has the time come at which the page says something else? */
  async function look() {
    lastLook = Date.now();
    looks += 1;
    const answer = await ask(live.dataset.status);
    if (!answer.ok) throw new Error(answer.statusText);
    const updated = Date.parse((await answer.json()).page?.updated_at) || null;
    const second = updated && Math.floor(updated / 1000) * 1000;
    const isDue = Date.now() >= Date.parse(main.dataset.changes) + GRACE;
    const isNew = shown !== null && second !== shown;
    if (shown === null || !main.dataset.updated) shown = second;
    // What somebody is filling in, or was answered, stays as it is.
    if ("still" in main.dataset) return;
    if (isNew || isDue || failures || looks % WHOLE === 0 || (looks === 1 && wantsNewest)) {
      await refresh();
    }
  }

  async function tick() {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      await look();
      if (html.classList.contains("lost")) say(live.dataset.back);
      html.classList.remove("lost");
      failures = 0;
      lastContact = Date.now();
    } catch {
      failures += 1;
      if (failures > 1 || !navigator.onLine) lose();
    }
    writeTimes();
    clearTimeout(timer);
    // Spread out, so that visitors who came together do not come back together.
    timer = setTimeout(tick, EVERY + Math.random() * 5_000);
  }

  function lose() {
    const time = format(new Date(lastContact), ZONED);
    html.classList.add("lost");
    say(live.dataset.lost.replace("{time}", time), true);
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else if (Date.now() - lastLook > 5_000) tick();
    else timer = setTimeout(tick, EVERY);
  });
  addEventListener("online", tick);
  addEventListener("offline", () => {
    clearTimeout(timer);
    failures += 1;
    lose();
  });

  // Paper does not count on.
  for (const event of ["beforeprint", "afterprint"]) {
    addEventListener(event, () => {
      isPrinting = event === "beforeprint";
      writeTimes();
    });
  }

  writeTimes();
  offerZones();
  offerLanguage();
  // The number is for this one visit; a link that is passed on does without it.
  if (wantsNewest) history.replaceState(null, "", location.pathname + location.hash);
  timer = setTimeout(tick, wantsNewest ? 1_000 : 2_000 + Math.random() * 2_000);
})();
