import type { Command } from "#cli/command";
import { readCommandLine } from "#cli/command-line";
import { durationText } from "#cli/duration-text";
import { fetchHealth } from "#cli/fetch-health";
import type { ToldHealth, ToldScope } from "#cli/fetch-health";
import { gatewayUrl, usualUrl } from "#cli/gateway-url";
import { renderTable } from "#cli/table";
import type { Column } from "#cli/table";
import { terminalLine } from "#cli/terminal-text";

const usage = `Usage: hedgerow status [--url URL] [--json]

Shows what a running gateway knows of its providers: who is not asked and until when, calls in flight and how many are
taken at once, what is left of the accounts' limits.

  --url URL   the gateway (default $HEDGEROW_URL, else ${usualUrl})
  --json      print what the gateway says as one JSON object

Where the gateway wants a credential: the administrator's token in $HEDGEROW_ADMIN_TOKEN, or a key of the role viewer or
admin in $HEDGEROW_KEY.
`;

export const status: Command = {
  name: "status",
  summary: "what a running gateway knows of its providers",
  usage,
  async run(args, io) {
    const { values } = readCommandLine(args, {
      options: { url: { type: "string" }, json: { type: "boolean" } },
      words: { least: 0, most: 0, what: "nothing" },
    });
    const url = gatewayUrl(values.url, io);
    const fetched = await fetchHealth(url, io.env["HEDGEROW_ADMIN_TOKEN"] ?? io.env["HEDGEROW_KEY"]);
    if (fetched.kind === "failed") {
      io.stderr(`hedgerow status: ${terminalLine(fetched.message)}\n`);
      return 1;
    }
    if (values.json === true) io.stdout(`${JSON.stringify(fetched.health, null, 2)}\n`);
    else io.stdout(textOf(fetched.health));
    return 0;
  },
};

function textOf({ at, version, workers, scopes }: ToldHealth): string {
  const atMs = Date.parse(at);
  const trouble = scopes.filter(({ state }) => state !== "closed");
  const head = `configuration ${version}, ${workers} ${workers === 1 ? "worker" : "workers"}: ${
    trouble.length === 0 ? "all is well" : `${trouble.length} of ${scopes.length} scopes are in trouble or busy`
  }\n`;
  if (scopes.length === 0) return `${head}No provider has been asked yet.\n`;
  return terminalLine(head.trimEnd()) + "\n\n" + renderTable(columnsAt(atMs), scopes);
}

function columnsAt(atMs: number): readonly Column<ToldScope>[] {
  return [
    { title: "scope", value: ({ name }) => name },
    { title: "state", value: ({ words }) => words },
    {
      title: "since",
      value: ({ since }) => (since === undefined ? "" : `${durationText(atMs - Date.parse(since))} ago`),
    },
    {
      title: "until",
      value: ({ until }) => (until === undefined ? "" : `in ${durationText(Date.parse(until) - atMs)}`),
    },
    { title: "in flight", value: inFlightText, align: "right" },
    { title: "headroom", value: (scope) => headroomText(scope, atMs) },
  ];
}

/** `3/20`: calls on their way, and how many are taken at once as learned so far. */
function inFlightText({ in_flight: inFlight, limit }: ToldScope): string {
  return inFlight === undefined || limit === undefined ? "" : `${inFlight}/${limit}`;
}

function headroomText({ headroom = [] }: ToldScope, atMs: number): string {
  const words = headroom.map(({ name, remaining, limit, reset }) => {
    const most = limit === undefined ? "" : ` of ${limit}`;
    return `${remaining}${most} ${name}, reset in ${durationText(Date.parse(reset) - atMs)}`;
  });
  return words.join("; ");
}
