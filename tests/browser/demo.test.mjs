// Drives the page of `couplet demo` in a real browser against the real binary.
//
// COUPLET_BIN     the binary to start (required)
// CHROMIUM        the browser, `/usr/bin/chromium` when unset
// SCREENSHOT_DIR  where to leave screenshots, none when unset

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { chromium } from "playwright-core";

const BROWSER_ARGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
/** Generous, because builds may be running beside it; nothing waits this long when all is well. */
const WAIT_MS_MAX = 20_000;

let server;
let browser;
let context;
let page;
let complaints;

before(async () => {
  assert.ok(process.env.COUPLET_BIN, "COUPLET_BIN names the binary to test");
  if (process.env.SCREENSHOT_DIR) await mkdir(process.env.SCREENSHOT_DIR, { recursive: true });
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: BROWSER_ARGS });
});

after(() => browser?.close());

beforeEach(async () => {
  server = await startDemo();
  context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB", permissions: ["clipboard-read", "clipboard-write"] });
  context.setDefaultTimeout(WAIT_MS_MAX);
  page = await openPage(context);
});

afterEach(async () => {
  await context.close();
  await server.stop();
});

test("messages go both ways, and each is a callback", async () => {
  await send("ana", "Lunch at noon?");
  await seen("bo", "Lunch at noon?");
  await send("bo", "Gladly.");
  await seen("ana", "Gladly.");
  for (const [people, text] of [["ana → bo", "Lunch at noon?"], ["bo → ana", "Gladly."]]) {
    const row = callback("C2C.CallbackAfterSendMsg", text);
    await row.waitFor();
    assert.equal(await row.count(), 1);
    assert.equal(await row.locator(".people").textContent(), people);
    assert.equal(await row.locator(".result").textContent(), "delivered");
    assert.equal(await row.locator(".signature").getAttribute("data-signature"), "valid");
  }
  assert.equal(await page.locator("#count-messages").textContent(), "2");
  await screenshot("both-ways");
  await noComplaints();
});

test("a callback opens to its exact body with the keyboard alone", async () => {
  await send("ana", "Look inside");
  const row = callback("C2C.CallbackAfterSendMsg", "Look inside");
  await row.locator("summary").focus();
  await page.keyboard.press("Enter");
  await isShownExactly(row);
  const body = JSON.parse(await row.locator(".exact pre").textContent());
  assert.equal(body.CallbackCommand, "C2C.CallbackAfterSendMsg");
  assert.equal(body.ErrorInfo, "send msg succeed");
  assert.deepEqual(body.MsgBody, [{ MsgType: "TIMTextElem", MsgContent: { Text: "Look inside" } }]);
  assert.match(await row.locator(".request").textContent(), /SdkAppid=\d+&CallbackCommand=C2C\.CallbackAfterSendMsg&contenttype=json/);
  await screenshot("callback-open");
  await noComplaints();
});

test("a blocked word is refused, and the backend hears of it", async () => {
  await page.locator("#try-word").click();
  const word = await page.locator("#try-word").textContent();
  await pane("ana").locator("#send:enabled").waitFor();
  assert.equal(await input("ana").inputValue(), word);
  await page.keyboard.press("Enter");
  await message("ana", word).locator(".problem", { hasText: /Not sent: .* \(80001\)/ }).waitFor();
  const row = callback("C2C.CallbackAfterSendMsg", word);
  await row.locator("summary").click();
  await isShownExactly(row);
  assert.equal(await row.locator(".result").textContent(), "refused 80001");
  const body = JSON.parse(await row.locator(".exact pre").textContent());
  assert.equal(body.SendMsgResult, 80001);
  assert.equal(body.UnreadMsgNum, -1);
  assert.equal(await page.locator("#count-refused").textContent(), "1");
  assert.equal(await pane("bo").locator(".message").count(), 0);
  await screenshot("refused");
  await noComplaints();
});

test("unread is counted until the pane is looked at, and the sender sees that it was read", async () => {
  await send("ana", "One");
  await send("ana", "Two");
  await around("bo").locator(".badge", { hasText: "2" }).waitFor();
  await message("ana", "Two").locator(".meta .sent").waitFor();
  await input("bo").click();
  await around("bo").locator(".badge").waitFor({ state: "hidden" });
  await message("ana", "One").locator(".meta .read").waitFor();
  await message("ana", "Two").locator(".meta .read").waitFor();
  await page.locator('.row[data-command="C2C.CallbackAfterMsgReport"]').first().waitFor();
  await noComplaints();
});

test("the conversation is there again after a reload, page by page", async () => {
  for (let number = 1; number <= 25; number += 1) await send("ana", `Message ${number}.`);
  await seen("bo", "Message 25.");
  await page.reload();
  await seen("ana", "Message 25.");
  await seen("bo", "Message 25.");
  while (!(await message("ana", "Message 1.").count())) {
    const first = await pane("ana").locator(".message").first().elementHandle();
    const count = await pane("ana").locator(".message").count();
    await first.scrollIntoViewIfNeeded();
    await pane("ana").locator(".message").nth(count).waitFor();
  }
  assert.deepEqual(await texts("ana"), Array.from({ length: 25 }, (_, index) => `Message ${index + 1}.`));
  await callback("C2C.CallbackAfterSendMsg", "Message 25.").waitFor();
  await noComplaints();
});

test("the curl command of the page sends, and one run twice sends once", async () => {
  await page.locator("#curl-copy").click();
  await page.locator("#curl-copy", { hasText: "Copied" }).waitFor();
  const command = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(command, await page.locator("#curl").textContent());
  const first = await runCurl(command);
  assert.equal(first.ErrorCode, 0, first.ErrorInfo);
  await seen("bo", "by way of the backend");
  await seen("ana", "by way of the backend");
  const row = callback("C2C.CallbackAfterSendMsg", "by way of the backend");
  await row.locator("summary").click();
  await isShownExactly(row);
  assert.match(await row.locator(".request").textContent(), /OptPlatform=RESTAPI/);
  const again = await runCurl(command);
  assert.equal(again.MsgKey, first.MsgKey);
  // The next message is the proof that the repeat before it has left nothing behind.
  await send("bo", "Got it");
  await seen("ana", "Got it");
  assert.equal(await pane("bo").locator(".message", { hasText: "by way of the backend" }).count(), 1);
  assert.notEqual(await page.locator("#curl").textContent(), command);
  await noComplaints();
});

test("a lost connection resumes without loss and without doubles", async () => {
  const network = await withBreakableSockets();
  await send("ana", "Before");
  await seen("bo", "Before");

  // Bo is away while the backend and Ana write. Ana's own answer is lost, so that her client sends it again.
  network.loseAnswersTo("ana");
  await send("ana", "Is this lost?");
  await seen("bo", "Is this lost?");
  network.breakAll();
  await around("ana").locator(".state[data-state=waiting]").waitFor();
  await around("bo").locator(".state[data-state=waiting]").waitFor();
  const answer = await runCurl(await page.locator("#curl").textContent());
  assert.equal(answer.ErrorCode, 0, answer.ErrorInfo);
  await send("ana", "Written offline");
  await message("ana", "Written offline").locator(".meta .waiting").waitFor();
  await screenshot("offline");

  network.heal();
  for (const user of ["ana", "bo"]) {
    await around(user).locator(".state[data-state=online]").waitFor();
    await seen(user, "Written offline");
    await seen(user, "by way of the backend");
    await pane(user).locator(".meta .waiting").first().waitFor({ state: "detached" });
  }
  await send("bo", "All here");
  await seen("ana", "All here");
  await callback("C2C.CallbackAfterSendMsg", "All here").waitFor();
  const expected = ["Before", "Is this lost?", "Hello Bo, this is Ana by way of the backend", "Written offline", "All here"];
  for (const user of ["ana", "bo"]) {
    assert.deepEqual(await texts(user), expected);
  }
  assert.equal(await page.locator('.row[data-command="C2C.CallbackAfterSendMsg"]').count(), expected.length);
  assert.ok(network.resumed.has("ana") && network.resumed.has("bo"), "both presented the position that they had reached");
  await noComplaints();
});

test("two windows follow the same conversation", async () => {
  const second = await openPage(context);
  await send("ana", "Said in the first window");
  await pane("ana", second).locator(".message", { hasText: "Said in the first window" }).waitFor();
  await seen("bo", "Said in the first window");
  assert.equal(await pane("ana").locator(".message").count(), 1, "the sender's own push is not a second message");
  await second.close();
  await noComplaints();
});

test("it fits on a phone, and in the dark", async () => {
  await send("ana", "A message that is long enough to have to be broken into several lines on a phone");
  await seen("bo", "several lines");
  await callback("C2C.CallbackAfterSendMsg", "several lines").waitFor();
  for (const colorScheme of ["light", "dark"]) {
    for (const [name, viewport] of [["desktop", DESKTOP], ["phone", PHONE]]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${name} scrolls sideways by ${overflow} px`);
      await screenshot(`${name}-${colorScheme}`, { fullPage: name === "phone" });
    }
  }
  await noComplaints();
});

/* The one door to the page */

const around = (user, on = page) => on.locator(`.pane[data-user=${user}]`);
/** The chat page that one of the two has. */
const pane = (user, on = page) => on.frameLocator(`iframe[name=${user}]`);
const input = (user) => pane(user).locator("#text");
const message = (user, text) => pane(user).locator(".message", { hasText: text });
const seen = (user, text) => message(user, text).waitFor();
const callback = (command, text) =>
  page.locator(`.row[data-command="${command}"]`, { has: page.locator(".preview", { hasText: text }) });

/** What is said, from old to new, without names and times. */
function texts(user) {
  return pane(user).locator(".message .bubble").evaluateAll((bubbles) =>
    bubbles.map((bubble) => {
      const copy = bubble.cloneNode(true);
      for (const other of copy.querySelectorAll(".meta, .unseen")) other.remove();
      return copy.textContent;
    }),
  );
}

/** The body is laid out when the row is opened, a moment after that. */
const isShownExactly = (row) => row.locator(".exact pre span").first().waitFor();

async function send(user, text) {
  await input(user).fill(text);
  await input(user).press("Enter");
}

async function openPage(inContext) {
  const opened = await inContext.newPage();
  complaints = [];
  const heard = complaints;
  opened.on("pageerror", (error) => heard.push(String(error)));
  opened.on("console", (entry) => ["error", "warning"].includes(entry.type()) && heard.push(entry.text()));
  await opened.goto(server.url);
  for (const user of ["ana", "bo"]) await around(user, opened).locator(".state[data-state=online]").waitFor();
  return opened;
}

/** Violations of the content security policy are console errors, so they count. */
async function noComplaints() {
  assert.deepEqual(complaints, []);
}

async function screenshot(name, options = {}) {
  if (!process.env.SCREENSHOT_DIR) return;
  await page.screenshot({ path: path.join(process.env.SCREENSHOT_DIR, `${name}.png`), animations: "disabled", ...options });
}

/** What a shell and curl would do with the page's command. */
async function runCurl(command) {
  const [url, contentType, body] = Array.from(command.matchAll(/'([^']*)'/g), (match) => match[1]);
  const [name, value] = contentType.split(": ");
  const answer = await fetch(url, { method: "POST", headers: { [name]: value }, body });
  return answer.json();
}

/** Puts the test between the page and the server. Answers can be lost, and all connections broken and kept broken. */
async function withBreakableSockets() {
  const open = new Set();
  const deaf = new Set();
  const resumed = new Set();
  let isBroken = false;
  await page.routeWebSocket(/\/ws$/, (socket) => {
    if (isBroken) {
      socket.close({ code: 4000 });
      return;
    }
    const upstream = socket.connectToServer();
    let user;
    socket.onMessage((text) => {
      const frame = JSON.parse(text);
      if (frame.op === "connect") {
        user = frame.user_id;
        if (frame.position) resumed.add(user);
      }
      upstream.send(text);
    });
    upstream.onMessage((text) => {
      if (!deaf.has(user)) socket.send(text);
    });
    const entry = { socket, upstream };
    open.add(entry);
    socket.onClose(() => open.delete(entry));
  });
  await page.reload();
  for (const user of ["ana", "bo"]) await around(user).locator(".state[data-state=online]").waitFor();
  return {
    resumed,
    loseAnswersTo: (user) => deaf.add(user),
    breakAll() {
      isBroken = true;
      for (const { socket, upstream } of open) {
        upstream.close();
        socket.close({ code: 4000 });
      }
      open.clear();
    },
    heal() {
      isBroken = false;
      deaf.clear();
    },
  };
}

async function startDemo() {
  const child = spawn(process.env.COUPLET_BIN, ["demo", "--listen", "127.0.0.1:0", "--no-open", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, "line"),
    exit.then(([code, signal]) => { throw new Error(`couplet demo ended before it was ready: ${code ?? signal}`); }),
  ]);
  return {
    url: JSON.parse(line).ready.url,
    async stop() {
      child.kill("SIGTERM");
      const [code, signal] = await exit;
      assert.equal(code, 0, `couplet demo ends cleanly, not with ${code ?? signal}`);
    },
  };
}
