import type { AnswerFrame } from "#dialects/dialect";
import { upstreamDialects } from "#dialects/registry";
import type { AnswerEvent } from "#domain/answer";
import type { Lane } from "#pipeline/lane";
import { clients, languages } from "./languages/index.ts";
import type { ClientLanguage } from "./languages/replay-language.ts";
import { decoding, openLane } from "./open-lane.ts";
import type { AnyRecording } from "./every-recording.ts";

/** One client's bytes of an upstream's answer. */
export interface Heard {
  readonly title: string;
  readonly client: ClientLanguage;
  readonly isRelay: boolean;
  readonly bytes: Buffer;
}

export interface Played {
  readonly heard: readonly Heard[];
  readonly events: readonly AnswerEvent[];
}

interface ClientLane {
  readonly title: string;
  readonly client: ClientLanguage;
  readonly lane: Lane;
}

function lanesTo({ dialect }: Pick<AnyRecording, "dialect">, streamed: boolean): readonly ClientLane[] {
  return clients.map(([title, client]) => {
    const { issuer } = languages[dialect];
    const lane = openLane({ caller: client.dialect, upstream: dialect, issuer, streamed, ...client.ask(streamed) });
    return { title, client, lane };
  });
}

/** An upstream's stream, given in these pieces, through the lanes of all clients at once. */
export function playStream(recording: Pick<AnyRecording, "dialect">, pieces: Iterable<Uint8Array>): Played {
  const lanes = lanesTo(recording, true).map((to) => ({ to, written: [] as Uint8Array[] }));
  const events: AnswerEvent[] = [];
  const onFrame = (frame: AnswerFrame): void => {
    events.push(...frame.events);
    // What fails is said in words that no lane writes.
    if (frame.events.some(({ kind }) => kind === "failed")) return;
    // A frame is valid only until the call returns.
    for (const { to, written } of lanes) written.push(Buffer.from(to.lane.renderFrame(frame)));
  };
  const decoder = upstreamDialects[recording.dialect].streamDecoder(decoding, onFrame);
  for (const piece of pieces) decoder.push(piece);
  decoder.end();
  const heard = lanes.map(({ to, written }) => ({
    title: to.title,
    client: to.client,
    isRelay: to.lane.kind === "relay",
    bytes: Buffer.concat(written),
  }));
  return { heard, events };
}

/** Events as whole answers, and where `body` is given its relay too. Empty bytes where a lane writes nothing. */
export function playWhole(
  recording: Pick<AnyRecording, "dialect">,
  events: readonly AnswerEvent[],
  body?: Buffer,
): readonly Heard[] {
  return lanesTo(recording, false).flatMap(({ title, client, lane }) => {
    const isRelay = lane.kind === "relay";
    if (isRelay && body === undefined) return [];
    const written = lane.renderAnswer(body ?? Buffer.alloc(0), events);
    return [{ title, client, isRelay, bytes: Buffer.from(written ?? []) }];
  });
}
