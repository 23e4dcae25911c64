/* A link to what is seen: its days are absolute, so that it shows the same to whoever opens it later. */

import { first } from "../dom.js";
import { notice } from "../server/notices.js";
import { writeAddress } from "../state/address.js";
import { current } from "../state/view.js";

export async function copyLink() {
  const heading = first("#page .heading");
  const span = heading && { start: heading.dataset.start, end: heading.dataset.end };
  const link = location.origin + writeAddress(location.pathname, current(), span);
  try {
    await navigator.clipboard.writeText(link);
  } catch {
    notice(`Copy this link: ${link}`, {
      lasts: true,
    }); /* no clipboard, or closed to us: to be copied by hand */
    return;
  }
  notice("Link copied, with its days fixed.", { kind: "ok" });
}
