/* The signal that is told whole, beside the list or, where there is no room, within its row. In the address, so
   that Back undoes it and a link opens it; without this script the links do the same. */

import { all, first } from "../dom.js";
import { toast } from "../shell/toasts.js";
import { step } from "../state/steps.js";

const NARROW = matchMedia("(max-width: 1199px)");
const SILENT = "The server does not answer. What is shown is as it was; try again.";
const page = first(".signal-page");
const detail = first("#signal-detail");
const before = detail?.innerHTML;
const named = first("[data-signal][aria-current]")?.dataset.signal;
let shown = asked();
let latest = 0;

if (page && detail) {
  page.addEventListener("click", choose);
  page.addEventListener("keydown", leave);
  addEventListener("popstate", () => show(asked(), location.href));
  NARROW.addEventListener("change", place);
}

function asked() {
  return new URLSearchParams(location.search).get("signal");
}

async function choose(event) {
  const link = event.target.closest("a[data-signal]");
  if (!link || isForAnother(event) || !navigator.onLine) return; /* the shell says that it waits */
  event.preventDefault();
  const { signal } = link.dataset;
  if (signal === shown && NARROW.matches) close();
  else if ((await show(signal, link.href)) && signal !== asked()) {
    step({ signal: asked() }, { signal }, addressOf(link.href));
    first("h2", detail).focus({ preventScroll: true });
  }
}

function isForAnother(event) {
  return event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
}

function close() {
  const address = new URL(location.href);
  address.searchParams.delete("signal");
  step({ signal: shown }, { signal: null }, addressOf(address));
  show(null, "");
}

function addressOf(href) {
  const { pathname, search } = new URL(href);
  return pathname + search;
}

/** Escape goes back to the row, and closes what is open within it. */
function leave(event) {
  const isOurs = detail.contains(event.target) && !event.target.closest("details[open]");
  if (event.key !== "Escape" || !isOurs) return;
  event.stopPropagation();
  first("[data-signal][aria-current]")?.focus();
  if (NARROW.matches && shown) close();
}

/** Whether the signal is told; none is the one that the page came with. */
async function show(signal, href) {
  const former = shown;
  const number = ++latest;
  if (!signal) {
    settle(null, before);
    return true;
  }
  settle(signal);
  const told = await read(href);
  if (number !== latest) return false;
  if (told) settle(signal, told);
  else if (told === null) location.assign(href); /* signed out, or gone: the page says which */
  else {
    settle(former, detail.innerHTML);
    toast(SILENT, { key: "signal", kind: "er" });
  }
  return Boolean(told);
}

/** Puts it in its place. Until it is there nobody answers what is about to go. */
function settle(signal, told) {
  shown = signal;
  for (const link of all("[data-signal]")) mark(link, link.dataset.signal === (signal || named));
  page.classList.toggle("is-chosen", Boolean(signal));
  place();
  detail.toggleAttribute("inert", told === undefined);
  detail.setAttribute("aria-busy", String(told === undefined));
  if (told !== undefined && told !== detail.innerHTML) detail.innerHTML = told;
}

/** Words of the signal; null where the server has none, undefined where it does not answer. */
async function read(href) {
  const address = new URL(href);
  address.searchParams.set("part", "detail");
  try {
    const answer = await fetch(address, { credentials: "same-origin" });
    return answer.ok && !answer.redirected ? await answer.text() : null;
  } catch {
    return undefined;
  }
}

function mark(link, isOn) {
  if (isOn) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
  link.closest(".signal")?.classList.toggle("on", isOn);
}

/** Within the row that was chosen where the list takes the whole width, beside the list where it does not. */
function place() {
  const link = shown && NARROW.matches ? first("[data-signal][aria-current]") : null;
  const row = link?.closest(".signal");
  const table = link?.closest(".tw");
  if (row && detail.parentElement !== row) row.append(detail);
  else if (table && detail.previousElementSibling !== table) table.after(detail);
  else if (!link && detail.parentElement !== page) page.append(detail);
}
