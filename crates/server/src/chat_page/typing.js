// "… is typing": messages that are kept nowhere, in the form that other clients use as well.

const KIND = "user_typing_status";
/** Told again after so long while somebody goes on typing, and forgotten a little later. */
const REPEAT_MS = 4_000;
const FORGET_MS = 6_000;

/** Whether a message says that somebody types (true) or stopped (false); `null` if it says something else. */
export function readTyping(message) {
  if (message.type !== "TIMCustomElem") return null;
  try {
    const { businessID, typingStatus } = JSON.parse(message.payload.data);
    return businessID === KIND ? typingStatus === 1 : null;
  } catch {
    return null;
  }
}

/** Tells the peer. */
export class TypingOut {
  #toldAt = 0;
  #peer = null;

  constructor(chat) {
    this.chat = chat;
  }

  typed(peer, isTyping) {
    const now = performance.now();
    if (isTyping && peer === this.#peer && now - this.#toldAt < REPEAT_MS) return;
    if (!isTyping && peer !== this.#peer) return;
    [this.#peer, this.#toldAt] = [isTyping ? peer : null, now];
    const data = JSON.stringify({ businessID: KIND, typingStatus: isTyping ? 1 : 0, version: 1 });
    const message = this.chat.createCustomMessage({ to: peer, payload: { data, description: "", extension: "" } });
    // Nobody misses it if it does not arrive.
    this.chat.sendMessage(message, { onlineUserOnly: true }).catch(() => {});
  }

  /** A message that was sent says enough. */
  sent() {
    this.#peer = null;
  }
}

/** Hears of peers. */
export class TypingIn {
  #timers = new Map();

  /** `changed(userID, isTyping)` */
  constructor(changed, signal) {
    this.changed = changed;
    signal.addEventListener("abort", () => {
      for (const timer of this.#timers.values()) clearTimeout(timer);
    });
  }

  isTyping(userID) {
    return this.#timers.has(userID);
  }

  heard(userID, isTyping) {
    if (!isTyping && !this.isTyping(userID)) return;
    clearTimeout(this.#timers.get(userID));
    this.#timers.delete(userID);
    if (isTyping) this.#timers.set(userID, setTimeout(() => this.heard(userID, false), FORGET_MS));
    this.changed(userID, isTyping);
  }
}
