export const sseType = "text/event-stream; charset=utf-8";

export const ssePing = Buffer.from(": ping\n\n");

/** A message with an `event:` line. */
export function sseEvent(name: string, json: string): Buffer {
  return Buffer.from(`event: ${name}\ndata: ${json}\n\n`);
}

/** A message of data alone. */
export function sseData(value: object): Buffer {
  return Buffer.from(`data: ${JSON.stringify(value)}\n\n`);
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const paddingStep = 16;

/**
 * Filler as providers send it to hide how long a piece of text is. Theirs is random; this one follows from the text, so
 * that the same request gives the same bytes.
 */
export function padding(text: string): string {
  return letters.slice(0, (Buffer.byteLength(text) * 7) % paddingStep);
}
