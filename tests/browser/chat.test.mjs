// The chat page in a real browser, against the real binary. Every page reports what its console complains of, and
// violations of the page's security policy are among that.
//
// COUPLET_BIN     the binary to start (required)
// CHROMIUM        the browser, `/usr/bin/chromium` when unset
// SCREENSHOT_DIR  where to put pictures of the page; none are taken when unset

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, afterEach, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { Couplet, SINGLE } from "./couplet.mjs";
import { sunset } from "./png.mjs";

const BROWSER_ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
/** Generous, because builds may be running beside it; nothing waits this long when all is well. */
const WAIT_MS_MAX = 20_000;
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const DAY_SECS = 24 * 60 * 60;

let couplet;
let browser;
let contexts = [];
let complaints = [];

before(async () => {
  couplet = await Couplet.start();
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: BROWSER_ARGS });
});

after(async () => {
  await browser?.close();
  await couplet?.stop();
});

afterEach(async () => {
  const [opened, heard] = [contexts, complaints];
  [contexts, complaints] = [[], []];
  for (const context of opened) await context.close();
  assert.deepEqual(heard, []);
});

test("two people talk: live, with unread counts, receipts, typing and presence", async () => {
  await couplet.people({ ana: "Ana", bo: "Bo" });
  const ana = await open(couplet.link("ana"));
  await ana.locator("#no-conversations").waitFor();
  assert.equal(ana.url(), `${couplet.url}/chat`, "the UserSig has left the address bar");
  const bo = await open(couplet.link("bo"));
  await bo.locator("#no-conversations").waitFor();

  await start(ana, "bo");
  await ana.locator("#peer-state", { hasText: "online" }).waitFor();
  await say(ana, "lunch?\nat noon");
  await mark(ana, "lunch?", "sent");
  await person(bo, "Ana").locator(".count", { hasText: "1" }).waitFor();
  await person(bo, "Ana").locator(".last", { hasText: "lunch?" }).waitFor();
  assert.equal(await bo.title(), "(1) Chat");

  await person(bo, "Ana").click();
  await message(bo, "lunch?").waitFor();
  await mark(ana, "lunch?", "read");
  await person(bo, "Ana").locator(".count").waitFor({ state: "detached" });
  await bo.waitForFunction(() => document.title === "Chat");

  await bo.locator("#text").pressSequentially("yes");
  await ana.locator("#peer-state", { hasText: "typing…" }).waitFor();
  await bo.locator("#text").fill("");
  await ana.locator("#peer-state", { hasText: "online" }).waitFor();
  await say(bo, "yes <b>please</b> https://example.com/menu.");
  await message(ana, "yes <b>please</b>").waitFor();
  assert.equal(await message(ana, "please").locator("a").getAttribute("href"), "https://example.com/menu");
  await ana.locator("#heard", { hasText: "Bo: yes" }).waitFor({ state: "attached" });

  await bo.context().close();
  await ana.locator("#peer-state", { hasText: "offline" }).waitFor();
});

test("messages are taken back, edited and deleted", async () => {
  await couplet.people({ cleo: "Cleo", dan: "Dan" });
  const cleo = await open(couplet.link("cleo", { peer: "dan" }));
  const dan = await open(couplet.link("dan", { peer: "cleo" }));
  for (const text of ["see you at sven", "never mind", "to be forgotten"]) await say(cleo, text);
  await message(dan, "to be forgotten").waitFor();

  await choose(cleo, "never mind", "Take back");
  await message(cleo, "You took this message back").waitFor();
  await message(dan, "This message was taken back").waitFor();

  await choose(cleo, "see you at sven", "Edit");
  assert.equal(await cleo.locator("#text").inputValue(), "see you at sven");
  await say(cleo, "see you at seven");
  await message(dan, "see you at seven").locator(".edited").waitFor();
  await message(cleo, "see you at seven").locator(".edited").waitFor();
  await cleo.locator("#editing").waitFor({ state: "hidden" });

  await choose(dan, "to be forgotten", "Delete for me");
  await message(dan, "to be forgotten").waitFor({ state: "detached" });
  assert.equal(await message(cleo, "to be forgotten").count(), 1);
  assert.deepEqual(await texts(dan), ["see you at seven", "This message was taken back"]);

  await cleo.locator("#text").press("ArrowUp");
  assert.equal(await cleo.locator("#text").inputValue(), "to be forgotten", "the last one of one's own");
  await cleo.keyboard.press("Escape");
  assert.equal(await cleo.locator("#text").inputValue(), "");

  await dan.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await choose(dan, "see you at seven", "Copy text");
  await dan.locator("#text").focus();
  await dan.keyboard.press("Control+V");
  assert.equal(await dan.locator("#text").inputValue(), "see you at seven");
});

test("pictures and files are sent, shown with their size, and opened", async () => {
  await couplet.people({ eva: "Eva", finn: "Finn" });
  const eva = await open(couplet.link("eva", { peer: "finn" }));
  const finn = await open(couplet.link("finn", { peer: "eva" }));
  await attach(eva, { name: "sea.png", mimeType: "image/png", buffer: sunset(1200, 800) });
  const picture = finn.locator(".picture");
  await picture.waitFor();
  assert.deepEqual(await picture.evaluate((it) => [it.offsetWidth, it.offsetHeight]), [330, 220], "before it is loaded");
  const shown = await finn.waitForFunction(() => {
    const image = document.querySelector(".picture img");
    return image.naturalWidth > 0 && { width: image.naturalWidth, path: new URL(image.src).pathname };
  });
  const { width, path: source } = await shown.jsonValue();
  assert.ok(width < 1200, `a smaller picture is shown in the conversation, not one of ${width} pixels`);
  assert.match(source, /^\/media\/1400000001\//);
  await eva.locator(".message .read").waitFor();
  assert.equal(await eva.locator(".progress").count(), 0);

  await picture.click();
  await finn.waitForFunction(() => document.querySelector("#light img").naturalWidth === 1200);
  await finn.keyboard.press("Escape");
  await finn.locator("#light").waitFor({ state: "hidden" });
  assert.equal(await finn.evaluate(() => document.activeElement.className), "picture");

  await attach(eva, { name: "Minutes of Monday.pdf", mimeType: "application/pdf", buffer: Buffer.alloc(2048, 7) });
  const file = finn.locator("a.file", { hasText: "Minutes of Monday.pdf" });
  await file.locator("span", { hasText: "2 kB" }).waitFor();
  const answer = await fetch(new URL(await file.getAttribute("href"), couplet.url));
  assert.deepEqual([answer.status, (await answer.arrayBuffer()).byteLength], [200, 2048]);
  await attach(eva, { name: "broken.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
  await finn.locator("a.file", { hasText: "broken.png" }).waitFor();

  const pasted = await finn.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(["a note"], "note.txt", { type: "text/plain" }));
    return data;
  });
  for (const [target, event] of [["#text", "paste"], ["#scroll", "drop"]]) {
    await finn.evaluate(
      ([data, selector, name]) => {
        const made = name === "paste" ? new ClipboardEvent(name, { clipboardData: data, bubbles: true }) : new DragEvent(name, { dataTransfer: data, bubbles: true });
        document.querySelector(selector).dispatchEvent(made);
      },
      [pasted, target, event],
    );
  }
  await eva.locator("a.file", { hasText: "note.txt" }).nth(1).waitFor();
  await finn.reload();
  await finn.locator("a.file", { hasText: "note.txt" }).nth(1).waitFor();
  assert.equal(await finn.locator(".message").count(), 5);
});

test("a reload goes on where it was, and what came meanwhile is there", async () => {
  await couplet.people({ gil: "Gil", hana: "Hana" });
  const gil = await open(couplet.link("gil", { peer: "hana" }));
  await say(gil, "before");
  await mark(gil, "before", "sent");
  await gil.goto("about:blank");
  await couplet.rest("openim/sendmsg", { From_Account: "hana", To_Account: "gil", MsgRandom: 1, MsgBody: text("meanwhile") });
  await gil.goto(`${couplet.url}/chat`);
  await message(gil, "meanwhile").waitFor();
  assert.deepEqual(await texts(gil), ["before", "meanwhile"]);
  assert.equal(await gil.locator("#peer-name").textContent(), "Hana");

  await gil.locator("#leave").click();
  await gil.locator("#login-form").waitFor();
  await gil.reload();
  await gil.locator("#login-form").waitFor();
  await gil.locator('[name="sdkappid"]').fill("1400000001");
  await gil.locator('[name="userid"]').fill("gil");
  await gil.locator('[name="usersig"]').fill("nonsense");
  await gil.keyboard.press("Tab");
  await gil.keyboard.press("Enter");
  await gil.locator("#login-error", { hasText: /\w/ }).waitFor();
  await gil.locator('[name="usersig"]').fill(couplet.usersig("gil"));
  await gil.locator("#login-form button").click();
  await person(gil, "Hana").waitFor();
});

test("what was written offline is sent when the connection is back, once and in order", async () => {
  await couplet.people({ ida: "Ida", jon: "Jon" });
  const jon = await open(couplet.link("jon", { peer: "ida" }));
  const wire = new Wire();
  const ida = await open(couplet.link("ida", { peer: "jon" }), { prepare: (page) => wire.into(page) });
  await say(ida, "before");
  await message(jon, "before").waitFor();
  await wire.cut();
  await ida.locator("#bar", { hasText: "Connecting…" }).waitFor();
  for (const it of ["one", "two"]) await say(ida, it);
  await mark(ida, "two", "waiting");
  await say(jon, "are you there?");
  wire.mend();
  await message(ida, "are you there?").waitFor();
  await message(jon, "two").waitFor();
  await mark(ida, "two", "read");
  await ida.locator("#bar").waitFor({ state: "hidden" });
  assert.deepEqual(await texts(jon), ["before", "are you there?", "one", "two"]);
  assert.deepEqual(await texts(ida), ["before", "are you there?", "one", "two"]);

  await wire.cut();
  await say(ida, "three");
  await mark(ida, "three", "waiting");
  await ida.reload();
  await ida.locator("#bar", { hasText: "Connecting…" }).waitFor();
  wire.mend();
  await message(jon, "three").waitFor();
  await mark(ida, "three", "read");
  assert.deepEqual(await texts(jon), ["before", "are you there?", "one", "two", "three"]);

  await wire.cut();
  await ida.context().setOffline(true);
  await ida.locator("#bar", { hasText: "You are offline." }).waitFor();
  await ida.context().setOffline(false);
  wire.mend();
  await ida.locator("#bar").waitFor({ state: "hidden" });
});

test("a later login takes over, and can be taken back", async () => {
  await couplet.people({ kim: "Kim", lea: "Lea" }, SINGLE);
  const link = couplet.link("kim", { sdkappid: SINGLE, peer: "lea" });
  const first = await open(link);
  await first.locator("#peer-name", { hasText: "Lea" }).waitFor();
  const second = await open(link);
  await second.locator("#peer-name", { hasText: "Lea" }).waitFor();
  await first.locator("#bar", { hasText: "You logged in on another device." }).waitFor();
  assert.equal(await first.locator("#thread").evaluate((it) => it.inert), true);
  await screenshot(first, "taken-over");

  await first.locator("#bar button", { hasText: "Use here" }).click();
  await second.locator("#bar", { hasText: "another device" }).waitFor();
  await first.locator("#peer-name", { hasText: "Lea" }).waitFor();
  await first.locator("#bar").waitFor({ state: "hidden" });
  await say(first, "here again");
  await mark(first, "here again", "sent");
  assert.deepEqual(await texts(first), ["here again"], "the parts of the page listen once, not once for each login");
});

test("a message that was refused can be sent again", async () => {
  await couplet.people({ max: "Max", nina: "Nina" });
  const max = await open(couplet.link("max", { peer: "nina" }));
  await couplet.rest("openconfigsvr/setnospeaking", { Set_Account: "max", C2CmsgNospeakingTime: 3600 });
  await say(max, "can you hear me?");
  await message(max, "can you hear me?").locator(".problem", { hasText: "Not sent: the sender is muted (20012)" }).waitFor();
  await max.locator("#back").evaluate((it) => it.click());
  await person(max, "Nina").waitFor({ state: "detached" });
  await start(max, "nina");
  await message(max, "can you hear me?").locator(".problem").waitFor();
  await screenshot(max, "failed");
  await couplet.rest("openconfigsvr/setnospeaking", { Set_Account: "max", C2CmsgNospeakingTime: 0 });
  await message(max, "can you hear me?").getByRole("button", { name: "Try again" }).click();
  await mark(max, "can you hear me?", "sent");
  assert.deepEqual(await texts(max), ["can you hear me?"]);
  await start(max, "nobody-of-this-name");
  await max.locator(".toast", { hasText: "There is no user nobody-of-this-name." }).waitFor();
});

test("older messages come while scrolling back, and nothing jumps", async () => {
  await couplet.people({ oda: "Oda", paul: "Paul" });
  await couplet.history(Array.from({ length: 60 }, (_, at) => [6 * DAY_SECS - at * 7_000, at % 3 ? "oda" : "paul", at % 3 ? "paul" : "oda", `Message number ${at + 1}`]));
  const oda = await open(couplet.link("oda", { peer: "paul" }));
  await message(oda, "Message number 60").waitFor();
  const isAtEnd = () => oda.locator("#scroll").evaluate((it) => it.scrollHeight - it.scrollTop - it.clientHeight < 2);
  assert.ok(await isAtEnd());
  for (;;) {
    const before = await oda.evaluate(() => {
      const scroll = document.querySelector("#scroll");
      scroll.scrollTop = 0;
      const first = document.querySelector(".message");
      return { id: first.dataset.id, count: document.querySelectorAll(".message").length, top: first.getBoundingClientRect().top };
    });
    if (before.count === 60) break;
    await oda.waitForFunction((count) => document.querySelectorAll(".message").length > count, before.count);
    const top = await oda.evaluate((id) => [...document.querySelectorAll(".message")].find((it) => it.dataset.id === id).getBoundingClientRect().top, before.id);
    assert.ok(Math.abs(top - before.top) < 60, `what is looked at moved by ${top - before.top} px`);
  }
  assert.deepEqual(await texts(oda), Array.from({ length: 60 }, (_, at) => `Message number ${at + 1}`));
  assert.ok((await oda.locator(".day").count()) >= 5, "days are told apart");

  await couplet.rest("openim/sendmsg", { From_Account: "paul", To_Account: "oda", MsgRandom: 99, MsgBody: text("Message number 61") });
  await oda.locator("#newest", { hasText: "1 new" }).click();
  assert.ok(await isAtEnd());
  await oda.locator("#newest").waitFor({ state: "hidden" });
});

test("conversations are pinned, muted, cleared and deleted", async () => {
  await couplet.people({ quin: "Quin", rosa: "Rosa", sven: "Sven" });
  await couplet.history([[300, "rosa", "quin", "from rosa"], [100, "sven", "quin", "from sven"]]);
  const quin = await open(couplet.link("quin"));
  await person(quin, "Rosa").waitFor();
  assert.deepEqual(await names(quin), ["Sven", "Rosa"]);
  await person(quin, "Rosa").click();
  await chooseForPeer(quin, "Pin to the top");
  await person(quin, "Rosa").locator(".sign", { hasText: "pinned" }).waitFor();
  assert.deepEqual(await names(quin), ["Rosa", "Sven"]);
  await chooseForPeer(quin, "Mute");
  await person(quin, "Rosa").locator(".sign", { hasText: "muted" }).waitFor();
  await chooseForPeer(quin, "Unpin");
  await person(quin, "Rosa").locator(".sign", { hasText: "pinned" }).waitFor({ state: "detached" });

  await chooseForPeer(quin, "Clear history for me");
  await quin.getByRole("menuitem", { name: "Cancel" }).click();
  assert.equal(await message(quin, "from rosa").count(), 1);
  await chooseForPeer(quin, "Clear history for me");
  await quin.getByRole("menuitem", { name: "Yes, clear it" }).click();
  await message(quin, "from rosa").waitFor({ state: "detached" });
  await quin.locator("#nothing-yet").waitFor();
  await chooseForPeer(quin, "Delete for me");
  await quin.getByRole("menuitem", { name: "Yes, delete it" }).click();
  await person(quin, "Rosa").waitFor({ state: "detached" });
  await quin.locator("#nobody").waitFor();
  assert.deepEqual(await names(quin), ["Sven"]);
});

test("the keyboard is enough", async () => {
  await couplet.people({ tom: "Tom", ulla: "Ulla", vera: "Vera" });
  await couplet.history([[300, "vera", "tom", "third"], [200, "ulla", "tom", "second"], [100, "ulla", "tom", "first"]]);
  const tom = await open(couplet.link("tom"));
  await person(tom, "Vera").waitFor();
  const focused = () => tom.evaluate(() => document.activeElement.dataset.user ?? (document.activeElement.id || document.activeElement.className));
  const press = async (...keys) => { for (const key of keys) await tom.keyboard.press(key); };
  await press("Tab");
  assert.equal(await focused(), "leave");
  await press("Tab", "Tab");
  assert.equal(await focused(), "ulla", "the list is one stop");
  await press("ArrowDown");
  assert.equal(await focused(), "vera");
  await press("ArrowUp", "Enter");
  await message(tom, "first").waitFor();
  await tom.waitForFunction(() => document.activeElement.id === "text");
  await press("Shift+Tab", "Shift+Tab");
  assert.match(await tom.evaluate(() => document.activeElement.textContent), /first/);
  await press("ArrowUp");
  assert.match(await tom.evaluate(() => document.activeElement.textContent), /second/);
  await press("Enter");
  await tom.getByRole("menuitem", { name: "Copy text" }).waitFor();
  await press("ArrowDown");
  assert.equal(await tom.evaluate(() => document.activeElement.textContent), "Delete for me");
  await press("Escape");
  assert.match(await tom.evaluate(() => document.activeElement.textContent), /second/, "the focus is back where it was");
  await press("Enter", "End", "Enter");
  await message(tom, "second").waitFor({ state: "detached" });
  await tom.locator("#text").focus();
  await tom.keyboard.type("one");
  await press("Shift+Enter");
  await tom.keyboard.type("two");
  await press("Enter");
  await mark(tom, "one", "sent");
  assert.deepEqual(await texts(tom), ["first", "one\ntwo"]);
  await press("Escape");
  await tom.locator("#nobody").waitFor();
  assert.equal(await focused(), "ulla");
});

test("it fits on desktops and phones, in the light and in the dark, and can be used by everybody", async () => {
  await tellStory();
  const clara = await open(couplet.link("clara", { peer: "bjorn" }));
  const bjorn = await open(couplet.link("bjorn", { peer: "clara" }));
  await attach(bjorn, { name: "harbour.png", mimeType: "image/png", buffer: sunset(1200, 760) });
  await clara.waitForFunction(() => document.querySelector(".picture img")?.naturalWidth > 0);
  await attach(clara, { name: "Table plan.pdf", mimeType: "application/pdf", buffer: Buffer.alloc(183_000, 7) });
  await bjorn.locator("a.file").waitFor();
  await say(clara, "On my way");
  await mark(clara, "On my way", "read");
  await bjorn.locator("#text").pressSequentially("Goo");
  await clara.locator("#peer-state", { hasText: "typing…" }).waitFor();
  const empty = await open(couplet.link("maya"));
  await empty.locator("#no-conversations").waitFor();
  const login = await open(`${couplet.url}/chat`);
  await login.locator("#login-form").waitFor();
  for (const scheme of ["light", "dark"]) {
    for (const [name, page] of Object.entries({ chat: clara, empty, login })) {
      await page.emulateMedia({ colorScheme: scheme });
      for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
        await page.setViewportSize(viewport);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${name} on a ${size} scrolls sideways by ${overflow} px`);
        await checkAccess(page, `${name} on a ${size}, ${scheme}`);
        await screenshot(page, `${name}-${size}-${scheme}`);
      }
    }
    await clara.locator("#back").click();
    await checkAccess(clara, `list on a phone, ${scheme}`);
    await screenshot(clara, `list-phone-${scheme}`);
    await clara.setViewportSize(DESKTOP);
    await screenshot(clara, `list-desktop-${scheme}`);
    await person(clara, "Bjorn").click();
    await message(clara, "On my way").hover();
    await message(clara, "On my way").locator(".more").click();
    await checkAccess(clara, `menu, ${scheme}`);
    await screenshot(clara, `menu-desktop-${scheme}`);
    await clara.keyboard.press("Escape");
  }
});

async function tellStory() {
  await couplet.people({ clara: "Clara Beck", bjorn: "Bjorn Lind", mia: "Mia Okafor", leo: "Leo", zoe: "Zoe Marsh", maya: "Maya Ray" });
  await couplet.history([
    [3 * DAY_SECS + 500, "leo", "clara", "The train leaves at 9:40, platform 6."],
    [2 * DAY_SECS + 9000, "clara", "zoe", "Happy birthday!"],
    [2 * DAY_SECS + 8900, "zoe", "clara", "Thank you so much"],
    [DAY_SECS + 7000, "bjorn", "clara", "Have you been to the new place at the harbour?"],
    [DAY_SECS + 6900, "clara", "bjorn", "Not yet. Is it any good?"],
    [DAY_SECS + 6880, "clara", "bjorn", "I heard they have that fish soup everyone talks about, and that one has to be there before noon to get a table outside."],
    [DAY_SECS + 6600, "bjorn", "clara", "It is. The menu is at https://example.com/harbour, look at the second page"],
    [900, "bjorn", "clara", "So, lunch today?"],
    [840, "clara", "bjorn", "Yes! Half past twelve?"],
    [820, "clara", "bjorn", "I can book"],
    [700, "bjorn", "clara", "Perfect, see you there"],
  ]);
  for (const [at, said] of ["Could you send me the file from Monday?", "No hurry"].entries()) {
    await couplet.rest("openim/sendmsg", { From_Account: "mia", To_Account: "clara", MsgRandom: at + 1, MsgBody: text(said) });
  }
}

/* The one door to the page */

const text = (Text) => [{ MsgType: "TIMTextElem", MsgContent: { Text } }];
const person = (page, name) => page.locator(".person", { hasText: name });
const message = (page, said) => page.locator(".message", { hasText: said });
const names = (page) => page.locator(".person .name b").allTextContents();
/** `waiting`, `sent` or `read` */
const mark = (page, said, state) => message(page, said).locator(`.meta .${state}`).waitFor();

/** What is said, from old to new, without names and times. */
function texts(page) {
  return page.locator(".message .bubble").evaluateAll((bubbles) =>
    bubbles.map((bubble) => {
      const copy = bubble.cloneNode(true);
      for (const other of copy.querySelectorAll(".meta, .unseen")) other.remove();
      return copy.textContent;
    }),
  );
}

async function start(page, userID) {
  await page.locator("#begin-with").fill(userID);
  await page.locator("#begin-with").press("Enter");
  if (!userID.startsWith("nobody")) await page.locator("#open").waitFor();
}

async function say(page, said) {
  await page.locator("#text").fill(said);
  await page.locator("#text").press("Enter");
}

const attach = (page, file) => page.locator("#files").setInputFiles([file]);

async function choose(page, said, label) {
  await message(page, said).hover();
  await message(page, said).locator(".more").click();
  await page.getByRole("menuitem", { name: label }).click();
}

async function chooseForPeer(page, label) {
  await page.locator("#peer-menu").click();
  await page.getByRole("menuitem", { name: label, exact: true }).click();
}

async function open(url, { prepare = () => {} } = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB", reducedMotion: "reduce" });
  context.setDefaultTimeout(WAIT_MS_MAX);
  contexts.push(context);
  const page = await context.newPage();
  const heard = complaints;
  page.on("pageerror", (error) => heard.push(String(error)));
  page.on("console", (entry) => ["error", "warning"].includes(entry.type()) && heard.push(entry.text()));
  await prepare(page);
  await page.goto(url);
  const { peer } = Object.fromEntries(new URLSearchParams(new URL(url).hash.slice(1)));
  if (peer) await page.locator("#open").waitFor();
  return page;
}

/** Breaks the connections of a page, and keeps them broken. */
class Wire {
  #isCut = false;
  #open = new Set();

  into(page) {
    return page.routeWebSocket(/\/ws$/, (socket) => {
      if (this.#isCut) return socket.close({ code: 4000 });
      this.#open.add(socket);
      socket.connectToServer();
    });
  }

  async cut() {
    this.#isCut = true;
    for (const socket of this.#open) await socket.close({ code: 4000 });
    this.#open.clear();
  }

  mend() {
    this.#isCut = false;
  }
}

let axe;

/** Rules of accessibility that a program can check. */
async function checkAccess(page, where) {
  axe ??= await readFile(fileURLToPath(new URL("node_modules/axe-core/axe.min.js", import.meta.url)), "utf8");
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  assert.deepEqual(serious.map(({ id, nodes }) => [where, id, nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`)]), []);
}

async function screenshot(page, name) {
  if (!process.env.SCREENSHOT_DIR) return;
  await page.screenshot({ path: path.join(process.env.SCREENSHOT_DIR, `chat-${name}.png`), animations: "disabled" });
}
