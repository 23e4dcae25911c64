/* What an answer about an export means, and how long to wait for the next one. */

const STEP_MS = 300;
const LONGEST_MS = 3000;
const MOST_SILENCES = 100;

/** Milliseconds between two questions while the server answers. */
export const NEXT_MS = STEP_MS;

/** What to do after the server has said how far a job is: its `action`, with what that needs. */
export function stepAfter(status, body, elapsedMs, isToldSlow) {
  if (status === 401) return { action: "signed-out" };
  if (status === 404) return { action: "forget" };
  if (status < 200 || status > 299) return { action: "silent" };
  if (body.state === "ready") return { action: "download" };
  if (body.state === "failed") return { action: "fail", reason: body.error || "it failed" };
  if (body.state === "cancelled" || body.state === "expired") return { action: "cancelled" };
  const isSlow = !isToldSlow && elapsedMs > 1000 * body.mails_after_seconds;
  return { action: "wait", label: progressLabel(body), share: shareDone(body), isSlow };
}

function progressLabel(body) {
  return body.steps ? `Exporting ${body.progress} of ${body.steps}` : null;
}

function shareDone(body) {
  return body.steps ? body.progress / body.steps : 0;
}

/** How long to wait after so many questions in a row without an answer; null to give up. */
export function waitAfterSilence(silences) {
  return silences > MOST_SILENCES ? null : Math.min(LONGEST_MS, STEP_MS * silences);
}

/** The sentence for an export that could not be made. */
export function failureSentence(name, reason) {
  return `The ${name} could not be made: ${reason.replace(/\.$/, "")}. Nothing was sent.`;
}
