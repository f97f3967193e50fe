// What makes the admin pleasant; nothing here is needed to use it.
"use strict";

const MINUTE = 60;

// One sheet, one sending: a second press while the first is on its way does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (event.submitter?.formTarget) return; // a preview beside the form is no sending
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  remember(Date.now());
  const button = event.submitter;
  if (button) button.setAttribute("aria-busy", "true");
});

// The next screen may have its button where the last one had it.  So for a moment after a form was
// sent, a second press of the same finger is not taken for a press on the new screen.
const SETTLES = 1500; // from the load on
const PRESSED_TWICE = 3000; // from the press on
const SENT_AT = "admin-form-sent-at";
const SENDING = "form[method=post] button[type=submit]:not([formtarget], .square)";

function remember(moment) {
  try {
    sessionStorage.setItem(SENT_AT, moment);
  } catch {
    // Storage may be switched off; then nothing is held back.
  }
}

function recall() {
  try {
    const sent = Number(sessionStorage.getItem(SENT_AT));
    sessionStorage.removeItem(SENT_AT);
    return sent;
  } catch {
    return 0;
  }
}

const sentAt = recall();
if (sentAt) {
  const since = Math.max(0, Date.now() - sentAt);
  const holdBack = (event) => {
    const button = event.submitter;
    if (button && !button.matches("[aria-disabled]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  const buttons = [...document.querySelectorAll(SENDING)];
  for (const button of buttons) button.setAttribute("aria-disabled", "true");
  addEventListener("submit", holdBack, true);
  setTimeout(() => {
    removeEventListener("submit", holdBack, true);
    for (const button of buttons) button.removeAttribute("aria-disabled");
  }, Math.max(SETTLES, PRESSED_TWICE - since));
}

// A page that comes back from the browser's memory may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  }
});

// Typed text is not lost by a stray click on a link.
const changed = new Set();
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form && form.method === "post") changed.add(form);
});
window.addEventListener("beforeunload", (event) => {
  const unsent = [...changed].some((form) => form.isConnected && !form.dataset.sent);
  const sending = document.querySelector("form[data-sent]");
  if (unsent && !sending) event.preventDefault();
});

// Choosing a problem in the summary leads into its field.
document.addEventListener("click", (event) => {
  const link = event.target.closest(".problems a");
  const field = link && document.getElementById(link.hash.slice(1));
  if (!field) return;
  event.preventDefault();
  field.focus({ preventScroll: true });
  (field.closest(".field") || field).scrollIntoView({ block: "start" });
});

// How far off a moment is, as the server says it, kept up to date.
function words(seconds) {
  const minutes = Math.floor(seconds / MINUTE);
  const parts = [
    [Math.floor(minutes / (24 * MINUTE)), "day"],
    [Math.floor(minutes / MINUTE) % 24, "hour"],
    [minutes % MINUTE, "minute"],
  ];
  const first = parts.findIndex(([number]) => number);
  return parts
    .slice(first, first + 2)
    .filter(([number]) => number)
    .map(([number, unit]) => `${number} ${unit}${number === 1 ? "" : "s"}`)
    .join(" ");
}

function tell(element) {
  const gap = (new Date(element.dateTime) - Date.now()) / 1000;
  if (Math.abs(gap) < MINUTE) return "now";
  return gap > 0 ? `in ${words(gap + MINUTE / 2)}` : `${words(-gap)} ago`;
}

// Screens that follow what colleagues do exchange such elements.
setInterval(() => {
  for (const element of document.querySelectorAll("[data-countdown]")) {
    const text = tell(element);
    if (element.textContent !== text) element.textContent = text;
  }
}, 5000);

// A link that is shown once can be copied with one press.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}

// A time that is typed in one's own zone stands in the page's zone beside its field.
document.addEventListener("input", ({ target }) => {
  const beside = target.type === "datetime-local" && document.querySelector(`output[for="${target.id}"]`);
  if (!beside) return;
  const moment = momentOf(target.value, beside.dataset.from);
  beside.textContent = Number.isNaN(moment) ? "" : `= ${inZone(moment, beside)}`;
});

// The offset is first taken for the wall-clock time, and then at the moment that this gives.
function momentOf(text, zone) {
  const wall = Date.parse(`${text}Z`);
  if (Number.isNaN(wall)) return wall;
  return wall - offsetAt(wall - offsetAt(wall, zone), zone);
}

function offsetAt(moment, timeZone) {
  const format = new Intl.DateTimeFormat("en", {
    timeZone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric",
  });
  const parts = Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute) - moment;
}

function inZone(moment, { lang, dataset }) {
  return new Intl.DateTimeFormat(`${lang}-u-nu-latn`, {
    timeZone: dataset.to, timeZoneName: "short", hourCycle: "h23",
    year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit",
  }).format(moment);
}

// On a new installation the browser knows the zone better than the default does.
const zone = document.querySelector("select[name=time_zone][data-guess]");
if (zone) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...zone.options].some((option) => option.value === here)) zone.value = here;
}
