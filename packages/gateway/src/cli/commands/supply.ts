import { nearestNames } from "#catalogue/catalogue";
import { readConfiguration } from "#control/config/configuration";
import { seedSupply } from "#control/config/open-supply";
import { renderProblem } from "#control/config/problem";
import type { ClaimStatus, SupplyData, SupplyNode } from "#domain/supply";
import { contradictions } from "#supply/contradictions";
import { kindOf, nameOf, SupplyGraph } from "#supply/graph";
import { pathsBetween } from "#supply/paths-between";
import {
  customersOf,
  investmentsOf,
  investorsIn,
  rivalsOf,
  supplierAndRival,
  suppliersOf,
  withSiblings,
} from "#supply/questions";
import type { Relation } from "#supply/questions";
import { claimStatuses, nodeKinds } from "#supply/relations";
import { UsageError } from "#cli/command";
import type { Command, CommandIo } from "#cli/command";
import { readCommandLine } from "#cli/command-line";
import { showHidden } from "#cli/hidden-edges";
import { measure } from "#cli/measure-pairs";
import * as say from "#cli/supply-text";
import { terminalLine } from "#cli/terminal-text";

const usage = `Usage: hedgerow supply [-c FILE] [--json]
       hedgerow supply show NAME
       hedgerow supply between NAME OTHER
       hedgerow supply suppliers|customers|rivals|investors|investments|both NAME
       hedgerow supply claims [--status fact|report|unverified|declared]
       hedgerow supply contradictions
       hedgerow supply hidden|measure [--since 7d] [--every 30m] [--data FOLDER]

Who runs, owns, supplies and rivals whom, as dated claims with their sources: what ships with the gateway, and the
\`supply\` section of the configuration. \`both\` names who is supplier and rival at once. NAME is an id
(operator:anthropic) or any name or other name of it: Claude, Google Cloud, Colossus. \`hidden\` looks through recorded
calls for targets that fail together though no claim says why, and proposes claims for you to confirm. \`measure\` learns
from them how often one target takes another along, and writes it where the gateway's planner reads it.

  -c, --config FILE   the configuration (default: hedgerow.yaml where it exists, else only what ships)
      --on DATE       as it stood on this day (default: today)
      --status S      only claims that are borne out so far
      --since DURATION, --every DURATION, --data FOLDER   of these two: how far back, in what intervals, in which records
      --json          print one JSON object
`;

interface Asking {
  readonly io: CommandIo;
  readonly json: boolean;
  readonly data: SupplyData;
  readonly graph: SupplyGraph;
}

export const supply: Command = {
  name: "supply",
  summary: "who runs, owns, supplies and rivals whom, with the claims that say so",
  usage,
  run(args, io) {
    const { values, words } = readCommandLine(args, {
      options: {
        config: { type: "string", short: "c" },
        on: { type: "string" },
        status: { type: "string" },
        since: { type: "string" },
        every: { type: "string" },
        data: { type: "string" },
        json: { type: "boolean" },
      },
      words: { least: 0, most: 3, what: "what to show" },
    });
    const [what = "overview", ...names] = words;
    const { config, since, every, data: folder } = values;
    const json = values.json === true;
    if (what === "hidden" || what === "measure") {
      if (names.length > 0) throw new UsageError(`unexpected ${JSON.stringify(names[0])}`);
      const ask = what === "hidden" ? showHidden : measure;
      return ask({ config, since, every, data: folder, json }, io);
    }
    for (const [option, given] of Object.entries({ since, every, data: folder }))
      if (given !== undefined) throw new UsageError(`--${option} goes with \`hidden\` and \`measure\``);
    const status = statusFrom(values.status, what);
    const on = dayFrom(values.on);
    const data = supplyOf(config, on, io);
    if (data === undefined) return Promise.resolve(1);
    const asking: Asking = { io, json, data, graph: new SupplyGraph(data, on) };
    return Promise.resolve(answer({ what, names, ...(status === undefined ? {} : { status }) }, asking));
  },
};

function statusFrom(written: string | undefined, what: string): ClaimStatus | undefined {
  if (written === undefined) return undefined;
  if (what !== "claims") throw new UsageError("--status goes with `claims`");
  const status = claimStatuses.find((each) => each === written);
  if (status === undefined) throw new UsageError(`--status takes ${claimStatuses.join(", ")}, not "${written}"`);
  return status;
}

function dayFrom(written: string | undefined): string {
  if (written === undefined) return new Date().toISOString().slice(0, 10);
  if (/^\d{4}-\d\d-\d\d$/u.test(written) && !Number.isNaN(Date.parse(written))) return written;
  throw new UsageError(`--on takes a day such as 2026-11-21, not ${JSON.stringify(written)}`);
}

function supplyOf(path: string | undefined, today: string, io: CommandIo): SupplyData | undefined {
  const read = readConfiguration({ cwd: io.cwd, env: io.env, today, ...(path === undefined ? {} : { path }) });
  if (read.kind === "configured") return read.snapshot.supply;
  if (read.kind === "unconfigured") return seedSupply();
  for (const problem of read.problems) io.stderr(`error: ${terminalLine(renderProblem(problem))}\n`);
  return undefined;
}

interface Question {
  readonly what: string;
  readonly names: readonly string[];
  readonly status?: ClaimStatus;
}

const askable = {
  suppliers: suppliersOf,
  customers: customersOf,
  rivals: rivalsOf,
  investors: investorsIn,
  investments: investmentsOf,
} as const satisfies Readonly<
  Record<string, (graph: SupplyGraph, ids: readonly SupplyNode["id"][]) => readonly Relation[]>
>;

const others = ["show", "between", "both", "claims", "contradictions", "hidden", "measure"];

function answer({ what, names, status }: Question, asking: Asking): number {
  if (what === "overview") return overview(asking);
  const known = [...Object.keys(askable), ...others];
  if (!known.includes(what)) {
    const [near] = nearestNames(what, known, 1);
    throw new UsageError(
      `no ${JSON.stringify(what)}; ${near === undefined ? `there are ${known.join(", ")}` : `did you mean ${near}?`}`,
    );
  }
  const wanted = what === "between" ? 2 : what === "claims" || what === "contradictions" ? 0 : 1;
  if (names.length < wanted) throw new UsageError(wanted === 2 ? "`between` takes two names" : "a name is missing");
  if (names.length > wanted)
    throw new UsageError(`unexpected ${JSON.stringify(names[wanted])}; quote names of several words`);
  if (what === "claims") return listClaims(status, asking);
  if (what === "contradictions") return listContradictions(asking);
  const found = names.map((name) => nodesNamed(name, asking));
  const [nodes = [], more = []] = found;
  if (found.some((each) => each.length === 0)) return 1;
  if (what === "show") return show(nodes, asking);
  if (what === "between") return between(nodes, more, asking);
  if (what === "both") return both(nodes, asking);
  return relations(what as keyof typeof askable, nodes, asking);
}

/** Empty where nobody has that name, which has then been said. */
function nodesNamed(name: string, { graph, io }: Asking): readonly SupplyNode[] {
  const found = graph.find(name);
  if (found.length > 0) return found;
  const names = [...graph.nodes.values()].flatMap(({ id, title, aliases = [] }) => [id, title].concat(aliases));
  const near = nearestNames(name, names, 3).map((each) => JSON.stringify(each));
  const hint = near.length === 0 ? "; see `hedgerow supply claims`" : `; did you mean ${near.join(" or ")}?`;
  io.stderr(terminalLine(`hedgerow supply: nobody is called ${JSON.stringify(name.slice(0, 100))}${hint}`) + "\n");
  return [];
}

function overview({ data, graph, io, json }: Asking): number {
  const { version, date, claims } = data;
  const byStatus = claimStatuses.map((status) => ({
    status,
    count: claims.filter((claim) => claim.status === status).length,
  }));
  const byKind = nodeKinds.map((kind) => ({
    kind,
    count: [...graph.nodes.keys()].filter((id) => kindOf(id) === kind).length,
  }));
  if (json) {
    io.stdout(
      `${JSON.stringify({ version, date, claims: byStatus, nodes: byKind, contradictions: contradictions(claims).length }, null, 2)}\n`,
    );
    return 0;
  }
  io.stdout(`supply graph ${version}, gone through on ${date}\n`);
  io.stdout(`${claims.length} claims: ${byStatus.map(({ status, count }) => `${count} ${status}`).join(", ")}\n`);
  const shown = byKind.filter(({ count }) => count > 0);
  io.stdout(`${graph.nodes.size} nodes: ${shown.map(({ kind, count }) => `${count} ${kind}`).join(", ")}\n`);
  io.stdout(`${contradictions(claims).length} contradictions: hedgerow supply contradictions\n`);
  io.stdout("Claims are not truths: each has its source and the day on which it was read.\n");
  return 0;
}

function listClaims(status: ClaimStatus | undefined, { data, io, json }: Asking): number {
  const claims = data.claims.filter((claim) => status === undefined || claim.status === status);
  if (json) io.stdout(`${JSON.stringify({ version: data.version, claims }, null, 2)}\n`);
  else
    print(
      io,
      claims.flatMap((claim) => say.claimLines(claim)),
      "No claim is of that status.",
    );
  return 0;
}

function listContradictions({ data, io, json }: Asking): number {
  const found = contradictions(data.claims);
  if (json) io.stdout(`${JSON.stringify({ version: data.version, contradictions: found }, null, 2)}\n`);
  else print(io, found.flatMap(say.contradictionLines), "No claims contradict each other.");
  return 0;
}

function show(nodes: readonly SupplyNode[], { graph, io, json }: Asking): number {
  const sheets = nodes.map((node) => ({ node, of: graph.from(node.id), by: graph.to(node.id) }));
  if (json) {
    const shown = sheets.map(({ node, of, by }) => ({ ...node, of: say.pathJson(of), by: say.pathJson(by) }));
    io.stdout(`${JSON.stringify({ version: graph.version, nodes: shown }, null, 2)}\n`);
    return 0;
  }
  for (const [at, { node, of, by }] of sheets.entries()) {
    const aliases = (node.aliases ?? []).filter((alias) => alias !== nameOf(node.id));
    const known = aliases.length === 0 ? "" : `, also ${aliases.join(", ")}`;
    io.stdout(`${at === 0 ? "" : "\n"}${terminalLine(`${say.nodeText(node)}${known}`)}\n`);
    print(io, [...say.pathLines(of, "  "), ...say.pathLines(by, "  ")], "  Nothing is claimed of it on that day.");
  }
  return 0;
}

function between(from: readonly SupplyNode[], to: readonly SupplyNode[], { graph, io, json }: Asking): number {
  const own = [from, to].map((nodes) => nodes.map(({ id }) => id));
  const [left = [], right = []] = own.map((ids) => withSiblings(graph, ids));
  // Within one organisation the two themselves are meant.
  const isOne = left.some((id) => right.includes(id));
  const paths = isOne ? pathsBetween(graph, own[0] ?? [], own[1] ?? []) : pathsBetween(graph, left, right);
  if (json) {
    io.stdout(`${JSON.stringify({ version: graph.version, paths: paths.map(say.pathJson) }, null, 2)}\n`);
    return 0;
  }
  const lines = paths.flatMap((path, at) => [`${at + 1}.`].concat(say.pathLines(path, "  ")));
  print(io, lines, "No claims connect them.");
  return 0;
}

function relations(what: keyof typeof askable, nodes: readonly SupplyNode[], { graph, io, json }: Asking): number {
  const found = askable[what](
    graph,
    nodes.map(({ id }) => id),
  );
  if (json) io.stdout(`${JSON.stringify({ version: graph.version, [what]: found.map(say.relationJson) }, null, 2)}\n`);
  else print(io, found.flatMap(say.relationLines), `No ${what} are claimed or can be derived.`);
  return 0;
}

function both(nodes: readonly SupplyNode[], { graph, io, json }: Asking): number {
  const found = supplierAndRival(
    graph,
    nodes.map(({ id }) => id),
  );
  if (json) {
    const shown = found.map(({ other, supplies, competes }) => ({
      other: { id: other.id, title: other.title },
      supplies: say.relationJson(supplies),
      competes: say.relationJson(competes),
    }));
    io.stdout(`${JSON.stringify({ version: graph.version, both: shown }, null, 2)}\n`);
  } else print(io, found.flatMap(say.bothLines), "Nobody is claimed to be both.");
  return 0;
}

function print(io: CommandIo, lines: readonly string[], otherwise: string): void {
  io.stdout(lines.length === 0 ? `${otherwise}\n` : `${lines.join("\n")}\n`);
}
