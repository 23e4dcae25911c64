/* The workspaces that are pinned, to be compared with each other. */

import { all } from "../dom.js";
import { notice } from "../server/notices.js";
import { comparePins, current, currentRules } from "../state/view.js";

const COUNTS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/** Pins a workspace, or takes the pin away. */
export function togglePin(slug) {
  const { maxPins } = currentRules();
  const pins = toggled(current().pins, slug);
  if (pins.length > maxPins) notice(tooMany(maxPins));
  else setPins(pins);
}

export function toggled(pins, slug) {
  return pins.includes(slug) ? pins.filter((pinned) => pinned !== slug) : [...pins, slug];
}

export function tooMany(most) {
  return `At most ${COUNTS[most] ?? most} workspaces can be compared at once.`;
}

export function setPins(pins) {
  comparePins(pins);
  showPins();
}

/** Marks the cards of the pinned ones. */
export function showPins() {
  for (const button of all(".pin")) {
    const isPinned = String(current().pins.includes(button.dataset.pin));
    if (button.getAttribute("aria-pressed") === isPinned) continue;
    button.setAttribute("aria-pressed", isPinned);
    button.firstChild.nodeValue = isPinned === "true" ? "Pinned" : "Pin";
  }
}
