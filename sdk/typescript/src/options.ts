// What `create` takes, and what becomes of what is left out.

import type { WebSocketConstructor } from "./connection.js";
import { badParameter } from "./errors.js";
import type { KeyValueStorage } from "./outbox.js";
import type { SessionTiming } from "./session.js";

export interface CreateOptions {
  SDKAppID: number;
  /** Where Couplet is: `https://chat.example.com`, or the address of its WebSocket, `wss://chat.example.com/ws`. */
  server: string;
  /** Needed where the environment has none, such as Node 20: that of the package `ws`. */
  WebSocket?: unknown;
  /** Keeps unsent messages over a reload of the page: `localStorage`, or something like it. */
  storage?: KeyValueStorage;
  /** Makes a new UserSig when the old one has expired. Without it, the user is logged out then. */
  refreshUserSig?: (userID: string) => Promise<string> | string;
  /** `Web`, `Android`, `iOS`, `Windows`, `Mac`, `iPad`; callbacks and login policies name it. */
  platform?: string;
  /** Stays the same from login to login. A second login with the same one replaces the first. */
  deviceID?: string;
  /** Times that seldom need to be other than they are. */
  timing?: Partial<SessionTiming>;
}

export interface Settings {
  sdkappid: number;
  url: string;
  WebSocket: WebSocketConstructor;
  storage: KeyValueStorage | null;
  refreshUserSig: CreateOptions["refreshUserSig"];
  platform: string;
  deviceID: string;
  timing: SessionTiming;
}

const TIMING: SessionTiming = {
  answerMs: 10_000,
  retryMsMin: 500,
  retryMsMax: 30_000,
  requestMs: 20_000,
  loginMs: 30_000,
  // The server recognises a repetition for 120 s. It has to arrive within that time, too.
  resendMs: 100_000,
};

export function settingsOf(options: CreateOptions): Settings {
  const { SDKAppID, server, storage, refreshUserSig, platform, deviceID } = options;
  if (!Number.isInteger(SDKAppID) || SDKAppID <= 0) throw badParameter("SDKAppID is a positive number");
  const WebSocket = (options.WebSocket ?? globalThis.WebSocket) as WebSocketConstructor | undefined;
  if (!WebSocket) {
    throw badParameter("there is no WebSocket here: pass one, create({ …, WebSocket }), for example of the package ws");
  }
  return {
    sdkappid: SDKAppID,
    url: socketUrl(server),
    WebSocket,
    storage: storage ?? null,
    refreshUserSig,
    platform: platform ?? "Web",
    deviceID: deviceID ?? ownDeviceID(),
    timing: { ...TIMING, ...options.timing },
  };
}

function socketUrl(server: string): string {
  let url: URL;
  try {
    // A page that the server itself delivers needs only its path.
    url = new URL(server, globalThis.location?.href);
  } catch {
    throw badParameter(`server is not an address: ${server}`);
  }
  url.protocol = url.protocol.replace(/^http/, "ws");
  if (url.pathname === "/") url.pathname = "/ws";
  return url.href;
}

const DEVICE_KEY = "couplet.device";

/** One for each tab, which outlives a reload: two tabs of a browser are two devices, and must not replace each other. */
function ownDeviceID(): string {
  const made = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  try {
    const kept = globalThis.sessionStorage?.getItem(DEVICE_KEY);
    if (kept) return kept;
    globalThis.sessionStorage?.setItem(DEVICE_KEY, made);
  } catch {
    // A browser that keeps nothing: then it is another device after each reload.
  }
  return made;
}
