import { clients } from "./clients/index.ts";
import { failureClasses } from "./failure-classes.ts";
import { table } from "../world/markdown.ts";
import type { CellResult } from "./run-cell.ts";
import type { FailureResult } from "./run-failure.ts";
import { scenarios } from "./scenarios.ts";
import { grouped, unique, type Tallied, type Tally } from "./tally.ts";
import { hosts, upstreams, type MatrixUpstream } from "./upstreams.ts";

type ScenarioCell = Tallied<CellResult>;
type FailureCell = Tallied<FailureResult>;

export interface Tallies {
  readonly answers: Tally<CellResult>;
  readonly hosted: Tally<CellResult>;
  readonly failures: Tally<FailureResult>;
}

/** `docs/conformance.md`, made of what the tests saw. */
export function conformancePage({ answers, hosted, failures }: Tallies): string {
  return (
    [
      introduction,
      "## Scenarios",
      scenarioSummary(answers),
      table(["client", ...upstreams.map(({ title }) => title)], countsByLane(answers.cells, upstreams)),
      "By scenario, over all clients. **warned**: the caller of at least one client is told that something was mapped or " +
        "left out, as listed below.",
      table(["scenario", ...upstreams.map(({ title }) => title)], verdicts(answers.cells)),
      "### Refused on purpose",
      "The target's language cannot say what was asked, and leaving it out would change what the caller gets. Nothing is " +
        "sent; a route with another target goes on to that one.",
      table(["provider", "scenario", "loss", "in words", "clients"], refusals(answers.cells)),
      "### Passed with a warning",
      "The answer came, and `x-hedgerow-warning` (or the record, where only the answer showed it) names the loss.",
      table(["provider", "scenario", "losses", "clients"], warned(answers.cells)),
      "### Not asked",
      table(["who", "scenario", "why"], unasked(answers.cells)),
      "## Hosts",
      "The same scenarios over hosts that place, sign, frame or spell some of their language otherwise; what is refused or " +
        "not asked is so for the reasons above. " +
        scenarioSummary(hosted),
      table(["client", ...hosts.map(({ title }) => title)], countsByLane(hosted.cells, hosts)),
      "## Failures",
      failureSummary(failures),
      table(["failure", "code", ...clients.map(({ title }) => title)], failureRows(failures.cells)),
      "### Not asked",
      table(["who", "failure", "why"], unasked(failures.cells)),
      "",
    ]
      .join("\n\n")
      .trimEnd() + "\n"
  );
}

const introduction = `# Conformance

Every language clients speak, over every language providers speak, whole and streamed: what works, what is refused on
purpose, and what there is nothing to ask about. The tests that make this page (\`test/matrix\`) hold it to what they see;
what is sent to providers and given to clients lies beside them in \`golden/\`.

A cell is one client's language × one provider's × one scenario × stream on or off. The client asks as its official SDK
asks, keeps the answer as its SDK keeps it, and goes on with its tools' results where the scenario does. The provider is
simulated, with its vendor's own rules: it refuses what the vendor refuses, checks seals and ids that come back, and says
what the script says. A cell passes where

- the provider took every request, and found in it all that was meant, or the caller was told of what it lacks by a name
  that stands in [translation.md](translation.md);
- in a second turn the provider got its own thoughts back, seal and all, whether or not the client can carry them;
- the client understood exactly what the provider said: text, thoughts, tool calls, refusal, ending, stop sequence, all
  counts of tokens;
- the answer keeps the grammar of the client's language, as its strictest reader has it.`;

function scenarioSummary(answers: Tally<CellResult>): string {
  const { length } = answers.cells;
  return (
    `${length} cells: **${answers.count("answered")} pass**, ${answers.count("refused")} are refused on purpose, ` +
    `${answers.count("unasked")} are not asked. None fails, and none is skipped.`
  );
}

function failureSummary(failures: Tally<FailureResult>): string {
  return (
    `${failures.cells.length} cells, one for each way in which a provider fails: **${failures.count("told")} pass**, ` +
    `${failures.count("unasked")} are not asked. None fails. A cell passes where the caller gets the status, the ` +
    "gateway's code, `x-should-retry` and `retry-after` that [errors.md](errors.md) promises, in an error its SDK reads, " +
    "and nothing of the provider's address or keys; behind the first content, where the stream ends in the language's " +
    "own error and no completion. The words are those of the client's language. *in stream*: the status was 200 by then."
  );
}

/** For the tests' output. */
export function printedTable({ answers, failures }: Tallies): string {
  const rows = clients.map(({ name }) => {
    const cells = upstreams.map((upstream) => {
      const here = <T>(all: readonly Tallied<T>[]): readonly Tallied<T>[] =>
        all.filter((cell) => cell.client.name === name && cell.upstream === upstream);
      const said = here(answers.cells);
      const told = here(failures.cells);
      return `${answers.count("answered", said) + failures.count("told", told)}/${said.length + told.length}`.padEnd(
        18,
      );
    });
    return `${name.padEnd(20)}${cells.join("")}`;
  });
  const heads = `${"passed/cells".padEnd(20)}${upstreams.map(({ dialect }) => dialect.padEnd(18)).join("")}`;
  return [
    heads,
    ...rows,
    plain(scenarioSummary(answers)),
    plain(failureSummary(failures).split(" A cell")[0] ?? ""),
  ].join("\n");
}

function plain(text: string): string {
  return text.replaceAll("**", "");
}

function countsByLane(
  cells: readonly ScenarioCell[],
  columns: readonly MatrixUpstream[],
): readonly (readonly string[])[] {
  return clients.map(({ name, title }) =>
    [title].concat(
      columns.map((upstream) =>
        countsOf(cells.filter((cell) => cell.client.name === name && cell.upstream === upstream)),
      ),
    ),
  );
}

function countsOf(cells: readonly ScenarioCell[]): string {
  const count = (kind: CellResult["kind"]): number => cells.filter(({ result }) => result.kind === kind).length;
  const words = [
    `${count("answered")} pass`,
    ...(count("refused") === 0 ? [] : [`${count("refused")} refused`]),
    ...(count("unasked") === 0 ? [] : [`${count("unasked")} not asked`]),
  ];
  return words.join(", ");
}

function verdicts(cells: readonly ScenarioCell[]): readonly (readonly string[])[] {
  return scenarios.map(({ name }) =>
    [name].concat(
      upstreams.map((upstream) => verdict(cells.filter((cell) => cell.name === name && cell.upstream === upstream))),
    ),
  );
}

function verdict(cells: readonly ScenarioCell[]): string {
  const kinds = new Set(cells.map(({ result }) => result.kind));
  const isWarned = cells.some(({ result }) => warningsOf(result).length > 0);
  const words = [
    ...(kinds.has("answered") ? [isWarned ? "pass, warned" : "pass"] : []),
    ...(kinds.has("refused") ? ["refused"] : []),
    ...(kinds.has("unasked") ? [kinds.size > 1 ? "some not asked" : "not asked"] : []),
  ];
  return words.join("; ");
}

function refusals(cells: readonly ScenarioCell[]): readonly (readonly string[])[] {
  const refused = cells.flatMap(({ result, ...cell }) => (result.kind === "refused" ? [{ ...cell, result }] : []));
  return grouped(refused, ({ upstream, name, result }) => [upstream.title, name, result.loss].join("\0")).map(
    (group) => {
      const [{ upstream, name, result } = neverEmpty()] = group;
      const words = result.message.replace(/^The request cannot be sent to this model: /, "").replace(/^[\w-]+: /, "");
      return [upstream.title, name, `\`${result.loss}\``, words.replace(/\.$/, ""), titles(group)];
    },
  );
}

function warned(cells: readonly ScenarioCell[]): readonly (readonly string[])[] {
  const rows = cells.flatMap((cell) => {
    const names = warningsOf(cell.result);
    return names.length === 0 ? [] : [{ ...cell, names }];
  });
  const order = (upstream: MatrixUpstream): number => upstreams.indexOf(upstream);
  return grouped(rows, ({ upstream, name, names }) => [upstream.title, name, ...names].join("\0"))
    .toSorted(([a = neverEmpty()], [b = neverEmpty()]) => order(a.upstream) - order(b.upstream))
    .map((group) => {
      const [{ upstream, name, names } = neverEmpty()] = group;
      return [upstream.title, name, names.map((each) => `\`${each}\``).join(", "), titles(group)];
    });
}

/** Names of the rows in the written tables. */
function warningsOf(result: CellResult): readonly string[] {
  const said = result.kind === "answered" ? result.turns.flatMap(({ warnings }) => warnings) : [];
  return unique(said.map((warning) => warning.slice(0, warning.indexOf(":"))));
}

/** A client's reasons hold over every provider, a provider's for every client. */
function unasked(cells: readonly Tallied<CellResult | FailureResult>[]): readonly (readonly string[])[] {
  const left = cells.flatMap(({ result, ...cell }) =>
    result.kind === "unasked" ? [{ ...cell, why: result.why }] : [],
  );
  return grouped(left, ({ name, why }) => [name, why].join("\0")).map((group) => {
    const [{ name, why } = neverEmpty()] = group;
    const asked = unique(group.map(({ client }) => client.title));
    const said = unique(group.map(({ upstream }) => upstream.title));
    const modes = group.every(({ streamed }) => !streamed) ? "every whole answer" : undefined;
    const isClients = said.length === upstreams.length && asked.length < clients.length;
    const who = modes ?? (isClients ? `client: ${asked.join(", ")}` : `provider: ${said.join(", ")}`);
    return [who, name, why];
  });
}

function titles(cells: readonly Pick<ScenarioCell, "client">[]): string {
  const names = unique(cells.map(({ client }) => client.title));
  return names.length === clients.length ? "all" : names.join(", ");
}

function failureRows(cells: readonly FailureCell[]): readonly (readonly string[])[] {
  return failureClasses.map(({ name, code }) =>
    [name, `\`${code}\``].concat(
      clients.map((client) => {
        const told = cells.filter((cell) => cell.name === name && cell.client.name === client.name);
        return unique(told.flatMap(({ result }) => (result.kind === "told" ? [wordsOf(result)] : []))).join("; ");
      }),
    ),
  );
}

function wordsOf({ status, word, inside }: Extract<FailureResult, { kind: "told" }>): string {
  return inside === true ? `in stream: ${word}` : `${status} ${word}`;
}

function neverEmpty(): never {
  throw new Error("groups have a first");
}
