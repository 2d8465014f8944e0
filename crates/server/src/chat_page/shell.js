// What is around everything: which part is seen, and the bar at the top.

import { byId } from "./dom.js";

/** `login`, or with somebody logged in `list` or `thread`: on a small screen there is room for one of them. */
export function view(name) {
  byId("app").dataset.view = name;
  byId("login").hidden = name !== "login";
  for (const id of ["people", "thread"]) {
    byId(id).hidden = name === "login";
    byId(id).inert = false;
  }
}

/** What is on the screen stays, and can only be looked at. */
export function freeze() {
  for (const id of ["people", "thread"]) byId(id).inert = true;
}

/** Says how the connection is; `null` takes it away. */
export function bar(text, { isBad = false, action = null } = {}) {
  const element = byId("bar");
  element.hidden = !text;
  element.classList.toggle("bad", isBad);
  byId("bar-text").textContent = text ?? "";
  byId("bar-action").replaceChildren(...(action ? [action] : []));
}
