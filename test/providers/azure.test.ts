import { describe, expect, it } from "vitest";
import { exchange, fourWays } from "../world/exchange.ts";

const openai = { kind: "azure-openai", key: "resource-key" };
const foundry = { kind: "azure-foundry", key: "resource-key" };
/** In the form of a token of Entra ID. */
const entra = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJnYXRld2F5In0.c2ln";
const dated = "2025-04-01-preview";
const chat = { dialect: "openai-chat", streamed: false } as const;

describe("Azure OpenAI", () => {
  it.each(fourWays)(
    "is asked in its undated API with the resource's key, for a caller of %s (streamed: %s)",
    async (dialect, streamed) => {
      const { reply, asked, json } = await exchange(openai, { dialect, streamed, model: "my-deployment" });
      expect(asked).toMatchObject({ path: "/openai/v1/chat/completions", headers: { "api-key": "resource-key" } });
      expect(asked?.headers).not.toHaveProperty("authorization");
      expect(json).toMatchObject({ model: "my-deployment" });
      expect(reply).toMatchObject({ status: 200, text: "hello", ending: "complete" });
    },
  );

  it.each(fourWays)(
    "has the deployment in the path of its dated API, for a caller of %s (streamed: %s)",
    async (dialect, streamed) => {
      const { reply, asked } = await exchange(
        { ...openai, apiVersion: dated },
        { dialect, streamed, model: "my deployment" },
      );
      expect(asked?.path).toBe(`/openai/deployments/my%20deployment/chat/completions?api-version=${dated}`);
      expect(reply).toMatchObject({ status: 200, text: "hello", ending: "complete" });
    },
  );

  it.each([
    ["", undefined, "/openai/v1/responses"],
    ["", "preview", "/openai/v1/responses?api-version=preview"],
    ["", dated, `/openai/responses?api-version=${dated}`],
    ["/openai", undefined, "/openai/v1/responses"],
    ["/openai/v1", undefined, "/openai/v1/responses"],
    ["/openai/deployments/old", dated, `/openai/responses?api-version=${dated}`],
  ])("is asked in Responses behind %j under version %s at %s", async (path, apiVersion, at) => {
    const version = apiVersion === undefined ? {} : { apiVersion };
    const { reply, asked, json } = await exchange(
      { ...openai, ...version, path, dialects: ["openai-responses"] },
      { ...chat, model: "my-deployment" },
    );
    expect(asked?.path).toBe(at);
    expect(json).toMatchObject({ model: "my-deployment" });
    expect(reply.text).toBe("hello");
  });

  it("is asked in the language of the model that a deployment is said to be", async () => {
    const models = { prod: { name: "openai/gpt-5.4-pro" } };
    const { asked } = await exchange({ ...openai, models }, { ...chat, model: "prod" });
    expect(asked?.path).toBe("/openai/v1/responses");
  });

  it("takes a token of Entra ID", async () => {
    const { asked, reply } = await exchange({ ...openai, key: entra }, { ...chat, model: "d" });
    expect(asked?.headers).toMatchObject({ authorization: `Bearer ${entra}` });
    expect(asked?.headers).not.toHaveProperty("api-key");
    expect(reply.status).toBe(200);
  });
});

describe("Azure AI Foundry", () => {
  it.each(fourWays)(
    "is asked for Claude in Anthropic's language, for a caller of %s (streamed: %s)",
    async (dialect, streamed) => {
      const { reply, asked, json } = await exchange(foundry, { dialect, streamed, model: "claude-opus-5" });
      expect(asked).toMatchObject({
        path: "/anthropic/v1/messages",
        headers: { "x-api-key": "resource-key", "anthropic-version": "2023-06-01" },
      });
      expect(json).toMatchObject({ model: "claude-opus-5" });
      expect(reply).toMatchObject({ status: 200, text: "hello", ending: "complete" });
    },
  );

  it("takes a token of Entra ID for Claude too, and knows a deployment by what it is said to be", async () => {
    const models = { "my-opus": { name: "anthropic/claude-opus-5" } };
    const { asked } = await exchange({ ...foundry, key: entra, models }, { ...chat, model: "my-opus" });
    expect(asked).toMatchObject({ path: "/anthropic/v1/messages", headers: { authorization: `Bearer ${entra}` } });
  });

  it.each([
    [{}, "/openai/v1/chat/completions"],
    [{ project: "my-project" }, "/api/projects/my-project/openai/v1/chat/completions"],
    [{ path: "/api/projects/other" }, "/api/projects/other/openai/v1/chat/completions"],
    [{ apiVersion: "2024-05-01-preview" }, "/models/chat/completions?api-version=2024-05-01-preview"],
    [{ apiVersion: "2024-05-01-preview", path: "/models" }, "/models/chat/completions?api-version=2024-05-01-preview"],
  ])("is asked for other models, written %o, at %s", async (more, at) => {
    const { asked, reply } = await exchange({ ...foundry, ...more }, { ...chat, model: "grok-4" });
    expect(asked).toMatchObject({ path: at, headers: { "api-key": "resource-key" } });
    expect(asked?.headers["extra-parameters"]).toBe(at.startsWith("/models") ? "pass-through" : undefined);
    expect(reply.text).toBe("hello");
  });

  it("asks for Claude at the resource, whatever project and version say", async () => {
    const written = { ...foundry, project: "p", apiVersion: "2024-05-01-preview" };
    const { asked } = await exchange(written, { ...chat, model: "claude-opus-5" });
    expect(asked?.path).toBe("/anthropic/v1/messages");
  });
});
