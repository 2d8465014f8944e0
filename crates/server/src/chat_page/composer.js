// Where messages are written.

import { byId, toast } from "./dom.js";
import { isEmbedded, isLookedAt } from "./frame.js";

export class Composer {
  #text = byId("text");
  #edited = null;
  #drafts = new Map();
  #peer = null;

  /** `does`: `{ send(text), files(list), edit(message, text), typed(isTyping), lastOwn() }` */
  constructor(does, signal) {
    this.does = does;
    const on = (id, name, handler) => byId(id).addEventListener(name, handler, { signal });
    on("composer", "submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    on("text", "keydown", (event) => this.#key(event));
    on("text", "input", () => {
      this.#fit();
      if (!this.#edited) this.does.typed(this.#text.value !== "");
    });
    on("text", "paste", (event) => this.#dropped(event, event.clipboardData));
    on("stop-editing", "click", () => this.#stopEditing());
    on("attach", "click", () => byId("files").click());
    on("files", "change", ({ target }) => {
      this.#take([...target.files]);
      target.value = "";
    });
    on("open", "dragover", (event) => this.#over(event, true));
    on("open", "dragleave", (event) => this.#over(event, false));
    on("open", "drop", (event) => {
      this.#over(event, false);
      this.#dropped(event, event.dataTransfer);
    });
    this.#write("");
  }

  /** What was begun in the conversation before waits there. */
  open(peer) {
    this.close();
    this.#peer = peer;
    this.#write(this.#drafts.get(peer) ?? "");
    // On a phone it would bring up the keyboard, and out of a frame it would take the focus from another.
    if (matchMedia("(hover: hover)").matches && (!isEmbedded || isLookedAt())) this.#text.focus();
  }

  close() {
    this.#stopEditing();
    if (this.#peer) this.#drafts.set(this.#peer, this.#text.value);
    this.#peer = null;
  }

  suggest(text) {
    if (!this.#edited && text) this.#write(text);
    this.#text.focus();
  }

  edit(message) {
    if (!this.#edited && this.#peer) this.#drafts.set(this.#peer, this.#text.value);
    this.#edited = message;
    byId("editing").hidden = false;
    this.#write(message.payload.text);
    this.#text.focus();
  }

  #submit() {
    const text = this.#text.value.trim();
    if (text === "") return;
    const edited = this.#edited;
    if (edited) {
      this.#stopEditing();
      if (text !== edited.payload.text) this.does.edit(edited, text);
    } else {
      this.#write("");
      this.does.send(text);
    }
    this.#text.focus();
  }

  #key(event) {
    // While a word is being composed, Enter chooses it.
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape" && this.#edited) {
      event.stopPropagation();
      this.#stopEditing();
    } else if (event.key === "ArrowUp" && this.#text.value === "" && !this.#edited) {
      const last = this.does.lastOwn();
      if (!last) return;
      event.preventDefault();
      this.edit(last);
    }
  }

  #over(event, isOver) {
    if (isOver) event.preventDefault();
    else if (event.type === "dragleave" && byId("open").contains(event.relatedTarget)) return;
    byId("open").classList.toggle("over", isOver);
  }

  #dropped(event, data) {
    const files = [...(data?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    this.#take(files);
  }

  #take(files) {
    if (this.#edited) toast("First finish editing.");
    else this.does.files(files);
  }

  #stopEditing() {
    if (!this.#edited) return;
    this.#edited = null;
    byId("editing").hidden = true;
    this.#write(this.#drafts.get(this.#peer) ?? "");
  }

  #write(text) {
    this.#text.value = text;
    this.#fit();
  }

  #fit() {
    byId("send").disabled = this.#text.value.trim() === "";
    if (CSS.supports("field-sizing", "content")) return;
    this.#text.style.setProperty("height", "auto");
    this.#text.style.setProperty("height", `${this.#text.scrollHeight + 2}px`);
  }
}
