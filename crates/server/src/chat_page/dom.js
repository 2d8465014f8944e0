// Making elements. User text only ever becomes a text node.

import { loadable } from "./address.js";

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  attach: "M20 11.5 12.4 19a4.6 4.6 0 0 1-6.5-6.5l7.9-7.9a3 3 0 0 1 4.3 4.3l-7.8 7.8a1.5 1.5 0 0 1-2.1-2.1l7-7",
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  down: "M6 9l6 6 6-6",
  edit: "M4 20h4L19 9l-4-4L4 16zM13.5 6.5l4 4",
  erase: "M4 7h16M9 7V4h6v3M6.5 7l1 13h9l1-13",
  file: "M6 3h8l5 5v13H6zM14 3v5h5",
  hide: "M4 7h11M4 12h7M4 17h5M14 13l6 6M20 13l-6 6",
  leave: "M14 4H5v16h9M10 12h11M17.5 8.5L21 12l-3.5 3.5",
  more: "M12 5.5v.01M12 12v.01M12 18.5v.01",
  mute: "M6 9v6h3l5 4V5L9 9zM17.5 9.5l4 5M21.5 9.5l-4 5",
  pin: "M9 4h6l-1 6 3 3v2H7v-2l3-3zM12 15v6",
  read: "M1 12.5l4.5 4.5L15 7.5M11.2 16.2l.8.8L22.5 6.5",
  recall: "M9 7L4 12l5 5M4 12h10a6 6 0 0 1 6 6",
  ring: "M6 9v6h3l5 4V5L9 9zM17.5 9a4.5 4.5 0 0 1 0 6M20 6.5a8 8 0 0 1 0 11",
  send: "M12 19V5M6 11l6-6 6 6",
  sent: "M5 12.5l4.5 4.5L19.5 7",
  talk: "M4 5h16v11H10l-4 4v-4H4z",
  waiting: "M12 7v5l3 2M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = svg.appendChild(document.createElementNS(SVG, "path"));
  path.setAttribute("d", PATHS[name]);
  return svg;
}

/** `h("p", { class: "soft", onclick }, "text", child)`; what is null or false is left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** A picture of somebody, or the first letters of the name. */
export function avatar({ userID, name, avatar: url }, isOnline = false) {
  const words = name.trim().split(/\s+/);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...word][0] ?? "");
  const hue = [...userID].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
  const source = loadable(url);
  const shown = source ? h("img", { src: source, alt: "" }) : letters.join("").toUpperCase() || "?";
  return h("span", { class: isOnline ? "avatar online" : "avatar", "--hue": hue, "aria-hidden": "true" }, shown);
}

/** Longest time that a note is shown: enough to read two lines. */
const TOAST_MS = 5_000;

/** Says something for a moment. */
export function toast(text) {
  const element = h("p", { class: "toast" }, capital(text));
  byId("toasts").append(element);
  setTimeout(() => element.remove(), TOAST_MS);
}

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** Arrow keys go from one to the next; only one of them is reached with the Tab key. */
export function rove(list, selector, signal) {
  const all = () => [...list.querySelectorAll(selector)];
  list.addEventListener(
    "keydown",
    (event) => {
      // Players have arrow keys of their own.
      if (event.target.closest("video, audio")) return;
      const items = all();
      const at = items.indexOf(event.target.closest(selector));
      if (at < 0) return;
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const next = { Home: 0, End: items.length - 1 }[event.key] ?? (step && at + step);
      if (next === undefined || !items[next]) return;
      event.preventDefault();
      items[next].focus();
    },
    { signal },
  );
  list.addEventListener(
    "focusin",
    (event) => {
      const current = event.target.closest(selector);
      if (current) for (const item of all()) item.tabIndex = item === current ? 0 : -1;
    },
    { signal },
  );
}
