/* The signal that is told whole, beside the list or, where there is no room, within its row. In the address, so
   that Back undoes it and a link opens it; without this script the links do the same. */

import { all, first } from "../dom.js";

const NARROW = matchMedia("(max-width: 1199px)");
const page = first(".signal-page");
const detail = first("#signal-detail");
const before = detail?.innerHTML;
const named = first("[data-signal][aria-current]")?.dataset.signal;
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

function choose(event) {
  const link = event.target.closest("a[data-signal]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  event.preventDefault();
  const { signal } = link.dataset;
  if (signal === asked() && NARROW.matches) close();
  else {
    if (signal !== asked()) history.pushState(null, "", link.href);
    show(signal, link.href, true);
  }
}

function close() {
  const address = new URL(location.href);
  address.searchParams.delete("signal");
  history.pushState(null, "", address);
  show(null, "");
}

/** Escape goes back to the row, and closes what is open within it. */
function leave(event) {
  if (
    event.key !== "Escape" ||
    !detail.contains(event.target) ||
    event.target.closest("details[open]")
  )
    return;
  event.stopPropagation();
  first("[data-signal][aria-current]")?.focus();
  if (NARROW.matches && asked()) close();
}

async function show(signal, href, isAsked = false) {
  const number = ++latest;
  mark(signal || named);
  page.classList.toggle("is-chosen", Boolean(signal));
  place();
  if (!signal) {
    busy(false);
    detail.innerHTML = before;
    return;
  }
  busy(true); /* nobody answers what is about to go */
  const told = await read(href);
  if (number !== latest) return;
  busy(false);
  if (told === null) {
    location.assign(href); /* signed out, or gone: the page says which */
    return;
  }
  detail.innerHTML = told;
  if (isAsked) first("h2", detail).focus({ preventScroll: true });
}

function busy(isBusy) {
  detail.toggleAttribute("inert", isBusy);
  detail.setAttribute("aria-busy", String(isBusy));
}

async function read(href) {
  const address = new URL(href);
  address.searchParams.set("part", "detail");
  try {
    const answer = await fetch(address, { credentials: "same-origin" });
    return answer.ok && !answer.redirected ? await answer.text() : null;
  } catch {
    return null;
  }
}

function mark(signal) {
  for (const link of all("[data-signal]")) {
    const isOn = link.dataset.signal === signal;
    if (isOn) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    link.closest(".signal")?.classList.toggle("on", isOn);
  }
}

/** Within the row that was chosen where the list takes the whole width, beside the list where it does not. */
function place() {
  const link = asked() && NARROW.matches ? first("[data-signal][aria-current]") : null;
  const row = link?.closest(".signal");
  const table = link?.closest(".tw");
  if (row && detail.parentElement !== row) row.append(detail);
  else if (table && detail.previousElementSibling !== table) table.after(detail);
  else if (!link && detail.parentElement !== page) page.append(detail);
}
