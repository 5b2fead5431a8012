import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secret } from "#domain/secret";
import { signV4, type SigV4Request } from "#providers/sigv4";

const accessKeyId = "AKIDEXAMPLE";
const secretAccessKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/** What AWS's own library asks of a hash. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()));
  }

  reset(): void {
    // Asked for by the interface; nobody uses a hash twice.
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);
}

/** The same request signed by AWS's own library. */
async function signedByAws(request: SigV4Request): Promise<string | undefined> {
  const { region, service, method, host, path, body, wallMs, sessionToken } = request;
  const signer = new SignatureV4({
    region,
    service,
    sha256: Sha256,
    applyChecksum: false,
    credentials: {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() }),
    },
  });
  const [bare = "", search = ""] = path.split("?", 2);
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(search)) query[name] = value;
  const signed = await signer.sign(
    {
      method,
      protocol: "https:",
      hostname: host,
      path: bare,
      query,
      headers: { host, ...request.headers },
      body: Buffer.concat(body),
    },
    { signingDate: new Date(wallMs) },
  );
  return signed.headers["authorization"];
}

const sample: SigV4Request = {
  region: "eu-central-1",
  service: "bedrock",
  method: "POST",
  host: "bedrock-runtime.eu-central-1.amazonaws.com",
  path: "/model/anthropic.claude-opus-5/invoke",
  body: [Buffer.from('{"messages":[]}')],
  accessKeyId,
  secretKey: new Secret(secretAccessKey),
  wallMs: Date.UTC(2026, 10, 25, 12, 36, 1),
};

/** Names of models, profiles and ARNs, as they stand in a path. */
const models = fc
  .oneof(
    fc.constantFrom("amazon.nova-pro-v1:0", "us.anthropic.claude-opus-5", "arn:aws:bedrock:eu-central-1:1:prompt/A1:2"),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((name) => name.isWellFormed()),
  )
  .map((name) => encodeURIComponent(name));

describe("AWS's own signer", () => {
  it("signs every request to Bedrock as we do", async () => {
    const requests = fc.record({
      model: models,
      method: fc.constantFrom("invoke", "converse", "converse-stream", "count-tokens"),
      body: fc.uint8Array({ maxLength: 200 }),
      wallMs: fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2040, 0, 1) }),
      token: fc.option(fc.base64String({ minLength: 4, maxLength: 40 }), { nil: undefined }),
      extra: fc.string({ unit: fc.constantFrom("a", "B", " ", "1"), minLength: 1 }),
      region: fc.constantFrom("eu-central-1", "us-gov-west-1"),
    });
    await fc.assert(
      fc.asyncProperty(requests, async ({ model, method, body, wallMs, token, extra, region }) => {
        const request: SigV4Request = {
          ...sample,
          region,
          path: `/model/${model}/${method}`,
          body: [body],
          wallMs,
          headers: { "x-amzn-extra": extra },
          ...(token === undefined ? {} : { sessionToken: new Secret(token) }),
        };
        expect(signV4(request)["authorization"]).toBe(await signedByAws(request));
      }),
    );
  });
});

const shared = process.env["HEDGEROW_SHARED"] ?? resolve(import.meta.dirname, "../../../shared");
const suite = join(shared, "fixtures/awslabs__aws-c-auth/tests/aws-signing-test-suite/v4");
const isThere = existsSync(suite);
if (!isThere) console.info(`skipped: vectors of AWS's signature, there is no ${suite} (set HEDGEROW_SHARED)`);

interface SuiteContext {
  readonly credentials: {
    readonly access_key_id: string;
    readonly secret_access_key: string;
    readonly token?: string;
  };
  readonly region: string;
  readonly service: string;
  readonly timestamp: string;
  readonly normalize: boolean;
  readonly sign_body: boolean;
  readonly omit_session_token?: boolean;
}

/** A request as the suite writes it: a line, headers that may go on in the next line, an empty line, the body. */
function suiteRequest(name: string): SigV4Request {
  const read = (file: string): string => readFileSync(join(suite, name, file), "utf8");
  const context = JSON.parse(read("context.json")) as SuiteContext;
  const [head = "", ...bodies] = read("request.txt").replaceAll("\r\n", "\n").split("\n\n");
  const [line = "", ...fields] = head
    .trim()
    .replaceAll(/\n[ \t]+/g, " ")
    .split("\n");
  const [, method = "", path = ""] = /^(\S+) (.*) HTTP\/1\.1$/.exec(line) ?? [];
  const headers: Record<string, string> = {};
  for (const field of fields) {
    const at = field.indexOf(":");
    const key = field.slice(0, at).toLowerCase();
    const value = field.slice(at + 1).trim();
    headers[key] = headers[key] === undefined ? value : `${headers[key]},${value}`;
  }
  const { host = "", "x-amz-date": _date, "x-amz-security-token": _token, ...others } = headers;
  const { credentials, omit_session_token: omitted = false } = context;
  return {
    region: context.region,
    service: context.service,
    method,
    host,
    path,
    headers: others,
    body: [Buffer.from(bodies.join("\n\n"))],
    accessKeyId: credentials.access_key_id,
    secretKey: new Secret(credentials.secret_access_key),
    wallMs: Date.parse(context.timestamp),
    pathRules: { normalised: context.normalize, encodedAgain: true },
    tellsBodyHash: context.sign_body,
    // "Omitted" is a token that is sent beside the signature.
    ...(credentials.token === undefined || omitted ? {} : { sessionToken: new Secret(credentials.token) }),
  };
}

interface OpenAiVector {
  readonly signingDate: string;
  readonly region: string;
  readonly service: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
  };
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly body: string;
    readonly contentType: string;
  };
  readonly expected: { readonly authorization: string };
}

const vector = join(shared, "fixtures/openai__openai-node/tests/fixtures/bedrock/v1/sigv4.json");

it.skipIf(!existsSync(vector))("OpenAI's client signs for Bedrock's compatible address as we do", () => {
  const { credentials, request, expected, ...scope } = JSON.parse(readFileSync(vector, "utf8")) as OpenAiVector;
  const { host, pathname } = new URL(request.url);
  const signed = signV4({
    region: scope.region,
    service: scope.service,
    method: request.method,
    host,
    path: pathname,
    headers: { "content-type": request.contentType },
    body: [Buffer.from(request.body)],
    accessKeyId: credentials.accessKeyId,
    secretKey: new Secret(credentials.secretAccessKey),
    sessionToken: new Secret(credentials.sessionToken),
    wallMs: Date.parse(scope.signingDate),
    tellsBodyHash: true,
  });
  expect(signed["authorization"]).toBe(expected.authorization);
});

describe.skipIf(!isThere)("AWS's signing test suite", () => {
  const cases = isThere ? readdirSync(suite) : [];

  it("has its cases", () => expect(cases.length).toBeGreaterThan(30));

  it.each(cases)("%s", (name) => {
    const expected = readFileSync(join(suite, name, "header-signature.txt"), "utf8").trim();
    expect(signV4(suiteRequest(name))["authorization"]).toMatch(new RegExp(`Signature=${expected}$`));
  });
});
