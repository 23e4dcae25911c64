/* Requests of the page's own, beside Dash's. */

import { send } from "./session.js";

/** Posts JSON with the token that the server asks for. */
export function post(path, body, headers = {}) {
  return send(path, {
    method: "POST",
    credentials: "same-origin",
    headers: {
      "Content-Type": "application/json",
      "X-CSRFToken":
        cookie("__Host-_csrf_token", document.cookie) || cookie("_csrf_token", document.cookie),
      ...headers,
    },
    body: JSON.stringify(body),
  });
}

export function get(path) {
  return send(path, { credentials: "same-origin" });
}

/** The value of a cookie within document.cookie; "" when there is none. */
export function cookie(name, cookies) {
  const pair = cookies.split("; ").find((text) => text.startsWith(`${name}=`));
  return pair ? decodeURIComponent(pair.slice(name.length + 1)) : "";
}
