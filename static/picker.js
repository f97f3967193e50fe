// Affected components: one search box that adds rows with a state.  Without it, every component has
// its row; the rows' own lists are what is sent, with and without it.
"use strict";

const MOST_SHOWN = 60;

for (const field of document.querySelectorAll(".picker")) pick(field);

function pick(field) {
  const form = field.closest("form");
  const rows = [...field.querySelectorAll(".component")].map((row) => ({
    row,
    list: row.querySelector("select"),
    name: row.querySelector("label").textContent.trim(),
    group: row.closest("[data-group]")?.dataset.group ?? "",
  }));
  if (!rows.length) return;
  const proposed = JSON.parse(field.dataset.proposed);
  const named = rows.filter(({ row }) => row.classList.contains("named"));
  // The states that we proposed follow the severity, until somebody chooses another.
  const ours = new Set();

  field.classList.add("is-enhanced");
  for (const one of field.querySelectorAll("details.others")) one.open = true;
  const { box, input, list } = makeSearch(field);
  const all = makeAll();
  let options = [];
  let active = -1;

  function usual() {
    const rank = form.querySelector("[name=severity_rank]:checked")?.value ?? field.dataset.rank;
    return proposed[rank] ?? "degraded_performance";
  }

  function add(some) {
    for (const one of some) {
      if (one.list.value) continue;
      one.list.value = usual();
      ours.add(one);
      one.row.classList.add("chosen");
    }
    changed();
  }

  function remove(one) {
    one.list.value = "";
    ours.delete(one);
    changed();
    input.focus();
  }

  function changed() {
    for (const { row, list } of rows) row.classList.toggle("chosen", Boolean(list.value));
    for (const group of field.querySelectorAll(".group")) {
      group.classList.toggle("has-chosen", Boolean(group.querySelector(".chosen, .named")));
    }
    all.hidden = rows.filter(({ list }) => list.value).length < 2;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // Every word that is typed must begin a word of the name; commas part several names.
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  function matches(words, name) {
    const parts = plain(name).split(/[\s/–-]+/);
    return plain(words).split(/\s+/).filter(Boolean)
      .every((word) => parts.some((part) => part.startsWith(word)) || plain(name).includes(word));
  }

  function offer() {
    const words = input.value.split(",").at(-1);
    const free = rows.filter((one) => !one.list.value && !named.includes(one));
    const groups = Map.groupBy ? Map.groupBy(free, ({ group }) => group) : new Map();
    const found = [];
    for (const [group, members] of groups) {
      if (group && members.length > 1 && matches(words, group)) {
        found.push({ text: `${group}: all ${members.length}`, members });
      }
    }
    for (const one of free) {
      if (matches(words, `${one.name} ${one.group}`)) {
        found.push({ text: one.name, note: one.group, members: [one] });
      }
    }
    options = found.slice(0, MOST_SHOWN);
    active = words.trim() && options.length ? 0 : -1;
    show();
  }

  function show() {
    list.replaceChildren(...options.map((option, number) => {
      const entry = document.createElement("li");
      entry.id = `${list.id}-${number}`;
      entry.role = "option";
      entry.dir = "auto";
      entry.textContent = option.text;
      entry.ariaSelected = String(number === active);
      if (option.note) {
        const note = document.createElement("span");
        note.className = "soft";
        note.textContent = ` ${option.note}`;
        entry.append(note);
      }
      return entry;
    }));
    if (!options.length) {
      const none = document.createElement("li");
      none.className = "soft none";
      none.role = "option";
      none.ariaDisabled = "true";
      none.textContent = "No matches";
      list.append(none);
    }
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark();
  }

  function mark() {
    for (const [number, entry] of [...list.children].entries()) {
      entry.ariaSelected = String(number === active);
    }
    if (active >= 0) input.setAttribute("aria-activedescendant", `${list.id}-${active}`);
    else input.removeAttribute("aria-activedescendant");
    list.children[active]?.scrollIntoView({ block: "nearest" });
  }

  function close() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    active = -1;
  }

  function take(number) {
    add(options[number].members);
    input.value = "";
    offer();
  }

  // Several names at once: each that is found goes in, the others stay to be seen.
  function takeAll() {
    const left = [];
    for (const words of input.value.split(",").map((one) => one.trim()).filter(Boolean)) {
      const free = rows.filter((one) => !one.list.value && !named.includes(one));
      const exact = free.find(({ name }) => plain(name) === plain(words));
      const found = exact ?? free.find(({ name }) => matches(words, name));
      if (found) add([found]);
      else left.push(words);
    }
    input.value = left.join(", ");
    offer();
  }

  function onKey(event) {
    const isOpen = !list.hidden;
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves) {
      event.preventDefault();
      if (!isOpen) offer();
      active = Math.max(0, Math.min(options.length - 1, active + moves[event.key]));
      mark();
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      if (input.value.includes(",")) takeAll();
      else if (isOpen && active >= 0) take(active);
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      close();
    } else if (event.key === "Backspace" && !input.value) {
      const last = rows.findLast((one) => one.list.value && !named.includes(one));
      if (last) remove(last);
    }
  }

  input.addEventListener("input", (event) => {
    event.stopPropagation(); // nothing is told by it yet
    offer();
  });
  input.addEventListener("click", offer);
  input.addEventListener("keydown", onKey);
  input.addEventListener("change", (event) => event.stopPropagation());
  input.addEventListener("blur", close);
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault(); // the box keeps the focus
    const number = [...list.children].indexOf(event.target.closest("[role=option]"));
    if (options[number]) take(number);
  });

  for (const one of rows) {
    one.list.addEventListener("change", () => {
      ours.delete(one);
      changed();
    });
    if (named.includes(one)) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "remove";
    button.tabIndex = -1; // the keyboard has the list's own “Not affected”
    button.ariaLabel = `Remove ${one.name}`;
    button.textContent = "×";
    button.addEventListener("click", () => remove(one));
    one.row.append(button);
  }

  function makeAll() {
    const label = document.createElement("label");
    label.className = "all-chosen";
    label.textContent = "Set all to ";
    const choice = document.createElement("select");
    choice.tabIndex = -1;
    choice.append(new Option("…", ""), ...[...rows.at(-1).list.options].slice(1).map((one) => new Option(one.text, one.value)));
    choice.addEventListener("change", (event) => {
      event.stopPropagation();
      for (const one of rows) {
        if (!one.list.value || !choice.value) continue;
        one.list.value = choice.value;
        ours.delete(one);
      }
      choice.value = "";
      changed();
    });
    label.append(choice);
    box.append(label);
    return label;
  }

  form.addEventListener("change", (event) => {
    if (event.target.name !== "severity_rank") return;
    for (const one of ours) one.list.value = usual();
  }, true);

  changed();
}

function makeSearch(field) {
  const box = document.createElement("div");
  box.className = "search";
  const input = document.createElement("input");
  input.type = "search";
  input.id = `${field.id}-search`;
  input.autocomplete = "off";
  input.placeholder = "Add a component or group";
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-label", "Add affected component");
  input.dataset.unsent = "";
  const list = document.createElement("ul");
  list.role = "listbox";
  list.id = `${field.id}-found`;
  list.ariaLabel = "Components";
  list.hidden = true;
  input.setAttribute("aria-controls", list.id);
  box.append(input, list);
  field.querySelector(".rows").after(box);
  return { box, input, list };
}
