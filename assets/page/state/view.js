/* The one state of the page: kept in the address, handed to the server through Dash's stores.
   "view" draws the whole page, "focus" the open domain alone, "pins" its comparison, "more" the cards
   that come next. */

import { first } from "../dom.js";
import { notice } from "../server/notices.js";
import * as storage from "../storage.js";
import { readAddress, writeAddress } from "./address.js";
import { PERIOD_KEYS, parseStored, periodOf } from "./period.js";
import { readRules } from "./rules.js";
import { step, waits } from "./steps.js";

let view = null;
let rules = null;
const listeners = [];

/** The view that is shown; null until Dash's layout stands. */
export function current() {
  return view;
}

export function currentRules() {
  return rules;
}

/** Calls `listener` whenever the view has changed. */
export function onChange(listener) {
  listeners.push(listener);
}

/** Takes the view from the address and draws it. */
export function start() {
  rules = readRules(first("#rules").dataset);
  view = readAddress(location.pathname, location.search, rules, rememberedPeriod);
  history.replaceState(history.state, "", writeAddress(location.pathname, view));
  draw("view");
  if (view.why) draw("why");
  tellListeners();
}

function rememberedPeriod() {
  const text = storage.browser.read(storage.PERIOD);
  if (text === null) return null;
  const period = parseStored(text, rules, Date.now());
  if (period === null) {
    storage.browser.remove(storage.PERIOD);
    const shown = `showing the last ${rules.defaultPreset} days.`;
    notice(`The period that this browser had stored can not be used; ${shown}`);
  }
  return period;
}

/** The one way to change anything that the address says. Each change is a step that Back undoes, but for
    what somebody types; to close what the last step opened is to go back. */
export function change(patch) {
  if (waits(() => change(patch))) return;
  const former = view;
  view = changed(former, patch);
  const address = writeAddress(location.pathname, view);
  const isOther = address !== writeAddress(location.pathname, former);
  if (isOther) step(openIn(former), openIn(view), address);
  draw(storeOf(patch));
  tellListeners();
}

function openIn({ domain, why }) {
  return { domain, why };
}

/** Shows what the address says again when Back or Forward has changed it. */
export function watchHistory() {
  window.addEventListener("popstate", () => {
    if (!view) return;
    const before = view;
    const asked = readAddress(location.pathname, location.search, rules, rememberedPeriod);
    view = { ...asked, pins: asked.domain === before.domain ? before.pins : [] };
    for (const store of storesOf(before, view)) draw(store);
    tellListeners();
  });
}

/** The stores that have the server draw what differs between two views. */
export function storesOf(before, after) {
  const drawn = [];
  if (isOtherPage(before, after)) drawn.push("view");
  else if (["domain", "measure", "mode"].some((key) => before[key] !== after[key]))
    drawn.push("focus");
  if (after.why && (before.why !== after.why || drawn[0] === "view")) drawn.push("why");
  return drawn;
}

/** Whether another period or another list is shown, so that the whole page is another. */
export function isOtherPage(before, after) {
  const of = (each) => JSON.stringify([periodOf(each), each.links]);
  return of(before) !== of(after);
}

/** The view with a patch over it. A new period replaces the old one whole. */
export function changed(before, patch) {
  const after = { ...before, ...patch };
  if (changesPeriod(patch)) {
    for (const key of PERIOD_KEYS) if (!(key in patch)) delete after[key];
  }
  return after;
}

/** The store that has the server draw what a patch changes. */
export function storeOf(patch) {
  if ("why" in patch) return "why";
  return changesPeriod(patch) || "links" in patch || "compare" in patch ? "view" : "focus";
}

function changesPeriod(patch) {
  return PERIOD_KEYS.some((key) => key in patch);
}

export function choosePeriod(period) {
  storage.browser.write(storage.PERIOD, JSON.stringify(period));
  notice("");
  change(period);
}

/** Changes what is compared, which the address does not say. */
export function comparePins(pins) {
  view = { ...view, pins };
  draw("pins");
}

/** Has the server draw what `store` stands for. */
export function draw(store, more = {}) {
  window.dash_clientside.set_props(store, { data: { at: Date.now(), ...view, ...more } });
}

function tellListeners() {
  for (const listener of listeners) listener();
}
