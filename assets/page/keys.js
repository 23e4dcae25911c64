/* The dashboard's own keys; off in inputs, and when they are turned off. Those of every page are the shell's. */

import { all, first, isInDialog } from "./dom.js";
import { closeLatest } from "./escape.js";
import { keysAreOff } from "./shell/help.js";

const ACTIONS = {
  "/": focusFind,
  p: () => first("#period")?.focus(),
  v: () =>
    all("select[data-select='compare']")
      .find((list) => list.offsetParent)
      ?.focus(),
  e: () => first("#export")?.click(),
  t: () => first("[data-mode]")?.click(),
  c: () => first("[data-copy]")?.click(),
  "[": () => first("[data-step='-1']")?.click(),
  "]": () => first("[data-step='1']")?.click(),
};

export function watchKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented) return; /* the shell has closed something */
    if (event.key === "Escape") {
      closeLatest(event);
      return;
    }
    const isInField = isInDialog(event) || Boolean(event.target.closest("input, select, textarea"));
    const wanted = keyWanted(event, isInField, keysAreOff());
    if (wanted?.tile) all(".tile-button")[wanted.tile - 1]?.click();
    else if (wanted) ACTIONS[wanted.action](event);
  });
}

/** What a key asks for: a `tile`, counted from 1, or an `action`; null for nothing of ours. */
export function keyWanted(event, isInField, isOff) {
  if (event.ctrlKey || event.metaKey || event.altKey || isOff || isInField) return null;
  if (/^[1-9]$/.test(event.key)) return { tile: Number(event.key) };
  return Object.hasOwn(ACTIONS, event.key) ? { action: event.key } : null;
}

function focusFind(event) {
  const field = first("#find");
  if (!field) return;
  event.preventDefault(); /* the stroke itself does not belong into the field */
  field.focus();
}
