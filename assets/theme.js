/* The chosen theme, before anything is drawn. */
(function () {
  "use strict";
  try {
    const theme = localStorage.getItem("vigilo.theme");
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  } catch (_) { /* private mode: the system's choice stands */ }
})();
