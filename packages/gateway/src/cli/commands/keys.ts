import { UsageError, type Command, type CommandIo } from "#cli/command";
import { readCommandLine, wholeNumber } from "#cli/command-line";
import { gatewayUrl } from "#cli/gateway-url";
import { openKeyDesk, type KeyErrand, type KeyReply } from "#cli/key-desk";
import { keyTable, keyText, type ToldKey } from "#cli/key-text";
import { terminalLine } from "#cli/terminal-text";

const usage = `Usage: hedgerow keys create --name NAME [--budget 50usd/day] [--rpm N] [--tpm N] [--concurrency N]
                            [--routes A,B] [--models A,B] [--providers A,B] [--endpoints A,B] [--team NAME]
                            [--organisation NAME] [--expires 30d|DATE] [--priority WORD] [--role WORD]
       hedgerow keys list [--revoked]
       hedgerow keys show ID|NAME
       hedgerow keys revoke ID|NAME
       hedgerow keys rotate ID|NAME [--overlap 1h]

Issues keys while the gateway runs, and takes them back. A key is shown once, when it is made. A revoked one is refused
within two seconds, on every node; calls in flight finish.

      --name NAME            its name in records and reports
      --budget AMOUNT        what it may spend: 50usd/day (hour, day, week, month, total); may be given again
      --rpm, --tpm N         requests, tokens a minute
      --concurrency N        requests at once
      --routes A,B           routes it may use (default all)
      --models A,B           models that may answer it; a trailing * stands for any ending (default all)
      --providers A,B        providers that may answer it (default all)
      --endpoints A,B        what it may ask for, such as generate,embed,models (default everything)
      --team, --organisation NAME
                             whose it is
      --expires WHEN         its last day (2027-03-31, UTC), or how long it lives (30d)
      --priority WORD        high, normal or low (default normal)
      --role WORD            inference, viewer or admin (default inference)
      --overlap TIME         how long the secret it has is good beside the new one (default 24h; 0s: not at all)
      --revoked              list revoked keys as well
      --json                 print JSON

Who answers: the admin API of a running gateway where --url, --token, HEDGEROW_URL or HEDGEROW_ADMIN_TOKEN is given,
else the store of the gateway that is configured here, whether it runs or not.

      --url URL              the gateway (default $HEDGEROW_URL, else http://127.0.0.1:4000)
      --token TOKEN          an administrator's token or key (better in HEDGEROW_ADMIN_TOKEN: others see command lines)
  -c, --config FILE          the configuration (default: hedgerow.yaml)
      --data FOLDER          the gateway's data folder (default: the configuration's)
`;

const options = {
  name: { type: "string" },
  budget: { type: "string", multiple: true },
  rpm: { type: "string" },
  tpm: { type: "string" },
  concurrency: { type: "string" },
  routes: { type: "string" },
  models: { type: "string" },
  providers: { type: "string" },
  endpoints: { type: "string" },
  team: { type: "string" },
  organisation: { type: "string" },
  expires: { type: "string" },
  priority: { type: "string" },
  role: { type: "string" },
  overlap: { type: "string" },
  revoked: { type: "boolean" },
  json: { type: "boolean" },
  url: { type: "string" },
  token: { type: "string" },
  config: { type: "string", short: "c" },
  data: { type: "string" },
} as const;

type Option = keyof typeof options;
type Values = { readonly [Name in Option]?: string | boolean | readonly string[] | undefined };

const lists = ["routes", "models", "providers", "endpoints"] as const;
const words = ["team", "organisation", "expires", "priority", "role"] as const;
const counts = ["rpm", "tpm", "concurrency"] as const;
const everywhere: readonly Option[] = ["json", "url", "token", "config", "data"];

/** Which options go with which word, beside those that go with all. */
const optionsOf: Readonly<Record<string, readonly Option[]>> = {
  create: ["name", "budget", ...lists, ...words, ...counts],
  list: ["revoked"],
  show: [],
  revoke: [],
  rotate: ["overlap"],
};

export const keys: Command = {
  name: "keys",
  summary: "keys of the gateway: create, list, show, revoke, rotate",
  usage,
  async run(args, io) {
    const { values, words: said } = readCommandLine(args, {
      options,
      words: { least: 1, most: 2, what: "what to do (`create`, `list`, `show`, `revoke` or `rotate`)" },
    });
    const [word = "", key] = said;
    const errand = errandOf(word, key, values);
    const { url, token, config, data } = values;
    const desk = await openKeyDesk({ url, token, config, data, io });
    if (desk === undefined) return 1;
    try {
      const reply = await desk.ask(errand);
      if (reply === undefined) return 1;
      return tell(reply, { errand, isJson: values.json === true, io, url });
    } finally {
      await desk.close();
    }
  },
};

function errandOf(word: string, key: string | undefined, values: Values): KeyErrand {
  const own = optionsOf[word];
  if (own === undefined) {
    throw new UsageError(`no ${JSON.stringify(word)}; there are create, list, show, revoke and rotate`);
  }
  const odd = Object.keys(values).find((each) => ![...own, ...everywhere].includes(each as Option));
  if (odd !== undefined) throw new UsageError(`--${odd} does not go with \`keys ${word}\``);
  if (word === "create" || word === "list") {
    if (key !== undefined) throw new UsageError(`unexpected ${JSON.stringify(key)}`);
    return word === "create" ? { kind: word, body: creationOf(values) } : { kind: word, query: queryOf(values) };
  }
  if (key === undefined || key === "") throw new UsageError("the key's id or name is missing; `keys list` shows them");
  if (word !== "rotate") return { kind: word as "show" | "revoke", key };
  return { kind: word, key, body: values.overlap === undefined ? {} : { overlap: values.overlap } };
}

function queryOf({ revoked }: Values): URLSearchParams {
  return new URLSearchParams({ limit: "1000", revoked: String(revoked === true) });
}

/** The words of the admin API, which says what is wrong with them. */
function creationOf(values: Values): object {
  if (values.name === undefined) throw new UsageError("--name is missing");
  const body: Record<string, unknown> = { name: values.name };
  for (const each of words) if (values[each] !== undefined) body[each] = values[each];
  for (const each of lists) {
    if (values[each] !== undefined)
      body[each] = String(values[each])
        .split(",")
        .map((entry) => entry.trim());
  }
  const limits: Record<string, number> = {};
  for (const each of counts) {
    if (values[each] === undefined) continue;
    limits[each] = wholeNumber(`--${each}`, String(values[each]), { min: 1, max: Number.MAX_SAFE_INTEGER });
  }
  if (Object.keys(limits).length > 0) body["limits"] = limits;
  if (values.budget !== undefined) body["budget"] = values.budget;
  return body;
}

interface Telling {
  readonly errand: KeyErrand;
  readonly isJson: boolean;
  readonly io: CommandIo;
  readonly url: string | undefined;
}

function tell({ status, body }: KeyReply, telling: Telling): number {
  const { errand, isJson, io } = telling;
  if (status >= 400) {
    const told = typeof body["error"] === "string" ? body["error"] : `the gateway answered ${status}`;
    const hint = status === 401 ? "; set HEDGEROW_ADMIN_TOKEN to the administrator's token" : "";
    io.stderr(`hedgerow keys: ${terminalLine(told)}${hint}\n`);
    return 1;
  }
  if (isJson) io.stdout(`${JSON.stringify(errand.kind === "list" ? body["data"] : body, null, 2)}\n`);
  else if (errand.kind === "list") tellList(body, io);
  else if (typeof body["key"] === "string") tellIssued(body, body["key"], telling);
  else if (errand.kind === "revoke") io.stdout(`${nameOf(body)} is revoked\n`);
  else io.stdout(keyText(body, Date.now()));
  return 0;
}

function tellList(body: KeyReply["body"], io: CommandIo): void {
  const listed = (body["data"] ?? []) as readonly ToldKey[];
  if (listed.length === 0) io.stdout("No key was issued. `hedgerow keys create --name NAME` issues one.\n");
  else io.stdout(keyTable(listed, Date.now()));
  if (body["has_more"] === true) io.stderr(`hedgerow keys: only the newest ${listed.length} are shown\n`);
}

function tellIssued(body: KeyReply["body"], text: string, { errand, io, url }: Telling): void {
  const old = (body["secrets"] as readonly ToldKey[] | undefined)?.find((secret) => secret["until"] !== undefined);
  const before = old === undefined ? "" : ` The one before is good until ${terminalLine(String(old["until"]))}.`;
  const what = errand.kind === "create" ? "was issued." : `has a new secret.${before}`;
  io.stderr(`${nameOf(body)} ${what} This is the key; it is shown this once:\n`);
  io.stdout(`${text}\n`);
  if (body["role"] === "viewer") return;
  io.stderr(`Use it as the API key of any SDK, with the base URL ${gatewayUrl(url, io)}/v1\n`);
}

function nameOf(body: KeyReply["body"]): string {
  return terminalLine(`${String(body["name"])} (${String(body["id"])})`);
}
