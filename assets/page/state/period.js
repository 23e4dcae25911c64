/* Periods: whether a range can be, and the one that the browser remembers. */

import { todayAt } from "./rules.js";

const DAY = 86_400_000;

export const PERIOD_KEYS = ["period", "start", "end"];

/** The parameters of a period and of what it is compared with, those that are set. */
export function periodOf(view) {
  const keys = [...PERIOD_KEYS, "compare"];
  return Object.fromEntries(keys.filter((key) => view[key]).map((key) => [key, view[key]]));
}

export function isDay(text) {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text || "") || Number.isNaN(Date.parse(text))) return false;
  return new Date(text).toISOString().slice(0, 10) === text;
}

/** Which field of a range is wrong, and what to tell; null for one that can be shown. */
export function wrongRange(start, end, rules, now) {
  const { earliest } = rules;
  const today = todayAt(rules, now);
  if (!isDay(start)) return wrong("start", "Enter a start date.");
  if (!isDay(end)) return wrong("end", "Enter an end date.");
  if (start < earliest) return wrong("start", `Days begin with ${inWords(earliest)}.`);
  if (end < start) return wrong("end", "The end must not be before the start.");
  if ((Date.parse(end) - Date.parse(start)) / DAY + 1 > rules.maxDays) {
    return wrong("end", `A range has at most ${rules.maxDays} days.`);
  }
  if (start > today) return wrong("start", "The start must not lie in the future.");
  if (end > today) return wrong("end", "The end must not lie in the future.");
  return null;
}

/** Days of a span, both ends included. */
export function daysOf({ start, end }) {
  return Math.round((Date.parse(end) - Date.parse(start)) / DAY) + 1;
}

/** The day so many days after another. */
export function addDays(day, count) {
  return new Date(Date.parse(day) + count * DAY).toISOString().slice(0, 10);
}

function wrong(field, message) {
  return { field, message };
}

/** The period within a stored text; null for one that can not be used. */
export function parseStored(text, rules, now) {
  const stored = parse(text);
  if (stored === null || typeof stored !== "object") return null;
  const preset = String(stored.period);
  if (rules.presets.includes(preset)) return { period: preset };
  if (wrongRange(stored.start, stored.end, rules, now)) return null;
  return { start: stored.start, end: stored.end };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; /* the caller tells that it can not be used */
  }
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** Days of a period as the page writes them; a browser's own words say "Sept" where the page says "Sep". */
export function spanInWords({ start, end }) {
  const isOneYear = start.slice(0, 4) === end.slice(0, 4);
  return `${inWords(start).slice(0, isOneYear ? -5 : undefined)} – ${inWords(end)}`;
}

function inWords(day) {
  const [year, month, date] = day.split("-").map(Number);
  return `${date} ${MONTHS[month - 1]} ${year}`;
}
