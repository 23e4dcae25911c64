/* The navigation as a sheet on the phone, and menus that close when one clicks elsewhere. */

import { all, first } from "../dom.js";

const OPEN = "menu-is-open";
export const MENUS = "details[open].menu, details[open].scope, details[open].switch";

export function watchMenu() {
  first("#menu-open")?.addEventListener("click", () => toggleMenu(true));
  first("#menu-close")?.addEventListener("click", () => toggleMenu(false));
  first("#side-scrim")?.addEventListener("click", () => toggleMenu(false));
  document.addEventListener("click", (event) => closeOtherMenus(event.target));
}

export function toggleMenu(isOpen) {
  document.documentElement.classList.toggle(OPEN, isOpen);
  first("#side-scrim").hidden = !isOpen;
  first("#menu-open").setAttribute("aria-expanded", String(isOpen));
  first(isOpen ? "#menu-close" : "#menu-open").focus();
}

export function isMenuOpen() {
  return document.documentElement.classList.contains(OPEN);
}

/** Closes the menus that a click was not in. */
export function closeOtherMenus(target) {
  for (const menu of all(MENUS)) if (!menu.contains(target)) menu.open = false;
}

/** Closes the menu that is open and gives the focus back; false when none is. */
export function closeLatestMenu() {
  const menu = all(MENUS).pop();
  if (menu) {
    menu.open = false;
    first("summary", menu).focus();
    return true;
  }
  if (!isMenuOpen()) return false;
  toggleMenu(false);
  return true;
}
