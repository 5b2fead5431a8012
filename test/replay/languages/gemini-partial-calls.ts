import { objectOf, objectsOf, textOf, type JsonView } from "../json-view.ts";
import type { Said } from "../said.ts";

/** The calls of an answer, whole ones and those whose arguments came piece by piece (`streamFunctionCallArguments`). */
export function joinedCalls(parts: readonly JsonView[]): Said["tools"] {
  const calls: { readonly id: string; readonly name: string; readonly arguments: Record<string, unknown> }[] = [];
  for (const part of parts) {
    if (part["functionCall"] === undefined) continue;
    const call = objectOf(part["functionCall"]);
    if (textOf(call["name"]) !== "") {
      calls.push({ id: textOf(call["id"]), name: textOf(call["name"]), arguments: { ...objectOf(call["args"]) } });
    }
    const last = calls.at(-1);
    if (last !== undefined) for (const piece of objectsOf(call["partialArgs"])) addPiece(last.arguments, piece);
  }
  return calls;
}

type Steps = readonly [string | number, ...(string | number)[]];

function addPiece(root: Record<string, unknown>, piece: JsonView): void {
  const value = piece["stringValue"] ?? piece["numberValue"] ?? piece["boolValue"];
  const steps = Array.from(
    textOf(piece["jsonPath"]).matchAll(/\.([^.[]+)|\[(\d+)\]/gu),
    ([, name, index]) => name ?? Number(index),
  );
  const [first, ...rest] = steps;
  if (first === undefined || (value === undefined && piece["nullValue"] === undefined)) return;
  put(root, [first, ...rest], value ?? null);
}

function put(holder: Record<string | number, unknown>, [step, next, ...rest]: Steps, value: unknown): void {
  if (next === undefined) {
    const there = holder[step];
    holder[step] = typeof there === "string" && typeof value === "string" ? there + value : value;
    return;
  }
  holder[step] ??= typeof next === "number" ? [] : {};
  put(holder[step] as Record<string | number, unknown>, [next, ...rest], value);
}
