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
    for (const part of fresh.querySelectorAll("[data-beside]")) {
      const mine = form.querySelector(`[data-beside=${part.dataset.beside}]`);
      if (mine && mine.innerHTML !== part.innerHTML) mine.innerHTML = part.innerHTML;
    }
    for (const part of ["reach", "press"]) {
      const mine = form.querySelector(`.bar-below [data-part=${part}]`);
      const said = fresh.querySelector(`body > [data-part=${part}]`)?.textContent.trim();
      if (mine && said && mine.textContent.trim() !== said) mine.textContent = said;
    }
    light();
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
  if (form.dataset.draft) keep(form);
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

  // The fields follow the chosen status: what it says, in its order; the rest is kept for later.
  const said = form.querySelector(".said-facts");
  const later = form.querySelector(".later-facts");
  const byStatus = said ? JSON.parse(said.dataset.facts) : {};
  const filled = (name) => Boolean(form.elements[name]?.value.trim());

  function sort() {
    const chosen = byStatus[form.querySelector("[name=status]:checked")?.value];
    if (!chosen) return;
    const counts = chosen.said.filter((name) => {
      const main = chosen.spares[name];
      return !main || (filled(name) && !filled(main));
    });
    const blocks = Object.fromEntries(
      [...form.querySelectorAll("[data-fact]")].map((one) => [one.dataset.fact, one]),
    );
    const others = [...chosen.said, ...Object.keys(chosen.other)].filter((name) => !counts.includes(name));
    place(said, counts.map((name) => blocks[name]));
    place(later, others.map((name) => blocks[name]));
    for (const [name, channels] of Object.entries(chosen.goes)) {
      for (const chip of blocks[name].querySelectorAll("[data-channel]")) {
        const is = chip.dataset.channel;
        chip.hidden = is === "nobody" ? channels.length > 0 : !channels.includes(is);
      }
    }
  }

  // Whoever is writing in a field keeps it where it is.
  function place(into, blocks) {
    if (into.contains(document.activeElement) || later.contains(document.activeElement)) return;
    if ([...into.children].some((one, n) => one !== blocks[n]) || into.children.length < blocks.length) {
      into.append(...blocks);
    }
  }

  // A fact that is older than the status is kept or rewritten, each with one press.
  function note() {
    const chosen = form.querySelector("[name=status]:checked")?.value;
    for (const one of form.querySelectorAll("[data-kept]")) {
      const field = form.elements[one.dataset.kept];
      one.hidden = chosen === form.dataset.status || field.value !== field.defaultValue;
    }
  }
  function settle() {
    sort();
    note();
  }
  if (said) settle();
  form.addEventListener("input", note);
  form.addEventListener("change", settle);
  for (const button of form.querySelectorAll("[data-rewrite]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const field = form.elements[button.dataset.rewrite];
      field.value = "";
      field.focus();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }

  // The sentence that a field makes is lit in the texts while somebody writes in it.
  function light() {
    if (!CSS.highlights) return;
    const field = document.activeElement?.closest("[data-fact] :is(textarea, input)");
    const words = field ? spoken(field) : "";
    CSS.highlights.delete("written");
    if (words.length < 2) return;
    const ranges = [...form.querySelectorAll(".texts .reading")].flatMap((one) => find(one, words));
    if (ranges.length) CSS.highlights.set("written", new Highlight(...ranges));
  }

  // A moment is told by its time of day, prose by its first line.
  function spoken(field) {
    const moment = field.value.match(/^\d{4}-\d\d-\d\d[T ](\d\d:\d\d)$/);
    return moment ? moment[1] : field.value.trim().split("\n")[0];
  }

  function find(root, words) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const nodes = [];
    let whole = "";
    while (walker.nextNode()) {
      nodes.push([whole.length, walker.currentNode]);
      whole += walker.currentNode.data;
    }
    const start = whole.indexOf(words);
    if (start < 0) return [];
    const at = (place) => {
      const [begins, node] = nodes.findLast(([offset]) => offset <= place);
      return [node, Math.min(place - begins, node.data.length)];
    };
    const range = new Range();
    range.setStart(...at(start));
    range.setEnd(...at(start + words.length - 1));
    range.setEnd(range.endContainer, Math.min(range.endOffset + 1, range.endContainer.data.length));
    return [range];
  }
  form.addEventListener("focusin", light);
  form.addEventListener("focusout", light);

  // Where the texts do not fit beside the form, the press first opens what will be posted.
  const narrow = matchMedia("(max-width: 63.99rem)");
  const edit = form.querySelector("[data-edit]");
  const press = form.querySelector("[data-part=press]");
  const SETTLES = 1500; // a second press of the same finger is not taken for a press on Post
  let settling;

  function review(isOpen) {
    document.body.classList.toggle("is-reviewing", isOpen);
    edit.hidden = !isOpen;
    scrollTo(0, 0);
    if (!isOpen) return;
    panel().focus();
    press.setAttribute("aria-disabled", "true");
    clearTimeout(settling);
    settling = setTimeout(() => press.removeAttribute("aria-disabled"), SETTLES);
  }
  if (edit) {
    form.addEventListener("submit", (event) => {
      if (event.submitter?.name !== "publish" || !narrow.matches || resolves()) return;
      const isOpen = document.body.classList.contains("is-reviewing");
      if (isOpen && !press.matches("[aria-disabled]")) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!isOpen) refresh().then(() => review(true));
    }, true);
    edit.addEventListener("click", () => {
      review(false);
      form.scrollIntoView();
    });
    if (form.querySelector(".texts .wrong") && narrow.matches) review(true);
  }
  function resolves() {
    return form.querySelector("[name=status]:checked")?.value === "resolved";
  }

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

// A template fills in what is empty, and can be undone.
const begin = document.querySelector("form[data-template]");

if (begin && form) startFrom(begin, form);

function startFrom(begin, form) {
  const said = begin.querySelector("[data-filled]");
  let before = [];
  begin.classList.add("is-live");

  begin.elements.template.addEventListener("change", async (event) => {
    const answer = await fetch(`${location.pathname}?${new URLSearchParams(new FormData(begin))}`);
    if (!answer.ok || answer.redirected || !event.target.value) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const theirs = fresh.querySelector("form[data-texts]");
    before = [];
    for (const field of theirs.elements) fill(field);
    form.elements.template_key.value = event.target.value;
    said.hidden = !before.length;
    form.dispatchEvent(new Event("change", { bubbles: true }));
  });

  function fill(theirs) {
    if (!theirs.name || ["hidden", "submit", "button"].includes(theirs.type)) return;
    const mine = theirs.type === "radio"
      ? form.querySelector(`[name="${theirs.name}"][value="${theirs.value}"]`)
      : form.elements[theirs.name];
    if (!mine || theirs.name.startsWith("text_")) return;
    if (theirs.type === "radio" || theirs.type === "checkbox") {
      const chosen = form.querySelector(`[name="${theirs.name}"]:checked`);
      if (!theirs.checked || mine.checked || (chosen && !chosen.defaultChecked)) return;
      before.push(() => {
        mine.checked = false;
        if (chosen) chosen.checked = true;
      });
      mine.checked = true;
    } else if (theirs.value && !mine.value) {
      mine.value = theirs.value;
      before.push(() => {
        mine.value = "";
      });
    } else return;
    mine.dispatchEvent(new Event("change", { bubbles: true }));
  }

  said.querySelector("button").addEventListener("click", () => {
    for (const undo of before.reverse()) undo();
    before = [];
    said.hidden = true;
    begin.elements.template.value = form.elements.template_key.value = "";
    form.dispatchEvent(new Event("change", { bubbles: true }));
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

// What is typed is kept on the server as a draft, a moment after the last key and when leaving.
function keep(form) {
  const KEEP_AFTER = 1500;
  let timer = 0;
  let isUnsaved = false;
  const save = () => {
    clearTimeout(timer);
    if (!isUnsaved) return;
    isUnsaved = false;
    fetch(form.dataset.draft, { method: "POST", body: new FormData(form), keepalive: true }).catch(() => {
      isUnsaved = true;
    });
  };
  const note = () => {
    isUnsaved = true;
    clearTimeout(timer);
    timer = setTimeout(save, KEEP_AFTER);
  };
  form.addEventListener("input", note);
  form.addEventListener("change", note);
  // What is sent is no draft any more.
  form.addEventListener("submit", (event) => {
    if (event.submitter?.name === "preview" || event.submitter?.name === "remake") return;
    clearTimeout(timer);
    isUnsaved = false;
  });
  addEventListener("pagehide", save);
}
