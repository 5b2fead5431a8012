import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openReviewFile, type ReviewFile } from "#control/reviews/review-file";
import { defaultConfidence, type Label } from "#domain/confidence";
import type { Labels } from "#domain/ports";
import { Secret } from "#domain/secret";
import { tendReviews, type ReviewTending } from "#planes/tend-reviews";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { reviewId, sampleReview } from "./sample-review.ts";

interface Told {
  readonly id: string;
  readonly type: string;
  readonly review: { readonly id: string; readonly status: string; readonly decision?: object };
}

/** Somebody who is told of reviews, and answers as the test says. */
class Listener {
  readonly told: Told[] = [];
  readonly texts: string[] = [];
  readonly headers: IncomingHttpHeaders[] = [];
  answer: (told: Told) => number = () => 200;
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}/reviews`;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      let text = "";
      request.on("data", (piece: Buffer) => (text += piece.toString("utf8")));
      request.on("end", () => {
        const told = JSON.parse(text) as Told;
        const status = this.answer(told);
        this.texts.push(text);
        this.headers.push(request.headers);
        if (status < 300) this.told.push(told);
        response.writeHead(status).end();
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => (this.#server === undefined ? resolve(undefined) : this.#server.close(resolve)));
  }
}

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface Setting {
  readonly reviews: ReviewFile;
  readonly listener: Listener;
  readonly said: string[];
  readonly clock: { aheadMs: number };
  readonly tend: (labels?: Labels) => ReviewTending;
}

async function setting(): Promise<Setting> {
  const clock = { aheadMs: 0 };
  const said: string[] = [];
  const opened = openReviewFile({
    path: ":memory:",
    wallMs: () => Date.now() + clock.aheadMs,
    onTrouble: (why) => void said.push(why),
  });
  if (opened.kind === "refused") throw new Error(opened.message);
  const { reviews } = opened;
  const listener = new Listener();
  await listener.start();
  cleanups.push(() => listener.stop());
  const say = (message: string): void => void said.push(message);
  return {
    reviews,
    listener,
    said,
    clock,
    tend(labels) {
      const webhook = { url: listener.url, key: new Secret("canary-hook") };
      const confidence = { ...defaultConfidence, review: { ...defaultConfidence.review, webhook } };
      const routes = new Map([
        ["main", sampleRoute("main", ["a/one"], { confidence })],
        ["silent", sampleRoute("silent", ["a/one"])],
      ]);
      const log = { info: say, warn: say, error: say };
      const tending = tendReviews({
        reviews,
        log,
        routes: () => routes,
        everyMs: 10,
        pace: 0.01,
        ...(labels === undefined ? {} : { labels }),
      });
      cleanups.push(() => tending.finish());
      return tending;
    },
  };
}

const fresh = (at: number, more: Parameters<typeof sampleReview>[0] = {}) =>
  sampleReview({ id: reviewId(at), createdAtMs: Date.now(), deadlineAtMs: Date.now() + 3_600_000, ...more });
const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 8_000, interval: 10 });
const idsOf = (listener: Listener): readonly string[] => listener.told.map(({ id }) => id);

describe("Tending reviews", () => {
  it("tells a route's webhook of new and decided reviews, without what was asked or answered", async () => {
    const { reviews, listener, tend } = await setting();
    tend();
    reviews.put(fresh(1));
    await soon(() => expect(idsOf(listener)).toEqual([`${reviewId(1)}.created`]));
    reviews.answer(reviewId(1), { by: "ann", answer: { kind: "write", text: "a secret text" } });
    await soon(() => expect(idsOf(listener)).toEqual([`${reviewId(1)}.created`, `${reviewId(1)}.decided`]));
    expect(listener.told[0]).toMatchObject({
      type: "review.created",
      review: { id: reviewId(1), status: "open", route: "main", request_id: "req_1", scores: [{ score: 0.4 }, {}] },
    });
    expect(listener.told[1]).toMatchObject({
      type: "review.decided",
      review: { status: "decided", decision: { kind: "written", reviewer: "ann" } },
    });
    expect(listener.headers[0]).toMatchObject({ authorization: "Bearer canary-hook" });
    expect(listener.texts.join("")).not.toMatch(/valve|says a|secret/u);
  });

  it("decides what nobody looks at once its deadline has passed, and tells of it", async () => {
    const { reviews, listener, clock, tend } = await setting();
    tend();
    reviews.put(fresh(1));
    clock.aheadMs = 4_000_000;
    await soon(() => expect(listener.told.at(-1)).toMatchObject({ review: { decision: { kind: "expired" } } }));
  });

  it("says nothing of routes without a webhook, and keeps nothing for them", async () => {
    const { reviews, listener, tend } = await setting();
    tend();
    reviews.put(fresh(1, { route: "silent" }));
    reviews.put(fresh(2, { route: "gone" }));
    reviews.put(fresh(3));
    await soon(() => expect(idsOf(listener)).toEqual([`${reviewId(3)}.created`]));
    await soon(() => expect(reviews.news.waiting(10)).toEqual([]));
  });

  it("tells again until somebody has heard, the first thing first", async () => {
    const { reviews, listener, said, tend } = await setting();
    await listener.stop();
    tend();
    for (const at of [1, 2, 3]) reviews.put(fresh(at));
    reviews.answer(reviewId(1), { by: "ann", answer: { kind: "reject" } });
    await soon(() => expect(said).toEqual([expect.stringContaining("not reached")]));
    let failures = 3;
    listener.answer = () => ((failures -= 1) >= 0 ? 503 : 200);
    await listener.start();
    const all = [
      `${reviewId(1)}.created`,
      `${reviewId(2)}.created`,
      `${reviewId(3)}.created`,
      `${reviewId(1)}.decided`,
    ];
    await soon(() => expect(idsOf(listener).toSorted()).toEqual(all.toSorted()));
    const ids = idsOf(listener);
    expect(ids.indexOf(`${reviewId(1)}.created`)).toBeLessThan(ids.indexOf(`${reviewId(1)}.decided`));
    await soon(() => expect(reviews.news.waiting(10)).toEqual([]));
  });

  it("gives up on what the webhook refuses, and goes on with the others", async () => {
    const { reviews, listener, said, tend } = await setting();
    listener.answer = ({ review }) => (review.id === reviewId(1) ? 422 : 200);
    tend();
    for (const at of [1, 2]) reviews.put(fresh(at));
    await soon(() => expect(said).toEqual([expect.stringContaining("it answers 422")]));
    expect(listener.texts.filter((text) => text.includes(reviewId(1)))).toHaveLength(3);
    expect(idsOf(listener)).toEqual([`${reviewId(2)}.created`]);
  });

  it("leaves what was not told to the next start", async () => {
    const { reviews, listener, tend } = await setting();
    listener.answer = () => 500;
    const first = tend();
    reviews.put(fresh(1));
    await soon(() => expect(listener.texts.length).toBeGreaterThan(0));
    await first.finish();
    listener.answer = () => 200;
    tend();
    await soon(() => expect(idsOf(listener)).toEqual([`${reviewId(1)}.created`]));
  });

  it.each([
    ["accept", { kind: "accept", target: "a/one" }, { "a/one": 1 }],
    ["edit", { kind: "edit", target: "a/one", text: "x" }, { "a/one": 0 }],
    ["write", { kind: "write", text: "x" }, { "a/one": 0, "b/two": 0 }],
    ["reject", { kind: "reject" }, { "a/one": 0, "b/two": 0 }],
  ] as const)("learns from a person's decision: %s", async (_name, answer, expected) => {
    const { reviews, tend } = await setting();
    const labels: Label[] = [];
    let refusals = 2;
    tend({ add: (label) => (refusals -= 1) < 0 && labels.push(label) > 0 });
    reviews.put(fresh(1));
    reviews.answer(reviewId(1), { by: "ann", answer });
    const wanted = Object.keys(expected);
    await soon(() => expect(labels.map(({ target }) => target)).toEqual(expect.arrayContaining(wanted)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(Object.fromEntries(labels.map(({ target, correct }) => [target, correct]))).toEqual(expected);
    expect(labels.every(({ source, caller }) => source === "review" && caller === "app")).toBe(true);
  });

  it("learns nothing from a deadline", async () => {
    const { reviews, clock, tend } = await setting();
    const labels: Label[] = [];
    tend({ add: (label) => labels.push(label) > 0 });
    reviews.put(fresh(1, { onTimeout: "best" }));
    clock.aheadMs = 4_000_000;
    await soon(() => expect(reviews.show(reviewId(1))).toMatchObject({ review: { status: "decided" } }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(labels).toEqual([]);
  });
});
