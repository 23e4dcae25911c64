import assert from "node:assert/strict";
import { test } from "node:test";
import { address } from "../../assets/page/open/record_link.js";

test("a key is written into the address of its record, slashes as they are", () => {
  const under = "/ws/payments/records/incidents/";
  assert.equal(address(under, "INC-1"), `${under}INC-1`);
  assert.equal(address(under, "a/b c?#%ü"), `${under}a/b%20c%3F%23%25%C3%BC`);
});
