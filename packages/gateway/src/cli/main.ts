import { dispatch } from "./dispatch.ts";
import type { CommandEntry } from "./dispatch.ts";

const entries: readonly CommandEntry[] = [
  { name: "serve", load: async () => (await import("./commands/serve.ts")).serve },
  { name: "init", load: async () => (await import("./commands/init.ts")).init },
  { name: "migrate", load: async () => (await import("./commands/migrate.ts")).migrate },
  { name: "check", load: async () => (await import("./commands/check.ts")).check },
  { name: "ask", load: async () => (await import("./commands/ask.ts")).ask },
  { name: "plan", load: async () => (await import("./commands/plan.ts")).plan },
  { name: "models", load: async () => (await import("./commands/models.ts")).models },
  { name: "probe", load: async () => (await import("./commands/probe.ts")).probe },
  { name: "replay", load: async () => (await import("./commands/replay.ts")).replay },
  { name: "report", load: async () => (await import("./commands/report.ts")).report },
  { name: "confidence", load: async () => (await import("./commands/confidence.ts")).confidence },
  { name: "feedback", load: async () => (await import("./commands/feedback.ts")).feedback },
  { name: "review", load: async () => (await import("./commands/review.ts")).review },
  { name: "keys", load: async () => (await import("./commands/keys.ts")).keys },
  { name: "audit", load: async () => (await import("./commands/audit.ts")).audit },
  { name: "status", load: async () => (await import("./commands/status.ts")).status },
  { name: "drill", load: async () => (await import("./commands/drill.ts")).drill },
  { name: "sim", load: async () => (await import("./commands/sim.ts")).sim },
  { name: "supply", load: async () => (await import("./commands/supply.ts")).supply },
  { name: "watch", load: async () => (await import("./commands/watch.ts")).watch },
  { name: "version", load: async () => (await import("./commands/version.ts")).version },
];

// `hedgerow report calls | head` closes the pipe early, which is no error of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await dispatch(process.argv.slice(2), entries, {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  env: process.env,
  isTty: process.stdout.isTTY,
  stderrIsTty: process.stderr.isTTY,
  cwd: process.cwd(),
});
