import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Behaviour } from "#simulation/behaviour";
import type { ReceivedRequest } from "#simulation/received-request";
import { startSimulator, type Simulator } from "#simulation/server";
import { ask, type Reply } from "../world/ask.ts";
import { sendRaw } from "../world/raw-client.ts";
import { afterCommit, noFaults } from "./failure-table/after-commit.ts";
import { brokenBeforeCommit } from "./failure-table/broken-streams.ts";
import { errorReplies } from "./failure-table/error-replies.ts";
import { behaviourIn } from "./failure-table/fault-row.ts";
import { eventually, Place, type GatewayProcess } from "./gateway-process.ts";

/** Each in its own position. The shapes differ: with a known prefix, and with none that a pattern could know. */
const secrets = {
  keyInFile: "sk-canary-file-5b1f0a9c77e24d3f",
  keyInEnvironment: "plainwordscanaryenvironment",
  keyOfTheOther: "sk-ant-canary-0c9d8e7f6a5b4c3d",
  customHeader: "Canary header/value=with signs",
  gatewayKey: "hr-canary-gateway-key-1122334455",
  wrongKey: "hr-canary-wrong-key-998877665544",
  keyInAddress: "canary-in-the-address-13579",
  proxyPassword: "canary-proxy-password-2468",
  elsewhereInEnvironment: "canary-in-the-environment-only",
};
/** What callers say and hear: theirs to see, and for no log, record or metric. */
const prompt = "canaryprompt";
const answer = "canaryanswer";

/** What a provider that repeats its caller says. */
function echoed({ headers }: ReceivedRequest): { readonly words: string; readonly headers: Record<string, string> } {
  const words = [headers["authorization"], headers["x-api-key"], headers["x-custom"]].join(" ");
  const id = (headers["authorization"] ?? headers["x-api-key"] ?? "").replace("Bearer ", "");
  const repeated = { "x-request-id": id, "request-id": id, "openai-version": id, "x-echo": id, "set-cookie": id };
  return { words, headers: repeated };
}

type Echo = (request: ReceivedRequest) => Behaviour;

const error = (words: string): object => ({
  type: "error",
  error: { message: `Rejected: ${words} for ${prompt}`, type: words, code: words, param: words },
});

const echoes: readonly Echo[] = [400, 401, 402, 403, 404, 413, 429, 500, 503].flatMap((status): readonly Echo[] => [
  (request) => ({ status, headers: echoed(request).headers, body: { ...error(echoed(request).words) } }),
  (request) => ({ status, body: `Rejected: ${echoed(request).words} for ${prompt}` }),
  (request) => ({ status, body: `<html><body>${echoed(request).words} ${prompt}</body></html>` }),
  // The key stands where a message is cut to its longest.
  (request) => ({ status, body: { error: { message: `${"so it is ".repeat(54)}${echoed(request).words}` } } }),
]);

const inBand: readonly Echo[] = (["head", "lifecycle", { chunk: 1 }] as const).map((after): Echo => (request) => ({
  answer: { text: `${answer} ${answer}` },
  headers: echoed(request).headers,
  errorEvent: { after, body: { ...error(echoed(request).words) } },
}));

const table: readonly Echo[] = [...errorReplies, ...brokenBeforeCommit, ...afterCommit, ...noFaults]
  .filter(({ deadEnd, connections }) => deadEnd === undefined && connections === undefined)
  .map(({ fault }): Echo => (request) => {
    const behaviour = behaviourIn(fault, request.dialect === "openai-chat" ? "openai-chat" : "anthropic-messages");
    const said =
      behaviour.answer?.text === undefined ? {} : { answer: { ...behaviour.answer, text: `${answer} ${answer}` } };
    return { ...behaviour, ...said };
  });

const faults: readonly Echo[] = [...echoes, ...inBand, ...table];

let place: Place;
let simulator: Simulator;
let gateway: GatewayProcess;
let url: string;
const seen: string[] = [];

beforeAll(async () => {
  place = new Place();
  // A model for each fault: no fault's effect on health hides the next one.
  const behave = (request: ReceivedRequest): Behaviour => faults[Number(request.model.slice(1))]?.(request) ?? {};
  simulator = await startSimulator({ script: { rules: [{ behaviour: behave }] }, lenient: true });
  writeFileSync(join(place.folder, "key"), `${secrets.keyInFile}\n`);
  Object.assign(place.env, {
    CANARY_KEY: secrets.keyInEnvironment,
    CANARY_OTHER: secrets.keyOfTheOther,
    CANARY_GATEWAY: secrets.gatewayKey,
    CANARY_HEADER: secrets.customHeader,
    UNUSED_API_KEY: secrets.elsewhereInEnvironment,
    HTTPS_PROXY: `http://user:${secrets.proxyPassword}@127.0.0.1:1`,
  });
  place.write(configuration());
  gateway = place.start();
  url = await gateway.ready();
}, 60_000);

afterAll(async () => {
  await place.clear();
  await simulator.close();
});

function configuration(): string {
  const timeouts = "{ connect: 1s, firstByte: 150ms, firstToken: 250ms, idle: 150ms, contentIdle: 250ms, total: 1s }";
  const each = (line: (at: number) => string): string => faults.map((_, at) => line(at)).join("\n");
  return `
server: { port: 0, workers: 1 }
keys: { tester: { key: "\${CANARY_GATEWAY}" } }
providers:
${each((at) => `  p${at}: { kind: openai-compatible, url: "${simulator.url}/v1", keys: ["file:key", "\${CANARY_KEY}"], headers: { x-custom: "\${CANARY_HEADER}" } }`)}
${each((at) => `  a${at}: { kind: anthropic, url: "${simulator.url}/v1", key: "\${CANARY_OTHER}", headers: { x-custom: "\${CANARY_HEADER}" } }`)}
routes:
${each((at) => `  p${at}: { targets: [p${at}/m${at}], timeouts: ${timeouts} }`)}
${each((at) => `  a${at}: { targets: [a${at}/m${at}, p${at}/m${at}], timeouts: ${timeouts} }`)}
`;
}

const keyHeaders = [
  ["authorization", `Bearer ${secrets.gatewayKey}`],
  ["x-api-key", secrets.gatewayKey],
  ["x-goog-api-key", secrets.gatewayKey],
  ["api-key", secrets.gatewayKey],
] as const;

function keep(reply: Reply): void {
  seen.push(`${JSON.stringify([...reply.headers])}\n${reply.body}`);
}

async function everyFault(): Promise<void> {
  // Relays and translations, streamed and whole; the second kind of route falls back to the first one's provider.
  const lanes = [
    { dialect: "openai-chat", streamed: true, first: "p" },
    { dialect: "openai-chat", streamed: false, first: "a" },
    { dialect: "anthropic-messages", streamed: true, first: "a" },
    { dialect: "anthropic-messages", streamed: true, first: "p" },
    { dialect: "anthropic-messages", streamed: false, first: "p" },
  ] as const;
  for (const [at, lane] of lanes.entries()) {
    const [name, value] = keyHeaders[at % keyHeaders.length] ?? keyHeaders[0];
    const ways = faults.map(
      (_, fault) => () =>
        ask(url, {
          ...lane,
          model: `${lane.first}${fault}`,
          headers: { [name]: value },
          body: { messages: [{ role: "user", content: `${prompt} ${prompt}` }], hedgerow: { metadata: true } },
        }),
    );
    for (let from = 0; from < ways.length; from += 16) {
      for (const reply of await Promise.all(ways.slice(from, from + 16).map((way) => way()))) keep(reply);
    }
  }
}

/** What comes of callers who get it wrong: keys of no use, in the wrong place, or with a body that is none. */
async function everyMistake(): Promise<void> {
  const port = Number(new URL(url).port);
  const body = JSON.stringify({ model: "p0", messages: [{ role: "user", content: prompt }] });
  const post = (headers: readonly string[], path = "/v1/chat/completions", text = body): Promise<unknown> =>
    sendRaw(
      port,
      `POST ${path} HTTP/1.1\r\nhost: g\r\n${headers.join("\r\n")}\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
    ).then((reply) => seen.push(reply.text));
  const good = `authorization: Bearer ${secrets.gatewayKey}`;
  for (const [name] of keyHeaders) {
    await post([`${name}: ${name === "authorization" ? "Bearer " : ""}${secrets.wrongKey}`]);
    if (name !== "authorization") await post([good, `${name}: ${secrets.wrongKey}`]);
  }
  await post([good], `/v1/chat/completions?key=${secrets.keyInAddress}`);
  await post([good], `/v1/chat/completions?api_key=${secrets.keyInAddress}`);
  await post([good, good]);
  await post([good, "transfer-encoding: chunked"]);
  await post([good, `x-${prompt}: \0`]);
  await post([good], undefined, body.slice(0, -1));
  await post([good], undefined, body.replace('"model"', `"${prompt}":1,"hedgerow":{"${prompt}":1},"model"`));
  await post([good]);
}

/** All files below the data folder, as bytes: the journal, the database and its write-ahead log, the notes. */
function dataFiles(): readonly string[] {
  const data = join(place.folder, ".hedgerow");
  const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((file) => readFileSync(join(file.parentPath, file.name), "latin1"));
}

it("keeps every secret to itself, and what callers say out of everything it writes", { timeout: 180_000 }, async () => {
  await everyFault();
  await everyMistake();
  const metrics = await (await fetch(`${url}/metrics`)).text();
  seen.push(await (await fetch(`${url}/readyz`)).text());

  // The secrets were in play, and the faults happened.
  const received = new Set(simulator.log.entries.flatMap(({ headers }) => Object.values(headers)));
  expect([...received].join("\n")).toContain(secrets.keyInFile);
  expect([...received].join("\n")).toContain(secrets.keyInEnvironment);
  expect([...received].join("\n")).toContain(secrets.keyOfTheOther);
  expect(received).toContain(secrets.customHeader);
  expect([...received].join("\n")).not.toContain(secrets.gatewayKey);
  expect(seen.join("\n")).toContain(answer);

  let written = dataFiles();
  await eventually(async () => expect(place.calls().size).toBeGreaterThanOrEqual(faults.length * 5));
  written = [...written, ...dataFiles()];
  const commands = [
    await place.command(["report", "calls", "--json"]),
    await place.command(["report", "calls"]),
    await place.command(["check"]),
    await place.command(["plan", "hello", "-m", "a0"]),
  ];
  const [report] = commands;
  expect(report?.stdout.length).toBeGreaterThan(1_000);
  expect(await gateway.stop()).toBe(0);
  written = [...written, ...dataFiles()];

  const outputs = [gateway, ...commands].flatMap(({ stdout, stderr }) => [stdout, stderr]);
  for (const [position, secret] of Object.entries(secrets)) {
    for (const text of [...outputs, ...written, ...seen, metrics]) expectNowhere(text, secret, position);
  }
  for (const text of [...outputs, ...written, metrics]) {
    expectNowhere(text, prompt, "prompt");
    expectNowhere(text, answer, "answer");
  }
});

it("keeps secrets out of what it says about a configuration that is wrong", { timeout: 60_000 }, async () => {
  const broken = new Place();
  try {
    const { keyInFile, keyOfTheOther, gatewayKey } = secrets;
    broken.write(`
server: { prot: 1 }
keys: { tester: { key: "${gatewayKey}", sha256: "${gatewayKey}" } }
providers:
  p: { kind: nonesuch, url: "http://user:${secrets.proxyPassword}@host/v1", key: "${keyInFile}", hedders: { x: "${secrets.customHeader}" } }
  q: { kind: openai, key: ["${keyOfTheOther}"], headers: { "bad name": "${secrets.customHeader}" } }
routes: { default: { targets: [p/m] } }
`);
    for (const args of [["check"], ["serve"], ["plan", "hello"]]) {
      const { stdout, stderr } = await broken.command(args);
      expect(stdout + stderr).toMatch(/hedgerow\.yaml/);
      for (const [position, secret] of Object.entries(secrets)) expectNowhere(stdout + stderr, secret, position);
    }
  } finally {
    await broken.clear();
  }
});

/** Not whole, and no telling part of it either. */
function expectNowhere(text: string, secret: string, position: string): void {
  for (const part of new Set([secret, secret.slice(0, 16), secret.slice(-16)])) {
    const at = text.indexOf(part);
    if (at >= 0) expect.fail(`${position} found: …${text.slice(Math.max(0, at - 300), at + 100)}…`);
  }
}
