import { randomUUID } from "node:crypto";
import type { Opening } from "./entry.ts";

/** What the log says of one target: how often it was asked, and on whom it hung then. */
export interface TargetUse {
  readonly target: string;
  readonly provider: string;
  readonly model: string;
  attempts: number;
  answered: number;
  firstAt: string;
  lastAt: string;
  /** `operator:anthropic`, as of the supply graph that calls were planned by. */
  readonly groups: Set<string>;
  /** Others that answered calls which this one did not. */
  readonly substitutes: Set<string>;
}

interface Attempt {
  readonly target: string;
  readonly outcome: string;
  readonly groups?: readonly string[];
}

/** Gathers what was used, from the openings of calls. Their targets are an operator's own: they are as many as configured. */
export class SupplyUse {
  readonly #byTarget = new Map<string, TargetUse>();

  add(at: string, openings: Readonly<Record<string, Opening>>): void {
    const routing = openings["routing"]?.[2] as { readonly attempts?: readonly Attempt[] } | undefined;
    const attempts = routing?.attempts ?? [];
    const answering = attempts.find(({ outcome }) => outcome === "answered")?.target;
    for (const { target, outcome, groups = [] } of attempts) {
      const use = this.#use(target, at);
      use.attempts += 1;
      if (outcome === "answered") use.answered += 1;
      else if (answering !== undefined && answering !== target) use.substitutes.add(answering);
      if (at < use.firstAt) use.firstAt = at;
      if (at > use.lastAt) use.lastAt = at;
      for (const group of groups) use.groups.add(group);
    }
  }

  get targets(): readonly TargetUse[] {
    return [...this.#byTarget.values()].toSorted((a, b) => (a.target < b.target ? -1 : 1));
  }

  #use(target: string, at: string): TargetUse {
    let use = this.#byTarget.get(target);
    if (use === undefined) {
      const slash = target.indexOf("/");
      const [provider, model] = [target.slice(0, slash), target.slice(slash + 1)];
      const empty = { attempts: 0, answered: 0, firstAt: at, lastAt: at };
      use = { target, provider, model, ...empty, groups: new Set(), substitutes: new Set() };
      this.#byTarget.set(target, use);
    }
    return use;
  }
}

/** A row of the chain of sub-contractors: template B_05.02 of DORA's register of information (ITS 2024/2956), and B_07.01. */
export interface RegisterRow {
  readonly service: string;
  readonly provider: string;
  readonly rank: number;
  readonly recipient: string;
  readonly regions: string;
  readonly attempts: number;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly substitutes: string;
}

/** Who stands behind whom: whoever is paid, who runs it for them, whose machines it runs on. */
const ranks = ["storefront", "operator", "owner", "parent"] as const;

export function registerRows(targets: readonly TargetUse[]): readonly RegisterRow[] {
  return targets.flatMap(({ target, provider, groups, attempts, firstAt, lastAt, substitutes }) => {
    const regions = namesOf(groups, "region").join(" ");
    const about = { service: target, regions, attempts, firstAt, lastAt, substitutes: [...substitutes].join(" ") };
    const chain: string[][] = [[provider]];
    for (const kind of ranks) {
      const names = namesOf(groups, kind);
      if (names.length > 0) chain.push([...names]);
    }
    return chain.flatMap((names, at) =>
      names.map((name): RegisterRow => ({
        ...about,
        provider: name,
        rank: at + 1,
        recipient: at === 0 ? "" : (chain[at - 1] ?? []).join(" "),
      })),
    );
  });
}

function namesOf(groups: ReadonlySet<string>, kind: string): readonly string[] {
  return [...groups]
    .flatMap((group) => (group.startsWith(`${kind}:`) ? [group.slice(kind.length + 1)] : []))
    .toSorted();
}

/** The supply graph that was used, as a bill of materials: https://cyclonedx.org/docs/1.6/json/ (ECMA-424). */
export function cycloneDx(
  targets: readonly TargetUse[],
  made: { readonly at: string; readonly version: string },
): object {
  const behind = [...new Set(targets.flatMap(({ groups }) => [...groups]))].toSorted();
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${randomUUID()}`,
    version: 1,
    metadata: {
      timestamp: made.at,
      component: { type: "application", "bom-ref": "hedgerow", name: "hedgerow", version: made.version },
    },
    components: targets.map(({ target, model }) => ({
      type: "machine-learning-model",
      "bom-ref": `model:${target}`,
      name: model,
    })),
    services: [
      ...targets.map(({ target, provider, attempts, firstAt, lastAt }) => ({
        "bom-ref": `target:${target}`,
        name: target,
        provider: { name: provider },
        "x-trust-boundary": true,
        data: [{ flow: "bi-directional", classification: "prompts and answers" }],
        properties: [
          { name: "hedgerow:attempts", value: String(attempts) },
          { name: "hedgerow:first-used", value: firstAt },
          { name: "hedgerow:last-used", value: lastAt },
        ],
      })),
      ...behind.map((group) => ({
        "bom-ref": group,
        name: group.slice(group.indexOf(":") + 1),
        group: group.split(":", 1)[0],
      })),
    ],
    dependencies: [
      { ref: "hedgerow", dependsOn: targets.map(({ target }) => `target:${target}`) },
      ...targets.map(({ target, groups }) => ({
        ref: `target:${target}`,
        dependsOn: [`model:${target}`, ...[...groups].toSorted()],
      })),
    ],
  };
}
