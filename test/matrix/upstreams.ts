import type { DialectId } from "#domain/call";
import { Secret } from "#domain/secret";
import type { ProviderSpec } from "#domain/snapshot";
import type { AnswerScript, Behaviour } from "#simulation/behaviour";
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
  /** What in a request shows that it got its own thoughts back: their seal, or their words where it seals none. */
  readonly itsThoughts: RegExp;
  /** How it behaves beside what it says. */
  readonly behaves?: Behaviour;
  /** What it says is relayed as it came, although strict clients of its language would stumble over it. */
  readonly isOdd?: true;
  /** What else its addresses and credentials are made of. */
  readonly settings?: Pick<Partial<ProviderSpec>, "credentials" | "project" | "region" | "apiVersion">;
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
    itsThoughts: /"reasoning_content":"First look/,
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
    itsThoughts: /"encrypted_content":"[^"]{20}/,
    basePath: "/v1",
    endings: { "stop-sequence": "stop" },
    refusesApart: true,
  },
  {
    dialect: "anthropic-messages",
    title: "Anthropic Messages",
    plain: { kind: "anthropic", vendor: "anthropic", shelf: "anthropic", model: "claude-opus-4-6" },
    itsThoughts: /"(?:signature|data)":"[^"]{20}/,
    basePath: "/v1",
    says: { refusal: { text: "I cannot help with that.", finish: "policy" } },
    endings: {},
  },
  {
    dialect: "gemini",
    title: "Gemini",
    plain: { kind: "gemini", vendor: "google", shelf: "gemini", model: "gemini-3-pro-preview" },
    itsThoughts: /"thoughtSignature":"[^"]{20}/,
    basePath: "/v1beta",
    endings: { "stop-sequence": "stop" },
  },
  {
    dialect: "bedrock-converse",
    title: "Bedrock Converse",
    plain: { kind: "bedrock", vendor: "anthropic", shelf: "bedrock", model: "anthropic.claude-opus-4-6-v1" },
    itsThoughts: /"(?:signature|redactedContent)":"[^"]{20}/,
    basePath: "",
    endings: {},
  },
  {
    dialect: "cohere-chat",
    title: "Cohere Chat",
    plain: { kind: "cohere", vendor: "cohere", shelf: "cohere", model: "command-a-reasoning-08-2025" },
    itsThoughts: /"thinking":"First look/,
    basePath: "/v2",
    says: {
      filtered: "Cohere has no word for a filtered answer",
      "hidden reasoning with tools": "Cohere has no sealed thoughts",
    },
    endings: {},
  },
];

const [chat, responses, messages, gemini] = upstreams;
const vertex = {
  basePath: "/v1",
  settings: {
    project: "p1",
    region: "europe-west4",
    credentials: [{ id: "up#1", secret: new Secret("ya29.any") }],
  },
} as const;

/** The same languages at hosts that place, sign, frame or spell some of it otherwise. */
export const hosts: readonly MatrixUpstream[] = [
  {
    ...known(messages),
    title: "Claude on Bedrock (InvokeModel)",
    plain: { kind: "bedrock", vendor: "anthropic", shelf: "bedrock", model: "anthropic.claude-opus-4-6-v1" },
    basePath: "",
    settings: {
      region: "eu-central-1",
      credentials: [{ id: "up#1", secret: new Secret("AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY") }],
    },
  },
  {
    ...known(messages),
    ...vertex,
    title: "Claude on Vertex",
    plain: { kind: "vertex", vendor: "anthropic", shelf: "anthropic", model: "claude-opus-4-6" },
  },
  {
    ...known(messages),
    title: "Claude on Foundry",
    plain: { kind: "azure-foundry", vendor: "anthropic", shelf: "anthropic", model: "claude-opus-4-6" },
    basePath: "",
  },
  {
    ...known(gemini),
    ...vertex,
    title: "Gemini on Vertex",
    plain: { kind: "vertex", vendor: "google", shelf: "gemini", model: "gemini-3-pro-preview" },
  },
  {
    ...known(responses),
    title: "Azure OpenAI, Responses",
    plain: { kind: "azure-openai", vendor: "openai", shelf: "openai", model: "gpt-4.1" },
    thinking: { kind: "azure-openai", vendor: "openai", shelf: "openai", model: "gpt-5.1" },
    basePath: "",
  },
  {
    ...known(chat),
    title: "Azure OpenAI, dated Chat",
    plain: { kind: "azure-openai", vendor: "openai", shelf: "openai", model: "gpt-4.1" },
    basePath: "",
    settings: { apiVersion: "2025-04-01-preview" },
    // Its first chunk has no choice, no id and no model.
    isOdd: true,
  },
  {
    ...known(chat),
    title: "Mistral",
    itsThoughts: /"type":"thinking".*First look/,
    plain: {
      kind: "mistral",
      vendor: "mistral",
      shelf: "mistral",
      model: "mistral-large-latest",
      habits: { nineCharacterIds: true, extraForbidden: true },
    },
    thinking: {
      kind: "mistral",
      vendor: "mistral",
      shelf: "mistral",
      model: "mistral-small-latest",
      habits: { nineCharacterIds: true, extraForbidden: true },
    },
    behaves: { usageInFinish: true },
    isOdd: true,
  },
];

function known(upstream: MatrixUpstream | undefined): MatrixUpstream {
  if (upstream === undefined) throw new Error("no such provider");
  return upstream;
}

export function modelFor({ plain, thinking }: MatrixUpstream, { intent }: Scenario): AskedModel {
  return intent.reasoning === "on" ? (thinking ?? plain) : plain;
}
