import { expect } from "vitest";
import type { Heard } from "./every-lane.ts";
import { objectOf } from "./json-view.ts";
import { heardBy, type Kept } from "./languages/replay-language.ts";
import type { Said } from "./said.ts";

/** What a strict client says of an answer whose provider gave it no better one. */
function excused(fault: string, said: Said): boolean {
  if (said.usage === undefined && /usage/u.test(fault)) return true;
  // Tools that the provider ran itself stand beside the end of the answer.
  if (said.ending === "stop" && said.tools.length > 0) return fault.startsWith("tool_calls without the finish");
  // Half a call is what an answer cut off by its limit ends with.
  return said.ending !== "stop" && said.ending !== "tools" && said.tools.length > 0;
}

/** Ids of calls that the provider gave none are the gateway's, and each call has its own. */
function idsKept(expected: Said, got: Said): Said {
  expect(new Set(got.tools.map(({ id }) => id)).size, "ids of calls").toBe(got.tools.length);
  expect(got.tools.every(({ id }) => id !== "")).toBe(true);
  const tools = expected.tools.map((tool, at) => (tool.id === "" ? { ...tool, id: got.tools[at]?.id ?? "" } : tool));
  return { ...expected, tools };
}

/** What the tests and the official SDK understand of an answer. */
interface Reading {
  readonly faults: readonly string[];
  readonly got: Said;
  readonly kept: Kept;
}

/** The answer as this client got it: well-formed, and of the same meaning as what the provider said. */
export function checkHeard(
  { title, client, bytes }: Pick<Heard, "title" | "client" | "bytes">,
  said: Said,
  read: Reading,
): void {
  const { faults, got, kept } = read;
  expect(
    faults.filter((fault) => !excused(fault, said)),
    title,
  ).toEqual([]);
  expect(unwrapped(got), title).toEqual(idsKept(heardBy(client, said), got));
  expect(bytes.length).toBeGreaterThan(0);
  // Half a call is repaired by some SDKs, and left out by others.
  const isWhole = !said.tools.some((tool) => "broken" in objectOf(tool.arguments));
  const { tools, ...others } = kept;
  const compared = isWhole && tools !== undefined ? kept : others;
  expect(compared, `${title}, as its official SDK keeps it`).toEqual(pick(got, compared));
}

/** Arguments that are no JSON stand in an object where a language has no other place for them. */
function unwrapped(got: Said): Said {
  const tools = got.tools.map((tool) => {
    const broken = objectOf(tool.arguments)["INVALID_JSON"];
    return typeof broken === "string" ? Object.assign({}, tool, { arguments: { broken } }) : tool;
  });
  return { ...got, tools };
}

function pick(said: Said, like: Kept): Kept {
  return Object.fromEntries(Object.keys(like).map((name) => [name, said[name as keyof Said]]));
}
