import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failure } from "#domain/failure";
import { labelNames } from "#planes/label-names";
import { mergeSamples, Metrics, renderMetrics } from "#planes/metrics";
import { attemptRecord, callRecord, sampleJudgement } from "../world/sample-record.ts";
import { sampleProvider, sampleRoute, sampleSnapshot, sampleTraits } from "../world/sample-snapshot.ts";
import { parseExposition } from "./exposition.ts";

const snapshot = sampleSnapshot(
  [sampleProvider("a", { models: new Map([["x", sampleTraits("v/x", 1000)]]) }), sampleProvider("b", { vendor: "v" })],
  [sampleRoute("main", ["a/x", "b/y"])],
  { aliases: new Map([["short", "main"]]) },
);
const names = labelNames(
  () => snapshot,
  (spec, model) => (model === "listed" ? sampleTraits("v/listed", 1000) : spec.models.get(model)),
);

const exposed = (metrics: Metrics) => renderMetrics(mergeSamples([metrics.sample({ hedgerow_workers: 1 })]));

describe("The number of series of /metrics", () => {
  it("does not grow with what callers make up: ten thousand of each make 78 lines", () => {
    const metrics = new Metrics(names);
    for (let at = 0; at < 10_000; at += 1) {
      const target = at % 2 === 0 ? `a/made-up-${at}` : `b/made-up-${at}`;
      const made = { target, provider: target.slice(0, 1), model: `made-up-${at}` };
      metrics.observe(
        callRecord(`req_${at}`, {
          caller: `caller-${at}`,
          organisation: `organisation-${at}`,
          team: `team-${at}`,
          user: `user-${at}`,
          session: `session-${at}`,
          tags: [`tag-${at}`],
          route: at % 3 === 0 ? `made-up-${at}` : target,
          requestedModel: `made-up-${at}`,
          review: `rev_${at}`,
          decision: "failed",
          committed: false,
          attempts: [
            attemptRecord({ ...made, outcome: "failed", judgement: sampleJudgement({ verdict: "accepted" }) }),
          ],
        }),
      );
      metrics.observeRefusal(failure("model_not_found", `There is no model ${at}.`));
    }
    const families = parseExposition(exposed(metrics));
    const samples = families.flatMap((family) => family.samples);
    // Of three routes (a/other, b/other, other) each: a call, a judged answer, a review, a histogram of 17 lines. Of two
    // targets each: an attempt, six buckets of tokens, a cost. One code of refusals, and one worker.
    expect(samples).toHaveLength(3 * (3 + 17) + 2 * 8 + 2);
    const calls = families.find(({ name }) => name === "hedgerow_calls_total")?.samples ?? [];
    expect(new Set(calls.map(({ labels }) => labels["route"]))).toEqual(new Set(["a/other", "b/other", "other"]));
    expect(calls.reduce((sum, { value }) => sum + value, 0)).toBe(10_000);
  });

  it("grows by a hundred names that nobody lists and that answered all the same", () => {
    const metrics = new Metrics(names);
    for (let at = 0; at < 10_000; at += 1) {
      const target = `a/local-${at}`;
      metrics.observe(callRecord(`req_${at}`, { route: target, attempts: [attemptRecord({ target })] }));
    }
    const labels = parseExposition(exposed(metrics))
      .find(({ name }) => name === "hedgerow_calls_total")
      ?.samples.map((sample) => sample.labels["route"]);
    expect(labels).toHaveLength(101);
    expect(labels).toEqual(expect.arrayContaining(["a/local-0", "a/local-99", "a/other"]));
  });

  it("keeps the names of the configuration and of the catalogue", () => {
    for (const known of ["", "main", "short", "a/x", "b/y", "a/listed", "x", "listed"]) {
      expect(names.route(known, false)).toBe(known);
    }
    for (const known of ["a/x", "b/y", "b/listed"]) expect(names.target(known, false)).toBe(known);
    expect(names.route("main2", false)).toBe("other");
    expect(names.route("v/unlisted", false)).toBe("other");
    expect(names.target("b/x", false)).toBe("b/other");
    expect(names.target("c/x", false)).toBe("other");
  });

  it("knows the names of a configuration that came later, and no more those of the one before", () => {
    let current = snapshot;
    const following = labelNames(
      () => current,
      (spec, model) => spec.models.get(model),
    );
    expect(following.route("main", false)).toBe("main");
    current = sampleSnapshot([sampleProvider("c")], [sampleRoute("next", ["c/z"])]);
    expect([following.route("main", false), following.route("next", false), following.target("c/z", false)]).toEqual([
      "other",
      "next",
      "c/z",
    ]);
  });
});

describe("The text of /metrics", () => {
  it("is what Prometheus reads, whatever stands in a name", () => {
    const anyName = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom('a"b', "a\\", "a\nb", "{}", 'x",le="1', "\u2028", "a".repeat(300)),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(anyName, anyName), { maxLength: 20 }), (pairs) => {
        const metrics = new Metrics();
        for (const [route, target] of pairs)
          metrics.observe(callRecord("req_1", { route, attempts: [attemptRecord({ target })] }));
        const families = parseExposition(exposed(metrics));
        const calls = families.find(({ name }) => name === "hedgerow_calls_total")?.samples ?? [];
        expect(calls.reduce((sum, { value }) => sum + value, 0)).toBe(pairs.length);
      }),
    );
  });

  it("is refused by the reader of these tests where it is wrong", () => {
    const good = '# HELP a_total A.\n# TYPE a_total counter\na_total{b="c"} 1\n';
    expect(parseExposition(good)).toHaveLength(1);
    const bad = [
      good.slice(0, -1),
      good + good,
      good + 'a_total{b="c"} 2\n',
      good.replace("# HELP a_total A.\n", ""),
      good.replace("} 1", "} one"),
      good.replace('"c"', '"c\\x"'),
      good.replace('b="c"', 'b="c" '),
      good.replace('b="c"', 'b="c",b="d"'),
      good.replace("a_total{", "other_total{"),
      '# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
    ];
    for (const text of bad) expect(() => parseExposition(text), text).toThrow();
  });
});
