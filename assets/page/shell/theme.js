/* The switch between light and dark. assets/theme.js sets the chosen one before anything is drawn. */

import { first } from "../dom.js";
import { browser, THEME } from "../storage.js";

export function watchTheme() {
  first("#theme")?.addEventListener("click", switchTheme);
  window.addEventListener("storage", follow);
}

/* Another tab of this browser has switched. */
function follow({ key, newValue }) {
  if (key === THEME && newValue) document.documentElement.dataset.theme = newValue;
}

function switchTheme() {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  browser.write(THEME, theme);
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}
