import type { AnswerScript } from "#simulation/behaviour";
import type { MatrixClient } from "./clients/matrix-client.ts";
import type { Ending, Meaning } from "./meaning.ts";
import type { MatrixUpstream } from "./upstreams.ts";

const usual = { input: 20, cacheRead: 0, cacheWrite: 0, output: 9 };

/** The script with its tokens said, so that what a client must count is known. */
export function counted(script: AnswerScript): AnswerScript {
  return { ...script, usage: script.usage ?? { ...usual, reasoning: script.reasoning === undefined ? 0 : 6 } };
}

/** What this client must understand of what this provider says. */
export function expectedMeaning(script: AnswerScript, client: MatrixClient, upstream: MatrixUpstream): Meaning {
  const { refusal, toolCalls = [], usage, reasoning, json } = script;
  const said = json === undefined ? (script.text ?? "") : JSON.stringify(json);
  const isApart = client.refusesApart === true && upstream.refusesApart === true;
  const thought = typeof reasoning === "string" ? { text: reasoning } : reasoning;
  const heard = endingOf(script, upstream);
  const ending = client.endings[heard] ?? heard;
  return {
    text: isApart || refusal === undefined ? said : said + refusal,
    refusal: isApart ? (refusal ?? "") : "",
    reasoning: thought === undefined || thought.seal === "redacted" ? "" : thought.text,
    tools: toolCalls.map(({ name, arguments: given = {} }) => ({
      name,
      arguments: typeof given === "string" ? (JSON.parse(given) as unknown) : given,
    })),
    ending: refusal !== undefined && upstream.refusesApart === true && !isApart ? "policy" : ending,
    stopSequence: ending === "stop-sequence" && client.namesStopSequence === true ? script.stopSequence : undefined,
    usage: {
      prompt: (usage?.input ?? 0) + (usage?.cacheRead ?? 0) + (usage?.cacheWrite ?? 0),
      cacheRead: usage?.cacheRead ?? 0,
      completion: (usage?.output ?? 0) + (usage?.reasoning ?? 0),
    },
  };
}

function endingOf(script: AnswerScript, upstream: MatrixUpstream): Ending {
  const { finish, toolCalls = [], stopSequence } = script;
  const ending =
    (finish as Ending | undefined) ??
    (toolCalls.length > 0 ? "tools" : stopSequence === undefined ? "stop" : "stop-sequence");
  return upstream.endings[ending] ?? ending;
}
