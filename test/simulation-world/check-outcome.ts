import type { CallRecord } from "#domain/record";
import { nameOf, type CallTrack } from "./call-track.ts";
import { Broken, type InvariantId } from "./invariant.ts";
import { piecesIn, readStream, readWhole, type AnswerSeen, type Piece } from "./read-answer.ts";

/** How a call looks to its caller once it is over. */
export type Ending = "complete" | "told" | "refused" | "left" | "dropped";

/** Holds what a client has in hand against what the providers said and what the record says. */
export function checkOutcome(call: CallTrack, steady: ReadonlySet<string>): Ending {
  const { client } = call;
  const must = (invariant: InvariantId, holds: boolean, detail: () => string): void => {
    if (!holds) throw new Broken(invariant, `${nameOf(call)}: ${detail()}`);
  };
  must("I1", client.ended || client.destroyed || client.gone, () => "served, and its client still waits");
  must("I6", call.records.length === 1, () => `${call.records.length} records`);
  const [record] = call.records as [CallRecord];
  checkAttempts(call, record, must);
  if (client.status !== 200 || !client.ended) {
    if (client.gone) return "left";
    if (client.destroyed) {
      must("ending", record.decision === "aborted", () => `cut off, and its record says ${record.decision}`);
      return "dropped";
    }
    checkRefusal(call, record, { steady, must });
    return "refused";
  }
  const seen = client.plan.streamed ? readStream(client.text) : readWhole(client.text);
  must("ending", seen.complete !== seen.told, () => `complete: ${seen.complete}, error: ${seen.told}`);
  checkPieces(call, seen, must);
  if (seen.complete) must("I14", call.durable === true, () => "complete without a durable record");
  // A record that could not be kept says what would have been.
  if (call.durable === true) {
    const answered = record.decision === "answered" || record.decision === "recovered";
    must("truth", answered === seen.complete, () => `complete: ${seen.complete}, its record says ${record.decision}`);
    must("truth", record.status === 200, () => `200, its record says ${record.status}`);
  }
  return seen.complete ? "complete" : "told";
}

type Must = (invariant: InvariantId, holds: boolean, detail: () => string) => void;

function checkAttempts(call: CallTrack, record: CallRecord, must: Must): void {
  // Of two at once either may end first.
  const inOrder = (targets: readonly string[]): string => targets.toSorted().join(" ");
  const sent = inOrder(call.upstreams.map(({ provider, model }) => `${provider}/${model}`));
  const told = inOrder(record.attempts.map(({ target }) => target));
  must("truth", sent === told, () => `asked ${sent}; its record says ${told}`);
  const { version } = call.snapshot;
  must("truth", record.snapshot === version, () => `came under ${version}; its record says ${record.snapshot}`);
  must(
    "truth",
    Number(call.client.fields["x-hedgerow-attempts"] ?? call.upstreams.length) <= call.upstreams.length,
    () => {
      return `${call.upstreams.length} attempts, its headers say ${String(call.client.fields["x-hedgerow-attempts"])}`;
    },
  );
}

function checkRefusal(
  call: CallTrack,
  record: CallRecord,
  { steady, must }: { readonly steady: ReadonlySet<string>; readonly must: Must },
): void {
  const { client, upstreams, snapshot } = call;
  const seen = readWhole(client.text);
  must("ending", seen.told, () => `status ${client.status} without an error`);
  if (call.durable === true) {
    must("truth", record.status === client.status, () => `${client.status}, its record says ${record.status}`);
  }
  must("caller", client.status === 429 || client.status >= 500, () => `${client.status} ${client.text.slice(0, 300)}`);
  if (upstreams.length > 0 || !call.doorOpen) return;
  const targets = snapshot.routes.get(client.plan.model)?.targets ?? [];
  const idle = targets.find(({ provider }) => steady.has(provider));
  must("door", idle === undefined, () => `${client.status} ${record.code}, and ${idle?.provider} never failed`);
}

/** One target's, in order, from the first on, and all of them where the answer says it is whole. */
function checkPieces(call: CallTrack, { text, complete }: AnswerSeen, must: Must): void {
  const pieces = piecesIn(text);
  const [first] = pieces;
  if (first === undefined) {
    const isEmpty = !complete || call.upstreams.some(({ mode }) => mode === "empty");
    must("I3", isEmpty, () => "complete and without a word, which no provider said");
    return;
  }
  const from = call.upstreams.find(({ serial }) => serial === first.serial);
  must("I3", from !== undefined, () => `pieces of request ${first.serial}, which was not for it`);
  for (const [at, piece] of pieces.entries()) {
    must("I3", piece.serial === first.serial, () => `pieces of ${first.serial} and of ${piece.serial}`);
    must("I3", piece.at === at, () => `piece ${piece.at} where ${at} was due`);
  }
  if (!complete) return;
  must("I3", pieces.length === first.of, () => `complete with ${pieces.length} of ${first.of} pieces`);
  const provider = call.client.fields["x-hedgerow-provider"];
  must("truth", provider === from?.provider, () => `from ${from?.provider}, its headers say ${String(provider)}`);
  checkUsage(call, first, must);
}

function checkUsage(call: CallTrack, { of }: Piece, must: Must): void {
  const usage = call.records[0]?.usage;
  const { output, estimated } = usage ?? { output: undefined, estimated: false };
  // Who has the finish at the deadline, and not yet what is said behind it, has an answer whose usage is estimated.
  const { arrivedAtMs, servedAtMs = Infinity, snapshot, client } = call;
  const totalMs = snapshot.routes.get(client.plan.model)?.timeouts.totalMs ?? Infinity;
  if (estimated && servedAtMs - arrivedAtMs >= totalMs) return;
  must("truth", output === 3 * of && !estimated, () => `${3 * of} tokens, its record says ${output}`);
}
