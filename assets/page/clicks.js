/* Clicks and choices, wherever Dash has drawn what they are made on: data-* says what a button does. */

import { copyLink } from "./bar/copy_link.js";
import { openCustomRange } from "./bar/custom_range.js";
import { exportAs, startOrCancel } from "./bar/export.js";
import { stepPeriod } from "./bar/step.js";
import { setPins, togglePin } from "./open/comparison.js";
import { closeWhy, openWhy } from "./open/drawer.js";
import { clearFind } from "./open/find_box.js";
import { fetchMore } from "./open/more_cards.js";
import { close, open } from "./open/opening.js";
import { change, choosePeriod, current, draw } from "./state/view.js";

const USUAL = "previous";

const BY_ID = { export: startOrCancel };

const BY_DATA = {
  open,
  close,
  pin: (button) => togglePin(button.dataset.pin),
  unpin: () => setPins([]),
  mode: (button) => change({ mode: button.dataset.mode }),
  more: fetchMore,
  format: exportFormat,
  unlink: () => change({ links: {} }),
  copy: copyLink,
  retry: () => draw("view"),
  preset: (button) => choosePeriod({ period: button.dataset.preset }),
  step: stepPeriod,
  widen: widenCard,
  whyClose: closeWhy,
  why: openWhy,
  findClear: clearFind,
};

export function watchClicks() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button && current()) actionOf(button.id, button.dataset)?.(button);
    else openTouched(event.target);
  });
}

/* A touch anywhere on a row opens it, where rows are. */
function openTouched(target) {
  if (target.closest("a, summary, select, input, label")) return;
  const button = target.closest(".expansion .card")?.querySelector(".card-open");
  if (button?.offsetParent) widenCard(button);
}

/** What a button does, by its id or by one of its data-*; undefined for one that is not ours. */
export function actionOf(id, data) {
  if (Object.hasOwn(BY_ID, id)) return BY_ID[id];
  return BY_DATA[Object.keys(BY_DATA).find((name) => name in data)];
}

export function watchChoices() {
  document.addEventListener("change", (event) => {
    const select = event.target.closest("select[data-select]");
    if (!select) return;
    const menu = select.closest("details");
    if (menu) menu.open = false;
    choose(select.dataset.select, select.value);
  });
}

/** Does what a list's choice says. The usual comparison does not stand in the address. */
export function choose(list, value) {
  if (list === "rank") change({ measure: value });
  else if (list === "order") change({ rank: value });
  else if (list === "compare") change({ compare: value === USUAL ? "" : value });
  else if (["custom", "other"].includes(value)) openCustomRange();
  else choosePeriod({ period: value });
}

/* On the phone a card is a row until it is opened. */
function widenCard(button) {
  const isWide = button.closest(".card").classList.toggle("is-wide");
  button.setAttribute("aria-expanded", String(isWide));
}

function exportFormat(button) {
  button.closest("details").open = false;
  exportAs(button.dataset.format);
}
