import { afterAll, beforeAll, expect, test } from "vitest";
import Couplet from "../src/index.js";
import { Device, textOf } from "./device.js";
import { Server } from "./server.js";

const { EVENT } = Couplet;
let server: Server;

beforeAll(async () => {
  server = await Server.start();
});
afterAll(() => server.stop());

test("a message has its name before it is sent, and keeps it", async () => {
  const ana = await Device.online("ana1", server.url);
  const bo = await Device.online("bo1", server.url);
  const message = ana.text("bo1", "lunch?");
  const { ID } = message;
  expect([message.status, message.flow, message.conversationID]).toEqual(["unSend", "out", "C2Cbo1"]);
  const { code, data } = await ana.chat.sendMessage(message);
  expect([code, data.message.ID, data.message.status]).toEqual([0, ID, "success"]);
  const [received] = await bo.event(EVENT.MESSAGE_RECEIVED);
  expect([received.ID, received.from, received.to, received.flow]).toEqual([ID, "ana1", "bo1", "in"]);
  expect([received.type, received.payload, received.conversationID]).toEqual(["TIMTextElem", { text: "lunch?" }, "C2Cana1"]);
  expect(ana.chat.findMessage(ID)).toBe(message);
  // The one that sent it is pushed it too, and not told.
  await ana.say("bo1", "again");
  expect(ana.received()).toEqual([]);
});

test("what one device sends, the user's other devices are told", async () => {
  const phone = await Device.online("ana2", server.url, { platform: "iOS" });
  const page = await Device.online("ana2", server.url);
  await Device.online("bo2", server.url);
  await phone.say("bo2", "from the phone");
  const [message] = await page.event(EVENT.MESSAGE_RECEIVED);
  expect([message.flow, message.from, message.conversationID]).toEqual(["out", "ana2", "C2Cbo2"]);
});

test("history comes in pages of fifteen, and each message once", async () => {
  const ana = await Device.online("ana3", server.url);
  const bo = await Device.online("bo3", server.url);
  const texts = Array.from({ length: 32 }, (_, n) => `message ${n}`);
  for (const text of texts) await ana.say("bo3", text);
  const pages = [];
  let nextReqMessageID = "";
  for (let isCompleted = false; !isCompleted; ) {
    const { data } = await bo.chat.getMessageList({ conversationID: "C2Cana3", nextReqMessageID });
    pages.unshift(data.messageList.map(textOf));
    ({ nextReqMessageID, isCompleted } = data);
  }
  expect(pages.map((page) => page.length)).toEqual([2, 15, 15]);
  expect(pages.flat()).toEqual(texts);
  expect(nextReqMessageID).toBe("");
});

test("all kinds of elements arrive as they were made", async () => {
  const ana = await Device.online("ana4", server.url);
  const bo = await Device.online("bo4", server.url);
  const custom = { data: '{"a":1}', description: "a thing", extension: "x" };
  const face = { index: 4, data: "wave" };
  const place = { description: "here", longitude: 8.5, latitude: 47.25 };
  const more = { to: "bo4", conversationType: "C2C" };
  const made = [
    ana.chat.createCustomMessage({ ...more, payload: custom, cloudCustomData: "tag" }),
    ana.chat.createFaceMessage({ ...more, payload: face }),
    ana.chat.createLocationMessage({ ...more, payload: place }),
  ];
  for (const message of made) await ana.chat.sendMessage(message);
  const { data } = await bo.chat.getMessageList({ conversationID: "C2Cana4" });
  expect(data.messageList.map(({ type, payload }) => [type, payload])).toEqual([
    ["TIMCustomElem", custom],
    ["TIMFaceElem", face],
    ["TIMLocationElem", place],
  ]);
  expect(data.messageList[0]?.cloudCustomData).toBe("tag");
  const merger = { messageList: data.messageList, title: "Before", abstractList: ["a thing"], compatibleText: "(new app)" };
  await bo.chat.sendMessage(bo.chat.createMergerMessage({ to: "ana4", payload: merger }));
  const [merged] = await ana.event(EVENT.MESSAGE_RECEIVED);
  expect(merged.type).toBe("TIMRelayElem");
  expect(merged.payload.messageList.map((it: { payload: object }) => it.payload)).toEqual([custom, face, place]);
  const forwarded = bo.chat.createForwardMessage({ to: "ana4", payload: data.messageList[2] });
  await bo.chat.sendMessage(forwarded);
  expect([forwarded.type, forwarded.payload, forwarded.to]).toEqual(["TIMLocationElem", place, "ana4"]);
});

test("elements of one message stay together", async () => {
  const bo = await Device.online("bo5", server.url);
  await server.rest("im_open_login_svc/account_import", { UserID: "ana5" });
  const body = [
    { MsgType: "TIMTextElem", MsgContent: { Text: "see " } },
    { MsgType: "TIMFaceElem", MsgContent: { Index: 1, Data: "smile" } },
  ];
  await server.rest("openim/sendmsg", { From_Account: "ana5", To_Account: "bo5", MsgRandom: 7, MsgBody: body });
  const [message] = await bo.event(EVENT.MESSAGE_RECEIVED);
  expect(message.payload).toEqual({ text: "see " });
  expect(message._elements.map(({ type }: { type: string }) => type)).toEqual(["TIMTextElem", "TIMFaceElem"]);
});

test("what is seen once and kept nowhere is not in history", async () => {
  const ana = await Device.online("ana6", server.url);
  const bo = await Device.online("bo6", server.url);
  await ana.chat.sendMessage(ana.text("bo6", "typing"), { onlineUserOnly: true });
  await bo.event(EVENT.MESSAGE_RECEIVED);
  expect(bo.received()).toEqual(["typing"]);
  const { data } = await bo.chat.getMessageList({ conversationID: "C2Cana6" });
  expect([data.messageList, data.isCompleted]).toEqual([[], true]);
});

test("a refused message fails, says why, and lets the next one pass", async () => {
  const ana = await Device.online("ana7", server.url);
  await Device.online("bo7", server.url);
  const bad = ana.text("nobody7", "hello?");
  const [refused, sent] = await Promise.allSettled([ana.chat.sendMessage(bad), ana.say("bo7", "hello")]);
  expect(refused).toMatchObject({ status: "rejected", reason: { name: "ChatError", code: 20003, temporary: false } });
  expect([bad.status, sent.status]).toEqual(["fail", "fulfilled"]);
});

test("misuse is refused before anything is sent", async () => {
  const loggedOut = new Device("ana8", server.url);
  await expect(loggedOut.chat.getConversationList()).rejects.toMatchObject({ code: 2024 });
  const ana = await Device.online("ana8", server.url);
  expect(() => ana.text("bo8", "")).toThrow("payload.text");
  expect(() => ana.text("bo8", "x", { conversationType: "GROUP" })).toThrow("there are no groups");
  await expect(ana.chat.getMessageList({ conversationID: "GROUPx" })).rejects.toMatchObject({ code: 2903 });
  await expect(ana.chat.translateText({})).rejects.toMatchObject({ code: 2904 });
  expect(() => Couplet.create({ SDKAppID: 0, server: server.url })).toThrow("SDKAppID");
});
