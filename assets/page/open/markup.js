/* Text that the server made to be put in place: Dash would take 35 ms for each card. */

import { showControls } from "../bar/controls.js";
import { all, first } from "../dom.js";
import { current, draw } from "../state/view.js";
import { showPins } from "./comparison.js";

export function placeMarkup() {
  const boxes = all("[data-markup]");
  if (boxes.length === 0) return;
  boxes.forEach(place);
  showPins();
  showControls();
  if (boxes.some((box) => first(".tile-button", box))) catchUp();
}

function place(box) {
  box.innerHTML = box.dataset.markup;
  box.removeAttribute("data-markup"); /* comes back when it changes */
  if (box.dataset.counted) showCount(box.dataset.counted);
}

/** Says how many workspaces are shown of how many. */
export function showCount(counted) {
  const line = first(".counted");
  if (line) line.textContent = counted;
}

/* The page may have been asked for before a domain was opened, or closed, and come after it. */
function catchUp() {
  const expansion = first(".expansion");
  const rank = expansion && first("select[data-select='rank']", expansion);
  const drawn = { domain: expansion?.dataset.of ?? "", measure: rank?.dataset.value };
  if (isBehind(drawn, current())) draw("focus");
}

/** Whether what is drawn is not what the view has open. */
export function isBehind(drawn, view) {
  if (drawn.domain !== view.domain) return true;
  return Boolean(drawn.measure && view.measure && drawn.measure !== view.measure);
}
