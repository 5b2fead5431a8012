/**
 * The house rules as data: which room may look into which, and what may be touched where. `ARCHITECTURE.md` says the
 * same in prose; changing a wall means changing both on purpose.
 */
export interface Room {
  /** Rooms it may import, beside itself. */
  readonly mayImport: readonly string[];
}

const leaves = ["domain", "wire"];
const decisions = ["catalogue", "supply", "policy", "confidence", "guards"];
const path = [...leaves, "dialects", "providers", ...decisions];
const underPlanes = [...path, "pipeline", "transport", "ledger", "control", "simulation", "planes/messages"];

/**
 * The messages and the types in them are a room of their own, `planes/messages`, so that control may speak of messages
 * without knowing who carries them.
 */
export const messageFiles: readonly string[] = ["planes/messages", "planes/metrics", "planes/sealed-snapshot"];

export const rooms: Readonly<Record<string, Room>> = {
  domain: { mayImport: [] },
  wire: { mayImport: [] },
  dialects: { mayImport: leaves },
  providers: { mayImport: leaves },
  catalogue: { mayImport: ["domain"] },
  supply: { mayImport: ["domain", "catalogue"] },
  policy: { mayImport: ["domain", "catalogue", "supply"] },
  confidence: { mayImport: ["domain", "catalogue", "supply"] },
  guards: { mayImport: ["domain", "catalogue", "supply"] },
  pipeline: { mayImport: path },
  transport: { mayImport: leaves },
  ledger: { mayImport: ["domain"] },
  "planes/messages": { mayImport: ["domain"] },
  control: {
    mayImport: ["domain", "providers", "catalogue", "supply", "ledger", "policy", "confidence", "planes/messages"],
  },
  simulation: { mayImport: [...path, "transport", "ledger", "pipeline"] },
  planes: { mayImport: underPlanes },
  cli: { mayImport: [...underPlanes, "planes"] },
  /** `src/index.ts`, the in-process library. */
  index: { mayImport: [...underPlanes, "planes"] },
};

/** Rooms whose words may be spoken only where they are defined, with the reason for each exception. */
export const nameComparisons = {
  provider: [{ where: "providers/", why: "this is where a provider's name has a meaning" }],
  dialect: [
    { where: "dialects/", why: "this is where a language's name has a meaning" },
    { where: "simulation/", why: "a simulated provider speaks each language itself, so that it can catch ours erring" },
  ],
} as const;

/** What opens a socket, and who may. */
export const socketModules = [
  "node:http",
  "node:https",
  "node:http2",
  "node:net",
  "node:tls",
  "node:dgram",
  "undici",
  "@redis/client",
  "pg",
];
export const socketGlobals = ["fetch", "WebSocket", "EventSource"];
export const socketPlaces = [
  { where: "transport/", why: "the data plane's only way to clients and providers" },
  { where: "simulation/", why: "simulated providers are a server of their own, and never a client of a real one" },
  { where: "control/store/postgres", why: "nodes share a ledger in PostgreSQL" },
  { where: "control/shared-limits/", why: "nodes share limits over a Valkey or Redis server" },
  { where: "cli/probe/", why: "`hedgerow probe` asks through a gateway of its own, as a caller would" },
  { where: "cli/cascades/", why: "`hedgerow replay cascades` asks through a gateway of its own, as a caller would" },
  { where: "cli/ask-gateway", why: "`hedgerow ask` is a client of the gateway, like any program" },
  { where: "cli/ask-admin", why: "`hedgerow keys` asks a running gateway's admin API" },
  { where: "cli/fetch-health", why: "`hedgerow status` asks a running gateway" },
  { where: "cli/send-feedback", why: "`hedgerow feedback` tells a running gateway" },
  { where: "cli/tour", why: "the tour shows a first call as any client would make it" },
  {
    where: "planes/",
    why: "the supervisor opens the listener where the system has no reusePort, and posts records to a collector",
  },
] as const;

export interface Ban {
  readonly rooms: readonly string[];
  readonly what: string;
  /** Tested on code without comments and with empty strings. */
  readonly pattern: RegExp;
}

/** A date made from a number is arithmetic; a date made from nothing reads the clock. */
const clock = /\bDate\b(?!\.(?:parse|UTC)\()(?<!\bnew Date(?=\([^)\s]))/g;
const timers = /(?<![.\w$])(?:setTimeout|setInterval|setImmediate)\b/g;
const chance = /\bMath\.random\b|\brandom(?:UUID|Bytes|Int|FillSync)\b|\bgetRandomValues\b/g;
const monotonic = /(?<![.\w$])performance\b|\bprocess\.hrtime\b/g;
const surroundings = /(?<![.\w$])process\.(?!hrtime)/g;

/** The same code decides live calls, simulations and replays. */
const pure = ["domain", "wire", "supply", "policy", "confidence"];

export const bans: readonly Ban[] = [
  { rooms: [...pure, "pipeline"], what: "reads the clock", pattern: clock },
  { rooms: [...pure, "pipeline"], what: "reads the monotonic clock", pattern: monotonic },
  { rooms: [...pure, "pipeline"], what: "sets a timer", pattern: timers },
  { rooms: [...pure, "pipeline"], what: "rolls dice", pattern: chance },
  { rooms: [...pure, "pipeline"], what: "looks at the process", pattern: surroundings },
  { rooms: ["domain"], what: "uses a Node global", pattern: /(?<![.\w$])Buffer\b/g },
];

/** Rooms that import nothing of Node's. */
export const withoutNode = pure;

/** Packages from npm, and the rooms that may use each. */
export const packages: Readonly<Record<string, readonly string[]>> = {
  "@redis/client": ["control"],
  pg: ["control"],
  "google-auth-library": ["providers"],
  undici: ["transport"],
  yaml: ["control", "simulation", "cli"],
  zod: ["control", "simulation"],
};

/** Names that say nothing about what is inside. */
export const emptyNames = ["util", "utils", "helper", "helpers", "common", "shared", "manager", "service"];

export const maxLines = 400;
