/* The box that finds a workspace. Dash draws its place anew with each answer: one field goes from place
   to place, and the typing goes on. */

import { first, make } from "../dom.js";
import { change, current, currentRules } from "../state/view.js";

const PAUSE_MS = 200;

let field = null;
let pause = null;
let isTyping = false;

/** Puts the field where Dash has drawn its place. */
export function placeFindBox() {
  const box = first("#find-box");
  if (!box || first("input", box)) return;
  field ??= makeField();
  if (!isTyping) field.value = current().find;
  box.append(field);
  if (isTyping && document.activeElement === document.body) field.focus();
}

function makeField() {
  const input = make("input", {
    type: "search",
    id: "find",
    className: "select",
    maxLength: currentRules().maxFind,
    autocomplete: "off",
  });
  input.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(() => {
      isTyping = document.activeElement === input;
      change({ find: input.value.trim() });
    }, PAUSE_MS);
  });
  return input;
}

/** The reader has turned to something else: the field shows what the view says again. */
export function leaveFindBox() {
  isTyping = false;
}

export function clearFind() {
  first("#find").value = "";
  change({ find: "" });
}
