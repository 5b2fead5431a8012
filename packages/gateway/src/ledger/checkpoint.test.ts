import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkpointText,
  newSigningKey,
  openNote,
  readCheckpoint,
  readVerifier,
  signerOf,
  signNote,
  verifierOf,
  verifierText,
} from "./checkpoint.ts";

/** The example of Go's golang.org/x/mod/sumdb/note. */
const peter = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const note =
  "If you think cryptography is the answer to your problem,\n" +
  "then you don't know what your problem is.\n" +
  "\n" +
  "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

describe("a signed note", () => {
  it("is read as others sign it", () => {
    const verifier = readVerifier(peter);
    if (verifier === undefined) throw new Error("no verifier");
    expect(verifierText(verifier)).toBe(peter);
    expect(openNote(note, verifier)).toMatchObject({ kind: "signed" });
    expect(openNote(note.replace("answer", "solution"), verifier)).toMatchObject({ kind: "wrong" });
  });

  it("is good with its own key alone", () => {
    const [one, other] = [signerOf("log.example/a", newSigningKey()), signerOf("log.example/a", newSigningKey())];
    const text = checkpointText({ origin: "log.example/a", size: 12, root: Buffer.alloc(32, 7) });
    const signed = signNote(text, one);
    expect(openNote(signed, verifierOf(one))).toEqual({ kind: "signed", text });
    expect(openNote(signed, verifierOf(other))).toMatchObject({ kind: "wrong" });
    expect(readCheckpoint(text)).toEqual({ origin: "log.example/a", size: 12, root: Buffer.alloc(32, 7) });
    expect(readVerifier(verifierText(verifierOf(one)))?.id).toEqual(verifierOf(one).id);
  });

  it("is shaken by any changed character", () => {
    const signer = signerOf("log.example/a", newSigningKey());
    const signed = signNote(checkpointText({ origin: "o", size: 3, root: Buffer.alloc(32, 1) }), signer);
    fc.assert(
      fc.property(fc.nat(signed.length - 1), fc.integer({ min: 33, max: 126 }), (at, code) => {
        const changed = signed.slice(0, at) + String.fromCharCode(code) + signed.slice(at + 1);
        const read = openNote(changed, verifierOf(signer));
        // Base64 has spare bits at its end: another character there may say the same.
        if (read.kind === "signed") expect(changed.slice(0, -5)).toBe(signed.slice(0, -5));
        if (read.kind === "signed")
          expect(read.text).toBe(checkpointText({ origin: "o", size: 3, root: Buffer.alloc(32, 1) }));
      }),
    );
  });

  it("that is no checkpoint is none", () => {
    for (const text of ["", "o\n", "o\n-1\nAAAA\n", "o\n01\n", `o\n1\n${Buffer.alloc(31).toString("base64")}\n`]) {
      expect(readCheckpoint(text)).toBeUndefined();
    }
    for (const text of ["", "name", "a+00000000+AAAA", peter.replace("c74f20a3", "c74f20a4")]) {
      expect(readVerifier(text)).toBeUndefined();
    }
  });
});
