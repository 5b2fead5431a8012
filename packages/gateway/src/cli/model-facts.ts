import type { ModelTraits, Price, Provenance, Rates, ReasoningControl } from "#domain/model";

/** What is known of one thing about one model. */
export interface KnownFact {
  /** For people. */
  readonly text: string;
  /** For programs; null where nothing is known. */
  readonly value: unknown;
  /** Who says so; absent where nobody says anything. */
  readonly from?: Provenance;
}

/** One line of a comparison, with a side for each model. */
export interface FactRow {
  readonly fact: string;
  readonly sides: readonly KnownFact[];
  /** Whether all sides are known and equal. */
  readonly same: boolean;
}

const unknown: KnownFact = { text: "unknown", value: null };
/** The model has nothing of the sort: no other price for long prompts, no shutdown. */
const noSuch: KnownFact = { text: "-", value: null };

/** Everything the catalogue knows, a line for each fact that at least one of the models has. */
export function factRows(models: readonly ModelTraits[]): readonly FactRow[] {
  const sheets = models.map((model) => new Map([...generalFacts(model), ...priceFacts(model), ...lifeFacts(model)]));
  const facts = new Set(sheets.flatMap((sheet) => [...sheet.keys()]));
  return [...facts].toSorted(byKindOfFact).map((fact) => {
    const sides = sheets.map((sheet) => sheet.get(fact) ?? noSuch);
    const [first] = sides;
    const same = sides.every((each) => each.value !== null && each.text === first?.text);
    return { fact, sides, same };
  });
}

type Facts = readonly (readonly [string, KnownFact])[];

/** Prices of two models may have different tiers; they stay together, and the life of a model comes last. */
function byKindOfFact(a: string, b: string): number {
  return kindOfFact(a) - kindOfFact(b);
}

function kindOfFact(fact: string): number {
  if (lifeNames.has(fact)) return 2;
  return fact.startsWith(pricePrefix) ? 1 : 0;
}

const pricePrefix = "price: ";
const lifeNames: ReadonlySet<string> = new Set(["lifecycle", "deprecated on", "shuts down on", "named instead"]);

function generalFacts(model: ModelTraits): Facts {
  const { from, capabilities: can } = model;
  const said = (value: unknown, text: string | undefined): KnownFact =>
    value === undefined ? unknown : { text: text ?? "", value, from };
  const yes = (value: boolean | undefined): KnownFact => said(value, value === true ? "yes" : "no");
  const list = (words: readonly string[] | undefined): KnownFact => said(words, words?.join(", "));
  return [
    ["context window", tokens(model.contextTokens, from)],
    ["longest prompt", model.maxInputTokens === undefined ? noSuch : tokens(model.maxInputTokens, from)],
    ["longest answer", tokens(model.maxOutputTokens, from)],
    ["takes in", list(can.inputs)],
    ["puts out", list(can.outputs)],
    ["tools", yes(can.tools)],
    ["structured output", yes(can.structuredOutput)],
    ["reasoning", said(can.reasoning, reasoningText(can.reasoning, can.reasoningControl))],
    ["temperature", yes(can.sampling)],
    ["attachments", yes(can.attachments)],
    ["open weights", yes(model.openWeights)],
    ["released", said(model.releasedOn, model.releasedOn)],
    ["knowledge until", said(model.knowledgeUntil, model.knowledgeUntil)],
  ];
}

function tokens(count: number | undefined, from: Provenance): KnownFact {
  return count === undefined ? unknown : { text: `${grouped(count)} tokens`, value: count, from };
}

function grouped(count: number): string {
  return String(count).replaceAll(/\B(?=(?:\d{3})+$)/gu, ",");
}

function reasoningText(reasons: boolean | undefined, control: ReasoningControl | undefined): string {
  if (reasons !== true) return "no";
  const { toggle, efforts, budgetTokens: budget } = control ?? {};
  const ways = [
    ...(toggle === true ? ["on or off"] : []),
    ...(efforts === undefined ? [] : [`effort ${efforts.join(" ")}`]),
    ...(budget === undefined ? [] : [`budget${bounds(budget)}`]),
  ];
  return ways.length === 0 ? "yes" : `yes: ${ways.join("; ")}`;
}

function bounds({ min, max }: { readonly min?: number; readonly max?: number }): string {
  if (max === undefined) return min === undefined ? " of any size" : ` from ${grouped(min)}`;
  return min === undefined ? ` up to ${grouped(max)}` : ` ${grouped(min)} to ${grouped(max)}`;
}

const buckets: readonly (readonly [keyof Rates, string])[] = [
  ["input", "input"],
  ["cacheRead", "read from a cache"],
  ["cacheWrite", "written to a cache"],
  ["output", "output"],
  ["reasoning", "reasoning"],
  ["inputAudio", "audio in"],
  ["outputAudio", "audio out"],
];

/** USD per million tokens, by bucket, then by length of the prompt, then by service. */
function priceFacts({ price }: ModelTraits): Facts {
  if (price === undefined)
    return [
      [`${pricePrefix}input`, unknown],
      [`${pricePrefix}output`, unknown],
    ];
  return [
    ...rateFacts(price, "", price.from),
    ...(price.reasoningRateForAll === true ? [[answersAfterReasoning, dearAnswers(price)] as const] : []),
    ...(price.request === undefined ? [] : [requestFact(price.request, price.from)]),
    ...(price.tiers ?? []).flatMap((tier) =>
      rateFacts(tier, `, prompt over ${grouped(tier.abovePromptTokens)}`, price.from),
    ),
    ...(price.modes ?? []).flatMap((mode) => rateFacts(mode, `, ${modeText(mode)}`, mode.from)),
  ];
}

const answersAfterReasoning = `${pricePrefix}output after reasoning`;

function dearAnswers({ reasoning, from }: Price): KnownFact {
  return reasoning === undefined ? unknown : { text: `$${reasoning / 1e9}`, value: reasoning / 1e9, from };
}

function modeText({ name, asked }: NonNullable<Price["modes"]>[number]): string {
  return `${name} (${Object.entries(asked)
    .map(([field, word]) => `${field}: ${word}`)
    .join(", ")})`;
}

function rateFacts(rates: Rates, suffix: string, from: Provenance): Facts {
  return buckets.flatMap(([bucket, words]) => {
    const nano = rates[bucket];
    if (nano === undefined) return [];
    const usd = nano / 1e9;
    return [[`${pricePrefix}${words}${suffix}`, { text: `$${usd}`, value: usd, from }] as const];
  });
}

function requestFact(nano: number, from: Provenance): readonly [string, KnownFact] {
  return [`${pricePrefix}each request`, { text: `$${nano / 1e9} each`, value: nano / 1e9, from }];
}

function lifeFacts({ lifecycle, lifecycleFrom, deprecatedOn, retiresOn, replacements, from }: ModelTraits): Facts {
  const notice = lifecycleFrom ?? from;
  const dated = (fact: string, value: string | undefined): Facts =>
    value === undefined ? [] : [[fact, { text: value, value, from: notice }]];
  return [
    ["lifecycle", lifecycle === undefined ? noNotice : { text: lifecycle, value: lifecycle, from: notice }],
    ...dated("deprecated on", deprecatedOn),
    ...dated("shuts down on", retiresOn),
    ...dated("named instead", replacements?.join(", ")),
  ];
}

/** Not every vendor's notices are followed, so that silence proves nothing. */
const noNotice: KnownFact = { text: "no notice known", value: null };
