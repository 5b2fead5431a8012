import type { Part, Turn } from "#domain/request";
import { hasFragileNumbers, parseExact } from "#dialects/exact-numbers";
import { isAbsent } from "#dialects/shape";
import { CallMatcher } from "./call-matcher.ts";
import { decodePart, endsThought } from "./decode-parts.ts";
import { memberOf, type RequestReader } from "./request-reader.ts";

interface Draft {
  readonly role: "user" | "assistant";
  readonly parts: Part[];
  /** Where each call stands among the parts, by its id. */
  readonly calls: Map<string, number>;
  /** The last part is a thought that goes on with the next piece. */
  thinking: boolean;
}

/**
 * `contents`: a list of contents, one alone, or a text. Contents of one role in a row are one turn: Google's own client
 * keeps each chunk of a stream as a content of its own, so pieces of text and thought are joined again.
 */
export function decodeContents(reader: RequestReader, contents: unknown, text: string): readonly Turn[] {
  const exact = exactContents(text);
  const matcher = new CallMatcher();
  const drafts: Draft[] = [];
  const list = reader.list(contents);
  if (list.length === 0) reader.refuse("contents", "must hold at least one content");
  for (const [index, value] of list.entries()) {
    const path = `contents[${index}]`;
    const content = typeof value === "string" ? { parts: [value] } : reader.object(value, path);
    reader.leave(content, contentFields, path);
    const role = roleOf(reader, content["role"], `${path}.role`);
    const exactParts = reader.list(memberOf(exact[index], "parts"));
    for (const [place, each] of reader.list(content["parts"]).entries()) {
      const part = decodePart(reader, each, {
        path: `${path}.parts[${place}]`,
        role: role === "user" ? "user" : "model",
        matcher,
        exact: exactParts[place],
      });
      // Where Google ran the tool itself, its result stands in the model's own content.
      if (part !== undefined)
        add(draftOf(drafts, part.kind === "tool-result" ? "user" : role), part, endsThought(each));
    }
  }
  return drafts.flatMap(({ role, parts }) => {
    const kept = parts.filter(saysSomething);
    return kept.length === 0 ? [] : [{ role, parts: kept }];
  });
}

const contentFields: ReadonlySet<string> = new Set(["role", "parts"]);

/** Without a role it is the user's; `function` is an older word for a turn of results. */
function roleOf(reader: RequestReader, value: unknown, path: string): Draft["role"] {
  if (isAbsent(value) || value === "" || value === "user" || value === "function") return "user";
  if (value !== "model") reader.refuse(path, "must be user or model");
  return "assistant";
}

/** The turn that goes on, or a new one. */
function draftOf(drafts: Draft[], role: Draft["role"]): Draft {
  const last = drafts.at(-1);
  if (last?.role === role) return last;
  const draft: Draft = { role, parts: [], calls: new Map(), thinking: false };
  drafts.push(draft);
  return draft;
}

function add(draft: Draft, part: Part, endsThought: boolean): void {
  const { role, parts, calls, thinking } = draft;
  if (part.kind === "tool-call") {
    const begun = calls.get(part.id);
    if (begun !== undefined) {
      parts[begun] = part;
      return;
    }
    calls.set(part.id, parts.length);
  }
  const last = parts.at(-1);
  const before = joinable(last, part, { role, thinking });
  if (before !== undefined && "text" in part) parts[parts.length - 1] = { ...part, text: before + part.text };
  else parts.push(part);
  draft.thinking = part.kind === "reasoning" && !endsThought;
}

/** The text that this part goes on from; undefined where it stands for itself. */
function joinable(last: Part | undefined, part: Part, draft: Pick<Draft, "role" | "thinking">): string | undefined {
  if (last?.kind === "reasoning" && part.kind === "reasoning") return draft.thinking ? last.text : undefined;
  const isText = last?.kind === "text" && part.kind === "text" && draft.role === "assistant";
  return isText && last.seal === undefined && part.seal === undefined ? last.text : undefined;
}

/** A thought without words or seal is but the end of one, and a mark of ours. */
function saysSomething(part: Part): boolean {
  return part.kind !== "reasoning" || part.text !== "" || part.seal !== undefined;
}

/** The contents with numbers as they came; none where no number is in danger, which spares the second parse. */
function exactContents(text: string): readonly unknown[] {
  if (!/"function_?(?:Call|Response|call|response)"/u.test(text) || !hasFragileNumbers(text)) return [];
  const contents = memberOf(parseExact(text), "contents");
  return Array.isArray(contents) ? (contents as readonly unknown[]) : [contents];
}
