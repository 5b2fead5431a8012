import fc from "fast-check";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { AnswerEvent, FinishReason } from "#domain/answer";
import { failure, failureTraits, type FailureKind } from "#domain/failure";
import { emptyUsage, type Usage } from "#domain/usage";
import type { EncodeOptions } from "#dialects/dialect";
import { openaiResponses } from "./index.ts";

const options: EncodeOptions = {
  fallbackId: "req_0123456789abcdef01234567",
  model: "claude-sonnet-5",
  createdAtS: 1_700_000_000,
  includeUsage: true,
  issuer: "anthropic",
};
const base = "0123456789abcdef01234567";

const usage: Usage = { ...emptyUsage, inputUncached: 3, cacheRead: 4, output: 5, reasoning: 6 };
const start: AnswerEvent = { kind: "start", id: "msg_up", model: "up", createdAtS: 1_699_999_999 };
const end: AnswerEvent = { kind: "end" };

function finish(reason: FinishReason): AnswerEvent {
  return { kind: "finish", finish: { reason } };
}

const rich: readonly AnswerEvent[] = [
  start,
  { kind: "reasoning-start", block: 0 },
  { kind: "reasoning-delta", block: 0, text: "hm" },
  { kind: "reasoning-delta", block: 0, text: "m" },
  { kind: "reasoning-signature", block: 0, signature: "c2lnbmVk" },
  { kind: "reasoning-end", block: 0 },
  { kind: "text-start", block: 1 },
  { kind: "text-delta", block: 1, text: "h" },
  { kind: "text-delta", block: 1, text: "i" },
  { kind: "text-end", block: 1 },
  { kind: "tool-start", block: 2, id: "a", name: "f" },
  { kind: "tool-start", block: 3, id: "b", name: "g" },
  { kind: "tool-delta", block: 2, json: '{"x"' },
  { kind: "tool-end", block: 3 },
  { kind: "tool-delta", block: 2, json: ":1.0}" },
  { kind: "tool-end", block: 2 },
  finish("tools"),
  { kind: "usage", usage },
  end,
];

type Wire = Readonly<Record<string, unknown>> & { readonly type: string; readonly sequence_number: number };

function streamed(events: readonly AnswerEvent[], more: Partial<EncodeOptions> = {}): string {
  const encoder = openaiResponses.streamEncoder({ ...options, ...more });
  return events.map((event) => encoder.encode(event)).join("");
}

function wireOf(stream: string): readonly Wire[] {
  return stream
    .split("\n\n")
    .filter((frame) => frame.startsWith("event: "))
    .map((frame) => JSON.parse(frame.slice(frame.indexOf("\ndata: ") + 7)) as Wire);
}

function whole(events: readonly AnswerEvent[], more: Partial<EncodeOptions> = {}): Record<string, unknown> {
  const body = openaiResponses.encodeAnswer(events, { ...options, ...more });
  return JSON.parse(Buffer.from(body ?? new Uint8Array(0)).toString()) as Record<string, unknown>;
}

function sdk(body: string): OpenAI {
  const headers = { "content-type": "text/event-stream" };
  return new OpenAI({ apiKey: "k", maxRetries: 0, fetch: () => Promise.resolve(new Response(body, { headers })) });
}

const ask = { model: "m", input: "hi" };

function idIn(event: Wire | undefined): unknown {
  return (event?.["response"] as { readonly id?: string } | undefined)?.id;
}

describe("a streamed response", () => {
  it("is read by the official SDK's accumulator as the answer it was", async () => {
    const response = await sdk(streamed(rich)).responses.stream(ask).finalResponse();
    expect(response).toMatchObject({
      id: `resp_${base}`,
      object: "response",
      status: "completed",
      model: "claude-sonnet-5",
      created_at: 1_699_999_999,
      output_text: "hi",
      usage: {
        input_tokens: 7,
        input_tokens_details: { cached_tokens: 4, cache_write_tokens: 0 },
        output_tokens: 11,
        output_tokens_details: { reasoning_tokens: 6 },
        total_tokens: 18,
      },
    });
    expect(response.output).toMatchObject([
      { type: "reasoning", summary: [{ text: "hmm" }], encrypted_content: "hedgerow:anthropic:signature:c2lnbmVk" },
      { type: "message", role: "assistant", status: "completed", content: [{ type: "output_text", text: "hi" }] },
      { type: "function_call", call_id: "a", name: "f", arguments: '{"x":1.0}', status: "completed" },
      { type: "function_call", call_id: "b", name: "g", arguments: "{}", status: "completed" },
    ]);
  });

  it("sends the recorded order of events, numbered from 0 without a gap, and [DONE] last", () => {
    const stream = streamed(rich);
    const wire = wireOf(stream);
    expect(wire.map(({ sequence_number: number }) => number)).toEqual(wire.map((_, index) => index));
    expect(wire.map(({ type }) => type.replace("response.", ""))).toEqual([
      "created",
      "in_progress",
      "output_item.added",
      "reasoning_summary_part.added",
      "reasoning_summary_text.delta",
      "reasoning_summary_text.delta",
      "reasoning_summary_text.done",
      "reasoning_summary_part.done",
      "output_item.done",
      "output_item.added",
      "content_part.added",
      "output_text.delta",
      "output_text.delta",
      "output_text.done",
      "content_part.done",
      "output_item.done",
      "output_item.added",
      "output_item.added",
      "function_call_arguments.delta",
      "function_call_arguments.delta",
      // A call without arguments has an empty object of them, in its deltas too.
      "function_call_arguments.delta",
      "function_call_arguments.done",
      "output_item.done",
      "function_call_arguments.done",
      "output_item.done",
      "completed",
    ]);
    expect(stream.endsWith("\n\ndata: [DONE]\n\n")).toBe(true);
    expect(wire.find(({ type }) => type.endsWith("arguments.done"))).toMatchObject({ name: "g", arguments: "{}" });
  });

  it("ends as the same response that a whole answer is", () => {
    const last = wireOf(streamed(rich)).at(-1);
    expect(last?.["response"]).toEqual(whole(rich));
  });

  it("begins with its first event even where the upstream said nothing of a start", () => {
    const wire = wireOf(streamed([{ kind: "text-start", block: 0 }, finish("stop"), end]));
    expect(wire.map(({ type }) => type)).toEqual(["response.created", "response.in_progress", "response.completed"]);
    expect(wire[0]?.["response"]).toMatchObject({ status: "in_progress", output: [], usage: null });
    expect(wire.at(-1)?.["response"]).toMatchObject({ status: "completed", output: [], usage: null });
  });

  it("tells a failure as error and response.failed with what was said so far, and never completes", async () => {
    const broken = [...rich.slice(0, 8), { kind: "failed", failure: failure("truncated_response", "Cut.") } as const];
    const stream = streamed([...broken, end]);
    const wire = wireOf(stream);
    expect(wire.slice(-2)).toMatchObject([
      { type: "error", code: "upstream_truncated", message: "Cut.", param: null },
      {
        type: "response.failed",
        response: {
          id: `resp_${base}`,
          status: "failed",
          error: { code: "server_error", message: "Cut." },
          output: [{ type: "reasoning" }, { type: "message", status: "incomplete", content: [{ text: "h" }] }],
        },
      },
    ]);
    expect(wire.map(({ sequence_number: number }) => number)).toEqual(wire.map((_, index) => index));
    expect(stream).not.toContain("[DONE]");
    expect(stream).not.toContain("response.completed");
    await expect(sdk(stream).responses.stream(ask).finalResponse()).rejects.toThrow("Cut.");
  });

  it("keeps the id of a stream it began where the pipeline breaks it off, with rising numbers", () => {
    const begun = wireOf(streamed(rich.slice(0, 8)));
    const facts = { requestId: options.fallbackId, retryable: true, attempts: [] };
    for (const kind of Object.keys(failureTraits) as FailureKind[]) {
      const bytes = openaiResponses.encodeStreamFailure(failure(kind, "No more."), facts);
      const [error, failed] = wireOf(Buffer.from(bytes).toString());
      expect(error).toMatchObject({ type: "error", code: failureTraits[kind].code, metadata: { retryable: true } });
      expect(failed).toMatchObject({ type: "response.failed", response: { status: "failed" } });
      expect(failed?.["response"]).toMatchObject({ id: idIn(begun[0]) });
      expect(error?.sequence_number).toBeGreaterThan(begun.at(-1)?.sequence_number ?? Infinity);
      expect(failed?.sequence_number).toBeGreaterThan(error?.sequence_number ?? Infinity);
    }
  });

  it("puts late facts into the last event, of its own streams and of relayed ones", () => {
    const last = wireOf(streamed(rich, { facts: () => ({ attempts: 2 }) })).at(-1);
    expect(last).toMatchObject({ type: "response.completed", hedgerow: { attempts: 2 } });
    const encoder = openaiResponses.streamEncoder(options);
    const terminal = rich.map((event) => encoder.encode(event)).at(-1) ?? "";
    const relayed = Buffer.from(
      openaiResponses.attachFacts(Buffer.from(terminal), { hedgerow: { attempts: 3 } }),
    ).toString();
    expect(wireOf(relayed)[0]).toMatchObject({ type: "response.completed", hedgerow: { attempts: 3 } });
    expect(relayed.endsWith("data: [DONE]\n\n")).toBe(true);
  });

  it("keeps a silent stream alive by comments", () => {
    expect(streamed([start, { kind: "ping" }]).endsWith(": keep-alive\n\n")).toBe(true);
  });
});

/** An item without what the package's parser adds. */
function bare(item: OpenAI.Responses.ResponseOutputItem): unknown {
  const { parsed: _parsed, parsed_arguments: _arguments, ...rest } = item as unknown as Record<string, unknown>;
  const content = rest["content"];
  if (!Array.isArray(content)) return rest;
  const parts = content.map((part: Record<string, unknown>) => {
    return Object.fromEntries(Object.entries(part).filter(([name]) => name !== "parsed"));
  });
  return { ...rest, content: parts };
}

/** Any number of blocks that interleave in any way, as a decoder may give them. */
const anyAnswer = fc
  .array(
    fc.record({
      kind: fc.constantFrom("text", "reasoning", "tool"),
      pieces: fc.array(fc.string({ maxLength: 5 }), { maxLength: 4 }),
      sealed: fc.boolean(),
    }),
    { maxLength: 6 },
  )
  .chain((blocks) => {
    const scripts = blocks.map(({ kind, pieces, sealed }, block): AnswerEvent[] => {
      const begin = { kind: `${kind}-start`, block, ...(kind === "tool" ? { id: `c${block}`, name: "f" } : {}) };
      const deltas = pieces.map((text) => ({
        kind: `${kind}-delta`,
        block,
        ...(kind === "tool" ? { json: text } : { text }),
      }));
      const seal = sealed && kind === "reasoning" ? [{ kind: "reasoning-signature", block, signature: "s" }] : [];
      return [begin, ...deltas, ...seal, { kind: `${kind}-end`, block }] as AnswerEvent[];
    });
    const turns = scripts.flatMap((script, index) => script.map(() => index));
    return fc.shuffledSubarray(turns, { minLength: turns.length }).map((order) => {
      const left = scripts.map((script) => script.slice());
      return order.flatMap((index) => left[index]?.splice(0, 1) ?? []);
    });
  });

describe("any answer", () => {
  it("is accumulated by the official SDK to what its last event says, and to the whole answer", async () => {
    await fc.assert(
      fc.asyncProperty(anyAnswer, async (blocks) => {
        const events = [start, ...blocks, finish("stop"), { kind: "usage", usage } as const, end];
        const stream = streamed(events);
        const response = await sdk(stream).responses.stream(ask).finalResponse();
        const last = wireOf(stream).at(-1)?.["response"] as { output: readonly unknown[] };
        expect(last).toEqual(whole(events));
        expect(response.output.map(bare)).toEqual(last.output);
      }),
      { numRuns: 60 },
    );
  });
});
