import assert from "node:assert/strict";
import { test } from "node:test";
import { failureSentence, stepAfter, waitAfterSilence } from "../../assets/page/bar/export_job.js";
import { cookie } from "../../assets/page/server/requests.js";
import { isDrawing } from "../../assets/page/server/session.js";

const RUNNING = { state: "running", progress: 3, steps: 9, mails_after_seconds: 10 };
const step = (status, body, elapsedMs = 0, isToldSlow = false) =>
  stepAfter(status, body, elapsedMs, isToldSlow);

test("a job that runs is asked for again, with how far it is", () => {
  assert.deepEqual(step(200, RUNNING), {
    action: "wait",
    label: "Exporting 3 of 9",
    share: 1 / 3,
    isSlow: false,
  });
  assert.equal(step(200, { ...RUNNING, steps: 0 }).label, null);
});

test("that it takes longer is told once, when the server will mail it", () => {
  assert.equal(step(200, RUNNING, 10_000).isSlow, false);
  assert.equal(step(200, RUNNING, 10_001).isSlow, true);
  assert.equal(step(200, RUNNING, 60_000, true).isSlow, false);
});

test("each end of a job is told apart", () => {
  assert.equal(step(200, { state: "ready" }).action, "download");
  assert.deepEqual(step(200, { state: "failed", error: "no disk" }), {
    action: "fail",
    reason: "no disk",
  });
  assert.equal(step(200, { state: "failed" }).reason, "it failed");
  assert.equal(step(200, { state: "cancelled" }).action, "cancelled");
  assert.equal(step(200, { state: "expired" }).action, "cancelled");
});

test("a signed-out person, a job that is gone and a server in trouble are told apart", () => {
  assert.equal(step(401, {}).action, "signed-out");
  assert.equal(step(404, {}).action, "forget");
  assert.equal(step(503, {}).action, "silent");
});

test("a silent server is asked ever less often, and given up after a hundred times", () => {
  assert.deepEqual([1, 2, 10, 100].map(waitAfterSilence), [300, 600, 3000, 3000]);
  assert.equal(waitAfterSilence(101), null);
});

test("a failure is one sentence, whether the reason ends in a full stop or not", () => {
  const sentence = "The PDF could not be made: no disk. Nothing was sent.";
  assert.equal(failureSentence("PDF", "no disk."), sentence);
  assert.equal(failureSentence("PDF", "no disk"), sentence);
});

test("a cookie is found by its whole name and decoded", () => {
  assert.equal(cookie("token", "my_token=x; token=a%3Db; other=y"), "a=b");
  assert.equal(cookie("token", "my_token=x"), "");
  assert.equal(cookie("token", ""), "");
});

test("only Dash's requests for drawings are watched", () => {
  assert.ok(isDrawing("http://localhost/_dash-update-component"));
  assert.ok(!isDrawing("http://localhost/_dash-layout"));
  assert.ok(!isDrawing("/exports"));
});
