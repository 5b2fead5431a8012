import type { AnswerEvent } from "#domain/answer";

/** What breaks the grammar of `AnswerEvent`, in words; undefined for an answer that keeps it. */
export function breachOf(events: readonly AnswerEvent[]): string | undefined {
  const open = new Map<number, string>();
  const used = new Set<number>();
  let phase: "before" | "content" | "finished" | "over" = "before";
  for (const event of events) {
    if (phase === "over") return `${event.kind} after the end`;
    const [kind, part] = event.kind.split("-") as [string, string | undefined];
    if (event.kind === "failed") {
      phase = "over";
    } else if (event.kind === "start") {
      if (phase !== "before") return "a second start";
      phase = "content";
    } else if ("block" in event) {
      if (phase !== "content") return `${event.kind} while ${phase}`;
      if (part === "start") {
        if (used.has(event.block)) return `block ${event.block} is used twice`;
        used.add(event.block);
        open.set(event.block, kind);
      } else if (open.get(event.block) !== kind) return `${event.kind} outside its block`;
      if (part === "end") open.delete(event.block);
    } else if (event.kind === "refusal-delta" && phase !== "content") {
      return `refusal while ${phase}`;
    } else if (event.kind === "finish") {
      if (phase !== "content") return `finish while ${phase}`;
      if (open.size > 0) return "finish with open blocks";
      phase = "finished";
    } else if (event.kind === "end") {
      if (phase !== "finished") return `end while ${phase}`;
      phase = "over";
    } else if (event.kind === "usage" && phase === "before") return "usage before the start";
  }
  return phase === "over" ? undefined : "no end";
}
