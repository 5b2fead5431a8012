import { describe, expect, it } from "vitest";
import { plainChatQuirks } from "#domain/quirks";
import { scanFields } from "#wire/json-splice";
import { messagesWithoutForeignSeals } from "./foreign-seals.ts";

const traits = { name: "globex/other", capabilities: {}, from: { source: "test", date: "2026-11-25" } };

/** As Anthropic's look: a protocol buffer message in base64. */
const bare = Buffer.from([0x12, 90, ...Array.from({ length: 90 }, (_, at) => at * 2)]).toString("base64");

function fitted(messages: string, issuer: string, known = true) {
  const body = Buffer.from(`{"messages":${messages}}`);
  const scan = scanFields(body, { maxDepth: 50 });
  if ("problem" in scan) throw new Error(scan.problem);
  const target = { model: "m", issuer, quirks: plainChatQuirks, streamed: false, ...(known ? { traits } : {}) };
  return messagesWithoutForeignSeals(body, scan, target);
}

const turn = (...blocks: readonly string[]): string => `[{"role":"assistant","content":[${blocks.join(",")}]}]`;
const thought = (signature: string): string => `{"type":"thinking","thinking":"t","signature":"${signature}"}`;
const call = '{"type":"tool_use","id":"a","name":"f","input":{"n":12345678901234567890,"x":1.0}}';

describe("sealed thoughts in a conversation relayed to another target", () => {
  it("get their own seal back where the target's vendor made it", () => {
    expect(fitted(turn(thought("hedgerow:globex:abc"), call), "globex")).toEqual({
      json: turn(thought("abc"), call),
      lost: false,
    });
  });

  it("are left out where another vendor made it, tagged or bare, and all else keeps its digits", () => {
    for (const foreign of [
      thought("hedgerow:acme:abc"),
      thought(bare),
      `{"type":"redacted_thinking","data":"${bare}"}`,
    ]) {
      expect(fitted(turn(foreign, call), "globex"), foreign).toEqual({ json: turn(call), lost: true });
    }
  });

  it("stay as they came where they may be the target's own", () => {
    for (const own of [thought("made-by-globex"), thought("")])
      expect(fitted(turn(own, call), "globex")).toBeUndefined();
    expect(fitted(turn(thought(bare), call), "anthropic")).toBeUndefined();
    expect(fitted(turn(thought(bare), call), "globex", false)).toBeUndefined();
  });
});
