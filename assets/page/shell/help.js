/* The dialog of the keys, and whether they are on. */

import { all, first } from "../dom.js";
import { browser, KEYS } from "../storage.js";

export function watchHelp() {
  const dialog = first("#help");
  if (!dialog) return;
  for (const button of all("[data-help]")) button.addEventListener("click", openHelp);
  first("[data-help-close]", dialog).addEventListener("click", () => dialog.close());
  first("#keys-off").addEventListener("click", (event) => toggleKeys(event.currentTarget));
  sayWhatIsNext(first("#keys-off"));
}

export function openHelp() {
  first("#help")?.showModal();
}

export function keysAreOff() {
  return browser.read(KEYS) === "off";
}

/** Turns the keys off, or on again; `button` says what it would do next. */
function toggleKeys(button) {
  browser.write(KEYS, keysAreOff() ? "on" : "off");
  sayWhatIsNext(button);
}

function sayWhatIsNext(button) {
  button.textContent = keysAreOff() ? "Turn the keys on" : "Turn the keys off";
}
