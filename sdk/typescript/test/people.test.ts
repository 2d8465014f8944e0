import { afterAll, beforeAll, expect, test } from "vitest";
import Couplet from "../src/index.js";
import { Device } from "./device.js";
import { Server } from "./server.js";

const { EVENT, TYPES } = Couplet;
let server: Server;

beforeAll(async () => {
  server = await Server.start();
});
afterAll(() => server.stop());

const source = "AddSource_Type_Web";

test("a profile is written, read, and shown wherever the person is", async () => {
  const ana = await Device.online("ana1", server.url);
  const bo = await Device.online("bo1", server.url);
  const { data } = await ana.chat.updateMyProfile({
    nick: "Ana",
    avatar: "https://files.example/ana.png",
    gender: TYPES.GENDER_FEMALE,
    birthday: 19900101,
  });
  expect(data).toMatchObject({ userID: "ana1", nick: "Ana", gender: "Gender_Type_Female", birthday: 19900101 });
  const [own] = await ana.event(EVENT.PROFILE_UPDATED);
  expect(own.nick).toBe("Ana");
  expect((await bo.chat.getUserProfile({ userIDList: ["ana1", "nobody"] })).data.map(({ nick }) => nick)).toEqual(["Ana"]);
  await ana.say("bo1", "hello");
  const [message] = await bo.event(EVENT.MESSAGE_RECEIVED);
  expect([message.nick, message.avatar]).toEqual(["Ana", "https://files.example/ana.png"]);
  const shown = await bo.chat.getConversationProfile("C2Cana1");
  expect(shown.data.conversation.userProfile.nick).toBe("Ana");
  await expect(bo.chat.getConversationProfile("C2Cnobody")).rejects.toMatchObject({ code: 2500 });
  await expect(ana.chat.updateMyProfile({})).rejects.toMatchObject({ code: 2903 });
});

test("friends are asked, answered, noted, grouped and removed", async () => {
  const ana = await Device.online("ana2", server.url);
  const bo = await Device.online("bo2", server.url);
  await bo.chat.updateMyProfile({ allowType: TYPES.ALLOW_TYPE_NEED_CONFIRM });
  const asked = await ana.chat.addFriend({ to: "bo2", source, wording: "it is me", type: TYPES.SNS_ADD_TYPE_BOTH });
  expect(asked.data.code).toBe(30539);
  const { friendApplicationList } = await bo.event(EVENT.FRIEND_APPLICATION_LIST_UPDATED);
  expect(friendApplicationList).toMatchObject([{ userID: "ana2", wording: "it is me", type: "Pendency_Type_ComeIn" }]);
  expect((await bo.chat.getFriendApplicationList()).data.unreadCount).toBe(1);
  const type = TYPES.SNS_APPLICATION_AGREE_AND_ADD;
  await bo.chat.acceptFriendApplication({ userID: "ana2", remark: "Ana from work", type });
  const [friend] = await ana.event(EVENT.FRIEND_LIST_UPDATED);
  expect(friend).toMatchObject({ userID: "bo2", remark: "" });
  await bo.chat.createFriendGroup({ name: "work", userIDList: ["ana2"] });
  await bo.chat.renameFriendGroup({ oldName: "work", newName: "job" });
  expect((await bo.chat.getFriendGroupList()).data).toEqual([{ name: "job", count: 1, userIDList: ["ana2"] }]);
  await bo.chat.removeFromFriendGroup({ name: "job", userIDList: ["ana2"] });
  await bo.chat.addToFriendGroup({ name: "job", userIDList: ["ana2"] });
  await bo.chat.updateFriend({ userID: "ana2", remark: "Ana" });
  const found = await bo.chat.getFriendProfile({ userIDList: ["ana2", "nobody"] });
  expect(found.data.friendList).toMatchObject([{ userID: "ana2", remark: "Ana", groupList: ["job"] }]);
  expect(found.data.failureUserIDList).toEqual([{ userID: "nobody", code: 31704 }]);
  await bo.chat.deleteFriendGroup({ name: "job" });
  const checked = await ana.chat.checkFriend({ userIDList: ["bo2"], type: TYPES.SNS_CHECK_TYPE_BOTH });
  expect(checked.data.successUserIDList).toEqual([{ userID: "bo2", code: 0, relation: "CheckResult_Type_BothWay" }]);
  const gone = await ana.chat.deleteFriend({ userIDList: ["bo2"], type: TYPES.SNS_DELETE_TYPE_BOTH });
  expect(gone.data.successUserIDList).toEqual([{ userID: "bo2", code: 0 }]);
  expect((await bo.chat.getFriendList()).data).toEqual([]);
});

test("a remark shows in the list of conversations", async () => {
  const ana = await Device.online("ana3", server.url);
  const bo = await Device.online("bo3", server.url);
  await ana.say("bo3", "hello");
  await bo.chat.addFriend({ to: "ana3", source, remark: "Annie" });
  await bo.event(EVENT.CONVERSATION_LIST_UPDATED, (all) => all[0]?.remark === "Annie");
});

test("a request that is refused is gone, and the asker is not told", async () => {
  const ana = await Device.online("ana4", server.url);
  const bo = await Device.online("bo4", server.url);
  const other = await Device.online("bo4", server.url);
  await bo.chat.updateMyProfile({ allowType: TYPES.ALLOW_TYPE_NEED_CONFIRM });
  await ana.chat.addFriend({ to: "bo4", source });
  await other.event(EVENT.FRIEND_APPLICATION_LIST_UPDATED, ({ unreadCount }) => unreadCount === 1);
  await bo.chat.refuseFriendApplication({ userID: "ana4" });
  await other.event(EVENT.FRIEND_APPLICATION_LIST_UPDATED, ({ unreadCount }) => unreadCount === 0);
  expect((await ana.chat.getFriendList()).data).toEqual([]);
});

test("whoever is blocked is not heard, and is not told", async () => {
  const ana = await Device.online("ana5", server.url);
  const bo = await Device.online("bo5", server.url);
  const other = await Device.online("bo5", server.url);
  expect((await bo.chat.addToBlacklist({ userIDList: ["ana5"] })).data).toEqual(["ana5"]);
  expect(await other.event(EVENT.BLACKLIST_UPDATED)).toEqual(["ana5"]);
  expect((await ana.say("bo5", "hello?")).status).toBe("success");
  expect((await bo.chat.removeFromBlacklist({ userIDList: ["ana5"] })).data).toEqual([]);
  await ana.say("bo5", "hello!");
  await bo.until(() => bo.received().length > 0);
  expect(bo.received()).toEqual(["hello!"]);
  await expect(bo.chat.addToBlacklist({ userIDList: ["nobody"] })).rejects.toMatchObject({ code: expect.any(Number) });
});

test("who is online is asked, subscribed to, and told", async () => {
  const ana = await Device.online("ana6", server.url);
  await server.rest("im_open_login_svc/account_import", { UserID: "bo6" });
  const { data } = await ana.chat.getUserStatus({ userIDList: ["bo6", "nobody"] });
  expect(data.successUserList).toEqual([{ userID: "bo6", statusType: TYPES.USER_STATUS_UNLOGINED, customStatus: "" }]);
  expect(data.failureUserList).toEqual([{ userID: "nobody", code: 70107 }]);
  await ana.chat.subscribeUserStatus({ userIDList: ["bo6"] });
  const bo = await Device.online("bo6", server.url);
  await bo.chat.setSelfStatus({ customStatus: "at lunch" });
  const heard = () => ana.told.filter(({ name }) => name === EVENT.USER_STATUS_UPDATED).flatMap(({ data }) => data);
  // As it was when she subscribed, and each change since.
  await ana.until(() => heard().length === 3);
  await bo.chat.logout();
  await ana.until(() => heard().length === 4);
  expect(heard()).toEqual([
    { userID: "bo6", statusType: TYPES.USER_STATUS_UNLOGINED, customStatus: "" },
    { userID: "bo6", statusType: TYPES.USER_STATUS_ONLINE, customStatus: "" },
    { userID: "bo6", statusType: TYPES.USER_STATUS_ONLINE, customStatus: "at lunch" },
    { userID: "bo6", statusType: TYPES.USER_STATUS_UNLOGINED, customStatus: "" },
  ]);
  await ana.chat.unsubscribeUserStatus();
});

test("subscriptions outlast the connection", async () => {
  const ana = await Device.online("ana7", server.url);
  await server.rest("im_open_login_svc/account_import", { UserID: "bo7" });
  await ana.chat.subscribeUserStatus({ userIDList: ["bo7"] });
  await server.restart();
  await ana.until(() => ana.connections() === 2);
  await Device.online("bo7", server.url);
  await ana.event(EVENT.USER_STATUS_UPDATED, ([it]) => it?.statusType === TYPES.USER_STATUS_ONLINE);
});

test("a second login of the same device replaces the first", async () => {
  const first = await Device.online("ana8", server.url, { deviceID: "tablet" });
  const second = await Device.online("ana8", server.url, { deviceID: "tablet" });
  const { type } = await first.event(EVENT.KICKED_OUT);
  expect(type).toBe(TYPES.KICKED_OUT_MULT_ACCOUNT);
  expect([first.chat.isReady(), second.chat.isReady()]).toEqual([false, true]);
});

test("a device says how it is pushed to, and takes it back", async () => {
  const ana = await Device.online("ana20", server.url);
  await expect(ana.chat.registerPush({ provider: "fcm", token: "fEX4mpl3" })).resolves.toMatchObject({ code: 0 });
  await expect(ana.chat.registerPush({ provider: "apns", token: "" })).rejects.toMatchObject({ code: 22003 });
  await expect(ana.chat.registerPush({ provider: "apns", token: "a".repeat(257) })).rejects.toMatchObject({ code: 22004 });
  await expect(ana.chat.unregisterPush()).resolves.toMatchObject({ code: 0 });
  await expect(ana.chat.unregisterPush()).resolves.toMatchObject({ code: 0 });
});
