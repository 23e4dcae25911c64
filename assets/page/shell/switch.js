/* The switcher: every workspace of the reader, found by its name. The page lists the first ones; the others
   are fetched once somebody looks for them. */

import { all, first, make } from "../dom.js";
import { isMenuOpen, toggleMenu } from "./menu.js";

const MOST = 50;

let known = null;
let asked = null;

export function watchSwitch() {
  const box = first("#switch");
  if (!box) return;
  box.addEventListener("toggle", () => {
    if (box.open) first("#switch-find").focus();
  });
  first("#switch-find").addEventListener("input", look);
  box.addEventListener("keydown", walk);
  for (const button of all("[data-find]")) {
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      openSwitch();
    });
  }
}

export function openSwitch() {
  const box = first("#switch");
  if (!box) return false;
  if (getComputedStyle(first("#menu-open")).display !== "none" && first(".topbar").offsetHeight) {
    if (!isMenuOpen()) toggleMenu(true);
  }
  box.open = true;
  first("#switch-find").focus();
  return true;
}

async function look() {
  const typed = first("#switch-find").value;
  await fetchAll();
  if (first("#switch-find").value !== typed) return; /* somebody typed on */
  show(matching(known, typed));
}

async function fetchAll() {
  if (known) return;
  asked ??= fetch(`/workspaces.json${location.search}`, { credentials: "same-origin" });
  const answer = await asked;
  if (answer.redirected || !answer.ok) location.reload();
  known ??= await answer.clone().json();
}

/** The workspaces whose name or slug has every word of what was typed, names that begin with it first. */
export function matching(workspaces, typed) {
  const words = plain(typed).split(/\s+/).filter(Boolean);
  const begins = (each) => (plain(each.name).startsWith(words[0] ?? "") ? 0 : 1);
  return workspaces
    .filter((each) => words.every((word) => plain(`${each.name} ${each.slug}`).includes(word)))
    .sort((one, other) => begins(one) - begins(other));
}

/* Łódź is found by "lodz". */
function plain(text) {
  return text
    .toLowerCase()
    .normalize("NFD")
    .replace(/\p{Diacritic}/gu, "")
    .replaceAll("ł", "l");
}

function show(workspaces) {
  first("#switch-list").replaceChildren(...workspaces.slice(0, MOST).map(option));
  const more = workspaces.length - MOST;
  first("#switch-note").textContent = noteOf(workspaces.length, more);
}

function noteOf(count, more) {
  if (count === 0) return "No workspace of yours is called that.";
  return more > 0 ? `${more} more: type more of the name.` : "";
}

function option({ name, accent, role, href }) {
  const colour = make("span", { className: "sw" });
  if (accent) colour.style.background = accent;
  return make("a", { className: "opt", href }, [
    colour,
    make("span", { className: "name", textContent: name }),
    make("span", { className: "xs", textContent: role }),
  ]);
}

/* Arrows walk the list; Enter in the field takes the first. */
function walk(event) {
  const options = all("a.opt", first("#switch"));
  const at = options.indexOf(document.activeElement);
  if (event.key === "Enter" && event.target.id === "switch-find") {
    (first("#switch-list a") ?? options[0])?.click();
  } else if (event.key === "ArrowDown") {
    options[Math.min(at + 1, options.length - 1)]?.focus();
  } else if (event.key === "ArrowUp") {
    (options[at - 1] ?? first("#switch-find")).focus();
  } else {
    return;
  }
  event.preventDefault();
}
