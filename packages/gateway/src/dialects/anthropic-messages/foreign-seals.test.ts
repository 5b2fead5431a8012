import { describe, expect, it } from "vitest";
import { plainChatQuirks } from "#domain/quirks";
import { scanFields } from "#wire/json-splice";
import { messagesWithoutForeignSeals } from "./foreign-seals.ts";

const traits = { name: "globex/other", capabilities: {}, from: { source: "test", date: "2026-11-25" } };

/** As Anthropic's look: a protocol buffer message in base64. */
const bare = Buffer.from([0x12, 90, ...Array.from({ length: 90 }, (_, at) => at * 2)]).toString("base64");

function fitted(messages: string, issuer: string, { known = true, budgeted = false } = {}) {
  const body = Buffer.from(`{"messages":${messages}}`);
  const scan = scanFields(body, { maxDepth: 50 });
  if ("problem" in scan) throw new Error(scan.problem);
  const target = { model: "m", issuer, quirks: plainChatQuirks, streamed: false, ...(known ? { traits } : {}) };
  const span = scan.fields.get("messages");
  return span === undefined ? undefined : messagesWithoutForeignSeals(body, span, { target, budgeted });
}

const turn = (...blocks: readonly string[]): string => `[{"role":"assistant","content":[${blocks.join(",")}]}]`;
const thought = (signature: string): string => `{"type":"thinking","thinking":"t","signature":"${signature}"}`;
const call = '{"type":"tool_use","id":"a","name":"f","input":{"n":12345678901234567890,"x":1.0}}';

describe("sealed thoughts in a conversation relayed to another target", () => {
  it("get their own seal back where the target's vendor made it", () => {
    expect(fitted(turn(thought("hedgerow:globex:abc"), call), "globex")).toEqual({
      json: turn(thought("abc"), call),
      lost: false,
      unexplainedCalls: false,
    });
  });

  it("are left out where another vendor made it, tagged or bare, and all else keeps its digits", () => {
    for (const foreign of [
      thought("hedgerow:acme:abc"),
      thought(bare),
      `{"type":"redacted_thinking","data":"${bare}"}`,
    ]) {
      expect(fitted(turn(foreign, call), "globex"), foreign).toMatchObject({ json: turn(call), lost: true });
    }
  });

  it("stay as they came where they may be the target's own", () => {
    for (const own of [thought("made-by-globex"), thought("")])
      expect(fitted(turn(own, call), "globex")).toBeUndefined();
    expect(fitted(turn(thought(bare), call), "anthropic")).toBeUndefined();
    expect(fitted(turn(thought(bare), call), "globex", { known: false })).toBeUndefined();
  });

  it("leave calls without a thought behind, which thinking with a budget does not go on from", () => {
    const foreign = turn(thought("hedgerow:acme:abc"), '{"type":"text","text":"Let me look."}', call);
    expect(fitted(foreign, "anthropic", { budgeted: true })).toMatchObject({ lost: true, unexplainedCalls: true });
    expect(fitted(foreign, "anthropic")).toMatchObject({ lost: true, unexplainedCalls: false });
  });

  it("are looked for where another vendor made the call that was answered last", () => {
    const asked = (id: string): string => {
      const answered = `{"role":"user","content":[{"type":"tool_result","tool_use_id": "${id}","content":"42"}]}`;
      return `[{"role":"assistant","content":[${call}]},${answered}]`;
    };
    expect(fitted(asked("call_1"), "anthropic", { budgeted: true })).toEqual({ lost: false, unexplainedCalls: true });
    // A call of Anthropic's own is the caller's affair.
    expect(fitted(asked("toolu_1"), "anthropic", { budgeted: true })).toBeUndefined();
    expect(fitted(asked("call_1"), "anthropic")).toBeUndefined();
  });
});
