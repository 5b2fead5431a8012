import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { review } from "#cli/commands/review";
import { openReviewFile, type ReviewFile } from "#control/reviews/review-file";
import { candidate, judged, reviewId, sampleReview } from "../reviews/sample-review.ts";
import { runCommand, type Ran } from "../world/run-command.ts";

const root = mkdtempSync(join(tmpdir(), "hedgerow-review-cli-"));
let cwd = root;
let number = 0;
beforeEach(() => {
  cwd = join(root, String((number += 1)));
  mkdirSync(cwd);
});
afterAll(() => rmSync(root, { recursive: true }));

const hour = 3_600_000;
const id = reviewId(1);
const run = (...args: readonly string[]): Promise<Ran> =>
  runCommand(["review", ...args], [review], { cwd, env: { USER: "ann" } });

function opened(): ReviewFile {
  const made = openReviewFile({ path: join(cwd, ".hedgerow/reviews.sqlite"), wallMs: Date.now, onTrouble: () => {} });
  if (made.kind === "refused") throw new Error(made.message);
  return made.reviews;
}

function fill(...more: readonly Parameters<typeof sampleReview>[0][]): void {
  const reviews = opened();
  for (const each of more) {
    const nowMs = Date.now();
    expect(reviews.put(sampleReview({ createdAtMs: nowMs - 2 * hour, deadlineAtMs: nowMs + 3 * hour, ...each }))).toBe(
      true,
    );
  }
  reviews.close();
}

function decisionOf(of = id): unknown {
  const reviews = opened();
  const look = reviews.show(of);
  reviews.close();
  return look.kind === "found" ? look.review.decision : look.kind;
}

describe("hedgerow review", () => {
  it("lists what waits, the most urgent first", async () => {
    fill({}, { id: reviewId(2), deadlineAtMs: Date.now() + 600_000 }, { id: reviewId(3), candidates: [] });
    const ran = await run("list");
    expect(ran.code).toBe(0);
    const [head, first, second, third] = ran.out.split("\n");
    expect(head).toMatch(/^ID +DEADLINE +STATUS +BEST ANSWER +ROUTE +CALLER$/u);
    expect(first).toMatch(/^rev_0+2 +in 10 min +open +0\.70 of 0\.85, b\/two +main +app$/u);
    expect(second).toMatch(/^rev_0+1 +in 3 h +open /u);
    expect(third).toMatch(/none came/u);
    expect(JSON.parse((await run("list", "--json", "--limit", "1")).out)).toEqual([
      expect.objectContaining({ id: reviewId(2), status: "open", route: "main" }),
    ]);
    expect((await run("list", "--status", "decided")).out).toBe("No review is decided.\n");
  });

  it("shows what was asked, what was answered, how sure it is and how long there is time", async () => {
    const history = [
      { role: "system", content: "Be brief. ".repeat(100) },
      { role: "user", content: "Is the valve open?" },
    ];
    fill({ request: JSON.stringify({ model: "main", messages: history }) });
    const { out } = await run("show", id);
    expect(out).toContain(`${id}, open\nroute main, asked by app 2 h ago, call req_1\n`);
    expect(out).toContain("deadline in 3 h, then no answer is given");
    expect(out).toContain("user: Is the valve open?");
    expect(out).toContain("[400 more letters; --full shows them]");
    expect(out).toContain("ANSWER 1 of 2, a/one: 0.40 of 0.85: not sure enough\n  says a/one\n");
    expect(out).toContain(`hedgerow review answer ${id} --accept a/one\n`);
    expect((await run("show", id, "--full")).out).toContain("Be brief. ".repeat(100).trimEnd());
    expect(JSON.parse((await run("show", id, "--json")).out)).toMatchObject({ id, candidates: [{}, {}] });
  });

  it("shows a request it cannot read as it came", async () => {
    fill({ request: "{ not json" });
    expect((await run("show", id)).out).toContain("ASKED\n  { not json\n");
  });

  it("lets no word of a caller or a model reach the terminal as an escape, nor the shell as a command", async () => {
    const evil = "\u001B]0;owned\u0007\u001B[2J\u202Etxet";
    const target = "a/$(reboot)'\u001B[31m";
    fill({
      owner: `app${evil}`,
      route: `main${evil}`,
      request: JSON.stringify({ messages: [{ role: "user", content: evil }] }),
      candidates: [{ ...candidate(target, 0.4, evil), judgement: judged(0.4, { why: `because\n${evil}` }) }],
    });
    for (const ran of [await run("list"), await run("show", id)]) {
      expect(ran.code).toBe(0);
      // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
      expect(ran.out).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202A-\u202E]/u);
    }
    expect((await run("show", id)).out).toContain(`--accept 'a/$(reboot)'\\''�[31m'`);
  });

  it("claims and decides, once", async () => {
    fill({});
    const claimed = await run("claim", id, "--lease", "30m");
    expect(claimed).toEqual({
      code: 0,
      out: `${id} is claimed by ann; nobody else can decide it, until in 30 min\n`,
      err: "",
    });
    const other = await run("answer", id, "--reject", "--by", "bob");
    expect(other).toMatchObject({ code: 1, out: "", err: expect.stringContaining("ann has claimed it until ") });
    expect(await run("answer", id, "--accept", "b/two", "--reason", "checked")).toEqual({
      code: 0,
      out: `${id} is decided: accepted by ann\n`,
      err: "",
    });
    expect(decisionOf()).toMatchObject({ kind: "accepted", target: "b/two", reviewer: "ann", reason: "checked" });
    expect(await run("claim", id)).toMatchObject({ code: 1, err: expect.stringContaining("accepted by ann") });
    const shown = (await run("show", id)).out;
    expect(shown).toMatch(/DECIDED: accepted by ann, b\/two, .*\nbecause: checked\n/u);
    expect((await run("list")).out).toMatch(/accepted by ann 0\.\d s ago/u);
  });

  it.each([
    [["--edit", "better.txt", "--of", "a/one"], { kind: "edited", target: "a/one", text: "It is open.\n" }],
    [["--write", "Nobody knows."], { kind: "written", text: "Nobody knows." }],
    [["--reject"], { kind: "rejected" }],
  ])("answers with %j", async (args, expected) => {
    fill({});
    writeFileSync(join(cwd, "better.txt"), "It is open.\n");
    expect((await run("answer", id, ...args)).code).toBe(0);
    expect(decisionOf()).toMatchObject(expected);
  });

  it.each([
    [[], "what to do"],
    [["lost"], "there are list, show, claim and answer"],
    [["list", id], "unexpected"],
    [["show"], "the review's id is missing"],
    [["show", id, "--reject"], "--reject does not go with `review show`"],
    [["list", "--status", "lost"], "--status takes one of"],
    [["list", "--limit", "0"], "--limit takes a whole number"],
    [["claim", id, "--lease", "soon"], "--lease: "],
    [["answer", id], "say one of --accept"],
    [["answer", id, "--accept", "a/one", "--reject"], "say one of --accept"],
    [["answer", id, "--write", "x", "--of", "a/one"], "--of goes with --edit"],
    [["answer", id, "--edit", "no-such-file"], "no such file"],
  ])("says what is wrong with %j", async (args, words) => {
    fill({});
    const ran = await run(...args);
    expect(ran).toMatchObject({ code: 2, out: "", err: expect.stringContaining(words) });
    expect(decisionOf()).toBeUndefined();
  });

  it("says what it cannot find", async () => {
    const none = await run("list");
    expect(none).toMatchObject({ code: 1, err: expect.stringContaining("name its data folder with --data FOLDER") });
    fill({});
    expect(await run("show", "rev_\u001B[2J")).toMatchObject({ code: 1, err: expect.not.stringContaining("\u001B") });
    expect(await run("answer", id, "--accept", "c/none")).toMatchObject({
      code: 1,
      err: expect.stringContaining("name the target of one of the answers: a/one, b/two"),
    });
    expect((await run("list", "--data", ".hedgerow")).code).toBe(0);
  });

  it("needs to know who decides", async () => {
    fill({});
    const ran = await runCommand(["review", "answer", id, "--reject"], [review], { cwd });
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining("--by NAME") });
  });
});
