import { describe, expect, it } from "vitest";
import { valkeyProgram, ValkeyServer } from "./valkey.ts";

describe.skipIf(valkeyProgram() === undefined)("a real server for tests", { timeout: 90_000 }, () => {
  it("answers, pauses, comes back empty on the same port, and is gone when it is stopped", async () => {
    let server = await ValkeyServer.start({ password: "a-password-of-a-test" });
    try {
      expect(server.url).toBe(`redis://:a-password-of-a-test@127.0.0.1:${server.port}`);
      expect(await server.command("SET a 1")).toContain("+OK");
      server.pause();
      await expect(server.command("GET a")).rejects.toThrow("no answer");
      server.resume();
      expect(await server.command("GET a")).toContain("$1");
      server = await server.restart();
      expect(await server.command("GET a")).toContain("$-1");
    } finally {
      await server.stop();
    }
    await expect(server.command("PING")).rejects.toThrow();
    expect(() => process.kill(server.pid, 0)).toThrow();
  });
});
