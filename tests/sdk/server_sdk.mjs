// A public server SDK for Node against a running server, as it comes from its registry.
//
// The package is older than the UserSigs of today: it signs with a private key, as apps made before 2019 did. First it
// is used as it is, and must be told in an answer that its UserSig is not good. Then its class is extended where it
// signs, with the public library for that. What it sends otherwise, and how, stays its own.
// It has one function for all commands, so the commands are here that SDKs for other languages do not have.
//
//     COUPLET_SDK_HOST   host of the server; its certificate must be for this name
//     COUPLET_SDK_PORT   port of the server, which speaks TLS
//     COUPLET_SDK_CA     PEM file with the authority of the certificate
//     COUPLET_SDK_APPID  sdkappid of an app in which nothing happened yet, without a before-send callback
//     COUPLET_SDK_KEY    key of the app
//     COUPLET_SDK_ADMIN  an admin of the app

import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import Sdk from "imsdk-restapi-nodejs-es6-sdk";
import signing from "tls-sig-api-v2";

const NAME = "imsdk-restapi-nodejs-es6-sdk";
const [ANN, BEN, NOBODY] = ["js_ann", "js_ben", "js_nobody"];
const HOUR_SECS = 3600;

const ABSENT = Symbol("absent");
const INTEGER = Symbol("an integer");

function setting(name) {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set; the head of this file says what it is`);
  return value;
}

const server = {
  host: setting("COUPLET_SDK_HOST"),
  port: Number(setting("COUPLET_SDK_PORT")),
  ca: readFileSync(setting("COUPLET_SDK_CA")),
  sdkappid: Number(setting("COUPLET_SDK_APPID")),
  key: setting("COUPLET_SDK_KEY"),
  admin: setting("COUPLET_SDK_ADMIN"),
};

/** Connects to the server, wherever a request was meant to go, and checks the server's own name. */
class Elsewhere extends https.Agent {
  createConnection(options, connected) {
    const { host, port, ca } = server;
    return super.createConnection({ ...options, host, port, ca, servername: isIP(host) ? "" : host }, connected);
  }
}

/** The SDK with the UserSigs of today. */
class SignedByKey extends Sdk {
  constructor(config, key) {
    super(config);
    this.key = key;
  }

  _reSign() {
    const { sdkAppid, identifier, expireAfter } = this._timConfig;
    this._usersig = new signing.Api(sdkAppid, this.key).genUserSig(identifier, expireAfter);
    this._expireUntil = Date.now() / 1000 + expireAfter;
  }
}

/** Where the two differ, in words. Members that nothing is said about may be there: SDKs ignore them. */
function differences(expected, answer, place) {
  if (expected === INTEGER) return Number.isInteger(answer) ? [] : [`${place} is ${show(answer)}, not an integer`];
  if (expected instanceof RegExp) {
    const fits = typeof answer === "string" && expected.test(answer);
    return fits ? [] : [`${place} is ${show(answer)}, not of the form ${expected}`];
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(answer) || answer.length !== expected.length) {
      return [`${place} is ${show(answer)}, and should have ${expected.length} entries`];
    }
    return expected.flatMap((one, at) => differences(one, answer[at], `${place}[${at}]`));
  }
  if (typeof expected === "object" && typeof answer === "object" && answer !== null) {
    return Object.entries(expected).flatMap(([name, value]) => {
      const here = `${place}.${name}`;
      if (value === ABSENT) return name in answer ? [`${here} is ${show(answer[name])}, and should be absent`] : [];
      return differences(value, answer[name], here);
    });
  }
  return isDeepStrictEqual(expected, answer) ? [] : [`${place} is ${show(answer)}, not ${show(expected)}`];
}

const show = (value) => JSON.stringify(value) ?? String(value);

const ok = (members = {}) => ({ ActionStatus: "OK", ErrorCode: 0, ErrorInfo: "", ...members });
const fail = (code, members = {}) => ({ ActionStatus: "FAIL", ErrorCode: code, ErrorInfo: /./, ...members });
const item = (user, members = {}) => ({ To_Account: user, ResultCode: 0, ResultInfo: "", ...members });
const text = (words) => [{ MsgType: "TIMTextElem", MsgContent: { Text: words } }];

let count = 0;

/** One call. The first wrong answer ends the program. */
async function call(sdk, what, [service, command], body, expected) {
  count += 1;
  const answer = await sdk.request(service, command, body);
  const wrong = differences(200, answer.status, "the HTTP status");
  wrong.push(...differences(expected, answer.data, "the answer"));
  console.log(`${NAME}: ${what}: ${wrong.length === 0 ? "ok" : "WRONG"}`);
  if (wrong.length > 0) {
    throw new Error(`${NAME}: ${what}: ${wrong.join("; ")}\nThe whole answer: ${show(answer.data)}`);
  }
  return answer.data;
}

const login = (command) => ["im_open_login_svc", command];
const openim = (command) => ["openim", command];
const extension = (command) => ["openim_msg_ext_http_svc", command];
const contact = (command) => ["recentcontact", command];
const profile = (command) => ["profile", command];
const sns = (command) => ["sns", command];

async function accounts(sdk) {
  const both = { AccountList: [{ UserID: ANN, Nick: "Ann" }, { UserID: BEN }] };
  await call(sdk, "multiaccount_import", login("multiaccount_import"), both, ok({ FailAccounts: [] }));
  const named = { Identifier: BEN, Nick: "Ben", FaceUrl: "https://example.com/ben.png" };
  await call(sdk, "account_import", login("account_import"), named, ok());
  const items = { CheckItem: [{ UserID: ANN }, { UserID: NOBODY }] };
  const checked = (user, status) => ({ UserID: user, ResultCode: 0, ResultInfo: "", AccountStatus: status });
  const found = [checked(ANN, "Imported"), checked(NOBODY, "NotImported")];
  await call(sdk, "account_check", login("account_check"), items, ok({ ResultItem: found }));
}

/** Sends three messages from Ann to Ben, and says what their keys are. */
async function messages(sdk) {
  const keys = [];
  for (const [index, words] of ["first", "second", "third"].entries()) {
    const body = {
      From_Account: ANN, To_Account: BEN, MsgSeq: 100 + index, MsgRandom: 4294967295 - index, MsgBody: text(words),
      IsNeedReadReceipt: 1, SupportMessageExtension: 1, CloudCustomData: "",
    };
    const sent = ok({ MsgTime: INTEGER, MsgKey: new RegExp(`^${100 + index}_${4294967295 - index}_[0-9]+$`) });
    keys.push((await call(sdk, `sendmsg, ${words}`, openim("sendmsg"), body, sent)).MsgKey);
  }
  const broken = { From_Account: ANN, To_Account: BEN, MsgRandom: 1, MsgBody: "hello" };
  await call(sdk, "sendmsg, a body that is no list", openim("sendmsg"), broken, fail(90007));
  return keys;
}

const history = (operator, peer) => ({
  Operator_Account: operator, Peer_Account: peer, MaxCnt: 10, MinTime: 0, MaxTime: 2147483647,
});

async function changes(sdk, [first, second, third]) {
  const edit = { From_Account: ANN, To_Account: BEN, MsgKey: second, MsgBody: text("2nd"), CloudCustomData: "edited" };
  await call(sdk, "modify_c2c_msg", openim("modify_c2c_msg"), edit, { ActionStatus: "OK", ErrorCode: 0 });
  const nothing = { From_Account: ANN, To_Account: BEN, MsgKey: second };
  await call(sdk, "modify_c2c_msg, to nothing", openim("modify_c2c_msg"), nothing, fail(90010));

  const read = (sender) => ({
    Operator_Account: BEN, Peer_Account: ANN,
    C2CMsgInfo: [{ From_Account: sender, To_Account: BEN, MsgKey: first }],
  });
  await call(sdk, "c2c_msg_read_receipt", openim("c2c_msg_read_receipt"), read(ANN), ok());
  const another = fail(90010);
  await call(sdk, "c2c_msg_read_receipt, another's", openim("c2c_msg_read_receipt"), read(NOBODY), another);

  const gone = { Operator_Account: BEN, Peer_Account: ANN, MsgKeyList: [third, "no key"] };
  const invalid = ok({ InvalidMsgKeyList: ["no key"] });
  await call(sdk, "delete_c2c_msg_ramble", openim("delete_c2c_msg_ramble"), gone, invalid);

  const one = { MsgKey: first, IsPeerRead: 1, MsgBody: text("first") };
  const two = { MsgKey: second, IsPeerRead: 0, MsgBody: text("2nd"), CloudCustomData: "edited" };
  const three = { MsgKey: third, IsPeerRead: 0, MsgBody: text("third") };
  const whole = (...list) => ok({ Complete: 1, MsgCnt: list.length, MsgList: list });
  await call(sdk, "admin_getroammsg", openim("admin_getroammsg"), history(BEN, ANN), whole(one, two));
  const all = whole(one, two, three);
  await call(sdk, "admin_getroammsg, the other side", openim("admin_getroammsg"), history(ANN, BEN), all);
}

async function extensions(sdk, [first]) {
  const about = { From_Account: ANN, To_Account: BEN, MsgKey: first };
  const pair = { Key: "vote", Value: "yes" };
  const set = { ...about, OperateType: 1, ExtensionList: [pair] };
  const done = ok({ ExtensionList: [{ ErrorCode: 0, Extension: { ...pair, Seq: INTEGER } }] });
  await call(sdk, "set_key_values", extension("set_key_values"), set, done);
  const kept = ok({ CompleteFlag: 1, LatestSeq: INTEGER, ExtensionList: [{ ...pair, Seq: INTEGER }] });
  await call(sdk, "get_key_values", extension("get_key_values"), { ...about, StartSeq: 0 }, kept);
  await call(sdk, "set_key_values, clear", extension("set_key_values"), { ...about, OperateType: 3 }, ok());
  const none = ok({ CompleteFlag: 1, ExtensionList: [] });
  await call(sdk, "get_key_values, cleared", extension("get_key_values"), about, none);
  const unknown = { ...about, MsgKey: "9_9_9" };
  await call(sdk, "get_key_values, unknown", extension("get_key_values"), unknown, fail(23004));
}

async function conversations(sdk) {
  const cursor = { From_Account: BEN, TimeStamp: 0, StartIndex: 0, TopTimeStamp: 0, TopStartIndex: 0, AssistFlags: 15 };
  const listed = (top) => ok({
    SessionItem: [{ Type: 1, To_Account: ANN, MsgTime: INTEGER, TopFlag: top }], CompleteFlag: 1, ErrorDisplay: "",
  });
  await call(sdk, "get_list", contact("get_list"), cursor, listed(0));
  const pin = { From_Account: BEN, OperationType: 1, RecentContactItem: [{ Type: 1, To_Account: ANN }] };
  await call(sdk, "top", contact("top"), pin, ok({ ErrorDisplay: "" }));
  await call(sdk, "get_list, pinned", contact("get_list"), cursor, listed(1));
  await call(sdk, "top, undone", contact("top"), { ...pin, OperationType: 2 }, ok());
  const remove = { From_Account: BEN, Type: 1, To_Account: ANN, ClearRamble: 1 };
  await call(sdk, "delete", contact("delete"), remove, ok({ ErrorDisplay: "" }));
  const none = ok({ SessionItem: [], CompleteFlag: 1 });
  await call(sdk, "get_list, deleted", contact("get_list"), { ...cursor, AssistFlags: 7 }, none);
  const cleared = ok({ Complete: 1, MsgCnt: 0, MsgList: [] });
  await call(sdk, "admin_getroammsg, cleared", openim("admin_getroammsg"), history(BEN, ANN), cleared);
  const group = { From_Account: BEN, Type: 2, ToGroupid: "club" };
  await call(sdk, "delete, a group", contact("delete"), group, fail(50002, { ErrorDisplay: "" }));
}

async function people(sdk) {
  const level = { From_Account: BEN, ProfileItem: [{ Tag: "Tag_Profile_IM_Level", Value: 7 }] };
  await call(sdk, "portrait_set", profile("portrait_set"), level, ok({ ErrorDisplay: "" }));
  const wanted = { To_Account: [BEN], TagList: ["Tag_Profile_IM_Nick", "Tag_Profile_IM_Level"] };
  const shown = [{ Tag: "Tag_Profile_IM_Nick", Value: "Ben" }, { Tag: "Tag_Profile_IM_Level", Value: 7 }];
  const portrait = ok({ UserProfileItem: [item(BEN, { ProfileItem: shown })], Fail_Account: ABSENT });
  await call(sdk, "portrait_get", profile("portrait_get"), wanted, portrait);

  const add = { From_Account: ANN, AddFriendItem: [{ To_Account: BEN, AddSource: "AddSource_Type_Web" }] };
  await call(sdk, "friend_add", sns("friend_add"), add, ok({ ResultItem: [item(BEN)], Fail_Account: ABSENT }));
  const check = { From_Account: ANN, To_Account: [BEN], CheckType: "CheckResult_Type_Both" };
  const related = (relation) => ok({ InfoItem: [item(BEN, { Relation: `CheckResult_Type_${relation}` })] });
  await call(sdk, "friend_check", sns("friend_check"), check, related("BothWay"));
  const unfriend = { From_Account: ANN, To_Account: [BEN], DeleteType: "Delete_Type_Both" };
  await call(sdk, "friend_delete", sns("friend_delete"), unfriend, ok({ ResultItem: [item(BEN)] }));
  await call(sdk, "friend_check, deleted", sns("friend_check"), check, related("NoRelation"));

  const block = { From_Account: ANN, To_Account: [BEN] };
  await call(sdk, "black_list_add", sns("black_list_add"), block, ok({ ResultItem: [item(BEN)] }));
  const page = { From_Account: ANN, StartIndex: 0, MaxLimited: 30, LastSequence: 0 };
  const blocked = [{ To_Account: BEN, AddBlackTimeStamp: INTEGER }];
  await call(sdk, "black_list_get", sns("black_list_get"), page, ok({ BlackListItem: blocked, StartIndex: 0 }));
  await call(sdk, "black_list_delete", sns("black_list_delete"), block, ok({ ResultItem: [item(BEN)] }));
}

async function leaving(sdk) {
  const users = { DeleteItem: [{ UserID: ANN }, { UserID: BEN }] };
  const items = [ANN, BEN].map((user) => ({ ResultCode: 0, ResultInfo: "", UserID: user }));
  await call(sdk, "account_delete", login("account_delete"), users, ok({ ResultItem: items }));
  await call(sdk, "a command that is not", openim("nothing"), {}, fail(60009));
}

async function main() {
  // The package leaves the choice of the connection to Node, and would follow a proxy of the environment.
  https.globalAgent = new Elsewhere();
  for (const name of ["https_proxy", "HTTPS_PROXY"]) delete process.env[name];

  const folder = mkdtempSync(path.join(tmpdir(), "couplet-sdk-"));
  try {
    const privateKeyPath = path.join(folder, "private_key");
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    writeFileSync(privateKeyPath, privateKey.export({ type: "pkcs8", format: "pem" }));
    const { sdkappid: sdkAppid, admin: identifier, key } = server;
    const config = { sdkAppid, identifier, accountType: "0", privateKeyPath, expireAfter: HOUR_SECS };

    const check = { CheckItem: [{ UserID: ANN }] };
    await call(new Sdk(config), "account_check, as apps of old signed", login("account_check"), check, fail(70003));
    const stranger = new SignedByKey(config, `${key}x`);
    await call(stranger, "account_check, another key", login("account_check"), check, fail(70009));

    const sdk = new SignedByKey(config, key);
    await accounts(sdk);
    const keys = await messages(sdk);
    await changes(sdk, keys);
    await extensions(sdk, keys);
    await conversations(sdk);
    await people(sdk);
    await leaving(sdk);
  } finally {
    rmSync(folder, { recursive: true });
  }
  console.log(`${count} calls of 1 SDK were answered as they should be.`);
}

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
