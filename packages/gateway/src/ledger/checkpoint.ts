import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";

/** What a log says of itself: https://c2sp.org/tlog-checkpoint, signed as https://c2sp.org/signed-note. */
export interface Checkpoint {
  /** The log's name, the same for ever. */
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  /** Further lines, opaque to whoever verifies. */
  readonly extra?: readonly string[];
}

export interface Signer {
  readonly name: string;
  readonly key: KeyObject;
}

export interface Verifier {
  readonly name: string;
  readonly key: KeyObject;
  /** Four bytes that say which of the name's keys it is. */
  readonly id: Buffer;
}

/** Ed25519, of signed-note. */
const algorithm = 0x01;
const idBytes = 4;
/** Before the 32 bytes of an Ed25519 public key (RFC 8410). */
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");

export function newSigningKey(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }).toString();
}

export function signerOf(name: string, pem: string): Signer {
  return { name, key: createPrivateKey(pem) };
}

export function verifierOf({ name, key }: Signer): Verifier {
  const publicKey = createPublicKey(key);
  return { name, key: publicKey, id: idOf(name, rawOf(publicKey)) };
}

/** `name+hex id+base64 key`, as signed-note writes it: what others are given to verify with. */
export function verifierText({ name, key, id }: Verifier): string {
  return `${name}+${id.toString("hex")}+${Buffer.concat([Buffer.from([algorithm]), rawOf(key)]).toString("base64")}`;
}

/** Undefined where the text is none, or its id is not that of its key. */
export function readVerifier(text: string): Verifier | undefined {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text.trim()) ?? [];
  if (name === undefined || id === undefined || encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, "base64");
  if (bytes.length !== 33 || bytes[0] !== algorithm) return undefined;
  const raw = bytes.subarray(1);
  if (idOf(name, raw).toString("hex") !== id) return undefined;
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: "der", type: "spki" });
  return { name, key, id: Buffer.from(id, "hex") };
}

export function checkpointText({ origin, size, root, extra = [] }: Checkpoint): string {
  return [origin, String(size), root.toString("base64"), ...extra].map((line) => `${line}\n`).join("");
}

/** A text, an empty line, and the signature's line. */
export function signNote(text: string, { name, key }: Signer): string {
  const { id } = verifierOf({ name, key });
  const signature = sign(null, Buffer.from(text, "utf8"), key);
  return `${text}\n— ${name} ${Buffer.concat([id, signature]).toString("base64")}\n`;
}

export type NoteRead =
  | { readonly kind: "signed"; readonly text: string }
  | { readonly kind: "wrong"; readonly why: string };

/** The text of a note that this key has signed; other signatures on it are nobody's business here. */
export function openNote(note: string, { name, key, id }: Verifier): NoteRead {
  const end = note.lastIndexOf("\n\n");
  if (end === -1 || !note.endsWith("\n")) return { kind: "wrong", why: "it is no signed note" };
  const text = note.slice(0, end + 1);
  let isNamed = false;
  for (const line of note.slice(end + 2, -1).split("\n")) {
    const [, signer, encoded] = /^— (\S+) ([A-Za-z0-9+/=]+)$/u.exec(line) ?? [];
    if (encoded === undefined) return { kind: "wrong", why: "a line of signatures is none" };
    const bytes = Buffer.from(encoded, "base64");
    if (signer !== name || !bytes.subarray(0, idBytes).equals(id)) continue;
    isNamed = true;
    if (!verify(null, Buffer.from(text, "utf8"), key, bytes.subarray(idBytes))) {
      return { kind: "wrong", why: "the signature is not that of this text" };
    }
  }
  return isNamed ? { kind: "signed", text } : { kind: "wrong", why: `it is not signed with the key of ${name}` };
}

/** Undefined where the text is no checkpoint. */
export function readCheckpoint(text: string): Checkpoint | undefined {
  const [origin, size, root, ...extra] = text.replace(/\n$/u, "").split("\n");
  if (origin === undefined || origin === "" || size === undefined || root === undefined) return undefined;
  if (!/^(?:0|[1-9][0-9]{0,15})$/u.test(size)) return undefined;
  const bytes = Buffer.from(root, "base64");
  if (bytes.length !== 32 || bytes.toString("base64") !== root) return undefined;
  return { origin, size: Number(size), root: bytes, ...(extra.length === 0 ? {} : { extra }) };
}

function idOf(name: string, raw: Uint8Array): Buffer {
  const text = Buffer.concat([Buffer.from(`${name}\n`, "utf8"), Buffer.from([algorithm]), raw]);
  return hash("sha256", text, "buffer").subarray(0, idBytes);
}

function rawOf(key: KeyObject): Buffer {
  return key.export({ format: "der", type: "spki" }).subarray(spkiPrefix.length);
}
