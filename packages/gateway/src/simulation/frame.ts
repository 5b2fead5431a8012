import type { Malformation } from "./behaviour.ts";

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
  readonly frames: () => Iterable<Frame>;
  readonly ping: Buffer;
  readonly done: Buffer;
  readonly error: (body: object) => Buffer;
  /** A content frame around this text, as it would stand in the stream. */
  readonly content: (text: string) => Buffer;
  readonly unknownEvent: Buffer;
}

const defaultOversize = 8 * 1024 * 1024;

/** The bytes of a malformation that stands on its own; undefined for those that change a neighbour. */
export function malformedFrame(kind: Malformation, words: StreamWords, bytes = defaultOversize): Buffer | undefined {
  switch (kind) {
    case "broken-json":
      return endedAfter("broken", words.content("broken"));
    case "two-objects":
      return twoObjects(words.content("two"));
    case "html":
      return Buffer.from("<html><body><h1>502 Bad Gateway</h1></body></html>\n\n");
    case "unknown-event":
      return words.unknownEvent;
    case "oversize":
      return words.content("x".repeat(bytes));
    case "invalid-utf8":
      return invalidUtf8(words.content("bad#byte"));
    case "comment":
      return Buffer.from(": simulated comment\n\n");
    case "half-frame":
    case "duplicate":
      return undefined;
  }
}

function endedAfter(mark: string, frame: Buffer): Buffer {
  const end = frame.indexOf(mark) + mark.length;
  return Buffer.concat([frame.subarray(0, end), Buffer.from("\n\n")]);
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

/** Line ends as CRLF; JSON inside the frames holds no raw line feed, so only the framing changes. */
export function toCrlf(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString("latin1").replaceAll(/\r?\n/g, "\r\n"), "latin1");
}
