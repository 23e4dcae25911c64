/* What the view looks like in the controls: the period chosen, the tile that is open. */

import { all, first, make } from "../dom.js";
import { spanInWords } from "../state/period.js";
import { current, currentRules } from "../state/view.js";
import { closeCustomRange } from "./custom_range.js";
import { showSteps } from "./step.js";

export function showControls() {
  const view = current();
  const select = first("#period");
  if (select) {
    select.value = periodChoice(view, currentRules());
    nameCustomOption(select, view);
  }
  for (const list of all("select[data-select='compare']")) {
    list.value = view.compare || list.options[0].value;
  }
  closeCustomRange();
  showSteps();
  for (const tile of all(".tile")) showTile(tile, view.domain);
  for (const element of chosenByServer()) element.value = element.dataset.value;
}

/* The chosen days themselves, rather than that they were chosen. */
function nameCustomOption(select, view) {
  const option = first("option[value='custom']", select);
  option.textContent = view.start && view.end ? spanInWords(view) : "Custom range";
  const other = first("option[value='other']", select);
  if (!view.start) other?.remove();
  else if (!other) select.append(make("option", { value: "other", textContent: "Custom range" }));
}

/** The option of the period's list that stands for a view. */
export function periodChoice(view, rules) {
  if (view.start) return "custom";
  return rules.presets.includes(view.period) ? view.period : rules.defaultPreset;
}

/** Shows the server's choice where a list was drawn anew, and the controls where a tile was. */
export function showDrawnControls() {
  for (const element of chosenByServer()) {
    if (element.dataset.shown === element.dataset.value) continue;
    element.value = element.dataset.value;
    element.dataset.shown = element.dataset.value;
  }
  const { domain } = current();
  const isStale = (tile) => tile.classList.contains("is-open") !== isOpen(tile, domain);
  if (all(".tile").some(isStale)) showControls();
}

function chosenByServer() {
  const own = ["period", "compare"];
  return all("select[data-select]").filter((element) => !own.includes(element.dataset.select));
}

function showTile(tile, domain) {
  tile.classList.toggle("is-open", isOpen(tile, domain));
  first(".tile-button", tile)?.setAttribute("aria-expanded", String(isOpen(tile, domain)));
}

function isOpen(tile, domain) {
  return first(".tile-button", tile)?.dataset.open === domain;
}
