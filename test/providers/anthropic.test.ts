import { describe, expect, it } from "vitest";
import { exchange } from "../world/exchange.ts";

const anthropic = { kind: "anthropic", path: "/v1", key: "sk-ant-key" };
const relayed = { dialect: "anthropic-messages", streamed: false, model: "claude-opus-4-5" } as const;

describe("Anthropic", () => {
  it.each(["2023-06-01", "2026-10-21"])(
    "is asked under version %s where the caller of Messages asks so",
    async (version) => {
      const { asked, reply } = await exchange(anthropic, { ...relayed, headers: { "anthropic-version": version } });
      expect(asked?.headers).toMatchObject({ "anthropic-version": version, "x-api-key": "sk-ant-key" });
      expect(reply.text).toBe("hello");
    },
  );

  it("is asked under 2023-06-01 where the caller says none", async () => {
    const { asked } = await exchange(anthropic, relayed);
    expect(asked?.headers).toMatchObject({ "anthropic-version": "2023-06-01" });
  });

  it("tells the caller of 2026-10-21 what that version refuses, and passes it under the other", async () => {
    const body = { temperature: 0.5 };
    const newer = await exchange(anthropic, { ...relayed, body, headers: { "anthropic-version": "2026-10-21" } });
    expect(newer.reply.status).toBe(400);
    expect(newer.reply.body).toContain("temperature");
    const older = await exchange(anthropic, { ...relayed, body, headers: { "anthropic-version": "2023-06-01" } });
    expect(older.json).toMatchObject(body);
    expect(older.reply.status).toBe(200);
  });

  it("is asked under 2023-06-01 for callers of other languages, whose sampling it keeps", async () => {
    const { asked, json } = await exchange(anthropic, {
      ...relayed,
      dialect: "openai-chat",
      body: { temperature: 0.5 },
    });
    expect(asked?.headers).toMatchObject({ "anthropic-version": "2023-06-01" });
    expect(json).toMatchObject({ temperature: 0.5 });
  });

  it("gets the caller's betas as they are, and never the caller's key", async () => {
    const headers = { "anthropic-beta": "a-2025-01-01,claude-code-20250219", authorization: "Bearer of-the-caller" };
    const { asked } = await exchange(anthropic, { ...relayed, headers });
    expect(asked?.headers).toMatchObject({ "anthropic-beta": "a-2025-01-01,claude-code-20250219" });
    expect(JSON.stringify(asked?.headers)).not.toContain("of-the-caller");
  });

  it("takes the token of a subscription in the other header", async () => {
    const { asked } = await exchange({ ...anthropic, key: "sk-ant-oat01-token" }, relayed);
    expect(asked?.headers).toMatchObject({ authorization: "Bearer sk-ant-oat01-token" });
    expect(asked?.headers).not.toHaveProperty("x-api-key");
  });
});
