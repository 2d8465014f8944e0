import { afterAll, beforeAll, expect, test } from "vitest";
import Couplet from "../src/index.js";
import type { Conversation, Message } from "../src/index.js";
import { Device, textOf } from "./device.js";
import { Server } from "./server.js";

const { EVENT, TYPES } = Couplet;
let server: Server;

beforeAll(async () => {
  server = await Server.start();
});
afterAll(() => server.stop());

async function list(device: Device): Promise<Conversation[]> {
  return (await device.chat.getConversationList()).data.conversationList;
}

/** Waits until the list is told so. */
function listed(device: Device, wanted: (conversations: Conversation[]) => boolean): Promise<Conversation[]> {
  return device.event<Conversation[]>(EVENT.CONVERSATION_LIST_UPDATED, wanted);
}

const only = (wanted: (conversation: Conversation) => boolean) => (all: Conversation[]) =>
  all.length === 1 && wanted(all[0] as Conversation);

test("conversations are counted, shown and read on every device", async () => {
  const ana = await Device.online("ana1", server.url);
  const phone = await Device.online("bo1", server.url, { platform: "iOS" });
  for (const text of ["one", "two", "three"]) await ana.say("bo1", text);
  const [conversation] = await listed(phone, only(({ unreadCount }) => unreadCount === 3));
  expect(conversation).toMatchObject({
    conversationID: "C2Cana1",
    type: "C2C",
    isPinned: false,
    messageRemindType: "AcceptAndNotify",
    lastMessage: { messageForShow: "three", fromAccount: "ana1", type: "TIMTextElem", isRevoked: false },
  });
  expect(phone.chat.getTotalUnreadMessageCount()).toBe(3);
  // Another device comes later, and finds the same.
  const page = await Device.online("bo1", server.url);
  expect(await list(page)).toEqual(await list(phone));
  await page.chat.setMessageRead({ conversationID: "C2Cana1" });
  await Promise.all([page, phone].map((device) => listed(device, only(({ unreadCount }) => unreadCount === 0))));
  await phone.event(EVENT.TOTAL_UNREAD_MESSAGE_COUNT_UPDATED, (count) => count === 0);
  const read = await ana.event<Message[]>(EVENT.MESSAGE_READ_BY_PEER);
  expect(read.map(textOf)).toEqual(["one", "two", "three"]);
  expect((await ana.chat.getMessageList({ conversationID: "C2Cbo1" })).data.messageList.every((it) => it.isPeerRead)).toBe(true);
});

test("what does not count is not counted, and what does not show is not shown", async () => {
  const ana = await Device.online("ana2", server.url);
  const bo = await Device.online("bo2", server.url);
  await ana.say("bo2", "shown");
  const silent = { messageControlInfo: { excludedFromUnreadCount: true, excludedFromLastMessage: true } };
  await ana.chat.sendMessage(ana.text("bo2", "silent"), silent);
  await ana.chat.sendMessage(ana.text("bo2", "passing"), { onlineUserOnly: true });
  await bo.until(() => bo.received().length === 3);
  await listed(bo, only((it) => it.unreadCount === 1 && it.lastMessage?.messageForShow === "shown"));
  await expect(
    ana.chat.sendMessage(ana.text("bo2", "x"), { onlineUserOnly: true, ...silent }),
  ).rejects.toMatchObject({ code: 2903 });
});

test("a message that is taken back is gone for both, and counts no longer", async () => {
  const ana = await Device.online("ana3", server.url);
  const bo = await Device.online("bo3", server.url);
  const message = await ana.say("bo3", "oops");
  await listed(bo, only(({ unreadCount }) => unreadCount === 1));
  const { data } = await ana.chat.revokeMessage(message);
  expect(data.message.isRevoked).toBe(true);
  const [revoked] = await bo.event<Message[]>(EVENT.MESSAGE_REVOKED);
  expect([revoked?.ID, revoked?.isRevoked, revoked?.revoker]).toEqual([message.ID, true, "ana3"]);
  await listed(bo, only((it) => it.unreadCount === 0 && it.lastMessage?.isRevoked === true));
  await expect(bo.chat.revokeMessage(revoked as Message)).rejects.toMatchObject({ code: expect.any(Number) });
});

test("an edit is told to both, and one that comes too late gets what is there", async () => {
  const ana = await Device.online("ana4", server.url);
  const bo = await Device.online("bo4", server.url);
  const mine = await ana.say("bo4", "at noon");
  const [theirs] = (await bo.event<Message[]>(EVENT.MESSAGE_RECEIVED)) as [Message];
  // The same message before the edit, as a device has it that has not heard of the edit yet.
  const stale = Object.assign(Object.create(Object.getPrototypeOf(theirs)), structuredClone({ ...theirs })) as Message;
  (mine.payload as { text: string }).text = "at one";
  await ana.chat.modifyMessage(mine);
  const [modified] = await bo.event<Message[]>(EVENT.MESSAGE_MODIFIED);
  expect([modified?.payload, modified?.isModified, modified?.version]).toEqual([{ text: "at one" }, true, 1]);
  expect(modified).toBe(theirs);
  stale.payload = { text: "at two" };
  await expect(bo.chat.modifyMessage(stale)).rejects.toMatchObject({
    code: 2480,
    data: { message: { payload: { text: "at one" }, version: 1 } },
  });
});

test("a message is confirmed one by one where that was asked for", async () => {
  const ana = await Device.online("ana5", server.url);
  const bo = await Device.online("bo5", server.url);
  const asked = await ana.say("bo5", "did you see?", { needReadReceipt: true });
  const other = await ana.say("bo5", "never mind");
  await bo.until(() => bo.received().length === 2);
  const { data } = await bo.chat.getMessageList({ conversationID: "C2Cana5" });
  await bo.chat.sendMessageReadReceipt(data.messageList);
  const [receipt] = await ana.event(EVENT.MESSAGE_READ_RECEIPT_RECEIVED);
  expect(receipt).toMatchObject({ messageID: asked.ID, userID: "bo5", isPeerRead: true });
  const receipts = (await ana.chat.getMessageReadReceiptList([asked, other])).data.messageReceiptList;
  expect(receipts.map(({ messageID, isPeerRead }) => [messageID, isPeerRead])).toEqual([
    [asked.ID, true],
    [other.ID, false],
  ]);
  expect(bo.chat.getTotalUnreadMessageCount()).toBe(2);
});

test("pairs on a message are set, read and deleted", async () => {
  const ana = await Device.online("ana6", server.url);
  const bo = await Device.online("bo6", server.url);
  const message = await ana.say("bo6", "lunch?", { isSupportExtension: true });
  const [received] = (await bo.event<Message[]>(EVENT.MESSAGE_RECEIVED)) as [Message];
  await bo.chat.setMessageExtensions(received, [{ key: "yes", value: "bo" }, { key: "no", value: "" }]);
  const told = await ana.event(EVENT.MESSAGE_EXTENSIONS_UPDATED);
  expect(told).toEqual({ messageID: message.ID, extensions: [{ key: "yes", value: "bo" }, { key: "no", value: "" }] });
  await bo.chat.deleteMessageExtensions(received, ["no"]);
  expect((await ana.chat.getMessageExtensions(message)).data.extensions).toEqual([{ key: "yes", value: "bo" }]);
  await bo.chat.deleteMessageExtensions(received);
  expect((await ana.chat.getMessageExtensions(message)).data.extensions).toEqual([]);
});

test("what a person deletes is gone for them, on all of their devices, and there for the other", async () => {
  const ana = await Device.online("ana7", server.url);
  const bo = await Device.online("bo7", server.url);
  const other = await Device.online("bo7", server.url);
  await ana.say("bo7", "one");
  await ana.say("bo7", "two");
  await bo.until(() => bo.received().length === 2);
  const { data } = await bo.chat.getMessageList({ conversationID: "C2Cana7" });
  await bo.chat.deleteMessage([data.messageList[1] as Message]);
  await listed(other, only((it) => it.unreadCount === 1 && it.lastMessage?.messageForShow === "one"));
  const texts = async (device: Device, peer: string) =>
    (await device.chat.getMessageList({ conversationID: `C2C${peer}` })).data.messageList.map(textOf);
  expect([await texts(bo, "ana7"), await texts(ana, "bo7")]).toEqual([["one"], ["one", "two"]]);
  await bo.chat.clearHistoryMessage("C2Cana7");
  await listed(other, only((it) => it.unreadCount === 0 && it.lastMessage === undefined));
  expect([await texts(bo, "ana7"), await texts(ana, "bo7")]).toEqual([[], ["one", "two"]]);
  await bo.chat.deleteConversation("C2Cana7");
  await listed(other, (all) => all.length === 0);
});

test("pins, marks, notes and reminders reach the other devices", async () => {
  const bo = await Device.online("bo8", server.url);
  const other = await Device.online("bo8", server.url);
  for (const name of ["ana8", "cleo8"]) await (await Device.online(name, server.url)).say("bo8", `from ${name}`);
  await listed(other, (all) => all.length === 2);
  const conversationIDList = ["C2Cana8"];
  await bo.chat.pinConversation({ conversationID: "C2Cana8", isPinned: true });
  await bo.chat.markConversation({ conversationIDList, markType: TYPES.CONV_MARK_TYPE_STAR, enableMark: true });
  await bo.chat.setConversationCustomData({ conversationIDList, customData: "red" });
  await bo.chat.setMessageRemindType({ userIDList: ["ana8"], messageRemindType: TYPES.MSG_REMIND_ACPT_NOT_NOTE });
  const isThere = ([first]: Conversation[]) =>
    first?.conversationID === "C2Cana8" &&
    first.isPinned &&
    first.markList[0] === 1 &&
    first.customData === "red" &&
    first.messageRemindType === "AcceptNotNotify";
  await listed(other, isThere);
  // What does not ring is not in the total.
  expect(other.chat.getTotalUnreadMessageCount()).toBe(1);
  expect((await other.chat.getConversationList({ markType: 1 })).data.conversationList).toHaveLength(1);
  expect((await other.chat.getConversationList([])).data.conversationList).toEqual([]);
  await bo.chat.setAllMessageRead();
  await listed(other, (all) => all.every(({ unreadCount }) => unreadCount === 0));
});

test("a person who logs in finds all conversations, however many", async () => {
  await server.rest("im_open_login_svc/account_import", { UserID: "bo9" });
  const names = Array.from({ length: 130 }, (_, n) => `friend9-${n}`);
  for (const some of [names.slice(0, 100), names.slice(100)]) {
    await server.rest("im_open_login_svc/multiaccount_import", { AccountList: some.map((UserID) => ({ UserID })) });
  }
  const body = [{ MsgType: "TIMTextElem", MsgContent: { Text: "hello" } }];
  for (const [n, From_Account] of names.entries()) {
    await server.rest("openim/sendmsg", { From_Account, To_Account: "bo9", MsgRandom: n + 1, MsgBody: body });
  }
  const bo = await Device.online("bo9", server.url);
  const all = await list(bo);
  expect(new Set(all.map(({ conversationID }) => conversationID)).size).toBe(130);
  expect(bo.chat.getTotalUnreadMessageCount()).toBe(130);
});

test("hopping reads from a moment, in both directions", async () => {
  const ana = await Device.online("ana10", server.url);
  const bo = await Device.online("bo10", server.url);
  await ana.say("bo10", "one");
  await ana.say("bo10", "two");
  const first = { conversationID: "C2Cana10", time: 1, direction: 1, count: 1 };
  const { data } = await bo.chat.getMessageListHopping(first);
  expect([data.messageList.map(textOf), data.isCompleted]).toEqual([["one"], false]);
  const next = await bo.chat.getMessageListHopping({ ...first, nextReqMessageID: data.nextReqMessageID });
  expect([next.data.messageList.map(textOf), next.data.isCompleted]).toEqual([["two"], true]);
  const before = await bo.chat.getMessageListHopping({ conversationID: "C2Cana10", time: 1 });
  expect([before.data.messageList, before.data.isCompleted]).toEqual([[], true]);
});
