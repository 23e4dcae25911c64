/* The address: what of the view stands in it, and the view that it asks for. */

import { PERIOD_KEYS, periodOf } from "./period.js";

/** The view that an address asks for. Its period wins over the remembered one, and that over the
    default; they are never mixed. `remembered` is called for a period only when there is none. */
export function readAddress(pathname, search, rules, remembered) {
  const query = new URLSearchParams(search);
  const asked = taken(query, PERIOD_KEYS);
  const hasPeriod = Object.keys(asked).length > 0;
  return {
    path: pathname,
    links: taken(query, rules.links, rules.maxLink),
    domain: query.get("domain") || "",
    measure: query.get("measure") || "",
    rank: query.get("rank") || "",
    mode: query.get("view") || "cards",
    why: query.get("why") || "",
    compare: query.get("compare") || "",
    find: "",
    pins: [],
    ...(hasPeriod ? asked : remembered() || { period: rules.defaultPreset }),
  };
}

/* In the order of the address, so that it is written back as it was. */
function taken(query, keys, longest = Number.POSITIVE_INFINITY) {
  const present = [...new Set(query.keys())].filter((key) => keys.includes(key));
  return Object.fromEntries(present.map((key) => [key, query.get(key).slice(0, longest)]));
}

/** The address of a view; with `span` its days are absolute, so that it shows the same tomorrow. */
export function writeAddress(pathname, view, span = null) {
  const query = new URLSearchParams({ ...view.links, ...(span ?? periodOf(view)) });
  if (view.compare) query.set("compare", view.compare);
  if (view.domain) {
    query.set("domain", view.domain);
    if (view.measure) query.set("measure", view.measure);
    if (view.rank && view.rank !== "value") query.set("rank", view.rank);
    if (view.mode === "table") query.set("view", "table");
  }
  if (view.why) query.set("why", view.why);
  return `${pathname}?${query}`;
}
