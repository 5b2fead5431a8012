import { crc32 } from "node:zlib";

export const eventStreamType = "application/vnd.amazon.eventstream";

const stringHeader = 7;
const preludeBytes = 12;
const checksumBytes = 4;

/**
 * One frame of `application/vnd.amazon.eventstream`: lengths and their checksum, headers, payload, checksum of it all.
 * Source: https://smithy.io/2.0/aws/amazon-eventstream.html
 */
export function eventFrame(headers: Readonly<Record<string, string>>, payload: Buffer): Buffer {
  const head = Buffer.concat(Object.entries(headers).map(([name, value]) => header(name, value)));
  const frame = Buffer.alloc(preludeBytes + head.length + payload.length + checksumBytes);
  frame.writeUInt32BE(frame.length, 0);
  frame.writeUInt32BE(head.length, 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  head.copy(frame, preludeBytes);
  payload.copy(frame, preludeBytes + head.length);
  const end = frame.length - checksumBytes;
  frame.writeUInt32BE(crc32(frame.subarray(0, end)), end);
  return frame;
}

export function jsonEvent(type: string, payload: Buffer): Buffer {
  return eventFrame({ ":event-type": type, ":content-type": "application/json", ":message-type": "event" }, payload);
}

export function exceptionFrame(type: string, body: object): Buffer {
  return eventFrame(
    { ":exception-type": type, ":content-type": "application/json", ":message-type": "exception" },
    Buffer.from(JSON.stringify(body)),
  );
}

function header(name: string, value: string): Buffer {
  const nameBytes = Buffer.from(name);
  const valueBytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(valueBytes.length);
  return Buffer.concat([Buffer.from([nameBytes.length]), nameBytes, Buffer.from([stringHeader]), length, valueBytes]);
}
