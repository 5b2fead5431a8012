import type { CallAddress, ClientDialectId, DialectId } from "#domain/call";
import type { JsonView } from "../json-view.ts";
import type { Ending, Said } from "../said.ts";

/** A language as a second, plain reading of it understands answers; shares no code with the gateway's own. */
export interface ReplayLanguage {
  readonly dialect: DialectId;
  /** Whose models answer in it here: the vendor whose seals it carries bare. */
  readonly issuer: string;
  readStream(bytes: Buffer): Said;
  readWhole(bytes: Buffer): Said;
}

/** What the official SDK keeps of an answer; it knows not every field. */
export type Kept = Partial<Said>;

/** A language that clients speak too. */
export interface ClientLanguage extends ReplayLanguage {
  readonly dialect: ClientDialectId;
  /** The shortest request, asking for usage where that has to be asked for. */
  ask(streamed: boolean): { readonly body: JsonView; readonly address?: CallAddress };
  /** What in an answer of the gateway a strict client could stumble over, in words. */
  streamFaults(bytes: Buffer): readonly string[];
  wholeFaults(bytes: Buffer): readonly string[];
  /** What the official SDK's own accumulator makes of a stream, and of a whole answer. Rejects where the SDK does. */
  accumulate(bytes: Buffer): Promise<Kept>;
  receive(bytes: Buffer): Promise<Kept>;
  /** What only a whole answer's stream has. */
  readonly completion: RegExp;
  /** Endings it does not tell apart, and what its reader finds in their place. */
  readonly endings: Partial<Readonly<Record<Ending, Ending>>>;
  /** It says which stop sequence was met. */
  readonly namesStopSequence: boolean;
  /** It keeps words of refusal apart. */
  readonly refusesApart: boolean;
  /** It has to report usage, zeros where none is known. */
  readonly alwaysCounts: boolean;
}

/** What a client of this language must find in an answer that says this in another. */
export function heardBy(client: ClientLanguage, said: Said): Said {
  const joined = client.refusesApart ? said : { ...said, text: said.text + said.refusal, refusal: "" };
  const ending = endingFor(client, said);
  return {
    ...joined,
    ending,
    stopSequence: ending === "stop-sequence" ? said.stopSequence : undefined,
    usage: said.usage ?? (client.alwaysCounts ? { prompt: 0, cacheRead: 0, completion: 0 } : undefined),
  };
}

function endingFor(client: ClientLanguage, said: Said): Ending {
  // Calls that stand in an answer are to be run, whatever it says beside: only callers of the own language can ask for
  // tools that the provider runs itself.
  if (said.ending === "stop" && said.tools.length > 0) return "tools";
  if (said.ending === "stop" && said.refusal !== "" && !client.refusesApart) return "policy";
  if (said.ending === "stop-sequence" && said.stopSequence !== undefined && client.namesStopSequence)
    return "stop-sequence";
  return client.endings[said.ending] ?? said.ending;
}
