/* What each step of the history opened. Closing goes back there, so that Back then leads to what was before and
   does not open again what somebody has closed. An entry of the history keeps, for each thing that is open in
   it, the address that it was opened from, and how many steps ago. */

let goesBack = false; /* the browser does so in its own time */

/** What the next entry keeps. `known` is what this one does; `before` and `after` say what is open under which
    name. */
export function openedFrom(known, before, after, address) {
  const kept = {};
  for (const name of Object.keys(after)) {
    if (!after[name]) continue;
    if (!before[name]) kept[name] = { address, steps: 1 };
    else if (known?.[name]) kept[name] = { ...known[name], steps: known[name].steps + 1 };
  }
  return kept;
}

/** Takes the history from what was open to `after`, whose address is given: back where it was opened from there,
    in place where no step opened it, as with a link, else a step on. */
export function step(before, after, address) {
  const known = history.state;
  const closed = Object.keys(before).filter((name) => before[name] && !after[name]);
  const from = known?.[closed[0]];
  if (from?.address === address) goBack(from.steps);
  else if (closed.length && !from) history.replaceState(known, "", address);
  else history.pushState(openedFrom(known, before, after, here()), "", address);
}

/** Whether a step waits until the history is where it goes back to; `again` is called then. */
export function waits(again) {
  if (goesBack) window.addEventListener("popstate", again, { once: true });
  return goesBack;
}

function goBack(steps) {
  goesBack = true;
  const arrive = () => {
    goesBack = false;
  };
  window.addEventListener("popstate", arrive, { once: true });
  history.go(-steps);
}

function here() {
  return location.pathname + location.search;
}
