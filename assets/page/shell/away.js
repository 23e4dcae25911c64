/* What would be lost while the network is away: a form that is sent and a link that is followed lead to the
   browser's own page, and what was typed is gone with ours. Both wait for the person instead. */

import { takeAway, toast } from "./toasts.js";

const PATIENCE = 3000;
const PROBE =
  "/healthz"; /* a browser without any network calls itself offline, and may reach its own machine */
const AWAY = "away";
const letThrough = new WeakSet();

export function watchLeaving() {
  window.addEventListener("online", () => takeAway(AWAY)); /* it is not so any more */
  document.addEventListener("submit", (event) => {
    const { target, submitter } = event;
    if (!isHeldBack(event) || target.method === "dialog" || letThrough.delete(target)) return;
    event.preventDefault();
    whenReached("You are offline: nothing was sent. What you entered stays here.", () => {
      letThrough.add(target);
      target.requestSubmit(submitter);
    });
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || !isHeldBack(event) || !leadsAway(link) || isForAnotherTab(event, link)) return;
    event.preventDefault();
    const said = "You are offline: what this leads to can be opened once you are back.";
    whenReached(said, () => location.assign(link.href));
  });
}

function isHeldBack(event) {
  return !navigator.onLine && !event.defaultPrevented;
}

function leadsAway(link) {
  const there = new URL(link.href);
  return `${there.pathname}${there.search}` !== `${location.pathname}${location.search}`;
}

function isForAnotherTab(event, link) {
  return event.button || event.ctrlKey || event.metaKey || event.shiftKey || link.target;
}

async function whenReached(said, action) {
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    await fetch(PROBE, { cache: "no-store", credentials: "omit", signal });
  } catch {
    toast(said, { key: AWAY, kind: "er" });
    return;
  }
  action();
}
