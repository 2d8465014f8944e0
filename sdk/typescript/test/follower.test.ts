import { expect, test } from "vitest";
import { Follower } from "../src/follower.js";

const at = (offset: number, epoch = "a") => ({ epoch, offset });

test("changes are taken once, in order, with what they did to the count", () => {
  const follower = new Follower();
  follower.reset(at(5), 2);
  expect(follower.take(at(6), 3)).toEqual({ kind: "next", delta: 1 });
  expect(follower.take(at(6), 3)).toEqual({ kind: "seen" });
  expect(follower.take(at(7), 0)).toEqual({ kind: "next", delta: -3 });
  expect([follower.position, follower.unread]).toEqual([at(7), 0]);
});

test("a gap is not taken, and neither is another log", () => {
  const follower = new Follower();
  expect(follower.take(at(1), 1)).toEqual({ kind: "gap" });
  follower.reset(at(5), 0);
  expect(follower.take(at(7), 1)).toEqual({ kind: "gap" });
  expect(follower.take(at(6, "b"), 1)).toEqual({ kind: "gap" });
  expect(follower.position).toEqual(at(5));
  expect(follower.take(at(6), 1)).toEqual({ kind: "next", delta: 1 });
});

test("a gap that is still there on the next connection is one in the log", () => {
  const follower = new Follower();
  follower.reset(at(5), 0);
  expect(follower.take(at(8), 1).kind).toBe("gap");
  expect(follower.take(at(8), 1).kind).toBe("next");
  expect(follower.take(at(10), 1).kind).toBe("gap");
});

test("after a resync the first change says nothing of the count", () => {
  const follower = new Follower();
  follower.reset(at(5), null);
  expect(follower.take(at(6), 4)).toEqual({ kind: "next", delta: null });
  expect(follower.take(at(7), 5)).toEqual({ kind: "next", delta: 1 });
});
