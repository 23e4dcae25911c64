/* What a row's menu asks before it is done: a correction, a merger, a withdrawal. */

import { first, make } from "../dom.js";
import { notice } from "../server/notices.js";
import { post } from "../server/requests.js";
import { tellSignedOut } from "../server/session.js";
import { address } from "./record_link.js";

const DONE = "Done; figures follow in a moment.";
const UNDONE = "The server does not answer. Try again in a moment.";

export function askCorrection(record, back) {
  const field = select(record.fields);
  const value = input({ maxLength: record.longest.value, autocomplete: "off" });
  ask(record, back, {
    title: `Correct ${record.key}`,
    about: "A correction outranks what senders and files say, then and later.",
    label: "Correct",
    controls: [
      labelled("Field", field),
      labelled("Value, as a file has it; empty takes back what is known", value),
    ],
    body: () => ({ correct: { [field.value]: value.value } }),
  });
}

export function askMerge(record, back) {
  const into = input({ maxLength: record.longest.key, required: true, autocomplete: "off" });
  ask(record, back, {
    title: `Merge ${record.key}`,
    about: "Two that are one count once, as the one that stays.",
    label: "Merge",
    controls: [labelled("Key of the other one that it is part of", into)],
    body: () => ({ merge_into: into.value.trim() }),
  });
}

export function askWithdrawal(record, back) {
  ask(record, back, {
    title: `Withdraw ${record.key}?`,
    about: "It leaves every figure and stays in the audit; its page takes it back in.",
    label: "Withdraw",
    controls: [],
    body: () => ({ withdraw: true }),
  });
}

function select(fields) {
  const options = fields.map(([name, title]) =>
    make("option", { value: name, textContent: title }),
  );
  return make("select", { className: "select" }, options);
}

function input(properties) {
  return make("input", { className: "inp", type: "text", ...properties });
}

function labelled(text, control) {
  const name = make("span", { className: "control-label", textContent: text });
  return make("label", { className: "control" }, [name, control]);
}

function ask(record, back, { title, about, label, controls, body }) {
  const wrong = make("p", { className: "field-error", role: "alert" });
  const cancel = make("button", { type: "button", className: "btn", textContent: "Cancel" });
  const does = make("button", { type: "submit", className: "btn p", textContent: label });
  const form = make("form", { className: "row-form", noValidate: true }, [
    make("h2", { id: "row-ask", textContent: title }),
    make("p", { className: "muted", textContent: about }),
    ...controls,
    wrong,
    make("div", { className: "row-acts" }, [does, cancel]),
  ]);
  const dialog = make("dialog", { className: "dialog row-ask", "aria-labelledby": "row-ask" }, [
    form,
  ]);
  cancel.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    back(record);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    does.disabled = true;
    const reason = await carryOut(record, body());
    does.disabled = false;
    wrong.textContent = reason;
    if (reason) first("input, select", form)?.focus();
    else dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
}

/* Does it; what is wrong where it is not done. */
async function carryOut(record, body) {
  let answer;
  try {
    answer = await post(`/api/v1${address(record.under, record.key)}`, body);
  } catch {
    return UNDONE;
  }
  if (answer.status === 401) {
    tellSignedOut();
    return "You have been signed out.";
  }
  if (!answer.ok) return reasonOf(await answer.json().catch(() => ({})));
  notice(DONE, { kind: "ok" });
  window.dash_ag_grid?.getApi?.("records")?.refreshInfiniteCache();
  return "";
}

/** A refusal of the server as a sentence. */
export function reasonOf(problem) {
  const said = problem.detail || problem.title || "the server refused";
  const sentence = said[0].toUpperCase() + said.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
