import { hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openReviewFile } from "#control/reviews/review-file";
import { storedRequests } from "#dialects/openai-responses/stored-objects";
import { ownerOf } from "#domain/gateway-key";
import { processMemory } from "#pipeline/process-memory";
import { startIssuing } from "../keys/issuing-gateway.ts";
import { reviewId, sampleReview } from "../reviews/sample-review.ts";
import { ok, startUpstream } from "../upstream/start-upstream.ts";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt } from "../world/start-gateway.ts";

const day = 24 * 60 * 60 * 1000;

/** Everything of one tenant that the gateway keeps, by the kind of its id. */
interface Ids {
  readonly response: string;
  readonly item: string;
  readonly conversation: string;
  readonly message: string;
  readonly review: string;
}
type Kind = keyof Ids;

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
}

const call = (more: object): Request => ({ method: "POST", path: "responses", body: { model: "main", ...more } });

/** Every way to ask for something that is kept, by what is asked for. */
const requests: Readonly<Record<string, readonly [Kind, (ids: Ids) => Request]>> = {
  "GET responses/*": ["response", ({ response }) => ({ method: "GET", path: `responses/${response}` })],
  "POST responses/*/cancel": [
    "response",
    ({ response }) => ({ method: "POST", path: `responses/${response}/cancel`, body: {} }),
  ],
  "GET responses/*/input_items": [
    "response",
    ({ response }) => ({ method: "GET", path: `responses/${response}/input_items` }),
  ],
  "DELETE responses/*": ["response", ({ response }) => ({ method: "DELETE", path: `responses/${response}` })],
  "a call after a response": ["response", ({ response }) => call({ input: "hi", previous_response_id: response })],
  "a call with an item": ["item", ({ item }) => call({ input: [{ type: "item_reference", id: item }] })],
  "GET conversations/*": [
    "conversation",
    ({ conversation }) => ({ method: "GET", path: `conversations/${conversation}` }),
  ],
  "POST conversations/*": [
    "conversation",
    ({ conversation }) => ({ method: "POST", path: `conversations/${conversation}`, body: { metadata: { a: "b" } } }),
  ],
  "GET conversations/*/items": [
    "conversation",
    ({ conversation }) => ({ method: "GET", path: `conversations/${conversation}/items` }),
  ],
  "POST conversations/*/items": [
    "conversation",
    ({ conversation }) => ({
      method: "POST",
      path: `conversations/${conversation}/items`,
      body: { items: [{ type: "message", role: "user", content: "mine" }] },
    }),
  ],
  "GET conversations/*/items/*": [
    "conversation",
    ({ conversation, message }) => ({ method: "GET", path: `conversations/${conversation}/items/${message}` }),
  ],
  "DELETE conversations/*/items/*": [
    "conversation",
    ({ conversation, message }) => ({ method: "DELETE", path: `conversations/${conversation}/items/${message}` }),
  ],
  "a call in a conversation": ["conversation", ({ conversation }) => call({ input: "hi", conversation })],
  "DELETE conversations/*": [
    "conversation",
    ({ conversation }) => ({ method: "DELETE", path: `conversations/${conversation}` }),
  ],
  "GET reviews/*": ["review", ({ review }) => ({ method: "GET", path: `reviews/${review}` })],
};

/** Two keys of the configuration, and two that were issued under one name, of which the first is revoked. */
async function twoTenants() {
  const upstream = await startUpstream(ok("Green."));
  const opened = openReviewFile({ path: ":memory:", wallMs: Date.now, onTrouble: () => {} });
  if (opened.kind === "refused") throw new Error(opened.message);
  let nowMs = 0;
  const secret = (name: string): string => `hk-${name}-0123456789abcdef`;
  const configured = ["alice", "bob"].map((name) => ({ name, sha256: hash("sha256", secret(name)) }));
  const provider = { ...providerAt("openai", "openai", upstream.url), dialects: ["openai-responses" as const] };
  const world = await startIssuing([[provider], [sampleRoute("main", ["openai/gpt-4.1"])]], {
    keys: configured,
    memory: processMemory(() => nowMs),
    reviews: opened.reviews,
    labels: { take: (_label, then) => then(true) },
  });
  const issue = async () => {
    const made = await world.feed.ask({ kind: "create", facts: { name: "app" } });
    if (made.kind !== "issued") throw new Error(made.kind);
    return { secret: made.text, owner: ownerOf({ name: "app", id: made.key.id }) };
  };
  const ask = async (key: string, { method, path, body }: Request) => {
    const answer = await fetch(`${world.gateway.url}/v1/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, text: await answer.text() };
  };
  const parsed = async (key: string, request: Request) => JSON.parse((await ask(key, request)).text);
  let reviews = 0;
  /** One of each thing that is kept. */
  const furnish = async (key: string, owner: string): Promise<Ids> => {
    const made = await parsed(key, call({ input: "Which?" }));
    const messages = [{ type: "message", role: "user", content: "Hello" }];
    const conversation = await parsed(key, { method: "POST", path: "conversations", body: { items: messages } });
    const list = await parsed(key, { method: "GET", path: `conversations/${conversation.id}/items` });
    reviews += 1;
    const at = Date.now();
    const review = reviewId(reviews);
    opened.reviews.put(sampleReview({ id: review, owner, createdAtMs: at, deadlineAtMs: at + day }));
    return {
      response: made.id,
      item: made.output[0].id,
      conversation: conversation.id,
      message: list.data[0].id,
      review,
    };
  };
  return {
    url: world.gateway.url,
    secret,
    issue,
    revoke: () => world.feed.ask({ kind: "revoke", key: "app" }),
    ask,
    furnish,
    upstream,
    pass: (ms: number) => void (nowMs += ms),
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await upstream.close();
    },
  };
}

const nobodys: Ids = {
  response: "resp_0123456789abcdef01234567",
  item: "msg_0123456789abcdef01234567",
  conversation: "conv_0123456789abcdef01234567",
  message: "msg_0123456789abcdef01234567",
  review: "rev_0123456789abcdef01234567",
};

/** Without the ids that were sent and the one that each answer has. */
function bare(text: string, ids: Ids): string {
  // An item's may have its response's in it.
  return [ids.item, ids.message, ids.response, ids.conversation, ids.review]
    .reduce((all, id) => all.replaceAll(id, "ID"), text)
    .replaceAll(/req_[0-9a-f]{24}/gu, "REQUEST");
}

const forged = (id: string): string => id.slice(0, -1) + (id.endsWith("0") ? "1" : "0");
const mapped = (ids: Ids, change: (id: string) => string): Ids => ({
  response: change(ids.response),
  item: change(ids.item),
  conversation: change(ids.conversation),
  message: change(ids.message),
  review: change(ids.review),
});

describe("what the gateway keeps", () => {
  it("is asked for in every way that this test knows", () => {
    const known = Object.keys(requests);
    expect(storedRequests.filter((each) => each !== "POST conversations" && !known.includes(each))).toEqual([]);
  });

  it("is there for whoever it belongs to", async () => {
    await using world = await twoTenants();
    const [key, ids] = [world.secret("alice"), await world.furnish(world.secret("alice"), "alice")];
    for (const [name, [, request]] of Object.entries(requests)) {
      // Nothing of ours runs in the background, so that nothing can be cancelled.
      const expected = name.endsWith("/cancel") ? 400 : 200;
      if (name === "DELETE responses/*") continue;
      expect([name, (await world.ask(key, request(ids))).status]).toEqual([name, expected]);
    }
    expect((await world.ask(key, { method: "DELETE", path: `responses/${ids.response}` })).status).toBe(200);
  });

  it.each([
    ["another key's", "alice", "bob"],
    ["another's, of an issued key", "app", "bob"],
    ["another's, to an issued key", "alice", "app"],
    ["an earlier key's of the same name", "app", "app"],
  ])("is to nobody else as if it were not: %s", async (_, maker, asker) => {
    await using world = await twoTenants();
    const first = maker === "app" ? await world.issue() : { secret: world.secret(maker), owner: maker };
    const ids = await world.furnish(first.secret, first.owner);
    if (maker === "app") await world.revoke();
    const key = asker === "app" ? (await world.issue()).secret : world.secret(asker);
    const before = world.upstream.log.entries.length;
    for (const [name, [, request]] of Object.entries(requests)) {
      const none = await world.ask(key, request(nobodys));
      const foreign = await world.ask(key, request(ids));
      expect([name, foreign.status, bare(foreign.text, ids)]).toEqual([name, none.status, bare(none.text, nobodys)]);
      expect(none.status).toBeGreaterThanOrEqual(400);
      expect(none.status).toBeLessThan(500);
      if (/^(?:GET|DELETE) |POST conversations/u.test(name)) expect([name, none.status]).toEqual([name, 404]);
    }
    expect(world.upstream.log.entries).toHaveLength(before);
    // And nobody has changed it.
    if (maker === "app") return;
    const mine = await world.ask(first.secret, { method: "GET", path: `conversations/${ids.conversation}/items` });
    expect(JSON.parse(mine.text).data).toHaveLength(1);
    expect((await world.ask(first.secret, { method: "GET", path: `responses/${ids.response}` })).status).toBe(200);
  });

  it("is found by no forged id, and not after its time", async () => {
    await using world = await twoTenants();
    const [key, ids] = [world.secret("alice"), await world.furnish(world.secret("alice"), "alice")];
    const before = world.upstream.log.entries.length;
    const same = async (name: string, odd: Ids): Promise<void> => {
      const [, request] = requests[name] ?? [];
      if (request === undefined) return;
      const [none, other] = [await world.ask(key, request(nobodys)), await world.ask(key, request(odd))];
      expect([name, other.status, bare(other.text, odd)]).toEqual([name, none.status, bare(none.text, nobodys)]);
    };
    for (const name of Object.keys(requests)) await same(name, mapped(ids, forged));
    world.pass(31 * day);
    for (const name of Object.keys(requests)) if (!name.includes("review")) await same(name, ids);
    expect(world.upstream.log.entries).toHaveLength(before);
  });

  it("takes another's verdicts as it takes those on nobody's answers", async () => {
    await using world = await twoTenants();
    const answer = await fetch(`${world.url}/v1/responses`, {
      method: "POST",
      headers: { authorization: `Bearer ${world.secret("alice")}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "main", input: "Which?" }),
    });
    const verdict = (id: string): Request => ({ method: "POST", path: "feedback", body: { id, correct: false } });
    const ids = ["req_0123456789abcdef01234567", answer.headers.get("x-request-id") ?? ""];
    expect(ids[1]).toMatch(/^req_/u);
    const [none, foreign] = await Promise.all(ids.map((id) => world.ask(world.secret("bob"), verdict(id))));
    const bareText = (text: string): string => text.replaceAll(/req_[0-9a-z]+/gu, "REQUEST");
    expect([foreign?.status, bareText(foreign?.text ?? "")]).toEqual([202, bareText(none?.text ?? "")]);
  });
});
