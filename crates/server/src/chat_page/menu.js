// A menu beside the button that opens it, for mouse, touch and keyboard.

import { h, icon, rove } from "./dom.js";

const GAP_PX = 6;
const EDGE_PX = 8;

let close = () => {};

/** `items`: `[{ label, icon, act, danger }]`; what is false is left out. `back` has the focus afterwards. */
export function openMenu(button, items, back = button) {
  close();
  const controller = new AbortController();
  const { signal } = controller;
  const menu = h("div", { class: "menu", role: "menu" });
  for (const item of items.filter(Boolean)) {
    const choose = () => {
      close();
      item.act();
    };
    const attributes = { role: "menuitem", type: "button", tabindex: -1, class: item.danger ? "danger" : null, onclick: choose };
    menu.append(h("button", attributes, icon(item.icon), item.label));
  }
  close = () => {
    close = () => {};
    controller.abort();
    button.setAttribute("aria-expanded", "false");
    const hadFocus = menu.contains(document.activeElement);
    menu.remove();
    if (hadFocus) back.focus();
  };
  document.body.append(menu);
  place(menu, button.getBoundingClientRect());
  rove(menu, "button", signal);
  button.setAttribute("aria-expanded", "true");
  menu.querySelector("button").focus();
  document.addEventListener("pointerdown", (event) => menu.contains(event.target) || close(), { capture: true, signal });
  addEventListener("blur", () => close(), { signal });
  addEventListener("resize", () => close(), { signal });
  menu.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape" && event.key !== "Tab") return;
      event.preventDefault();
      event.stopPropagation();
      close();
    },
    { signal },
  );
}

export const closeMenu = () => close();

/** Below the button if there is room, else above, and never outside of the window. */
function place(menu, button) {
  const { width, height } = menu.getBoundingClientRect();
  const below = button.bottom + GAP_PX;
  const top = below + height > innerHeight - EDGE_PX ? Math.max(EDGE_PX, button.top - height - GAP_PX) : below;
  const left = Math.min(Math.max(EDGE_PX, button.right - width), innerWidth - width - EDGE_PX);
  menu.style.setProperty("top", `${top}px`);
  menu.style.setProperty("left", `${left}px`);
}
