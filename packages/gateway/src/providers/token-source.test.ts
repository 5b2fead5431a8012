import { describe, expect, it } from "vitest";
import { failure, type Failure } from "#domain/failure";
import { TokenSource, type FetchedToken } from "./token-source.ts";

/** A source whose fetches are answered by hand. */
function opened() {
  const waiting: ((fetched: FetchedToken | Failure) => void)[] = [];
  const source = new TokenSource(() => new Promise((resolve) => waiting.push(resolve)));
  return { source, waiting };
}

const minuteMs = 60_000;
const token = (name: string, expiresAtMs: number): FetchedToken => ({ headers: { authorization: name }, expiresAtMs });
const refused = failure("credential_rejected", "No.");

describe("TokenSource", () => {
  it("fetches once for all who ask at the same time, and answers later ones at once", async () => {
    const { source, waiting } = opened();
    const asked = [source.headers(0), source.headers(0), source.headers(5)];
    expect(waiting).toHaveLength(1);
    waiting[0]?.(token("a", 60 * minuteMs));
    expect(await Promise.all(asked.map(async (each) => each))).toEqual([
      { authorization: "a" },
      { authorization: "a" },
      { authorization: "a" },
    ]);
    expect(source.headers(minuteMs)).toEqual({ authorization: "a" });
    expect(waiting).toHaveLength(1);
  });

  it("renews a token before its end without making anyone wait", async () => {
    const { source, waiting } = opened();
    const first = source.headers(0);
    waiting[0]?.(token("a", 60 * minuteMs));
    await first;
    expect(source.headers(56 * minuteMs)).toEqual({ authorization: "a" });
    expect(source.headers(57 * minuteMs)).toEqual({ authorization: "a" });
    expect(waiting).toHaveLength(2);
    waiting[1]?.(token("b", 120 * minuteMs));
    await Promise.resolve();
    expect(source.headers(57 * minuteMs)).toEqual({ authorization: "b" });
  });

  it("waits for a new token where the old one could expire on the way", async () => {
    const { source, waiting } = opened();
    const first = source.headers(0);
    waiting[0]?.(token("a", minuteMs));
    await first;
    const second = source.headers(minuteMs - 10_000);
    expect(second).toBeInstanceOf(Promise);
    waiting[1]?.(token("b", 60 * minuteMs));
    expect(await second).toEqual({ authorization: "b" });
  });

  it("goes on with a valid token while renewing fails, and asks again after a rest", async () => {
    const { source, waiting } = opened();
    const first = source.headers(0);
    waiting[0]?.(token("a", 10 * minuteMs));
    await first;
    expect(source.headers(6 * minuteMs)).toEqual({ authorization: "a" });
    waiting[1]?.(refused);
    await Promise.resolve();
    expect(source.headers(6 * minuteMs + 1000)).toEqual({ authorization: "a" });
    expect(waiting).toHaveLength(2);
    void source.headers(6 * minuteMs + 6000);
    expect(waiting).toHaveLength(3);
  });

  it("tells a failure as one, and asks the server again only after a rest", async () => {
    const { source, waiting } = opened();
    const first = source.headers(0);
    waiting[0]?.(refused);
    expect(await first).toEqual(refused);
    expect(source.headers(4000)).toEqual(refused);
    expect(waiting).toHaveLength(1);
    const second = source.headers(6000);
    waiting[1]?.(token("a", 60 * minuteMs));
    expect(await second).toEqual({ authorization: "a" });
  });

  it("asks each time for a token that does not say when it ends", async () => {
    const { source, waiting } = opened();
    const first = source.headers(1000);
    waiting[0]?.(token("a", 0));
    expect(await first).toEqual({ authorization: "a" });
    void source.headers(1000);
    expect(waiting).toHaveLength(2);
  });
});
