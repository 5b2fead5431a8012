import type { DialectId } from "#domain/call";
import type { AnswerScript } from "#simulation/behaviour";
import type { ChatHabits } from "#simulation/voice";
import type { Scenario } from "./intent.ts";
import type { Ending } from "./meaning.ts";

/** A provider of one language, as the matrix puts it behind the gateway. */
export interface MatrixUpstream {
  readonly dialect: DialectId;
  /** For the table. */
  readonly title: string;
  readonly plain: AskedModel;
  /** Where the scenario wants reasoning; the plain one where left out. */
  readonly thinking?: AskedModel;
  /** The path in front of what the language's own path says. */
  readonly basePath: string;
  /** What it says where the scenario's words mean something else to it, or why it never says such a thing. */
  readonly says?: Readonly<Record<string, AnswerScript | string>>;
  /** What it calls an ending that its language does not tell apart. */
  readonly endings: Partial<Readonly<Record<Ending, Ending>>>;
  /** Its language keeps refusal words apart from the text. */
  readonly refusesApart?: true;
}

export interface AskedModel {
  /** The provider's kind: its credentials and the meaning of its failures. */
  readonly kind: string;
  readonly vendor: string;
  readonly model: string;
  /** The catalogue's shelf with what is known of the model. */
  readonly shelf: string;
  readonly habits?: ChatHabits;
}

const openai = { kind: "openai", vendor: "openai", shelf: "openai" } as const;

/** Every language providers speak. */
export const upstreams: readonly MatrixUpstream[] = [
  {
    dialect: "openai-chat",
    title: "OpenAI Chat",
    plain: { ...openai, model: "gpt-4.1" },
    // Whose thoughts can be read, and must come back beside tool calls.
    thinking: {
      kind: "deepseek",
      vendor: "deepseek",
      shelf: "deepseek",
      model: "deepseek-reasoner",
      habits: { reasoningEcho: true },
    },
    basePath: "/v1",
    says: { "hidden reasoning with tools": "Chat has no sealed thoughts" },
    endings: { "stop-sequence": "stop" },
    refusesApart: true,
  },
  {
    dialect: "openai-responses",
    title: "OpenAI Responses",
    plain: { ...openai, model: "gpt-4.1" },
    thinking: { ...openai, model: "gpt-5.1" },
    basePath: "/v1",
    endings: { "stop-sequence": "stop" },
    refusesApart: true,
  },
  {
    dialect: "anthropic-messages",
    title: "Anthropic Messages",
    plain: { kind: "anthropic", vendor: "anthropic", shelf: "anthropic", model: "claude-opus-4-6" },
    basePath: "/v1",
    says: { refusal: { text: "I cannot help with that.", finish: "policy" } },
    endings: {},
  },
  {
    dialect: "gemini",
    title: "Gemini",
    plain: { kind: "gemini", vendor: "google", shelf: "gemini", model: "gemini-3-pro-preview" },
    basePath: "/v1beta",
    endings: { "stop-sequence": "stop" },
  },
  {
    dialect: "bedrock-converse",
    title: "Bedrock Converse",
    plain: { kind: "bedrock", vendor: "anthropic", shelf: "bedrock", model: "anthropic.claude-opus-4-6-v1" },
    basePath: "",
    endings: {},
  },
  {
    dialect: "cohere-chat",
    title: "Cohere Chat",
    plain: { kind: "cohere", vendor: "cohere", shelf: "cohere", model: "command-a-reasoning-08-2025" },
    basePath: "/v2",
    says: {
      filtered: "Cohere has no word for a filtered answer",
      "hidden reasoning with tools": "Cohere has no sealed thoughts",
    },
    endings: {},
  },
];

export function modelFor({ plain, thinking }: MatrixUpstream, { intent }: Scenario): AskedModel {
  return intent.reasoning === "on" ? (thinking ?? plain) : plain;
}
