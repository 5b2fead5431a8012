import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secret } from "#domain/secret";
import { signV4, type SigV4Request } from "./sigv4.ts";

/** The worked example of AWS's own documentation of Signature Version 4: listing the users of an account. */
const documented: SigV4Request = {
  method: "GET",
  host: "iam.amazonaws.com",
  path: "/?Action=ListUsers&Version=2010-05-08",
  headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
  body: [],
  region: "us-east-1",
  service: "iam",
  accessKeyId: "AKIDEXAMPLE",
  secretKey: new Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
  wallMs: Date.UTC(2015, 7, 30, 12, 36, 0),
};

const converse: SigV4Request = {
  ...documented,
  method: "POST",
  host: "bedrock-runtime.eu-central-1.amazonaws.com",
  path: "/model/vendor.model-v1%3A0/converse",
  headers: { "content-type": "application/json" },
  body: [Buffer.from('{"messages":[]}')],
  region: "eu-central-1",
  service: "bedrock",
};

function signatureOf(request: SigV4Request): string {
  return /Signature=([0-9a-f]{64})$/u.exec(signV4(request)["authorization"] ?? "")?.[1] ?? "none";
}

describe("signV4", () => {
  it("signs the example of AWS's documentation as documented", () => {
    expect(signV4(documented)).toEqual({
      "x-amz-date": "20150830T123600Z",
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, " +
        "SignedHeaders=content-type;host;x-amz-date, " +
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    });
  });

  it("sends and signs the token of temporary credentials", () => {
    const headers = signV4({ ...converse, sessionToken: new Secret("the-token") });
    expect(headers["x-amz-security-token"]).toBe("the-token");
    expect(headers["authorization"]).toContain("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,");
    expect(signatureOf({ ...converse, sessionToken: new Secret("the-token") })).not.toBe(
      signatureOf({ ...converse, sessionToken: new Secret("another") }),
    );
  });

  it("tells the hash of the body only where asked to", () => {
    expect(signV4(converse)).not.toHaveProperty("x-amz-content-sha256");
    const headers = signV4({ ...converse, body: [], tellsBodyHash: true });
    expect(headers["x-amz-content-sha256"]).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(headers["authorization"]).toContain(";x-amz-content-sha256;");
  });

  it("gives the same signature however the body is cut into pieces", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 5 }), (body) => {
        expect(signatureOf({ ...converse, body })).toBe(signatureOf({ ...converse, body: [Buffer.concat(body)] }));
      }),
    );
  });

  it("signs the path as it is sent: a colon and its code are different paths", () => {
    const plain = signatureOf({ ...converse, path: "/model/vendor.model-v1:0/converse" });
    expect(signatureOf(converse)).not.toBe(plain);
    const once = { normalised: true, encodedAgain: false };
    // As S3 sees paths, both name the same object.
    expect(signatureOf({ ...converse, pathRules: once })).toBe(
      signatureOf({ ...converse, path: "/model/vendor.model-v1:0/converse", pathRules: once }),
    );
  });

  it.each([
    ["/a/./b/../c", "/a/c"],
    ["//a//b//", "/a/b/"],
    ["/..", "/"],
    ["", "/"],
  ])("signs the path %s like %s, unless told to leave paths alone", (path, other) => {
    expect(signatureOf({ ...converse, path })).toBe(signatureOf({ ...converse, path: other }));
    const asItIs = { normalised: false, encodedAgain: true };
    const isEmpty = path === "";
    const signatures = [path, other].map((one) => signatureOf({ ...converse, path: one, pathRules: asItIs }));
    expect(new Set(signatures).size).toBe(isEmpty ? 1 : 2);
  });

  it.each([
    ["/?b=1&a=2", "/?a=2&b=1"],
    ["/?a=2&a=1", "/?a=1&a=2"],
    ["/?a=2&a-=1", "/?a-=1&a=2"],
    ["/?a", "/?a="],
    ["/?a=é", "/?a=%c3%a9"],
    ["/?a=%", "/?a=%25"],
    ["/?a=1=2", "/?a=1%3D2"],
    ["/?a=x/y?z", "/?a=x%2Fy%3Fz"],
  ])("signs the query of %s like that of %s", (path, other) => {
    expect(signatureOf({ ...converse, path })).toBe(signatureOf({ ...converse, path: other }));
    expect(signatureOf({ ...converse, path })).not.toBe(signatureOf({ ...converse, path: "/" }));
  });

  it("signs headers whatever their order and their white space", () => {
    const headers = { "x-b": " 1   2\n  3 ", "x-a": "4" };
    expect(signV4({ ...converse, headers })["authorization"]).toContain("SignedHeaders=host;x-a;x-amz-date;x-b,");
    expect(signatureOf({ ...converse, headers })).toBe(
      signatureOf({ ...converse, headers: { "x-a": "4", "x-b": "1 2 3" } }),
    );
  });

  it("signs with the new secret where one is replaced under the same id, and with the old one again", () => {
    const replaced = { ...converse, secretKey: new Secret("another") };
    const before = signatureOf(converse);
    expect(signatureOf(replaced)).not.toBe(before);
    expect(signatureOf({ ...replaced, secretKey: new Secret("another") })).toBe(signatureOf(replaced));
    expect(signatureOf(converse)).toBe(before);
  });

  it("signs the same after very many other keys", () => {
    const before = signatureOf(converse);
    for (let n = 0; n < 200; n += 1) signatureOf({ ...converse, accessKeyId: `AKID${n}` });
    expect(signatureOf(converse)).toBe(before);
  });

  it("derives another key for another day", () => {
    const dayMs = 24 * 60 * 60 * 1000;
    const next = signV4({ ...converse, wallMs: converse.wallMs + dayMs });
    expect(next["authorization"]).toContain("/20150831/eu-central-1/bedrock/aws4_request");
    expect(signatureOf({ ...converse, wallMs: converse.wallMs + dayMs })).not.toBe(signatureOf(converse));
  });
});
