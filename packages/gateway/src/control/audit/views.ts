import type { Opening } from "./entry.ts";
import type { ReadEntry } from "./verify.ts";

/**
 * `public`: that something happened, and when. `customer`: what happened of one caller's own calls. `regulator`: all that was
 * not erased. What a view withholds it gives as hashes, so that views of one log verify against one another.
 */
export const auditViews = ["public", "customer", "regulator"] as const;
export type AuditView = (typeof auditViews)[number];

export interface ViewWish {
  readonly view: AuditView;
  /** Of `customer`: a key's name, or a team's or organisation's. */
  readonly customer?: string;
}

type Openings = Readonly<Record<string, Opening>>;

function shownIn({ view, customer }: ViewWish, openings: Openings): Openings {
  if (view === "public") return {};
  if (view === "regulator") return openings;
  const who = openings["who"]?.[2];
  if (typeof who !== "object" || who === null || Array.isArray(who)) return {};
  const { caller, team, organisation } = who as Readonly<Record<string, unknown>>;
  return [caller, team, organisation].includes(customer) ? openings : {};
}

/** One line of an exported view. */
export function viewLine(wish: ViewWish, { line, openings }: Pick<ReadEntry, "line" | "openings">): string {
  return `${JSON.stringify({ entry: line, openings: shownIn(wish, openings) })}\n`;
}
