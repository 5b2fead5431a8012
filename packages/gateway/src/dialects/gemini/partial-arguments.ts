import { isObject, type JsonObject } from "#dialects/shape";

/** Characters of one call's strings beyond this are refused: arguments are a few kilobytes. */
const maxCharacters = 8 * 1024 * 1024;
const maxSteps = 64;
const maxIndex = 100_000;

type Container = Record<string, unknown> | unknown[];

/**
 * Arguments that come piece by piece (`streamFunctionCallArguments`): each piece says where in the object it belongs,
 * and a string may come in several pieces (recorded on Vertex, December 2025 to May 2026).
 */
export class PartialArguments {
  readonly #root: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  #characters = 0;
  /** The path of a string that goes on with the next piece. */
  #open: string | undefined;

  /** False where a piece fits nowhere. */
  add(pieces: unknown): boolean {
    if (pieces === undefined) return true;
    return Array.isArray(pieces) && pieces.every((piece: unknown) => isObject(piece) && this.#addPiece(piece));
  }

  /** The object so far, as JSON. */
  json(): string {
    return JSON.stringify(this.#root);
  }

  #addPiece(piece: JsonObject): boolean {
    const { jsonPath, stringValue } = piece;
    const steps = typeof jsonPath === "string" ? stepsOf(jsonPath) : undefined;
    if (typeof jsonPath !== "string" || steps === undefined) return false;
    const goesOn = this.#open === jsonPath;
    this.#open = piece["willContinue"] === true ? jsonPath : undefined;
    const value = valueOf(piece);
    // A piece without a value only says that something begins or goes on here.
    if (value === undefined) return true;
    if (typeof stringValue === "string") this.#characters += stringValue.length;
    return this.#characters <= maxCharacters && this.#put(steps, value, goesOn);
  }

  #put(steps: readonly (string | number)[], value: unknown, goesOn: boolean): boolean {
    let holder: Container = this.#root;
    for (const [index, step] of steps.entries()) {
      if (Array.isArray(holder) !== (typeof step === "number")) return false;
      const next = steps[index + 1];
      const there = valueAt(holder, step);
      if (next === undefined) {
        setAt(holder, step, goesOn && typeof there === "string" && typeof value === "string" ? there + value : value);
        return true;
      }
      const below: unknown = there ?? (typeof next === "number" ? [] : Object.create(null));
      if (typeof below !== "object" || below === null) return false;
      setAt(holder, step, below);
      holder = below as Container;
    }
    return false;
  }
}

function valueOf(piece: JsonObject): unknown {
  if (piece["nullValue"] !== undefined) return null;
  return piece["stringValue"] ?? piece["numberValue"] ?? piece["boolValue"];
}

/** `$.recipe.steps[0]`, `$['a key']`; undefined for other paths. */
function stepsOf(path: string): readonly (string | number)[] | undefined {
  if (!path.startsWith("$")) return undefined;
  const steps: (string | number)[] = [];
  const step = /\.([^.[\]]+)|\[(\d{1,6})\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/uy;
  step.lastIndex = 1;
  while (step.lastIndex < path.length) {
    const found = step.exec(path);
    if (found === null || steps.length === maxSteps) return undefined;
    const name = found[1] ?? (found[3] ?? found[4])?.replaceAll(/\\(.)/gu, "$1");
    const index = Number(found[2]);
    if (name === undefined && index > maxIndex) return undefined;
    steps.push(name ?? index);
  }
  return steps.length === 0 ? undefined : steps;
}

function valueAt(holder: Container, step: string | number): unknown {
  return Array.isArray(holder) ? holder[step as number] : holder[String(step)];
}

function setAt(holder: Container, step: string | number, value: unknown): void {
  if (Array.isArray(holder)) holder[step as number] = value;
  else holder[String(step)] = value;
}
