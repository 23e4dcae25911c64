/* Messages of the page's own, as toasts. */

import { takeAway, toast } from "../shell/toasts.js";

const NOTICE = "notice";

/** Shows a message, or takes it away with "". */
export function notice(text, more = {}) {
  if (text) toast(text, { key: NOTICE, ...more });
  else takeAway(NOTICE);
}

export function shownNotice() {
  const box = document.querySelector(`.toast[data-key="${NOTICE}"] .words`);
  return box?.textContent ?? "";
}
