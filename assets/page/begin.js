/* Begins what the document names to run after the first frame: Dash's scripts and the page's modules. What
   the document shows already is seen before they take the processor. */

const PATIENCE = 300; /* a page in the background has no frames */
const island = document.getElementById("later");

if (island) afterFirstFrame(() => begin(JSON.parse(island.textContent)));

function begin({ scripts, modules, entries }) {
  const added = scripts.map(addScript);
  added.at(-1)?.addEventListener("load", () => {
    window.renderer = new window.DashRenderer();
  });
  for (const href of modules) append("link", { rel: "modulepreload", href });
  for (const src of entries) append("script", { type: "module", src });
}

function addScript(src) {
  return append("script", { src, async: false /* they run in their order */ });
}

function append(name, properties) {
  const element = Object.assign(document.createElement(name), properties);
  document.body.append(element);
  return element;
}

function afterFirstFrame(action) {
  let isDone = false;
  const once = () => {
    if (!isDone) action();
    isDone = true;
  };
  requestAnimationFrame(() => setTimeout(once));
  setTimeout(once, document.hidden ? 0 : PATIENCE);
}
