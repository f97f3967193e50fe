// Makes passkeys and signs in with them; where a browser has none, their forms stay hidden.
"use strict";

const CAN =
  window.PublicKeyCredential &&
  PublicKeyCredential.parseCreationOptionsFromJSON &&
  PublicKeyCredential.parseRequestOptionsFromJSON;

const ASK = {
  create: (options) =>
    navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
    }),
  get: (options) =>
    navigator.credentials.get({
      publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
    }),
};

const PROBLEMS = {
  InvalidStateError: "This authenticator has a passkey for your account already.",
  NotAllowedError: "It was cancelled, or took too long. Try again.",
};

for (const form of CAN ? document.querySelectorAll("form[data-passkey]") : []) {
  const problem = form.querySelector("[data-passkey-problem]");
  form.hidden = false;
  // Before the listener of the whole document, which lets a form be sent only once.
  form.addEventListener("submit", async (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    problem.hidden = true;
    try {
      const made = await ASK[form.dataset.passkey](JSON.parse(form.dataset.options));
      form.elements.credential.value = JSON.stringify(made.toJSON());
      form.requestSubmit();
    } catch (error) {
      problem.textContent = PROBLEMS[error.name] ?? "The passkey can’t be used here.";
      problem.hidden = false;
    }
  });
}
