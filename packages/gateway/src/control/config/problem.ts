/** Where in the document: keys and indexes from the top. */
export type ConfigPath = readonly (string | number)[];

/** One thing wrong with a configuration (or, as a lint, worth knowing). Never holds a secret's value. */
export interface ConfigProblem {
  /** As the user named it; `environment` where no file is involved. */
  readonly file: string;
  /** From 1; absent where the configuration has no text. */
  readonly line?: number;
  readonly column?: number;
  /** `routes.default.targets[0]`; empty for the document itself. */
  readonly path: string;
  readonly message: string;
  /** What to write instead, in words. */
  readonly fix?: string;
}

/** A problem before it is known where its path stands in the file. */
export interface Finding {
  readonly path: ConfigPath;
  readonly message: string;
  readonly fix?: string;
}

export interface WrittenScalar {
  readonly text: string;
  /** A text, not a number, `true`, `false` or `null`. */
  readonly isText: boolean;
}

/** Finds the line and column of a path, or of its nearest ancestor that was written down. */
export interface Places {
  readonly file: string;
  at(path: ConfigPath): { readonly line: number; readonly column: number } | undefined;
  /** A scalar as written, references unresolved; undefined for what may be a secret. */
  written(path: ConfigPath): WrittenScalar | undefined;
  /** The text without the values of secrets and of environment variables: a key in the wrong place stays hidden. */
  redacted(text: string): string;
}

/** For documents that were made, not read. */
export function noPlaces(file: string): Places {
  return { file, at: () => undefined, written: () => undefined, redacted: (text) => text };
}

export function located(finding: Finding, places: Places): ConfigProblem {
  return {
    file: places.file,
    ...places.at(finding.path),
    path: places.redacted(renderPath(finding.path)),
    message: places.redacted(finding.message),
    ...(finding.fix === undefined ? {} : { fix: places.redacted(finding.fix) }),
  };
}

/** `hedgerow.yaml:12:5 routes.default.targets[0]: no provider "opnai"; did you mean "openai"?` */
export function renderProblem(problem: ConfigProblem): string {
  const place = problem.line === undefined ? problem.file : `${problem.file}:${problem.line}:${problem.column ?? 1}`;
  const path = problem.path === "" ? "" : ` ${problem.path}`;
  const fix = problem.fix === undefined ? "" : `; ${problem.fix}`;
  return `${place}${path}: ${problem.message}${fix}`;
}

/** By place in the file, so that they read from top to bottom. */
export function inFileOrder(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  return problems.toSorted(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0) || a.path.localeCompare(b.path),
  );
}

export function renderPath(path: ConfigPath): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (/^[A-Za-z_][\w-]*$/u.test(part)) text += text === "" ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

/** Whether one path is the other or stands above it. */
export function covers(above: ConfigPath, below: ConfigPath): boolean {
  return above.length <= below.length && above.every((part, index) => part === below[index]);
}
