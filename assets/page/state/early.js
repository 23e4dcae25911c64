/* What was chosen in the lists of the first answer, before the page stood. */

import { all, first } from "../dom.js";

/** Choices that differ from what the server wrote: list ("period", "compare") to what was chosen. */
export function earlyChoices(lists) {
  const changed = lists.filter((list) => {
    const written = list.options.find((option) => option.defaultSelected) ?? list.options[0];
    return list.value !== written.value;
  });
  return Object.fromEntries(changed.map((list) => [list.early, list.value]));
}

/** Takes the first answer's lists away for those that stand now; who was at one is at the same one still. */
export function takeFirstPaint() {
  const place = first("#first-paint");
  if (!place) return {};
  const choices = earlyChoices(all("select[data-early]", place).map(asWritten));
  const { early } = place.contains(document.activeElement) ? document.activeElement.dataset : {};
  place.remove();
  if (early)
    all(`select[data-select="${early}"]`)
      .find((list) => list.offsetParent)
      ?.focus();
  return choices;
}

function asWritten({ dataset, value, options }) {
  return { early: dataset.early, value, options: [...options] };
}
