// The preview beside a form follows the typing; without this its button does the same.
(() => {
  "use strict";

  const PAUSE = 400; // milliseconds after the last key

  const button = document.getElementById("show-preview");
  const form = button.form;
  const address = button.formAction;
  let timer;
  let turn = 0;

  // A new frame for each preview: it shows no gap, and the Back button does not walk through them.
  // Each has a name of its own, since a browser may mix up one that goes from frame to frame.
  function show() {
    const old = document.querySelector(".frames iframe");
    const fresh = old.cloneNode();
    turn += 1;
    fresh.removeAttribute("src");
    fresh.name = button.formTarget = `preview-${turn}`;
    old.before(fresh);
    fresh.addEventListener("load", () => {
      while (fresh.nextElementSibling) fresh.nextElementSibling.remove();
    });
    form.requestSubmit(button);
  }

  form.addEventListener("input", (event) => {
    // What stands at the foot of what is previewed is looked at there.
    const place = event.target.dataset.at;
    button.formAction = place ? `${address}#${place}` : address;
    clearTimeout(timer);
    timer = setTimeout(show, PAUSE);
  });

  // What is chosen beside the form changes nothing in it.
  for (const choice of form.elements) {
    if (form.contains(choice) || choice.localName !== "select") continue;
    choice.addEventListener("input", (event) => {
      event.stopPropagation();
      show();
    });
  }

  // What was refused is still typed here, and the frame shows what is saved.
  if (document.querySelector(".problems")) show();
})();
