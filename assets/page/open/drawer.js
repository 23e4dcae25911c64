/* The drawer of the evidence: in the address, so that Back closes it and a link opens it. The browser keeps the
   focus within it, closes it with Escape, and gives the focus back. */

import { first } from "../dom.js";
import { change, current } from "../state/view.js";

let titled = null; /* what the focus was moved to */

export function openWhy(button) {
  change({ why: button.dataset.why });
}

export function closeWhy() {
  if (current().why) change({ why: "" });
}

/** Opens or closes it, as the view says. */
export function showDrawer() {
  const drawer = first("#drawer");
  if (!drawer) return;
  const { why } = current();
  if (why && !drawer.open) drawer.showModal();
  if (!why) titled = null;
  if (!why && drawer.open) drawer.close();
}

/** Moves the focus to the title when another answer has been drawn. */
export function focusTitle() {
  const title = first("#drawer[open] #drawer-title");
  if (!title || title.textContent === titled) return;
  titled = title.textContent;
  title.focus({ preventScroll: true });
  first("#drawer .body").scrollTop = 0;
}

export function watchDrawer() {
  document.addEventListener("close", onClose, true);
  document.addEventListener("mousedown", (event) => {
    if (event.target.id === "drawer") closeWhy(); /* the scrim is the dialog's own */
  });
}

function onClose(event) {
  if (event.target.id === "drawer") closeWhy();
}
