/* An export: one click, a state that is seen, the browser's own download. A server that restarts finds
   the job again, and so does a page that is loaded again. */

import { announce, first, make } from "../dom.js";
import { notice } from "../server/notices.js";
import { get, post } from "../server/requests.js";
import { tellSignedOut } from "../server/session.js";
import { takeAway, toast } from "../shell/toasts.js";
import { periodOf } from "../state/period.js";
import { current } from "../state/view.js";
import * as storage from "../storage.js";
import { failureSentence, NEXT_MS, stepAfter, waitAfterSilence } from "./export_job.js";

const SLOW =
  "This one takes longer: we will e-mail you the link. You may close the page; " +
  "Exports has it too.";

const PROGRESS = "export";

let running = null;

let waiting = null;

/** Starts an export unless one is under way. */
export function exportAs(format) {
  if (!running) request(format);
}

/** Starts the board pack, or cancels what is under way. */
export function startOrCancel() {
  if (!running) {
    request("pdf");
    return;
  }
  if (running.id) cancelJob(running.id);
  end("Export cancelled");
}

/** Follows the export that this tab had started before it was loaded again. */
export function resumeExport() {
  const id = storage.tab.read(storage.EXPORT);
  if (id && !running && first("#export")) follow(begin(id, null));
}

async function request(format) {
  if (!navigator.onLine) {
    waitForNetwork(format);
    return;
  }
  const job = begin(null, format);
  try {
    const wanted = { format, ...periodOf(current()) };
    const answer = await post("/exports", wanted, { Prefer: "respond-async" });
    accept(job, answer, await answer.json());
  } catch (error) {
    if (job === running) fail(error.message);
  }
}

/* What is asked for while the network is away is made once it is back. */
function waitForNetwork(format) {
  if (!waiting) window.addEventListener("online", () => request(taken()), { once: true });
  waiting = format;
  notice(`You are offline. The ${format.toUpperCase()} is made once you are back.`);
}

function taken() {
  const format = waiting;
  waiting = null;
  return format;
}

function accept(job, answer, body) {
  if (answer.status === 401) {
    end("");
    tellSignedOut();
    return;
  }
  if (!answer.ok) throw new Error(body.detail || body.title || "the server refused");
  if (job !== running) {
    cancelJob(body.id); /* cancelled while it was being asked for */
    return;
  }
  job.id = body.id;
  storage.tab.write(storage.EXPORT, body.id);
  follow(job);
}

function cancelJob(id) {
  post(`/exports/${id}/cancel`, {});
}

async function follow(job) {
  if (job !== running) return;
  try {
    const answer = await get(`/exports/${job.id}/state`);
    const body = await answer.json();
    if (job === running) take(job, answer.status, body);
  } catch {
    if (job === running) waitForServer(job);
  }
}

function take(job, status, body) {
  const step = stepAfter(status, body, Date.now() - job.since, job.isToldSlow);
  if (step.action === "wait") wait(job, step);
  else if (step.action === "silent") waitForServer(job);
  else if (step.action === "fail") fail(step.reason);
  else if (step.action === "cancelled") end("Export cancelled");
  else if (step.action === "download") download(body);
  else {
    end("");
    if (step.action === "signed-out") tellSignedOut();
  }
}

function wait(job, step) {
  job.silences = 0;
  if (step.label) showProgress(step.label, step.share);
  if (step.isSlow) {
    job.isToldSlow = true;
    notice(SLOW, { lasts: true });
  }
  setTimeout(() => follow(job), NEXT_MS);
}

function showProgress(sentence, share) {
  const shown = first(`.toast[data-key="${PROGRESS}"]`);
  const box = shown ?? toast(sentence, { key: PROGRESS, lasts: true });
  first(".words", box).replaceChildren(
    make("b", { textContent: sentence }),
    progressBar(share),
    make("span", { className: "m", textContent: "You can leave; it will be in Exports." }),
  );
}

function progressBar(share) {
  const bar = make("span", { className: "bar toast-bar" }, [make("i")]);
  bar.firstChild.style.width = `${Math.round(100 * share)}%`;
  return bar;
}

function waitForServer(job) {
  job.silences += 1;
  const milliseconds = waitAfterSilence(job.silences);
  if (milliseconds === null) fail("the server does not answer");
  else setTimeout(() => follow(job), milliseconds);
}

/* Of an export that a page before this one asked for, the format is not known. */
function begin(id, format) {
  const name = format?.toUpperCase() ?? "file";
  running = { id, format, name, since: Date.now(), isToldSlow: false, silences: 0 };
  first("#export").setAttribute("aria-busy", "true");
  first("#progress").classList.add("is-running");
  const button = first("#export");
  button.style.minWidth = `${button.offsetWidth}px`; /* nothing beside it moves */
  button.textContent = "Cancel";
  showProgress(`Exporting the ${name}`, 0);
  return running;
}

function end(sentence) {
  running = null;
  storage.tab.remove(storage.EXPORT);
  first("#export").textContent = "Export PDF";
  takeAway(PROGRESS);
  first("#export").removeAttribute("aria-busy");
  first("#progress").classList.remove("is-running");
  if (sentence) announce(sentence);
}

function fail(reason) {
  const { name, format } = running;
  end("");
  const again = format && { label: "Try again", run: () => exportAs(format) };
  notice(failureSentence(name, reason), { kind: "er", lasts: true, action: again });
}

function download(body) {
  const sentence = `The ${body.format.toUpperCase()} is ready: ${body.filename}`;
  end(sentence);
  const link = make("a", { href: body.href, download: body.filename });
  document.body.append(link);
  link.click();
  link.remove();
  notice(sentence, { kind: "ok" });
}
