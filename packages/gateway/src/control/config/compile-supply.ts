import type { Claim, ShareInterval, SupplyData, SupplyNodeId, SupplySeed } from "#domain/supply";
import { kindOf, nameOf, SupplyGraph } from "#supply/graph";
import { readNodeId, relationEnds } from "#supply/relations";
import type { CompileContext, Report } from "./compile-context.ts";
import { nearestName, suggestion } from "./nearest.ts";
import { supplyWith } from "./open-supply.ts";
import type { ConfigPath } from "./problem.ts";
import type { ConfigDocument } from "./schema.ts";
import type { ClaimEntry } from "./supply-schema.ts";

/** The seed and the configuration's own claims, their names and directions checked. */
export function compileSupply(document: ConfigDocument, context: CompileContext, report: Report): SupplyData {
  const seed = context.supply ?? { date: context.date, nodes: [], claims: [] };
  const written = document.supply ?? [];
  if (written.length === 0) return supplyWith(seed, []);
  const names = namesKnown(document, seed, context.date);
  const claims = written.flatMap((entry, index) => {
    const claim = compileClaim(entry, ["supply", index], { names, report, date: context.date });
    return claim === undefined ? [] : [claim];
  });
  return supplyWith(seed, claims);
}

interface Names {
  readonly graph: SupplyGraph;
  /** Ids of the graph, and groups that the providers' entries name. */
  readonly ids: ReadonlySet<SupplyNodeId>;
}

function namesKnown(document: ConfigDocument, seed: SupplySeed, date: string): Names {
  const graph = new SupplyGraph({ version: "", ...seed }, date);
  const ids = new Set(graph.nodes.keys());
  for (const entry of Object.values(document.providers)) {
    for (const kind of ["operator", "owner", "region"] as const) {
      const id = entry[kind] === undefined ? undefined : readNodeId(`${kind}:${entry[kind]}`);
      if (id !== undefined) ids.add(id);
    }
  }
  return { graph, ids };
}

interface Compiling {
  readonly names: Names;
  readonly report: Report;
  /** Of the configuration. */
  readonly date: string;
}

function compileClaim(entry: ClaimEntry, path: ConfigPath, compiling: Compiling): Claim | undefined {
  const { report, date } = compiling;
  const ends = relationEnds[entry.relation];
  const subject = nodeOf(entry, { end: "subject", kinds: ends.from, path }, compiling);
  const object = nodeOf(entry, { end: "object", kinds: ends.to, path }, compiling);
  const share = shareOf(entry);
  if (share !== undefined && share[0] > share[1]) {
    report([...path, "share"], "the least share is more than the most", "write [least, most]");
    return undefined;
  }
  if (entry.from !== undefined && entry.to !== undefined && entry.from > entry.to) {
    report([...path, "to"], "this claim ends before it begins", "exchange `from` and `to`");
    return undefined;
  }
  if (subject === undefined || object === undefined) return undefined;
  return {
    subject,
    relation: entry.relation,
    object,
    ...(share === undefined ? {} : { share }),
    status: entry.status ?? "declared",
    source: entry.source ?? "configuration",
    seen: entry.seen ?? date,
    ...(entry.from === undefined ? {} : { from: entry.from }),
    ...(entry.to === undefined ? {} : { to: entry.to }),
    ...(entry.note === undefined ? {} : { note: entry.note }),
  };
}

function shareOf({ share }: ClaimEntry): ShareInterval | undefined {
  if (share === undefined) return undefined;
  if (typeof share === "number") return [share, share];
  const [least = 0, most = 1] = share;
  return [least, most];
}

interface End {
  readonly end: "subject" | "object";
  /** What the relation takes there. */
  readonly kinds: readonly string[];
  /** Of the claim. */
  readonly path: ConfigPath;
}

function nodeOf(entry: ClaimEntry, at: End, { names, report }: Compiling): SupplyNodeId | undefined {
  const path = [...at.path, at.end];
  const written = entry[at.end];
  const id = readNodeId(written);
  if (id === undefined) return nodeNamed(written, { ...at, path }, { names, report });
  if (!at.kinds.includes(kindOf(id))) {
    const message = `the ${at.end} of \`${entry.relation}\` is ${orList(at.kinds)}, not ${JSON.stringify(id)}`;
    const turned = relationEnds[entry.relation][at.end === "subject" ? "to" : "from"].some(
      (kind) => kind === kindOf(id),
    );
    report(path, message, turned ? "is the claim turned round?" : undefined);
    return undefined;
  }
  if (names.ids.has(id) || entry.new === true) return id;
  const ofKind = [...names.ids].filter((known) => kindOf(known) === kindOf(id));
  const near = numbered.has(kindOf(id)) ? undefined : nearestName(nameOf(id), ofKind.map(nameOf));
  if (near === undefined || withoutDigits(near) === withoutDigits(nameOf(id))) return id;
  const meant = `did you mean ${JSON.stringify(`${kindOf(id)}:${near}`)}? If not, add \`new: true\``;
  report(path, `the supply graph has no ${JSON.stringify(id)}`, meant);
  return undefined;
}

/** Of these there are many, and all resemble each other. */
const numbered: ReadonlySet<string> = new Set(["region", "endpoint"]);

/** A second site is none that is mistyped. */
function withoutDigits(name: string): string {
  return name.replaceAll(/[0-9]/gu, "");
}

/** A title or another name: it has to mean one thing that the relation takes there. */
function nodeNamed(
  written: string,
  { end, kinds, path }: End,
  { names, report }: Pick<Compiling, "names" | "report">,
): SupplyNodeId | undefined {
  const found = names.graph.find(written);
  const fitting = found.filter(({ id }) => kinds.includes(kindOf(id)));
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only.id;
  if (fitting.length > 1) {
    report(path, `${JSON.stringify(written)} means several things`, `write ${orList(fitting.map(({ id }) => id))}`);
  } else if (found.length > 0) {
    const message = `${JSON.stringify(written)} is ${orList(found.map(({ id }) => id))}, and the ${end} has to be ${orList(kinds)}`;
    report(path, message);
  } else {
    const ids = [...names.ids].filter((id) => kinds.includes(kindOf(id)));
    const fix = suggestion(written, [...ids, ...ids.map(nameOf)], "known") ?? "write kind:name";
    report(path, `the supply graph knows no ${JSON.stringify(written)}; a new one is written kind:name`, fix);
  }
  return undefined;
}

function orList(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? "nothing") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
