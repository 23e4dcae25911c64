/* More cards: the next ones alone are fetched, and put behind those that are there. */

import { announce, first } from "../dom.js";
import { draw } from "../state/view.js";
import { showPins } from "./comparison.js";
import { showCount } from "./markup.js";

export function fetchMore(button) {
  if (button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  draw("more", { from: Number(button.dataset.more) });
}

/** Puts the cards that have arrived behind the others. */
export function appendArrived() {
  const arrived = first("#next > [data-pieces]");
  const button = first("[data-more]");
  if (!arrived || !button) return;
  const { pieces } = arrived.dataset;
  arrived.removeAttribute("data-pieces");
  button.removeAttribute("aria-busy");
  const fit = fitOf(arrived.dataset, button.dataset);
  if (fit === "newer") draw("focus");
  if (fit === "next") append(pieces, arrived.dataset, button);
}

/** Whether what arrived comes "next", is of "newer" figures or another order, or came "again". */
export function fitOf(arrived, button) {
  if (arrived.order !== button.order) return "newer";
  return arrived.start === button.more ? "next" : "again";
}

function append(pieces, arrived, button) {
  const list = first(".expansion [data-grows]");
  const last = list.lastElementChild;
  list.insertAdjacentHTML("beforeend", pieces);
  showPins();
  showCount(arrived.counted);
  announce(`${arrived.said} workspaces`);
  if (arrived.then) {
    button.dataset.more = arrived.then;
    first(".more .shown").textContent = arrived.said;
  } else {
    removeButton(button, last.nextElementSibling);
  }
}

function removeButton(button, firstNew) {
  const hadFocus = document.activeElement === button;
  button.parentElement.remove();
  if (hadFocus) first("a, button", firstNew).focus();
}
