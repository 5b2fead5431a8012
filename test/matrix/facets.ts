import type { ReceivedRequest } from "#simulation/received-request";
import type { Facet, Intent, ToolOutcome } from "./intent.ts";

/** What of an intent the provider's request does not show, by the provider's own reading of it. */
export function lostFacets(
  intent: Intent,
  received: ReceivedRequest,
  outcomes: readonly ToolOutcome[] = [],
): readonly Facet[] {
  const raw = JSON.stringify(received.json);
  const shows: Readonly<Record<Facet, boolean>> = {
    text: textsOf(intent).every((text) => received.promptText.includes(text)) && bringsResults(received, outcomes),
    image: dataOf(intent, "image").every((data) => raw.includes(data)),
    pdf: dataOf(intent, "pdf").every((data) => raw.includes(data)),
    tools: (intent.tools ?? []).every(({ name, schema }) => {
      const found = received.tools.find((tool) => tool.name === name);
      return found !== undefined && propertiesOf(schema).every((each) => JSON.stringify(found.schema).includes(each));
    }),
    "tool-choice": showsChoice(intent, received),
    schema:
      intent.schema === undefined ||
      propertiesOf(intent.schema).every((each) => JSON.stringify(received.outputSchema ?? {}).includes(each)),
    reasoning: intent.reasoning === undefined || (intent.reasoning === "on") === thinks(received, raw),
    stop: JSON.stringify(intent.stop ?? []) === JSON.stringify(received.stop),
    limit: received.maxOutputTokens === intent.maxTokens,
    cache: !hasMarks(intent) || /cache_control|cachePoint|prompt_cache_breakpoint/.test(raw),
  };
  return (Object.keys(shows) as readonly Facet[]).filter((facet) => !shows[facet]);
}

function textsOf({ system, turns }: Intent): readonly string[] {
  const said = turns.flatMap((turn) =>
    turn.role === "assistant" ? [turn.text] : turn.parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])),
  );
  return system === undefined ? said : [system.text, ...said];
}

function bringsResults({ toolResults }: ReceivedRequest, outcomes: readonly ToolOutcome[]): boolean {
  return outcomes.every(({ text }, index) => toolResults[index]?.includes(text) === true);
}

function dataOf({ turns }: Intent, kind: "image" | "pdf"): readonly string[] {
  return turns.flatMap((turn) =>
    turn.role === "assistant" ? [] : turn.parts.flatMap((part) => (part.kind === kind ? [part.data] : [])),
  );
}

function propertiesOf(schema: object): readonly string[] {
  return Object.keys((schema as { readonly properties?: object }).properties ?? {}).map((name) => `"${name}"`);
}

function showsChoice({ toolChoice }: Intent, received: ReceivedRequest): boolean {
  const got = received.toolChoice;
  if (toolChoice === undefined) return got === "auto";
  if (toolChoice === "required") return got === "any";
  return typeof got === "object" && got.name === toolChoice.name;
}

/** Chat and Responses say an effort. */
function thinks({ thinking }: ReceivedRequest, raw: string): boolean {
  const effort = /"(?:reasoning_effort|effort)":"(\w+)"/.exec(raw)?.[1];
  return thinking !== undefined || (effort !== undefined && effort !== "none");
}

function hasMarks({ system, turns }: Intent): boolean {
  const parts = turns.flatMap((turn) => (turn.role === "user" ? turn.parts : []));
  return system?.cached === true || parts.some((part) => part.kind === "text" && part.cached === true);
}
