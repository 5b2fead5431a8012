import type { Judgement } from "#domain/confidence";
import type { AttemptRecord, CallRecord } from "#domain/record";

const dayMs = 86_400_000;
const days = 80;
/** When the last of all calls was accepted. */
export const newest = Date.now() - 60_000;

const providers = ["openai", "anthropic", "bedrock", "vertex", "azure", "xai", "mistral", "groq"];
const modelsEach = 5;
const routes = 20;
const keys = 200;

/** Those whose calls are recorded, with what an agreement promises. */
export const configuration = `providers:
${providers.map((name) => `  ${name}: { kind: openai-compatible, url: "http://127.0.0.1:1/v1", sla: { availability: 99.9 } }`).join("\n")}
routes:
${Array.from({ length: routes }, (_, at) => `  route-${at}: { targets: [${providers[at % 8]}/model-${at % modelsEach}, ${providers[(at + 1) % 8]}/model-0] }`).join("\n")}
`;

/** The same for the same number: no state, so that a store can be filled in parts. */
function drawn(call: number, of: number): number {
  let x = Math.imul(call ^ 0x9e37_79b9, 0x85eb_ca6b) ^ Math.imul(of + 1, 0xc2b2_ae35);
  x ^= x >>> 15;
  x = Math.imul(x, 0x2c1b_3c6d);
  x ^= x >>> 12;
  x = Math.imul(x, 0x297a_2d39);
  return ((x ^ (x >>> 15)) >>> 0) / 4_294_967_296;
}

const pick = (call: number, of: number, count: number): number => Math.floor(drawn(call, of) * count);

function judgementOf(call: number, model: string): Judgement {
  const score = drawn(call, 40);
  return {
    score,
    raw: drawn(call, 41),
    estimator: "logprob",
    features: Array.from({ length: 8 }, (_, feature) => Math.round(drawn(call, 50 + feature) * 1e4) / 1e4),
    key: {
      tenant: "",
      route: `route-${routeOf(call)}`,
      model,
      tier: 0,
      shape: "short",
      signals: "logprob",
    },
    calibration: { state: "prior", n: 0, version: "0123456789ab" },
    threshold: 0.85,
    mode: "per_answer",
    verdict: score > 0.4 ? "accepted" : "doubted",
    why: "",
  };
}

/** Of a key's two routes. */
const routeOf = (call: number): number => (pick(call, 3, keys) * 7 + pick(call, 1, 2)) % routes;

function attemptOf(call: number, at: number, failed: boolean): AttemptRecord {
  // A route's first target, in one call of ten its second.
  const place = at === 0 && drawn(call, 10) < 0.9 ? 0 : 1;
  const provider = call % 500_000 === 77 ? "rare" : (providers[(routeOf(call) + place) % 8] ?? "openai");
  const model = `model-${place === 0 ? routeOf(call) % modelsEach : 0}`;
  const firstContentMs = 150 + 900 * drawn(call, 30 + at) ** 3;
  const common = { target: `${provider}/${model}`, provider, model, credential: `${provider}#1`, startedMs: at * 900 };
  if (failed) return { ...common, outcome: "failed", failure: "upstream_failed", status: 503, endedMs: at * 900 + 200 };
  return {
    ...common,
    outcome: "answered",
    status: 200,
    firstContentMs: at * 900 + firstContentMs,
    endedMs: at * 900 + firstContentMs + 1500,
    usage: {
      inputUncached: 200 + pick(call, 5, 2000),
      cacheRead: pick(call, 6, 3) === 0 ? 1024 : 0,
      cacheWrite: 0,
      cacheWriteLong: 0,
      output: 50 + pick(call, 7, 900),
      reasoning: 0,
      estimated: false,
    },
    costNanoUsd: 100_000 + pick(call, 8, 9_000_000),
    groups: [`operator:${provider}`, `model:vendor/${model}`],
    // A tenth of the traffic goes through a gate.
    ...(call % 10 === 3 ? { judgement: judgementOf(call, model) } : {}),
  };
}

function callOf(call: number, of: number): CallRecord {
  const atMs = Math.floor(newest - days * dayMs + (days * dayMs * call) / of);
  const failedFirst = drawn(call, 2) < 0.05;
  const failedAll = drawn(call, 2) < 0.002;
  const attempts = failedFirst
    ? [attemptOf(call, 0, true), attemptOf(call, 1, failedAll)]
    : [attemptOf(call, 0, false)];
  const last = attempts.at(-1);
  const key = pick(call, 3, keys);
  const random = Math.floor(drawn(call, 4) * 2 ** 40).toString(16);
  return {
    version: 1,
    id: `req_${atMs.toString(16).padStart(12, "0")}${(random + call.toString(16)).slice(-12).padStart(12, "0")}`,
    at: new Date(atMs).toISOString(),
    snapshot: "0123456789ab",
    caller: `key-${key}`,
    team: `team-${key % 30}`,
    organisation: `org-${key % 5}`,
    ...(call % 5 === 0 ? { user: `user-${pick(call, 9, 5_000)}` } : {}),
    dialect: "openai-chat",
    operation: "generate",
    route: `route-${routeOf(call)}`,
    requestedModel: "default",
    streamed: call % 2 === 0,
    decision: failedAll ? "failed" : failedFirst ? "recovered" : "answered",
    committed: !failedAll,
    status: failedAll ? 502 : 200,
    requestBytes: 1200,
    answerBytes: 3400,
    durationMs: 1700 + pick(call, 11, 900),
    ...(last?.usage === undefined ? {} : { usage: last.usage }),
    ...(last?.costNanoUsd === undefined ? {} : { costNanoUsd: last.costNanoUsd }),
    warnings: [],
    attempts,
  };
}

/** Calls of eighty days, in the order in which they were accepted; of `of` in all, `count` from number `from` on. */
export function callsBetween({
  from,
  count,
  of,
}: {
  readonly from: number;
  readonly count: number;
  readonly of: number;
}): readonly CallRecord[] {
  return Array.from({ length: count }, (_, at) => callOf(from + at, of));
}
