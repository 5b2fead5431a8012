import { rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";
import { processTree } from "./cpu.ts";
import { post } from "./load.ts";
import { handlesOfTree, residentBytes } from "./processes.ts";
import { figure, type WorkloadReport } from "./report.ts";
import { chatBody } from "./saturation.ts";
import { endAll, folderFor, setUpstream, startHedgerow, type Subject } from "./subjects.ts";

interface Wish {
  readonly upstream: Subject;
  readonly calls: number;
}

const callers = 64;
const abortShare = 0.1;
const faultShare = 0.05;
const streamShare = 0.2;
const samples = 60;

/** What callers saw: by the gateway's id of the call, whether its end came. */
interface Seen {
  readonly ended: Set<string>;
  aborted: number;
  refused: number;
}

/** Bytes per unit of `x`, least squares. */
export function slope(points: readonly (readonly [x: number, bytes: number])[]): number {
  const mean = (of: 0 | 1): number => points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const above = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return above / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}

/**
 * Hours of traffic in minutes: whole and streamed calls, some hung up on, some that fail at the provider. Whether memory grows
 * after the first quarter, open files come back, and the ledger has every call that its caller saw end, once.
 */
export async function soak({ upstream, calls }: Wish): Promise<WorkloadReport> {
  // Longer than the gateway: its ledger is counted when it has ended.
  const { path: folder } = folderFor("soak-");
  const subject = await startHedgerow(upstream, { folder, backups: 2, more: "retention: { maxCalls: 20000000 }\n" });
  const pid = subject.process.pid ?? 0;
  const seen: Seen = { ended: new Set(), aborted: 0, refused: 0 };
  const memory = new Map<number, (readonly [number, number])[]>(processTree(pid).map((each) => [each, []]));
  const began = performance.now();
  let handles = { before: 0, after: 0 };
  try {
    await drive(subject, { calls: 2_000, seen, onCall: () => {} });
    await sleep(2_000);
    handles = { before: handlesOfTree(pid), after: 0 };
    await setUpstream(upstream, { faults: faultShare, chunks: 20 });
    const every = Math.ceil(calls / samples);
    await drive(subject, {
      calls,
      seen,
      onCall(done) {
        if (done % every !== 0) return;
        for (const [each, points] of memory) points.push([done / 1000, residentBytes(each)]);
      },
    });
    await setUpstream(upstream, { faults: 0, chunks: 64 });
    // Idle sockets are let go after 15 s.
    await sleep(20_000);
    handles.after = handlesOfTree(pid);
  } finally {
    await endAll([subject]);
  }
  const ledger = ledgerIn(join(folder, "data/hedgerow.sqlite"));
  rmSync(folder, { recursive: true });
  const missing = [...seen.ended].filter((id) => !ledger.ids.has(id)).length;
  const one = (value: number) => figure([value]);
  const slopes = [...memory.values()].map((points) => slope(points.slice(points.length >> 2)));
  return {
    workload: "soak",
    how: `${calls} calls, ${callers} callers, a fifth of them streams, ${abortShare * 100} % hung up on, ${faultShare * 100} % faults of the provider; ${((performance.now() - began) / 1000).toFixed(0)} s`,
    rows: [
      {
        subject: "hedgerow",
        figures: {
          "supervisor bytes/1000 calls": one(slopes[0] ?? Number.NaN),
          "worker bytes/1000 calls": one(slopes[1] ?? Number.NaN),
          "open files before": one(handles.before),
          "20 s after": one(handles.after),
          "seen to end": one(seen.ended.size),
          "of them not in the ledger": one(missing),
          "twice in it": one(ledger.rows - ledger.ids.size),
          "hung up on": one(seen.aborted),
          refused: one(seen.refused),
          "calls in the ledger": one(ledger.rows),
        },
      },
    ],
    notes: [...memory.values()].map((points, at) => {
      const mib = points.map(([, bytes]) => (bytes / 1024 ** 2).toFixed(0));
      return `${at === 0 ? "supervisor" : "worker"}, MiB at every tenth: ${mib.filter((_, index) => index % 6 === 0).join(", ")}`;
    }),
  };
}

function ledgerIn(path: string): { readonly ids: ReadonlySet<string>; readonly rows: number } {
  const database = new DatabaseSync(path, { readOnly: true });
  const ids = new Set<string>();
  let rows = 0;
  for (const { id } of database.prepare("SELECT id FROM calls").iterate()) {
    ids.add(String(id));
    rows += 1;
  }
  database.close();
  return { ids, rows };
}

interface Drive {
  readonly calls: number;
  readonly seen: Seen;
  readonly onCall: (done: number) => void;
}

async function drive(subject: Subject, { calls, seen, onCall }: Drive): Promise<void> {
  const pool = new Pool(subject.url, { connections: callers * 2, pipelining: 1 });
  const bodies = { whole: chatBody(false, 1024, "default"), streamed: chatBody(true, 1024, "default") };
  let [left, done] = [calls, 0];
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (left > 0) {
        left -= 1;
        const body = Math.random() < streamShare ? bodies.streamed : bodies.whole;
        await call(pool, body, seen);
        done += 1;
        onCall(done);
      }
    }),
  );
  await pool.close();
}

/** One call; some are hung up on within the time that most take. */
function call(pool: Pool, body: Buffer, seen: Seen): Promise<void> {
  return new Promise((resolve) => {
    let [id, status] = ["", 0];
    const hangUp = new AbortController();
    const timer = Math.random() < abortShare ? setTimeout(() => hangUp.abort(), Math.random() * 30) : undefined;
    const over = (whole: boolean): void => {
      clearTimeout(timer);
      if (!whole) seen.aborted += 1;
      else if (status === 200) seen.ended.add(id);
      else seen.refused += 1;
      resolve();
    };
    pool.dispatch(post({ path: "/v1/chat/completions", body }), {
      onRequestStart(controller) {
        hangUp.signal.addEventListener("abort", () => controller.abort(new Error("hung up")));
      },
      onResponseStart(_controller, code, headers) {
        [id, status] = [String(headers["x-request-id"]), code];
      },
      onResponseData() {},
      onResponseEnd: () => over(true),
      onResponseError: () => over(false),
    });
  });
}
