import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { familyOf, type FamilyName } from "#planes/metrics";

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly schemaVersion: number;
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
}

const file = new URL("../../deploy/grafana/hedgerow.json", import.meta.url);
const dashboard = JSON.parse(readFileSync(file, "utf8")) as Dashboard;
const targets = dashboard.panels.flatMap(({ title, targets: asked = [] }) => asked.map((each) => ({ title, ...each })));

/** Of Prometheus itself, or of what scrapes. */
const foreignLabels = new Set(["job", "instance", "le"]);

/** The families that an expression names; undefined for a name that there is not. */
function familiesIn(expr: string) {
  return [...expr.matchAll(/\bhedgerow_\w+/gu)].map(([name]) => {
    const bare = name.replace(/_(?:bucket|sum|count)$/u, "");
    const whole = familyOf(name as FamilyName) as ReturnType<typeof familyOf> | undefined;
    const histogram = familyOf(bare as FamilyName) as ReturnType<typeof familyOf> | undefined;
    return { name, family: whole ?? (histogram?.type === "histogram" ? histogram : undefined) };
  });
}

function labelsIn(expr: string): readonly string[] {
  const matched = [...expr.matchAll(/\{([^}]*)\}/gu)].flatMap(([, inside = ""]) =>
    [...inside.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"[^"]*"/gu)].map(([, label = ""]) => label),
  );
  const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/gu)].flatMap(([, inside = ""]) => inside.split(/,\s*/u));
  return [...matched, ...grouped];
}

describe("The dashboard of Grafana", () => {
  it("is one that Grafana takes: a version, ids of their own, queries in every panel", () => {
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(36);
    expect(dashboard.uid).toMatch(/^[\w-]{1,40}$/u);
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { type, title, targets: asked = [] } of dashboard.panels) {
      expect(["row", "stat", "timeseries"]).toContain(type);
      expect(title).not.toBe("");
      expect(asked.length > 0, title).toBe(type !== "row");
      expect(new Set(asked.map(({ refId }) => refId)).size).toBe(asked.length);
    }
    const variables = dashboard.templating.list.map(({ name }) => name);
    for (const { expr } of targets) {
      for (const [, name = ""] of expr.matchAll(/\$(\w+)/gu)) expect([...variables, "__rate_interval"]).toContain(name);
    }
  });

  it("lies in a grid of 24 columns in which no panel covers another", () => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels) {
      const { x, y, w, h } = gridPos;
      expect(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 24, title).toBe(true);
      for (let column = x; column < x + w; column += 1) {
        for (let line = y; line < y + h; line += 1) {
          const place = `${column} ${line}`;
          expect(taken.get(place), `${title} at ${place}`).toBeUndefined();
          taken.set(place, title);
        }
      }
    }
  });

  it("asks for no metric and no label that /metrics does not have", () => {
    expect(targets.length).toBeGreaterThan(40);
    const asked = [...targets, ...dashboard.templating.list.map(({ name, query }) => ({ title: name, expr: query }))];
    for (const { title, expr } of asked) {
      const families = familiesIn(expr);
      for (const { name, family } of families) expect(family, `${name} in ${title}`).toBeDefined();
      const known = new Set([...foreignLabels, ...families.flatMap(({ family }) => family?.labels ?? [])]);
      for (const label of labelsIn(expr)) expect(known, `${label} in ${title}`).toContain(label);
    }
  });

  it("takes rates of counters alone, and shows no label that its query has lost", () => {
    for (const { title, expr, legendFormat } of targets) {
      const count = (character: string) => expr.split(character).length;
      expect([count("("), count("{"), count("[")], title).toEqual([count(")"), count("}"), count("]")]);
      for (const [, inside = ""] of expr.matchAll(/(?:rate|increase)\((\w+)/gu)) {
        const [found] = familiesIn(inside);
        expect(["counter", "histogram"], `${inside} in ${title}`).toContain(found?.family?.type);
      }
      const kept = [...expr.matchAll(/\bby \(([^)]*)\)/gu)].flatMap(([, labels = ""]) => labels.split(/,\s*/u));
      for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/gu)) expect(kept, title).toContain(label);
    }
  });

  it("names families by words that are none nowhere: the check of these tests finds one", () => {
    expect(familiesIn("rate(hedgerow_call_total[5m])")[0]?.family).toBeUndefined();
    expect(familiesIn("hedgerow_calls_total_bucket")[0]?.family).toBeUndefined();
    expect(labelsIn('sum by (a, b) (x{c="d", e=~"f"})')).toEqual(["c", "e", "a", "b"]);
  });
});
