/* The network. That it is away lasts: it stands in the line under the title, in place of how new the figures
   are or of the page's facts, and moves nothing; where there is no such line, in that under the name of the
   organisation. That it is back has just happened: a message. */

import { all, announce, first, make } from "../dom.js";
import { takeAway, toast } from "./toasts.js";

const STRUCK =
  '<svg class="i i12" viewBox="0 0 16 16" aria-hidden="true"><path d="M2 2l12 12M4.200 6.200A7 7 0 0 1 6 5.300M11.800 8.200a5 5 0 0 0-1-.800M6 9a3.500 3.500 0 0 1 4 .200M8 12.200v.1"/></svg>';
const NETWORK = "network";
const PLACES = [".fresh", ".sub", ".plain > .brand > div"];
const COVERED = "is-covered";
const MARGIN = 12;
const TOUCH = 4;

let readAt = performance.timeOrigin;
const actions = [];

/** Notes that what is shown was read just now. */
export function noteRead() {
  readAt = Date.now();
}

/** Has something done each time that the network is back. */
export function whenBack(action) {
  actions.push(action);
}

/** Says that the network is away, from now on or since before the page was there. */
export function watchNetwork() {
  window.addEventListener("offline", tellAway);
  window.addEventListener("resize", () => all(".offline").forEach(fit));
  window.addEventListener("online", () => {
    for (const box of all(".offline")) leave(box);
    toast("Back online.", { key: NETWORK, kind: "ok" });
    for (const action of actions) action();
  });
  if (!navigator.onLine) tellAway();
}

/** What is said while it is away, from whole to short; `until` is the day of the figures, where there are
    any, and `time` when the page was read, where somebody is signed in. */
export function awayWords(until, time) {
  if (!time) return ["You are offline. Nothing can be sent.", "You are offline", "Offline"];
  const rest = until
    ? `Figures to ${until}, read at ${time}. Exports wait.`
    : `Read at ${time}. Nothing can be sent until you are back.`;
  return [`You are offline. ${rest}`, `Offline: read at ${time}`, "Offline"];
}

function tellAway() {
  const place = PLACES.map((each) => all(each).find((one) => one.checkVisibility())).find(Boolean);
  const words = awayWords(place?.dataset.until, first(".plain") ? "" : timeOf(readAt));
  if (place) stand(place, words);
  if (place && isSeen(place)) {
    takeAway(NETWORK);
    announce(words[0]);
  } else {
    const said = `You are offline. What is shown was read at ${timeOf(readAt)}.`;
    toast(said, { key: NETWORK, lasts: !place });
  }
}

function timeOf(instant) {
  return new Date(instant).toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
  });
}

function stand(place, words) {
  if (first(".offline", place)) return;
  const box = make("span", { className: "offline", "data-words": JSON.stringify(words) });
  box.innerHTML = `${STRUCK}<span></span>`;
  place.append(box);
  place.classList.add("is-offline");
  fit(box);
}

/* As much as the line has room for: it never takes a second one. Facts that it lies on are hidden. */
function fit(box) {
  const line = box.closest(".sub");
  const end = line ? line.getBoundingClientRect().right : window.innerWidth - MARGIN;
  for (const words of JSON.parse(box.dataset.words)) {
    first("span", box).textContent = words;
    if (box.getBoundingClientRect().right <= end) break;
  }
  for (const fact of besides(box)) fact.classList.toggle(COVERED, isOn(box, fact));
}

function besides(box) {
  return [...box.parentElement.children].filter((each) => each !== box);
}

function isOn(box, fact) {
  const [one, other] = [box, fact].map((each) => each.getBoundingClientRect());
  const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  return across > 0 && Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > TOUCH;
}

function leave(box) {
  for (const fact of besides(box)) fact.classList.remove(COVERED);
  box.parentElement.classList.remove("is-offline");
  box.remove();
}

function isSeen(place) {
  const { top, bottom } = place.getBoundingClientRect();
  return bottom > 0 && top < window.innerHeight;
}
