import type { AnswerScript, Behaviour } from "./behaviour.ts";
import type { ReceivedRequest } from "./received-request.ts";
import { tokenEntry, type TokenEntry } from "./token-logprobs.ts";

/** A scripted answer with every gap filled, ready to be said in any dialect. */
export interface SimulatedAnswer {
  readonly id: string;
  readonly createdAtS: number;
  readonly model: string;
  readonly reasoning?: { readonly text: string; readonly seal: "signature" | "redacted" | "none" };
  /** The text's pieces, made when asked for. */
  readonly pieces: () => Iterable<string>;
  /** Of a piece of the text by its place; absent where none are asked for, or none are told. */
  readonly logprobOf?: (piece: string, at: number) => TokenEntry;
  readonly refusal?: string;
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly argumentsJson: string }[];
  /** A finish word of the hub, or a raw word. */
  readonly finish: string;
  readonly stopSequence?: string;
  readonly usage: SimulatedUsage;
}

/** Tokens in disjoint buckets. */
export interface SimulatedUsage {
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly output: number;
  readonly reasoning: number;
}

/** The parts of a behaviour that change how an answer is said, not when. */
export type Wording = Pick<Behaviour, "omitDone" | "omitFinish" | "omitUsage" | "usageInFinish">;

/** Tokens as the simulation counts them: bytes / 4, rounded up. */
export function countTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

/** Splits before each run of white space: joined again, the pieces are the text. */
export function words(text: string): readonly string[] {
  return text.match(/\s*\S+(?:\s+$)?|\s+/g) ?? [];
}

export interface FillContext {
  readonly createdAtS: number;
  readonly idPrefixes: { readonly answer: string; readonly toolCall: string };
  /** Ids of tool calls are nine letters and digits. */
  readonly nineCharacterIds: boolean;
}

export function fillAnswer(script: AnswerScript, request: ReceivedRequest, context: FillContext): SimulatedAnswer {
  const text = script.json === undefined ? (script.text ?? "") : JSON.stringify(script.json);
  const once = script.chunks ?? words(text);
  const repeat = script.repeat ?? 1;
  const refusal = script.refusal;
  const reasoning = typeof script.reasoning === "string" ? { text: script.reasoning } : script.reasoning;
  const number = String(request.sequence).padStart(6, "0");
  const toolCalls = (script.toolCalls ?? []).map((call, index) => ({
    id:
      call.id ?? (context.nineCharacterIds ? nine(number, index) : `${context.idPrefixes.toolCall}${number}_${index}`),
    name: call.name,
    argumentsJson: typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments ?? {}),
  }));
  const said = countTokens(once.join("")) * repeat + countTokens(refusal ?? "");
  const called = toolCalls.reduce((sum, call) => sum + countTokens(call.name + call.argumentsJson), 0);
  return {
    id: `${context.idPrefixes.answer}${number}`,
    createdAtS: context.createdAtS,
    model: request.model,
    pieces: () => repeated(once, repeat),
    ...logprobsOf(script, request),
    toolCalls,
    finish:
      script.finish ?? (toolCalls.length > 0 ? "tools" : script.stopSequence === undefined ? "stop" : "stop-sequence"),
    usage: {
      input: script.usage?.input ?? Math.max(1, countTokens(request.promptText)),
      cacheRead: script.usage?.cacheRead ?? 0,
      cacheWrite: script.usage?.cacheWrite ?? 0,
      output: script.usage?.output ?? said + called,
      reasoning: script.usage?.reasoning ?? countTokens(reasoning?.text ?? ""),
    },
    ...(reasoning === undefined ? {} : { reasoning: { text: reasoning.text, seal: reasoning.seal ?? "signature" } }),
    ...(refusal === undefined ? {} : { refusal }),
    ...(script.stopSequence === undefined ? {} : { stopSequence: script.stopSequence }),
  };
}

function logprobsOf(
  { confidence }: AnswerScript,
  { logprobs: top }: ReceivedRequest,
): Pick<SimulatedAnswer, "logprobOf"> {
  if (top === undefined || confidence === "untold") return {};
  return { logprobOf: (piece, at) => tokenEntry(piece, { at, sureness: confidence, top }) };
}

/** Of all pieces; undefined where none are told. */
export function logprobsOfAll({ pieces, logprobOf }: SimulatedAnswer): readonly TokenEntry[] | undefined {
  return logprobOf === undefined ? undefined : [...pieces()].map((piece, at) => logprobOf(piece, at));
}

function nine(number: string, index: number): string {
  return `s${number.slice(-6)}${String(index).padStart(2, "0").slice(-2)}`;
}

/** Pieces of a tool call's JSON as they stream: cut by characters, never inside one. */
export function jsonPieces(json: string): readonly string[] {
  const characters = Array.from(json);
  const pieces: string[] = [];
  for (let at = 0; at < characters.length; at += 12) pieces.push(characters.slice(at, at + 12).join(""));
  return pieces;
}

function* repeated(pieces: readonly string[], times: number): Generator<string> {
  for (let time = 0; time < times; time += 1) yield* pieces;
}
