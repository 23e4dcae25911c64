import assert from "node:assert/strict";
import { test } from "node:test";
import { actionOf } from "../../assets/page/clicks.js";
import { toClose } from "../../assets/page/escape.js";
import { keyWanted } from "../../assets/page/keys.js";

const wanted = (key, more = {}) => keyWanted({ key, ...more }, false, false);

test("a digit asks for the tile of that number, whatever their number", () => {
  assert.deepEqual(wanted("1"), { tile: 1 });
  assert.deepEqual(wanted("7"), { tile: 7 });
  assert.deepEqual(wanted("9"), { tile: 9 });
  assert.equal(wanted("0"), null);
});

for (const key of ["/", "p", "e", "t", "c", "[", "]"]) {
  test(`${key} asks for an action`, () => assert.deepEqual(wanted(key), { action: key }));
}

for (const key of ["x", "P", "Enter", "F1", "12", "toString", "constructor"]) {
  test(`${key} asks for nothing`, () => assert.equal(wanted(key), null));
}

test("with a modifier a key is the browser's", () => {
  for (const modifier of ["ctrlKey", "metaKey", "altKey"]) {
    assert.equal(wanted("p", { [modifier]: true }), null);
  }
});

test("in a field, and when they are turned off, keys are letters", () => {
  assert.equal(keyWanted({ key: "p" }, true, false), null);
  assert.equal(keyWanted({ key: "1" }, false, true), null);
});

test("Escape closes the dates, then the explanation, then the domain", () => {
  assert.equal(toClose(true, true, "dora"), "dates");
  assert.equal(toClose(true, false, ""), "tip");
  assert.equal(toClose(false, false, "dora"), "domain");
  assert.equal(toClose(false, false, ""), null);
});

test("while a domain is open its tile explains nothing that could be closed", () => {
  assert.equal(toClose(true, false, "dora"), "domain");
});

test("a button is known by its id or its data, and no other button does anything", () => {
  assert.equal(typeof actionOf("export", {}), "function");
  assert.equal(typeof actionOf("", { open: "dora", measure: "mttr" }), "function");
  assert.equal(actionOf("", { bogus: "1" }), undefined);
  assert.equal(actionOf("toString", {}), undefined);
});
