import assert from "node:assert/strict";
import { test } from "node:test";
import { readRules, todayAt } from "../../assets/page/state/rules.js";
import { NOW, RULES } from "./rules.js";

const DATA = {
  presets: "7 28",
  defaultPreset: "28",
  maxDays: "366",
  earliest: "2000-01-01",
  today: "2026-11-29",
  dayEnds: "2026-11-30T00:00:00+13:00",
  links: "status within",
  maxLink: "40",
  maxFind: "80",
  maxPins: "4",
};

test("the rules are read with their types", () => {
  const rules = readRules(DATA);
  assert.deepEqual(rules.presets, ["7", "28"]);
  assert.equal(rules.maxDays, 366);
  assert.equal(rules.dayEnds, Date.UTC(2026, 10, 29, 11));
  assert.deepEqual(rules.links, ["status", "within"]);
  assert.deepEqual(readRules({ ...DATA, links: "" }).links, []);
});

test("today is the server's, and goes on with a page that is left open", () => {
  assert.equal(todayAt(RULES, NOW), "2026-11-29");
  assert.equal(todayAt(RULES, RULES.dayEnds - 1), "2026-11-29");
  assert.equal(todayAt(RULES, RULES.dayEnds), "2026-11-30");
  assert.equal(todayAt(RULES, RULES.dayEnds + 2 * 86_400_000), "2026-12-02");
});

test("a frozen day stays", () => {
  assert.equal(todayAt(readRules({ ...DATA, dayEnds: undefined }), NOW * 2), "2026-11-29");
});
