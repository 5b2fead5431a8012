import { describe, expect, it } from "vitest";
import { messagesToolId } from "./tool-call-ids.ts";

describe("messagesToolId", () => {
  it("keeps different ids different, also against ids that look mapped", () => {
    const ids = ["", "a", "a|b", "a_7c_b", "hedgerow_a_7c_b", "a b", "a  b", "é", "hedgerow_", "_"];
    const mapped = ids.map(messagesToolId);
    expect(new Set(mapped).size).toBe(ids.length);
    for (const id of mapped) expect(id).toMatch(/^[a-zA-Z0-9_-]+$/u);
  });
});
