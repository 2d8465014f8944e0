import { afterAll, beforeAll, expect, test } from "vitest";
import Couplet from "../src/index.js";
import { Device } from "./device.js";
import { Server } from "./server.js";

const { EVENT } = Couplet;
let server: Server;

beforeAll(async () => {
  server = await Server.start();
});
afterAll(() => server.stop());

/** One pixel. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
  "base64",
);

async function bytesOf(url: string): Promise<Buffer> {
  const answer = await fetch(url);
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

test("a picture is uploaded, sent, and there for the other", async () => {
  const ana = await Device.online("ana1", server.url);
  const bo = await Device.online("bo1", server.url);
  const progress: number[] = [];
  const file = new File([PNG], "dot.png", { type: "image/png" });
  const message = ana.chat.createImageMessage({
    to: "bo1",
    conversationType: "C2C",
    payload: { file },
    onProgress: (fraction) => progress.push(fraction),
  });
  expect((message.payload as any).imageInfoArray[0].url).toMatch(/^blob:/);
  await ana.chat.sendMessage(message);
  expect(progress.at(-1)).toBe(1);
  const [received] = await bo.event(EVENT.MESSAGE_RECEIVED);
  expect(received.type).toBe("TIMImageElem");
  const [original] = received.payload.imageInfoArray;
  expect(original).toMatchObject({ type: 1, size: PNG.length, width: 1, height: 1 });
  expect(received.payload.imageFormat).toBe(3);
  expect(await bytesOf(original.url)).toEqual(PNG);
});

test("files, sounds and videos keep what the app said of them", async () => {
  const ana = await Device.online("ana2", server.url);
  const bo = await Device.online("bo2", server.url);
  const data = new TextEncoder().encode("just some bytes");
  const made = ana.chat.createFileMessage({ to: "bo2", payload: { file: { name: "notes.txt", type: "text/plain", data } } });
  await ana.chat.sendMessage(made);
  const [received] = await bo.event(EVENT.MESSAGE_RECEIVED);
  expect(received.payload).toMatchObject({ fileName: "notes.txt", fileSize: data.length });
  expect(await bytesOf(received.payload.fileUrl)).toEqual(Buffer.from(data));
});

test("what is no file is refused before anything is sent", async () => {
  const ana = await Device.online("ana3", server.url);
  expect(() => ana.chat.createImageMessage({ to: "bo3", payload: { file: "dot.png" } })).toThrow("no file");
  const text = new File(["not a picture"], "dot.png", { type: "image/png" });
  const message = ana.chat.createImageMessage({ to: "bo3", payload: { file: text } });
  await expect(ana.chat.sendMessage(message)).rejects.toMatchObject({ name: "ChatError" });
  expect(message.status).toBe("fail");
});
