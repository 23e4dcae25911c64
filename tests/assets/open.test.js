import assert from "node:assert/strict";
import { test } from "node:test";
import { periodChoice } from "../../assets/page/bar/controls.js";
import { toggled, tooMany } from "../../assets/page/open/comparison.js";
import { isBehind } from "../../assets/page/open/markup.js";
import { fitOf } from "../../assets/page/open/more_cards.js";
import { RULES } from "./rules.js";

test("a pin is set behind the others, and taken away by the second press", () => {
  assert.deepEqual(toggled(["a"], "b"), ["a", "b"]);
  assert.deepEqual(toggled(["a", "b"], "a"), ["b"]);
});

test("too many pins are told in words", () => {
  assert.equal(tooMany(4), "At most four workspaces can be compared at once.");
  assert.equal(tooMany(12), "At most 12 workspaces can be compared at once.");
});

test("cards that arrive are put only behind those that they follow", () => {
  const button = { order: "v1/dora/mttr", more: "24" };
  assert.equal(fitOf({ order: "v1/dora/mttr", start: "24" }, button), "next");
  assert.equal(fitOf({ order: "v1/dora/mttr", start: "0" }, button), "again");
  assert.equal(fitOf({ order: "v2/dora/mttr", start: "24" }, button), "newer");
});

test("a page that came late is behind when it has another domain or measure open", () => {
  const view = { domain: "slos", measure: "fastest_burn" };
  assert.ok(isBehind({ domain: "", measure: undefined }, view));
  assert.ok(isBehind({ domain: "dora", measure: "mttr" }, view));
  assert.ok(isBehind({ domain: "slos", measure: "budget" }, view));
  assert.ok(!isBehind({ domain: "slos", measure: "fastest_burn" }, view));
  assert.ok(!isBehind({ domain: "slos", measure: "budget" }, { domain: "slos", measure: "" }));
  assert.ok(!isBehind({ domain: "", measure: undefined }, { domain: "", measure: "" }));
});

test("the list of periods shows the custom range, a preset, or the default for a wrong one", () => {
  assert.equal(periodChoice({ start: "2026-01-01" }, RULES), "custom");
  assert.equal(periodChoice({ period: "90" }, RULES), "90");
  assert.equal(periodChoice({ period: "13" }, RULES), "28");
});
