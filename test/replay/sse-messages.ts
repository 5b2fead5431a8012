/** One dispatched message of an event stream, or a comment block. */
export interface SseMessage {
  readonly event: string | undefined;
  /** Undefined where the block held no `data` line. */
  readonly data: string | undefined;
  /** The block's text with its blank line. */
  readonly raw: string;
}

/**
 * A second, plain reading of the WHATWG event stream format for tests: whole text in, whole list out, sharing no code
 * with the gateway's own. A last block without its blank line is left out, as the standard says.
 */
export function readSse(text: string): readonly SseMessage[] {
  const blocks = text.matchAll(/(?:[^\r\n]+(?:\r\n|\r|\n))*(?:\r\n|\r|\n)/guy);
  return Array.from(blocks, ([raw]) => {
    const fields = raw
      .replace(/^\uFEFF/u, "")
      .split(/\r\n|\r|\n/u)
      .flatMap((line) => {
        const field = /^(?<name>[^:]+)(?:: ?(?<value>.*))?$/su.exec(line)?.groups;
        return field === undefined ? [] : [{ name: field["name"] ?? "", value: field["value"] ?? "" }];
      });
    const data = fields.filter(({ name }) => name === "data").map(({ value }) => value);
    return {
      event: fields.findLast(({ name }) => name === "event")?.value,
      data: data.length === 0 ? undefined : data.join("\n"),
      raw,
    };
  });
}
