import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuMicrosOfTree } from "./cpu.ts";
import { benchKey, generate, type Load } from "./load.ts";
import { memoryOfTree } from "./processes.ts";
import { figure, type WorkloadReport } from "./report.ts";
import { chatBody } from "./saturation.ts";
import { endAll, startHedgerow, type Subject } from "./subjects.ts";

const keyOf = (at: number): string => (at === 0 ? benchKey : `${benchKey}-${at}`);

/** So many keys with limits, and routes of a target each. */
function configuration(keys: number, routes: number): string {
  const written = Array.from({ length: keys }, (_, at) => {
    const sha256 = createHash("sha256").update(keyOf(at)).digest("hex");
    return `  k${at}: { sha256: ${sha256}, limits: { rpm: 10000000 }, budget: [100000usd/day] }`;
  });
  const more = Array.from({ length: routes }, (_, at) => `  r${at}: { targets: [openai/gpt-5.4] }`);
  return `${more.join("\n")}\nkeys:\n${written.join("\n")}\n`;
}

interface Wish {
  readonly upstream: Subject;
  readonly rounds: number;
  readonly requests: number;
}

interface Used {
  readonly keys: number;
  readonly routes: number;
}

/** Which key and route a call takes, after so many others: every one has its turn before any has a second. */
export function inTurn({ keys, routes }: Used, call: number): { readonly key: number; readonly route: number } {
  // Neither has a divisor in common with the numbers that are used.
  return { key: (call * 7919) % keys, route: (call * 31) % routes };
}

/** Calls of 1 KB that all succeed, and are in the ledger half a second later: how long they took, and what they cost. */
async function served(subject: Subject, load: Pick<Load, "requests" | "connections" | "varied">) {
  const pid = subject.process.pid ?? 0;
  const before = cpuMicrosOfTree(pid);
  const call = { url: subject.url, path: "/v1/chat/completions", body: chatBody(false, 1024) };
  const { seconds, failed } = await generate({ ...call, ...load });
  if (failed > 0) throw new Error(`${subject.name}: ${failed} requests failed`);
  await sleep(700);
  return { seconds, cpuMicros: cpuMicrosOfTree(pid) - before };
}

/**
 * What it costs that there are 10,000 keys and 1,000 routes: where the same one of each is used, and where all are by turns.
 * By turns nearly every call is the first of its key for seconds: its money is lent to it alone, and its rows are its own.
 */
export async function manyKeys({ upstream, rounds, requests }: Wish): Promise<WorkloadReport> {
  const sizes = [
    { name: "one key, one route", keys: 1, routes: 1, used: { keys: 1, routes: 1 } },
    { name: "10,000 keys, 1,000 routes, one used", keys: 10_000, routes: 1_000, used: { keys: 1, routes: 1 } },
    { name: "all used by turns", keys: 10_000, routes: 1_000, used: { keys: 10_000, routes: 1_000 } },
  ];
  const started = [];
  for (const size of sizes) {
    const began = performance.now();
    const subject = await startHedgerow(upstream, { name: size.name, more: configuration(size.keys, size.routes) });
    started.push({ ...size, subject, startMs: performance.now() - began, cpu: [] as number[], memory: 0, calls: 0 });
  }
  try {
    for (let round = -2; round < rounds; round += 1) {
      for (const each of started) {
        const { subject, used } = each;
        // At first every key and route is new, which costs something once; meanwhile the compiler has work to do, too.
        const count = round < 0 ? 2 * used.keys + requests : requests;
        // A round goes on where the one before it ended: it is shorter than there are keys.
        const before = each.calls;
        each.calls += count;
        const { cpuMicros } = await served(subject, {
          varied(at) {
            const { key, route } = inTurn(used, before + at);
            return { key: keyOf(key), body: bodies[route] ?? Buffer.alloc(0) };
          },
          requests: count,
          connections: 64,
        });
        if (round >= 0) each.cpu.push(cpuMicros / requests);
      }
    }
    for (const each of started) each.memory = memoryOfTree(each.subject.process.pid ?? 0) / 1024 ** 2;
  } finally {
    await endAll(started.map(({ subject }) => subject));
  }
  const [one] = started;
  return {
    workload: "many keys and routes",
    how: `${rounds} interleaved rounds of ${requests} calls of 1 KB, each with the next key where they are used by turns, from round to round`,
    rows: started.map(({ name, cpu, startMs, memory }) => ({
      subject: name,
      figures: {
        "CPU µs per request": figure(cpu),
        "ratio to one": figure(cpu.map((each, at) => each / (one?.cpu[at] ?? Number.NaN))),
        "start ms": figure([startMs]),
        "memory MiB": figure([memory]),
      },
    })),
    notes: [],
  };
}

const bodies = Array.from({ length: 1_000 }, (_, at) => chatBody(false, 1024, `r${at}`));

/** From the command to the first answer; memory idle, under load, and ten seconds after it. */
export async function startUp({ upstream, rounds, requests }: Wish): Promise<WorkloadReport> {
  const [readyMs, answerMs, idle, loaded, after] = [[], [], [], [], []] as number[][] as [
    number[],
    number[],
    number[],
    number[],
    number[],
  ];
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    const subject = await startHedgerow(upstream);
    readyMs.push(performance.now() - began);
    const call = { url: subject.url, path: "/v1/chat/completions", body: chatBody(false, 1024) };
    await generate({ ...call, requests: 1, connections: 1 });
    answerMs.push(performance.now() - began);
    const memory = (): number => memoryOfTree(subject.process.pid ?? 0) / 1024 ** 2;
    await sleep(1_000);
    idle.push(memory());
    const { failed } = await generate({ ...call, requests, connections: 64 });
    if (failed > 0) throw new Error(`${failed} requests failed`);
    loaded.push(memory());
    await sleep(10_000);
    after.push(memory());
    await endAll([subject]);
  }
  return {
    workload: "start-up and memory",
    how: `${rounds} starts; ${requests} calls of 1 KB each; memory is proportional, of supervisor and one worker`,
    rows: [
      {
        subject: "hedgerow",
        figures: {
          "ready ms": figure(readyMs),
          "first answer ms": figure(answerMs),
          "idle MiB": figure(idle),
          "loaded MiB": figure(loaded),
          "10 s after MiB": figure(after),
        },
      },
    ],
    notes: [],
  };
}

/** What a second worker adds, where generator and provider leave room for it. */
export async function twoWorkers({ upstream, rounds, requests }: Wish): Promise<WorkloadReport> {
  const started = [];
  for (const workers of [1, 2]) {
    const subject = await startHedgerow(upstream, { name: `${workers} workers`, workers });
    started.push({ workers, subject, perSecond: [] as number[], perCpuSecond: [] as number[] });
  }
  const others = { cpuMs: 0, ms: 0 };
  try {
    for (let round = -1; round < rounds; round += 1) {
      for (const each of started) {
        const [generator, provider] = [process.cpuUsage(), cpuMicrosOfTree(upstream.process.pid ?? 0)];
        const { seconds, cpuMicros } = await served(each.subject, { requests, connections: 128 });
        const used = process.cpuUsage(generator);
        if (round < 0) continue;
        others.cpuMs += (used.user + used.system + cpuMicrosOfTree(upstream.process.pid ?? 0) - provider) / 1000;
        others.ms += seconds * 1000;
        each.perSecond.push(requests / seconds);
        each.perCpuSecond.push(requests / (cpuMicros / 1e6));
      }
    }
  } finally {
    await endAll(started.map(({ subject }) => subject));
  }
  const [one] = started;
  return {
    workload: "two workers",
    how: `${rounds} interleaved rounds of ${requests} calls of 1 KB, 128 connections`,
    rows: started.map(({ workers, perSecond, perCpuSecond }) => ({
      subject: `${workers} worker${workers === 1 ? "" : "s"}`,
      figures: {
        "requests/s": figure(perSecond),
        "ratio to one": figure(perSecond.map((each, at) => each / (one?.perSecond[at] ?? Number.NaN))),
        "requests per CPU second": figure(perCpuSecond),
      },
    })),
    notes: [
      `generator and provider took ${((others.cpuMs / others.ms) * 100).toFixed(0)} % of one processor meanwhile: what they take of two is not there for workers`,
    ],
  };
}
