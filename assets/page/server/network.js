/* The network. That it is away lasts: it stands in the line under the title, where otherwise is said how
   new the figures are, and moves nothing. That it is back has just happened: a message. */

import { all, announce, first, make } from "../dom.js";
import { takeAway, toast } from "../shell/toasts.js";

const STRUCK =
  '<svg class="i i12" viewBox="0 0 16 16" aria-hidden="true"><path d="M2 2l12 12M4.200 6.200A7 7 0 0 1 6 5.300M11.800 8.200a5 5 0 0 0-1-.800M6 9a3.500 3.500 0 0 1 4 .200M8 12.200v.1"/></svg>';
const NETWORK = "network";

let readAt = performance.timeOrigin;

/** Notes that what is shown was read just now. */
export function noteRead() {
  readAt = Date.now();
}

/** Says that the network is away, and looks again when it is back. */
export function watchNetwork(redraw) {
  window.addEventListener("offline", tellAway);
  window.addEventListener("resize", () => all(".offline").forEach(fit));
  window.addEventListener("online", () => {
    for (const box of all(".offline")) leave(box);
    toast("Back online.", { key: NETWORK, kind: "ok" });
    redraw();
  });
}

/** What is said while it is away, from whole to short. */
export function awayWords(until, time) {
  return [
    `You are offline. Figures to ${until}, read at ${time}. Exports wait.`,
    `Offline: read at ${time}`,
    "Offline",
  ];
}

function tellAway() {
  const time = new Date(readAt).toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
  });
  const place = all(".fresh").find((each) => each.checkVisibility());
  const words = awayWords(place?.dataset.until, time);
  if (place) stand(place, words);
  if (place && isSeen(place)) {
    takeAway(NETWORK);
    announce(words[0]);
  } else {
    toast(`You are offline. What is shown was read at ${time}.`, { key: NETWORK, lasts: !place });
  }
}

function stand(place, words) {
  if (first(".offline", place)) return;
  const box = make("span", { className: "offline", "data-words": JSON.stringify(words) });
  box.innerHTML = `${STRUCK}<span></span>`;
  place.append(box);
  place.classList.add("is-offline");
  fit(box);
}

/* As much as the line has room for: it never takes a second one. */
function fit(box) {
  const end = box.closest(".sub").getBoundingClientRect().right;
  for (const words of JSON.parse(box.dataset.words)) {
    first("span", box).textContent = words;
    if (box.getBoundingClientRect().right <= end) return;
  }
}

function leave(box) {
  box.parentElement.classList.remove("is-offline");
  box.remove();
}

function isSeen(place) {
  const { top, bottom } = place.getBoundingClientRect();
  return bottom > 0 && top < window.innerHeight;
}
