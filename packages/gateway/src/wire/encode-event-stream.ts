import { crc32 } from "./crc32.ts";
import {
  headerType,
  maxNameBytes,
  maxValueBytes,
  type EventHeaders,
  type EventHeaderValue,
} from "./event-stream-headers.ts";
import { checksumBytes, maxHeaderBytes, preludeBytes } from "./event-stream.ts";

/**
 * Writes one frame of `application/vnd.amazon.eventstream`; string headers come first. Throws a RangeError where a
 * header does not fit the format, which no frame of ours does.
 */
export function encodeEventStreamFrame(frame: EventHeaders & { readonly payload: Uint8Array }): Buffer {
  const head = Buffer.concat([
    ...Object.entries(frame.headers).map(([name, value]) => header(name, headerType.string, sized(Buffer.from(value)))),
    ...Object.entries(frame.typedHeaders ?? {}).map(([name, value]) => header(name, ...encodedValue(value))),
  ]);
  if (head.length > maxHeaderBytes) throw new RangeError(`headers of ${head.length} bytes do not fit a frame`);
  const bytes = Buffer.allocUnsafe(preludeBytes + head.length + frame.payload.length + checksumBytes);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(head.length, 4);
  bytes.writeUInt32BE(crc32(bytes, 0, 8), 8);
  head.copy(bytes, preludeBytes);
  bytes.set(frame.payload, preludeBytes + head.length);
  const end = bytes.length - checksumBytes;
  bytes.writeUInt32BE(crc32(bytes, 0, end), end);
  return bytes;
}

function header(name: string, type: number, value: Buffer): Buffer {
  const nameBytes = Buffer.from(name);
  if (nameBytes.length > maxNameBytes) throw new RangeError(`a header's name of ${nameBytes.length} bytes is too long`);
  return Buffer.concat([Buffer.of(nameBytes.length), nameBytes, Buffer.of(type), value]);
}

/** A value whose length stands before it. */
function sized(value: Uint8Array): Buffer {
  if (value.length > maxValueBytes) throw new RangeError(`a header's value of ${value.length} bytes is too long`);
  return Buffer.concat([Buffer.of(value.length >> 8, value.length & 0xff), value]);
}

function encodedValue(header: EventHeaderValue): [type: number, value: Buffer] {
  switch (header.type) {
    case "boolean":
      return [header.value ? headerType.true : headerType.false, Buffer.alloc(0)];
    case "binary":
      return [headerType.binary, sized(header.value)];
    case "uuid":
      return [headerType.uuid, uuidBytes(header.value)];
    default:
      return [headerType[header.type], encodedNumber(header)];
  }
}

function uuidBytes(uuid: string): Buffer {
  const bytes = Buffer.from(uuid.replaceAll("-", ""), "hex");
  if (bytes.length !== 16) throw new RangeError("a UUID has 16 bytes");
  return bytes;
}

function encodedNumber(header: Extract<EventHeaderValue, { readonly value: number | bigint }>): Buffer {
  const bytes = Buffer.alloc(8);
  switch (header.type) {
    case "byte":
      return bytes.subarray(0, bytes.writeInt8(header.value));
    case "short":
      return bytes.subarray(0, bytes.writeInt16BE(header.value));
    case "integer":
      return bytes.subarray(0, bytes.writeInt32BE(header.value));
    default:
      return bytes.subarray(0, bytes.writeBigInt64BE(header.value));
  }
}
