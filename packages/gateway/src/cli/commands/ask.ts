import type { Command, CommandIo } from "#cli/command";
import { fraction, readCommandLine } from "#cli/command-line";
import { askGateway } from "#cli/ask-gateway";
import type { AskFailed, Asked, Facts } from "#cli/ask-gateway";
import { gatewayUrl, usualUrl } from "#cli/gateway-url";
import { terminalLine, terminalText } from "#cli/terminal-text";

const usage = `Usage: hedgerow ask TEXT [-m MODEL] [--min-confidence X] [--no-stream] [--url URL] [-q]

Sends one call to a running gateway and prints the answer as it comes, then who answered, the attempts, the
confidence and the cost.

  -m, --model NAME         a route, an alias or provider/model (default: the gateway's default route)
      --min-confidence X   least confidence an answer needs, 0 to 1
      --no-stream          wait for the whole answer
      --url URL            the gateway (default $HEDGEROW_URL, else ${usualUrl})
  -q, --quiet              print the answer only

The gateway's key, where it wants one, is taken from $HEDGEROW_KEY.
`;

export const ask: Command = {
  name: "ask",
  summary: "one call to a running gateway, from the terminal",
  usage,
  async run(args, io) {
    const { values, words } = readCommandLine(args, {
      options: {
        model: { type: "string", short: "m" },
        "min-confidence": { type: "string" },
        "no-stream": { type: "boolean" },
        url: { type: "string" },
        quiet: { type: "boolean", short: "q" },
      },
      words: { least: 1, most: 1000, what: "the text to ask" },
    });
    const minConfidence = values["min-confidence"];
    const shown = io.isTty ? terminalText : (piece: string) => piece;
    let endsLine = true;
    const asked = await askGateway({
      url: gatewayUrl(values.url, io),
      text: words.join(" "),
      streamed: values["no-stream"] !== true,
      key: io.env["HEDGEROW_KEY"],
      model: values.model,
      minConfidence: minConfidence === undefined ? undefined : fraction("--min-confidence", minConfidence),
      onText: (piece) => {
        if (piece === "") return;
        io.stdout(shown(piece));
        endsLine = piece.endsWith("\n");
      },
    });
    if (!endsLine) io.stdout("\n");
    if (asked.kind === "failed") return explain(asked, io);
    if (values.quiet !== true) io.stdout(`\n${summary(asked)}\n`);
    for (const warning of asked.facts.warnings) io.stderr(`warning: ${terminalLine(warning)}\n`);
    return 0;
  },
};

/** `answered by sim-b/steady · 2 attempts (sim/flaky upstream_failed 12 ms, …) · recovered · 0.000012 USD · 840 ms` */
function summary({ facts, durationMs }: Asked): string {
  const parts = [
    `answered by ${facts.target ?? "an unnamed target"}`,
    attemptsText(facts),
    ...(facts.decision === undefined ? [] : [facts.decision]),
    facts.confidence === undefined ? "no confidence gate" : `confidence ${facts.confidence}`,
    facts.costUsd === undefined ? "cost unknown" : `${facts.costUsd} USD`,
    `${Math.round(durationMs)} ms`,
  ];
  return terminalLine(parts.join(" · "));
}

function attemptsText(facts: Facts): string {
  const count = facts.attemptCount ?? facts.attempts.length;
  const head = `${count} attempt${count === 1 ? "" : "s"}`;
  return facts.attempts.length < 2 ? head : `${head} (${facts.attempts.join(", ")})`;
}

function explain(failed: AskFailed, io: CommandIo): number {
  const code = failed.code === undefined ? "" : `${failed.code}: `;
  io.stderr(`hedgerow ask: ${terminalLine(`${code}${failed.message}`)}\n`);
  for (const attempt of failed.attempts) io.stderr(`  attempt: ${terminalLine(attempt)}\n`);
  if (failed.code === "unauthenticated") io.stderr("  set HEDGEROW_KEY to a key of the gateway\n");
  if (failed.requestId !== undefined) io.stderr(`  request: ${terminalLine(failed.requestId)}\n`);
  return 1;
}
