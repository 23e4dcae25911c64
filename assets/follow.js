/* Keeps a list of work under way true: the page is asked for again until all of it has ended. */

const PAUSE_MS = 1500;

look();

async function look() {
  const shown = document.getElementById("jobs");
  if (!shown || !("follow" in shown.dataset)) return;
  try {
    const answer = await fetch(location.pathname, { credentials: "same-origin" });
    if (answer.redirected || answer.status === 401) {
      location.reload();
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const newer = page.getElementById("jobs");
    if (newer && words(newer) !== words(shown)) replace(shown, newer);
  } catch {
    /* away for a moment: asked again below */
  }
  setTimeout(look, PAUSE_MS);
}

function words(list) {
  return list.textContent.replace(/\s+/g, " ");
}

/* Whoever is on a button of a row stays on it. */
function replace(shown, newer) {
  const focused = shown.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  shown.replaceWith(document.adoptNode(newer));
  if (!focused) return;
  const focusable = [...newer.querySelectorAll("a, button, [tabindex]")];
  focusable.find((element) => nameOf(element) === focused)?.focus({ preventScroll: true });
}

function nameOf(element) {
  return element.getAttribute("aria-label") || element.textContent.trim();
}
