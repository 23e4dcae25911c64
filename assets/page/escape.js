/* Escape closes the topmost thing only. Messages and menus are the shell's; then the explanation of a tile,
   then the open domain. */

import { first, isInDialog } from "./dom.js";
import { close } from "./open/opening.js";
import { current } from "./state/view.js";

export function closeLatest(event) {
  if (isInDialog(event)) return; /* the browser closes it */
  const tile = document.activeElement?.closest(".tile");
  const hasTip = Boolean(tile) && !tile.classList.contains("tip-off");
  const closing = toClose(hasTip, Boolean(first("#custom form")), current()?.domain);
  if (closing === "tip") tile.classList.add("tip-off");
  else if (closing === "dates") document.dispatchEvent(new CustomEvent("vigilo:close-dates"));
  else if (closing === "domain") close();
}

/** What Escape closes. The explanation of a tile hides by itself while a domain is open. */
export function toClose(hasTip, hasDates, domain) {
  if (hasDates) return "dates";
  if (hasTip && !domain) return "tip";
  return domain ? "domain" : null;
}

/** Lets a tile explain itself again when the focus has left it. */
export function watchTips() {
  document.addEventListener("focusout", (event) => {
    event.target.closest?.(".tile")?.classList.remove("tip-off");
  });
}
