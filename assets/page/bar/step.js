/* One period back or on: as many days as are shown, ending the day before them or beginning the day after. */

import { all, first } from "../dom.js";
import { addDays, daysOf } from "../state/period.js";
import { todayAt } from "../state/rules.js";
import { change, current, currentRules } from "../state/view.js";

export function stepPeriod(button) {
  const shown = shownSpan();
  if (!shown) return;
  change(stepped(shown, Number(button.dataset.step), yesterday(), currentRules().presets));
}

/** The period so many steps from a span. The one that ends on the last day is named by its length, so that
    it goes on with the days. */
export function stepped(span, by, last, presets) {
  const days = daysOf(span);
  const end = addDays(span.end, by * days);
  if (end >= last && presets.includes(String(days))) return { period: String(days) };
  if (end > last) return endingAt(last, days);
  return endingAt(end, days);
}

function endingAt(end, days) {
  return { start: addDays(end, 1 - days), end };
}

/** Allows the step on only where there is something. */
export function showSteps() {
  const shown = shownSpan();
  const isNewest = !shown || shown.end >= yesterday() || !current()?.start;
  const next = first("[data-step='1']");
  if (!next) return;
  next.disabled = isNewest;
  next.title = isNewest ? "This is the latest period" : "Next period  (])";
  for (const button of all("[data-step='-1']")) button.disabled = !shown;
}

function shownSpan() {
  const heading = first("#page .heading");
  return heading ? { start: heading.dataset.start, end: heading.dataset.end } : null;
}

function yesterday() {
  return addDays(todayAt(currentRules(), Date.now()), -1);
}
