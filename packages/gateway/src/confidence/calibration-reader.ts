import type {
  CalibrationEntry,
  CalibrationQuality,
  CalibrationScope,
  CalibrationState,
  Calibrator,
  Logistic,
  PoolCertificate,
  ScoreHistogram,
  Steps,
} from "#domain/calibration";
import type { CalibrationKey, OutputShapeKind } from "#domain/confidence";

type Fields = Readonly<Record<string, unknown>>;

const shapes: readonly OutputShapeKind[] = ["label", "short", "long", "json", "tool"];
const states: readonly CalibrationState[] = ["ok", "stale", "drift"];
const kinds: readonly Calibrator["kind"][] = ["prior", "platt", "isotonic"];
/** Scores have at most 8 features; a curve has as many points as labels it was fitted on, at most. */
const most = { features: 8, points: 100_000, pools: 100, edges: 1000 };

/** Reads a calibration file's entries. The first mismatch is kept in `problem`; reading goes on with harmless values. */
export class CalibrationReader {
  problem: string | undefined;

  refuse(path: string, what: string): void {
    this.problem ??= `${path} ${what}`;
  }

  entry(value: unknown, path: string): CalibrationEntry {
    const fields = this.object(value, path);
    const { why, anchoredAt, driftedAt } = fields;
    return {
      key: this.#key(fields["key"], `${path}.key`),
      calibrator: this.#calibrator(fields["calibrator"], `${path}.calibrator`),
      quality: this.#quality(fields["quality"], `${path}.quality`),
      pools: this.list(fields["pools"], `${path}.pools`, most.pools).map((pool, at) =>
        this.#pool(pool, `${path}.pools[${at}]`),
      ),
      reference: this.#histogram(fields["reference"], `${path}.reference`),
      state: this.#oneOf(states, fields["state"], `${path}.state`),
      ...(why === undefined ? {} : { why: this.#text(why, `${path}.why`) }),
      fittedAt: this.date(fields["fittedAt"], `${path}.fittedAt`),
      ...(anchoredAt === undefined ? {} : { anchoredAt: this.date(anchoredAt, `${path}.anchoredAt`) }),
      ...(driftedAt === undefined ? {} : { driftedAt: this.date(driftedAt, `${path}.driftedAt`) }),
    };
  }

  object(value: unknown, path: string): Fields {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
    this.refuse(path, "must be an object");
    return {};
  }

  list(value: unknown, path: string, longest = Infinity): readonly unknown[] {
    if (!Array.isArray(value)) this.refuse(path, "must be a list");
    else if (value.length > longest) this.refuse(path, `must have at most ${longest} items`);
    else return value as readonly unknown[];
    return [];
  }

  date(value: unknown, path: string): string {
    if (typeof value === "string" && !Number.isNaN(Date.parse(value))) return value;
    this.refuse(path, "must be a date and time in ISO 8601");
    return "";
  }

  #key(value: unknown, path: string): CalibrationScope {
    const fields = this.object(value, path);
    const text = (name: "tenant" | "route" | "model"): Partial<CalibrationKey> =>
      fields[name] === undefined ? {} : { [name]: this.#text(fields[name], `${path}.${name}`) };
    return {
      ...text("tenant"),
      ...text("route"),
      ...text("model"),
      ...(fields["tier"] === undefined ? {} : { tier: this.#number(fields["tier"], `${path}.tier`, { from: 0 }) }),
      shape: this.#oneOf(shapes, fields["shape"], `${path}.shape`),
      signals: this.#text(fields["signals"], `${path}.signals`),
    };
  }

  #calibrator(value: unknown, path: string): Calibrator {
    const fields = this.object(value, path);
    const kind = this.#oneOf(kinds, fields["kind"], `${path}.kind`);
    const logistic = this.#logistic(fields["logistic"], `${path}.logistic`);
    const labels = this.#number(fields["labels"], `${path}.labels`, { from: 0 });
    if (kind !== "isotonic") return { kind, logistic, labels };
    return { kind, logistic, labels, steps: this.#steps(fields["steps"], `${path}.steps`) };
  }

  #logistic(value: unknown, path: string): Logistic {
    const fields = this.object(value, path);
    const slopes = this.#numbers(fields["slopes"], `${path}.slopes`, most.features);
    const hinge = this.#number(fields["hinge"], `${path}.hinge`);
    const [slope] = slopes;
    if (slope === undefined) this.refuse(`${path}.slopes`, "must have one number for each feature, at least one");
    // What is printed and read again may be off by a last digit.
    else if (slope < 0 || slope + hinge < -1e-9) {
      this.refuse(path, "must not fall: the first slope, and its sum with the hinge, are 0 or more");
    }
    return { intercept: this.#number(fields["intercept"], `${path}.intercept`), slopes, hinge };
  }

  #steps(value: unknown, path: string): Steps {
    const fields = this.object(value, path);
    const logOdds = this.#numbers(fields["logOdds"], `${path}.logOdds`, most.points);
    const probabilities = this.#numbers(fields["probabilities"], `${path}.probabilities`, most.points);
    if (logOdds.length === 0 || logOdds.length !== probabilities.length) {
      this.refuse(path, "must have as many logOdds as probabilities, at least one");
    }
    this.#rising(logOdds, { path: `${path}.logOdds`, isStrict: true });
    this.#rising(probabilities, { path: `${path}.probabilities`, isStrict: false });
    if (probabilities.some((each) => each < 0 || each > 1)) this.refuse(`${path}.probabilities`, "must be from 0 to 1");
    return { logOdds, probabilities };
  }

  #quality(value: unknown, path: string): CalibrationQuality {
    const fields = this.object(value, path);
    const count = (name: string) => this.#number(fields[name], `${path}.${name}`, { from: 0 });
    const share = (name: string) => this.#number(fields[name], `${path}.${name}`, { from: 0, to: 1 });
    return {
      n: count("n"),
      nEff: count("nEff"),
      ece: share("ece"),
      eceFloor: share("eceFloor"),
      brier: share("brier"),
      ...(fields["auroc"] === undefined ? {} : { auroc: share("auroc") }),
      ...(fields["accuracy"] === undefined ? {} : { accuracy: share("accuracy") }),
    };
  }

  #pool(value: unknown, path: string): PoolCertificate {
    const fields = this.object(value, path);
    const share = (name: string) => this.#number(fields[name], `${path}.${name}`, { from: 0, to: 1 });
    const count = (name: string) => this.#number(fields[name], `${path}.${name}`, { from: 0 });
    return {
      min: share("min"),
      delta: share("delta"),
      threshold: share("threshold"),
      accuracyLowerBound: share("accuracyLowerBound"),
      accepted: count("accepted"),
      correct: count("correct"),
    };
  }

  #histogram(value: unknown, path: string): ScoreHistogram {
    const fields = this.object(value, path);
    const edges = this.#numbers(fields["edges"], `${path}.edges`, most.edges);
    const counts = this.#numbers(fields["counts"], `${path}.counts`, most.edges + 1);
    this.#rising(edges, { path: `${path}.edges`, isStrict: true });
    if (counts.length !== edges.length + 1) this.refuse(`${path}.counts`, "must be one more than the edges");
    if (counts.some((count) => count < 0)) this.refuse(`${path}.counts`, "must be 0 or more");
    return { edges, counts };
  }

  #rising(values: readonly number[], { path, isStrict }: { path: string; isStrict: boolean }): void {
    for (const [at, value] of values.entries()) {
      const before = values[at - 1] ?? -Infinity;
      if (value > before || (!isStrict && value === before)) continue;
      this.refuse(
        `${path}[${at}]`,
        isStrict ? "must be more than the number before" : "must not be less than the number before",
      );
      return;
    }
  }

  #numbers(value: unknown, path: string, longest: number): readonly number[] {
    return this.list(value, path, longest).map((each, at) => this.#number(each, `${path}[${at}]`));
  }

  #number(value: unknown, path: string, { from = -Infinity, to = Infinity } = {}): number {
    if (typeof value === "number" && Number.isFinite(value) && value >= from && value <= to) return value;
    const range = `${from === -Infinity ? "" : ` from ${from}`}${to === Infinity ? "" : ` to ${to}`}`;
    this.refuse(path, `must be a number${range}`);
    return 0;
  }

  #text(value: unknown, path: string): string {
    if (typeof value === "string") return value;
    this.refuse(path, "must be a string");
    return "";
  }

  #oneOf<Word extends string>(words: readonly Word[], value: unknown, path: string): Word {
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    this.refuse(path, `must be one of ${words.join(", ")}`);
    return words[0] as Word;
  }
}
