// Making messages. Nothing is asked of the server until a message is sent.

import { badParameter } from "./errors.js";
import type { Element, ImagePayload, Payload } from "./elements.js";
import { draftPayload, prepareUpload, releaseDraft, snapshotOf, upload } from "./media.js";
import type { MediaKind } from "./media.js";
import { Message } from "./message.js";
import type { Session } from "./session.js";

export interface MessageOptions {
  to: string;
  conversationType?: string;
  payload: any;
  cloudCustomData?: string;
  needReadReceipt?: boolean;
  isSupportExtension?: boolean;
  /** From 0 to 1, while a file is being uploaded. */
  onProgress?: (fraction: number) => void;
  [other: string]: unknown;
}

const MEDIA_TYPES: Record<MediaKind, string> = {
  image: "TIMImageElem",
  sound: "TIMSoundElem",
  video: "TIMVideoFileElem",
  file: "TIMFileElem",
};

export class Drafts {
  constructor(
    private readonly session: () => Session,
    private readonly socketUrl: string,
  ) {}

  text(options: MessageOptions): Message {
    if (typeof options.payload?.text !== "string" || options.payload.text === "") {
      throw badParameter("payload.text is a text that is not empty");
    }
    return this.of("TIMTextElem", options);
  }

  of(type: string, options: MessageOptions): Message {
    if (typeof options.payload !== "object" || options.payload === null) throw badParameter("payload is missing");
    return this.#make(options, [{ type, payload: { ...options.payload } }]);
  }

  media(kind: MediaKind, options: MessageOptions): Message {
    const prepared = prepareUpload(kind, options.payload?.file, options.onProgress);
    const given = facts(options.payload);
    const message = this.#make(options, [{ type: MEDIA_TYPES[kind], payload: draftPayload(prepared, given) }]);
    message._upload = { ...prepared, given, snapshot: options.payload.snapshot };
    return message;
  }

  merger(options: MessageOptions): Message {
    const { messageList, compatibleText } = options.payload as { messageList?: Message[]; compatibleText?: string };
    if (!compatibleText) throw badParameter("payload.compatibleText is missing");
    if (!messageList?.length || messageList.some((message) => message.status !== "success")) {
      throw badParameter("payload.messageList has messages that are stored");
    }
    return this.of("TIMRelayElem", { ...options, payload: { abstractList: [], title: "", ...options.payload } });
  }

  forward(options: MessageOptions): Message {
    const original = options.payload as Message;
    if (!(original instanceof Message) || original.isRevoked) throw badParameter("payload is a message to pass on");
    const copies = original.elements().map(({ type, payload }) => ({ type, payload: structuredClone(payload) }));
    const cloudCustomData = options.cloudCustomData ?? original.cloudCustomData;
    return this.#make({ ...options, cloudCustomData }, copies);
  }

  /** Brings the file of a message to the server. Done once: a message that is sent again has its address. */
  async upload(message: Message): Promise<void> {
    const pending = message._upload;
    if (!pending) return;
    const connection = this.session().connection;
    const base = this.socketUrl.replace(/^ws/, "http");
    const permit = (request: Parameters<typeof connection.request>[0]) =>
      connection.request<"upload">(request as never);
    const payload: Payload = await upload(pending, pending.given, base, permit);
    if (pending.snapshot) {
      const picture = prepareUpload("image", pending.snapshot);
      Object.assign(payload, snapshotOf((await upload(picture, {}, base, permit)) as ImagePayload));
    }
    releaseDraft(message.payload);
    message._upload = null;
    message.show([{ type: message.type, payload }]);
  }

  #make(options: MessageOptions, elements: Element[]): Message {
    const session = this.session();
    if (!options.to) throw badParameter("to is missing");
    if (options.conversationType !== undefined && options.conversationType !== "C2C") {
      throw badParameter("conversationType is C2C: there are no groups");
    }
    const clientTime = Math.floor(session.connection.nowMs() / 1000);
    const message = Message.draft(session, String(options.to), elements, clientTime);
    message.cloudCustomData = options.cloudCustomData ?? "";
    message.needReadReceipt = options.needReadReceipt ?? false;
    message.isSupportExtension = options.isSupportExtension ?? false;
    return message;
  }
}

/** What an app says of a file besides giving it. */
function facts({ file, duration }: { file?: { duration?: number }; duration?: number }): Record<string, unknown> {
  return { duration: duration ?? file?.duration };
}
