/** The most characters one event may have; a longer one is an error, not a growing buffer. */
const maxEventCharacters = 64 * 1024 * 1024;

/**
 * Takes the `data` of server-sent events out of text that comes in pieces of any split, after the WHATWG standard
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream): lines end in LF, CRLF or
 * CR, comments and other fields are skipped, several `data` lines are joined, an event without its blank line at the
 * end of the stream does not count.
 */
export class EventData {
  #line = "";
  #data: string[] = [];
  #characters = 0;
  #skipLineFeed = false;

  /** The events that this piece completes, in order. Throws a RangeError on an event beyond the bound. */
  push(text: string): string[] {
    const events: string[] = [];
    let start = 0;
    if (this.#skipLineFeed && text !== "") {
      this.#skipLineFeed = false;
      if (text.startsWith("\n")) start = 1;
    }
    const lineEnd = /[\r\n]/g;
    lineEnd.lastIndex = start;
    for (let found = lineEnd.exec(text); found !== null; found = lineEnd.exec(text)) {
      this.#takeLine(this.#line + text.slice(start, found.index), events);
      this.#line = "";
      start = found.index + 1;
      if (found[0] === "\r") {
        if (start === text.length) this.#skipLineFeed = true;
        else if (text[start] === "\n") start += 1;
      }
      lineEnd.lastIndex = start;
    }
    this.#line += text.slice(start);
    this.#mustFit(this.#line.length);
    return events;
  }

  #takeLine(line: string, events: string[]): void {
    if (line === "") {
      if (this.#data.length > 0) events.push(this.#data.join("\n"));
      this.#data = [];
      this.#characters = 0;
    } else if (line.startsWith("data:")) {
      this.#data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
      this.#characters += line.length;
      this.#mustFit(0);
    } else if (line === "data") {
      this.#data.push("");
    }
  }

  #mustFit(more: number): void {
    if (this.#characters + more > maxEventCharacters) {
      throw new RangeError(`One event of the stream is longer than ${maxEventCharacters} characters.`);
    }
  }
}
