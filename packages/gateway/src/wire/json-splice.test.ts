import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editFields, readJson, readString, scanFields, type FieldScan, type ScanProblem } from "#wire/json-splice";

const limits = { maxDepth: 100 };

function scanned(body: Uint8Array): FieldScan {
  const scan = scanFields(body, limits);
  if ("problem" in scan) throw new Error(scan.problem);
  return scan;
}

function problemOf(text: string, options: { maxDepth: number; maxElements?: number } = limits): ScanProblem {
  const scan = scanFields(Buffer.from(text), options);
  if (!("problem" in scan)) throw new Error("was expected to be refused");
  return scan;
}

/** JSON text of a value with white space at random places and random `\u` escapes. */
function written(value: unknown, random: () => number): string {
  const space = (): string => ["", "", "", " ", "\n\t", "\r\n"][random() % 6] ?? "";
  const text = (of: string): string =>
    JSON.stringify(of).replace(/[a-z]/gu, (letter) =>
      random() % 9 === 0 ? `\\u00${letter.charCodeAt(0).toString(16)}` : letter,
    );
  // Escaping inside an escape sequence would change it: only plain words are rewritten.
  const safe = (of: string): string => (/^[a-z ]*$/u.test(of) ? text(of) : JSON.stringify(of));
  if (typeof value === "string") return safe(value);
  if (Array.isArray(value))
    return `[${space()}${value.map((item) => written(item, random)).join(`${space()},${space()}`)}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.entries(value).map(
      ([key, item]) => `${space()}${safe(key)}${space()}:${space()}${written(item, random)}${space()}`,
    );
    return `{${members.join(",")}${space()}}`;
  }
  return JSON.stringify(value);
}

/**
 * Renames keys of one character, in all depths. V8 of Node 24.21.0 sometimes reads such a key as a backslash when it is
 * written with an escape (`JSON.parse('{"\\u0061":1}')` after other objects), which would blame the code under test.
 */
function withLongKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withLongKeys);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key.length === 1 ? `${key}${key}` : key, withLongKeys(item)]),
  );
}

const documents = fc
  .tuple(
    fc.dictionary(fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom("model", "stream", "aa")), fc.jsonValue(), {
      maxKeys: 6,
      noNullPrototype: true,
    }),
    fc.infiniteStream(fc.nat(1000)),
  )
  .map(([keyed, numbers]) => {
    const value = withLongKeys(keyed);
    return { value, text: ` ${written(value, () => numbers.next().value ?? 0)}\n` };
  });

describe("scanFields", () => {
  it("finds each top-level value", () => {
    fc.assert(
      fc.property(documents, ({ value, text }) => {
        const body = Buffer.from(text);
        const scan = scanned(body);
        const read = [...scan.fields].map(([key, span]) => {
          const json = readJson(body, span);
          return [key, json.ok ? json.value : json.problem] as const;
        });
        expect(new Map(read)).toEqual(new Map(Object.entries(JSON.parse(JSON.stringify(value)) as object)));
        expect(body[scan.close]).toBe("}".charCodeAt(0));
      }),
    );
  });

  it("agrees with JSON.parse on damaged documents", () => {
    const damage = fc.tuple(
      fc.nat(),
      fc.constantFrom("", ",", ":", "{", "}", "[", "]", '"', "1", "-", ".", "e", "t", " "),
    );
    fc.assert(
      fc.property(documents, damage, fc.nat(1), ({ text }, [at, by], removed) => {
        const place = at % text.length;
        const damaged = text.slice(0, place) + by + text.slice(place + removed);
        let valid = true;
        try {
          const parsed = JSON.parse(damaged) as unknown;
          valid = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
        } catch {
          valid = false;
        }
        const scan = scanFields(Buffer.from(damaged), limits);
        // Inside strings the scanner looks at nothing, so it may accept more; it must never refuse what is valid.
        if (valid) expect("problem" in scan).toBe(false);
        else if (!("problem" in scan)) expect(damaged).toMatch(/\\|\p{Cc}/u);
      }),
      { numRuns: 3000 },
    );
  });

  it("decodes escaped keys and lists repeated ones once, keeping the first span", () => {
    const body = Buffer.from('{"a":1,"mod\\u0065l":"x","model":"y","\\u006dodel":"z"}');
    const scan = scanned(body);
    expect([...scan.fields.keys()]).toEqual(["a", "model"]);
    expect(scan.repeated).toEqual(["model"]);
    const span = scan.fields.get("model");
    expect(span && readString(body, span)).toBe("x");
  });

  it.each([
    ["", "syntax", "empty"],
    ["[1]", "not-object", "must be a JSON object"],
    ["3", "not-object", "must be a JSON object"],
    ["\uFEFF{}", "syntax", "byte order mark"],
    ["{} x", "syntax", "something follows"],
    ["{}{}", "syntax", "something follows"],
    ['{"a":01}', "syntax", "expected"],
    ['{"a":1.}', "syntax", "digit"],
    ['{"a":1,}', "syntax", "key in double quotes"],
    ['{"a":[1,]}', "syntax", "a value"],
    ['{"a":nul}', "syntax", "a value"],
    ['{"a":tru', "syntax", "a value"],
    ["{'a':1}", "syntax", "key in double quotes"],
    ['{"a" 1}', "syntax", "':'"],
    ['{"a":{"b":1]}', "syntax", "'}'"],
    ['{"a":"x', "syntax", "ends inside a string"],
    [`{"a":"${"x".repeat(200)}\\"`, "syntax", "ends inside a string"],
    ['{"\\x":1}', "syntax", "no valid string"],
    ['{"a":1', "syntax", "JSON ends"],
  ])("refuses %j", (text, kind, words) => {
    const problem = problemOf(text);
    expect(problem.kind).toBe(kind);
    expect(problem.problem).toContain(words);
  });

  it("refuses deep nesting and very many values fast, without recursion", () => {
    const started = performance.now();
    expect(problemOf(`{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}`).kind).toBe("depth");
    expect(problemOf(`{"a":${'{"b":'.repeat(10_000)}1${"}".repeat(10_000)}}`).kind).toBe("depth");
    const keys = Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":0`).join(",");
    expect(problemOf(`{${keys}}`).kind).toBe("elements");
    expect(problemOf(`{"a":{${keys}}}`).kind).toBe("elements");
    expect(problemOf('{"a":[1,2,3]}', { maxDepth: 2, maxElements: 4 }).kind).toBe("elements");
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it("bounds the top-level fields more tightly, since each of them is kept", () => {
    const fields = (count: number): string => `{${Array.from({ length: count }, (_, at) => `"k${at}":1`).join(",")}}`;
    expect("fields" in scanFields(Buffer.from(fields(1_000)), { maxDepth: 2 })).toBe(true);
    expect(problemOf(fields(1_001)).kind).toBe("elements");
  });

  it("counts the object itself as depth 1", () => {
    expect(problemOf('{"a":[]}', { maxDepth: 1 }).kind).toBe("depth");
    expect("problem" in scanFields(Buffer.from('{"a":[]}'), { maxDepth: 2 })).toBe(false);
  });

  it("stays linear in long strings full of escapes", () => {
    const hostile = [`${"x".repeat(60)}\\n`.repeat(30_000), '\\"'.repeat(900_000), "\\\\".repeat(900_000)];
    for (const text of hostile) {
      const body = Buffer.from(`{"a":"${text}","b":"${text}"}`);
      const started = performance.now();
      expect(scanned(body).fields.size).toBe(2);
      expect(performance.now() - started).toBeLessThan(500);
    }
  });
});

describe("editFields", () => {
  const edits = fc.dictionary(
    fc.constantFrom("model", "stream", "aa", "new", "x y\n"),
    fc.option(fc.jsonValue().map(withLongKeys), { nil: undefined }),
    { noNullPrototype: true },
  );

  it("means the same as parsing, changing and writing", () => {
    fc.assert(
      fc.property(documents, edits, ({ text }, changes) => {
        const body = Buffer.from(text);
        const raw = new Map(
          Object.entries(changes).map(([key, value]) => [key, value === undefined ? undefined : JSON.stringify(value)]),
        );
        const expected = new Map(Object.entries(JSON.parse(text) as object));
        for (const [key, value] of raw) {
          if (value === undefined) expected.delete(key);
          else expected.set(key, JSON.parse(value));
        }
        const edited = Buffer.from(editFields(body, scanned(body), raw)).toString();
        expect(new Map(Object.entries(JSON.parse(edited) as object))).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it("leaves every byte it was not asked to change", () => {
    const body = Buffer.from('{ "model" : "a" ,\n "n":1.0, "hedgerow":{"x":[1]} , "m":[ 1e2 ],"models":[] }\n');
    const scan = scanned(body);
    const edited = editFields(
      body,
      scan,
      new Map<string, string | undefined>([
        ["model", '"b"'],
        ["hedgerow", undefined],
        ["models", undefined],
      ]),
    );
    expect(Buffer.from(edited).toString()).toBe('{ "model" : "b" ,\n "n":1.0, "m":[ 1e2 ] }\n');
  });

  it.each([
    ["{}", { a: "1" }, '{"a":1}'],
    ["{ }", { a: "1", b: "2" }, '{ "a":1,"b":2}'],
    ['{"x":1}', { x: undefined, a: "1" }, '{"a":1}'],
    ['{"x":1,"y":2}', { y: undefined, a: "1" }, '{"x":1,"a":1}'],
    ['{"x":1,"y":2,"x":3}', { x: undefined }, '{"y":2}'],
    ['{"x":1,"y":2,"x":3}', { x: "9" }, '{"x":9,"y":2,"x":9}'],
    ['{"x":1, "y":2}', { x: undefined, y: undefined }, "{}"],
  ])("edits %s", (text, changes, expected) => {
    const body = Buffer.from(text);
    const edited = editFields(body, scanned(body), new Map(Object.entries(changes)));
    expect(Buffer.from(edited).toString()).toBe(expected);
  });

  it("returns the body itself where nothing changes", () => {
    const body = Buffer.from('{"model":"a"}');
    const scan = scanned(body);
    expect(editFields(body, scan, new Map())).toBe(body);
    expect(
      editFields(
        body,
        scan,
        new Map<string, string | undefined>([
          ["model", '"a"'],
          ["gone", undefined],
        ]),
      ),
    ).toBe(body);
  });
});

describe("readJson and readString", () => {
  it("report what cannot be read instead of throwing", () => {
    const body = Buffer.from('{"a":"\\x","b":3}');
    const { fields } = scanned(body);
    const [a, b] = [fields.get("a")!, fields.get("b")!];
    expect(readJson(body, a)).toMatchObject({ ok: false });
    expect(readString(body, a)).toBeUndefined();
    expect(readString(body, b)).toBeUndefined();
    expect(readJson(body, b)).toEqual({ ok: true, value: 3 });
  });
});
