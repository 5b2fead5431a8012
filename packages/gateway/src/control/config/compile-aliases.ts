import type { CompileContext, Report } from "./compile-context.ts";
import { splitTarget } from "./compile-route.ts";
import { suggestion } from "./nearest.ts";
import type { ConfigDocument } from "./schema.ts";

/** Aliases with every chain followed to its end: a route's name, `provider/model` or `vendor/model`. */
export function compileAliases(
  document: ConfigDocument,
  context: CompileContext,
  report: Report,
): ReadonlyMap<string, string> {
  const written = new Map(Object.entries(document.aliases ?? {}));
  const routes = Object.keys(document.routes ?? {});
  const first = new Set(Object.keys(document.providers));
  for (const { kind } of Object.values(document.providers)) {
    const vendor = context.findKind(kind)?.vendor;
    if (vendor !== undefined) first.add(vendor);
  }
  const compiled = new Map<string, string>();
  const inKnownCircle = new Set<string>();
  for (const alias of written.keys()) {
    const path = ["aliases", alias];
    if (routes.includes(alias)) {
      report(path, `${JSON.stringify(alias)} is already the name of a route`, "give the alias another name");
      continue;
    }
    if (alias.includes("/") && document.providers[splitTarget(alias).provider] !== undefined) {
      report(path, `${JSON.stringify(alias)} already names a model at a provider`, "give the alias another name");
      continue;
    }
    const end = follow(alias, written);
    if (end.kind === "cycle") {
      if (end.steps.some((step) => inKnownCircle.has(step))) continue;
      for (const step of end.steps) inKnownCircle.add(step);
      report(
        path,
        `this alias leads back to itself: ${end.steps.join(" → ")}`,
        "let one of them name a route or a target",
      );
    } else if (routes.includes(end.name) || (end.name.includes("/") && first.has(splitTarget(end.name).provider))) {
      compiled.set(alias, end.name);
    } else {
      const known = [...new Set([...routes, ...written.keys()])].filter((name) => name !== alias);
      const message = `${JSON.stringify(end.name)} is neither a route nor a target`;
      report(path, message, suggestion(end.name, known, "routes and aliases") ?? "name a route or provider/model");
    }
  }
  return compiled;
}

type End =
  | { readonly kind: "end"; readonly name: string }
  | { readonly kind: "cycle"; readonly steps: readonly string[] };

function follow(alias: string, written: ReadonlyMap<string, string>): End {
  const steps = [alias];
  let name = written.get(alias) ?? alias;
  for (;;) {
    const next = written.get(name);
    if (next === undefined) return { kind: "end", name };
    if (steps.includes(name)) return { kind: "cycle", steps: [...steps, name] };
    steps.push(name);
    name = next;
  }
}
