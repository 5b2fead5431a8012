import { vendorOf } from "#catalogue/catalogue";
import type { ModelTraits, Price } from "#domain/model";
import type { Target } from "#domain/plan";
import type { ChatQuirks } from "#domain/quirks";
import { isJurisdiction, jurisdictionOf } from "./jurisdiction.ts";

export type Risk = "low" | "moderate" | "high" | "critical";

/** What may be different when a backup answers in the primary's place, in the order tables show it. */
export const aspectNames = [
  "tools",
  "structured output",
  "context",
  "tokenizer",
  "reasoning state",
  "modalities",
  "jurisdiction",
  "safety tier",
  "price",
] as const;
export type AspectName = (typeof aspectNames)[number];

export interface Aspect {
  readonly aspect: AspectName;
  /** What each has, in words for a table's cell. */
  readonly primary: string;
  readonly backup: string;
  readonly risk: Risk;
  /** One clause. */
  readonly why: string;
}

/** One of the two, with what is known of who serves it. Absent: unknown. */
export interface Party {
  readonly target: Target;
  /** The provider's vendor, where its kind serves one. */
  readonly vendor?: string;
  readonly quirks?: ChatQuirks;
  /** Where it is asked, as configured or claimed. */
  readonly region?: string;
  /** Whose law holds, where the configuration says it. */
  readonly jurisdiction?: string;
  /** How far it is trusted, 0 to 9, where the configuration says it. */
  readonly safetyTier?: number;
}

/**
 * What changes for a caller when `backup` answers in place of `primary`: nine aspects, each with its risk and the reason.
 * What is not known of one of them is a moderate risk and says so: it is never taken for a low one.
 */
export function compatibility(primary: Party, backup: Party): readonly Aspect[] {
  return aspectNames.map((aspect) => {
    const { cells, verdict } = judges[aspect](primary, backup);
    return { aspect, primary: cells[0], backup: cells[1], risk: verdict[0], why: verdict[1] };
  });
}

/** What keeps a backup out of automatic failover, in words; undefined where nothing does. */
export function criticalWhy(aspects: readonly Aspect[]): string | undefined {
  const critical = aspects.filter(({ risk }) => risk === "critical");
  return critical.length === 0 ? undefined : critical.map(({ aspect, why }) => `${aspect}: ${why}`).join("; ");
}

const risks: readonly Risk[] = ["low", "moderate", "high", "critical"];

export function worstRisk(aspects: readonly Aspect[]): Risk {
  return risks[Math.max(0, ...aspects.map(({ risk }) => risks.indexOf(risk)))] ?? "low";
}

interface Judged {
  readonly cells: readonly [primary: string, backup: string];
  readonly verdict: readonly [risk: Risk, why: string];
}
type Judge = (primary: Party, backup: Party) => Judged;

const judges: Readonly<Record<AspectName, Judge>> = {
  tools,
  "structured output": structuredOutput,
  context,
  tokenizer,
  "reasoning state": reasoningState,
  modalities,
  jurisdiction,
  "safety tier": safetyTier,
  price,
};

const unknown = "unknown";

function tools(primary: Party, backup: Party): Judged {
  const [has, backupHas] = pair(primary, backup, ({ capabilities }) => capabilities.tools);
  const cells = [yesNo(has), yesNo(backupHas)] as const;
  if (has === undefined || backupHas === undefined)
    return { cells, verdict: unsure("whether tools can be called", has, backupHas) };
  if (has && !backupHas) return { cells, verdict: ["critical", "the backup cannot call tools"] };
  if (has && backup.quirks?.ignoresToolChoice === true)
    return { cells, verdict: ["moderate", "the backup calls tools as it likes, whatever `tool_choice` says"] };
  return { cells, verdict: ["low", has ? "both call tools" : "the primary calls none"] };
}

function structuredOutput(primary: Party, backup: Party): Judged {
  const obeys = ({ target, quirks }: Party) =>
    quirks?.jsonSchema === false ? false : target.traits?.capabilities.structuredOutput;
  const [has, backupHas] = [obeys(primary), obeys(backup)];
  const cells = [yesNo(has), yesNo(backupHas)] as const;
  if (has === undefined || backupHas === undefined)
    return { cells, verdict: unsure("whether a JSON schema is obeyed", has, backupHas) };
  if (has && !backupHas) return { cells, verdict: ["high", "nothing holds the backup to a JSON schema"] };
  return { cells, verdict: ["low", has ? "both obey a JSON schema" : "the primary obeys no schema"] };
}

/** A prompt that does not fit is sent to no target it does not fit into, so that a small window is no critical risk. */
function context(primary: Party, backup: Party): Judged {
  const [window, backupWindow] = pair(primary, backup, ({ contextTokens }) => contextTokens);
  const cells = [tokensText(window), tokensText(backupWindow)] as const;
  if (window === undefined || backupWindow === undefined)
    return { cells, verdict: unsure("how long a prompt may be", window, backupWindow) };
  const [longest, backupLongest] = pair(primary, backup, ({ maxOutputTokens }) => maxOutputTokens);
  const share = backupWindow / window;
  if (share < 1) {
    const why = `the backup's window is ${percent(share)} of the primary's: longer prompts have no backup`;
    return { cells, verdict: [share < 0.5 ? "high" : "moderate", why] };
  }
  if (longest !== undefined && backupLongest !== undefined && backupLongest < longest / 2) {
    const why = `the backup's answers end at ${tokensText(backupLongest)}, the primary's at ${tokensText(longest)}`;
    return { cells, verdict: ["moderate", why] };
  }
  return { cells, verdict: ["low", "every prompt that fits the primary fits the backup"] };
}

function tokenizer(primary: Party, backup: Party): Judged {
  const [vendor, backupVendor] = [vendorName(primary), vendorName(backup)];
  const cells = [vendor ?? unknown, backupVendor ?? unknown] as const;
  if (vendor === undefined || backupVendor === undefined)
    return { cells, verdict: unsure("whose tokens are counted", vendor, backupVendor) };
  if (modelName(primary) === modelName(backup)) return { cells, verdict: ["low", "it is the same model"] };
  if (vendor === backupVendor)
    return { cells, verdict: ["moderate", "another model of the same vendor, which may count other tokens"] };
  const why = "another vendor's tokens: counts, limits and `logit_bias` do not carry over";
  return { cells, verdict: ["moderate", why] };
}

/** Opaque reasoning state is sealed by its issuer, and of some vendors for the account alone. */
function reasoningState(primary: Party, backup: Party): Judged {
  const [has, backupHas] = pair(primary, backup, ({ capabilities }) => capabilities.reasoning);
  const [vendor, backupVendor] = [vendorName(primary), vendorName(backup)];
  const cells = [sealText(has, vendor), sealText(backupHas, backupVendor)] as const;
  if (has === false) return { cells, verdict: ["low", "the primary gives no reasoning to carry on"] };
  if (has === undefined || backupHas === undefined || vendor === undefined || backupVendor === undefined)
    return { cells, verdict: ["moderate", "unknown: who seals reasoning, and who can open it, is not known of both"] };
  if (!backupHas) return { cells, verdict: ["high", "the backup does not reason, and earlier reasoning stays behind"] };
  if (vendor !== backupVendor) {
    const why = `${backupVendor} cannot open what ${vendor} sealed: earlier reasoning stays behind`;
    return { cells, verdict: ["high", why] };
  }
  if (primary.target.provider !== backup.target.provider)
    return { cells, verdict: ["moderate", "the same vendor, but what one account sealed another may not open"] };
  return { cells, verdict: ["low", "the same account of the same vendor"] };
}

function modalities(primary: Party, backup: Party): Judged {
  const [inputs, backupInputs] = pair(primary, backup, ({ capabilities }) => capabilities.inputs);
  const [outputs, backupOutputs] = pair(primary, backup, ({ capabilities }) => capabilities.outputs);
  const cells = [mediaText(inputs, outputs), mediaText(backupInputs, backupOutputs)] as const;
  const lostOutputs = missing(outputs, backupOutputs);
  if (lostOutputs.length > 0)
    return { cells, verdict: ["critical", `the backup cannot answer in ${lostOutputs.join(", ")}`] };
  const lostInputs = missing(inputs, backupInputs);
  if (lostInputs.length > 0) return { cells, verdict: ["high", `the backup does not take ${lostInputs.join(", ")}`] };
  if (inputs === undefined || backupInputs === undefined)
    return { cells, verdict: unsure("which kinds of input are taken", inputs, backupInputs) };
  return { cells, verdict: ["low", "the backup takes every kind of input the primary takes"] };
}

/** Laws that forbid or condition a transfer out of where they hold: the GDPR's chapter V, and its British and Swiss kin. */
const guarded: ReadonlySet<string> = new Set(["eu", "uk", "ch"]);

function jurisdiction(primary: Party, backup: Party): Judged {
  const areDeclared = primary.jurisdiction !== undefined && backup.jurisdiction !== undefined;
  const [law, backupLaw] = areDeclared ? [declared(primary), declared(backup)] : [lawOf(primary), lawOf(backup)];
  const cells = [lawText(primary, law), lawText(backup, backupLaw)] as const;
  if (law === undefined || backupLaw === undefined) return { cells, verdict: unsure("where it runs", law, backupLaw) };
  if (law === backupLaw) return { cells, verdict: ["low", `both are in ${law}`] };
  const isBinding = primary.jurisdiction !== undefined || guarded.has(law);
  return { cells, verdict: [isBinding ? "critical" : "high", `data leaves ${law} for ${backupLaw}`] };
}

function safetyTier({ safetyTier: tier }: Party, { safetyTier: backupTier }: Party): Judged {
  const cells = [
    tier === undefined ? unknown : `tier ${tier}`,
    backupTier === undefined ? unknown : `tier ${backupTier}`,
  ] as const;
  if (tier !== undefined && backupTier === undefined)
    return { cells, verdict: ["critical", `nobody says that the backup is trusted as far as tier ${tier}`] };
  if (tier === undefined || backupTier === undefined)
    return { cells, verdict: unsure("how far it is trusted", tier, backupTier) };
  if (backupTier < tier) return { cells, verdict: ["critical", `trust goes down from tier ${tier} to ${backupTier}`] };
  return { cells, verdict: ["low", "the backup is trusted as far"] };
}

/** A dearer backup costs money and breaks nothing: ceilings of price are the route's own. */
function price(primary: Party, backup: Party): Judged {
  const [own, other] = [primary.target.traits?.price, backup.target.traits?.price];
  const cells = [priceText(own), priceText(other)] as const;
  const [cost, backupCost] = [blended(own), blended(other)];
  if (cost === undefined || backupCost === undefined)
    return { cells, verdict: unsure("what a call costs", cost, backupCost) };
  if (backupCost <= cost) return { cells, verdict: ["low", "the backup costs no more"] };
  if (cost === 0) return { cells, verdict: ["high", "the backup costs something, the primary nothing"] };
  const times = backupCost / cost;
  const why = `the backup costs ${times.toFixed(times < 10 ? 1 : 0)} times as much, at three tokens in for one out`;
  return { cells, verdict: [times <= 1.25 ? "low" : times <= 3 ? "moderate" : "high", why] };
}

function pair<T>(
  primary: Party,
  backup: Party,
  of: (traits: ModelTraits) => T | undefined,
): readonly [T | undefined, T | undefined] {
  const known = ({ target }: Party) => (target.traits === undefined ? undefined : of(target.traits));
  return [known(primary), known(backup)];
}

function unsure(what: string, primary: unknown, backup: unknown): readonly [Risk, string] {
  const of =
    primary === undefined && backup === undefined
      ? "of both"
      : primary === undefined
        ? "of the primary"
        : "of the backup";
  return ["moderate", `unknown: ${what} is not known ${of}`];
}

function missing(has: readonly string[] | undefined, backupHas: readonly string[] | undefined): readonly string[] {
  if (has === undefined || backupHas === undefined) return [];
  return has.filter((each) => !backupHas.includes(each));
}

function modelName({ target }: Party): string {
  return target.traits?.name ?? target.model;
}

function vendorName(party: Party): string | undefined {
  return party.vendor ?? vendorOf(modelName(party));
}

function declared({ jurisdiction: word }: Party): string | undefined {
  return word?.trim().toLowerCase();
}

/** In the words that regions give, so that a declared `germany` is not taken for another law than its region's `eu`. */
function lawOf(party: Party): string | undefined {
  const word = declared(party);
  const ofRegion = party.region === undefined ? undefined : jurisdictionOf(party.region);
  return word !== undefined && isJurisdiction(word) ? word : ofRegion;
}

function lawText(party: Party, law: string | undefined): string {
  const named = law ?? declared(party) ?? unknown;
  return party.region === undefined ? named : `${named} (${party.region})`;
}

function yesNo(has: boolean | undefined): string {
  return has === undefined ? unknown : has ? "yes" : "no";
}

function sealText(reasons: boolean | undefined, vendor: string | undefined): string {
  if (reasons === false) return "none";
  return reasons === undefined ? unknown : `sealed by ${vendor ?? "unknown"}`;
}

function mediaText(inputs: readonly string[] | undefined, outputs: readonly string[] | undefined): string {
  if (inputs === undefined && outputs === undefined) return unknown;
  const said = (kinds: readonly string[] | undefined) => (kinds === undefined ? unknown : kinds.join(", "));
  return outputs === undefined || outputs.join() === "text" ? said(inputs) : `${said(inputs)} → ${said(outputs)}`;
}

function tokensText(tokens: number | undefined): string {
  return tokens === undefined ? unknown : `${tokens.toLocaleString("en-US")} tokens`;
}

/** Nano-dollars for a million tokens, three in for one out. */
function blended(of: Price | undefined): number | undefined {
  if (of?.input === undefined || of.output === undefined) return undefined;
  return (of.input * 3 + of.output) / 4;
}

function priceText(of: Price | undefined): string {
  return of === undefined ? unknown : `${dollars(of.input)} in, ${dollars(of.output)} out USD/M`;
}

function dollars(nano: number | undefined): string {
  return nano === undefined ? "?" : String(nano / 1e9);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}
