// The chat page: who logs in, and what is shown around that. What somebody who is logged in sees is in page.js.

import Couplet from "./couplet.js";
import * as credentials from "./credentials.js";
import { byId, h, icon } from "./dom.js";
import { tell } from "./frame.js";
import { closeMenu } from "./menu.js";
import { Page } from "./page.js";
import { bar, freeze, view } from "./shell.js";

const { TYPES } = Couplet;
const KICKS = {
  [TYPES.KICKED_OUT_MULT_ACCOUNT]: "This chat was opened in another place.",
  [TYPES.KICKED_OUT_MULT_DEVICE]: "You logged in on another device.",
  [TYPES.KICKED_OUT_USERSIG_EXPIRED]: "Your UserSig has expired.",
  [TYPES.KICKED_OUT_REST_API]: "The app has logged you out.",
};

for (const [id, name] of Object.entries({
  leave: "leave",
  back: "back",
  "peer-menu": "more",
  attach: "attach",
  send: "send",
  "stop-editing": "close",
  "close-light": "close",
  "nobody-icon": "talk",
})) {
  byId(id).prepend(icon(name));
}
byId("light").addEventListener("click", ({ currentTarget }) => currentTarget.close());
byId("login-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const { sdkappid, userid, usersig } = Object.fromEntries(new FormData(event.target));
  void logIn({ sdkappid: sdkappid.trim(), userid: userid.trim(), usersig: usersig.replaceAll(/\s/g, "") });
});
// Another link in the address bar does not load the page anew by itself.
addEventListener("hashchange", () => {
  const given = credentials.fromLink();
  if (!given) return;
  credentials.keep(given);
  location.reload();
});
fitKeyboard();

const given = credentials.fromLink();
if (given) credentials.keep(given);
const start = given ?? credentials.kept();
if (start?.usersig) void logIn(start);
else showLogin(start ?? {});

function showLogin({ sdkappid = "", userid = "" }, error = "") {
  closeMenu();
  tell({ state: "login" });
  view("login");
  document.title = "Chat";
  const form = byId("login-form");
  form.elements.usersig.value = "";
  if (sdkappid) form.elements.sdkappid.value = sdkappid;
  if (userid) form.elements.userid.value = userid;
  byId("login-error").textContent = error;
  (sdkappid && userid ? form.elements.usersig : form.elements.sdkappid).focus();
}

async function logIn(who) {
  const SDKAppID = Number(who.sdkappid);
  if (!(Number.isInteger(SDKAppID) && SDKAppID > 0)) return showLogin(who, "SDKAppID is a positive number.");
  const chat = Couplet.create({ SDKAppID, server: location.origin, storage: storage() });
  const page = new Page(chat, who, {
    kicked: (type) => kicked(page, type),
    loggedOut: () => {
      credentials.forget();
      bar(null);
      showLogin(who);
    },
  });
  view("list");
  try {
    await chat.login({ userID: who.userid, userSig: who.usersig });
    credentials.keep(page.who);
  } catch (error) {
    page.leave();
    if (error.temporary) {
      bar("The server cannot be reached.", { isBad: true, action: button("Try again", () => logIn(who)) });
      return;
    }
    bar(null);
    credentials.forget();
    showLogin(who, error.message);
  }
}

function kicked(page, type) {
  // In these cases the UserSig is worth nothing any more.
  const needsNew = [TYPES.KICKED_OUT_USERSIG_EXPIRED, TYPES.KICKED_OUT_REST_API].includes(type);
  const again = button(needsNew ? "Log in" : "Use here", () => {
    bar(null);
    if (needsNew) showLogin(page.who);
    else void logIn(page.who);
  });
  closeMenu();
  page.leave();
  freeze();
  tell({ state: "kicked" });
  bar(KICKS[type] ?? "You were logged out.", { isBad: true, action: again });
}

const button = (label, onclick) => h("button", { type: "button", onclick }, label);

/** Messages that were written without a connection outlast a reload. */
function storage() {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}

/** Some browsers lay the keyboard over the page without telling it; what can be seen is known all the same. */
function fitKeyboard() {
  const { visualViewport } = window;
  if (!visualViewport) return;
  const fit = () => {
    // Whoever has zoomed in sees less for another reason.
    if (visualViewport.scale > 1.01) return;
    byId("app").style.setProperty("--height", `${visualViewport.height}px`);
    byId("app").style.setProperty("--top", `${visualViewport.offsetTop}px`);
  };
  visualViewport.addEventListener("resize", fit);
  visualViewport.addEventListener("scroll", fit);
}
