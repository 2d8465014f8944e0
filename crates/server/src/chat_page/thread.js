// The messages of the conversation that is open.

import { bubble } from "./bubble.js";
import { byId, h, icon, rove, toast } from "./dom.js";
import { openMenu } from "./menu.js";
import { day, isSameDay } from "./when.js";

/** Messages of one person within so many seconds belong together. */
const TOGETHER_SECS = 300;
/** So near to the end somebody is reading the newest messages. */
const NEAR_PX = 90;
/** So near to the beginning the page before is fetched. */
const AHEAD_PX = 400;

/** What was not sent yet comes last. */
const inOrder = (a, b) =>
  Number(a.status !== "success") - Number(b.status !== "success") || a.time - b.time || a.sequence - b.sequence || a.random - b.random;

export class Thread {
  #scroll = byId("scroll");
  #list = byId("messages");
  #peer = null;
  #messages = [];
  #next = undefined;
  #isComplete = false;
  #isLoading = false;
  #isNear = true;
  #unseen = 0;
  /** Sent from here and not stored yet, by peer: those that failed are nowhere else. */
  #unsent = new Map();
  /** Why each of them failed. */
  #problems = new WeakMap();
  /** Pictures that were sent from here, so that they are not loaded back. */
  #previews = new WeakMap();
  /** Those that the client holds as well. What is only told and kept nowhere is not among them. */
  #held = new WeakSet();
  /** What each message looked like when it was drawn. */
  #drawn = new WeakMap();

  /** `does`: `{ edit(message) }` */
  constructor(chat, does, signal) {
    this.chat = chat;
    this.does = {
      ...does,
      enlarge,
      menu: (message, button) => this.#menu(message, button),
      preview: (message) => this.#previews.get(message),
      retry: (message) => this.retry(message),
    };
    rove(this.#list, ".message", signal);
    this.#scroll.addEventListener("scroll", () => this.#scrolled(), { passive: true, signal });
    this.#list.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.#list.addEventListener("contextmenu", (event) => this.#context(event), { signal });
    byId("newest").addEventListener("click", () => this.toEnd(), { signal });
    // What is at the end stays there when the composer grows, a keyboard comes up, or a picture without a size loads.
    const sizes = new ResizeObserver(() => this.#isNear && this.toEnd());
    sizes.observe(this.#scroll);
    sizes.observe(this.#list);
    signal.addEventListener("abort", () => sizes.disconnect());
  }

  get peer() {
    return this.#peer;
  }

  async open(peer) {
    this.#peer = peer;
    const isHere = (message) => message.conversationID === `C2C${peer}`;
    const waiting = [...this.chat.getUnsentMessageList().filter(isHere), ...(this.#unsent.get(peer) ?? [])];
    this.#messages = [...new Set(waiting)].filter((message) => message.status !== "success");
    this.#next = undefined;
    this.#isComplete = false;
    this.#isLoading = false;
    this.#countUnseen(-this.#unseen);
    this.#isNear = true;
    this.#draw();
    await this.#older();
    this.toEnd();
  }

  close() {
    this.#peer = null;
    this.#messages = [];
    this.#draw();
  }

  /** After a pause without a connection: what could not be loaded is loaded now. */
  resume() {
    if (this.#peer && this.#next === undefined && !this.#isComplete) void this.#older();
  }

  /** A message that is being sent. `preview` is the address of its picture. */
  sending(message, preview) {
    const unsent = this.#unsent.get(message.to) ?? new Set();
    this.#unsent.set(message.to, unsent.add(message));
    if (preview) this.#previews.set(message, preview);
    this.add([message]);
  }

  /** Messages that came, or are being sent. */
  add(messages) {
    const here = messages.filter((message) => message.conversationID === `C2C${this.#peer}` && !this.#messages.includes(message));
    if (here.length === 0) return;
    const wasNear = this.#isNear;
    this.#take(here);
    this.#draw(new Set(here));
    if (wasNear || here.some((message) => message.flow === "out" && message.status === "unSend")) this.toEnd();
    else this.#countUnseen(here.filter((message) => message.flow === "in").length);
  }

  /** Messages are other than they were. */
  changed() {
    for (const unsent of this.#unsent.values()) {
      for (const message of unsent) if (message.status === "success") unsent.delete(message);
    }
    // After the client has begun anew, it holds other instances, and these are updated no more.
    const isStale = (message) => this.#held.has(message) && !message.isDeleted && this.chat.findMessage(message.ID) === null;
    if (this.#peer && this.chat.isReady() && this.#messages.some(isStale)) return void this.open(this.#peer);
    this.#messages = this.#messages.filter((message) => !message.isDeleted).sort(inOrder);
    const wasNear = this.#isNear;
    this.#draw();
    if (wasNear) this.toEnd();
  }

  progress(message, fraction) {
    this.#item(message)?.querySelector(".progress i")?.style.setProperty("--done", fraction);
  }

  toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#isNear = true;
    this.#countUnseen(-this.#unseen);
  }

  /** Says at the message why it was not sent. */
  failed(message, error) {
    this.#problems.set(message, reason(error));
    this.#drawn.delete(message);
  }

  retry(message) {
    const done = this.chat.resendMessage(message).catch((error) => this.failed(message, error));
    done.finally(() => this.changed());
    this.changed();
  }

  /** The newest message of one's own that can still be changed. */
  lastOwn() {
    return this.#messages.findLast((message) => canEdit(message));
  }

  async #older() {
    if (this.#isLoading || this.#isComplete || !this.#peer) return;
    const peer = this.#peer;
    this.#isLoading = true;
    byId("older").hidden = this.#messages.length === 0;
    try {
      const { data } = await this.chat.getMessageList({ conversationID: `C2C${peer}`, nextReqMessageID: this.#next });
      if (peer !== this.#peer) return;
      this.#next = data.nextReqMessageID;
      this.#isComplete = data.isCompleted;
      const older = data.messageList.filter((message) => !message.isDeleted && !this.#messages.includes(message));
      this.#take(older);
      // What stands above grows, and what is being looked at stays where it is.
      byId("older").hidden = true;
      const fromEnd = this.#scroll.scrollHeight - this.#scroll.scrollTop;
      this.#draw();
      this.#scroll.scrollTop = this.#scroll.scrollHeight - fromEnd;
    } catch (error) {
      // Without a connection it is tried again with the next one.
      if (!error.temporary) toast(error.message);
      return;
    } finally {
      if (peer === this.#peer) this.#isLoading = false;
      byId("older").hidden = true;
    }
    // A first page that does not fill the window.
    if (!this.#isComplete && this.#scroll.scrollHeight <= this.#scroll.clientHeight + AHEAD_PX) await this.#older();
  }

  #take(messages) {
    for (const message of messages) if (this.chat.findMessage(message.ID) === message) this.#held.add(message);
    this.#messages = [...this.#messages, ...messages].sort(inOrder);
  }

  #draw(arrived = new Set()) {
    const focused = document.activeElement?.closest?.("#messages .message")?.dataset.id;
    const items = [];
    let before = null;
    for (const message of this.#messages) {
      const isNewDay = !before || !isSameDay(before.time, message.time);
      if (isNewDay) items.push(this.#day(message.time));
      const follows = !isNewDay && before.from === message.from && message.time - before.time < TOGETHER_SECS;
      items.push(this.#drawn.get(message)?.item && this.#same(message, follows) ? this.#drawn.get(message).item : this.#new(message, follows, arrived.has(message)));
      before = message;
    }
    put(this.#list, items);
    const last = items.at(-1);
    if (last && !items.some((item) => item.tabIndex === 0)) last.tabIndex = 0;
    byId("nothing-yet").hidden = items.length > 0 || !this.#isComplete;
    if (focused && !this.#list.contains(document.activeElement)) {
      [...this.#list.children].find((item) => item.dataset.id === focused)?.focus({ preventScroll: true });
    }
  }

  #new(message, follows, isNew) {
    const item = bubble(message, { follows, isNew, problem: this.#problems.get(message) }, this.does);
    const before = this.#drawn.get(message)?.item;
    if (before) item.tabIndex = before.tabIndex;
    this.#drawn.set(message, { item, look: look(message, follows) });
    return item;
  }

  #same(message, follows) {
    return this.#drawn.get(message).look === look(message, follows);
  }

  #day(secs) {
    const text = day(secs);
    const known = [...this.#list.querySelectorAll(".day")].find((item) => item.textContent === text);
    return known ?? h("li", { class: "day" }, h("span", {}, text));
  }

  #key(event) {
    const message = this.#messages.find(({ ID }) => ID === event.target.dataset?.id);
    if (!message || !["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    const picture = event.target.querySelector(".picture");
    const more = event.target.querySelector(".more");
    if (more) this.#menu(message, more, event.target);
    else (picture ?? event.target.querySelector(".problem button"))?.click();
  }

  #context(event) {
    const item = event.target.closest(".message");
    const more = item?.querySelector(".more");
    // A link, a picture and marked text have a menu of the browser's that is of more use.
    if (!more || event.target.closest("a, img, video, audio") || !getSelection().isCollapsed) return;
    event.preventDefault();
    more.click();
  }

  #menu(message, button, back) {
    const isOwn = message.flow === "out";
    const text = message.type === "TIMTextElem" && message.payload.text;
    openMenu(
      button,
      [
        text && { label: "Copy text", icon: "copy", act: () => navigator.clipboard.writeText(text).catch(() => toast("The text could not be copied.")) },
        canEdit(message) && { label: "Edit", icon: "edit", act: () => this.does.edit(message) },
        isOwn && { label: "Take back", icon: "recall", act: () => this.#act(this.chat.revokeMessage(message)) },
        { label: "Delete for me", icon: "erase", danger: true, act: () => this.#act(this.chat.deleteMessage([message])) },
      ],
      back,
    );
  }

  async #act(done) {
    await done.catch((error) => toast(error.message));
    this.changed();
    if (document.activeElement === document.body) byId("text").focus();
  }

  #item(message) {
    return this.#drawn.get(message)?.item;
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
    this.#isNear = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    if (scrollTop < AHEAD_PX) void this.#older();
    this.#countUnseen(this.#isNear ? -this.#unseen : 0);
  }

  #countUnseen(by) {
    this.#unseen += by;
    const button = byId("newest");
    button.replaceChildren(...(this.#unseen > 0 ? [`${this.#unseen} new`] : []), icon("down"));
    button.setAttribute("aria-label", this.#unseen > 0 ? `${this.#unseen} new messages below` : "To the newest message");
    button.hidden = this.#isNear;
  }
}

/** With the number, which says more to whoever looks it up. */
const reason = ({ message, code }) => `${message} (${code})`;

const canEdit = (message) => message.flow === "out" && message.type === "TIMTextElem" && !message.isRevoked && message.status === "success";

/** Everything that a message's looks depend on. */
function look(message, follows) {
  const { ID, status, version, isRevoked, isPeerRead, isModified, nick, time, payload, _upload } = message;
  return JSON.stringify([ID, status, version, isRevoked, isPeerRead, isModified, nick, time, payload, _upload !== null, follows]);
}

/** Touches only what is elsewhere than it should be, so that nothing loads again or loses the focus. */
function put(list, items) {
  const wanted = new Set(items);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  let at = list.firstChild;
  for (const item of items) {
    if (item === at) at = at.nextSibling;
    else list.insertBefore(item, at);
  }
}

function enlarge(url) {
  const light = byId("light");
  light.querySelector("img").src = url;
  light.showModal();
}
