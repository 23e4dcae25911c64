import assert from "node:assert/strict";
import { test } from "node:test";
import { readAddress, writeAddress } from "../../assets/page/state/address.js";
import { changed, storeOf } from "../../assets/page/state/view.js";
import { RULES } from "./rules.js";

const nothing = () => null;
const read = (search, remembered = nothing) =>
  readAddress("/ws/payments/executive", search, RULES, remembered);

test("an empty address shows the default period and nothing open", () => {
  assert.deepEqual(read(""), {
    path: "/ws/payments/executive",
    links: {},
    domain: "",
    measure: "",
    rank: "",
    mode: "cards",
    why: "",
    compare: "",
    find: "",
    pins: [],
    period: "28",
  });
});

test("the period of the address wins over the remembered one, and is not mixed with it", () => {
  const remembered = () => ({ start: "2026-01-01", end: "2026-01-31" });
  assert.equal(read("?period=7", remembered).period, "7");
  assert.equal(read("?period=7", remembered).start, undefined);
  assert.equal(read("", remembered).start, "2026-01-01");
  assert.equal(read("", remembered).period, undefined);
});

test("the remembered period is not looked at when the address has one", () => {
  read("?start=2026-01-01", () => assert.fail("it would have told of what is broken"));
});

test("a wrong period is left to the server, which says what is wrong with it", () => {
  assert.equal(read("?period=13").period, "13");
});

test("known parameters of a link are taken, and cut at their longest", () => {
  const { links } = read("?within=7&status=expiring&evil=1");
  assert.deepEqual(links, { within: "7", status: "expir" });
});

for (const search of [
  "?period=90",
  "?period=90&domain=slos&measure=fastest_burn",
  "?start=2026-01-01&end=2026-03-31&domain=dora&view=table",
  "?within=7&status=ok&period=28",
  "?status=ok&within=7&period=28",
  "?period=28&compare=year&domain=slos",
]) {
  test(`${search} is read and written back as it was`, () => {
    assert.equal(writeAddress("/x", read(search)), `/x${search}`);
  });
}

test("a measure or a picture without a domain does not stay in the address", () => {
  assert.equal(writeAddress("/x", read("?measure=mttr&view=table")), "/x?period=28");
});

test("a copied link has the days, not what rolls on", () => {
  const span = { start: "2026-11-01", end: "2026-11-28" };
  const view = read("?period=28&domain=dora");
  assert.equal(writeAddress("/x", view, span), "/x?start=2026-11-01&end=2026-11-28&domain=dora");
});

test("what is compared stays where the period changes, in a copied link too", () => {
  const view = changed(read("?period=28&compare=none"), { period: "7" });
  assert.equal(writeAddress("/x", view), "/x?period=7&compare=none");
  const span = { start: "2026-11-01", end: "2026-11-28" };
  assert.equal(writeAddress("/x", view, span), "/x?start=2026-11-01&end=2026-11-28&compare=none");
  assert.equal(writeAddress("/x", changed(view, { compare: "" })), "/x?period=7");
});

test("what is typed comes back whole", () => {
  const view = { ...read(""), domain: "a&b=c", measure: "ü %" };
  const { domain, measure } = read(writeAddress("", view));
  assert.deepEqual([domain, measure], ["a&b=c", "ü %"]);
});

test("a new period replaces the old one whole", () => {
  const custom = changed(read("?period=7"), { start: "2026-01-01", end: "2026-01-02" });
  assert.equal("period" in custom, false);
  const preset = changed(custom, { period: "90" });
  assert.deepEqual(["start" in preset, "end" in preset, preset.period], [false, false, "90"]);
});

test("anything else leaves the period, and the view before as it was", () => {
  const before = read("?period=7");
  assert.equal(changed(before, { domain: "dora" }).period, "7");
  assert.equal(before.domain, "");
});

test("the whole page is drawn for a period or a link, the open domain alone for the rest", () => {
  assert.equal(storeOf({ period: "7" }), "view");
  assert.equal(storeOf({ links: {} }), "view");
  assert.equal(storeOf({ compare: "year" }), "view");
  assert.equal(storeOf({ domain: "dora", find: "" }), "focus");
});
