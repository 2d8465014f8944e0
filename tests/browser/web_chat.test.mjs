// The example app in a real browser, with the client as it is built for pages, against the real binary.
//
// COUPLET_BIN     the binary to start (required)
// CHROMIUM        the browser, `/usr/bin/chromium` when unset

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SHOWN = ["examples/web-chat/", "sdk/typescript/dist/"];
const KINDS = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const BROWSER_ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
/** Generous, because builds may be running beside it; nothing waits this long when all is well. */
const WAIT_MS_MAX = 20_000;
/** One pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

let folder;
let couplet;
let pages;
let browser;

before(async () => {
  assert.ok(process.env.COUPLET_BIN, "COUPLET_BIN names the binary to test");
  folder = await mkdtemp(path.join(tmpdir(), "couplet-web-chat-"));
  couplet = await startCouplet();
  pages = createServer(deliver).listen(0, "127.0.0.1");
  await once(pages, "listening");
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: BROWSER_ARGS });
});

after(async () => {
  await browser?.close();
  pages?.close();
  couplet?.child.kill("SIGTERM");
  if (couplet) await once(couplet.child, "exit");
  await rm(folder, { recursive: true, force: true });
});

test("two people write, read, send a picture and take something back", async () => {
  const ana = await login("ana");
  const bo = await login("bo");
  await openConversation(ana, "bo");
  await say(ana, "lunch?");
  await bo.locator("#total", { hasText: "1 unread" }).waitFor();
  await bo.locator("#conversations li", { hasText: "lunch?" }).click();
  await row(bo, "lunch?").waitFor();
  await row(ana, "lunch?").locator("small", { hasText: "read" }).waitFor();
  await bo.locator("#total", { hasText: "unread" }).waitFor({ state: "hidden" });
  await ana.locator("#status", { hasText: "online" }).waitFor();

  await bo.locator('#send input[type="file"]').setInputFiles({
    name: "dot.png",
    mimeType: "image/png",
    buffer: Buffer.from(PNG, "base64"),
  });
  await bo.locator("#send button").click();
  await ana.locator('#messages img[src*="/media/"]').waitFor();

  await say(ana, "never mind");
  await row(bo, "never mind").waitFor();
  await row(ana, "never mind").locator("button", { hasText: "Take back" }).click();
  await row(bo, "This message was taken back.").waitFor();
  assert.deepEqual([ana.complaints, bo.complaints], [[], []]);
});

test("what was written offline arrives when the network is back, once and in order", async () => {
  const cleo = await login("cleo");
  const dan = await login("dan");
  await openConversation(dan, "cleo");
  let isBroken = false;
  const open = new Set();
  await cleo.routeWebSocket(/\/ws$/, (socket) => {
    if (isBroken) return socket.close({ code: 4000 });
    open.add(socket);
    socket.connectToServer();
  });
  await cleo.reload();
  await fillLogin(cleo, "cleo");
  await openConversation(cleo, "dan");
  await say(cleo, "before");
  await row(dan, "before").waitFor();
  isBroken = true;
  for (const socket of open) await socket.close({ code: 4000 });
  await cleo.locator("#net", { hasText: "connecting" }).waitFor();
  for (const text of ["one", "two"]) await say(cleo, text);
  await say(dan, "are you there?");
  isBroken = false;
  await row(cleo, "are you there?").waitFor();
  await row(dan, "two").waitFor();
  await cleo.locator('#messages li[data-status="unSend"]').first().waitFor({ state: "detached" });
  const texts = await dan.locator("#messages li").evaluateAll((rows) => rows.map((it) => it.firstChild.textContent));
  assert.deepEqual(texts, ["before", "are you there?", "one", "two"]);
});

const row = (page, text) => page.locator("#messages li", { hasText: text });

async function say(page, text) {
  await page.locator('#send input[name="text"]').fill(text);
  await page.locator("#send button").click();
}

async function openConversation(page, userID) {
  await page.locator("#new input").fill(userID);
  await page.locator("#new button").click();
  await page.locator("#peer", { hasText: userID }).waitFor();
}

async function login(userID) {
  const context = await browser.newContext();
  context.setDefaultTimeout(WAIT_MS_MAX);
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (entry) => entry.type() === "error" && page.complaints.push(entry.text()));
  await page.goto(`http://127.0.0.1:${pages.address().port}/examples/web-chat/index.html`);
  await fillLogin(page, userID);
  return page;
}

async function fillLogin(page, userID) {
  const args = ["usersig", userID, "--data-dir", path.join(folder, "data")];
  const userSig = execFileSync(process.env.COUPLET_BIN, args, { encoding: "utf8" }).trim();
  for (const [name, value] of Object.entries({ server: couplet.url, user: userID, usersig: userSig })) {
    await page.locator(`#login [name="${name}"]`).fill(value);
  }
  await page.locator("#login button").click();
  await page.locator("#me", { hasText: userID }).waitFor();
}

async function deliver(request, response) {
  const file = path.posix.normalize(new URL(request.url, "http://page").pathname).slice(1);
  const kind = KINDS[path.extname(file)];
  if (!kind || !SHOWN.some((folder) => file.startsWith(folder))) return response.writeHead(404).end();
  response.writeHead(200, { "Content-Type": kind }).end(await readFile(path.join(ROOT, file)));
}

async function startCouplet() {
  const args = ["serve", "--data-dir", path.join(folder, "data"), "--listen", "127.0.0.1:0", "--json"];
  const child = spawn(process.env.COUPLET_BIN, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(child, "exit").then(([code]) => { throw new Error(`couplet serve ended before it was ready: ${code}`); });
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), "line"), exit]);
  exit.catch(() => {});
  return { child, url: JSON.parse(line).ready.url };
}
