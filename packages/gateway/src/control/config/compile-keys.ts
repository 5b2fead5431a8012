import type { GatewayKey, KeyFacts } from "#domain/gateway-key";
import type { Team } from "#domain/snapshot";
import { compileAllowance } from "./allowance-schema.ts";
import type { Report } from "./compile-context.ts";
import { sha256Hex } from "./fingerprint.ts";
import { parseMoment } from "./key-schema.ts";
import { suggestion } from "./nearest.ts";
import type { ConfigPath } from "./problem.ts";
import type { ConfigDocument, KeyEntry } from "./schema.ts";

const shortestKey = 24;
/** What callers are called where the gateway is open. */
const reserved = "anonymous";

export interface Tenants {
  readonly organisations?: readonly string[];
  readonly teams?: ReadonlyMap<string, Team>;
}

export function compileTenants(document: ConfigDocument, report: Report): Tenants {
  const organisations = Object.keys(document.organisations ?? {});
  const teams = new Map<string, Team>();
  for (const [name, { organisation }] of Object.entries(document.teams ?? {})) {
    if (organisation !== undefined && !organisations.includes(organisation)) {
      unknown(report, ["teams", name, "organisation"], {
        what: "organisation",
        name: organisation,
        known: organisations,
      });
    }
    teams.set(name, organisation === undefined ? {} : { organisation });
  }
  return {
    ...(organisations.length === 0 ? {} : { organisations }),
    ...(teams.size === 0 ? {} : { teams }),
  };
}

export function compileKeys(document: ConfigDocument, tenants: Tenants, report: Report): readonly GatewayKey[] {
  const keys: GatewayKey[] = [];
  const seen = new Map<string, string>();
  for (const [name, entry] of Object.entries(document.keys ?? {})) {
    const path = ["keys", name];
    if (name === reserved) report(path, `${JSON.stringify(reserved)} is nobody's name`, "give the key another");
    if ((entry.key === undefined) === (entry.sha256 === undefined)) {
      report(path, "a key needs exactly one of `key` and `sha256`", "keep one of them");
      continue;
    }
    const plain = entry.key?.reveal();
    if (plain !== undefined && isShort(plain, [...path, "key"], report)) continue;
    const sha256 = (plain === undefined ? (entry.sha256 ?? "") : sha256Hex(plain)).toLowerCase();
    const twin = seen.get(sha256);
    if (twin !== undefined)
      report(
        [...path, entry.key === undefined ? "sha256" : "key"],
        `this is the same key as ${JSON.stringify(twin)}`,
        "give each caller its own",
      );
    seen.set(sha256, name);
    checkNames(path, { entry, document }, report);
    keys.push({ ...factsOf({ name, entry, path }, tenants, report), sha256 });
  }
  const token = document.server?.admin?.token?.reveal();
  const twin = token === undefined ? undefined : seen.get(sha256Hex(token));
  if (twin !== undefined) {
    report(
      ["server", "admin", "token"],
      `this is the key ${JSON.stringify(twin)}`,
      "give the token a value of its own",
    );
  }
  return keys;
}

/** The administrator's token, as its SHA-256. */
export function compileAdminToken(document: ConfigDocument, report: Report): string | undefined {
  const token = document.server?.admin?.token?.reveal();
  if (token === undefined || isShort(token, ["server", "admin", "token"], report)) return undefined;
  return sha256Hex(token);
}

function isShort(plain: string, path: ConfigPath, report: Report): boolean {
  if (plain.length >= shortestKey) return false;
  const what = path[0] === "keys" ? "a gateway key" : "a token";
  const fix = "make one with: openssl rand -hex 24";
  report(path, `${what} has at least ${shortestKey} characters, this one has ${plain.length}`, fix);
  return true;
}

interface Written {
  readonly name: string;
  readonly entry: KeyEntry;
  readonly path: ConfigPath;
}

function factsOf({ name, entry, path }: Written, tenants: Tenants, report: Report): KeyFacts {
  const { routes, models, providers, endpoints, priority, team, expires } = entry;
  const role = entry.role ?? (entry.admin === true ? "admin" : undefined);
  if (entry.admin === true && role !== "admin") {
    report([...path, "admin"], `\`admin: true\` and \`role: ${role}\` contradict each other`, "keep `role`");
  }
  const ofTeam = team === undefined ? undefined : tenants.teams?.get(team)?.organisation;
  if (entry.organisation !== undefined && ofTeam !== undefined && ofTeam !== entry.organisation) {
    const message = `its team ${JSON.stringify(team)} belongs to ${JSON.stringify(ofTeam)}`;
    report([...path, "organisation"], message, "remove it: the team says it");
  }
  const organisation = entry.organisation ?? ofTeam;
  const allowance = compileAllowance(entry);
  const expiresAtMs = expires === undefined ? undefined : parseMoment(expires);
  return {
    name,
    ...(routes === undefined ? {} : { routes }),
    ...(models === undefined ? {} : { models }),
    ...(providers === undefined ? {} : { providers }),
    ...(endpoints === undefined ? {} : { endpoints }),
    ...(organisation === undefined ? {} : { organisation }),
    ...(team === undefined ? {} : { team }),
    ...(allowance === undefined ? {} : { allowance }),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...(priority === undefined || priority === "normal" ? {} : { priority }),
    ...(role === undefined || role === "inference" ? {} : { role }),
  };
}

/** Names that a key refers to, wherever it stands. */
function checkNames(path: ConfigPath, { entry, document }: Referring, report: Report): void {
  const known = {
    route: Object.keys(document.routes ?? {}),
    provider: Object.keys(document.providers),
    team: Object.keys(document.teams ?? {}),
    organisation: Object.keys(document.organisations ?? {}),
  };
  const look = (what: keyof typeof known, name: string | undefined, at: ConfigPath): void => {
    if (name === undefined || known[what].includes(name)) return;
    unknown(report, [...path, ...at], { what, name, known: known[what] });
  };
  for (const [index, route] of (entry.routes ?? []).entries()) look("route", route, ["routes", index]);
  for (const [index, provider] of (entry.providers ?? []).entries()) look("provider", provider, ["providers", index]);
  look("team", entry.team, ["team"]);
  look("organisation", entry.organisation, ["organisation"]);
}

interface Referring {
  readonly entry: KeyEntry;
  readonly document: ConfigDocument;
}

function unknown(
  report: Report,
  path: ConfigPath,
  { what, name, known }: { readonly what: string; readonly name: string; readonly known: readonly string[] },
): void {
  const fix = suggestion(name, known, `${what}s`) ?? `there are no \`${what}s\` in this file`;
  report(path, `no ${what} ${JSON.stringify(name)}`, fix);
}
