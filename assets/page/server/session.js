/* What Dash does not tell people: that they are signed out, or that the server can not be reached. */

import { all, first, make } from "../dom.js";
import { noteRead } from "../shell/network.js";
import { notice, shownNotice } from "./notices.js";

const UNREACHABLE = "The figures can not be reached. Try again in a moment.";
const SILENT = "The server does not answer. Try again in a moment.";
const AWAY = "You are offline. What you chose is shown once you are back.";

/** Fetches without being watched. */
export let send = null;

/** Puts itself between Dash and the network. */
export function watchAnswers() {
  send = window.fetch.bind(window);
  window.fetch = async (resource, options) => {
    const watched = isDrawing(String(resource?.url ?? resource));
    const isAway = !navigator.onLine;
    try {
      const answer = await send(resource, options);
      return watched ? checked(answer) : answer;
    } catch (error) {
      releaseMoreButtons();
      if (watched && navigator.onLine) notice(SILENT, { kind: "er", lasts: true });
      else if (watched && isAway) notice(AWAY, { lasts: true });
      throw error;
    }
  };
}

/** Whether a request asks for something to be drawn. */
export function isDrawing(url) {
  return url.includes("_dash-update-component");
}

function checked(answer) {
  if (answer.ok) {
    noteRead();
    if ([UNREACHABLE, SILENT, AWAY].includes(shownNotice())) notice("");
    return answer;
  }
  releaseMoreButtons();
  if (answer.status === 401) tellSignedOut();
  else notice(UNREACHABLE, { kind: "er", lasts: true });
  return new Response(null, { status: 204 }); /* nothing for Dash to draw */
}

function releaseMoreButtons() {
  for (const button of all("[data-more]")) button.removeAttribute("aria-busy");
}

/** Leads back to this view through the sign-in page. */
export function tellSignedOut() {
  if (first("#expired")) return;
  const back = encodeURIComponent(location.pathname + location.search);
  const dialog = make(
    "dialog",
    { id: "expired", className: "dialog", "aria-labelledby": "expired-title" },
    [
      make("h2", { id: "expired-title", textContent: "You have been signed out" }),
      make("p", { textContent: "Sign in again to come back to this view." }),
      make("a", {
        className: "btn p",
        href: `/login?next=${back}`,
        textContent: "Sign in",
      }),
    ],
  );
  document.body.append(dialog);
  dialog.showModal();
}
