import assert from "node:assert/strict";
import { test } from "node:test";
import { stepped } from "../../assets/page/bar/step.js";
import { matching } from "../../assets/page/shell/switch.js";
import { carried } from "../../assets/page/state/carry.js";
import { isOtherPage } from "../../assets/page/state/view.js";

const WORKSPACES = [
  { name: "Łódź logistics", slug: "lodz" },
  { name: "Card payments", slug: "cards" },
  { name: "Payments", slug: "payments" },
];
const named = (typed) => matching(WORKSPACES, typed).map((each) => each.slug);

test("a workspace is found by any of its words, whatever the accents", () => {
  assert.deepEqual(named("lodz log"), ["lodz"]);
  assert.deepEqual(named("PAY"), ["payments", "cards"]);
  assert.deepEqual(named("nothing"), []);
  assert.equal(named("").length, 3);
});

test("a link goes on with the period that is shown, and keeps what else it says", () => {
  assert.equal(
    carried("/ws/a/slos?domain=slos&period=7", { start: "2026-11-01", end: "2026-11-09" }),
    "/ws/a/slos?domain=slos&start=2026-11-01&end=2026-11-09",
  );
  assert.equal(carried("/ws/a/slos", {}), "/ws/a/slos");
});

const PRESETS = ["7", "28"];
const WEEK = { start: "2026-11-08", end: "2026-11-14" };

test("a step back shows as many days before", () => {
  assert.deepEqual(stepped(WEEK, -1, "2026-11-22", PRESETS), {
    start: "2026-11-01",
    end: "2026-11-07",
  });
});

test("the step that reaches the last day goes on with the days", () => {
  assert.deepEqual(stepped(WEEK, 1, "2026-11-21", PRESETS), { period: "7" });
});

test("no step leads past the last day", () => {
  const twoWeeks = { start: "2026-11-02", end: "2026-11-15" };
  assert.deepEqual(stepped(twoWeeks, 1, "2026-11-22", PRESETS), {
    start: "2026-11-09",
    end: "2026-11-22",
  });
});

test("Back to another period is another page, Back to a closed domain is not", () => {
  const shown = { period: "28", links: {}, domain: "dora" };
  assert.equal(isOtherPage(shown, { ...shown, domain: "" }), false);
  assert.equal(isOtherPage(shown, { ...shown, period: "7" }), true);
  assert.equal(isOtherPage(shown, { ...shown, compare: "year" }), true);
});
