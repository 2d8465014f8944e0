import { expect, test } from "vitest";
import type { TextPayload } from "../src/elements.js";
import { History } from "../src/history.js";
import type { Session } from "../src/session.js";
import { Messages } from "../src/store/messages.js";
import type { HistoryAnswer, HistoryRequest, Message } from "../src/wire.js";

const viewer = { sdkappid: 1, userID: "ana", person: () => ({ nick: "", avatar: "" }) };

const said = (text: string, version: number): Message => ({
  From_Account: "bo",
  To_Account: "ana",
  MsgSeq: 1,
  MsgRandom: 2,
  MsgTimeStamp: 3,
  MsgClientTime: 3,
  MsgKey: "1_2_3",
  MsgId: "bo-3-2",
  MsgFlagBits: 0,
  MsgVersion: version,
  IsPeerRead: 0,
  IsNeedReadReceipt: 0,
  SupportMessageExtension: 0,
  CloudCustomData: "",
  MsgBody: [{ MsgType: "TIMTextElem", MsgContent: { Text: text } }],
});

/** Reads a page of a server that gives these answers one after the other; `meanwhile` happens during the first. */
async function read(answers: Message[][], meanwhile: (messages: Messages) => void) {
  const messages = new Messages(viewer);
  let asked = 0;
  const request = async (_: HistoryRequest): Promise<HistoryAnswer> => {
    if (asked === 0) meanwhile(messages);
    const page = answers[Math.min(asked, answers.length - 1)] as Message[];
    asked += 1;
    return { messages: page, complete: true, next: null };
  };
  const conversations = { peerReadUntil: () => 0 };
  const session = { connection: { request }, messages, conversations } as unknown as Session;
  const page = await new History(session).page({ conversationID: "C2Cbo" });
  return { texts: page.messageList.map((it) => (it.payload as TextPayload).text), asked };
}

test("a page that nothing overtakes is asked for once", async () => {
  expect(await read([[said("old", 0)]], () => {})).toEqual({ texts: ["old"], asked: 1 });
});

test("an edit that overtakes the page is not undone by it", async () => {
  const edited = said("new", 1);
  const pages = [[said("old", 0)], [edited]];
  expect(await read(pages, (messages) => messages.look(edited))).toEqual({ texts: ["new"], asked: 2 });
});

test("a deletion that overtakes the page is not undone by it", async () => {
  const gone = (messages: Messages) => messages.remove("bo", messages.look(said("old", 0)));
  expect(await read([[said("old", 0)], []], gone)).toEqual({ texts: [], asked: 2 });
});

test("a conversation that is cleared meanwhile stays empty", async () => {
  const cleared = (messages: Messages) => messages.removeAll("bo");
  expect(await read([[said("old", 0)], []], cleared)).toEqual({ texts: [], asked: 2 });
});
