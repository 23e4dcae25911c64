import assert from "node:assert/strict";
import { test } from "node:test";
import { fittedWidths } from "../../assets/page/open/grid_columns.js";

const sum = (widths) => widths.reduce((taken, width) => taken + width, 0);

test("the columns that have room take all of it, in whole pixels", () => {
  const fitted = fittedWidths([134, 260, 134, 116, 175, 120, 175], 916);
  assert.equal(sum(fitted.slice(0, 5)), 916);
  assert.deepEqual(fitted.slice(5), [120, 175]);
  assert.ok(fitted[1] > 260);
});

test("all columns fill a window that is wider than they are", () => {
  assert.equal(sum(fittedWidths([300, 300, 333], 1000)), 1000);
});

test("columns stay where they would be too wide, where one alone has room, or none", () => {
  for (const [widths, room] of [
    [[100, 100], 1000],
    [[260, 220], 330],
    [[260, 220], 100],
    [[], 100],
  ])
    assert.deepEqual(fittedWidths(widths, room), widths);
});
