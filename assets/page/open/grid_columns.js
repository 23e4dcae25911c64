/* The columns of the grid of records: those that have room end where the room ends, so that none stands half
   under the menu of the rows, and an edge tells that there are more. */

import { first } from "../dom.js";

const MOST = 1.35; /* as wide as a column may become of its own width */
const GRID = "records";

let known =
  null; /* { api, widths } of the grid that is fitted; the widths that its columns came with */

/** Fits the grid's columns once they stand, and again when the window has changed. */
export function fitColumns() {
  const api = first(`#${GRID} .ag-header-cell`) && window.dash_ag_grid?.getApi?.(GRID);
  if (!api || api === known?.api) return;
  known = { api, widths: columnsOf(api).map((column) => column.getActualWidth()) };
  fit();
  api.addEventListener("bodyScroll", showEdge);
  api.addEventListener("gridSizeChanged", fit);
  api.addEventListener("columnResized", (event) => {
    if (event.source === "uiColumnResized") known.widths = null; /* as somebody wants them */
    showEdge();
  });
}

function fit() {
  const viewport = first(`#${GRID} .ag-center-cols-viewport`);
  if (!viewport) return;
  if (known.widths) {
    const fitted = fittedWidths(known.widths, viewport.clientWidth);
    const columns = columnsOf(known.api);
    const sizes = columns.map((column, n) => ({ key: column.getColId(), newWidth: fitted[n] }));
    known.api.setColumnWidths(sizes);
  }
  showEdge();
}

function columnsOf(api) {
  return api.getAllDisplayedColumns().filter((column) => !column.getPinned());
}

/** Widths at which the columns that have room take all of it; as they are where that would make them too
    wide, or where there is room for one alone. */
export function fittedWidths(widths, room) {
  let count = 0;
  let taken = 0;
  while (count < widths.length && taken + widths[count] <= room) taken += widths[count++];
  const wider = room / taken;
  if (count < 2 || wider > MOST) return widths;
  const ends = [0];
  for (const width of widths.slice(0, count)) ends.push(ends.at(-1) + width * wider);
  const grown = ends.slice(1).map((end, n) => Math.round(end) - Math.round(ends[n]));
  return [...grown, ...widths.slice(count)];
}

function showEdge() {
  const viewport = first(`#${GRID} .ag-center-cols-viewport`);
  if (!viewport) return;
  const { scrollLeft, clientWidth, scrollWidth } = viewport;
  first(`#${GRID}`).classList.toggle("has-more", scrollLeft + clientWidth < scrollWidth - 1);
}
