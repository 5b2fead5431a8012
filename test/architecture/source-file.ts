import { messageFiles } from "./house.ts";
import { mask } from "./mask.ts";

/** A file of `packages/gateway/src`, its path relative to that folder with `/`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** Undefined where it is computed at run time. */
  readonly specifier: string | undefined;
  readonly line: number;
}

/** A file with what the rules look at, found once. */
export interface ReadFile extends SourceFile {
  /** The text as `mask` leaves it. */
  readonly code: string;
  /** The room's name in the table; a folder nobody knows keeps its own. */
  readonly room: string;
  readonly folder: string;
  readonly imports: readonly Import[];
  readonly isTest: boolean;
}

export function readSource(file: SourceFile): ReadFile {
  const code = mask(file.text);
  return {
    ...file,
    code,
    room: roomOf(file.path),
    folder: folderOf(file.path),
    imports: importsOf(file.text, code),
    isTest: file.path.endsWith(".test.ts"),
  };
}

export function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
}

/** What the planes say to each other is a room of its own; a file beside the folders is a room by its name. */
export function roomOf(path: string): string {
  if (messageFiles.includes(path.replace(/\.ts$/, ""))) return "planes/messages";
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : path.replace(/\.ts$/, "");
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/** Static, dynamic and re-exporting imports. Positions come from the masked code, names from the text itself. */
function importsOf(text: string, code: string): Import[] {
  const found: Import[] = [];
  for (const match of code.matchAll(/(?:(?<![.\w$])from\s*|(?<![.\w$])import\s*\(?\s*)(["'])(\s*)\1/g)) {
    const end = match.index + match[0].length - 1;
    found.push({ specifier: text.slice(end - (match[2] ?? "").length, end), line: lineAt(text, match.index) });
  }
  for (const match of code.matchAll(/(?<![.\w$])(?:import\s*\(\s*(?!["'\s])|(?:require|createRequire)\s*\()/g)) {
    found.push({ specifier: undefined, line: lineAt(text, match.index) });
  }
  return found;
}
