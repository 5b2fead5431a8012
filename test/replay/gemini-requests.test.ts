import { describe, expect, it } from "vitest";
import { dialects, upstreamDialects } from "#dialects/registry";
import { editFields, scanFields } from "#wire/json-splice";
import { languages, targets, titles } from "../conformance/ways.ts";
import { exchangesIn } from "./every-recording.ts";
import { objectOf, objectsOf, textOf, type JsonView } from "./json-view.ts";
import { findFixtures } from "./recordings.ts";

const fixtures = findFixtures("replay of recorded Gemini requests");

interface Asked {
  readonly id: string;
  readonly url: string;
  readonly json: JsonView;
}

/** Requests that real clients sent to Google, and that Google answered or refused. */
const requests: readonly Asked[] =
  fixtures !== undefined
    ? ["gemini", "count-tokens", "gemini-embed"].flatMap((file) =>
        exchangesIn(fixtures, file).flatMap((one) => {
          const request = objectOf(one["request"]);
          const url = textOf(request["url"]);
          const json = objectOf(request["json"]);
          return /:\w+(?:\?|$)/.test(url) && Object.keys(json).length > 0 ? [{ id: textOf(one["id"]), url, json }] : [];
        }),
      )
    : [];
const { gemini } = dialects;

function modelOf(url: string): string {
  return /models\/([^:]+):/.exec(url)?.[1] ?? "m";
}

describe.skipIf(fixtures === undefined)("a recorded request in Gemini's language", () => {
  it("is there", () => {
    expect(requests.length).toBeGreaterThan(200);
  });

  it("passes to Google byte for byte", () => {
    for (const { id, url, json } of requests) {
      const body = Buffer.from(JSON.stringify(json));
      const scan = scanFields(body, { maxDepth: 100 });
      if ("problem" in scan) throw new Error(`${id}: ${scan.problem}`);
      const model = modelOf(url);
      expect(gemini.peek(body, scan, { model }), id).toMatchObject({ kind: "peeked", model });
      const { edits, warnings } = gemini.relayEdits(scan, body, { ...targets.gemini, model });
      expect(Buffer.from(editFields(body, scan, edits)).toString(), id).toBe(body.toString());
      expect(warnings, id).toEqual([]);
    }
  });

  it.each(languages.filter((id) => id !== "gemini").map((id) => [titles[id], id] as const))(
    "is read, and said to %s with all its text",
    (_, language) => {
      for (const { id, url, json } of requests.filter((each) => asks(each, "enerateContent"))) {
        const text = JSON.stringify(json);
        const decoded = gemini.decodeRequest(JSON.parse(text), {}, text);
        if (decoded.kind === "refused") throw new Error(`${id}: ${decoded.failure.message}`);
        const encode = (): ReturnType<typeof made.encodeRequest> =>
          made.encodeRequest(decoded.request, targets[language]);
        const made = upstreamDialects[language];
        const encoded = encode();
        if (encoded.kind === "refused") {
          expect(encoded.failure.kind, `${id}: ${encoded.failure.message}`).toBe("not_translatable");
          continue;
        }
        const sent = Buffer.from(encoded.body).toString();
        for (const said of textsOf(json)) expect(sent, `${id} ${url}`).toContain(JSON.stringify(said).slice(1, -1));
      }
    },
  );

  it("counts and embeds what it asks about", () => {
    for (const { id, json } of requests.filter((each) => asks(each, "countTokens"))) {
      expect(gemini.decodeCount?.(json, {}), id).toMatchObject({ kind: "decoded" });
    }
    const embedding = requests.filter((each) => asks(each, "mbedContent"));
    for (const { id, json } of embedding) {
      const variant = json["requests"] === undefined ? {} : { variant: "batch" };
      expect(gemini.unaryClient?.embed?.decodeRequest(json, { model: "m", ...variant }), id).toHaveProperty("inputs");
    }
    expect(embedding.length).toBeGreaterThan(0);
  });
});

function asks({ url }: Asked, method: string): boolean {
  return url.includes(method);
}

/** What people and models said, trimmed as some languages want it. */
function textsOf(json: JsonView): readonly string[] {
  return objectsOf(json["contents"])
    .flatMap(({ parts }) => objectsOf(parts))
    .filter(({ thought }) => thought !== true)
    .flatMap(({ text }) => (typeof text === "string" && text.trim() !== "" ? [text.trim()] : []));
}
