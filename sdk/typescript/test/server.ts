// The real server, started on a free port in a directory of its own.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";

export const SDKAPPID = 1400000001;
const KEY = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";
const BUILT = fileURLToPath(new URL("../../../target/debug/couplet", import.meta.url));

function binary(): string {
  const file = process.env.COUPLET_BIN ?? BUILT;
  if (!existsSync(file)) throw new Error(`${file} is missing: cargo build --package couplet, or set COUPLET_BIN`);
  return file;
}

export class Server {
  private constructor(
    readonly url: string,
    private process: ChildProcess,
    private readonly folder: string,
  ) {}

  /** With lines of the configuration: of the server, and of the app. */
  static async start(settings = "", appSettings = ""): Promise<Server> {
    const folder = await mkdtemp(path.join(tmpdir(), "couplet-client-"));
    const config = path.join(folder, "couplet.toml");
    const app = `[[app]]\nsdkappid = ${SDKAPPID}\nkey = "${KEY}"\nadmins = ["administrator"]\n${appSettings}\n`;
    await writeFile(config, `${settings}\n[log]\nfilter = "warn"\n${app}`);
    const { child, url } = await run(folder, 0);
    return new Server(url, child, folder);
  }

  /** Stops it as an operator does, and lets it come back where it was. */
  async restart(): Promise<void> {
    await this.#end();
    this.process = (await run(this.folder, this.port)).child;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** The same with nothing of what it had: as after a disaster. */
  async restartEmpty(): Promise<void> {
    await this.#end();
    await rm(path.join(this.folder, "data"), { recursive: true });
    this.process = (await run(this.folder, this.port)).child;
  }

  async stop(): Promise<void> {
    await this.#end();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #end(): Promise<void> {
    if (this.process.exitCode !== null) return;
    this.process.kill("SIGTERM");
    await once(this.process, "exit");
  }

  /** A call of REST, as the app's backend makes it. */
  async rest(command: string, body: object): Promise<Record<string, unknown>> {
    const query = `sdkappid=${SDKAPPID}&identifier=administrator&usersig=${userSig("administrator")}&random=1`;
    const answer = await fetch(`${this.url}/v4/${command}?${query}&contenttype=json`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    const result = (await answer.json()) as Record<string, unknown>;
    if (result.ErrorCode !== 0) throw new Error(`${command}: ${JSON.stringify(result)}`);
    return result;
  }
}

async function run(folder: string, port: number): Promise<{ child: ChildProcess; url: string }> {
  const files = ["--config", path.join(folder, "couplet.toml"), "--data-dir", path.join(folder, "data")];
  const args = ["serve", ...files, "--listen", `127.0.0.1:${port}`, "--json"];
  // It says that it stops, which is no news here; what goes wrong is in the log.
  const child = spawn(binary(), args, { stdio: ["ignore", "pipe", "inherit"] });
  const stopped = once(child, "exit").then(([code]) => {
    throw new Error(`the server ended with ${code} before it was ready`);
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, "line"), stopped])) as [string];
  stopped.catch(() => {});
  const { ready } = JSON.parse(line) as { ready: { url: string } };
  return { child, url: ready.url };
}

/** As the public signing libraries make it. */
export function userSig(userID: string, madeSecsAgo = 0, expireSecs = 86_400): string {
  const time = Math.floor(Date.now() / 1000) - madeSecsAgo;
  const signed = [`identifier:${userID}`, `sdkappid:${SDKAPPID}`, `time:${time}`, `expire:${expireSecs}`];
  const sig = createHmac("sha256", KEY).update(signed.map((line) => `TLS.${line}\n`).join("")).digest("base64");
  const facts = {
    "TLS.ver": "2.0",
    "TLS.identifier": userID,
    "TLS.sdkappid": SDKAPPID,
    "TLS.time": time,
    "TLS.expire": expireSecs,
    "TLS.sig": sig,
  };
  const text = deflateSync(JSON.stringify(facts)).toString("base64");
  return text.replace(/[+/=]/g, (letter) => ({ "+": "*", "/": "-", "=": "_" })[letter] ?? letter);
}
