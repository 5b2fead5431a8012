import { describe, expect, it } from "vitest";
import { exchange, fourWays, jsonOf, openDoor } from "../world/exchange.ts";

const keys = "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const bedrock = { kind: "bedrock", region: "eu-central-1" };
const messages = [{ role: "user", content: "hi" }];

describe("Bedrock", () => {
  it.each(fourWays)(
    "is asked through Converse with a signature that it accepts, for a caller of %s (streamed: %s)",
    async (dialect, streamed) => {
      const model = "amazon.nova-pro-v1:0";
      const { reply, asked, json } = await exchange({ ...bedrock, key: keys }, { dialect, streamed, model });
      expect(asked).toMatchObject({
        path: `/model/amazon.nova-pro-v1%3A0/${streamed ? "converse-stream" : "converse"}`,
        dialect: "bedrock-converse",
        headers: {
          authorization: expect.stringMatching(
            /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/bedrock\/aws4_request, SignedHeaders=host;x-amz-date, Signature=/,
          ) as string,
          accept: streamed ? "application/vnd.amazon.eventstream" : "application/json",
        },
      });
      expect(asked?.headers).not.toHaveProperty("x-amz-security-token");
      expect(json).toMatchObject({ messages: [{ role: "user" }] });
      expect(json).not.toHaveProperty("model");
      expect(reply).toMatchObject({ status: 200, text: "hello", ending: "complete" });
    },
  );

  it.each(fourWays)(
    "is asked for Claude in Anthropic's language, for a caller of %s (streamed: %s)",
    async (dialect, streamed) => {
      const model = "us.anthropic.claude-opus-4-6-v1";
      const { reply, asked, json, record } = await exchange(
        { ...bedrock, key: "bedrock-api-key" },
        { dialect, streamed, model },
      );
      expect(asked).toMatchObject({
        path: `/model/${model}/${streamed ? "invoke-with-response-stream" : "invoke"}`,
        headers: { authorization: "Bearer bedrock-api-key" },
      });
      expect(asked?.headers).not.toHaveProperty("anthropic-version");
      expect(json).toMatchObject({ anthropic_version: "bedrock-2023-05-31" });
      for (const field of ["model", "stream", "stream_options"]) expect(json).not.toHaveProperty(field);
      expect(reply).toMatchObject({ status: 200, text: "hello", ending: "complete" });
      expect(record?.attempts).toMatchObject([{ outcome: "answered" }]);
    },
  );

  it("carries betas and the second version in the body, where the model has it", async () => {
    const headers = {
      "anthropic-version": "2026-10-21",
      "anthropic-beta": "context-management-2025-06-27,oauth-2025-04-20",
    };
    const question = { dialect: "anthropic-messages", streamed: false, headers } as const;
    const newer = await exchange({ ...bedrock, key: keys }, { ...question, model: "anthropic.claude-opus-5" });
    expect(newer.json).toMatchObject({
      anthropic_version: "2026-10-21",
      anthropic_beta: ["context-management-2025-06-27"],
    });
    expect(newer.asked?.headers).not.toHaveProperty("anthropic-beta");
    const older = await exchange({ ...bedrock, key: keys }, { ...question, model: "anthropic.claude-opus-4-5-v1:0" });
    expect(older.json).toMatchObject({ anthropic_version: "bedrock-2023-05-31" });
  });

  it.each([
    ["arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc123", "converse"],
    ["arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-5", "invoke"],
  ])("is asked for %s as one piece of the path, and the signature covers it", async (model, method) => {
    const { asked, reply } = await exchange(
      { ...bedrock, key: keys },
      { dialect: "openai-chat", streamed: false, model },
    );
    expect(asked?.path).toBe(`/model/${encodeURIComponent(model)}/${method}`);
    expect(reply.status).toBe(200);
  });

  it("sends the token of temporary keys, signed", async () => {
    const question = { dialect: "openai-chat", streamed: false, model: "amazon.nova-pro-v1:0" } as const;
    const { asked, reply } = await exchange({ ...bedrock, key: `${keys}:FwoGZXIvYXdzEXAMPLE==` }, question, {
      upstream: { keys: [keys] },
    });
    expect(asked?.headers).toMatchObject({ "x-amz-security-token": "FwoGZXIvYXdzEXAMPLE==" });
    expect(asked?.headers["authorization"]).toContain("SignedHeaders=host;x-amz-date;x-amz-security-token,");
    expect(reply.status).toBe(200);
  });

  it("refuses a wrong key, which is the operator's matter and not the caller's", async () => {
    const question = { dialect: "openai-chat", streamed: false, model: "amazon.nova-pro-v1:0" } as const;
    const { reply, record } = await exchange({ ...bedrock, key: "AKIDEXAMPLE:wrong" }, question, {
      upstream: { keys: [keys] },
    });
    expect(reply).toMatchObject({ status: 502, code: "upstream_error" });
    expect(record?.attempts[0]).toMatchObject({ failure: "credential_rejected" });
  });

  it("counts tokens through Converse under the model's own name", async () => {
    await using door = await openDoor({ ...bedrock, key: keys }, "eu.anthropic.claude-opus-5");
    const reply = await fetch(`${door.url}/v1/messages/count_tokens`, {
      method: "POST",
      body: JSON.stringify({ model: "main", messages }),
    });
    expect(await reply.json()).toEqual({ input_tokens: expect.any(Number) as number });
    const asked = door.provider.log.last;
    expect(asked?.path).toBe("/model/anthropic.claude-opus-5/count-tokens");
    expect(jsonOf(asked)).toMatchObject({ input: { converse: { messages: [{ role: "user" }] } } });
  });

  it("embeds with Cohere's models", async () => {
    await using door = await openDoor({ ...bedrock, key: keys }, "cohere.embed-v4:0");
    const reply = await fetch(`${door.url}/v1/embeddings`, {
      method: "POST",
      body: JSON.stringify({ model: "main", input: ["one", "two"] }),
    });
    expect(await reply.json()).toMatchObject({ data: [{ index: 0 }, { index: 1 }] });
    const asked = door.provider.log.last;
    expect(asked?.path).toBe("/model/cohere.embed-v4%3A0/invoke");
    expect(jsonOf(asked)).not.toHaveProperty("model");
  });

  it.each([
    [{ errorEvent: { after: "head", kind: "overloaded" } }, "upstream_overloaded"],
    [{ errorEvent: { after: { chunk: 1 }, kind: "server" } }, "upstream_failed"],
    [{ cut: { afterChunk: 2, how: "clean-end" } }, "truncated_response"],
    [{ malformed: { afterChunk: 1, kind: "bad-checksum" } }, "bad_upstream_response"],
  ] as const)("tells %o inside a stream of Claude's as what it is", async (fault, failure) => {
    const question = { dialect: "anthropic-messages", streamed: true, model: "anthropic.claude-opus-5" } as const;
    const behaviour = { answer: { text: "one two three" }, ...fault };
    const { record, reply } = await exchange({ ...bedrock, key: keys }, question, { behaviour });
    expect(record?.attempts[0]).toMatchObject({ failure });
    expect(reply.ending).toBe("told");
  });
});
