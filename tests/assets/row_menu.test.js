import assert from "node:assert/strict";
import { test } from "node:test";
import { reasonOf } from "../../assets/page/open/row_actions.js";
import { stepTo } from "../../assets/page/open/row_menu.js";

test("the arrows go round the items of a menu, Home and End to its ends", () => {
  assert.deepEqual(
    [stepTo(1, 0, 4), stepTo(1, 3, 4), stepTo(-1, 0, 4), stepTo(1, -1, 4)],
    [1, 0, 3, 0],
  );
  assert.deepEqual([stepTo("first", 2, 4), stepTo("last", 2, 4)], [0, 3]);
});

test("a refusal is a sentence, whatever the server said", () => {
  assert.equal(reasonOf({ detail: "merged_into can not be b" }), "Merged_into can not be b.");
  assert.equal(reasonOf({ title: "Not found" }), "Not found.");
  assert.equal(reasonOf({}), "The server refused.");
});
