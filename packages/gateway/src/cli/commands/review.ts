import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseDuration } from "#control/config/units";
import { openReviewFile, reviewFile, type DeskTurn, type ReviewDesk } from "#control/reviews/review-file";
import { maxListedReviews } from "#control/reviews/review-file";
import type { Verdict } from "#control/reviews/turns";
import type { ReviewStatus } from "#domain/review";
import { writtenBrief, writtenReview } from "#planes/review-json";
import { UsageError } from "#cli/command";
import type { Command, CommandIo } from "#cli/command";
import { readCommandLine, wholeNumber } from "#cli/command-line";
import { fromNow } from "#cli/duration-text";
import { reviewTable, reviewText } from "#cli/review-text";
import { terminalLine } from "#cli/terminal-text";

const usualLimit = 50;
const statuses: readonly ReviewStatus[] = ["open", "claimed", "decided"];
/** Somebody else's write is waited for so long; a person has time. */
const busyTimeoutMs = 5_000;

const usage = `Usage: hedgerow review list [--status open|claimed|decided] [--limit N]
       hedgerow review show ID [--full]
       hedgerow review claim ID [--by NAME] [--lease 15m]
       hedgerow review answer ID (--accept TARGET | --edit FILE [--of TARGET] | --write TEXT | --reject)
                                 [--reason TEXT] [--by NAME]

Answers that no target was sure enough of wait here for a person, where their route says \`exhausted: review\`. A claim
keeps others from deciding meanwhile; without one whoever decides first decides. There is one decision. It becomes the
caller's answer, and what the gateway learns from.

      --accept TARGET   the caller gets this target's answer as it is
      --edit FILE       the caller gets the text of this file, an answer made better
      --of TARGET       whose answer was edited; may be left out where there is only one
      --write TEXT      the caller gets this text: none of the answers was right
      --reject          the caller gets no answer
      --reason TEXT     kept with the decision, and told to the caller
      --by NAME         who decides (default $USER)
      --lease DURATION  how long a claim holds (default 15m)
      --full            show earlier turns of the conversation whole
      --status WORD     only those
      --limit N         list at most N, up to ${maxListedReviews} (default ${usualLimit})
      --data FOLDER     the gateway's data folder (default ./.hedgerow)
      --json            print JSON
`;

const options = {
  status: { type: "string" },
  limit: { type: "string" },
  full: { type: "boolean" },
  accept: { type: "string" },
  edit: { type: "string" },
  of: { type: "string" },
  write: { type: "string" },
  reject: { type: "boolean" },
  reason: { type: "string" },
  by: { type: "string" },
  lease: { type: "string" },
  data: { type: "string" },
  json: { type: "boolean" },
} as const;

type Option = keyof typeof options;

/** Which options go with which word; `data` and `json` go with all. */
const optionsOf: Readonly<Record<string, readonly Option[]>> = {
  list: ["status", "limit"],
  show: ["full"],
  claim: ["by", "lease"],
  answer: ["accept", "edit", "of", "write", "reject", "reason", "by"],
};

interface Asked {
  readonly values: { readonly [name in Option]?: string | boolean | undefined };
  readonly id: string;
  readonly io: CommandIo;
}

export const review: Command = {
  name: "review",
  summary: "answers that wait for a person: list, show, claim, answer",
  usage,
  async run(args, io) {
    const { values, words } = readCommandLine(args, {
      options,
      words: { least: 1, most: 2, what: "what to do (`list`, `show`, `claim` or `answer`)" },
    });
    const [word = "", id] = words;
    const own = optionsOf[word];
    if (own === undefined) {
      throw new UsageError(`no ${JSON.stringify(word)}; there are list, show, claim and answer`);
    }
    const odd = Object.keys(values).find((name) => !own.includes(name as Option) && name !== "data" && name !== "json");
    if (odd !== undefined) throw new UsageError(`--${odd} does not go with \`review ${word}\``);
    if (word === "list" && id !== undefined) throw new UsageError(`unexpected ${JSON.stringify(id)}`);
    if (word !== "list" && id === undefined) throw new UsageError("the review's id is missing; `review list` shows it");
    const work = workOf(word, { values, id: id ?? "", io });
    const desk = openDesk(resolve(io.cwd, values.data ?? ".hedgerow"), io);
    if (desk === undefined) return 1;
    try {
      return work(desk);
    } finally {
      desk.close();
    }
  },
};

/** Everything the command line says is read before the file is opened. */
function workOf(word: string, asked: Asked): (desk: ReviewDesk) => number {
  switch (word) {
    case "list":
      return listing(asked);
    case "show":
      return (desk) => show(desk, asked);
    case "claim":
      return claiming(asked);
    default:
      return answering(asked);
  }
}

function openDesk(folder: string, io: CommandIo): (ReviewDesk & { close(): void }) | undefined {
  const path = join(folder, reviewFile);
  // A folder without the file is somebody else's, or of a gateway that was never started.
  if (!existsSync(path)) {
    io.stderr(`hedgerow review: no gateway has kept reviews in ${folder}; name its data folder with --data FOLDER\n`);
    return undefined;
  }
  const opened = openReviewFile({ path, wallMs: Date.now, onTrouble: untold, busyTimeoutMs });
  if (opened.kind === "opened") return opened.reviews;
  io.stderr(`hedgerow review: ${terminalLine(opened.message)}\n`);
  return undefined;
}

/** What goes wrong is in what each operation gives. */
function untold(): void {}

function listing({ values, io }: Asked): (desk: ReviewDesk) => number {
  const status = statuses.find((each) => each === values.status);
  if (values.status !== undefined && status === undefined) {
    throw new UsageError(`--status takes one of ${statuses.join(", ")}`);
  }
  const limit =
    values.limit === undefined
      ? usualLimit
      : wholeNumber("--limit", textOf(values.limit), { min: 1, max: maxListedReviews });
  return (desk) => {
    const listed = desk.list({ limit, ...(status === undefined ? {} : { status }) });
    if (listed.kind === "unavailable") return unavailable(io, listed.why);
    const { reviews } = listed;
    if (values.json === true) io.stdout(`${JSON.stringify(reviews.map(writtenBrief), null, 2)}\n`);
    else if (reviews.length === 0) io.stdout(status === undefined ? "No review waits.\n" : `No review is ${status}.\n`);
    else io.stdout(`${reviewTable(reviews, Date.now())}\nhedgerow review show ID tells what was asked and answered.\n`);
    return 0;
  };
}

function show(desk: ReviewDesk, { values, id, io }: Asked): number {
  const look = desk.show(id);
  if (look.kind === "unavailable") return unavailable(io, look.why);
  if (look.kind === "unknown") return unknown(io, id);
  io.stdout(
    values.json === true
      ? `${JSON.stringify(writtenReview(look.review), null, 2)}\n`
      : reviewText(look.review, { nowMs: Date.now(), full: values.full === true }),
  );
  return 0;
}

function claiming(asked: Asked): (desk: ReviewDesk) => number {
  const { values, id } = asked;
  const by = reviewerOf(asked);
  const lease = values.lease === undefined ? undefined : parseDuration(textOf(values.lease));
  if (lease?.kind === "refused") throw new UsageError(`--lease: ${lease.why}`);
  const claim = { by, ...(lease === undefined ? {} : { leaseMs: lease.value }) };
  return (desk) => {
    const turn = desk.claim(id, claim);
    const until = turn.kind === "done" ? fromNow(turn.state.leaseUntilMs ?? 0, Date.now()) : "";
    return told(asked, turn, `claimed by ${by}; nobody else can decide it, until ${until}`);
  };
}

function answering(asked: Asked): (desk: ReviewDesk) => number {
  const { values, id } = asked;
  const by = reviewerOf(asked);
  const answer = answerOf(asked);
  const verdict: Verdict = { by, answer, ...(values.reason === undefined ? {} : { reason: textOf(values.reason) }) };
  return (desk) => {
    const turn = desk.answer(id, verdict);
    return told(asked, turn, `decided: ${turn.kind === "done" ? turn.state.decision?.kind : ""} by ${by}`);
  };
}

function answerOf({ values, io }: Asked): Verdict["answer"] {
  const { accept, edit, write, reject, of } = values;
  const given = [accept, edit, write, reject].filter((each) => each !== undefined);
  if (given.length !== 1) throw new UsageError("say one of --accept TARGET, --edit FILE, --write TEXT, --reject");
  if (of !== undefined && edit === undefined) throw new UsageError("--of goes with --edit");
  if (accept !== undefined) return { kind: "accept", target: textOf(accept) };
  if (write !== undefined) return { kind: "write", text: textOf(write) };
  if (edit === undefined) return { kind: "reject" };
  return { kind: "edit", text: fileText(io, textOf(edit)), ...(of === undefined ? {} : { target: textOf(of) }) };
}

function fileText({ cwd }: CommandIo, file: string): string {
  try {
    return readFileSync(resolve(cwd, file), "utf8");
  } catch (error) {
    throw new UsageError(`--edit ${JSON.stringify(file)}: ${(error as Error).message}`);
  }
}

function reviewerOf({ values, io }: Asked): string {
  const by = values.by ?? io.env["USER"] ?? io.env["USERNAME"];
  if (by === undefined || by === "") throw new UsageError("say who you are with --by NAME");
  return textOf(by);
}

function told({ values, id, io }: Asked, turn: DeskTurn, done: string): number {
  switch (turn.kind) {
    case "done":
      if (values.json === true) io.stdout(`${JSON.stringify(writtenReview(turn.state), null, 2)}\n`);
      else io.stdout(`${terminalLine(`${id} is ${done}`)}\n`);
      return 0;
    case "refused":
      io.stderr(`hedgerow review: ${terminalLine(`${id}: ${turn.message}`)}\n`);
      return 1;
    case "unknown":
      return unknown(io, id);
    case "unavailable":
      return unavailable(io, turn.why);
  }
}

function unknown(io: CommandIo, id: string): number {
  io.stderr(
    `hedgerow review: there is no review ${terminalLine(JSON.stringify(id))}; \`hedgerow review list\` shows them\n`,
  );
  return 1;
}

function unavailable(io: CommandIo, why: string): number {
  io.stderr(`hedgerow review: the reviews cannot be used at the moment: ${terminalLine(why)}; try again\n`);
  return 1;
}

function textOf(value: string | boolean): string {
  return String(value);
}
