// A message as an app holds it. There is one instance for each message: what happens to the message shows in it.

import { readBody, shownText } from "./elements.js";
import type { Element, Payload } from "./elements.js";
import type { PendingUpload } from "./media.js";
import type { Message as WireMessage, MsgKey } from "./wire.js";

export type MessageStatus = "unSend" | "success" | "fail";

const RECALLED = 8;
const U32 = 2 ** 32;

/** Who is looking at messages. */
export interface Viewer {
  sdkappid: number;
  userID: string;
  /** Name and picture of people whose profile is known. */
  person(userID: string): { nick: string; avatar: string };
}

export class Message {
  ID: string;
  type = "";
  payload: Payload = {};
  conversationID: string;
  readonly conversationType = "C2C";
  to: string;
  from: string;
  flow: "in" | "out";
  /** Unix seconds. */
  time: number;
  clientTime: number;
  status: MessageStatus = "success";
  sequence = 0;
  random: number;
  isRevoked = false;
  isDeleted = false;
  isModified = false;
  isPeerRead = false;
  needReadReceipt = false;
  readReceiptInfo: { readCount?: number; unreadCount?: number; isPeerRead?: boolean } = {};
  isSupportExtension = false;
  nick = "";
  avatar = "";
  cloudCustomData = "";
  revoker = "";
  revokerInfo = { userID: "", nick: "", avatar: "" };
  revokeReason = "";
  hasRiskContent = false;
  version = 0;
  /** Every element; `type` and `payload` are those of the first. */
  _elements: Element[] = [];
  /** What the server calls it; empty until it is stored. */
  _key: MsgKey = "";
  /** It is sent from here, and so is no news. */
  _own = false;
  /** Its place in the log has been reached. The answer to its sender may come before that. */
  _reached = false;
  /** The app was given it already. */
  _given = false;
  /** It does not become the last message of the list. */
  _noLast = false;
  /** Media that has to be uploaded before the message can be sent. */
  _upload: PendingUpload | null = null;

  private constructor(from: string, to: string, viewer: Viewer, clientTime: number, random: number) {
    this.from = from;
    this.to = to;
    this.flow = from === viewer.userID ? "out" : "in";
    this.conversationID = `C2C${this.flow === "out" ? to : from}`;
    this.time = this.clientTime = clientTime;
    this.random = random;
    this.ID = messageId(viewer.sdkappid, from, clientTime, random);
    this.name(viewer);
  }

  /** A message that is yet to be sent. */
  static draft(viewer: Viewer, to: string, elements: Element[], clientTime: number, random = randomU32()): Message {
    const message = new Message(viewer.userID, to, viewer, clientTime, random);
    message.status = "unSend";
    message._own = true;
    message.show(elements);
    return message;
  }

  static received(viewer: Viewer, wire: WireMessage): Message {
    const { From_Account: from, To_Account: to } = wire;
    const message = new Message(from, to, viewer, wire.MsgClientTime, wire.MsgRandom);
    message.update(wire);
    message.name(viewer);
    return message;
  }

  /** Takes over what the server says of it. */
  update(wire: WireMessage): void {
    // An answer may be older than a push that overtook it; what is done to a message is not undone.
    if (this._key !== "" && wire.MsgVersion < this.version) return;
    this.ID = wire.MsgId;
    this._key = wire.MsgKey;
    this.status = "success";
    this.time = wire.MsgTimeStamp;
    this.sequence = wire.MsgSeq;
    this.version = wire.MsgVersion;
    this.isModified = wire.MsgVersion > 0;
    this.cloudCustomData = wire.CloudCustomData;
    this.needReadReceipt = wire.IsNeedReadReceipt === 1;
    this.isSupportExtension = wire.SupportMessageExtension === 1;
    this.hasRiskContent = wire.HasRiskContent === 1;
    if (wire.IsPeerRead === 1) this.confirmed();
    if (wire.MsgFlagBits !== RECALLED) return this.isRevoked ? undefined : this.show(readBody(wire.MsgBody));
    this.revoked();
    // One that was taken back before this client saw it: apps that look at the payload first find an empty text.
    if (this._elements.length === 0) this.show([{ type: "TIMTextElem", payload: { text: "" } }]);
  }

  confirmed(): void {
    this.isPeerRead = true;
    this.readReceiptInfo = { isPeerRead: true, readCount: 1, unreadCount: 0 };
  }

  /** Only who sent it can take it back from a device. The last content stays, so that the app can say what it was. */
  revoked(): void {
    this.isRevoked = true;
    this.revoker = this.from;
    this.revokerInfo = { userID: this.from, nick: this.nick, avatar: this.avatar };
  }

  name(viewer: Viewer): void {
    const { nick, avatar } = viewer.person(this.from);
    this.nick = nick;
    this.avatar = avatar;
  }

  show(elements: Element[]): void {
    this._elements = elements;
    const first = elements[0] ?? { type: "", payload: {} };
    this.type = first.type;
    this.payload = first.payload;
  }

  /** What the app made of it: it may have given `payload` another value, or changed it where it is. */
  elements(): Element[] {
    return [{ type: this.type, payload: this.payload }, ...this._elements.slice(1)];
  }

  /** In one line. */
  get _shown(): string {
    return this.isRevoked ? "" : shownText(this.elements());
  }
}

/** The Unix second of the message that this is the key of. */
export function keyTime(key: MsgKey): number {
  return Number(key.slice(key.lastIndexOf("_") + 1));
}

/** Order of a conversation: messages of the same second are in the order of their numbers. */
export function inOrder(a: Message, b: Message): number {
  return a.time - b.time || a.sequence - b.sequence || a.random - b.random;
}

/** Whose conversation with the user a message belongs to. */
export function peerOf(wire: WireMessage, userID: string): string {
  return wire.From_Account === userID ? wire.To_Account : wire.From_Account;
}

export function randomU32(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}

/** The server's `MsgId`, which is derived, so that a message has its name before it is sent. */
export function messageId(sdkappid: number, from: string, clientTime: number, random: number): string {
  return `${numeric(sdkappid, from)}-${clientTime}-${random}`;
}

const NUMBERS = new Map<string, string>();
const NUMBERS_LEN_MAX = 10_000;

/** The number that stands for a user inside of message ids. */
function numeric(sdkappid: number, userID: string): string {
  const name = `${sdkappid} ${userID}`;
  let number = NUMBERS.get(name);
  if (number === undefined) {
    if (NUMBERS.size >= NUMBERS_LEN_MAX) NUMBERS.clear();
    number = hash(sdkappid, userID).toString();
    NUMBERS.set(name, number);
  }
  return number;
}

function hash(sdkappid: number, userID: string): bigint {
  const base = 1n << 57n;
  let value = 0xcbf29ce484222325n;
  const app = [24, 16, 8, 0].map((shift) => Math.floor((sdkappid % U32) / 2 ** shift) % 256);
  for (const byte of [...app, ...new TextEncoder().encode(userID)]) {
    value = BigInt.asUintN(64, (value ^ BigInt(byte)) * 0x100000001b3n);
  }
  value = BigInt.asUintN(64, (value ^ (value >> 32n)) * 0x9e3779b97f4a7c15n);
  return base + ((value ^ (value >> 29n)) & (base / 2n - 1n));
}
