import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { auditFolder, keyFile } from "#control/audit/audit-folder";
import { prove } from "#control/audit/prove";
import { cycloneDx, registerRows, SupplyUse, type RegisterRow } from "#control/audit/supply-use";
import { isProof, readLog, verifyLog, verifyProof, type Proof } from "#control/audit/verify";
import { auditViews, viewLine, type ViewWish } from "#control/audit/views";
import { readVerifier, signerOf, verifierOf, verifierText, type Verifier } from "#ledger/checkpoint";
import { UsageError, type Command, type CommandIo } from "#cli/command";
import { readCommandLine } from "#cli/command-line";
import { configurationFor } from "#cli/configuration-for";
import { renderCsv } from "#cli/csv";
import { progressBar } from "#cli/progress-bar";
import type { Column } from "#cli/table";
import { packageVersion } from "#cli/package-version";

const usage = `Usage: hedgerow audit verify [--key KEY] [--checkpoint FILE]
       hedgerow audit verify --proof FILE --key KEY
       hedgerow audit prove CALL_ID|NUMBER [--fields id,routing] [-o FILE]
       hedgerow audit export --view public|customer|regulator [--customer NAME] [--since DATE] [--until DATE] [-o FILE]
       hedgerow audit export --format csv|cyclonedx [-o FILE]
       hedgerow audit key

Works on the log of a gateway with \`audit: {}\` in its configuration, offline, beside a running one or without it.
\`verify\` reads the log from its first entry to its last and names what is wrong; with checkpoints that somebody kept, it
also finds a history that was written anew. \`prove\` writes what shows one entry to somebody who has nothing but the log's
key, which \`key\` prints. \`export\` writes a view as JSON Lines, or who stands behind what was used: as rows for a register
of information (DORA), or as a bill of materials (CycloneDX 1.6).

      --key KEY          the log's key, as \`audit key\` prints it; else that of the log's own folder
      --checkpoint FILE  a checkpoint that was kept elsewhere, or a file of several
      --proof FILE       a proof, from \`prove\`
      --fields LIST      what of the entry is shown (default: all that was not erased)
      --view VIEW        public: that something happened; customer: one key's, team's or organisation's own calls;
                         regulator: everything
      --customer NAME    whose, for \`customer\`
      --since, --until   entries from one moment to another, such as 2026-11-01
      --format FORMAT    jsonl (default), csv, cyclonedx
  -o, --output FILE      write there, not to the terminal
  -c, --config FILE      the configuration, for its data folder
      --data FOLDER      the gateway's data folder
      --json             print what was verified as one JSON object
`;

const options = {
  key: { type: "string" },
  checkpoint: { type: "string", multiple: true },
  proof: { type: "string" },
  fields: { type: "string" },
  view: { type: "string" },
  customer: { type: "string" },
  since: { type: "string" },
  until: { type: "string" },
  format: { type: "string" },
  output: { type: "string", short: "o" },
  config: { type: "string", short: "c" },
  data: { type: "string" },
  json: { type: "boolean" },
} as const;

function read(args: readonly string[]) {
  return readCommandLine(args, {
    options,
    words: { least: 1, most: 2, what: "what to do (`verify`, `prove`, `export` or `key`)" },
  });
}
type Values = ReturnType<typeof read>["values"];

export const audit: Command = {
  name: "audit",
  summary: "the log that cannot be bent: verify, prove, export",
  usage,
  run(args, io) {
    const { values, words } = read(args);
    const [what, entry] = words;
    if (what === "verify" && values.proof !== undefined) return Promise.resolve(verifyOne(values.proof, values, io));
    if (what !== "prove" && entry !== undefined)
      throw new UsageError(`audit ${what} takes no ${JSON.stringify(entry)}`);
    const folder = folderOf(values, io);
    if (folder === undefined) return Promise.resolve(1);
    switch (what) {
      case "verify":
        return Promise.resolve(verifyAll(folder, values, io));
      case "prove":
        if (entry === undefined) throw new UsageError("audit prove takes a call's id, or an entry's number");
        return Promise.resolve(proveOne(folder, { ...values, entry }, io));
      case "export":
        return Promise.resolve(exportLog(folder, values, io));
      case "key":
        return Promise.resolve(printKey(folder, io));
      default:
        throw new UsageError(
          `no audit ${JSON.stringify(what)}; there are \`verify\`, \`prove\`, \`export\` and \`key\``,
        );
    }
  },
};

/** Undefined once it is said why there is none. */
function folderOf({ config, data }: Values, io: CommandIo): string | undefined {
  let place = data;
  if (place === undefined) {
    const configuration = configurationFor(config, { io, today: new Date().toISOString().slice(0, 10) });
    if (configuration === undefined) return undefined;
    place = configuration.server.data;
  }
  const folder = join(resolve(io.cwd, place), auditFolder);
  if (existsSync(folder)) return folder;
  io.stderr(
    `hedgerow audit: there is no audit log in ${resolve(io.cwd, place)}; \`audit: {}\` in the configuration begins one\n`,
  );
  return undefined;
}

/** The key that was given, or that of the folder; undefined once it is said why there is none. */
function verifierFor(folder: string | undefined, key: string | undefined, io: CommandIo): Verifier | undefined {
  if (key !== undefined) {
    const verifier = readVerifier(key);
    if (verifier === undefined) throw new UsageError("--key takes a key as `hedgerow audit key` prints it");
    return verifier;
  }
  const path = folder === undefined ? undefined : join(folder, keyFile);
  if (path === undefined || !existsSync(path)) {
    io.stderr(
      "hedgerow audit: give the log's key with --key; `hedgerow audit key` prints it where the log is written\n",
    );
    return undefined;
  }
  return verifierOf(signerOf(nameOfLog(folder ?? ""), readFileSync(path, "utf8")));
}

/** The first line of its checkpoint. */
function nameOfLog(folder: string): string {
  const path = join(folder, "checkpoint");
  return existsSync(path) ? (readFileSync(path, "utf8").split("\n", 1)[0] ?? "") : "";
}

/** What the checkpoint says, right or not. */
function sizeSaid(folder: string): number {
  const path = join(folder, "checkpoint");
  return existsSync(path) ? Number(readFileSync(path, "utf8").split("\n", 2)[1]) || 0 : 0;
}

function verifyAll(folder: string, values: Values, io: CommandIo): number {
  const verifier = verifierFor(folder, values.key, io);
  if (verifier === undefined) return 1;
  const kept = (values.checkpoint ?? []).flatMap((file) => notesIn(readFileSync(resolve(io.cwd, file), "utf8")));
  const every = 10_000;
  const bar = progressBar(Math.max(1, Math.ceil(sizeSaid(folder) / every)), io);
  const made = verifyLog(folder, verifier, { kept, onProgress: (entries) => bar.step(`${entries} entries`) });
  bar.done();
  if (values.json === true) {
    const { entries, unsigned, findings } = made;
    const right = findings.length === 0;
    io.stdout(`${JSON.stringify({ right, entries, unsigned, kept: kept.length, findings }, null, 2)}\n`);
    return right ? 0 : 1;
  }
  if (made.findings.length === 0) {
    const others =
      kept.length === 0 ? "" : ` and agree with ${kept.length} kept checkpoint${kept.length === 1 ? "" : "s"}`;
    io.stdout(`${made.entries} entries are what ${verifier.name} signed${others}.\n`);
    if (values.key === undefined)
      io.stdout("The key lies beside the log: whoever could change both is found by --key alone.\n");
    return 0;
  }
  io.stdout(`The log is not what was signed:\n${made.findings.map((each) => `- ${each}\n`).join("")}`);
  return 1;
}

/** The notes of a file, one after another with an empty line between, as an anchor's file has them. */
export function notesIn(text: string): readonly string[] {
  const found = text.match(/[^\n][\s\S]*?\n\n(?:— [^\n]+\n)+/gu);
  return found ?? [text];
}

function verifyOne(file: string, values: Values, io: CommandIo): number {
  const verifier = verifierFor(undefined, values.key, io);
  if (verifier === undefined) return 1;
  let proof: Proof;
  try {
    const read: unknown = JSON.parse(readFileSync(resolve(io.cwd, file), "utf8"));
    if (!isProof(read)) throw new Error("it is no proof");
    proof = read;
  } catch (error) {
    io.stderr(`hedgerow audit: ${file}: ${(error as Error).message}\n`);
    return 1;
  }
  const findings = verifyProof(proof, verifier);
  if (values.json === true) io.stdout(`${JSON.stringify({ right: findings.length === 0, findings }, null, 2)}\n`);
  else if (findings.length > 0) io.stdout(`It proves nothing:\n${findings.map((each) => `- ${each}\n`).join("")}`);
  else {
    io.stdout(`The entry is in the log of ${verifier.name}:\n${proof.entry}\n`);
    for (const [, name, value] of Object.values(proof.openings)) io.stdout(`${name}: ${JSON.stringify(value)}\n`);
  }
  return findings.length === 0 ? 0 : 1;
}

function proveOne(folder: string, values: Values & { readonly entry: string }, io: CommandIo): number {
  const verifier = verifierFor(folder, values.key, io);
  if (verifier === undefined) return 1;
  const fields = values.fields?.split(",").map((each) => each.trim());
  const made = prove(folder, { entry: values.entry, ...(fields === undefined ? {} : { fields }) });
  const findings = made.kind === "proved" ? verifyProof(made.proof, verifier) : [made.why];
  if (made.kind === "refused" || findings.length > 0) {
    io.stderr(`hedgerow audit: ${findings.join("; ")}\n`);
    return 1;
  }
  return write(`${JSON.stringify(made.proof, null, 2)}\n`, values, io);
}

function exportLog(folder: string, values: Values, io: CommandIo): number {
  const { format = "jsonl" } = values;
  const isShown = windowOf(values);
  if (format === "jsonl") {
    const wish = wishOf(values);
    const checkpoint = readFileSync(join(folder, "checkpoint"), "utf8");
    let text = `${JSON.stringify({ checkpoint, view: wish.view })}\n`;
    for (const each of readLog(folder)) if (isShown(each.entry?.at)) text += viewLine(wish, each);
    return write(text, values, io);
  }
  if (format !== "csv" && format !== "cyclonedx") throw new UsageError("--format takes jsonl, csv or cyclonedx");
  const use = new SupplyUse();
  for (const { entry, openings } of readLog(folder)) {
    if (entry?.kind === "call" && isShown(entry.at)) use.add(entry.at, openings);
  }
  if (format === "csv") return write(renderCsv(registerColumns, registerRows(use.targets)), values, io);
  const bom = cycloneDx(use.targets, { at: new Date().toISOString(), version: packageVersion() });
  return write(`${JSON.stringify(bom, null, 2)}\n`, values, io);
}

function wishOf({ view = "regulator", customer }: Values): ViewWish {
  const found = auditViews.find((each) => each === view);
  if (found === undefined) throw new UsageError(`--view takes ${auditViews.join(", ")}`);
  if ((found === "customer") !== (customer !== undefined))
    throw new UsageError("--view customer takes --customer NAME, no other does");
  return { view: found, ...(customer === undefined ? {} : { customer }) };
}

function moment(name: string, text: string | undefined): number | undefined {
  const ms = text === undefined ? undefined : Date.parse(text);
  if (Number.isNaN(ms)) throw new UsageError(`--${name} takes a date such as 2026-11-01, not ${JSON.stringify(text)}`);
  return ms;
}

function windowOf({ since, until }: Values): (at: string | undefined) => boolean {
  const [fromMs, untilMs] = [moment("since", since) ?? Number.NEGATIVE_INFINITY, moment("until", until) ?? Infinity];
  return (at) => {
    const ms = Date.parse(at ?? "");
    return Number.isNaN(ms) ? fromMs === Number.NEGATIVE_INFINITY : ms >= fromMs && ms < untilMs;
  };
}

/** Named as in the templates of the register of information (Commission Implementing Regulation (EU) 2024/2956). */
const registerColumns: readonly Column<RegisterRow>[] = [
  { title: "B_05.02.0020 type of ICT services", value: ({ service }) => service },
  { title: "B_05.02.0030 ICT third-party service provider", value: ({ provider }) => provider },
  { title: "B_05.02.0050 rank", value: ({ rank }) => String(rank) },
  { title: "B_05.02.0060 recipient of sub-contracted ICT services", value: ({ recipient }) => recipient },
  { title: "B_02.02.0130 country of provision", value: ({ regions }) => regions },
  { title: "B_07.01.0110 alternatives", value: ({ substitutes }) => substitutes },
  { title: "requests", value: ({ attempts }) => String(attempts) },
  { title: "first used", value: ({ firstAt }) => firstAt },
  { title: "last used", value: ({ lastAt }) => lastAt },
];

function printKey(folder: string, io: CommandIo): number {
  const verifier = verifierFor(folder, undefined, io);
  if (verifier === undefined) return 1;
  io.stdout(`${verifierText(verifier)}\n`);
  return 0;
}

function write(text: string, { output }: Pick<Values, "output">, io: CommandIo): number {
  if (output === undefined) io.stdout(text);
  else writeFileSync(resolve(io.cwd, output), text, { mode: 0o600 });
  return 0;
}
