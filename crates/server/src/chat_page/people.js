// The list of conversations.

import { avatar, byId, h, icon, rove } from "./dom.js";
import { moment } from "./when.js";

const WORDS = {
  TIMImageElem: "Picture",
  TIMSoundElem: "Voice message",
  TIMVideoFileElem: "Video",
  TIMFileElem: "File",
  TIMLocationElem: "Place",
  TIMFaceElem: "Sticker",
  TIMRelayElem: "Forwarded messages",
};
const UNREAD_SHOWN_MAX = 99;

export class People {
  #list = byId("conversations");
  #shown = [];
  #current = null;
  #states = new Map();

  /** `choose(userID)` opens a conversation. */
  constructor(choose, signal) {
    this.choose = choose;
    rove(this.#list, ".person", signal);
    const input = byId("begin-with");
    const begin = (event) => {
      event.preventDefault();
      const userID = input.value.trim();
      if (userID) choose(userID);
      input.value = "";
    };
    byId("begin").addEventListener("submit", begin, { signal });
    this.#draw();
  }

  show(conversations) {
    this.#shown = conversations;
    this.#draw();
    byId("no-conversations").hidden = conversations.length > 0;
  }

  /** The one that is open. */
  mark(userID) {
    this.#current = userID;
    this.#draw();
  }

  /** `state`: `{ isOnline, isTyping }` */
  state(userID, state) {
    this.#states.set(userID, { ...this.#states.get(userID), ...state });
    this.#draw();
  }

  find(userID) {
    return this.#shown.find((conversation) => userOf(conversation) === userID);
  }

  focus(userID) {
    const all = [...this.#list.querySelectorAll(".person")];
    (all.find((it) => it.dataset.user === userID) ?? all[0] ?? byId("begin-with")).focus();
  }

  #draw() {
    const focused = document.activeElement?.closest?.(".person")?.dataset.user;
    const reached = focused ?? this.#current;
    const hasReached = this.#shown.some((it) => userOf(it) === reached);
    const items = this.#shown.map((conversation, at) => {
      const isReached = hasReached ? userOf(conversation) === reached : at === 0;
      return h("li", {}, this.#person(conversation, isReached));
    });
    this.#list.replaceChildren(...items);
    if (focused) this.focus(focused);
  }

  #person(conversation, isReached) {
    const { unreadCount, lastMessage, isPinned, messageRemindType } = conversation;
    const userID = userOf(conversation);
    const name = nameOf(conversation);
    const { isOnline = false, isTyping = false } = this.#states.get(userID) ?? {};
    const isQuiet = messageRemindType !== "AcceptAndNotify";
    const count = unreadCount > UNREAD_SHOWN_MAX ? `${UNREAD_SHOWN_MAX}+` : `${unreadCount}`;
    const button = h(
      "button",
      {
        class: ["person", isQuiet && "quiet", unreadCount > 0 && "unread"].filter(Boolean).join(" "),
        type: "button",
        "aria-current": userID === this.#current ? "true" : null,
        tabindex: isReached ? 0 : -1,
        onclick: () => this.choose(userID),
      },
      avatar({ userID, name, avatar: conversation.userProfile.avatar }, isOnline),
      h("span", { class: "name" }, h("b", {}, name), isOnline && unseen("online"), isQuiet && sign("mute", "muted"), isPinned && sign("pin", "pinned")),
      lastMessage && h("time", {}, moment(lastMessage.lastTime)),
      h("span", { class: isTyping ? "last typing" : "last" }, isTyping ? "typing…" : lastMessage ? words(lastMessage, userID) : ""),
      unreadCount > 0 && h("span", { class: "count" }, count, unseen("unread")),
    );
    button.dataset.user = userID;
    return button;
  }
}

export const userOf = (conversation) => conversation.conversationID.slice(3);

export function nameOf(conversation) {
  return conversation.remark || conversation.userProfile.nick || userOf(conversation);
}

/** Of messages as of conversations. */
export function words(last, peer) {
  const isOwn = last.fromAccount !== peer;
  if (last.isRevoked) return isOwn ? "You took a message back" : "A message was taken back";
  const what = last.type === "TIMTextElem" ? last.payload.text : (WORDS[last.type] ?? last.messageForShow);
  return isOwn ? `You: ${what}` : what;
}

const unseen = (text) => h("span", { class: "unseen" }, ` ${text}`);
const sign = (name, label) => h("span", { class: "sign" }, icon(name), unseen(label));
