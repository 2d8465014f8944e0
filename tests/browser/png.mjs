// A picture: a sunset over the sea, with what compresses badly left out.

import { crc32, deflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const EIGHT_BITS_RGB = [8, 2, 0, 0, 0];

export function sunset(width, height) {
  const rows = Buffer.alloc((width * 3 + 1) * height);
  const horizon = height * 0.62;
  const sun = { x: width * 0.7, y: height * 0.48, radius: height * 0.1 };
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const isSun = y < horizon && Math.hypot(x - sun.x, y - sun.y) < sun.radius;
      const sky = mix([110, 160, 205], [250, 205, 165], y / horizon);
      const sea = mix([60, 105, 130], [22, 48, 66], (y - horizon) / (height - horizon));
      const color = isSun ? [255, 242, 205] : y < horizon ? sky : sea;
      rows.set(color, y * (width * 3 + 1) + 1 + x * 3);
    }
  }
  const size = Buffer.alloc(8);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  const header = Buffer.concat([size, Buffer.from(EIGHT_BITS_RGB)]);
  return Buffer.concat([SIGNATURE, chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

const mix = (from, to, share) => from.map((value, at) => Math.round(value + (to[at] - value) * share));

function chunk(type, data) {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, check]);
}
