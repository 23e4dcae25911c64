import assert from "node:assert/strict";
import { test } from "node:test";
import {
  isDay,
  parseStored,
  periodOf,
  spanInWords,
  wrongRange,
} from "../../assets/page/state/period.js";
import { NOW, RULES } from "./rules.js";

const wrongField = (start, end) => wrongRange(start, end, RULES, NOW)?.field ?? null;

for (const text of ["2026-02-28", "2024-02-29", "2000-01-01"]) {
  test(`${text} is a day`, () => assert.ok(isDay(text)));
}
for (const text of ["2026-02-29", "2026-13-01", "2026-1-1", "26-01-01", "", null, undefined, 7]) {
  test(`${text} is no day`, () => assert.ok(!isDay(text)));
}

test("a range may end today and last as long as the server allows", () => {
  assert.equal(wrongField("2026-11-29", "2026-11-29"), null);
  assert.equal(wrongField("2025-11-29", "2026-11-29"), null); /* 366 days */
  assert.equal(wrongField("2025-11-28", "2026-11-29"), "end");
});

test("the field that is wrong is named, the first one first", () => {
  assert.equal(wrongField("", ""), "start");
  assert.equal(wrongField("2026-11-01", ""), "end");
  assert.equal(wrongField("2026-11-02", "2026-11-01"), "end");
  assert.equal(wrongField("2026-11-30", "2026-11-30"), "start");
  assert.equal(wrongField("2026-11-29", "2026-11-30"), "end");
});

test("each mistake has a sentence of its own", () => {
  const message = (start, end) => wrongRange(start, end, RULES, NOW).message;
  assert.match(message("2026-03-31", "2026-01-01"), /not be before the start/);
  assert.match(message("2024-01-01", "2026-01-01"), /at most 366 days/);
  assert.match(message("2026-11-29", "2026-12-01"), /end must not lie in the future/);
});

test("a stored preset or range is read", () => {
  assert.deepEqual(parseStored('{"period":"90"}', RULES, NOW), { period: "90" });
  assert.deepEqual(parseStored('{"period":90}', RULES, NOW), { period: "90" });
  const range = { start: "2026-01-01", end: "2026-03-31" };
  assert.deepEqual(parseStored(JSON.stringify({ ...range, more: 1 }), RULES, NOW), range);
});

const UNUSABLE = [
  "{broken",
  '{"period": 12}',
  '{"start": "2026-13-01", "end": "2026-01-01"}',
  '{"start": "2026-01-01"}',
  '{"start": "2026-11-29", "end": "2026-11-30"}',
  "null",
  "[]",
  '"x"',
  "7",
  "",
];
for (const text of UNUSABLE) {
  test(`the stored ${text || "nothing"} can not be used`, () => {
    assert.equal(parseStored(text, RULES, NOW), null);
  });
}

test("of a view the period alone is taken, what is set of it", () => {
  const view = { period: "", start: "2026-01-01", end: "2026-01-02", domain: "dora" };
  assert.deepEqual(periodOf(view), { start: "2026-01-01", end: "2026-01-02" });
});

test("days are written as the page writes them, whatever the browser calls September", () => {
  const words = (start, end) => spanInWords({ start, end });
  assert.equal(words("2026-09-16", "2026-11-22"), "16 Sep – 22 Nov 2026");
  assert.equal(words("2025-12-31", "2026-01-01"), "31 Dec 2025 – 1 Jan 2026");
  assert.equal(words("2026-11-22", "2026-11-22"), "22 Nov – 22 Nov 2026");
});
