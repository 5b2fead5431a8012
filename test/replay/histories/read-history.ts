import type { DialectId } from "#domain/call";
import { objectOf, objectsOf, textOf, type JsonView } from "../json-view.ts";
import { joinedCalls } from "../languages/gemini-partial-calls.ts";
import { parsedArguments } from "../meaning.ts";

/** What of earlier answers stands in a conversation, as the provider of its language reads it. */
export interface History {
  /** `seal`: opaque state that hangs on the call; empty where there is none. */
  readonly calls: readonly {
    readonly id: string;
    readonly name: string;
    readonly arguments: unknown;
    readonly seal: string;
  }[];
  /** The calls that results are for: by id, or by name where a call has none. */
  readonly answered: readonly string[];
  /** The answer begins with a thought, where its vendor refuses a turn that does not (Anthropic). */
  readonly beginsThinking: boolean;
  /** Sealed thoughts with what of them can be read. */
  readonly thoughts: readonly { readonly text: string; readonly seal: string }[];
}

/** `turns`: messages, items or contents, whichever the language has. */
export function readHistory(dialect: DialectId, turns: readonly JsonView[]): History {
  switch (dialect) {
    case "openai-responses":
      return responsesHistory(turns);
    case "anthropic-messages":
      return messagesHistory(turns);
    case "gemini":
      return geminiHistory(turns.flatMap(({ parts }) => objectsOf(parts)));
    case "bedrock-converse":
      return converseHistory(turns);
    default:
      return chatHistory(turns);
  }
}

export function turnsOf(body: JsonView): readonly JsonView[] {
  return objectsOf(body["messages"] ?? body["contents"] ?? body["input"]);
}

function chatHistory(messages: readonly JsonView[]): History {
  const calls = messages.flatMap((message) => objectsOf(message["tool_calls"]));
  const details = messages.flatMap((message) => objectsOf(message["reasoning_details"]));
  return {
    calls: calls.map((call) => {
      const { name, arguments: json } = objectOf(call["function"]);
      const extra = Object.values(objectOf(call["extra_content"])).map((each) =>
        textOf(objectOf(each)["thought_signature"]),
      );
      return {
        id: textOf(call["id"]),
        name: textOf(name),
        arguments: parsedArguments(textOf(json)),
        seal: extra.join(""),
      };
    }),
    answered: messages.flatMap(({ role, tool_call_id: id }) => (role === "tool" ? [textOf(id)] : [])),
    beginsThinking: false,
    thoughts: sealed(
      details.map(({ text, summary, signature, data }) => ({
        text: textOf(text ?? summary),
        seal: textOf(signature ?? data),
      })),
    ),
  };
}

function responsesHistory(items: readonly JsonView[]): History {
  const calls = items.filter(({ type }) => type === "function_call");
  const thoughts = items.filter(({ type }) => type === "reasoning");
  return {
    calls: calls.map(({ call_id: id, name, arguments: json }) => ({
      id: textOf(id),
      name: textOf(name),
      arguments: parsedArguments(textOf(json)),
      seal: "",
    })),
    answered: items.flatMap(({ type, call_id: id }) => (type === "function_call_output" ? [textOf(id)] : [])),
    beginsThinking: false,
    // A thought is known by its id: what seals it is written anew each time it is shown.
    thoughts: thoughts
      .filter(({ encrypted_content: seal }) => typeof seal === "string")
      .map(({ id, summary, content }) => ({
        text: [...objectsOf(summary), ...objectsOf(content)].map((part) => textOf(part["text"])).join("\n\n"),
        seal: textOf(id),
      })),
  };
}

/** The first block of the first answer. */
function beginningOf(turns: readonly JsonView[]): JsonView {
  return objectsOf(turns.find(({ role }) => role === "assistant")?.["content"])[0] ?? {};
}

function messagesHistory(turns: readonly JsonView[]): History {
  const blocks = turns.flatMap(({ content }) => objectsOf(content));
  const calls = blocks.filter(({ type }) => type === "tool_use");
  return {
    calls: calls.map(({ id, name, input }) => ({ id: textOf(id), name: textOf(name), arguments: input, seal: "" })),
    answered: blocks.flatMap(({ type, tool_use_id: id }) => (type === "tool_result" ? [textOf(id)] : [])),
    beginsThinking: ["thinking", "redacted_thinking"].includes(textOf(beginningOf(turns)["type"])),
    thoughts: sealed(
      blocks
        .filter(({ type }) => type === "thinking" || type === "redacted_thinking")
        .map(({ thinking, signature, data }) => ({ text: textOf(thinking), seal: textOf(signature ?? data) })),
    ),
  };
}

function geminiHistory(parts: readonly JsonView[]): History {
  const results = parts.flatMap(({ functionResponse }) =>
    functionResponse === undefined ? [] : [objectOf(functionResponse)],
  );
  const signed = parts.filter(({ functionCall }) => textOf(objectOf(functionCall)["name"]) !== "");
  return {
    calls: joinedCalls(parts).map(({ id, name, arguments: args }, at) => {
      const seal = textOf(signed[at]?.["thoughtSignature"]);
      // What says that nothing is signed seals nothing.
      return { id, name, arguments: args, seal: seal === "skip_thought_signature_validator" ? "" : seal };
    }),
    answered: results.map(({ id, name }) => textOf(id ?? name)),
    beginsThinking: false,
    thoughts: [],
  };
}

function converseHistory(turns: readonly JsonView[]): History {
  const blocks = turns.flatMap(({ content }) => objectsOf(content));
  const calls = blocks.flatMap(({ toolUse }) => (toolUse === undefined ? [] : [objectOf(toolUse)]));
  const results = blocks.flatMap(({ toolResult }) => (toolResult === undefined ? [] : [objectOf(toolResult)]));
  const thoughts = blocks.flatMap(({ reasoningContent }) =>
    reasoningContent === undefined ? [] : [objectOf(reasoningContent)],
  );
  return {
    calls: calls.map(({ toolUseId: id, name, input }) => ({
      id: textOf(id),
      name: textOf(name),
      arguments: input,
      seal: "",
    })),
    answered: results.map(({ toolUseId: id }) => textOf(id)),
    beginsThinking: beginningOf(turns)["reasoningContent"] !== undefined,
    thoughts: sealed(
      thoughts.map(({ reasoningText, redactedContent }) => {
        const { text, signature } = objectOf(reasoningText);
        // Amazon's client holds bytes as bytes.
        const blob =
          redactedContent instanceof Uint8Array ? Buffer.from(redactedContent).toString("base64") : redactedContent;
        return { text: textOf(text), seal: textOf(signature ?? blob) };
      }),
    ),
  };
}

function sealed(thoughts: History["thoughts"]): History["thoughts"] {
  return thoughts.filter(({ seal }) => seal !== "");
}
