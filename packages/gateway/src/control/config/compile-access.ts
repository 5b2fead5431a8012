import type { DialectId } from "#domain/call";
import type { Secret } from "#domain/secret";
import type { Credential } from "#domain/snapshot";
import { plainKeyProblem } from "#providers/authorize";
import type { AddressSettings, ProviderKind, SettingName } from "#providers/provider";
import { readAddress } from "./address.ts";
import type { CompileContext, Report } from "./compile-context.ts";
import { suggestion } from "./nearest.ts";
import type { ProviderEntry } from "./schema.ts";

/** A provider's entry under its name. */
export interface ProviderNaming {
  readonly id: string;
  readonly entry: ProviderEntry;
  readonly kind: ProviderKind;
}

/** How a provider is reached and let in. Without an address where a problem was reported. */
export interface Access {
  readonly address: { readonly origin: string; readonly basePath: string } | undefined;
  readonly credentials: readonly Credential[];
  readonly settings: Settings;
  readonly dialects?: readonly DialectId[];
}

type Settings = AddressSettings & { readonly apiVersion?: string };

export function compileAccess(naming: ProviderNaming, context: CompileContext, report: Report): Access {
  const { entry, kind } = naming;
  const implied = context.implied?.(kind);
  const isKeyless = entry.key === undefined && entry.keys === undefined;
  const written = entry.keys ?? (entry.key === undefined ? [] : [entry.key]);
  const secrets = isKeyless && implied?.key !== undefined ? [implied.key] : written;
  const credentials = credentialsOf(naming, secrets, report);
  const settings = settingsOf(naming, { implied: implied?.settings ?? {}, secrets }, report);
  const address = addressOf(naming, settings.complete ? settings.values : undefined, report);
  const dialects = dialectsOf(naming, report);
  return { address, credentials, settings: settings.values, ...(dialects === undefined ? {} : { dialects }) };
}

/** What stands in a host's name or in a path has to fit there. */
const forms: Readonly<Record<SettingName, { readonly form: RegExp; readonly rule: string }>> = {
  region: { form: /^[a-z0-9][a-z0-9-]{0,62}$/iu, rule: "a region has letters, digits and dashes only" },
  resource: { form: /^[a-z0-9][a-z0-9-]{0,62}$/iu, rule: "a resource's name has letters, digits and dashes only" },
  project: { form: /^[\w.:-]{1,100}$/u, rule: "a project's name has letters, digits, dots, colons and dashes only" },
  apiVersion: { form: /^[\w.-]{1,40}$/u, rule: "a version has letters, digits, dots and dashes only" },
};

const settingNames = Object.keys(forms) as readonly SettingName[];

interface Given {
  /** From the environment. */
  readonly implied: Partial<Readonly<Record<SettingName, string>>>;
  readonly secrets: readonly Secret[];
}

function settingsOf(
  { id, entry, kind }: ProviderNaming,
  { implied, secrets }: Given,
  report: Report,
): { readonly values: Settings; readonly complete: boolean } {
  const values: Partial<Record<SettingName, string>> = {};
  let complete = true;
  for (const name of settingNames) {
    const use = kind.settings?.[name];
    const value = entry[name] ?? (use === undefined ? undefined : implied[name]);
    if (use === undefined) {
      // Where a provider runs may be said of all of them: targets are spread by it.
      if (name === "region" && value !== undefined) values.region = value;
      else if (value !== undefined) {
        report(
          ["providers", id, name],
          `a provider of kind ${JSON.stringify(kind.id)} takes no \`${name}\``,
          "remove it",
        );
      }
      continue;
    }
    if (value === undefined) {
      const given = { url: entry.url !== undefined, keys: secrets.map((secret) => secret.reveal()) };
      if (use.needed?.(given) !== true) continue;
      complete = false;
      const needs = `a provider of kind ${JSON.stringify(kind.id)} needs a \`${name}\``;
      report(["providers", id], needs, `add ${name}: ${use.example}`);
    } else if (forms[name].form.test(value)) {
      values[name] = value;
    } else {
      complete = false;
      report(["providers", id, name], forms[name].rule, `write one such as ${use.example}`);
    }
  }
  return { values, complete };
}

/** `settings` is undefined where some were missing or wrong: then nothing more is said of the address. */
function addressOf(
  { id, entry, kind }: ProviderNaming,
  settings: Settings | undefined,
  report: Report,
): Access["address"] {
  const own = kind.url ?? (settings === undefined ? undefined : kind.urlFor?.(settings));
  if (entry.url === undefined && own === undefined) {
    if (settings === undefined) return undefined;
    const fix = "add the API's base address, such as http://127.0.0.1:11434/v1";
    report(["providers", id], `a provider of kind ${JSON.stringify(kind.id)} needs a \`url\``, fix);
    return undefined;
  }
  const usual = own === undefined ? undefined : readAddress(own);
  if (entry.url === undefined) return usual?.kind === "address" ? withoutKind(usual) : undefined;
  const read = readAddress(entry.url, usual?.kind === "address" ? usual.basePath : "");
  if (read.kind === "address") return withoutKind(read);
  report(["providers", id, "url"], read.why, read.fix);
  return undefined;
}

function withoutKind({ origin, basePath }: NonNullable<Access["address"]>): NonNullable<Access["address"]> {
  return { origin, basePath };
}

function credentialsOf(
  { id, entry, kind }: ProviderNaming,
  secrets: readonly Secret[],
  report: Report,
): readonly Credential[] {
  const path = ["providers", id];
  if (entry.key !== undefined && entry.keys !== undefined) {
    report(path, "both `key` and `keys` are given", "keep `keys` and move the single one into it");
  }
  if (secrets.length === 0 && !kind.keyless) {
    const [variable = "API_KEY"] = kind.environmentKeys;
    report(path, `a provider of kind ${JSON.stringify(kind.id)} needs a \`key\``, `add key: \${${variable}}`);
  }
  const seen = new Set<string>();
  for (const [index, secret] of secrets.entries()) {
    const at = entry.keys === undefined ? [...path, "key"] : [...path, "keys", index];
    const value = secret.reveal();
    const problem = kind.keyProblem === undefined ? plainKeyProblem(value) : kind.keyProblem(value);
    if (problem !== undefined) report(at, problem, kind.keyProblem ? undefined : "look for a stray newline or quote");
    if (seen.has(value)) report(at, "this key is given twice", "remove one of them");
    seen.add(value);
  }
  return secrets.map((secret, index) => ({ id: `${id}#${index + 1}`, secret }));
}

function dialectsOf({ id, entry, kind }: ProviderNaming, report: Report): readonly DialectId[] | undefined {
  const { dialects } = entry;
  const known = kind.languages ?? [kind.dialect];
  for (const [index, dialect] of (dialects ?? []).entries()) {
    if (known.includes(dialect)) continue;
    const message = `a provider of kind ${JSON.stringify(kind.id)} is not asked in ${JSON.stringify(dialect)}`;
    report(["providers", id, "dialects", index], message, suggestion(dialect, known, "its dialects"));
  }
  return dialects;
}
