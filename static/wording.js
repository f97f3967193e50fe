// The preview beside a template follows the typing; without this its button does the same.
"use strict";

const PAUSE = 400; // milliseconds after the last key

const form = document.getElementById("wording");
const button = document.getElementById("show-preview");
const about = document.getElementById("about");
const body = form.elements.namedItem("body");
let timer;

// A new frame for each preview: it shows no gap, and the Back button does not walk through them.
function show() {
  const old = document.querySelector("iframe[name=preview]");
  const fresh = old.cloneNode();
  fresh.removeAttribute("src");
  old.removeAttribute("name");
  old.before(fresh);
  fresh.addEventListener("load", () => {
    for (const frame of document.querySelectorAll(".frames iframe:not([name])")) frame.remove();
  });
  form.requestSubmit(button);
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(show, PAUSE);
});

about.addEventListener("input", (event) => {
  event.stopPropagation(); // choosing a story changes no text
  show();
});

// Choosing a word puts it where the cursor is.
for (const code of document.querySelectorAll("code[data-word]")) {
  const word = document.createElement("button");
  word.type = "button";
  word.className = "word";
  word.title = "Put it into the text";
  code.replaceWith(word);
  word.append(code);
  word.addEventListener("click", () => {
    body.setRangeText(`{{ ${code.dataset.word} }}`, body.selectionStart, body.selectionEnd, "end");
    body.focus();
    body.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

// What was refused is still typed here, and the frame shows what is saved.
if (document.querySelector(".problems")) show();
