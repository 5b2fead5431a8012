import { expect, it } from "vitest";
import { openDoor, type Written } from "../world/exchange.ts";

const inPath: readonly Written[] = [
  { kind: "bedrock", region: "eu-central-1", key: "k" },
  { kind: "vertex", path: "/v1", project: "p", key: "ya29.t", dialects: ["gemini"] },
  { kind: "azure-openai", key: "k", apiVersion: "2025-04-01-preview" },
  { kind: "gemini", path: "/v1beta", key: "k", dialects: ["gemini"] },
];

async function ask(written: Written, name: string) {
  await using door = await openDoor(written, "m");
  const reply = await fetch(`${door.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model: `up/${name}`, messages: [{ role: "user", content: "hi" }] }),
  });
  return { status: reply.status, json: await reply.json(), path: door.provider.log.last?.path };
}

it.each(["\ud800", "a\nb", "..", ".", "../x", "x/../../y", "x/..", "\0", "x".repeat(600)])(
  "a name that cannot stand in an address is nobody's: %j",
  async (name) => {
    for (const written of inPath) {
      const { status, json, path } = await ask(written, name);
      expect(status).toBe(404);
      expect(json).toMatchObject({ error: { code: "model_not_found" } });
      expect(path).toBeUndefined();
    }
  },
);

it("any other name stands in the path as one piece, where its language has no pieces", async () => {
  for (const name of ["a b", "a?b#c", "a%2Fb", "ä…z", "a;b=c&d"]) {
    for (const written of inPath) {
      const { path } = await ask(written, name);
      expect(path).toContain(`/${encodeURIComponent(name)}`);
    }
  }
});
