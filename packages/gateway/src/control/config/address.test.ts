import { describe, expect, it } from "vitest";
import { isLoopback, readAddress } from "./address.ts";

describe("readAddress", () => {
  it.each([
    ["https://api.openai.com/v1", "https://api.openai.com", "/v1"],
    ["https://api.openai.com/v1/", "https://api.openai.com", "/v1"],
    ["https://api.openai.com/v1/chat/completions", "https://api.openai.com", "/v1"],
    ["https://api.openai.com/v1/chat/completions/", "https://api.openai.com", "/v1"],
    ["https://api.anthropic.com/v1/messages", "https://api.anthropic.com", "/v1"],
    ["http://127.0.0.1:11434/v1", "http://127.0.0.1:11434", "/v1"],
    ["https://proxy.example/openai/deployments/x", "https://proxy.example", "/openai/deployments/x"],
    ["http://127.0.0.1:9000", "http://127.0.0.1:9000", ""],
    ["http://[::1]:9000/", "http://[::1]:9000", ""],
  ])("reads %s", (text, origin, basePath) => expect(readAddress(text)).toEqual({ kind: "address", origin, basePath }));

  it("gives an address without a path the one the kind's own API hangs under", () => {
    expect(readAddress("http://127.0.0.1:9000", "/v1")).toMatchObject({ basePath: "/v1" });
    expect(readAddress("http://127.0.0.1:9000/", "/v1")).toMatchObject({ basePath: "/v1" });
    expect(readAddress("http://127.0.0.1:9000/openai", "/v1")).toMatchObject({ basePath: "/openai" });
  });

  it.each([
    ["api.openai.com", "not a URL"],
    ["ftp://example.com/v1", "https://"],
    ["https://user:secret@example.com/v1", "no user name"],
    ["https://example.com/v1?api-version=1", "no query"],
    ["https://example.com/v1?", "no query"],
    ["https://example.com/v1#x", "no fragment"],
  ])("refuses %s", (text, why) => {
    const read = readAddress(text);
    expect(read).toMatchObject({ kind: "refused", why: expect.stringContaining(why) });
    expect(JSON.stringify(read)).not.toContain("secret");
  });
});

describe("isLoopback", () => {
  it.each(["127.0.0.1", "127.8.8.8", "localhost", "LOCALHOST", "::1", "[::1]"])(
    "takes %s for this machine only",
    (host) => expect(isLoopback(host)).toBe(true),
  );
  it.each(["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.com", "example.com", "128.0.0.1"])(
    "takes %s for open",
    (host) => expect(isLoopback(host)).toBe(false),
  );
});
