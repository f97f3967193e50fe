// The screen follows what colleagues do, says who else is there, and keeps what is typed when the
// connection or the sign-in is lost.  Nothing that is typed is ever replaced.
"use strict";

const LOOKS = 1500;
const REPORTS = 8000;
const QUIET = 6000; // whoever typed within this time is writing
const SHOWN_GREEN = 20000;
const NEWS = "admin-news";

const screen = document.querySelector("[data-live]");

if (screen) followColleagues(screen);

function followColleagues(screen) {
  const drafting = document.querySelector("form[data-texts]");
  const notice = screen.querySelector("[data-connection]");
  const again = document.getElementById("sign-in-again");
  const isDashboard = !("present" in screen.dataset) && "number" in screen.dataset;
  let number = screen.dataset.number;
  let alerts; // what the alerts behind the incident said, once asked
  let typedAt = -Infinity;
  let reportedAt = -Infinity;
  let reportedWriting = false;
  let isDirty = Boolean(document.querySelector("main .problems") || screen.hasAttribute("data-typed"));
  let state = "here";
  let waiting = null; // the press that goes on after signing in

  recallNews();
  drafting?.addEventListener("input", () => {
    typedAt = performance.now();
  });
  // A note or a choice among the details is lost with the screen too.
  screen.closest("body").addEventListener("input", ({ target }) => {
    isDirty ||= target.form?.method === "post";
  });
  setTimeout(look, LOOKS);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) ask();
  });

  async function look() {
    if (!document.hidden) await ask();
    setTimeout(look, LOOKS);
  }

  async function ask() {
    const found = await fetchState();
    if (!found) return false;
    showOthers(found.others ?? []);
    if (number !== undefined && found.number !== number) {
      const news = nameNews(found, number);
      number = found.number;
      await renew(news);
    }
    if (alerts !== undefined && found.alerts !== alerts) await renewAlerts();
    alerts = found.alerts;
    return true;
  }

  // What the server says; nothing where it cannot be asked, or does not know us any more.
  async function fetchState() {
    const writes = performance.now() - typedAt < QUIET;
    const reports = screen.dataset.present
      && (performance.now() - reportedAt > REPORTS || writes !== reportedWriting);
    let answer;
    try {
      answer = reports ? await report(writes) : await fetch(screen.dataset.live, { redirect: "manual" });
    } catch {
      return settle("offline");
    }
    if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 400) {
      return settle("signed-out");
    }
    if (!answer.ok) return settle("offline");
    settle("here");
    return answer.json();
  }

  async function report(writes) {
    const body = new FormData();
    body.set("csrf_token", screen.dataset.token);
    if (writes) body.set("writes", "1");
    const answer = await fetch(screen.dataset.present, { method: "POST", body, redirect: "manual" });
    reportedAt = performance.now();
    reportedWriting = writes;
    return answer;
  }

  function settle(next) {
    if (next === state) return null;
    const wasAway = state !== "here";
    state = next;
    notice.hidden = next === "here";
    for (const part of notice.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== next;
    document.querySelector(".texts")?.classList.toggle("is-stale", next !== "here");
    if (next === "here" && wasAway) drafting?.dispatchEvent(new Event("change", { bubbles: true }));
    return null;
  }

  function showOthers(others) {
    const place = screen.querySelector("[data-others]");
    if (!place) return;
    const said = others.map(({ name, writes }) => (writes ? `${name} is writing` : name)).join(", ");
    const text = said && `Also here: ${said}`;
    if (place.textContent !== text) place.textContent = text;
  }

  // --- what colleagues changed -------------------------------------------------------------------

  // The number of an incident holds its version, its newest update, the last note and what is scheduled.
  function nameNews(found, before) {
    const [was, now] = [before, found.number].map((one) => one.split("-"));
    if (found.by && now[1] !== was[1]) return `${found.by} posted: ${found.newest}.`;
    if (now[2] !== was[2]) return "A note was added.";
    return now[3] === was[3] ? "This incident was changed." : "The scheduled update was changed.";
  }

  async function renew(news) {
    if (!isDashboard && !isDirty && !document.body.classList.contains("is-reviewing")) {
      keepNews(news);
      location.replace(location.pathname + location.search);
      return;
    }
    const answer = await fetch(location.pathname + location.search, { redirect: "manual" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (isDashboard) renewDashboard(fresh);
    else renewIncident(fresh, news);
  }

  async function renewAlerts() {
    const answer = await fetch(location.pathname + location.search, { redirect: "manual" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [old, next] = [document, fresh].map((root) => root.querySelector("[data-alerts]"));
    if (old && next && !old.contains(document.activeElement)) old.replaceWith(document.adoptNode(next));
  }

  function renewIncident(fresh, news) {
    for (const part of [".standing", ".promised:not([data-mails-wait])", ".last-said", ".scheduled", ".said", ".clocks", ".told", ".notes > header", ".noted"]) {
      const old = document.querySelector(`main ${part}`);
      const next = fresh.querySelector(`main ${part}`);
      if (old && next && !old.contains(document.activeElement)) old.replaceWith(document.adoptNode(next));
      else if (old && !next) old.remove();
    }
    sayNews(`${news} What you typed is kept: read what’s new before you post.`);
  }

  function renewDashboard(fresh) {
    const due = (root) => Object.fromEntries(
      [...root.querySelectorAll(".story[data-code]")].map((one) => [one.dataset.code, one.dataset.due]),
    );
    const before = due(document);
    const main = document.getElementById("main");
    const focused = document.activeElement?.closest("#main a")?.getAttribute("href");
    main.querySelector("[data-renewed]").replaceWith(document.adoptNode(fresh.querySelector("[data-renewed]")));
    if (focused) main.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    for (const story of main.querySelectorAll(".story[data-code]")) {
      if (before[story.dataset.code] && story.dataset.due > before[story.dataset.code]) {
        turnGreen(story.querySelector(".promise"));
      }
    }
  }

  function turnGreen(promise) {
    if (!promise) return;
    promise.classList.add("kept");
    setTimeout(() => promise.classList.remove("kept"), SHOWN_GREEN);
  }

  function keepNews(news) {
    const field = document.activeElement?.name ?? "";
    try {
      sessionStorage.setItem(NEWS, JSON.stringify({ news, field, at: location.pathname }));
    } catch {
      // Storage may be switched off; the update is there all the same.
    }
  }

  function recallNews() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(NEWS) ?? "null");
      sessionStorage.removeItem(NEWS);
      if (kept?.at !== location.pathname) return;
      sayNews(kept.news);
      if (kept.field) drafting?.elements[kept.field]?.focus?.({ preventScroll: true });
    } catch {
      // As above.
    }
  }

  function sayNews(news) {
    const place = screen.querySelector("[data-news]");
    place.textContent = news;
    place.hidden = false;
    turnGreen(document.querySelector(".promised:not(.late) .promise"));
  }

  // --- sending, when the connection or the sign-in may be gone -----------------------------------

  window.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form !== drafting || event.defaultPrevented || event.submitter?.name === "preview") return;
    if (form.dataset.checked) {
      delete form.dataset.checked;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    if (form.dataset.checking) return;
    form.dataset.checking = "yes";
    const isKnown = Boolean(await fetchState());
    delete form.dataset.checking;
    if (isKnown) send(form, event.submitter);
    else if (state === "signed-out") openSignIn(event.submitter);
    else notice.scrollIntoView({ block: "center" });
  }, true);

  function send(form, submitter) {
    form.dataset.checked = "yes";
    form.requestSubmit(submitter);
  }

  function openSignIn(submitter) {
    waiting = submitter;
    again.showModal();
  }

  notice.querySelector("[data-sign-in]")?.addEventListener("click", () => openSignIn(null));

  again?.querySelector("form").addEventListener("submit", async (event) => {
    if (event.submitter?.formMethod === "dialog") return; // cancelled
    event.preventDefault();
    event.stopImmediatePropagation();
    const refused = await signIn(event.target);
    const reason = again.querySelector("[data-reason]");
    reason.textContent = refused;
    reason.hidden = !refused;
    if (refused) return;
    again.close();
    await ask();
    if (waiting) send(drafting, waiting);
    waiting = null;
  });

  // Signs in beside the screen; returns why not, or nothing.
  async function signIn(form) {
    try {
      const asked = await fetch(`${form.action}?again=1`);
      const body = new FormData(form);
      body.set("csrf_token", tokenIn(await parse(asked)));
      const answer = await fetch(form.action, { method: "POST", body });
      const page = await parse(answer);
      if (!answer.redirected) {
        return page.querySelector(".problems li")?.textContent.trim() || "You could not be signed in.";
      }
      const token = tokenIn(page);
      for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = token;
      screen.dataset.token = token;
      form.reset();
      return "";
    } catch {
      return "There is no connection to the server.";
    }
  }

  async function parse(answer) {
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  function tokenIn(page) {
    return page.querySelector("input[name=csrf_token]")?.value ?? "";
  }
}
