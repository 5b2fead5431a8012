import { isUtf8 } from "node:buffer";
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { explainIssues } from "./explain.ts";
import { covers, inFileOrder, located, noPlaces } from "./problem.ts";
import type { ConfigPath, ConfigProblem, Finding, Places } from "./problem.ts";
import { isReference, resolveReferences } from "./references.ts";
import { documentSchema } from "./schema.ts";
import type { ConfigDocument } from "./schema.ts";
import { isPlainAddress, isSecretPath } from "./secret-paths.ts";
import { readYaml } from "./yaml-source.ts";

export interface LoadOptions {
  /** As the user named it; relative to `cwd`. */
  readonly path: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface LoadedDocument {
  readonly kind: "loaded";
  readonly document: ConfigDocument;
  readonly places: Places;
  /** References that could not be resolved: nothing may be served, names can be checked nevertheless. */
  readonly problems: readonly ConfigProblem[];
  /** Paths of keys that stand in the file as they are. */
  readonly plainSecrets: readonly ConfigPath[];
  /** Date of the file, `2026-11-03`: the date of the prices it states. */
  readonly date: string;
}

export type Loaded = LoadedDocument | { readonly kind: "refused"; readonly problems: readonly ConfigProblem[] };

/** Ten thousand keys and a thousand routes are a tenth of it. */
const largestFileBytes = 16 * 1024 * 1024;

/**
 * Reads `hedgerow.yaml` up to the point where its shape is right. Several problems come at once. A document that is
 * `loaded` may still have problems: unresolved references, beside which names can nevertheless be checked.
 */
export function loadDocument(options: LoadOptions): Loaded {
  const absolute = resolve(options.cwd, options.path);
  const file = options.path;
  const read = readText(absolute, file);
  if (read.kind === "refused") return read;
  const findings: Finding[] = [];
  const plainSecrets: ConfigPath[] = [];
  const hidden = new Map<string, string>();
  const source = readYaml(read.text, file, (written, at) => {
    const resolved = resolveReferences(
      { text: written, ...at },
      { env: options.env, configPath: absolute, onHidden: (value, shownAs) => hidden.set(value, shownAs) },
    );
    const isHarmless = at.path[2] === "headers" || isPlainAddress(at.path, written);
    if (isSecretPath(at.path) && !isHarmless && !isReference(written)) plainSecrets.push(at.path);
    if (resolved.kind === "resolved") return resolved.value;
    findings.push(resolved.finding);
    return placeholder;
  });
  const places = { ...source.places, redacted: redaction(hidden) };
  const problems = [...source.problems, ...findings.map((finding) => located(finding, places))];
  if (source.value === undefined && problems.length > 0) return { kind: "refused", problems: inFileOrder(problems) };
  const checked = checkShape(source.value, places);
  if (checked.kind === "shaped") {
    return { kind: "loaded", document: checked.document, places, problems, plainSecrets, date: read.date };
  }
  const isNew = ({ path }: Finding) => !findings.some((unresolved) => covers(unresolved.path, path));
  const more = checked.findings.filter(isNew).map((finding) => located(finding, places));
  return { kind: "refused", problems: inFileOrder([...problems, ...more]) };
}

/** Vendors mark their keys: one that stands where no secret belongs is recognised by that. */
const looksLikeKey = /\b(?:(?:sk|xai|gsk|hf|nvapi|pplx|csk|fw|tgp|r8)[-_]|AIza)[\w-]{16,}/gu;

/** Shorter values are ordinary words, and hiding them would garble messages. */
const shortestHidden = 8;

function redaction(hidden: ReadonlyMap<string, string>): (text: string) => string {
  const longestFirst = [...hidden].toSorted(([a], [b]) => b.length - a.length);
  const worthHiding = longestFirst.filter(([value]) => value.length >= shortestHidden);
  return (text) => {
    let shown = text;
    for (const [value, shownAs] of worthHiding) shown = shown.replaceAll(value, () => shownAs);
    return shown.replace(looksLikeKey, "***");
  };
}

/** Stands for a value that could not be resolved; long enough to pass for a key. Nothing runs on it. */
const placeholder = "unresolved-reference-placeholder";

type Shape =
  | { readonly kind: "shaped"; readonly document: ConfigDocument }
  | { readonly kind: "misshapen"; readonly findings: readonly Finding[] };

/** Checks the shape of plain data, from a file or made in memory. */
function checkShape(value: unknown, places: Places): Shape {
  if (value === null || value === undefined) {
    const fix = "run `hedgerow init`, or see docs/configuration.md";
    return { kind: "misshapen", findings: [{ path: [], message: "the configuration is empty", fix }] };
  }
  const result = documentSchema.safeParse(value);
  if (result.success) return { kind: "shaped", document: result.data };
  return { kind: "misshapen", findings: explainIssues(result.error.issues, places) };
}

type ReadText =
  | { readonly kind: "text"; readonly text: string; readonly date: string }
  | { readonly kind: "refused"; readonly problems: readonly ConfigProblem[] };

function readText(absolute: string, file: string): ReadText {
  const refused = (message: string, fix: string): ReadText => ({
    kind: "refused",
    problems: [located({ path: [], message, fix }, noPlaces(file))],
  });
  try {
    const found = statSync(absolute);
    if (!found.isFile()) return refused("is not a file", "name a YAML file with -c FILE");
    if (found.size > largestFileBytes)
      return refused(
        "is larger than 16 MiB",
        "issue keys with `hedgerow keys create` instead of writing them all down",
      );
    const bytes = readFileSync(absolute);
    if (!isUtf8(bytes) || bytes.includes(0))
      return refused("is not UTF-8 text", "save it as UTF-8, or name another file");
    const text = bytes.toString("utf8").replace(/^\uFEFF/u, "");
    return { kind: "text", text, date: found.mtime.toISOString().slice(0, 10) };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    if (code === "ENOENT")
      return refused("there is no such file", "name it with -c FILE, or write one with `hedgerow init`");
    return refused(`cannot be read (${code})`, "check its permissions");
  }
}
