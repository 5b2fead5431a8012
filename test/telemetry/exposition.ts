/** One line of a family: its whole name, labels in order, value. */
export interface ExposedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ExposedFamily {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly samples: readonly ExposedSample[];
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*/u;
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*/u;
const number = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/u;

/**
 * Reads Prometheus' text format 0.0.4 as strictly as it can be read: each family once and whole, HELP then TYPE before its
 * samples, escapes only where they belong, no sample twice, histograms cumulative and whole. Throws at what is wrong.
 */
export function parseExposition(text: string): readonly ExposedFamily[] {
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line has no end");
  if (text.includes("\r") || !text.isWellFormed()) throw new Error("a carriage return, or half a character");
  const families: { name: string; type: ExposedFamily["type"]; help: string; samples: ExposedSample[] }[] = [];
  const names = new Set<string>();
  const seen = new Set<string>();
  let help: { readonly name: string; readonly text: string } | undefined;
  for (const line of text.split("\n").slice(0, -1)) {
    if (line.startsWith("# HELP ")) {
      if (help !== undefined) throw new Error(`HELP without TYPE: ${help.name}`);
      const [, name = "", words = ""] = /^# HELP (\S+) (.*)$/u.exec(line) ?? [];
      if (/\\(?![\\n])/u.test(words)) throw new Error(`an escape that is none: ${line}`);
      help = { name, text: words };
      continue;
    }
    if (line.startsWith("# TYPE ")) {
      const [, name = "", type = ""] = /^# TYPE (\S+) (counter|gauge|histogram)$/u.exec(line) ?? [];
      if (help?.name !== name || names.has(name)) throw new Error(`TYPE without HELP, or twice: ${line}`);
      if (metricName.exec(name)?.[0] !== name) throw new Error(`no name: ${line}`);
      names.add(name);
      families.push({ name, type: type as ExposedFamily["type"], help: help.text, samples: [] });
      help = undefined;
      continue;
    }
    const family = families.at(-1);
    if (family === undefined || help !== undefined) throw new Error(`a sample of no family: ${line}`);
    const sample = parseSample(line);
    if (!belongs(sample.name, family)) throw new Error(`${sample.name} is no part of ${family.name}`);
    const key = JSON.stringify([sample.name, Object.entries(sample.labels).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
    if (seen.has(key)) throw new Error(`twice: ${line}`);
    seen.add(key);
    family.samples.push(sample);
  }
  for (const family of families) if (family.type === "histogram") checkHistogram(family);
  return families;
}

function parseSample(line: string): ExposedSample {
  const name = metricName.exec(line)?.[0];
  if (name === undefined) throw new Error(`no name: ${line}`);
  let at = name.length;
  const labels: Record<string, string> = {};
  if (line[at] === "{") {
    at += 1;
    while (line[at] !== "}") {
      const label = labelName.exec(line.slice(at))?.[0];
      if (label === undefined || Object.hasOwn(labels, label)) throw new Error(`no label at ${at}: ${line}`);
      at += label.length;
      const quoted = /^="((?:[^"\\\n]|\\[\\n"])*)"/u.exec(line.slice(at));
      if (quoted === null) throw new Error(`no value at ${at}: ${line}`);
      labels[label] = (quoted[1] ?? "").replaceAll(/\\(.)/gu, (_, escaped: string) =>
        escaped === "n" ? "\n" : escaped,
      );
      at += quoted[0].length;
      if (line[at] === ",") at += 1;
      else if (line[at] !== "}") throw new Error(`no comma at ${at}: ${line}`);
    }
    at += 1;
  }
  const value = line.slice(at + 1);
  if (line[at] !== " " || !number.test(value)) throw new Error(`no value: ${line}`);
  return { name, labels, value: Number(value.replace("Inf", "Infinity")) };
}

function belongs(sample: string, { name, type }: Pick<ExposedFamily, "name" | "type">): boolean {
  if (type === "histogram") return [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(sample);
  return sample === name && (type !== "counter" || name.endsWith("_total"));
}

function checkHistogram({ name, samples }: ExposedFamily): void {
  const series = new Map<string, { bounds: number[]; counts: number[]; count?: number; hasSum: boolean }>();
  for (const sample of samples) {
    const { le, ...rest } = sample.labels;
    const key = JSON.stringify(rest);
    const known = series.get(key) ?? { bounds: [], counts: [], hasSum: false };
    series.set(key, known);
    if (sample.name.endsWith("_bucket")) {
      known.bounds.push(Number((le ?? "").replace("Inf", "Infinity")));
      known.counts.push(sample.value);
    } else if (sample.name.endsWith("_count")) known.count = sample.value;
    else known.hasSum = true;
  }
  for (const { bounds, counts, count, hasSum } of series.values()) {
    const isRising = (values: readonly number[]) =>
      values.every((value, at) => at === 0 || value >= (values[at - 1] ?? 0));
    const isWhole = bounds.at(-1) === Infinity && counts.at(-1) === count && hasSum;
    if (!isWhole || !isRising(bounds) || !isRising(counts)) throw new Error(`${name} is no histogram`);
  }
}
