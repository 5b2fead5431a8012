import { createHash, createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signedBy } from "./aws-signature.ts";
import { startSimulator, type Simulator } from "./server.ts";

let simulator: Simulator;
beforeAll(async () => {
  const script = [{ behaviour: { answer: { text: "ok" } } }];
  simulator = await startSimulator({ keys: ["right", "AKID:secret"], script });
});
afterAll(() => simulator.close());

describe("a simulated provider with keys", () => {
  it("takes them wherever a vendor's client puts them, and no others", async () => {
    const list = async (headers: Record<string, string>, query = ""): Promise<number> =>
      (await fetch(`${simulator.url}/v1beta/models${query}`, { headers })).status;
    expect(await list({ authorization: "Bearer right" })).toBe(200);
    for (const name of ["x-api-key", "x-goog-api-key", "api-key"]) {
      expect(await list({ [name]: "right" })).toBe(200);
      expect(await list({ [name]: "wrong" })).toBe(400);
    }
    expect(await list({}, "?key=right")).toBe(200);
    expect(await list({})).toBe(400);
  });

  it("says whose key is wrong in each vendor's way", async () => {
    const post = async (path: string): Promise<unknown> => {
      const answer = await fetch(simulator.url + path, { method: "POST", headers: { "api-key": "wrong" }, body: "{}" });
      return { status: answer.status, body: await answer.json() };
    };
    expect(await post("/v1beta/models/m:generateContent")).toMatchObject({
      status: 400,
      body: { error: { status: "INVALID_ARGUMENT", details: [{ reason: "API_KEY_INVALID" }] } },
    });
    expect(await post("/v2/chat")).toMatchObject({ status: 401, body: { message: "Incorrect API key provided." } });
    expect(await post("/model/m/converse")).toMatchObject({ status: 403 });
    expect(await post("/openai/v1/chat/completions")).toMatchObject({ status: 401, body: { error: { code: "401" } } });
  });
});

const body = JSON.stringify({ messages: [{ role: "user", content: [{ text: "hi" }] }] });
const day = "20261125";
const date = `${day}T120000Z`;
const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Signs step by step, with nothing of what is under test. */
function signature(canonicalPath: string, { secret = "secret", host = "h" } = {}): string {
  const canonical = `POST\n${canonicalPath}\n\nhost:${host}\nx-amz-date:${date}\n\nhost;x-amz-date\n${digest(body)}`;
  const scope = `${day}/us-east-1/bedrock/aws4_request`;
  let key = createHmac("sha256", `AWS4${secret}`).update(day).digest();
  for (const part of ["us-east-1", "bedrock", "aws4_request"]) key = createHmac("sha256", key).update(part).digest();
  const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${digest(canonical)}`;
  const mac = createHmac("sha256", key).update(text).digest("hex");
  return `AWS4-HMAC-SHA256 Credential=AKID/${scope}, SignedHeaders=host;x-amz-date, Signature=${mac}`;
}

describe("AWS signatures", () => {
  const arrival = (authorization: string, more: Readonly<Record<string, string>> = {}) => ({
    sequence: 1,
    connection: 1,
    method: "POST",
    path: "/model/a%3A0/converse",
    headers: { host: "h", "x-amz-date": date, authorization, ...more },
    body: Buffer.from(body),
    startedAtMs: 0,
  });
  const keys = new Set(["right", "AKID:secret"]);

  it("cover the path encoded once more than it stands on the wire", () => {
    expect(signedBy(arrival(signature("/model/a%253A0/converse")), keys)).toBeUndefined();
    expect(signedBy(arrival(signature("/model/a%3A0/converse")), keys)).toMatch(/does not match/);
  });

  it("cover the body, the date and the secret", () => {
    const right = signature("/model/a%253A0/converse");
    expect(signedBy({ ...arrival(right), body: Buffer.from(`${body} `) }, keys)).toMatch(/does not match/);
    expect(signedBy(arrival(right, { "x-amz-date": `${day}T120001Z` }), keys)).toMatch(/does not match/);
    expect(signedBy(arrival(right, { "x-amz-date": "20261126T120000Z" }), keys)).toMatch(/must cover/);
    expect(signedBy(arrival(right, { "x-amz-content-sha256": digest("") }), keys)).toMatch(/hash of the body/);
    expect(signedBy(arrival(signature("/model/a%253A0/converse", { secret: "other" })), keys)).toMatch(
      /does not match/,
    );
    expect(signedBy(arrival(right.replace("AKID", "OTHER")), keys)).toMatch(/security token/);
    expect(signedBy(arrival(right.replace("host;", "")), keys)).toMatch(/must cover host/);
    expect(signedBy(arrival("AWS4-HMAC-SHA256 nonsense"), keys)).toMatch(/not in the form/);
  });

  it("are those of the example AWS gives", () => {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html (ListUsers)
    const credential = "AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request";
    const given = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
    const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=content-type;host;x-amz-date, Signature=${given}`;
    const request = {
      ...arrival(authorization, {
        host: "iam.amazonaws.com",
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        "x-amz-date": "20150830T123600Z",
      }),
      method: "GET",
      path: "/?Action=ListUsers&Version=2010-05-08",
      body: Buffer.alloc(0),
    };
    expect(signedBy(request, new Set(["AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"]))).toBeUndefined();
  });

  it("let a request in over the wire, and only to the host they name", async () => {
    const ask = async (host: string): Promise<number> => {
      const authorization = signature("/model/a%253A0/converse", { host });
      const headers = { authorization, "x-amz-date": date };
      return (await fetch(`${simulator.url}/model/a%3A0/converse`, { method: "POST", body, headers })).status;
    };
    expect(await ask(`127.0.0.1:${simulator.port}`)).toBe(200);
    expect(await ask("h")).toBe(403);
    expect(simulator.log.last?.refused).toMatch(/does not match/);
  });
});
