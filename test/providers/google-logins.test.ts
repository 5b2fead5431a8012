import { writeFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Secret } from "#domain/secret";
import { GoogleTokens } from "#providers/google-tokens";
import { serviceAccount, startTokenServer } from "../world/token-server.ts";

const now = (): number => Date.now();
afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

/** The claims of the assertion that a service account signs. */
function claimsIn(body: string): unknown {
  const assertion = new URLSearchParams(body).get("assertion") ?? "";
  return JSON.parse(Buffer.from(assertion.split(".")[1] ?? "", "base64url").toString());
}

describe("a service account", () => {
  it("gets one token for many calls, and keeps it", async () => {
    await using server = await startTokenServer();
    const tokens = new GoogleTokens();
    const secret = new Secret(serviceAccount(server.host));
    const asked = Array.from({ length: 20 }, async () => tokens.authorize(secret, now()));
    for (const headers of await Promise.all(asked)) expect(headers).toEqual({ authorization: "Bearer ya29.1" });
    expect(await tokens.authorize(secret, now())).toEqual({ authorization: "Bearer ya29.1" });
    expect(server.asked).toHaveLength(1);
    expect(claimsIn(server.asked[0]?.body ?? "")).toMatchObject({
      iss: "gateway@my-project.iam.gserviceaccount.com",
      aud: `http://${server.host}/token`,
      scope: "https://www.googleapis.com/auth/cloud-platform",
    });
  });

  it("is told from another one", async () => {
    await using server = await startTokenServer();
    const tokens = new GoogleTokens();
    const [one, other] = [new Secret(serviceAccount(server.host)), new Secret(serviceAccount(server.host))];
    expect(await tokens.authorize(one, now())).toEqual({ authorization: "Bearer ya29.1" });
    expect(await tokens.authorize(other, now())).toEqual({ authorization: "Bearer ya29.2" });
    expect(await tokens.authorize(one, now())).toEqual({ authorization: "Bearer ya29.1" });
  });

  it("gets another token when the first is about to end", async () => {
    await using server = await startTokenServer(20);
    const tokens = new GoogleTokens();
    const secret = new Secret(serviceAccount(server.host));
    await tokens.authorize(secret, now());
    expect(await tokens.authorize(secret, now())).toEqual({ authorization: "Bearer ya29.2" });
  });

  it.each([
    [400, { error: "invalid_grant", error_description: "Invalid JWT Signature." }, "credential_rejected"],
    [401, { error: "invalid_client" }, "credential_rejected"],
  ])("that is answered %s %o is a failure that tells nothing of it", async (status, json, kind) => {
    await using server = await startTokenServer();
    server.answer(status, json);
    const failed = await new GoogleTokens().authorize(new Secret(serviceAccount(server.host)), now());
    expect(failed).toMatchObject({ kind });
    expect(JSON.stringify(failed)).not.toMatch(/my-project|127\.0\.0\.1|invalid_/);
  });

  it("whose server cannot be reached is no rejected login", async () => {
    const server = await startTokenServer();
    const secret = new Secret(serviceAccount(server.host));
    await server[Symbol.asyncDispose]();
    expect(await new GoogleTokens().authorize(secret, now())).toMatchObject({ kind: "unreachable" });
  });

  it("whose server never answers is waited for no longer than twenty seconds", async () => {
    await using server = await startTokenServer();
    server.hang();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const failed = new GoogleTokens().authorize(new Secret(serviceAccount(server.host)), now());
    await vi.waitFor(() => expect(server.asked).toHaveLength(1));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await failed).toMatchObject({ kind: "unreachable" });
  });

  it("whose key is no key is rejected", async () => {
    const login = { type: "service_account", client_email: "a@b", private_key: "no key" };
    expect(await new GoogleTokens().authorize(new Secret(JSON.stringify(login)), now())).toMatchObject({
      kind: "credential_rejected",
    });
  });
});

describe("the machine's own login", () => {
  it("is the metadata server's where nothing else is said", async () => {
    await using server = await startTokenServer();
    vi.stubEnv("GCE_METADATA_HOST", server.host);
    vi.stubEnv("METADATA_SERVER_DETECTION", "assume-present");
    vi.stubEnv("HOME", mkdtempSync(join(tmpdir(), "hedgerow-home-")));
    const tokens = new GoogleTokens();
    const asked = [1, 2, 3].map(async () => tokens.authorize(undefined, now()));
    for (const headers of await Promise.all(asked)) expect(headers).toEqual({ authorization: "Bearer ya29.1" });
    expect(server.asked.filter(({ path }) => path.includes("token"))).toHaveLength(1);
  });

  it("that is said and not there is a rejected one", async () => {
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/login.json");
    expect(await new GoogleTokens().authorize(undefined, now())).toMatchObject({ kind: "credential_rejected" });
  });

  it("that is said and broken is a rejected one", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "hedgerow-login-")), "login.json");
    writeFileSync(path, "{");
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", path);
    expect(await new GoogleTokens().authorize(undefined, now())).toMatchObject({ kind: "credential_rejected" });
  });
});
