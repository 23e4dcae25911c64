/* Links of the shell that lead on with the period that is shown: a[data-carry]. */

import { all } from "../dom.js";
import { PERIOD_KEYS, periodOf } from "./period.js";
import { current } from "./view.js";

export function carryPeriod() {
  const period = periodOf(current());
  for (const link of all("a[data-carry]")) link.href = carried(link.getAttribute("href"), period);
}

/** An address with the period in it, in place of the one it had. */
export function carried(href, period) {
  const [path, search = ""] = href.split("?");
  const query = new URLSearchParams(search);
  for (const key of [...PERIOD_KEYS, "compare"]) query.delete(key);
  for (const [key, value] of Object.entries(period)) query.set(key, value);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}
