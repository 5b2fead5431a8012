import { describe, expect, it } from "vitest";
import { isSpoken, upstreamDialects } from "#dialects/registry";
import type { ClientDialectId, DialectId } from "#domain/call";
import { isLane } from "#pipeline/lane";
import { exchangesIn } from "./every-recording.ts";
import { readHistory, turnsOf } from "./histories/read-history.ts";
import { objectOf, objectsOf, textOf, type JsonView } from "./json-view.ts";
import { languages } from "./languages/index.ts";
import { openLane, tryLane, type Asking } from "./open-lane.ts";
import { findFixtures } from "./recordings.ts";

const fixtures = findFixtures("replay of recorded requests");

interface Recorded {
  readonly name: string;
  readonly json: JsonView;
}

/** Requests that real clients sent; Gemini's are in `gemini-requests.test.ts`. */
function requestsIn(dialect: ClientDialectId): readonly Recorded[] {
  if (fixtures === undefined) return [];
  return exchangesIn(fixtures, dialect).map((one) => ({
    name: textOf(one["id"]),
    json: objectOf(objectOf(one["request"])["json"]),
  }));
}

function askedIn(caller: ClientDialectId, json: JsonView): Omit<Asking, "upstream" | "issuer"> {
  return { caller, streamed: json["stream"] === true, body: json };
}

const thoughts: ReadonlySet<string> = new Set(["thinking", "reasoning", "reasoning.text"]);

/** What people and models said, and what tools answered. Thoughts are not for everybody. */
function textsOf(json: JsonView): readonly string[] {
  const turns = turnsOf(json);
  const parts = turns.concat(turns.flatMap(({ content }) => objectsOf(content)));
  const results = parts.flatMap(({ type, content }) => (type === "tool_result" ? objectsOf(content) : []));
  const spoken = parts.concat(results).filter(({ type }) => !thoughts.has(textOf(type)));
  const said = spoken.flatMap(({ text, content, output }) => [text, content, output].map(textOf));
  return [textOf(json["instructions"]), textOf(json["input"]), ...said]
    .map((text) => text.trim())
    .filter((text) => text !== "");
}

const asksForUsage = ',"stream_options":{"include_usage":true}';

describe.skipIf(fixtures === undefined).each(["openai-chat", "openai-responses", "anthropic-messages"] as const)(
  "a recorded request in %s",
  (caller) => {
    const requests = requestsIn(caller);

    it("passes to a provider of the same language byte for byte, but for the model's name", () => {
      expect(requests.length).toBeGreaterThan(70);
      for (const { name, json } of requests) {
        const text = JSON.stringify(json);
        // Lists of thoughts in these requests are OpenRouter's, and Vercel's in the same shape.
        const issuer = text.includes('"reasoning_details"') ? "openrouter" : languages[caller].issuer;
        const lane = openLane({ ...askedIn(caller, json), upstream: caller, issuer });
        const body = text.replace(`"model":${JSON.stringify(json["model"])}`, '"model":"own-1"');
        // Usage in a stream is asked for where the caller did not.
        const [sent, expected] = [Buffer.concat(lane.body).toString(), body].map((text) =>
          text.replace(asksForUsage, ""),
        );
        expect(sent, name).toBe(expected);
        expect(lane.warnings(), name).toEqual([]);
      }
    });

    const others = (Object.keys(upstreamDialects) as readonly DialectId[]).filter(
      (id) => id !== caller && isSpoken(id),
    );

    it.each(others)("is said in %s with all its text, calls and results", (upstream) => {
      let refused = 0;
      for (const { name, json } of requests) {
        const lane = tryLane({ ...askedIn(caller, json), upstream, issuer: languages[upstream].issuer });
        if (!isLane(lane)) {
          expect(lane.kind, `${name}: ${lane.message}`).toBe("not_translatable");
          refused += 1;
          continue;
        }
        const sent = Buffer.concat(lane.body).toString();
        for (const text of textsOf(json)) expect(sent, name).toContain(JSON.stringify(text).slice(1, -1));
        const [before, after] = [
          readHistory(caller, turnsOf(json)),
          readHistory(upstream, turnsOf(objectOf(JSON.parse(sent)))),
        ];
        expect(after.calls.map(namedArguments), name).toEqual(before.calls.map(namedArguments));
        expect(after.answered.length, name).toBe(before.answered.length);
        // The same bytes each time.
        const again = tryLane({ ...askedIn(caller, json), upstream, issuer: languages[upstream].issuer });
        expect(isLane(again) ? Buffer.concat(again.body).toString() : again, name).toBe(sent);
      }
      expect(refused).toBeLessThan(requests.length / 4);
    });
  },
);

function namedArguments({ name, arguments: given }: { readonly name: string; readonly arguments: unknown }): unknown {
  return [name, given];
}
