/* Keeps a list of work under way true: the page is asked for again until all of it has ended. */
(function () {
  "use strict";
  const EACH = 1500;

  async function look() {
    const shown = document.getElementById("jobs");
    if (!shown || !("follow" in shown.dataset)) return;
    try {
      const answer = await fetch(location.pathname, { credentials: "same-origin" });
      if (answer.redirected || answer.status === 401) return location.reload();
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.getElementById("jobs");
      if (now && words(now) !== words(shown)) put(shown, now);
    } catch (_) { /* away for a moment */ }
    setTimeout(look, EACH);
  }

  function words(list) { return list.textContent.replace(/\s+/g, " "); }

  /* Whoever is on a button of a row stays on it. */
  function put(shown, now) {
    const on = shown.contains(document.activeElement) ? name(document.activeElement) : null;
    shown.replaceWith(document.adoptNode(now));
    const again = on && [...now.querySelectorAll("a, button, [tabindex]")].find((e) => name(e) === on);
    if (again) again.focus({ preventScroll: true });
  }

  function name(element) { return element.getAttribute("aria-label") || element.textContent.trim(); }

  document.addEventListener("DOMContentLoaded", look);
})();
