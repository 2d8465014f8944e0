// The page of `couplet demo`: the chat page twice, side by side, and the callbacks that the app's backend receives. It
// owns no rule of the chat. Start reading at `start`, at the end.

/** How long an answer may take before it is asked for again. */
const ANSWER_MS_MAX = 10_000;
const RETRY_MS_MIN = 300;
const RETRY_MS_MAX = 15_000;
const CALLBACK_ROWS_MAX = 200;

const byId = (id) => document.getElementById(id);
const fromTemplate = (id) => byId(id).content.firstElementChild.cloneNode(true);
const randomU32 = () => crypto.getRandomValues(new Uint32Array(1))[0];
const retryDelayMs = (attempt) =>
  Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);

const seconds = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** Asks until the server answers. */
async function loadSession() {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const answer = await fetch("/demo/session", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS_MAX) });
      if (answer.ok) return await answer.json();
    } catch {
      // It is not there yet, or not any more.
    }
    await new Promise((resolve) => setTimeout(resolve, retryDelayMs(attempt)));
  }
}

/** What a message says, in one line of plain text. */
function textOf(body) {
  return (body ?? []).map(({ MsgType: type, MsgContent: content }) => {
    if (type === "TIMTextElem") return content?.Text ?? "";
    if (type === "TIMCustomElem") return content?.Desc || "[Custom]";
    return `[${String(type).replace(/^TIM|Elem$/g, "")}]`;
  }).join("");
}

/* ------------------------------------------------------------------------------------------------------ one pane */

const STATES = {
  connecting: ["waiting", "Connecting"],
  online: ["online", "Online"],
  kicked: ["stopped", "Logged out"],
  login: ["stopped", "Logged out"],
};

/** The chat page as one of the two people has it, in a frame. */
class Pane {
  #userId;
  #peerId;
  #frame;
  #attempt = 0;
  #onOnline;

  /** `onOnline` is called once, when there is somebody to write as. */
  constructor(session, userId, onOnline) {
    const find = (wanted) => session.users.find(({ user_id }) => wanted(user_id));
    const [user, peer] = [find((id) => id === userId), find((id) => id !== userId)];
    this.#userId = userId;
    this.#peerId = peer.user_id;
    this.#onOnline = onOnline;
    this.element = fromTemplate("pane-template");
    this.element.dataset.user = userId;
    this.element.querySelector("h2").textContent = user.nick;
    this.#frame = this.element.querySelector("iframe");
    this.#frame.title = `${user.nick}’s chat`;
    // It keeps what a reload needs under this name.
    this.#frame.name = userId;
    addEventListener("message", ({ source, origin, data }) => {
      if (source === this.#frame.contentWindow && origin === location.origin && data?.chat) this.#told(data.chat);
    });
    this.#logIn(session);
  }

  /** Puts a text before the user, who may send it or not. The chat page takes the focus by itself. */
  suggest(text) {
    this.#frame.contentWindow.postMessage({ suggest: text }, location.origin);
  }

  #logIn({ sdkappid, users }) {
    const { user_id: userid, usersig } = users.find(({ user_id }) => user_id === this.#userId);
    this.#frame.src = `/chat#${new URLSearchParams({ sdkappid, userid, usersig, peer: this.#peerId })}`;
  }

  #told({ state, unread }) {
    if (unread !== undefined) {
      this.element.querySelector(".badge").hidden = unread === 0;
      this.element.querySelector(".badge .count").textContent = unread;
    }
    if (!STATES[state]) return;
    const element = this.element.querySelector(".state");
    [element.dataset.state, element.textContent] = STATES[state];
    if (state === "login") void this.#logInAgain();
    if (state !== "online") return;
    this.#attempt = 0;
    this.#onOnline?.();
    this.#onOnline = null;
  }

  /** A demo that was started again has other keys. */
  async #logInAgain() {
    await new Promise((resolve) => setTimeout(resolve, retryDelayMs(this.#attempt++)));
    this.#logIn(await loadSession());
  }
}

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
    if (isTyping(body)) return;
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

/** That somebody types is told with messages that are not kept. They are callbacks as well, and would drown the rest. */
const isTyping = ({ OnlineOnlyFlag, MsgBody }) =>
  OnlineOnlyFlag === 1 && MsgBody?.some(({ MsgContent }) => MsgContent?.Data?.includes("user_typing_status"));

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
  const session = await loadSession();
  byId("notice").hidden = true;

  // On a phone this would bring up the keyboard over the page that is to be seen.
  const begin = () => matchMedia("(pointer: fine)").matches && document.activeElement === document.body && panes[0].suggest("");
  const panes = session.users.map(({ user_id }, at) => new Pane(session, user_id, at === 0 ? begin : null));
  byId("panes").append(...panes.map(({ element }) => element));

  const curl = new CurlCommand(session);
  new Callbacks((body) => curl.received(body));

  if (session.filtered_word) {
    byId("try-word").textContent = session.filtered_word;
    byId("try-word").addEventListener("click", () => panes[0].suggest(session.filtered_word));
    byId("hint").hidden = false;
  }
}

start();
