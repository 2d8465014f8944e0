// What somebody who is logged in sees and does. One instance for each login; its signal ends all of its listeners.

import Couplet from "./couplet.js";
import { Composer } from "./composer.js";
import * as credentials from "./credentials.js";
import { avatar, byId, toast } from "./dom.js";
import { isLookedAt, onSuggestion, tell } from "./frame.js";
import { openMenu } from "./menu.js";
import { nameOf, People, userOf, words } from "./people.js";
import { measure } from "./picture.js";
import { bar, view } from "./shell.js";
import { Thread } from "./thread.js";
import { readTyping, TypingIn, TypingOut } from "./typing.js";

const { EVENT, TYPES } = Couplet;
const PEOPLE_WATCHED_MAX = 100;
/** A connection that is back sooner was hardly missed. */
const PATIENCE_MS = 700;

export class Page {
  #controller = new AbortController();
  #statuses = new Map();
  #watched = new Set();
  #isReading = false;
  #patience = undefined;

  /** `does`: `{ kicked(type), loggedOut() }` */
  constructor(chat, who, does) {
    Object.assign(this, { chat, who: { ...who }, does });
    const { signal } = this.#controller;
    this.people = new People((userID) => this.open(userID), signal);
    this.typingOut = new TypingOut(chat);
    this.typingIn = new TypingIn((userID, isTyping) => this.#typed(userID, isTyping), signal);
    this.composer = new Composer(
      {
        send: (text) => this.#send(chat.createTextMessage({ to: this.thread.peer, payload: { text } })),
        files: (files) => this.#sendFiles(files),
        edit: (message, text) => this.#edit(message, text),
        typed: (isTyping) => this.#typing(isTyping),
        lastOwn: () => this.thread.lastOwn(),
      },
      signal,
    );
    this.thread = new Thread(chat, { edit: (message) => this.composer.edit(message) }, signal);
    this.#showMe(who.userid, "");
    this.#close();
    this.#net("connecting");
    this.#listen(signal);
  }

  leave() {
    clearTimeout(this.#patience);
    this.#controller.abort();
    void this.chat.destroy();
  }

  async open(userID) {
    if (!this.chat.isReady()) return toast("Wait until you are connected.");
    const conversation = this.#conversation(userID);
    const profile = conversation ? conversation.userProfile : await this.#profile(userID);
    if (!profile) return toast(`There is no user ${userID}.`);
    this.#remember(userID);
    view("thread");
    byId("nobody").hidden = true;
    byId("open").hidden = false;
    this.people.mark(userID);
    const opened = this.thread.open(userID);
    this.#header(profile);
    this.composer.open(userID);
    await Promise.all([opened, this.#watch([userID])]);
    this.#read();
  }

  #listen(signal) {
    const { chat } = this;
    const on = (name, handler) => chat.on(name, ({ data }) => signal.aborted || handler(data));
    on(EVENT.SDK_READY, () => this.#ready());
    on(EVENT.CONVERSATION_LIST_UPDATED, (list) => this.#listed(list));
    on(EVENT.TOTAL_UNREAD_MESSAGE_COUNT_UPDATED, (unread) => this.#counted(unread));
    on(EVENT.MESSAGE_RECEIVED, (messages) => this.#received(messages));
    for (const name of [EVENT.MESSAGE_MODIFIED, EVENT.MESSAGE_REVOKED, EVENT.MESSAGE_READ_BY_PEER, EVENT.MESSAGE_READ_RECEIPT_RECEIVED]) {
      on(name, () => this.thread.changed());
    }
    on(EVENT.USER_STATUS_UPDATED, (statuses) => this.#present(statuses));
    on(EVENT.PROFILE_UPDATED, ([me]) => this.#showMe(me.nick || this.who.userid, me.avatar));
    on(EVENT.NET_STATE_CHANGE, ({ state }) => this.#net(state));
    on(EVENT.KICKED_OUT, ({ type }) => this.does.kicked(type));

    byId("leave").addEventListener("click", () => this.#logOut(), { signal });
    byId("back").addEventListener("click", () => this.#back(), { signal });
    byId("peer-menu").addEventListener("click", ({ currentTarget }) => this.#peerMenu(currentTarget), { signal });
    byId("open").addEventListener("keydown", ({ key, isComposing }) => key === "Escape" && !isComposing && this.#back(), { signal });
    document.addEventListener("visibilitychange", () => this.#read(), { signal });
    for (const name of ["focus", "focusin"]) addEventListener(name, () => this.#read(), { signal });
    onSuggestion((text) => this.thread.peer && this.composer.suggest(text), signal);
    for (const name of ["online", "offline"]) addEventListener(name, () => this.#net(), { signal });
  }

  async #ready() {
    const { chat, who } = this;
    this.#listed((await chat.getConversationList()).data.conversationList);
    const { data: me } = await chat.getMyProfile();
    this.#showMe(me.nick || who.userid, me.avatar);
    if (who.peer) await this.open(who.peer);
    tell({ state: "online" });
  }

  #counted(unread) {
    document.title = unread > 0 ? `(${unread}) Chat` : "Chat";
    tell({ unread });
  }

  #showMe(name, url) {
    byId("me-name").textContent = name;
    byId("me-avatar").replaceChildren(avatar({ userID: this.who.userid, name, avatar: url }));
  }

  #listed(list) {
    this.people.show(list);
    this.thread.changed();
    const open = list.find((conversation) => userOf(conversation) === this.thread.peer);
    if (open) this.#header(open.userProfile);
    if (open?.unreadCount > 0) this.#read();
    void this.#watch(list.map(userOf));
  }

  #received(messages) {
    const news = [];
    for (const message of messages) {
      const isTyping = readTyping(message);
      if (isTyping === null) news.push(message);
      if (message.flow === "in") this.typingIn.heard(message.from, isTyping === true);
    }
    this.thread.add(news);
    this.#announce(news.filter((message) => message.flow === "in").at(-1));
    this.#read();
  }

  /** For those who do not see that a message came. */
  #announce(message) {
    if (!message) return;
    const { nick, from: fromAccount, type, payload, isRevoked } = message;
    byId("heard").textContent = `${nick || fromAccount}: ${words({ fromAccount, type, payload, isRevoked, messageForShow: "Message" }, fromAccount)}`;
  }

  #send(message, preview) {
    const done = this.chat.sendMessage(message);
    this.typingOut.sent();
    this.thread.sending(message, preview);
    void this.#settle(done.catch((error) => this.thread.failed(message, error)));
  }

  async #sendFiles(files) {
    const to = this.thread.peer;
    for (const file of files) {
      const picture = await measure(file);
      const create = picture ? "createImageMessage" : CREATE[file.type] ?? "createFileMessage";
      try {
        const onProgress = (fraction) => this.thread.progress(message, fraction);
        const message = this.chat[create]({ to, payload: { file }, onProgress });
        if (picture) Object.assign(message.payload.imageInfoArray[0], { width: picture.width, height: picture.height });
        this.#send(message, picture && URL.createObjectURL(file));
      } catch (error) {
        toast(error.message);
      }
    }
  }

  async #settle(done) {
    await done.catch((error) => toast(error.message));
    if (!this.#controller.signal.aborted) this.thread.changed();
  }

  #edit(message, text) {
    const before = message.payload;
    message.payload = { ...before, text };
    const done = this.chat.modifyMessage(message).catch((error) => {
      // After a conflict the message is what somebody else made of it.
      if (message.payload.text === text) message.payload = before;
      throw error;
    });
    this.thread.changed();
    void this.#settle(done);
  }

  #typing(isTyping) {
    const { peer } = this.thread;
    if (this.#isOnline(peer)) this.typingOut.typed(peer, isTyping);
  }

  /** What is on the screen has been read, if somebody is looking. */
  async #read() {
    const { peer } = this.thread;
    if (!peer || !isLookedAt() || this.#isReading || !this.chat.isReady()) return;
    if (!(this.#conversation(peer)?.unreadCount > 0)) return;
    this.#isReading = true;
    // Whatever comes in the meantime changes the list again, and with it this is tried again.
    await this.chat.setMessageRead({ conversationID: `C2C${peer}` }).catch(() => {});
    this.#isReading = false;
  }

  #conversation(userID) {
    return this.people.find(userID);
  }

  async #profile(userID) {
    const { data } = await this.chat.getUserProfile({ userIDList: [userID] }).catch(() => ({ data: [] }));
    return data[0];
  }

  #header(profile) {
    const { peer: userID } = this.thread;
    if (profile.userID !== userID) return;
    const conversation = this.#conversation(userID);
    const name = conversation ? nameOf(conversation) : profile.nick || userID;
    byId("peer-name").textContent = name;
    byId("peer-avatar").replaceChildren(avatar({ userID, name, avatar: profile.avatar }, this.#isOnline(userID)));
    this.#peerState();
  }

  #peerState() {
    const { peer } = this.thread;
    const status = this.#statuses.get(peer);
    const isTyping = this.typingIn.isTyping(peer);
    const custom = status?.customStatus ? ` · ${status.customStatus}` : "";
    const presence = this.#isOnline(peer) ? `online${custom}` : status ? "offline" : "";
    const element = byId("peer-state");
    const text = isTyping ? "typing…" : presence;
    if (element.textContent !== text) element.textContent = text;
    element.classList.toggle("typing", isTyping);
    byId("peer-avatar").firstChild?.classList.toggle("online", this.#isOnline(peer));
  }

  #isOnline(userID) {
    return this.#statuses.get(userID)?.statusType === TYPES.USER_STATUS_ONLINE;
  }

  #typed(userID, isTyping) {
    this.people.state(userID, { isTyping });
    if (userID === this.thread.peer) this.#peerState();
  }

  async #watch(userIDs) {
    const { chat } = this;
    const userIDList = userIDs.filter((userID) => !this.#watched.has(userID) && userID !== this.who.userid).slice(0, PEOPLE_WATCHED_MAX);
    if (userIDList.length === 0 || !chat.isReady()) return;
    for (const userID of userIDList) this.#watched.add(userID);
    try {
      await chat.subscribeUserStatus({ userIDList });
      this.#present((await chat.getUserStatus({ userIDList })).data.successUserList);
    } catch {
      for (const userID of userIDList) this.#watched.delete(userID);
    }
  }

  #present(statuses) {
    for (const status of statuses) {
      this.#statuses.set(status.userID, status);
      this.people.state(status.userID, { isOnline: this.#isOnline(status.userID) });
      if (!this.#isOnline(status.userID)) this.typingIn.heard(status.userID, false);
    }
    if (this.thread.peer) this.#peerState();
  }

  #net(state = this.netState) {
    this.netState = state;
    tell({ state: state === "connected" && this.chat.isReady() ? "online" : "connecting" });
    clearTimeout(this.#patience);
    if (state === "connected") {
      bar(null);
      this.thread.resume();
    } else if (navigator.onLine) {
      this.#patience = setTimeout(() => bar("Connecting…"), PATIENCE_MS);
    } else {
      bar("You are offline. What you write is sent when you are back.");
    }
  }

  #peerMenu(button) {
    const { peer } = this.thread;
    const conversation = this.#conversation(peer);
    const conversationID = `C2C${peer}`;
    const isQuiet = conversation && conversation.messageRemindType !== TYPES.MSG_REMIND_ACPT_AND_NOTE;
    const messageRemindType = isQuiet ? TYPES.MSG_REMIND_ACPT_AND_NOTE : TYPES.MSG_REMIND_ACPT_NOT_NOTE;
    const isPinned = conversation?.isPinned ?? false;
    const act = (done) => done.catch((error) => toast(error.message));
    // What is gone does not come back.
    const sure = (label, doIt) => openMenu(button, [{ label: "Cancel", icon: "back", act: () => button.focus() }, { label, icon: "erase", danger: true, act: doIt }]);
    openMenu(button, [
      { label: isPinned ? "Unpin" : "Pin to the top", icon: "pin", act: () => act(this.chat.pinConversation({ conversationID, isPinned: !isPinned })) },
      { label: isQuiet ? "Unmute" : "Mute", icon: isQuiet ? "ring" : "mute", act: () => act(this.chat.setMessageRemindType({ userIDList: [peer], messageRemindType })) },
      { label: "Clear history for me", icon: "hide", danger: true, act: () => sure("Yes, clear it", () => act(this.chat.clearHistoryMessage(conversationID))) },
      { label: "Delete for me", icon: "erase", danger: true, act: () => sure("Yes, delete it", () => act(this.chat.deleteConversation(conversationID).then(() => this.#back()))) },
    ]);
  }

  #close() {
    this.thread.close();
    this.composer.close();
    this.people.mark(null);
    byId("open").hidden = true;
    byId("nobody").hidden = false;
    view("list");
  }

  #back() {
    const { peer } = this.thread;
    this.#close();
    this.#remember("");
    this.people.focus(peer);
  }

  /** A reload opens the same conversation. */
  #remember(peer) {
    this.who.peer = peer;
    credentials.keep(this.who);
  }

  async #logOut() {
    await this.chat.logout();
    this.#close();
    this.leave();
    this.does.loggedOut();
  }
}

/** What is shown with a player. Other sounds and videos are files. */
const CREATE = {
  "audio/mpeg": "createAudioMessage",
  "audio/mp4": "createAudioMessage",
  "audio/ogg": "createAudioMessage",
  "audio/wav": "createAudioMessage",
  "audio/webm": "createAudioMessage",
  "video/mp4": "createVideoMessage",
  "video/webm": "createVideoMessage",
};
