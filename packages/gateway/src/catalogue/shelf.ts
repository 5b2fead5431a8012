import type { ModelTraits } from "#domain/model";
import { lastSegment, maxNameChars, modelKey, openName, shortDatedKey, undatedKey, vendorOf } from "./names.ts";
import { nameOfRow, openRow } from "./open-row.ts";
import type { CatalogueFile, FileProvider, FileRow } from "./catalogue-file.ts";

/** Names that were looked up by their spelling; callers may write anything, so that it is forgotten when full. */
const maxRemembered = 1000;

interface Candidate {
  readonly id: string;
  readonly row: FileRow;
  readonly key: string;
  readonly region: string | undefined;
}

/** One provider's models by every name it has for them. Lines are opened when they are asked for. */
export class Shelf {
  readonly id: string;
  readonly title: string;
  readonly #file: CatalogueFile;
  readonly #asOf: string;
  readonly #provider: FileProvider;
  #rowsById: ReadonlyMap<string, FileRow> | undefined;
  readonly #opened = new Map<string, ModelTraits>();
  readonly #remembered = new Map<string, ModelTraits | undefined>();
  #spellings: Spellings | undefined;

  constructor(file: CatalogueFile, provider: FileProvider, asOf: string) {
    this.id = provider.id;
    this.title = provider.title;
    this.#file = file;
    this.#asOf = asOf;
    this.#provider = provider;
  }

  get #rows(): ReadonlyMap<string, FileRow> {
    return (this.#rowsById ??= new Map(this.#provider.models.map((row) => [row[0], row])));
  }

  /** The provider's own names. */
  get ids(): Iterable<string> {
    return this.#rows.keys();
  }

  get size(): number {
    return this.#provider.models.length;
  }

  /** The model the provider calls exactly so. */
  get(id: string): ModelTraits | undefined {
    const known = this.#opened.get(id);
    if (known !== undefined) return known;
    const row = this.#rows.get(id);
    if (row === undefined) return undefined;
    const traits = openRow(this.#file, row, this.#asOf);
    this.#opened.set(id, traits);
    return traits;
  }

  /** The same by any spelling; see `findModel`. */
  find(name: string): ModelTraits | undefined {
    const exact = this.get(name);
    if (exact !== undefined || name.length > maxNameChars) return exact;
    if (this.#remembered.has(name)) return this.#remembered.get(name);
    const found = this.#bySpelling(name) ?? this.#byVariant(name);
    if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
    this.#remembered.set(name, found);
    return found;
  }

  #bySpelling(name: string): ModelTraits | undefined {
    this.#spellings ??= spellingsOf(this.#rows);
    const { byKey, byShortDate } = this.#spellings;
    const key = modelKey(name);
    const undated = byKey.get(undatedKey(key)) ?? [];
    const candidates = byKey.get(key) ?? (key.endsWith("-latest") ? undated : undated.filter(isUndated));
    const found = this.#choose(name, candidates) ?? this.#choose(name, byShortDate.get(undatedLatest(key)) ?? []);
    return found === undefined ? undefined : this.get(found.id);
  }

  /** A vendor that was written must be the vendor meant: two hosts' `r1` need not be one model. */
  #choose(name: string, candidates: readonly Candidate[]): Candidate | undefined {
    const { path, vendor: dotted, region } = openName(name);
    const vendor = dotted !== undefined || name.includes("/") ? vendorOf(name) : undefined;
    const meant =
      vendor === undefined
        ? candidates
        : candidates.filter(
            ({ id, row }) => nameOfRow(this.#file, row).startsWith(`${vendor}/`) || vendorOf(id) === vendor,
          );
    const [first] = meant;
    // Of two dates the newer one, of one date the name as it was written (`x:thinking` is not always `x-thinking`), of
    // one name the region that was asked, else the place that has none.
    const dated = meant.filter((each) => each.key === first?.key);
    const written = dated.filter((each) => openName(each.id).path === path);
    const same = written.length > 0 ? written : dated;
    return (
      same.find((each) => each.region === region) ??
      same.find((each) => each.region === undefined) ??
      same.find((each) => each.region === anyRegion) ??
      first
    );
  }

  /**
   * OpenRouter's `:nitro`, Hugging Face's `:groq`, a fine-tuned `ft:gpt-4o:acme::1`: the same model sold otherwise.
   * What it costs so is not what it costs without.
   */
  #byVariant(name: string): ModelTraits | undefined {
    const plain = withoutSale(name);
    if (plain === name) return undefined;
    const traits = this.get(plain) ?? this.#bySpelling(plain);
    if (traits === undefined) return undefined;
    const { price: _, ...unpriced } = traits;
    return unpriced;
  }
}

const anyRegion = "global";

interface Spellings {
  readonly byKey: ReadonlyMap<string, readonly Candidate[]>;
  /** By keys without a date that is none for sure; only for names nothing else fits. */
  readonly byShortDate: ReadonlyMap<string, readonly Candidate[]>;
}

function spellingsOf(rows: ReadonlyMap<string, FileRow>): Spellings {
  const byKey = new Map<string, Candidate[]>();
  const byShortDate = new Map<string, Candidate[]>();
  for (const [id, row] of rows) {
    const candidate = { id, row, key: modelKey(id), region: openName(id).region };
    const undated = undatedKey(candidate.key);
    for (const key of new Set([candidate.key, undated])) append(byKey, key, candidate);
    const short = shortDatedKey(candidate.key);
    if (short !== candidate.key) append(byShortDate, short, candidate);
  }
  for (const [key, list] of byKey) list.sort((a, b) => compareFor(key, a, b));
  for (const [key, list] of byShortDate) list.sort((a, b) => compareFor(key, a, b));
  return { byKey, byShortDate };
}

function append(map: Map<string, Candidate[]>, key: string, candidate: Candidate): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [candidate]);
  else list.push(candidate);
}

/** The row whose own key it is comes first, then the newest date, then the shortest name. */
function compareFor(key: string, a: Candidate, b: Candidate): number {
  if ((a.key === key) !== (b.key === key)) return a.key === key ? -1 : 1;
  if (a.key === b.key) return a.id.length - b.id.length || (a.id < b.id ? -1 : 1);
  return a.key < b.key ? 1 : -1;
}

/** One date must not stand for another: prices differ between them. */
function isUndated({ key }: Candidate): boolean {
  return undatedKey(key) === key;
}

function undatedLatest(key: string): string {
  return key.replace(/-latest$/, "");
}

function withoutSale(name: string): string {
  const tuned = /^ft:([^:]+)(?::|$)/i.exec(name)?.[1] ?? name.replace(/\.ft-[\w-]+$/i, "");
  if (tuned !== name) return tuned;
  // Where a namespace stands before it, a word after the colon is a way of selling; a size has a digit.
  return name.includes("/") && /:[a-z][a-z-]*$/i.test(lastSegment(name)) ? name.replace(/:[^:/]*$/, "") : name;
}
