import { expect, it } from "vitest";
import type { Clock, Exchange } from "#domain/ports";
import { CommitGate } from "./gate.ts";

const clock: Clock = { nowMs: () => 0, wallMs: () => 0, timer: () => () => {} };
const exchange: Exchange = {
  method: "POST",
  path: "/",
  query: new URLSearchParams(),
  headers: {},
  gone: false,
  readBody: () => Promise.resolve({ kind: "gone" }),
  respond() {},
  write: () => true,
  end() {},
  destroy() {},
  onGone() {},
  onDrain() {},
};

function gate(): CommitGate {
  const nothing = (): void => {};
  return new CommitGate({
    exchange,
    clock,
    stalledMs: 1,
    maxHeldBytes: 100,
    heartbeat: new Uint8Array(1),
    onFull: nothing,
    onFree: nothing,
    onStalled: nothing,
    onWrote: nothing,
    guard: (work) => work(),
  });
}

it("is overfull by what the upstream sent before any content, even where a translation passes nothing on", () => {
  const translating = gate();
  for (let frames = 0; frames < 10; frames += 1) translating.add(new Uint8Array(0), 10);
  expect(translating.overfull).toBe(false);
  translating.add(new Uint8Array(0), 1);
  expect(translating.overfull).toBe(true);
});

it("is never overfull after the commit point", () => {
  const committed = gate();
  committed.commit({});
  committed.add(new Uint8Array(1_000), 1_000);
  expect(committed.overfull).toBe(false);
});
