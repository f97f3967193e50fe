// The keyboard: n declares, u updates, / searches, Ctrl+Enter leads to the last step, ? lists them.
"use strict";

const keys = document.getElementById("keys");
const SEARCH = "main input[type=search]:not([role=combobox])";
const isTyping = (element) => Boolean(element?.closest("input, textarea, select, [contenteditable]"));

const DOES = {
  n: () => document.querySelector("a.declare")?.click(),
  u: () => update(),
  "/": () => search(),
  "?": () => (keys.open ? keys.close() : keys.showModal()),
};

function update() {
  const composer = document.getElementById("post");
  const field = composer?.querySelector("[name=status]:checked") ?? composer;
  if (field) field.focus();
  else document.querySelector("[data-key=u]")?.click();
}

function search() {
  const box = document.querySelector(SEARCH);
  if (box) box.focus();
  else location.assign(keys.dataset.search);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const press = event.target.closest("form")?.querySelector("[name=publish], .buttons [type=submit]");
    if (!press) return;
    event.preventDefault();
    press.focus();
    press.scrollIntoView({ block: "nearest" });
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const act = DOES[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

for (const button of document.querySelectorAll("[data-keys]")) {
  button.hidden = false;
  button.addEventListener("click", () => keys.showModal());
}
