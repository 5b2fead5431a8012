import {
  bans,
  emptyNames,
  maxLines,
  nameComparisons,
  packages,
  rooms,
  socketGlobals,
  socketModules,
  socketPlaces,
  withoutNode,
} from "./house.ts";
import { type Import, type ReadFile, type SourceFile, folderOf, lineAt, readSource, roomOf } from "./source-file.ts";

/** Names that no code may compare outside the rooms that own them. */
export interface OwnedNames {
  readonly provider: ReadonlySet<string>;
  readonly dialect: ReadonlySet<string>;
}

/** Every broken rule as `path:line what is wrong`; empty where the house stands. */
export function checkHouse(files: readonly SourceFile[], names: OwnedNames): string[] {
  return files.flatMap((file) => checkFile(readSource(file), names));
}

function checkFile(file: ReadFile, names: OwnedNames): string[] {
  const rules = [badPlace, badName, tooLong, anyType];
  // Tests may look everywhere: they replace the world that the code is kept from.
  if (!file.isTest) rules.push(badImports, bannedWords, strangeSockets);
  const found = rules.flatMap((rule) => rule(file));
  if (!file.isTest) found.push(...comparedNames(file, names));
  return [...found, ...climbingImports(file)];
}

function at(file: ReadFile, index: number): string {
  return `${file.path}:${lineAt(file.text, index)}`;
}

function badPlace(file: ReadFile): string[] {
  return Object.hasOwn(rooms, file.room) ? [] : [`${file.path}:1 lies in no room that the table knows`];
}

function badName(file: ReadFile): string[] {
  const parts = file.path.replace(/(?:\.test)?\.ts$/, "").split("/");
  return parts.flatMap((part) => {
    if (emptyNames.includes(part.split("-").at(-1) ?? ""))
      return [`${file.path}:1 "${part}" says nothing: name what is inside`];
    return /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(part) ? [] : [`${file.path}:1 "${part}" is not kebab-case`];
  });
}

function tooLong(file: ReadFile): string[] {
  const lines = file.text.replace(/\n$/, "").split("\n").length;
  return lines > maxLines ? [`${file.path}:${maxLines + 1} ${lines} lines, more than ${maxLines}`] : [];
}

function anyType(file: ReadFile): string[] {
  // `Promise.any(…)`, `any: 1` and `any = 1` are names; elsewhere the bare word is the type.
  return [...file.code.matchAll(/(?<![.\w$])any(?![\w$]|\s*(?:\??:|\(|=(?!>)))/g)].map(
    (match) => `${at(file, match.index)} uses the type any`,
  );
}

function climbingImports(file: ReadFile): string[] {
  return file.imports.flatMap(({ specifier, line }) =>
    specifier?.startsWith("..")
      ? [`${file.path}:${line} climbs with ${specifier}: across folders write #folder/file`]
      : [],
  );
}

function badImports(file: ReadFile): string[] {
  return file.imports.flatMap((one) => {
    const wrong = wrongImport(file, one);
    return wrong === undefined ? [] : [`${file.path}:${one.line} ${wrong}`];
  });
}

function wrongImport(file: ReadFile, { specifier }: Import): string | undefined {
  if (specifier === undefined) return "imports what only run time knows: write the name down";
  if (specifier.startsWith("#")) return wrongCrossing(file, specifier.slice(1));
  if (specifier.startsWith(".")) return wrongNeighbour(file, specifier);
  if (specifier.startsWith("node:")) {
    return withoutNode.includes(file.room) ? `imports ${specifier}: ${file.room} knows nothing of Node` : undefined;
  }
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  const users = Object.hasOwn(packages, name) ? packages[name] : undefined;
  if (users === undefined) return `imports ${name}, which is no dependency of the gateway`;
  return users.includes(file.room) ? undefined : `imports ${name}, which belongs to ${users.join(", ")}`;
}

function wrongCrossing(file: ReadFile, target: string): string | undefined {
  if (target.endsWith(".ts")) return `imports #${target}: without .ts across folders`;
  if (folderOf(target) === file.folder) return `imports #${target}: inside a folder write ./`;
  return wrongRoom(file.room, roomOf(target));
}

/** `./x.ts` may still change the room: `planes/messages.ts` lies beside others of `planes`. */
function wrongNeighbour(file: ReadFile, specifier: string): string | undefined {
  if (specifier.startsWith("..")) return undefined; // said by `climbingImports`
  return wrongRoom(file.room, roomOf(`${file.folder}/${specifier.slice(2)}`.replace(/^\//, "")));
}

function wrongRoom(from: string, to: string): string | undefined {
  if (from === to) return undefined;
  return rooms[from]?.mayImport.includes(to) === true ? undefined : `${from} may not import ${to}`;
}

function bannedWords(file: ReadFile): string[] {
  return bans
    .filter((ban) => ban.rooms.includes(file.room))
    .flatMap((ban) =>
      [...file.code.matchAll(ban.pattern)].map(
        (match) => `${at(file, match.index)} ${file.room} ${ban.what} (${match[0]})`,
      ),
    );
}

function strangeSockets(file: ReadFile): string[] {
  if (socketPlaces.some((place) => file.path.startsWith(place.where))) return [];
  const modules = file.imports
    .filter(({ specifier }) => specifier !== undefined && socketModules.includes(specifier))
    .map(({ specifier, line }) => `${file.path}:${line} opens sockets with ${specifier}: only transport does`);
  const globals = [...file.code.matchAll(new RegExp(`(?<![.\\w$])(?:${socketGlobals.join("|")})\\s*\\(`, "g"))]
    .filter((match) => !/\bfunction\s+$/.test(file.code.slice(0, match.index)))
    .map((match) => `${at(file, match.index)} opens sockets with ${match[0]}…): only transport does`);
  return [...modules, ...globals];
}

/** The forms in which code asks "is it this one?" of a text. */
const comparisons = [
  /[=!]==?\s*(["'`])(\s*)\1/g,
  /(["'`])(\s*)\1\s*[=!]==?/g,
  /\bcase\s+(["'`])(\s*)\1\s*:/g,
  /\.(?:startsWith|endsWith|includes|indexOf|has|get)\(\s*(["'`])(\s*)\1/g,
];
/** `["a", "b"].includes(x)` and `new Set(["a"]).has(x)`. */
const membership = /\[([^[\]]*)\]\s*\)?\s*\.(?:includes|indexOf|has)\(/g;

function comparedNames(file: ReadFile, names: OwnedNames): string[] {
  const found: { readonly text: string; readonly index: number }[] = [];
  for (const pattern of comparisons) {
    for (const match of file.code.matchAll(pattern)) {
      const open = match.index + match[0].search(/["'`]/) + 1;
      found.push({ text: file.text.slice(open, open + (match[2] ?? "").length), index: match.index });
    }
  }
  for (const match of file.code.matchAll(membership)) {
    const list = file.text.slice(match.index, match.index + match[0].length);
    for (const item of list.matchAll(/(["'`])(.*?)\1/g)) found.push({ text: item[2] ?? "", index: match.index });
  }
  return (["provider", "dialect"] as const).flatMap((kind) => {
    if (nameComparisons[kind].some((place) => file.path.startsWith(place.where))) return [];
    return found
      .filter(({ text }) => names[kind].has(text))
      .map(({ text, index }) => `${at(file, index)} compares the ${kind} name "${text}": ask its table instead`);
  });
}
