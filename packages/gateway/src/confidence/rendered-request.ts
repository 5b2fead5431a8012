import type { GenerateRequest, Part, Turn } from "#domain/request";

/** A turn as a check outside reads it. */
export interface RenderedTurn {
  readonly role: Turn["role"];
  /** A string where there is text alone. */
  readonly content: string | readonly RenderedPart[];
}

export interface RenderedPart {
  readonly type: "text" | "tool_call" | "tool_result" | "image" | "document" | "audio" | "video" | "other";
  readonly text?: string;
  readonly id?: string;
  readonly name?: string;
  readonly arguments?: string;
  readonly failed?: boolean;
}

/**
 * A conversation in the plainest form: texts, calls and results. Images, recordings and files are named and not sent, and
 * thoughts of earlier turns are left out, which are for their vendor.
 */
export function renderedTurns({ turns }: Pick<GenerateRequest, "turns">): readonly RenderedTurn[] {
  return turns.map(({ role, parts }) => {
    const rendered = parts.flatMap((part) => renderedPart(part));
    const isText = rendered.every(({ type }) => type === "text");
    return { role, content: isText ? rendered.map(({ text }) => text).join("\n") : rendered };
  });
}

function renderedPart(part: Part): readonly RenderedPart[] {
  switch (part.kind) {
    case "text":
    case "refusal":
      return [{ type: "text", text: part.text }];
    case "tool-call":
      return [{ type: "tool_call", id: part.id, name: part.name, arguments: part.argumentsJson }];
    case "tool-result": {
      const text = part.parts.flatMap((each) => (each.kind === "text" ? [each.text] : [`[${each.kind}]`])).join("\n");
      return [{ type: "tool_result", id: part.callId, text, failed: part.failed }];
    }
    case "document":
      return part.source.kind === "text" ? [{ type: "text", text: part.source.text }] : [{ type: "document" }];
    case "image":
    case "audio":
    case "video":
      return [{ type: part.kind }];
    case "foreign":
      return [{ type: "other", name: part.what }];
    case "reasoning":
      return [];
  }
}
