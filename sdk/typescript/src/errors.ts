// What a rejected promise is rejected with. Codes of the server are passed on as they are; the few that the client
// itself decides on have the numbers that apps of the widely used SDK look for.

import type { WireError } from "./wire.js";

/** Codes that never come from the server. */
export const CLIENT_CODES = {
  /** `login` was not called, or `logout` was. */
  NotLoggedIn: 2024,
  /** A file cannot be sent. */
  BadFile: 2108,
  /** Somebody else changed the message first; `data.message` is the message as it stands. */
  MessageConflict: 2480,
  /** The conversation is not in the list. */
  ConversationNotFound: 2500,
  /** There is no connection, or it broke before the answer came. */
  NetworkError: 2800,
  /** There was no answer in time. */
  NetworkTimeout: 2801,
  /** A parameter cannot be what it is. */
  BadParameter: 2903,
  /** There is no such thing here, such as groups. */
  NotSupported: 2904,
  /** Too many messages wait to be sent. */
  OutboxFull: 2906,
  /** `SDK_READY` has not come yet. */
  NotReady: 2999,
} as const;

export class ChatError extends Error {
  override readonly name = "ChatError";
  constructor(
    readonly code: number,
    message: string,
    readonly data: unknown = undefined,
    /** Whether the same may succeed later. */
    readonly temporary = false,
  ) {
    super(message);
  }
}

/** The server refused the request. */
export class Refused extends ChatError {
  constructor(error: WireError) {
    super(error.code, error.text, error.message && { message: error.message }, error.temporary);
  }
}

/** The request has no answer and will get none: whether it was obeyed is unknown. */
export class Lost extends ChatError {
  constructor(text = "the connection broke before the answer came") {
    super(CLIENT_CODES.NetworkError, text, undefined, true);
  }
}

export function badParameter(text: string): ChatError {
  return new ChatError(CLIENT_CODES.BadParameter, text);
}

/** What every method resolves with. */
export interface Result<T> {
  code: 0;
  data: T;
}

export function ok<T>(data: T): Result<T> {
  return { code: 0, data };
}
