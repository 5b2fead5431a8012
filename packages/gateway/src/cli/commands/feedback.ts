import { UsageError } from "#cli/command";
import type { Command } from "#cli/command";
import { readCommandLine } from "#cli/command-line";
import { gatewayUrl, usualUrl } from "#cli/gateway-url";
import { sendFeedback } from "#cli/send-feedback";
import { terminalLine } from "#cli/terminal-text";

const usage = `Usage: hedgerow feedback ID --correct | --wrong [--note TEXT] [--target PROVIDER/MODEL] [--url URL]

Tells a running gateway whether an answer was right. It learns from that how much its confidence is worth. ID is the
answer's x-request-id; \`hedgerow report calls\` lists them.

      --correct       it was right
      --wrong         it was not
      --note TEXT     why, for people
      --target NAME   of an answer that was not given: who gave it
      --url URL       the gateway (default $HEDGEROW_URL, else ${usualUrl})

The gateway's key, where it wants one, is taken from $HEDGEROW_KEY: it is to be the one of the call.
`;

export const feedback: Command = {
  name: "feedback",
  summary: "tell the gateway whether an answer was right",
  usage,
  async run(args, io) {
    const { values, words } = readCommandLine(args, {
      options: {
        correct: { type: "boolean" },
        wrong: { type: "boolean" },
        note: { type: "string" },
        target: { type: "string" },
        url: { type: "string" },
      },
      words: { least: 1, most: 1, what: "the answer's x-request-id" },
    });
    if ((values.correct === true) === (values.wrong === true)) throw new UsageError("say either --correct or --wrong");
    const sent = await sendFeedback(gatewayUrl(values.url, io), io.env["HEDGEROW_KEY"], {
      id: words[0],
      correct: values.correct === true,
      ...(values.note === undefined ? {} : { note: values.note }),
      ...(values.target === undefined ? {} : { target: values.target }),
    });
    if (sent.kind === "kept") {
      io.stdout(`Kept: ${terminalLine(words[0] ?? "")} was ${values.correct === true ? "right" : "wrong"}.\n`);
      return 0;
    }
    io.stderr(`hedgerow feedback: ${terminalLine(sent.message)}\n`);
    return 1;
  },
};
