import type { Timeouts } from "#domain/plan";
import type { Constraints, HedgeRule, Route, RouteTarget } from "#domain/snapshot";
import { compileConfidence } from "./compile-confidence.ts";
import type { Report } from "./compile-context.ts";
import { suggestion } from "./nearest.ts";
import type { ConfigDocument, HedgeEntry, RouteEntry, TimeoutsEntry } from "./schema.ts";
import { defaultHedgeShare } from "./survival-schema.ts";

const defaultAttempts = 3;

export function compileRoutes(document: ConfigDocument, report: Report): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  for (const [name, entry] of Object.entries(document.routes ?? {})) {
    routes.set(name, {
      name,
      ...compileTargets({ name, entry }, Object.keys(document.providers), report),
      timeouts: compileTimeouts(entry.timeouts ?? {}),
      maxAttempts: entry.retries?.attempts ?? defaultAttempts,
      retryEmpty: entry.retries?.empty ?? true,
      ...(entry.spread === undefined ? {} : { spread: entry.spread }),
      ...(entry.order === undefined ? {} : { order: entry.order }),
      ...(entry.constraints === undefined ? {} : { constraints: compileConstraints(entry.constraints) }),
      ...(entry.hedge === undefined ? {} : { hedge: compileHedge(entry.hedge) }),
      ...(entry.confidence === undefined
        ? {}
        : {
            confidence: compileConfidence(
              { route: name, entry: entry.confidence },
              Object.keys(document.providers),
              report,
            ),
          }),
    });
  }
  return routes;
}

function compileConstraints({ maxLatency, ...rest }: NonNullable<RouteEntry["constraints"]>): Constraints {
  return { ...rest, ...(maxLatency === undefined ? {} : { maxLatencyMs: maxLatency }) };
}

/** `provider/model`: the provider's name ends at the first slash, the model's may hold more of them. */
export function splitTarget(text: string): { readonly provider: string; readonly model: string } {
  const slash = text.indexOf("/");
  return { provider: text.slice(0, slash), model: text.slice(slash + 1) };
}

/** The `provider/model` texts of a route, in order. */
export function targetTexts(entry: RouteEntry): readonly string[] {
  return entry.targets.map((target) => (typeof target === "string" ? target : target.target));
}

export function compileTimeouts(entry: TimeoutsEntry): Partial<Timeouts> {
  return {
    ...(entry.connect === undefined ? {} : { connectMs: entry.connect }),
    ...(entry.firstByte === undefined ? {} : { firstByteMs: entry.firstByte }),
    ...(entry.firstToken === undefined ? {} : { firstTokenMs: entry.firstToken }),
    ...(entry.idle === undefined ? {} : { idleMs: entry.idle }),
    ...(entry.contentIdle === undefined ? {} : { contentIdleMs: entry.contentIdle }),
    ...(entry.total === undefined ? {} : { totalMs: entry.total }),
  };
}

function compileHedge({ after = "p95", share = defaultHedgeShare, sideEffects = false }: HedgeEntry): HedgeRule {
  return { ...(after === "p95" ? {} : { afterMs: after }), share, sideEffects };
}

function compileTargets(
  route: { readonly name: string; readonly entry: RouteEntry },
  providers: readonly string[],
  report: Report,
): Pick<Route, "targets" | "whenSpent"> {
  const seen = new Map<string, number>();
  const all = route.entry.targets.map((written, index): RouteTarget => {
    const path = ["routes", route.name, "targets", index];
    const text = typeof written === "string" ? written : written.target;
    const { provider, model } = splitTarget(text);
    if (!providers.includes(provider)) {
      report(path, `no provider ${JSON.stringify(provider)}`, suggestion(provider, providers, "providers"));
    }
    const earlier = seen.get(text);
    if (earlier !== undefined) {
      report(
        path,
        `${JSON.stringify(text)} already stands at targets[${earlier}]`,
        "remove one; `retries` says how often",
      );
    }
    seen.set(text, index);
    if (typeof written === "string") return { provider, model, lastResort: false };
    const { when, weight, despite } = written;
    return {
      provider,
      model,
      lastResort: when === "last-resort",
      ...(when === "budget-spent" ? { whenSpent: true as const } : {}),
      ...(weight === undefined ? {} : { weight }),
      ...(despite === undefined ? {} : { despite: typeof despite === "string" ? [despite] : despite }),
    };
  });
  const targets = all.filter(({ whenSpent }) => whenSpent === undefined);
  const cheaper = all.slice(targets.length);
  const isLast = cheaper.every(({ whenSpent }) => whenSpent === true);
  if (!isLast || targets.length === 0) {
    const path = ["routes", route.name, "targets"];
    report(
      path,
      "`when: budget-spent` stands before a target that is asked otherwise, or without one",
      "write it last",
    );
  }
  return cheaper.length === 0 ? { targets } : { targets, whenSpent: cheaper };
}
