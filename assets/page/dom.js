/* Short names for finding elements. */

export function first(selector, root = document) {
  return root.querySelector(selector);
}

export function all(selector, root = document) {
  return Array.from(root.querySelectorAll(selector));
}

/** An element with its properties set; names with a hyphen are attributes. */
export function make(tag, properties = {}, children = []) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "role" || name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** Whether an event belongs to a dialog. Where a modal one is open every key does: the focus may have been
    lost from it, as when what had it is drawn anew, and the page under it must not act. */
export function isInDialog(event) {
  return Boolean(event.target.closest("dialog") || first("dialog:modal"));
}

/** Says something to those who listen to the page rather than look at it. */
export function announce(text) {
  const place = first("#live");
  if (place) place.textContent = text;
}
