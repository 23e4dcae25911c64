/* What the server decides and the page obeys: layouts/rules.py writes it as data-* of #rules. */

const DAY = 86_400_000;

/** The rules as the server wrote them into `data`, a DOMStringMap. */
export function readRules(data) {
  return {
    presets: data.presets.split(" "),
    defaultPreset: data.defaultPreset,
    maxDays: Number(data.maxDays),
    earliest: data.earliest,
    today: data.today,
    dayEnds: data.dayEnds ? Date.parse(data.dayEnds) : null,
    links: data.links ? data.links.split(" ") : [],
    maxLink: Number(data.maxLink),
    maxFind: Number(data.maxFind),
    maxPins: Number(data.maxPins),
  };
}

/** The day that it is where the figures are reported: the server's, and the ones after it when the
    page has been left open past that day's end. A frozen clock's day has no end. */
export function todayAt(rules, now) {
  if (rules.dayEnds === null || now < rules.dayEnds) return rules.today;
  const later = 1 + Math.floor((now - rules.dayEnds) / DAY);
  return new Date(Date.parse(rules.today) + later * DAY).toISOString().slice(0, 10);
}
