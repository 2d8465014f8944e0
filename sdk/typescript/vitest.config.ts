import { defineConfig } from "vitest/config";

// Generous, because builds may be running beside it; nothing waits this long when all is well.
const WAIT_MS_MAX = 60_000;

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: WAIT_MS_MAX,
    hookTimeout: WAIT_MS_MAX,
    // Each file starts a server of its own.
    maxWorkers: 2,
  },
});
