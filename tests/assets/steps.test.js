import assert from "node:assert/strict";
import { test } from "node:test";
import { openedFrom } from "../../assets/page/state/steps.js";

const NOTHING = { domain: "", why: "" };
const DORA = { domain: "dora", why: "" };
const WHY = { domain: "dora", why: "worst" };

test("an entry keeps where each thing that is open in it was opened, and how many steps ago", () => {
  const first = openedFrom(null, NOTHING, DORA, "/?period=28");
  assert.deepEqual(first, { domain: { address: "/?period=28", steps: 1 } });
  const second = openedFrom(first, DORA, WHY, "/?period=28&domain=dora");
  assert.equal(second.domain.steps, 2);
  assert.deepEqual(second.why, { address: "/?period=28&domain=dora", steps: 1 });
  assert.deepEqual(openedFrom(second, WHY, NOTHING, "/?why"), {});
});

test("what a link opened was opened by no step", () => {
  assert.deepEqual(openedFrom(null, DORA, DORA, "/?domain=dora"), {});
  assert.deepEqual(openedFrom(null, WHY, WHY, "/?why=worst"), {});
});
