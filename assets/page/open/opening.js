/* Opening a domain and closing it, and where the focus goes then. */

import { first } from "../dom.js";
import { change, current } from "../state/view.js";
import { leaveFindBox } from "./find_box.js";

let opener = null;
let focusWhenDrawn = false;

/** Opens what a tile's or a measure's button stands for; the open tile's own closes it. */
export function open(button) {
  const { open: domain, measure } = button.dataset;
  const isTile = button.classList.contains("tile-button");
  const view = current();
  if (isTile && view.domain === domain) {
    close();
    return;
  }
  opener = { domain, measure, isTile };
  focusWhenDrawn = true;
  leaveFindBox();
  change({ domain, measure, find: "", pins: view.domain === domain ? view.pins : [] });
}

/** Closes the open domain; the focus goes back to where it was opened. */
export function close() {
  const { domain } = current();
  if (!domain) return;
  leaveFindBox();
  const back = openedMeasure() || first(`#tile-${domain}-title`) || document.body;
  change({ domain: "", measure: "", find: "", pins: [] });
  back.focus();
}

function openedMeasure() {
  if (!opener || opener.isTile) return null;
  return first(`#tile-${opener.domain} .measure[data-measure='${opener.measure}']`);
}

/** Moves the focus to the heading of what was opened, once it stands. */
export function focusOpened() {
  if (!focusWhenDrawn) return;
  const { domain } = current();
  const heading = first("#expansion-heading");
  if (!heading || !first(`#tile-${domain}`)) return;
  if (heading.closest(".expansion").dataset.of !== domain) return;
  focusWhenDrawn = false;
  heading.focus({ preventScroll: true });
  heading.scrollIntoView({ block: "nearest", behavior: "instant" });
}
