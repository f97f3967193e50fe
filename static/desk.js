// The comms desk, made pleasant: the texts follow what is typed.  Everything works without it.
"use strict";

const WAIT = 250;
const form = document.querySelector("form[data-texts]");

if (form) follow(form);

function follow(form) {
  const panel = () => form.querySelector(".texts");
  let timer = 0;
  let asked = 0;
  form.classList.add("is-live");

  async function refresh(remake) {
    clearTimeout(timer);
    const turn = ++asked;
    const data = new FormData(form);
    if (remake) data.set("remake", remake);
    let answer;
    try {
      answer = await fetch(form.dataset.texts, { method: "POST", body: data });
    } catch {
      return;
    }
    // Signed out or refused: what is shown stays, and sending the form says why.
    if (!answer.ok || answer.redirected || turn !== asked) return;
    show(new DOMParser().parseFromString(await answer.text(), "text/html"), remake);
  }

  function show(fresh, remake) {
    const old = panel();
    const next = fresh.querySelector(".texts");
    const names = (root) => [...root.querySelectorAll("[data-sheet]")].map((one) => one.dataset.sheet);
    if (names(old).join() === names(next).join() && names(next).length) {
      for (const sheet of next.querySelectorAll("[data-sheet]")) exchange(sheet, remake);
      swap(old, next, ":scope > [data-part], :scope > .audiences > [data-part]");
      uncover(old, next, ":scope > .audiences > [data-shown]");
      const promised = next.querySelector("[name=promised]");
      if (promised) old.querySelector("[name=promised]").value = promised.value;
    } else if (!old.contains(document.activeElement)) {
      old.replaceWith(document.adoptNode(next));
    }
    showGate(fresh);
    const reach = form.querySelector(".bar-below [data-part=reach]");
    const said = fresh.querySelector("body > [data-part=reach]").textContent.trim();
    if (reach && reach.textContent.trim() !== said) reach.textContent = said;
  }

  // What stands before the last button; whoever is writing in it is not disturbed.
  function showGate(fresh) {
    const gate = form.querySelector(".gate");
    const next = fresh.querySelector(".gate");
    if (!gate || !next) return;
    if (!gate.contains(document.activeElement)) gate.innerHTML = next.innerHTML;
    for (const part of next.querySelectorAll("[data-live]")) {
      const mine = gate.querySelector(`[data-live=${part.dataset.live}]`);
      if (mine && mine.innerHTML !== part.innerHTML) mine.innerHTML = part.innerHTML;
    }
    const press = form.querySelector(".bar-below [data-part=press]");
    press.textContent = fresh.querySelector("body > [data-part=press]").textContent;
  }

  function exchange(next, remake) {
    const old = panel().querySelector(`[data-sheet=${next.dataset.sheet}]`);
    old.className = next.className;
    swap(old, next, "[data-part]");
    uncover(old, next, "[data-shown]");
    for (const field of next.querySelectorAll("input[name], textarea[name]")) {
      const mine = old.querySelector(`[name=${field.name}]`);
      // Whoever is writing in a field is right about it.
      if (mine && (mine !== document.activeElement || remake)) mine.value = field.value;
    }
  }

  function uncover(old, next, parts) {
    for (const part of next.querySelectorAll(parts)) {
      const mine = old.querySelector(`[data-shown=${part.dataset.shown}]`);
      if (mine) mine.hidden = part.hidden;
    }
  }

  function swap(old, next, parts) {
    for (const part of next.querySelectorAll(parts)) {
      const mine = [...old.querySelectorAll(parts)].find((one) => one.dataset.part === part.dataset.part);
      if (!mine) continue;
      mine.className = part.className;
      if (mine.innerHTML === part.innerHTML) continue;
      const focused = mine.contains(document.activeElement) && document.activeElement.id;
      mine.innerHTML = part.innerHTML;
      if (focused) document.getElementById(focused)?.focus();
    }
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, WAIT);
  });
  form.addEventListener("change", () => refresh());
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button || !["preview", "remake"].includes(button.name)) return;
    event.preventDefault();
    refresh(button.name === "remake" ? button.value : undefined);
  });

  // A button that is named after what was chosen cannot be pressed before something is.
  const named = form.querySelector("[data-named]");
  function name() {
    const chosen = form.querySelector("[data-press]:checked");
    named.disabled = !chosen;
    if (chosen) named.textContent = chosen.dataset.press;
  }
  if (named) {
    name();
    form.addEventListener("change", name);
  }

  // A fact that the chosen status does not use, or that is older than it, says so.
  function note() {
    const chosen = form.querySelector("[name=status]:checked")?.value;
    for (const one of form.querySelectorAll("[data-unused]")) {
      one.hidden = !one.dataset.unused.split(" ").includes(chosen);
    }
    for (const one of form.querySelectorAll("[data-kept]")) {
      const field = form.elements[one.dataset.kept];
      one.hidden = chosen === form.dataset.status || field.value !== field.defaultValue;
    }
  }
  form.addEventListener("input", note);
  form.addEventListener("change", note);

  // A text to copy is taken whole.
  form.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-copy]")) event.target.select();
  });

  // A gap that a text names leads to the field that fills it, unfolding what it lies in.
  form.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-fill]");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    field.closest("details")?.setAttribute("open", "");
    field.focus();
  });
}

// Deliveries are looked at again for as long as some wait.
const LOOK_AGAIN = 3000;
const deliveries = document.querySelector("[data-deliveries]");

if (deliveries) setTimeout(lookAgain, LOOK_AGAIN);

async function lookAgain() {
  if (!deliveries.querySelector("[data-waiting]")) return;
  if (!document.hidden) {
    try {
      const answer = await fetch(deliveries.dataset.deliveries);
      if (answer.ok && !answer.redirected) deliveries.innerHTML = await answer.text();
    } catch {
      // The next look may find it again.
    }
  }
  setTimeout(lookAgain, LOOK_AGAIN);
}

// The moment in which mails can still be cancelled, by the second.
for (const timer of document.querySelectorAll("[data-left]")) {
  // By the page's own clock: that of the computer may be wrong.
  const ends = performance.now() + Number(timer.dataset.left) * 1000;
  const tick = () => {
    const left = Math.ceil((ends - performance.now()) / 1000);
    timer.textContent = left > 0 ? `in ${left} ${left === 1 ? "second" : "seconds"}` : "about now";
    setTimeout(left > 0 ? tick : lookAtMails, left > 0 ? 250 : LOOK_AGAIN);
  };
  tick();
}

// Once they go, what can still be done about them changes.
async function lookAtMails() {
  const card = document.querySelector("[data-mails-wait]");
  if (!card) return;
  try {
    const answer = await fetch(location.href);
    if (answer.ok && !answer.redirected) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = fresh.querySelector("[data-mails-wait]");
      if (next) card.replaceWith(document.adoptNode(next));
      else card.remove();
      if (!next?.matches(".kept-back")) return;
    }
  } catch {
    // The next look may find it again.
  }
  setTimeout(lookAtMails, LOOK_AGAIN);
}

// A promise that passes while somebody looks at it says so.
const promise = document.querySelector("[data-due]");
const LONGEST_WAIT = 2 ** 31 - 1;

if (promise) awaitPromise();

function awaitPromise() {
  const left = new Date(promise.dataset.due) - Date.now();
  if (left > 0) {
    setTimeout(awaitPromise, Math.min(left, LONGEST_WAIT));
    return;
  }
  promise.classList.add("late");
  promise.querySelector(".promise").classList.add("late");
  promise.querySelector("[data-said]").textContent = promise.dataset.overdue;
}
