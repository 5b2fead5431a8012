import { readFileSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { ConfigPath, Finding } from "./problem.ts";
import { isSecretPath } from "./secret-paths.ts";

export interface ReferenceContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the configuration: `file:` references are relative to its folder. */
  readonly configPath: string;
  /** Told of every value that came from outside the file, and of every secret, with what stands for it in messages. */
  readonly onHidden: (value: string, shownAs: string) => void;
}

export type Resolved =
  | { readonly kind: "resolved"; readonly value: unknown }
  | { readonly kind: "unresolved"; readonly finding: Finding };

export interface WrittenText {
  readonly text: string;
  readonly path: ConfigPath;
  /** It stood without quotes, so a number that comes out of a reference is a number. */
  readonly plain: boolean;
}

const largestSecretFileBytes = 64 * 1024;
const reference = /\$?\$\{([^}\r\n]*)\}/gu;

/**
 * Resolves `${NAME}` and `${NAME:-default}` anywhere in a value (`$${` stands for a literal `${`), and, for secrets
 * only, `file:PATH`. An empty variable counts as one that is not set. Findings name variables and files, never values.
 */
export function resolveReferences(written: WrittenText, context: ReferenceContext): Resolved {
  const { path } = written;
  let finding: Finding | undefined;
  let used = false;
  const text = written.text.replace(reference, (whole, inner: string) => {
    if (whole.startsWith("$$")) return whole.slice(1);
    used = true;
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/u.exec(inner);
    if (match === null) {
      const fix = "write ${NAME} or ${NAME:-default}; $${ stands for a literal ${";
      finding ??= { path, message: `${JSON.stringify(whole)} is not a reference`, fix };
      return "";
    }
    const [, name = "", fallback] = match;
    const value = context.env[name];
    if (value !== undefined && value !== "") {
      context.onHidden(value, `\${${name}}`);
      return value;
    }
    if (fallback !== undefined) return fallback;
    finding ??= missingVariable(name, value, path);
    return "";
  });
  if (finding !== undefined) return { kind: "unresolved", finding };
  if (isSecretPath(path)) {
    context.onHidden(text, "***");
    // Judged by what was written: a variable's value is never taken for a path.
    return written.text.startsWith("file:")
      ? readSecretFile({ ...written, text: text.slice("file:".length) }, written.text, context)
      : { kind: "resolved", value: text };
  }
  return { kind: "resolved", value: used && written.plain ? plainScalar(text) : text };
}

/** Whether a secret is named by what is written, and not written down itself. */
export function isReference(written: string): boolean {
  return written.startsWith("file:") || /(?<!\$)\$\{/u.test(written);
}

function missingVariable(name: string, value: string | undefined, path: ConfigPath): Finding {
  const state = value === undefined ? "not set" : "empty";
  // A default would put the secret into the file.
  const otherwise = isSecretPath(path) ? "name a file that holds it: file:PATH" : `give a default: \${${name}:-…}`;
  return {
    path,
    message: `the environment variable ${name} is ${state}`,
    fix: `set it (export ${name}=…) or ${otherwise}`,
  };
}

function readSecretFile(named: WrittenText, asWritten: string, context: ReferenceContext): Resolved {
  const { path } = named;
  const file = resolve(dirname(context.configPath), named.text);
  const shown = JSON.stringify(asWritten.slice("file:".length));
  const unresolved = (message: string, fix: string): Resolved => ({
    kind: "unresolved",
    finding: { path, message, fix },
  });
  try {
    const found = statSync(file);
    if (!found.isFile()) return unresolved(`${shown} is not a file`, "name a file that holds only the secret");
    if (found.size > largestSecretFileBytes) {
      return unresolved(`${shown} is larger than 64 KiB`, "name a file that holds only the secret");
    }
    const value = readFileSync(file, "utf8").replace(/\r?\n$/u, "");
    if (value !== "") {
      context.onHidden(value, "***");
      return { kind: "resolved", value };
    }
    return unresolved(`${shown} is empty`, "put the secret into it, on one line");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    const why = code === "ENOENT" ? "does not exist" : `cannot be read (${code})`;
    return unresolved(`the secret's file ${shown} ${why}`, `paths are relative to ${basename(context.configPath)}`);
  }
}

/** What YAML's core schema would have made of the text, had it been written instead of the reference. */
function plainScalar(text: string): unknown {
  if (/^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/iu.test(text)) return Number(text);
  if (/^(true|false)$/iu.test(text)) return text.toLowerCase() === "true";
  return text;
}
