import { failure, type Failure } from "#domain/failure";
import { createBrotliDecompress, createGunzip, createInflate, type Gunzip, type BrotliDecompress } from "node:zlib";

export interface Inflater {
  /** False asks to stop until `onDrain`: the decompressor is slower than what comes. */
  push(bytes: Uint8Array): boolean;
  end(): void;
  /** Until `resume`, no more is given than the decompressor has in hand. */
  pause(): void;
  resume(): void;
  stop(): void;
}

export interface InflaterHandler {
  onBytes(bytes: Uint8Array): void;
  onEnd(): void;
  onDrain(): void;
  onFail(what: Failure): void;
}

/** A compressed answer that grows more than this is an attack or a mistake (89 bytes of brotli can become 100 MiB). */
const maxRatio = 1000;
const ratioCountsFromBytes = 1024 * 1024;

/** We ask providers for plain bytes; some compress all the same. Undefined for an encoding we do not know. */
export function inflater(encoding: string, maxBytes: number, handler: InflaterHandler): Inflater | undefined {
  const stream = streamFor(encoding);
  if (stream === undefined) return undefined;
  let received = 0;
  let given = 0;
  let over = false;
  const stop = (): void => {
    over = true;
    stream.destroy();
  };
  const fail = (kind: "bad_upstream_response" | "truncated_response", why: string): void => {
    stop();
    handler.onFail(failure(kind, why));
  };
  stream.on("data", (bytes: Uint8Array) => {
    if (over) return;
    given += bytes.length;
    if (given > maxBytes || (given > ratioCountsFromBytes && given > received * maxRatio)) {
      fail("bad_upstream_response", "The provider's compressed answer grows beyond every bound.");
      return;
    }
    handler.onBytes(bytes);
  });
  stream.on("end", () => {
    if (!over) handler.onEnd();
  });
  stream.on("drain", () => {
    if (!over) handler.onDrain();
  });
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (over) return;
    // What zlib and brotli both say of input that ends too early.
    if (error.code === "Z_BUF_ERROR") fail("truncated_response", "The provider's compressed answer breaks off.");
    else fail("bad_upstream_response", "The provider's answer is not in the encoding it claims.");
  });
  return {
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    push(bytes) {
      received += bytes.length;
      if (!over && received > maxBytes) {
        fail("bad_upstream_response", "The provider's compressed answer is larger than any may be.");
      }
      return over || stream.write(bytes);
    },
    end() {
      if (!over) stream.end();
    },
    stop,
  };
}

function streamFor(encoding: string): Gunzip | BrotliDecompress | undefined {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    default:
      return undefined;
  }
}
