/** Characters of one quotation: a judge that reads more costs more than the answer did. */
const maxQuoted = 48_000;

/**
 * What servers' tokenisers may take for the frame of a turn when it stands in a text, and how it is written instead. Chat
 * templates of open models: ChatML and Llama 3 (`<|…|>`), Gemma, Mistral, Llama 2, DeepSeek.
 */
const frames: readonly (readonly [RegExp, string])[] = [
  [/<(?=[|｜])/gu, "< "],
  [/<(?=\/?(?:start_of_turn|end_of_turn|bos|eos|s|think)>)/giu, "< "],
  [/\[(?=\/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS)\])/giu, "[ "],
];

/** Characters nobody sees that models read all the same: tags, and orders to write backwards. */
const unseen = /[\u{E0000}-\u{E007F}\u202A-\u202E\u2066-\u2069]/gu;
const lineEnds = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/gu;
// oxlint-disable-next-line no-control-regex -- they are what is taken out
const controls = /[\u0000-\u0008\u000E-\u001F\u007F]/gu;

/**
 * Texts as data between two fences: lines of `=`, longer than any run of `=` in the texts, so that none of them can close
 * its fence; every line of data starts with `| `, which a fence does not.
 */
export function quotedTogether(texts: readonly string[]): {
  readonly fence: string;
  readonly quotes: readonly string[];
} {
  const cleaned = texts.map((text) => cleanedText(shortened(text)));
  const longest = cleaned
    .flatMap((text) => text.match(/=+/gu) ?? [])
    .reduce((most, run) => Math.max(most, run.length), 4);
  const fence = "=".repeat(longest + 1);
  return { fence, quotes: cleaned.map((text) => `${fence}\n${quotedLines(text)}\n${fence}`) };
}

function quotedLines(text: string): string {
  return text
    .split("\n")
    .map((line) => `| ${line}`)
    .join("\n");
}

function cleanedText(text: string): string {
  let cleaned = text.replace(unseen, "").replace(lineEnds, "\n").replace(controls, "");
  for (const [frame, plain] of frames) cleaned = cleaned.replace(frame, plain);
  return cleaned;
}

/** Beginning and end of a text that is too long. */
function shortened(text: string): string {
  if (text.length <= maxQuoted) return text;
  const left = text.length - maxQuoted;
  return `${text.slice(0, maxQuoted / 2)}\n[${left} characters left out here]\n${text.slice(text.length - maxQuoted / 2)}`;
}
