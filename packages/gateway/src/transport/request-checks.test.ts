import { describe, expect, it } from "vitest";
import { checkHead } from "./request-checks.ts";

function check(rawHeaders: readonly string[], more: { method?: string; target?: string; httpVersion?: string } = {}) {
  return checkHead({ method: "POST", target: "/v1/chat/completions", httpVersion: "1.1", rawHeaders, ...more });
}
const host = ["Host", "127.0.0.1:4000"];

describe("checkHead", () => {
  it("lets a plain request through with lower-case names", () => {
    expect(check([...host, "X-Api-Key", "k"])).toMatchObject({ kind: "fine", headers: { "x-api-key": "k" } });
  });

  it.each([
    ["two hosts", [...host, "Host", "b"]],
    ["no host", ["Accept", "*/*"]],
    ["a host with a path", ["Host", "x/#@evil"]],
    ["a host with userinfo", ["Host", "user@x"]],
    ["two authorizations", [...host, "Authorization", "Bearer a", "authorization", "Bearer b"]],
    ["two keys", [...host, "x-api-key", "a", "X-API-Key", "b"]],
    ["two lengths", [...host, "Content-Length", "3", "content-length", "4"]],
    ["length and encoding", [...host, "Content-Length", "3", "Transfer-Encoding", "chunked"]],
  ])("refuses %s", (_name, rawHeaders) => {
    expect(check(rawHeaders)).toMatchObject({ kind: "refused", status: 400 });
  });

  it("refuses a chain of transfer encodings, and any under HTTP/1.0", () => {
    expect(check([...host, "Transfer-Encoding", "gzip, chunked"])).toMatchObject({ status: 501 });
    expect(check([...host, "Transfer-Encoding", "chunked"], { httpVersion: "1.0" })).toMatchObject({ status: 400 });
  });

  it("refuses absolute targets and bodies on GET", () => {
    expect(check(host, { target: "http://evil/v1/models" })).toMatchObject({ status: 400 });
    expect(check([...host, "Content-Length", "2"], { method: "GET" })).toMatchObject({ status: 400 });
  });

  it("refuses a hundred and one headers", () => {
    const many = Array.from({ length: 101 }, (_, n) => [`x-${n}`, "v"]).flat();
    expect(check([...host, ...many])).toMatchObject({ kind: "refused", status: 431 });
  });

  it("never reads a header whose name has an underscore", () => {
    const checked = check([...host, "x_api_key", "sneaky"]);
    expect(checked.kind === "fine" && Object.values(checked.headers)).toEqual(["127.0.0.1:4000"]);
  });

  it("is not fooled by a header named like a property of every object", () => {
    const checked = check([...host, "constructor", "x", "__proto__", "y"]);
    expect(checked).toMatchObject({ kind: "fine" });
    expect(({} as { y?: string }).y).toBeUndefined();
  });
});
