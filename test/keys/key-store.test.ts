import { hash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openSqlFile } from "#control/store/sql";
import type { KeyAnswer, KeyAsk, KeyView } from "#domain/key-desk";
import { readKeyText } from "#domain/key-text";
import { IssuedKeys } from "#pipeline/issued-keys";
import { sampleSnapshot } from "../world/sample-snapshot.ts";
import { KeyStore } from "#control/keys/key-store";

function open(mostKeys?: number) {
  const opened = openSqlFile(":memory:");
  if (opened.kind === "refused") throw new Error(opened.message);
  let wallMs = 1_000_000;
  const sql = opened.store;
  const store = new KeyStore({ sql, wallMs: () => wallMs, ...(mostKeys === undefined ? {} : { mostKeys }) });
  return { sql, store, pass: (ms: number) => void (wallMs += ms), now: () => wallMs };
}

async function issue(store: KeyStore, ask: KeyAsk): Promise<{ readonly key: KeyView; readonly text: string }> {
  const answer = await store.ask(ask);
  if (answer.kind !== "issued") throw new Error(answer.kind);
  return answer;
}

const create = (name: string, more: object = {}): KeyAsk => ({ kind: "create", facts: { name, ...more } });
const rotate = (key: string, overlapMs: number): KeyAsk => ({ kind: "rotate", key, overlapMs });

describe("the store of issued keys", () => {
  it("gives the text of a key once, and keeps its hash", async () => {
    const { sql, store } = open();
    const { key, text } = await issue(store, create("app", { routes: ["main"] }));
    expect(readKeyText(text)).toBe("whole");
    expect(key).toMatchObject({ facts: { name: "app", routes: ["main"] }, secrets: [{ hint: text.slice(0, 9) }] });
    expect((await store.changes(0)).news).toEqual({
      keys: [{ id: key.id, name: "app", routes: ["main"], secrets: [{ sha256: hash("sha256", text) }] }],
      gone: [],
      guards: true,
    });
    const kept = [await sql.all("SELECT * FROM issued_keys"), await sql.all("SELECT * FROM issued_key_secrets")];
    expect(JSON.stringify(kept)).not.toContain(text.slice(9));
  });

  it("has one key of a name, until that is revoked", async () => {
    const { store } = open();
    const first = await issue(store, create("app"));
    expect(await store.ask(create("app"))).toEqual({ kind: "taken" });
    await store.ask({ kind: "revoke", key: "app" });
    const second = await issue(store, create("app"));
    expect(second.key.id).not.toBe(first.key.id);
    expect(await store.ask({ kind: "show", key: "app" })).toMatchObject({ kind: "key", key: { id: second.key.id } });
  });

  it("has as many as it may", async () => {
    const { store } = open(2);
    await issue(store, create("a"));
    await issue(store, create("b"));
    expect(await store.ask(create("c"))).toEqual({ kind: "full", most: 2 });
    await store.ask({ kind: "revoke", key: "a" });
    await issue(store, create("c"));
  });

  it("revokes once, and says so as often as it is asked", async () => {
    const { store, pass } = open();
    const { key } = await issue(store, create("app"));
    const first = await store.ask({ kind: "revoke", key: key.id });
    expect(first).toMatchObject({ kind: "key", key: { revokedAtMs: 1_000_000, secrets: [] } });
    const { revision } = await store.changes(0);
    pass(5_000);
    expect(await store.ask({ kind: "revoke", key: key.id })).toEqual(first);
    expect((await store.changes(revision)).news).toEqual({ keys: [], gone: [], guards: true });
    expect(await store.ask(rotate(key.id, 0))).toEqual({ kind: "revoked" });
  });

  it.each(["revoke", "show", "rotate"] as const)("knows nobody to %s under another name", async (kind) => {
    const { store } = open();
    await issue(store, create("app"));
    const answer = kind === "rotate" ? store.ask(rotate("other", 0)) : store.ask({ kind, key: "other" });
    expect(await answer).toEqual({ kind: "unknown" });
  });

  it("rotates to a new secret, and lets the one before end later or at once", async () => {
    const { store, now } = open();
    const first = await issue(store, create("app"));
    const second = await issue(store, rotate("app", 60_000));
    const secrets = async () => (await store.changes(0)).news.keys[0]?.secrets;
    expect(await secrets()).toEqual([
      { sha256: hash("sha256", second.text) },
      { sha256: hash("sha256", first.text), untilMs: now() + 60_000 },
    ]);
    const third = await issue(store, rotate("app", 60_000));
    expect(await secrets()).toMatchObject([
      { sha256: hash("sha256", third.text) },
      { sha256: hash("sha256", second.text) },
    ]);
    const fourth = await issue(store, rotate("app", 0));
    expect(await secrets()).toEqual([{ sha256: hash("sha256", fourth.text) }]);
  });

  it("says that callers need a key once one was issued, and not for what was only asked", async () => {
    const { store } = open();
    await store.ask({ kind: "revoke", key: "nobody" });
    await store.ask(rotate("nobody", 0));
    expect(await store.changes(0)).toMatchObject({ revision: 0, news: { guards: false } });
    await issue(store, create("app"));
    expect(await store.ask(create("app"))).toEqual({ kind: "taken" });
    await store.ask({ kind: "revoke", key: "app" });
    expect((await store.changes(0)).news).toEqual({ keys: [], gone: [], guards: true });
  });

  it("lists page by page, the newest first, with those that are revoked or without", async () => {
    const { store } = open();
    for (let number = 0; number < 7; number += 1) await issue(store, create(`k${number}`));
    await store.ask({ kind: "revoke", key: "k3" });
    const all = async (revoked: boolean): Promise<readonly string[]> => {
      const names: string[] = [];
      for (let after: string | undefined, more = true; more;) {
        const page = await store.ask({ kind: "list", revoked, limit: 3, ...(after === undefined ? {} : { after }) });
        if (page.kind !== "keys") throw new Error(page.kind);
        names.push(...page.keys.map(({ facts }) => facts.name));
        after = page.keys.at(-1)?.id;
        more = page.more;
      }
      return names;
    };
    expect((await all(false)).toSorted()).toEqual(["k0", "k1", "k2", "k4", "k5", "k6"]);
    expect((await all(true)).toSorted()).toEqual(["k0", "k1", "k2", "k3", "k4", "k5", "k6"]);
    expect(await store.ask({ kind: "list", revoked: true, limit: 3, after: "key_0" })).toEqual({ kind: "unknown" });
  });

  it("answers what is asked at once as if it were asked in turn", async () => {
    const { store } = open();
    const answers = await Promise.all(Array.from({ length: 8 }, () => store.ask(create("app"))));
    expect(answers.map(({ kind }) => kind).toSorted()).toEqual(["issued", ...Array(7).fill("taken")]);
  });
});

const names = ["a", "b", "c"] as const;
const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("create" as const), name: fc.constantFrom(...names) }),
    fc.record({ do: fc.constant("revoke" as const), name: fc.constantFrom(...names) }),
    fc.record({ do: fc.constant("rotate" as const), name: fc.constantFrom(...names), overlapMs: fc.nat(2_000) }),
    fc.record({ do: fc.constant("pass" as const), ms: fc.nat(1_500) }),
    fc.record({ do: fc.constant("hear" as const) }),
  ),
  { maxLength: 30 },
);

describe("whoever hears the changes", () => {
  it("lets in exactly the secrets that hold, however often it asked", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { store, pass, now } = open();
        const heard = new IssuedKeys();
        const held = new Map<string, { current: string; before?: { text: string; untilMs: number } }>();
        const given = new Set<string>();
        let revision = 0;
        const take = (answer: KeyAnswer): string | undefined => (answer.kind === "issued" ? answer.text : undefined);
        const hear = async (): Promise<void> => {
          const changes = await store.changes(revision);
          revision = changes.revision;
          heard.apply(changes.news);
        };
        for (const step of all) {
          if (step.do === "pass") pass(step.ms);
          else if (step.do === "hear") await hear();
          else if (step.do === "create") {
            const text = take(await store.ask(create(step.name)));
            expect(text === undefined).toBe(held.has(step.name));
            if (text !== undefined) held.set(step.name, { current: text });
            if (text !== undefined) given.add(text);
          } else if (step.do === "revoke") {
            await store.ask({ kind: "revoke", key: step.name });
            held.delete(step.name);
          } else {
            const before = held.get(step.name)?.current;
            const text = take(await store.ask(rotate(step.name, step.overlapMs)));
            expect(text === undefined).toBe(before === undefined);
            if (text === undefined || before === undefined) continue;
            given.add(text);
            held.set(step.name, { current: text, before: { text: before, untilMs: now() + step.overlapMs } });
          }
        }
        await hear();
        const fresh = new IssuedKeys();
        fresh.apply((await store.changes(0)).news);
        const snapshot = sampleSnapshot([], []);
        const holding = [...held.values()].flatMap(({ current, before }) =>
          before !== undefined && now() < before.untilMs ? [current, before.text] : [current],
        );
        for (const copy of [heard, fresh]) {
          const found = [...given].filter((text) => copy.find(hash("sha256", text), snapshot, now()) !== undefined);
          expect(found.toSorted()).toEqual(holding.toSorted());
        }
      }),
      { numRuns: 60 },
    );
  });
});
