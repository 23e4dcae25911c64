/* The menu at the end of a grid's row: what may be done with its record, for those who look after records. */

import { all, first, make } from "../dom.js";
import { address } from "./record_link.js";
import { askCorrection, askMerge, askWithdrawal } from "./row_actions.js";

const ROOM = 8;
const SVG = "http://www.w3.org/2000/svg";
const KEYS = { ArrowDown: 1, ArrowUp: -1, Home: "first", End: "last" };

let opened = null; /* { menu, button, back } */

/** Tells the grid how the cell is drawn, and opens the menu by mouse, Enter, Space and the menu key. */
export function drawRowMenus() {
  window.dashAgGridComponentFunctions = { ...window.dashAgGridComponentFunctions, rowMenu };
  document.addEventListener("keydown", openByKey, true);
  document.addEventListener("pointerdown", (event) => {
    if (opened && !event.target.closest(".row-pop, .row-menu")) closeMenu(false);
  });
  document.addEventListener("scroll", follow, true);
  window.addEventListener("resize", follow);
}

function rowMenu({ data, node, ...told }) {
  if (!data) return null;
  const key = told.columns.map((name) => data[name]).join("/");
  const record = { ...told, key, index: node.rowIndex };
  return window.React.createElement(
    "button",
    {
      type: "button",
      className: "btn g ic sm row-menu",
      tabIndex: -1,
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-label": `Actions for ${key}`,
      onClick: (event) => toggle(event.currentTarget, record),
    },
    dots(),
  );
}

function dots() {
  const each = [3, 8, 13].map((cx) =>
    window.React.createElement("circle", { key: cx, cx, cy: 8, r: 1.4 }),
  );
  const look = { xmlns: SVG, viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": true };
  return window.React.createElement("svg", look, each);
}

/* The grid keeps Tab for its cells, so the cell opens its menu. */
function openByKey(event) {
  const opens = ["Enter", " ", "ContextMenu"].includes(event.key);
  if (!opens || !event.target.matches?.(".ag-cell")) return;
  const button = first(".row-menu", event.target);
  if (!button) return;
  event.preventDefault();
  event.stopPropagation();
  button.click();
}

function toggle(button, record) {
  const isOpen = opened?.button === button;
  closeMenu(false);
  if (!isOpen) openMenu(button, record);
}

function openMenu(button, record) {
  const cell = button.closest(".ag-cell");
  const back = document.activeElement === cell ? cell : button;
  const menu = make("div", { className: "pop row-pop", role: "menu" }, itemsOf(record));
  menu.setAttribute("aria-label", `Actions for ${record.key}`);
  menu.addEventListener("keydown", onKey);
  first("main").append(menu);
  place(menu, button.getBoundingClientRect());
  button.setAttribute("aria-expanded", "true");
  opened = { menu, button, back };
  first("[role=menuitem]", menu).focus();
}

function itemsOf(record) {
  const page = address(record.under, record.key);
  const open = make("a", { ...LOOK, href: page, textContent: "Open the record" });
  const acts = [["Correct…", askCorrection], ...(record.merges ? [["Merge…", askMerge]] : [])];
  const buttons = [...acts, ["Withdraw…", askWithdrawal]].map(([label, ask]) => {
    const item = make("button", { ...LOOK, type: "button", textContent: label });
    item.addEventListener("click", () => {
      closeMenu(true);
      ask(record, focusRow);
    });
    return item;
  });
  return [open, ...buttons];
}

const LOOK = { className: "opt", role: "menuitem", tabIndex: -1 };

/* Below the button, above it where there is no room; never over the edge. */
function place(menu, beside) {
  const below = beside.bottom + menu.offsetHeight + ROOM <= window.innerHeight;
  const top = below ? beside.bottom + 4 : beside.top - menu.offsetHeight - 4;
  const left = Math.min(beside.right, window.innerWidth - ROOM) - menu.offsetWidth;
  menu.style.top = `${Math.max(ROOM, top)}px`;
  menu.style.left = `${Math.max(ROOM, left)}px`;
}

function onKey(event) {
  if (event.key === "Tab") closeMenu(true);
  else if (event.key === "Escape") {
    event.preventDefault(); /* nothing else closes with it */
    event.stopPropagation();
    closeMenu(true);
  } else if (event.key in KEYS) {
    event.preventDefault();
    step(KEYS[event.key]);
  }
}

function step(way) {
  const items = all("[role=menuitem]", opened.menu);
  const at = items.indexOf(document.activeElement);
  items[stepTo(way, at, items.length)].focus();
}

/** Number of the item that a key leads to; past the last comes the first. */
export function stepTo(way, at, count) {
  if (way === "first") return 0;
  if (way === "last") return count - 1;
  return (at + way + count) % count;
}

function closeMenu(focusBack) {
  if (!opened) return;
  const { menu, button, back } = opened;
  opened = null;
  menu.remove();
  button.setAttribute("aria-expanded", "false");
  if (focusBack && back.isConnected) back.focus();
}

/* The menu stays at its button, and goes with it. */
function follow() {
  if (!opened) return;
  const beside = opened.button.getBoundingClientRect();
  const isThere = opened.button.isConnected && beside.bottom > 0 && beside.top < window.innerHeight;
  if (isThere) place(opened.menu, beside);
  else closeMenu(false);
}

/** Puts the focus into the row again, wherever the grid has drawn it since. */
function focusRow({ index }) {
  const button = first(`.ag-row[row-index="${index}"] .row-menu`);
  (button?.closest(".ag-cell") ?? first("#records .row-menu")?.closest(".ag-cell"))?.focus();
}
