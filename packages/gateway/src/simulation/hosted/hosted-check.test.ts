import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ script: [{ behaviour: { answer: { text: "ok" } } }] });
});
afterAll(() => simulator.close());

type Fields = Readonly<Record<string, unknown>>;
const bedrock = "/model/anthropic.claude-opus-5-v1%3A0/invoke";
const vertex = "/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-5:rawPredict";

async function post(path: string, fields: Fields): Promise<{ status: number; message: string; json: Fields }> {
  const body = JSON.stringify({ max_tokens: 100, messages: [{ role: "user", content: "hi" }], ...fields });
  const answer = await fetch(simulator.url + path, { method: "POST", body });
  const json = (await answer.json()) as Fields & { message?: string; error?: { message: string } };
  return { status: answer.status, message: json.message ?? json.error?.message ?? "", json };
}

describe("Anthropic on others' hosts", () => {
  it.each([
    ["Bedrock", bedrock, "bedrock-2023-05-31"],
    ["Vertex", vertex, "vertex-2023-10-16"],
  ])("wants its version in %s's body, and keeps its own rules", async (_host, path, version) => {
    expect(await post(path, { anthropic_version: version })).toMatchObject({ status: 200 });
    expect(simulator.log.last).toMatchObject({
      dialect: "anthropic-messages",
      model: expect.stringContaining("claude-opus-5") as string,
    });
    expect(await post(path, {})).toMatchObject({ status: 400, message: "anthropic_version: Field required" });
    expect(await post(path, { anthropic_version: "2023-01-01" })).toMatchObject({ status: 400 });
    expect(await post(path, { anthropic_version: version, model: "x" })).toMatchObject({
      status: 400,
      message: expect.stringMatching(/extraneous key \[model\]/) as string,
    });
    expect(await post(path, { anthropic_version: version, temperature: 0.5 })).toMatchObject({ status: 200 });
    expect(await post(path, { anthropic_version: "2026-10-21", temperature: 0.5 })).toMatchObject({
      status: 400,
      message: expect.stringMatching(/^temperature: not supported/) as string,
    });
    expect(await post(path, { anthropic_version: version, max_tokens: undefined })).toMatchObject({
      status: 400,
      message: "max_tokens: Field required",
    });
    const beta = { anthropic_version: version, context_management: {} };
    expect(await post(path, beta)).toMatchObject({ status: 400 });
    expect(await post(path, { ...beta, anthropic_beta: ["context-management-2025-06-27"] })).toMatchObject({
      status: 200,
    });
  });

  it("streams by the path on Bedrock, by the body on Vertex", async () => {
    expect(await post(bedrock, { anthropic_version: "bedrock-2023-05-31", stream: true })).toMatchObject({
      status: 400,
    });
    const body = { anthropic_version: "vertex-2023-10-16", max_tokens: 9, messages: [{ role: "user", content: "hi" }] };
    const answer = await fetch(simulator.url + vertex, {
      method: "POST",
      body: JSON.stringify({ ...body, stream: true }),
    });
    expect(answer.headers.get("content-type")).toContain("text/event-stream");
    await answer.text();
  });

  it("counts on Vertex under a name of its own, with the model in the body", async () => {
    const path = vertex.replace("claude-opus-5:", "count-tokens:");
    const counted = { anthropic_version: "2026-10-21", max_tokens: undefined, model: "claude-opus-5" };
    expect((await post(path, counted)).json).toEqual({ input_tokens: 1 });
    expect(simulator.log.last).toMatchObject({ operation: "count-tokens", model: "claude-opus-5" });
  });

  it("fails in the shape of its host", async () => {
    const failing = await startSimulator({ script: [{ behaviour: { errorKind: "rate-limit" } }] });
    const body = JSON.stringify({
      max_tokens: 9,
      messages: [{ role: "user", content: "hi" }],
      anthropic_version: "2026-10-21",
    });
    const ask = async (path: string): Promise<unknown> =>
      (await fetch(failing.url + path, { method: "POST", body })).json();
    expect(await ask(bedrock)).toEqual({ message: expect.stringMatching(/Rate limit/) as string });
    expect(await ask(vertex)).toMatchObject({ error: { code: 429, status: "RESOURCE_EXHAUSTED" } });
    await failing.close();
  });
});
