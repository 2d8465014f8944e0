// Written by `cargo xtask codegen` from crates/protocol/src/client/surface.rs. Change that, not this file.
// Everything that goes over the wire. Import it under a name: `import type * as wire from "./wire.js"`.

export * from "./wire/elements.js";
export * from "./wire/objects.js";
export * from "./wire/requests.js";
export * from "./wire/pushes.js";
export * from "./wire/codes.js";
