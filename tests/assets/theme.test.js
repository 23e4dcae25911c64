// Before anything is drawn theme.js reads what the page's modules write: it can not import their names.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { EXPORT, KEYS, PERIOD, THEME } from "../../assets/page/storage.js";

const SOURCE = readFileSync(new URL("../../assets/theme.js", import.meta.url), "utf8");

test("the document's first script reads the keys that the page's modules write", () => {
  const read = [...SOURCE.matchAll(/getItem\("([^"]+)"\)/g)].map(([, key]) => key);
  assert.deepEqual(new Set(read), new Set([THEME, PERIOD]));
});

test("no two values are remembered under one key", () => {
  assert.equal(new Set([PERIOD, THEME, KEYS, EXPORT]).size, 4);
});
