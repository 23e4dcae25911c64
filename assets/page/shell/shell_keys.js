/* Keys of every page; off in inputs, and when they are turned off. A page's own keys come before. */

import { first, isInDialog } from "../dom.js";
import { keysAreOff, openHelp } from "./help.js";
import { closeLatestMenu } from "./menu.js";
import { openSwitch } from "./switch.js";
import { closeNewestToast } from "./toasts.js";

export function watchShellKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented) return;
    if (event.key === "Escape") {
      if (!isInDialog(event) && closeTopmost()) event.preventDefault();
      return;
    }
    if (isOurs(event)) act(event);
  });
}

/** Closes what lies on top of everything else: a message, then a menu; false when there is neither. */
export function closeTopmost() {
  return closeNewestToast() || closeLatestMenu();
}

/** Whether a key stroke is meant for the page rather than for a field or the browser. */
export function isOurs(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || keysAreOff()) return false;
  return !isInDialog(event) && !event.target.closest("input, select, textarea");
}

function act(event) {
  if (event.key === "?") openHelp();
  else if (event.key === "/" && !first("#find") && openSwitch()) event.preventDefault();
}
