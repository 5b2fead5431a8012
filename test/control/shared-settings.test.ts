import { afterAll, describe, expect, it } from "vitest";
import { renderProblem } from "#control/config/problem";
import { ConfigFolder } from "../world/config-folder.ts";

const password = "canary-shared-0123456789";
const env = { OPENAI_API_KEY: "canary-openai-0123456789", SHARED_URL: `redis://:${password}@10.0.0.5:6379/2` };
const folder = new ConfigFolder(env);
afterAll(() => folder.remove());

const yaml = (shared: string): string => `
providers:
  openai: { kind: openai, key: \${OPENAI_API_KEY} }
routes:
  default: { targets: [openai/gpt-5.4] }
shared: ${shared}
`;
const warned = (shared: string): string => folder.configured(yaml(shared)).warnings.map(renderProblem).join("\n");

describe("limits that nodes share", () => {
  it("are counted at a server whose address is shown to nobody", () => {
    const { server } = folder.configured(yaml('{ url: "${SHARED_URL}" }'));
    expect(server.shared).toMatchObject({ prefix: "hedgerow", down: "local-share" });
    expect(server.shared?.url.reveal()).toBe(env.SHARED_URL);
    expect(JSON.stringify(server)).not.toContain(password);
  });

  it("warn of a password in the file, and not of an address without one", () => {
    expect(warned(`{ url: "redis://:${password}@10.0.0.5", down: deny }`)).toContain("shared.url: a secret stands");
    expect(warned(`{ url: "redis://:${password}@10.0.0.5", down: deny }`)).not.toContain(password);
    expect(warned("{ url: redis://127.0.0.1:6379, prefix: 'gate:eu' }")).not.toContain("shared");
  });

  it.each([
    '{ url: "http://:${NOTHING:-secret-word}@host" }',
    "{ url: redis:secret-word }",
    "{ url: 'redis://host/secret-word' }",
    "{ url: secret-word }",
  ])("refuse an address that is none, without showing it: %s", (shared) => {
    const problems = folder.problems(yaml(shared)).join("\n");
    expect(problems).toContain("shared.url: this is no address of a Valkey or Redis server");
    expect(problems).not.toContain("secret-word");
  });

  it.each(["{}", "{ url: redis://h, down: maybe }", "{ url: redis://h, prefix: 'a b' }", "{ url: redis://h, ttl: 5 }"])(
    "refuse %s",
    (shared) => expect(folder.problems(yaml(shared)).join("\n")).toContain("shared"),
  );
});

it("warns of servers that are spoken to in plain text over a network, and of no others", () => {
  const said = (shared: string, store: string): readonly string[] => {
    const { warnings } = folder.configured(`${yaml(`{ url: "${shared}" }`)}store: "${store}"\n`);
    return warnings.map(renderProblem).filter((each) => each.includes("unencrypted"));
  };
  expect(said("redis://10.0.0.5", "postgres://10.0.0.5/db")).toEqual([
    expect.stringContaining("shared.url: what it is told"),
    expect.stringContaining("store: what it is told"),
  ]);
  expect(said("redis://localhost", "postgres://db.internal/db?sslmode=disable")).toHaveLength(1);
  expect(said("rediss://10.0.0.5", "postgres://db.internal/db?sslmode=require")).toEqual([]);
  expect(said("redis://127.0.0.1", "postgres://[::1]/db")).toEqual([]);
});

describe("the database that nodes share", () => {
  const url = `postgres://hedgerow:${password}@10.0.0.5/ledger?sslmode=verify-full`;
  const stored = (store: string): string => yaml("{ url: redis://127.0.0.1 }") + `store: ${store}\n`;

  it("has an address that is shown to nobody", () => {
    const owner = new ConfigFolder({ ...env, STORE_URL: url });
    const { server, warnings } = owner.configured(stored("${STORE_URL}"));
    owner.remove();
    expect(server.store?.reveal()).toBe(url);
    expect(JSON.stringify(server)).not.toContain(password);
    expect(warnings.map(renderProblem).join("\n")).not.toContain("store:");
  });

  it("warns of a password in the file, and not of an address without one", () => {
    const { warnings } = folder.configured(stored(url));
    const said = warnings.map(renderProblem).join("\n");
    expect(said).toContain("store: a secret stands");
    expect(said).not.toContain(password);
    const plain = folder.configured(stored("postgres://localhost/hedgerow")).warnings.map(renderProblem).join("\n");
    expect(plain).not.toContain("store");
  });

  it.each([
    ["sslmode=prefer", "its sslmode is none of"],
    ["sslmode=verify-ca", "needs sslrootcert"],
  ])("refuses %s", (written, words) => {
    expect(folder.problems(stored(`postgres://host/db?${written}`)).join("\n")).toContain(words);
    expect(folder.configured(stored("postgres://host/db?sslmode=verify-ca&sslrootcert=/ca.pem")).kind).toBe(
      "configured",
    );
  });

  it.each(["mysql://host/secret-word", "postgres://secret-word", "secret-word", "postgres://host/"])(
    "refuses %s, without showing it",
    (store) => {
      const problems = folder.problems(stored(store)).join("\n");
      expect(problems).toContain("store: this is no address of a PostgreSQL database");
      expect(problems).not.toContain("secret-word");
    },
  );
});
