import type { ErrorKind, Malformation } from "./behaviour.ts";

/**
 * One piece of a streamed answer. `lifecycle` comes before any content, `structure` between contents, `closing` says
 * that the answer ends, `done` is the protocol's completion.
 */
export interface Frame {
  readonly kind: "lifecycle" | "content" | "structure" | "closing" | "done";
  readonly bytes: Buffer;
}

/** How one dialect says things a script can put into a stream. */
export interface StreamWords {
  readonly contentType: string;
  readonly frames: () => Iterable<Frame>;
  /** A keep-alive; empty where the protocol has none. */
  readonly ping: Buffer;
  readonly done: () => Buffer;
  /** `kind` is what the framing itself says, where it says it. */
  readonly error: (body: object, kind: ErrorKind) => Buffer;
  /** A content frame around this text, as it would stand in the stream. */
  readonly content: (text: string) => Buffer;
  readonly unknownEvent: Buffer;
  /** For framings that are no lines of text. */
  readonly binary?: BinaryFraming;
}

export interface BinaryFraming {
  /** What stands inside a content frame around this text. */
  readonly payload: (text: string) => Buffer;
  /** A good frame around any payload. */
  readonly frame: (payload: Buffer) => Buffer;
  /** A frame that carries nothing, which readers pass over. */
  readonly empty: Buffer;
}

const defaultOversize = 8 * 1024 * 1024;
const htmlPiece = Buffer.from("<html><body><h1>502 Bad Gateway</h1></body></html>\n\n");

/** The bytes of a malformation that stands on its own; undefined for those that change a neighbour. */
export function malformedFrame(kind: Malformation, words: StreamWords, bytes = defaultOversize): Buffer | undefined {
  const { binary } = words;
  switch (kind) {
    case "broken-json":
      return binary === undefined
        ? endedAfter("broken", words.content("broken"))
        : binary.frame(upTo("broken", binary.payload("broken")));
    case "two-objects":
      return binary === undefined
        ? twoObjects(words.content("two"))
        : binary.frame(Buffer.concat([binary.payload("two"), binary.payload("two")]));
    case "html":
      return htmlPiece;
    case "unknown-event":
      return words.unknownEvent;
    case "oversize":
      return words.content("x".repeat(bytes));
    case "invalid-utf8":
      return binary === undefined
        ? invalidUtf8(words.content("bad#byte"))
        : binary.frame(invalidUtf8(binary.payload("bad#byte")));
    case "comment":
      return binary === undefined ? Buffer.from(": simulated comment\n\n") : binary.empty;
    case "bad-checksum":
      return lastByteChanged(words.content("checked"));
    case "half-frame":
    case "duplicate":
      return undefined;
  }
}

/** An event of a stream before it has its bytes. */
export interface Said<Event> {
  readonly kind: Frame["kind"];
  readonly event: Event;
}

/** What comes before the first content is all lifecycle to a script, though the protocol calls it structure. */
export function* earlyAsLifecycle<Event>(events: Iterable<Said<Event>>): Generator<Said<Event>> {
  let contentSeen = false;
  for (const said of events) {
    contentSeen ||= said.kind === "content";
    yield !contentSeen && said.kind === "structure" ? { ...said, kind: "lifecycle" } : said;
  }
}

export function* framesOf<Event>(events: Iterable<Said<Event>>, frame: (event: Event) => Buffer): Generator<Frame> {
  for (const { kind, event } of events) yield { kind, bytes: frame(event) };
}

function upTo(mark: string, bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.indexOf(mark) + mark.length);
}

function endedAfter(mark: string, frame: Buffer): Buffer {
  return Buffer.concat([upTo(mark, frame), Buffer.from("\n\n")]);
}

function twoObjects(frame: Buffer): Buffer {
  const text = frame.toString("utf8");
  const object = text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1);
  return Buffer.from(text.replace(object, () => object + object));
}

function invalidUtf8(frame: Buffer): Buffer {
  const broken = Buffer.from(frame);
  broken[broken.indexOf("bad#byte") + 3] = 0xff;
  return broken;
}

/** The checksum stands last where a frame has one. */
function lastByteChanged(frame: Buffer): Buffer {
  const broken = Buffer.from(frame);
  const last = broken.length - 1;
  broken[last] = (broken[last] ?? 0) ^ 0xff;
  return broken;
}

/** Line ends as CRLF; JSON inside the frames holds no raw line feed, so only the framing changes. */
export function toCrlf(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString("latin1").replaceAll(/\r?\n/g, "\r\n"), "latin1");
}
