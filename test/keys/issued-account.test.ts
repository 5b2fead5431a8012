import { expect, it } from "vitest";
import { ingestRecords } from "#control/store/ingest";
import { spentSince } from "#control/store/read-spent";
import { openStore } from "#control/store/sqlite";
import type { GatewayKey } from "#domain/gateway-key";
import { callMeters } from "#policy/meters";
import { attemptRecord, callRecord } from "../world/sample-record.ts";
import { sampleSnapshot } from "../world/sample-snapshot.ts";

const budgets = [{ limitNanoUsd: 1e9, period: "total" as const, alertsAt: [] }];
const eachUser = { budgets };
const key = (id?: string): GatewayKey => ({
  name: "app",
  sha256: "0",
  allowance: { budgets },
  ...(id === undefined ? {} : { id }),
});

/** The accounts of money that a call with the key is held to. */
function accountsOf(of: GatewayKey | undefined): readonly `${string}:${string}`[] {
  const call = { route: "main", user: "ann", ...(of === undefined ? {} : { key: of }) };
  const meters = callMeters(call, sampleSnapshot([], [], { eachUser }));
  return meters.map(({ account }) => account);
}

it("what was spent with a key is counted for the account that it is held to, and for no other of its name", () => {
  const opened = openStore(":memory:");
  if (opened.kind === "refused") throw new Error(opened.message);
  const { store } = opened;
  const kinds = [undefined, "key_1", "key_2"];
  const records = kinds.map((keyId, at) => ({
    ...callRecord(`req_${at}`, {
      user: "ann",
      costNanoUsd: 10 ** (at + 1),
      attempts: [attemptRecord({ costNanoUsd: 10 ** (at + 1) })],
    }),
    ...(keyId === undefined ? {} : { keyId }),
  }));
  ingestRecords(store, { file: "w1-000001.jsonl", fromOffset: 0, toOffset: 1, chainHash: "h" }, records);
  for (const [at, id] of kinds.entries()) {
    const accounts = accountsOf(key(id));
    expect(accounts).toHaveLength(2);
    for (const account of accounts) {
      expect([account, spentSince(store, account as never, 0)]).toEqual([account, 10 ** (at + 1)]);
    }
  }
  expect(accountsOf(undefined)).toEqual(["user:anonymous/ann"]);
  store.close();
});
