/* What just happened, bottom right: it covers no title and moves nothing. One message of a kind at a time. */

import { all, first, make } from "../dom.js";

const STAYS_MS = 8000;
const PICTURES = {
  ok: '<path d="m3 8.5 3.2 3.2L13 5"/>',
  er: '<path d="M8 2.2 14.3 13.3H1.7zM8 6.5v3.2M8 11.6v.1"/>',
  info: '<circle cx="8" cy="8" r="6"/><path d="M8 7.2v4M8 4.8v.1"/>',
};

/** Shows a message: `kind` ok, er or info; one with the same `key` takes its place. `lasts` until it is
    taken away. `action` is a button's { label, run }. */
export function toast(text, { key = "note", kind = "info", lasts = false, action = null } = {}) {
  takeAway(key);
  const box = make("div", { className: "toast", "data-key": key }, [
    picture(kind),
    make("span", { className: "words", textContent: text }),
    ...(action ? [actionButton(action, key)] : []),
    closeButton(key),
  ]);
  const place = first("#toasts");
  place?.append(box);
  if (place) keepOnTop(place);
  if (!lasts) waitToLeave(box);
  return box;
}

/* What is modal lies above the whole page; messages lie above that. */
function keepOnTop(place) {
  if (place.matches(":popover-open")) place.hidePopover();
  if (first("dialog:modal")) {
    place.popover = "manual";
    place.showPopover();
  } else place.removeAttribute("popover");
}

/** Takes a message away, if it is there. */
export function takeAway(key) {
  for (const box of all(".toast")) if (box.dataset.key === key) leave(box);
}

/* Messages stack upwards. One that leaves keeps its room as long as another lies above it, so that no
   message moves while somebody reads it. */
function leave(box) {
  const room = make("div", { className: "toast-room" });
  room.style.height = `${box.offsetHeight}px`;
  box.replaceWith(room);
  for (const last of all("#toasts > *").reverse()) {
    if (last.className !== "toast-room") return;
    last.remove();
  }
}

export function closeNewestToast() {
  const newest = all(".toast").pop();
  if (newest) leave(newest);
  return Boolean(newest);
}

/** Messages that the server wrote into the page go the way of the others. */
export function watchToasts() {
  for (const box of all(".toast")) {
    first("[data-close-toast]", box)?.addEventListener("click", () => leave(box));
    if (!("lasts" in box.dataset)) waitToLeave(box);
  }
}

/* As long as somebody reads it, it stays. */
function waitToLeave(box) {
  setTimeout(() => {
    if (box.matches(":hover, :focus-within")) waitToLeave(box);
    else if (box.isConnected) leave(box);
  }, STAYS_MS);
}

function picture(kind) {
  const holder = make("span", { className: kind === "info" ? "m" : kind });
  holder.innerHTML = `<svg class="i" viewBox="0 0 16 16" aria-hidden="true">${PICTURES[kind]}</svg>`;
  holder.style.padding = "5px 0";
  return holder;
}

function actionButton({ label, run }, key) {
  const button = make("button", { type: "button", className: "btn sm", textContent: label });
  button.addEventListener("click", () => {
    takeAway(key);
    run();
  });
  return button;
}

function closeButton(key) {
  const button = make("button", {
    type: "button",
    className: "btn g ic sm",
    "aria-label": "Dismiss",
  });
  button.innerHTML =
    '<svg class="i" viewBox="0 0 16 16" aria-hidden="true"><path d="m4 4 8 8M12 4l-8 8"/></svg>';
  button.addEventListener("click", () => takeAway(key));
  return button;
}
