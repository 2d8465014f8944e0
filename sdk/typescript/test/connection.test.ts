import { WebSocket } from "ws";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import Couplet from "../src/index.js";
import { Device, QUICK, textOf } from "./device.js";
import { Server, SDKAPPID, userSig } from "./server.js";
import { MemoryStorage } from "./storage.js";

const { EVENT, TYPES } = Couplet;
let server: Server;

beforeAll(async () => {
  server = await Server.start();
});
afterAll(() => server.stop());

test("a login is made ready, repeated, and ended", async () => {
  const ana = await Device.online("ana1", server.url);
  expect([ana.chat.isReady(), ana.chat.getLoginUser()]).toEqual([true, "ana1"]);
  const again = await ana.chat.login({ userID: "ana1", userSig: userSig("ana1") });
  expect(again.data.repeatLogin).toBe(true);
  await ana.chat.logout();
  expect([ana.chat.isReady(), ana.chat.getLoginUser()]).toEqual([false, ""]);
  await ana.event(EVENT.SDK_NOT_READY);
  const states = ana.told.filter(({ name }) => name === EVENT.NET_STATE_CHANGE);
  expect(states.map(({ data }) => (data as { state: string }).state)).toEqual(["connecting", "connected", "disconnected"]);
});

test("a UserSig of somebody else is refused with the server's code", async () => {
  const ana = new Device("ana2", server.url);
  await expect(ana.chat.login({ userID: "ana2", userSig: userSig("bo2") })).rejects.toMatchObject({ code: 70013 });
  expect(ana.chat.getLoginUser()).toBe("");
  // Nothing is left of it: the next one is a login like any other.
  await ana.chat.login({ userID: "ana2", userSig: userSig("ana2") });
  await ana.event(EVENT.SDK_READY);
});

test("a server that cannot be reached ends the login, and not the page", async () => {
  const nowhere = new Device("ana3", "http://127.0.0.1:9", { timing: { ...QUICK, loginMs: 300 } });
  await expect(nowhere.chat.login({ userID: "ana3", userSig: userSig("ana3") })).rejects.toMatchObject({
    code: 2801,
    temporary: true,
  });
});

test("messages of both sides survive a restart of the server, in order", async () => {
  const ana = await Device.online("ana4", server.url);
  const bo = await Device.online("bo4", server.url);
  await ana.say("bo4", "before");
  const restarted = server.restart();
  const sent = ["one", "two", "three"].map((text) => ana.say("bo4", text));
  await restarted;
  await Promise.all(sent);
  await bo.until(() => bo.received().length === 4);
  expect(bo.received()).toEqual(["before", "one", "two", "three"]);
});

test("a UserSig that has expired is renewed, if the app knows how", async () => {
  const asked: string[] = [];
  const refreshUserSig = async (userID: string) => {
    asked.push(userID);
    return userSig(userID);
  };
  const ana = new Device("ana5", server.url, { refreshUserSig });
  await ana.chat.login({ userID: "ana5", userSig: userSig("ana5", 60, 30) });
  await ana.event(EVENT.SDK_READY);
  expect(asked).toEqual(["ana5"]);
});

test("without a way to renew it, the login is refused", async () => {
  const ana = new Device("ana6", server.url);
  const login = ana.chat.login({ userID: "ana6", userSig: userSig("ana6", 60, 30) });
  await expect(login).rejects.toMatchObject({ code: 70001 });
});

test("whoever is kicked is told, and does not come back by itself", async () => {
  const ana = await Device.online("ana7", server.url);
  // A UserSig of the same second as the kick counts as an older one.
  await server.rest("im_open_login_svc/kick", { UserID: "ana7" });
  const { type } = await ana.event(EVENT.KICKED_OUT);
  expect(type).toBe(TYPES.KICKED_OUT_REST_API);
  expect(ana.chat.getLoginUser()).toBe("");
  await expect(ana.chat.login({ userID: "ana7", userSig: userSig("ana7") })).rejects.toMatchObject({ code: 70052 });
});

test("a session whose UserSig expires goes on with a new one, or ends", async () => {
  // It looks whether it expired each time it polls.
  const impatient = await Server.start("[gateway]\npoll_secs = 1");
  onTestFinished(() => impatient.stop());
  let renewed = 0;
  const refreshUserSig = (userID: string) => {
    renewed += 1;
    return userSig(userID);
  };
  const short = (userID: string) => ({ userID, userSig: userSig(userID, 0, 2) });
  const ana = new Device("ana9", impatient.url, { refreshUserSig });
  const bo = new Device("bo9", impatient.url);
  await Promise.all([ana.chat.login(short("ana9")), bo.chat.login(short("bo9"))]);
  expect((await bo.event(EVENT.KICKED_OUT)).type).toBe(TYPES.KICKED_OUT_USERSIG_EXPIRED);
  await ana.until(() => renewed === 1 && ana.connections() === 2);
  expect(ana.chat.getLoginUser()).toBe("ana9");
  await ana.chat.logout();
});

test("where one session is allowed, the newer one ends the older one", async () => {
  const strict = await Server.start("", '[app.logins]\npolicy = "last"');
  onTestFinished(() => strict.stop());
  const phone = await Device.online("ana10", strict.url, { platform: "iOS" });
  const page = await Device.online("ana10", strict.url);
  expect((await phone.event(EVENT.KICKED_OUT)).type).toBe(TYPES.KICKED_OUT_MULT_DEVICE);
  expect([phone.chat.isReady(), page.chat.isReady()]).toEqual([false, true]);
  await page.chat.logout();
});

test("a server that has lost its data is followed, and nothing of before is shown", async () => {
  const forgetful = await Server.start();
  onTestFinished(() => forgetful.stop());
  const ana = await Device.online("ana11", forgetful.url);
  const bo = await Device.online("bo11", forgetful.url);
  await ana.say("bo11", "before");
  await bo.event(EVENT.CONVERSATION_LIST_UPDATED, (all) => all.length === 1);
  await forgetful.restartEmpty();
  for (const device of [ana, bo]) {
    await device.until(() => device.connections() === 2 && device.last(EVENT.CONVERSATION_LIST_UPDATED)?.length === 0);
  }
  await ana.say("bo11", "after");
  await bo.until(() => bo.received().length === 2);
  const { data } = await bo.chat.getMessageList({ conversationID: "C2Cana11" });
  expect(data.messageList.map(textOf)).toEqual(["after"]);
  expect(bo.chat.getTotalUnreadMessageCount()).toBe(1);
  await Promise.all([ana.chat.logout(), bo.chat.logout()]);
});

test("a frame that is too large fails by itself, and takes nothing with it", async () => {
  const ana = await Device.online("ana12", server.url);
  await Device.online("bo12", server.url);
  const sent = [ana.say("bo12", "x".repeat(200_000)), ana.say("bo12", "small")];
  await expect(sent[0]).rejects.toMatchObject({ code: 93000 });
  expect((await sent[1])?.status).toBe("success");
  await expect(ana.say("bo12", "x".repeat(13_000))).rejects.toMatchObject({ code: 80002 });
});

test("a message outlives the page that could not send it", async () => {
  const storage = new MemoryStorage();
  const bo = await Device.online("bo8", server.url);
  const page = await Device.online("ana8", server.url, { storage });
  const restarted = server.restart();
  // The page does not know yet that there is no server, or knows it already: it is kept either way.
  const sent = page.say("bo8", "still here");
  await page.chat.destroy();
  await expect(sent).rejects.toMatchObject({ code: 2024 });
  await restarted;
  const next = new Device("ana8", server.url, { storage });
  await next.chat.login({ userID: "ana8", userSig: userSig("ana8") });
  await bo.until(() => bo.received().length > 0);
  expect(bo.received()).toEqual(["still here"]);
  await next.event(EVENT.SDK_READY);
  const { data } = await next.chat.getMessageList({ conversationID: "C2Cbo8" });
  expect(data.messageList.map(textOf)).toEqual(["still here"]);
});

test("Node without a WebSocket is told what to do", () => {
  const given = globalThis.WebSocket;
  Reflect.deleteProperty(globalThis, "WebSocket");
  try {
    expect(() => Couplet.create({ SDKAppID: SDKAPPID, server: server.url })).toThrow("create({ …, WebSocket })");
    expect(Couplet.create({ SDKAppID: SDKAPPID, server: server.url, WebSocket }).isReady()).toBe(false);
  } finally {
    if (given) globalThis.WebSocket = given;
  }
});
