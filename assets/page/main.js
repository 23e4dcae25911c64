/* Starts the page once Dash's layout stands, and finishes what Dash draws. */

import "./shell.js"; /* before the page's own: it is the first to hear of a key, and the two are fetched at once */
import { showControls, showDrawnControls } from "./bar/controls.js";
import { watchDates } from "./bar/custom_range.js";
import { resumeExport } from "./bar/export.js";
import { choose, watchChoices, watchClicks } from "./clicks.js";
import { first } from "./dom.js";
import { watchTips } from "./escape.js";
import { watchKeys } from "./keys.js";
import { focusTitle, showDrawer, watchDrawer } from "./open/drawer.js";
import { placeFindBox } from "./open/find_box.js";
import { fitColumns } from "./open/grid_columns.js";
import { placeMarkup } from "./open/markup.js";
import { appendArrived } from "./open/more_cards.js";
import { focusOpened } from "./open/opening.js";
import { drawRecordLinks } from "./open/record_link.js";
import { drawRowMenus } from "./open/row_menu.js";
import { watchAnswers } from "./server/session.js";
import { whenBack } from "./shell/network.js";
import { carryPeriod } from "./state/carry.js";
import { takeFirstPaint } from "./state/early.js";
import { current, draw, onChange, start, watchHistory } from "./state/view.js";

const DRAWN = { childList: true, subtree: true, attributeFilter: ["data-markup", "data-pieces"] };

watchAnswers();
whenBack(() => {
  if (current()) draw("view");
});
watchClicks();
watchChoices();
watchKeys();
watchTips();
watchHistory();
watchDates();
drawRecordLinks();
drawRowMenus();
onChange(showControls);
onChange(carryPeriod);
onChange(showDrawer);
watchDrawer();
new MutationObserver(finish).observe(document.documentElement, DRAWN);
finish(); /* Dash may have been faster */

/* Dash draws when it likes. */
function finish() {
  if (!current() && isReady()) {
    const early = takeFirstPaint(); /* Dash's own stands */
    start();
    for (const [name, value] of Object.entries(early)) choose(name, value);
    resumeExport();
  }
  if (!current()) return;
  placeMarkup();
  if (!first("#page .skeletons")) first("#first-figures")?.remove();
  appendArrived();
  placeFindBox();
  fitColumns();
  showDrawnControls();
  focusOpened();
  focusTitle();
}

function isReady() {
  return Boolean(first("#page") && window.dash_clientside?.set_props);
}
