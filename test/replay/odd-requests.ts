import type { CallAddress, ClientDialectId, Operation } from "#domain/call";
import type { OddJson, OddMember } from "./odd-json.ts";

/** A request's bytes, and what a provider of the same language must get. */
export interface OddRequest {
  readonly body: string;
  readonly expected: string;
  readonly streamed: boolean;
  /** Usage in its stream is the caller's own wish. */
  readonly usageAsked: boolean;
  readonly address: CallAddress;
}

/** Members each language needs; the model's name where the body holds it. */
const needs: Readonly<Record<ClientDialectId, (odd: OddJson) => Readonly<Record<string, string>>>> = {
  "openai-chat": (odd) => ({ model: '"asked"', messages: `[${odd.odd({ role: '"user"', content: odd.text() })}]` }),
  "openai-responses": (odd) => ({ model: '"asked"', input: odd.text(), store: "false" }),
  "anthropic-messages": (odd) => ({
    model: '"asked"',
    max_tokens: "1000",
    messages: `[${odd.odd({ role: '"user"', content: odd.text() })}]`,
  }),
  gemini: (odd) => ({ contents: `[${odd.odd({ role: '"user"', parts: `[${odd.odd({ text: odd.text() })}]` })}]` }),
  "bedrock-converse": (odd) => ({
    messages: `[${odd.odd({ role: '"user"', content: `[${odd.odd({ text: odd.text() })}]` })}]`,
  }),
};

type OtherOperation = Exclude<Operation, "generate">;

/** What else each language can be asked, and the members that needs. */
export const otherRequests: readonly OtherRequest[] = [
  { dialect: "openai-chat", operation: "embed", needs: (odd) => ({ model: '"asked"', input: odd.text() }) },
  { dialect: "openai-chat", operation: "complete", needs: (odd) => ({ model: '"asked"', prompt: odd.text() }) },
  { dialect: "openai-chat", operation: "moderate", needs: (odd) => ({ model: '"asked"', input: odd.text() }) },
  {
    dialect: "openai-chat",
    operation: "rerank",
    needs: (odd) => ({ model: '"asked"', query: odd.text(), documents: `[${odd.text()}]` }),
  },
  { dialect: "openai-responses", operation: "count-tokens", needs: needs["openai-responses"] },
  { dialect: "anthropic-messages", operation: "count-tokens", needs: needs["anthropic-messages"] },
  { dialect: "gemini", operation: "count-tokens", needs: needs.gemini },
  {
    dialect: "gemini",
    operation: "embed",
    needs: (odd) => ({ content: odd.odd({ parts: `[${odd.odd({ text: odd.text() })}]` }) }),
  },
  {
    dialect: "bedrock-converse",
    operation: "count-tokens",
    needs: (odd) => ({ input: odd.odd({ converse: odd.odd(needs["bedrock-converse"](odd)) }) }),
  },
];

interface OtherRequest {
  readonly dialect: ClientDialectId;
  readonly operation: OtherOperation;
  readonly needs: (odd: OddJson) => Readonly<Record<string, string>>;
}

/** A request of an operation without a stream. */
export function otherOddRequest({ needs: needed }: OtherRequest, odd: OddJson): OddRequest {
  return written(needed(odd), { odd, streamed: false, usageAsked: true });
}

/** The gateway's own fields, which no provider sees. */
const ours: Readonly<Record<string, string>> = { session_id: '"s"', hedgerow: '{"tags" : ["t"]}' };

export function oddRequest(dialect: ClientDialectId, odd: OddJson): OddRequest {
  const needed = needs[dialect](odd);
  const inBody = "model" in needed;
  const streamed = odd.chance(2);
  const usageAsked = dialect !== "openai-chat" || (streamed && odd.chance(2));
  const fields = {
    ...needed,
    ...(inBody && (streamed || odd.chance(2)) ? { stream: String(streamed) } : {}),
    ...(dialect === "openai-chat" && usageAsked ? { stream_options: '{ "include_usage" :true}' } : {}),
  };
  return written(fields, { odd, streamed, usageAsked });
}

function written(
  needed: Readonly<Record<string, string>>,
  { odd, streamed, usageAsked }: { readonly odd: OddJson; readonly streamed: boolean; readonly usageAsked: boolean },
): OddRequest {
  const fields = { ...needed, ...Object.fromEntries(Object.entries(ours).filter(() => odd.chance(4))) };
  const members = odd.amongJunk(Object.entries(fields).map(([name, value]) => odd.member(name, value)));
  const [lead, tail] = [odd.space(), odd.space()];
  return {
    body: `${lead}{${joined(members)}}${tail}`,
    expected: `${lead}{${relayed(members, streamed && !usageAsked)}}${tail}`,
    streamed,
    usageAsked,
    address: "model" in needed ? {} : { model: "asked", streamed },
  };
}

function joined(members: readonly OddMember[]): string {
  return members.map(({ before, key, value, after }) => before + key + value + after).join(",");
}

/**
 * What is left of the members: a removed one takes its comma along, with the white space on that side, and the model's
 * name is the target's.
 */
function relayed(members: readonly OddMember[], asksForUsage: boolean): string {
  const kept = members.filter(({ name }) => !Object.hasOwn(ours, name));
  const last = kept.at(-1);
  const text = kept.map((member, at) => {
    const place = members.indexOf(member);
    const isAfterRemoved = place > 0 && members[place - 1] !== kept[at - 1];
    const before = isAfterRemoved ? (firstRemoved(members, place)?.before ?? "") : member.before;
    const value = member.name === "model" ? '"own-1"' : member.value;
    return before + member.key + value + (member === last ? "" : member.after);
  });
  const usage = asksForUsage ? ',"stream_options":{"include_usage":true}' : "";
  return text.join(",") + usage + (members.at(-1)?.after ?? "");
}

/** The first of the removed members right before this place, where the white space stays. */
function firstRemoved(members: readonly OddMember[], place: number): OddMember | undefined {
  let at = place - 1;
  while (at > 0 && Object.hasOwn(ours, members[at - 1]?.name ?? "")) at -= 1;
  return members[at];
}
