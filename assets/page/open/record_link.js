/* The cell of a grid that names a record: a link to its page, for those who look after records. */

import { first } from "../dom.js";

/** Tells the grid how such a cell is drawn, and opens it with Enter: the grid keeps Tab for its cells. */
export function drawRecordLinks() {
  window.dashAgGridComponentFunctions = { ...window.dashAgGridComponentFunctions, recordLink };
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches?.(".ag-cell")) return;
    first("a.record-link", event.target)?.click();
  });
}

function recordLink({ value, data, under, columns }) {
  if (!value) return value ?? null;
  return window.React.createElement(
    "a",
    {
      href: address(under, columns.map((name) => data[name]).join("/")),
      className: "record-link",
      tabIndex: -1,
    },
    value,
  );
}

/** Address of a record's page under that of its kind; slashes of a key stand. */
export function address(under, key) {
  return under + key.split("/").map(encodeURIComponent).join("/");
}
