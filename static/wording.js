// Choosing a word puts it where the cursor is.
(() => {
  "use strict";

  const body = document.getElementById("wording").elements.namedItem("body");

  for (const code of document.querySelectorAll("code[data-word]")) {
    const word = document.createElement("button");
    word.type = "button";
    word.className = "word";
    word.title = "Put it into the text";
    code.replaceWith(word);
    word.append(code);
    word.addEventListener("click", () => {
      body.setRangeText(
        `{{ ${code.dataset.word} }}`,
        body.selectionStart,
        body.selectionEnd,
        "end",
      );
      body.focus();
      body.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
})();
