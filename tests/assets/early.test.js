import assert from "node:assert/strict";
import { test } from "node:test";
import { earlyChoices } from "../../assets/page/state/early.js";

const PERIODS = [{ value: "7" }, { value: "28", defaultSelected: true }, { value: "90" }];
const COMPARISONS = [{ value: "previous" }, { value: "year" }];

test("what somebody chose before the page stood is taken over, and nothing else", () => {
  const period = { early: "period", value: "90", options: PERIODS };
  const compare = { early: "compare", value: "previous", options: COMPARISONS };
  assert.deepEqual(earlyChoices([period, compare]), { period: "90" });
  assert.deepEqual(earlyChoices([{ ...period, value: "28" }, compare]), {});
  assert.deepEqual(earlyChoices([{ ...compare, value: "year" }]), { compare: "year" });
});
