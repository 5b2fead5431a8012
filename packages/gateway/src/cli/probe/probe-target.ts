import type { ProbedFeature } from "#control/config/capability-file";
import { isObject, type JsonObject } from "#dialects/shape";
import { sseDecoder } from "#wire/sse";
import type { Feature, ProbeReply } from "./features.ts";

export interface ProbeOptions {
  /** The gateway that asks, without a path. */
  readonly url: string;
  /** `provider/model` */
  readonly target: string;
  readonly features: readonly Feature[];
  /** Of one question. */
  readonly timeoutMs: number;
  readonly onFeature: (name: string) => void;
}

const maxAnswerBytes = 8 * 1024 * 1024;
/** Failures after which nothing about the target can be learnt: it was never asked, or is not there. */
const unreached = new Set(["no_capacity", "upstream_timeout", "rate_limited", "overloaded"]);

/** Asks one question after another: a conformance run must not itself be what overloads a target. */
export async function probeTarget(options: ProbeOptions): Promise<Readonly<Record<string, ProbedFeature>>> {
  const found: Record<string, ProbedFeature> = {};
  const answers = new Map<string, JsonObject>();
  for (const feature of options.features) {
    options.onFeature(feature.name);
    const earlier = feature.after === undefined ? undefined : answers.get(feature.after);
    const body = feature.after !== undefined && earlier === undefined ? undefined : feature.body(earlier);
    if (body === undefined) {
      found[feature.name] = { result: "untried", evidence: `${feature.after} gave nothing to go on from` };
      continue;
    }
    const reply = await ask(options, feature, body);
    if ("problem" in reply) found[feature.name] = { result: "untried", evidence: reply.problem };
    else {
      answers.set(feature.name, reply.json);
      found[feature.name] = judge(feature, reply);
    }
  }
  return found;
}

function judge(feature: Feature, reply: ProbeReply): ProbedFeature {
  if (reply.status !== 200) {
    const error = isObject(reply.json["error"]) ? reply.json["error"] : {};
    const metadata = isObject(error["metadata"]) ? error["metadata"] : {};
    const code = wordOf(metadata["code"]) ?? wordOf(error["type"]) ?? String(reply.status);
    const evidence = `${code}: ${shortened(wordOf(error["message"]) ?? "")}`;
    return { result: unreached.has(code) ? "untried" : "fail", evidence };
  }
  const verdict = feature.judge(reply);
  const [lost] = reply.warnings;
  if (verdict.result !== "pass" || lost === undefined) return verdict;
  return { result: "lossy", evidence: shortened(`${verdict.evidence}; ${lost}`) };
}

function wordOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

async function ask(
  { url, target, timeoutMs }: ProbeOptions,
  feature: Feature,
  body: JsonObject,
): Promise<ProbeReply | { readonly problem: string }> {
  try {
    const response = await fetch(url + (feature.path ?? "/v1/chat/completions"), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: target, ...body }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length > maxAnswerBytes) return { problem: "the answer is larger than 8 MiB" };
    const warnings = (response.headers.get("x-hedgerow-warning") ?? "").split(/, (?=[a-z-]+: )/u).filter(Boolean);
    if (response.headers.get("content-type")?.startsWith("text/event-stream") === true) {
      return { status: response.status, json: {}, warnings, ...readStream(bytes) };
    }
    const json: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    return { status: response.status, json: isObject(json) ? json : {}, chunks: [], whole: true, warnings };
  } catch (error) {
    const { name, message } = error as Error;
    return { problem: name === "TimeoutError" ? `no answer within ${timeoutMs / 1000} s` : message };
  }
}

function readStream(bytes: Uint8Array): Pick<ProbeReply, "chunks" | "whole"> {
  const chunks: JsonObject[] = [];
  let whole = false;
  const decoder = sseDecoder({
    maxFrameBytes: maxAnswerBytes,
    onFrame: ({ data }) => {
      if (data === "[DONE]") whole = true;
      else if (data !== undefined && data !== "") chunks.push(JSON.parse(data) as JsonObject);
    },
    onOversize: () => {},
  });
  decoder.push(bytes);
  decoder.end();
  return { chunks, whole };
}

const longest = 100;

function shortened(text: string): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
