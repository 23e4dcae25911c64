/* The browser's storage, which it may close to us: then nothing is remembered, and nothing breaks. */

export const PERIOD = "vigilo.period";
export const THEME = "vigilo.theme";
export const KEYS = "vigilo.keys";
export const EXPORT = "vigilo-export";

/** Remembered by this browser. */
export const browser = storage(() => localStorage);

/** Remembered until this tab is closed. */
export const tab = storage(() => sessionStorage);

function storage(area) {
  return {
    read: (key) => attempt(() => area().getItem(key)),
    write: (key, value) => attempt(() => area().setItem(key, value)),
    remove: (key) => attempt(() => area().removeItem(key)),
  };
}

function attempt(action) {
  try {
    return action();
  } catch {
    return null; /* private mode, or full */
  }
}
