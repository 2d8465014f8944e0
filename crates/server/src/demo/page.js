// The page of `couplet demo`: two clients side by side, each on its own WebSocket, and the callbacks that the app's
// backend receives. It owns no rule of the chat; it shows what the server says. Start reading at `start`, at the end.

/** How long an answer may take before the connection is taken for dead. */
const ANSWER_MS_MAX = 10_000;
const RETRY_MS_MIN = 300;
const RETRY_MS_MAX = 15_000;
/** A connection that lasted this long was a good one: the next retry begins at the shortest delay again. */
const GOOD_CONNECTION_MS_MIN = 5_000;
/** The server recognises a repeated send for 120 s. Past this, only the user may decide to send again. */
const RESEND_MS_MAX = 110_000;
const HISTORY_PAGE_LEN = 20;
const CALLBACK_ROWS_MAX = 200;
/** Nearer to the end than this, the reader wants to see what is new. */
const AT_END_PX = 60;

const byId = (id) => document.getElementById(id);
const fromTemplate = (id) => byId(id).content.firstElementChild.cloneNode(true);
const randomU32 = () => crypto.getRandomValues(new Uint32Array(1))[0];
const retryDelayMs = (attempt) =>
  Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);

const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const minutes = new Intl.DateTimeFormat([], CLOCK);
const seconds = new Intl.DateTimeFormat([], { ...CLOCK, second: "2-digit" });

async function loadSession() {
  const answer = await fetch("/demo/session", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS_MAX) });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return answer.json();
}

/** What a message says, in one line of plain text. */
function textOf(body) {
  return (body ?? []).map(({ MsgType: type, MsgContent: content }) => {
    if (type === "TIMTextElem") return content?.Text ?? "";
    if (type === "TIMCustomElem") return content?.Desc || "[Custom]";
    return `[${String(type).replace(/^TIM|Elem$/g, "")}]`;
  }).join("");
}

/* ------------------------------------------------------------------------------------------------ one connection */

/** The request has no answer and will get none: the connection is gone. Whether it was obeyed is unknown. */
class Lost extends Error {}

/** The server refused the request. */
class Refused extends Error {
  constructor({ code, text, temporary }) {
    super(text);
    this.code = code;
    this.temporary = temporary;
  }
}

/** Keeps one user connected: connects, resumes from the last position, asks, and hands out what is pushed. */
class Client {
  #userId;
  #on;
  #socket = null;
  #connected = false;
  #pending = new Map();
  #lastId = 0;
  #attempt = 0;
  #retryTimer = null;
  #heartbeatTimer = null;
  #connectedAtMs = 0;
  #position = null;
  // Until the conversation has been read once, a position would skip what has not been shown.
  #mayResume = false;

  /** `on` has `state(state, text)`, `connected(answer, isFresh)` and `pushed(push)`. */
  constructor(userId, on) {
    this.#userId = userId;
    this.#on = on;
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#hurry());
  }

  get isConnected() {
    return this.#connected;
  }

  async connect() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    this.#on.state("connecting", this.#attempt ? "Reconnecting" : "Connecting");
    // Read anew for every attempt: a demo that was started again has other keys.
    const session = await loadSession().catch(() => null);
    if (!session) return this.#retryLater();
    const socket = new WebSocket(session.ws);
    this.#socket = socket;
    const opening = setTimeout(() => this.#giveUp(socket), ANSWER_MS_MAX);
    socket.onopen = () => {
      clearTimeout(opening);
      this.#logIn(session);
    };
    socket.onmessage = ({ data }) => this.#received(JSON.parse(data));
    socket.onclose = ({ code }) => {
      clearTimeout(opening);
      this.#closed(socket, code);
    };
  }

  /** Resolves with the answer; rejects with `Refused` or `Lost`. */
  request(op, members = {}) {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return Promise.reject(new Lost());
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#giveUp(socket), ANSWER_MS_MAX);
      this.#pending.set(id, { resolve, reject, timer });
      socket.send(JSON.stringify({ id, op, ...members }));
    });
  }

  /** What is stored has been read, so from here on the position is enough. */
  resumeFromNowOn() {
    this.#mayResume = true;
  }

  async #logIn(session) {
    const socket = this.#socket;
    const user = session.users.find(({ user_id }) => user_id === this.#userId);
    const resumed = this.#mayResume ? this.#position : null;
    try {
      const answer = await this.request("connect", {
        sdkappid: session.sdkappid,
        user_id: user.user_id,
        usersig: user.usersig,
        platform: "Web",
        device_id: `demo-${user.user_id}`,
        ...(resumed && { position: resumed }),
      });
      const isFresh = !resumed || answer.resync;
      // The answer tells where the log ends. When resuming, what lies between is still to come, push by push.
      if (isFresh) {
        this.#position = answer.position;
        this.#mayResume = false;
      }
      this.#connected = true;
      this.#connectedAtMs = Date.now();
      this.#heartbeatTimer = setInterval(() => this.request("ping").catch(() => {}), answer.heartbeat_secs * 500);
      this.#on.state("online", "Online");
      this.#on.connected(answer, isFresh);
    } catch (error) {
      if (!(error instanceof Refused)) return; // `#closed` has taken care of it.
      this.#leave(socket);
      if (error.temporary) this.#retryLater();
      else this.#on.state("stopped", `${error.message} (${error.code})`);
    }
  }

  #received(frame) {
    if (frame.push) {
      if (frame.position) this.#position = frame.position;
      if (frame.push === "resync") this.#mayResume = false;
      this.#on.pushed(frame);
      return;
    }
    const waiting = this.#pending.get(frame.id);
    if (!waiting) return;
    this.#pending.delete(frame.id);
    clearTimeout(waiting.timer);
    if (frame.error) waiting.reject(new Refused(frame.error));
    else waiting.resolve(frame.ok);
  }

  /** Nothing comes from this connection any more. It may take the browser a minute to say so: do not wait for it. */
  #giveUp(socket) {
    if (socket !== this.#socket) return;
    socket.onclose = null;
    socket.close();
    this.#closed(socket, 1006);
  }

  #closed(socket, code) {
    if (socket !== this.#socket) return;
    this.#leave(socket);
    if (code >= 4500 && code <= 4999) {
      this.#on.state("stopped", "In use in another window, or signed out");
      return;
    }
    if (this.#connectedAtMs && Date.now() - this.#connectedAtMs > GOOD_CONNECTION_MS_MIN) this.#attempt = 0;
    this.#connectedAtMs = 0;
    this.#retryLater();
  }

  #leave(socket) {
    this.#socket = null;
    this.#connected = false;
    socket.onmessage = socket.onclose = null;
    socket.close();
    clearInterval(this.#heartbeatTimer);
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(new Lost());
    }
    this.#pending.clear();
  }

  #retryLater() {
    this.#on.state("waiting", "Offline, trying again");
    this.#retryTimer = setTimeout(() => this.connect(), retryDelayMs(this.#attempt++));
  }

  #hurry() {
    if (this.#retryTimer !== null) this.connect();
  }
}

/* ------------------------------------------------------------------------------------------------------ one pane */

/** What one of the two people sees. */
class Pane {
  #user;
  #peer;
  #nicks;
  #client;
  #items = []; // Shown messages, in order; those without an answer yet come last.
  #outbox = []; // Own messages without an answer, in the order of sending.
  #isSending = false;
  #unread = 0;
  #unreadFrom = new Set();
  #lastRead; // The newest message that the server was told of as read.
  #peerReadUntil = 0;

  constructor(user, peer) {
    this.#user = user;
    this.#peer = peer;
    this.#nicks = new Map([[user.user_id, user.nick], [peer.user_id, peer.nick]]);
    this.element = fromTemplate("pane-template");
    this.#fillIn();
    this.#listen();
    this.#client = new Client(user.user_id, {
      state: (state, text) => this.#showState(state, text),
      connected: (answer, isFresh) => this.#connected(answer, isFresh),
      pushed: (push) => this.#pushed(push),
    });
    this.#client.connect();
  }

  /** Puts a text before the user, who may send it or not. */
  suggest(text) {
    const input = this.#find("textarea");
    input.value = text;
    input.focus();
  }

  #find(selector) {
    return this.element.querySelector(selector);
  }

  #fillIn() {
    const { user_id: userId, nick } = this.#user;
    this.element.dataset.user = userId;
    this.element.setAttribute("aria-label", `${nick}’s window`);
    this.#find(".avatar").textContent = nick.slice(0, 1);
    this.#find("h2").textContent = nick;
    this.#find(".scroll > .empty").textContent = `Say hello to ${this.#peer.nick}.`;
    this.#find(".messages").setAttribute("aria-label", `Messages, as ${nick} sees them`);
    this.#find(".scroll").setAttribute("aria-label", `${nick}’s conversation with ${this.#peer.nick}`);
    const input = this.#find("textarea");
    input.placeholder = `Message ${this.#peer.nick}`;
    input.setAttribute("aria-label", `Message from ${nick} to ${this.#peer.nick}`);
    this.#find("form button").setAttribute("aria-label", `Send as ${nick}`);
  }

  #listen() {
    const input = this.#find("textarea");
    this.#find("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#sendTyped(input);
    });
    input.addEventListener("keydown", (event) => {
      // While a word is being composed, Enter chooses it.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#sendTyped(input);
    });
    this.#find(".earlier").addEventListener("click", () => this.#loadEarlier());
    this.#find(".again").addEventListener("click", () => this.#client.connect());
    this.element.addEventListener("focusin", () => this.#readIfLookedAt());
    addEventListener("focus", () => this.#readIfLookedAt());
    this.#followEnd();
  }

  #showState(state, text) {
    const element = this.#find(".state");
    element.dataset.state = state;
    element.textContent = text;
    this.#find(".again").hidden = state !== "stopped";
  }

  async #connected(answer, isFresh) {
    this.#showUnread(answer.unread);
    if (isFresh) await this.#loadNewest();
    this.#sendOutbox();
    this.#readIfLookedAt();
  }

  #pushed(push) {
    if (Number.isInteger(push.unread)) this.#showUnread(push.unread);
    if (push.push === "message" || push.push === "online_message") {
      const { From_Account: from } = push.message;
      if (from !== this.#user.user_id) this.#unreadFrom.add(from);
      this.#show(push.message, { isNew: true, isOnlineOnly: push.push === "online_message" });
      this.#readIfLookedAt();
    } else if (push.push === "read" && push.reader === this.#peer.user_id) {
      this.#peerReadUntil = Math.max(this.#peerReadUntil, push.read_until);
      this.#items.forEach((item) => this.#showStatus(item));
    } else if (push.push === "resync") {
      this.#loadNewest();
    }
  }

  /* History */

  async #loadNewest() {
    const page = await this.#history();
    if (!page) return;
    // What was shown may have been followed by more than a page: keep no list with a hole in it.
    const shown = new Set(page.messages.map(({ MsgKey }) => MsgKey));
    const oldest = page.messages[0]?.MsgTimeStamp ?? Infinity;
    const beyond = this.#items.filter(({ key, time }) => key && !shown.has(key) && time < oldest);
    beyond.forEach((item) => this.#remove(item));
    page.messages.forEach((message) => this.#show(message));
    this.#find(".earlier").hidden = page.complete;
    this.#client.resumeFromNowOn();
    this.#scrollToEnd();
  }

  async #loadEarlier() {
    const oldest = this.#items.find(({ key }) => key);
    const page = await this.#history(oldest?.key);
    if (!page) return;
    const scroll = this.#find(".scroll");
    const fromEnd = scroll.scrollHeight - scroll.scrollTop;
    page.messages.forEach((message) => this.#show(message));
    scroll.scrollTop = scroll.scrollHeight - fromEnd;
    this.#find(".earlier").hidden = page.complete;
  }

  /** A page, or nothing when the connection was lost meanwhile: then it is asked for again after the next one. */
  async #history(before) {
    const members = { peer: this.#peer.user_id, limit: HISTORY_PAGE_LEN, ...(before && { before }) };
    try {
      return await this.#client.request("history", members);
    } catch (error) {
      if (error instanceof Refused) this.#showState("online", `History: ${error.message} (${error.code})`);
      return null;
    }
  }

  /* Sending */

  #sendTyped(input) {
    const text = input.value.trim();
    if (!text) return;
    input.value = "";
    const item = {
      from: this.#user.user_id,
      body: [{ MsgType: "TIMTextElem", MsgContent: { Text: text } }],
      random: randomU32(),
      status: "sending",
      key: null,
      time: Infinity,
      seq: 0,
    };
    this.#insert(item, true);
    this.#scrollToEnd();
    this.#outbox.push(item);
    this.#sendOutbox();
  }

  /** One after the other, so that the conversation has the order in which they were typed. */
  async #sendOutbox() {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      while (this.#outbox.length > 0 && this.#client.isConnected) await this.#sendOne(this.#outbox[0]);
    } catch (error) {
      if (!(error instanceof Lost)) throw error; // Lost: the message stays first and is sent again, as it was.
    } finally {
      this.#isSending = false;
    }
  }

  async #sendOne(item) {
    item.firstSentMs ??= Date.now();
    if (Date.now() - item.firstSentMs > RESEND_MS_MAX) {
      this.#fail(item, "No answer came in time", true);
      return;
    }
    try {
      const { MsgKey: key, MsgTime: time } = await this.#client.request("send", {
        to: this.#peer.user_id,
        random: item.random,
        body: item.body,
      });
      this.#settle(item, key, time);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#fail(item, `${error.code}: ${error.message}`, error.temporary);
    }
  }

  /** The server has it. The push of one's own message may tell so before the answer does. */
  #settle(item, key, time) {
    this.#outbox = this.#outbox.filter((waiting) => waiting !== item);
    if (item.key) return;
    this.#remove(item);
    Object.assign(item, { key, time, seq: Number(key.split("_")[0]), status: "sent" });
    this.#insert(item, false);
  }

  #fail(item, reason, mayTryAgain) {
    this.#outbox = this.#outbox.filter((waiting) => waiting !== item);
    // It keeps its place, after what was stored before it and before whatever comes.
    const { time = 0, seq = 0 } = this.#items.findLast(({ key }) => key) ?? {};
    Object.assign(item, { status: "failed", reason, mayTryAgain, time, seq, failedAtMs: Date.now() });
    this.#showStatus(item);
  }

  #sendAgain(item) {
    this.#remove(item);
    Object.assign(item, { status: "sending", time: Infinity, firstSentMs: undefined });
    this.#insert(item, false);
    this.#outbox.push(item);
    this.#sendOutbox();
  }

  /* Reading */

  #showUnread(count) {
    this.#unread = count;
    this.#find(".badge").hidden = count === 0;
    this.#find(".badge .count").textContent = count;
  }

  async #readIfLookedAt() {
    const isLookedAt = document.hasFocus() && this.element.contains(document.activeElement);
    if (!isLookedAt || this.#unread === 0 || !this.#client.isConnected) return;
    const newest = this.#items.findLast(({ from }) => from !== this.#user.user_id)?.key;
    // The badge goes with the push that follows; until it comes, one and the same thing is not said twice.
    if (newest && newest === this.#lastRead) return;
    this.#lastRead = newest;
    try {
      for (const peer of new Set([this.#peer.user_id, ...this.#unreadFrom])) {
        await this.#client.request("read", { peer });
        this.#unreadFrom.delete(peer);
      }
    } catch {
      this.#lastRead = undefined; // Said again at the next look or connection.
    }
  }

  /* The list */

  /** Shows a message of the server's, unless it is shown already. */
  #show(message, { isNew = false, isOnlineOnly = false } = {}) {
    const { From_Account: from, MsgKey: key, MsgRandom: random, MsgTimeStamp: time, MsgSeq: seq } = message;
    if (this.#items.some((item) => item.key === key && item.from === from)) return;
    const own = from === this.#user.user_id && this.#items.find((item) => !item.key && item.random === random);
    if (own) {
      this.#settle(own, key, time);
      return;
    }
    const status = message.MsgFlagBits === 8 ? "recalled" : isOnlineOnly ? "online-only" : "sent";
    this.#insert({ from, body: message.MsgBody, random, key, time, seq, status }, isNew);
  }

  #insert(item, isNew) {
    let at = this.#items.length;
    while (at > 0 && isAfter(this.#items[at - 1], item)) at -= 1;
    item.element ??= this.#draw(item);
    item.element.classList.toggle("new", isNew);
    this.#find(".messages").insertBefore(item.element, this.#items[at]?.element ?? null);
    this.#items.splice(at, 0, item);
    this.#find(".scroll > .empty").hidden = true;
    this.#showStatus(item);
  }

  #remove(item) {
    this.#items = this.#items.filter((other) => other !== item);
    item.element.remove();
  }

  #draw(item) {
    const element = fromTemplate("message-template");
    const isOwn = item.from === this.#user.user_id;
    element.classList.toggle("own", isOwn);
    const from = element.querySelector(".from");
    from.textContent = isOwn ? "You" : (this.#nicks.get(item.from) ?? item.from);
    // Sides tell the two apart for those who see; a third sender is named for everybody.
    from.classList.toggle("hidden-visually", this.#nicks.has(item.from));
    element.querySelector(".retry").addEventListener("click", () => this.#sendAgain(item));
    return element;
  }

  #showStatus(item) {
    const { element, status, time } = item;
    element.dataset.status = status;
    element.querySelector(".text").textContent = status === "recalled" ? "Message recalled" : textOf(item.body);
    const clock = element.querySelector("time");
    const at = new Date(status === "failed" ? item.failedAtMs : time === Infinity ? Date.now() : time * 1000);
    clock.dateTime = at.toISOString();
    clock.title = seconds.format(at);
    clock.textContent = minutes.format(at);
    element.querySelector(".status").textContent = this.#statusText(item);
    element.querySelector(".retry").hidden = !(status === "failed" && item.mayTryAgain);
  }

  #statusText({ from, status, time, reason }) {
    if (status === "sending") return "Sending";
    if (status === "failed") return `Not delivered · ${reason}`;
    if (status === "online-only") return "Not stored";
    if (status === "recalled" || from !== this.#user.user_id) return "";
    return time <= this.#peerReadUntil ? "Read" : "Sent";
  }

  /** Who is at the end stays there: when messages come, and when a phone's keyboard slides in. */
  #followEnd() {
    const scroll = this.#find(".scroll");
    let isAtEnd = true;
    scroll.addEventListener("scroll", () => {
      isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < AT_END_PX;
    });
    const observer = new ResizeObserver(() => isAtEnd && this.#scrollToEnd());
    observer.observe(scroll);
    observer.observe(this.#find(".messages"));
  }

  #scrollToEnd() {
    const scroll = this.#find(".scroll");
    scroll.scrollTop = scroll.scrollHeight;
  }
}

/** The order of a conversation: by second, then by the server's sequence number. */
const isAfter = (a, b) => a.time > b.time || (a.time === b.time && a.seq > b.seq);

/* ------------------------------------------------------------------------------------------------- the callbacks */

/** What the app's backend received, newest first. */
class Callbacks {
  #seen = new Set();
  #eventIds = new Set();
  #deliveredAtMs = [];
  #messages = 0;
  #refused = 0;
  #received = 0;
  #attempt = 0;
  #onReceived;

  constructor(onReceived) {
    this.#onReceived = onReceived;
    setInterval(() => this.#showPerMinute(), 1_000);
    this.#connect();
  }

  #connect() {
    const source = new EventSource("/demo/callbacks");
    source.onopen = () => {
      this.#attempt = 0;
      this.#showState("online", "Live");
      // What is repeated on connecting is not news: only what follows is read out.
      setTimeout(() => byId("callbacks").removeAttribute("aria-busy"), 1_000);
    };
    source.onmessage = ({ data, lastEventId }) => this.#show(JSON.parse(data), lastEventId);
    source.onerror = () => {
      this.#showState("waiting", "Offline, trying again");
      // The browser comes back by itself, except after an answer that was no stream.
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(() => this.#connect(), retryDelayMs(this.#attempt++));
    };
  }

  #showState(state, text) {
    byId("receiver-state").dataset.state = state;
    byId("receiver-state").textContent = text;
  }

  #show(callback, streamId) {
    const { at_ms: atMs, event_id: eventId, body } = callback;
    // The number alone would not do: a demo that was started again counts from the beginning.
    const identity = `${streamId}|${atMs}`;
    if (this.#seen.has(identity)) return;
    this.#seen.add(identity);
    const isRepeat = Boolean(eventId) && this.#eventIds.has(eventId);
    if (eventId) this.#eventIds.add(eventId);
    const facts = describe(body);
    this.#count(facts, atMs, isRepeat);
    this.#addRow(callback, facts, isRepeat);
    this.#onReceived(body);
  }

  #count(facts, atMs, isRepeat) {
    this.#received += 1;
    if (!isRepeat && facts.result === "delivered") {
      this.#messages += 1;
      this.#deliveredAtMs.push(atMs);
    }
    if (!isRepeat && facts.result === "refused") this.#refused += 1;
    byId("count-callbacks").textContent = this.#received;
    byId("count-messages").textContent = this.#messages;
    byId("count-refused").textContent = this.#refused;
    byId("count-refused").classList.toggle("alarm", this.#refused > 0);
    this.#showPerMinute();
  }

  #showPerMinute() {
    const since = Date.now() - 60_000;
    this.#deliveredAtMs = this.#deliveredAtMs.filter((atMs) => atMs > since);
    byId("count-per-minute").textContent = this.#deliveredAtMs.length;
  }

  #addRow(callback, facts, isRepeat) {
    const { at_ms: atMs, signature, body } = callback;
    const row = fromTemplate("callback-template");
    const cell = (name) => row.querySelector(name);
    const [service, name] = splitCommand(body.CallbackCommand);
    row.dataset.command = body.CallbackCommand;
    row.classList.add("new");
    cell("time").dateTime = new Date(atMs).toISOString();
    cell("time").textContent = seconds.format(atMs);
    cell(".service").textContent = service;
    cell(".name").textContent = name;
    cell(".people").textContent = facts.people.filter(Boolean).join(" → ");
    cell(".preview").textContent = facts.text;
    cell(".result").textContent = facts.resultText + (isRepeat ? " again" : "");
    cell(".result").dataset.result = facts.result;
    cell(".unread").toggleAttribute("data-none", facts.unread === undefined);
    cell(".unread .number").textContent = String(facts.unread ?? "–").replace("-", "−");
    cell(".signature").textContent = { valid: "✓ valid", invalid: "✗ invalid" }[signature] ?? "none";
    cell(".signature").dataset.signature = signature;
    cell(".after").textContent = afterText(atMs, body.EventTime);
    // Two hundred bodies are a lot of nodes: each is laid out when it is first asked for.
    row.querySelector("details").addEventListener("toggle", () => showExact(row, callback), { once: true });
    const rows = byId("callbacks");
    rows.prepend(row);
    while (rows.children.length > CALLBACK_ROWS_MAX) rows.lastElementChild.remove();
    byId("callbacks-empty").hidden = true;
  }
}

/** What a row says of a callback: who, what, and how it ended. */
function describe(body) {
  const facts = {
    people: [body.From_Account, body.To_Account],
    text: "",
    result: "told",
    resultText: "–",
    unread: body.UnreadMsgNum,
  };
  switch (body.CallbackCommand) {
    case "C2C.CallbackBeforeSendMsg":
      return { ...facts, text: textOf(body.MsgBody), resultText: "asked" };
    case "C2C.CallbackAfterSendMsg":
    case "Bot.OnC2CMessage":
      return body.SendMsgResult === 0
        ? { ...facts, text: textOf(body.MsgBody), result: "delivered", resultText: "delivered" }
        : { ...facts, text: textOf(body.MsgBody), result: "refused", resultText: `refused ${body.SendMsgResult}` };
    case "C2C.CallbackAfterMsgReport":
      return {
        ...facts,
        people: [body.Report_Account, body.Peer_Account],
        text: `has read up to ${seconds.format(body.LastReadTime * 1000)}`,
      };
    case "C2C.CallbackAfterMsgWithDraw":
      return { ...facts, text: "recalled a message" };
    case "C2C.CallbackAfterModifyMsg":
      return { ...facts, text: textOf(body.MsgBody), resultText: "edited" };
    case "State.StateChange":
      return { ...facts, people: [body.Info?.To_Account], text: `${body.Info?.Action} (${body.Info?.Reason})` };
    default:
      return facts;
  }
}

/** `C2C.CallbackAfterSendMsg` in its two parts; both on screen, the second more so. */
function splitCommand(command = "") {
  const dot = command.indexOf(".") + 1;
  return [command.slice(0, dot), command.slice(dot)];
}

/** From the event to the receiver's having it; both clocks are this machine's. */
function afterText(atMs, eventTimeMs) {
  if (!eventTimeMs) return "–";
  const ms = Math.max(0, atMs - Number(eventTimeMs));
  return ms < 1 ? "<1 ms" : ms < 10_000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`;
}

function showExact(row, { url, event_id: eventId, body }) {
  row.querySelector(".request code").textContent = url;
  row.querySelector(".exact pre code").append(...colouredJson(JSON.stringify(body, null, 2)));
  row.querySelector(".event").textContent = eventId ? `webhook-id: ${eventId} (the same on every attempt)` : "";
}

/** The JSON unchanged, its names, texts and other values in elements of their own. */
function* colouredJson(json) {
  let end = 0;
  for (const match of json.matchAll(/("(?:[^"\\]|\\.)*")(:?)|-?\d[\d.eE+-]*|true|false|null/g)) {
    yield json.slice(end, match.index);
    const [, text, colon] = match;
    const span = document.createElement("span");
    span.className = text ? (colon ? "json-name" : "json-text") : "json-value";
    span.textContent = text ?? match[0];
    yield span;
    yield colon ?? "";
    end = match.index + match[0].length;
  }
  yield json.slice(end);
}

/* ------------------------------------------------------------------------------------------------ the curl command */

/** The command with which a backend sends a message; always with a `MsgRandom` that has not been used. */
class CurlCommand {
  #session;
  #random;

  constructor(session) {
    this.#session = session;
    this.#renew();
    byId("curl-copy").disabled = false;
    byId("curl-copy").addEventListener("click", () => this.#copy());
  }

  /** Once the message has arrived, the next one needs another number. */
  received(body) {
    if (body.MsgRandom === this.#random) this.#renew();
  }

  #renew() {
    const { rest, sdkappid, admin, users: [from, to] } = this.#session;
    this.#random = randomU32();
    const { identifier, usersig } = admin;
    const query = new URLSearchParams({ sdkappid, identifier, usersig, random: randomU32(), contenttype: "json" });
    const text = `Hello ${to.nick}, this is ${from.nick} by way of the backend`;
    const members = Object.entries({
      SyncOtherMachine: 1,
      From_Account: from.user_id,
      To_Account: to.user_id,
      MsgRandom: this.#random,
      MsgBody: [{ MsgType: "TIMTextElem", MsgContent: { Text: text } }],
    });
    const body = members.map(([name, value]) => `  "${name}": ${JSON.stringify(value)}`).join(",\n");
    byId("curl").textContent = [
      `curl ${shellQuoted(`${rest}/v4/openim/sendmsg?${query}`)} \\`,
      `  -H 'Content-Type: application/json' \\`,
      `  -d ${shellQuoted(`{\n${body}\n}`)}`,
    ].join("\n");
  }

  async #copy() {
    this.#renew();
    const button = byId("curl-copy");
    try {
      await navigator.clipboard.writeText(byId("curl").textContent);
      button.textContent = "Copied";
    } catch {
      // Only a page from this machine or over TLS may use the clipboard; elsewhere the user copies what is selected.
      getSelection().selectAllChildren(byId("curl"));
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2_000);
  }
}

const shellQuoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/* ---------------------------------------------------------------------------------------------------------- start */

async function start() {
  let session = null;
  for (let attempt = 0; !session; attempt += 1) {
    session = await loadSession().catch(() => null);
    if (!session) await new Promise((resolve) => setTimeout(resolve, retryDelayMs(attempt)));
  }
  byId("notice").hidden = true;

  const [left, right] = session.users;
  const panes = [new Pane(left, right), new Pane(right, left)];
  byId("panes").append(...panes.map(({ element }) => element));

  const curl = new CurlCommand(session);
  new Callbacks((body) => curl.received(body));

  if (session.filtered_word) {
    byId("try-word").textContent = session.filtered_word;
    byId("try-word").addEventListener("click", () => panes[0].suggest(session.filtered_word));
    byId("hint").hidden = false;
  }
  // On a phone this would bring up the keyboard over the page that is to be seen.
  if (matchMedia("(pointer: fine)").matches) panes[0].element.querySelector("textarea").focus();
}

start();
