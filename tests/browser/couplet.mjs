// A server to test against, and its REST interface.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

const KEY = "of-the-browser-tests";
const ADMIN = "administrator";

/** In the first app, people may log in as often as they like; in the second, a login ends the one before. */
export const FREE = 1400000001;
export const SINGLE = 1400000002;

const SETTINGS = `
[[app]]
sdkappid = ${FREE}
key = "${KEY}"
admins = ["${ADMIN}"]

[[app]]
sdkappid = ${SINGLE}
key = "${KEY}"
admins = ["${ADMIN}"]
[app.logins]
policy = "last"
`;

export class Couplet {
  #child;
  #folder;
  #usersigs = new Map();

  static async start() {
    assert.ok(process.env.COUPLET_BIN, "COUPLET_BIN names the binary to test");
    const it = new Couplet();
    it.#folder = await mkdtemp(path.join(tmpdir(), "couplet-chat-page-"));
    const settings = path.join(it.#folder, "couplet.toml");
    await writeFile(settings, SETTINGS);
    const args = ["serve", "--config", settings, "--data-dir", path.join(it.#folder, "data"), "--listen", "127.0.0.1:0", "--json"];
    it.#child = spawn(process.env.COUPLET_BIN, args, { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(it.#child, "exit").then(([code]) => { throw new Error(`couplet serve ended before it was ready: ${code}`); });
    const [line] = await Promise.race([once(createInterface({ input: it.#child.stdout }), "line"), ended]);
    ended.catch(() => {});
    it.url = JSON.parse(line).ready.url;
    return it;
  }

  async stop() {
    this.#child.kill("SIGTERM");
    await once(this.#child, "exit");
    await rm(this.#folder, { recursive: true, force: true });
  }

  usersig(user, sdkappid = FREE) {
    const name = `${sdkappid} ${user}`;
    const args = ["usersig", user, "--sdkappid", `${sdkappid}`, "--key", KEY];
    if (!this.#usersigs.has(name)) this.#usersigs.set(name, execFileSync(process.env.COUPLET_BIN, args, { encoding: "utf8" }).trim());
    return this.#usersigs.get(name);
  }

  /** `rest("openim/sendmsg", { … })`, as the app's backend. */
  async rest(command, body, sdkappid = FREE) {
    const query = new URLSearchParams({ sdkappid, identifier: ADMIN, usersig: this.usersig(ADMIN, sdkappid) });
    const answer = await fetch(`${this.url}/v4/${command}?${query}`, { method: "POST", body: JSON.stringify(body) });
    const told = await answer.json();
    assert.equal(told.ErrorCode, 0, `${command}: ${told.ErrorInfo}`);
    return told;
  }

  /** Accounts by UserID and nick. */
  people(nicks, sdkappid = FREE) {
    const AccountList = Object.entries(nicks).map(([UserID, Nick]) => ({ UserID, Nick }));
    return this.rest("im_open_login_svc/multiaccount_import", { AccountList }, sdkappid);
  }

  /** What was said some time ago: `[secondsAgo, from, to, text]` for each message. */
  async history(messages) {
    const now = Math.floor(Date.now() / 1000);
    for (const [at, [ago, From_Account, To_Account, Text]] of messages.entries()) {
      await this.rest("openim/importmsg", {
        SyncFromOldSystem: 2,
        From_Account,
        To_Account,
        MsgSeq: at + 1,
        MsgRandom: at + 1,
        MsgTimeStamp: now - ago,
        MsgBody: [{ MsgType: "TIMTextElem", MsgContent: { Text } }],
      });
    }
  }

  /** A link that logs in. */
  link(user, { peer, sdkappid = FREE } = {}) {
    const members = { sdkappid, userid: user, usersig: this.usersig(user, sdkappid), ...(peer && { peer }) };
    return `${this.url}/chat#${new URLSearchParams(members)}`;
  }
}
