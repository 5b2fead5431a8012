import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventData } from "./event-data.ts";

function readAll(pieces: readonly string[]): string[] {
  const events = new EventData();
  return pieces.flatMap((piece) => events.push(piece));
}

/** The text cut at the given places. */
function cut(text: string, places: readonly number[]): string[] {
  const at = [0, ...places.map((place) => place % (text.length + 1)).toSorted((a, b) => a - b), text.length];
  return at.slice(1).map((end, index) => text.slice(at[index], end));
}

describe("EventData", () => {
  it("gives the same events however the text is split, whatever ends its lines", () => {
    const line = fc.stringMatching(/^[a-z{}":é ]{0,12}$/);
    fc.assert(
      fc.property(
        fc.array(fc.array(line, { minLength: 1, maxLength: 3 }), { maxLength: 6 }),
        fc.constantFrom("\n", "\r", "\r\n"),
        fc.array(fc.nat(), { maxLength: 12 }),
        (wanted, end, places) => {
          const text = wanted
            .map((lines) => `: note${end}${lines.map((data) => `data: ${data}${end}`).join("")}${end}`)
            .join("");
          expect(readAll(cut(text, places))).toEqual(wanted.map((lines) => lines.join("\n")));
        },
      ),
    );
  });

  it("skips comments, other fields and events without data", () => {
    expect(readAll([": ping\n\nevent: x\nid: 1\nretry: 5\n\nevent: y\ndata:1\n\n"])).toEqual(["1"]);
  });

  it("does not count an event whose blank line never came", () => {
    expect(readAll(["data: 1\n\n", "data: 2\n"])).toEqual(["1"]);
  });

  it("takes off one space only", () => {
    expect(readAll(["data:  1\n\ndata\n\n"])).toEqual([" 1", ""]);
  });

  it("refuses an event that never ends", () => {
    const events = new EventData();
    const piece = "x".repeat(16 * 1024 * 1024);
    expect(() => {
      for (let pieces = 0; pieces < 5; pieces += 1) events.push(pieces === 0 ? `data: ${piece}` : piece);
    }).toThrow(/longer than 67108864 characters/);
  });
});
