/**
 * Days from a vendor's announcement of a shutdown to the shutdown, by kind: medians over 415 notices gathered by the
 * `deprecation notices` source of the catalogue, 2026-07. xAI's is of five notices on one day.
 */
const medianNoticeDays: Readonly<Record<string, number>> = {
  openai: 177,
  "azure-openai": 173,
  "azure-foundry": 173,
  bedrock: 160,
  vertex: 101,
  anthropic: 60,
  groq: 43,
  gemini: 32,
  xai: 1,
};

/** Of vendors whose notices nobody counted: the median of those above. */
const usualNoticeDays = 101;

/** However short a vendor's notice is, moving to another model takes about so long. */
const leastHorizonDays = 14;

/** Days of notice that this kind of provider usually gives; undefined where nobody counted. */
export function noticeDays(kind: string): number | undefined {
  return medianNoticeDays[kind];
}

/** A shutdown nearer than this is an alarm: less is left than this vendor's customers usually have from the start. */
export function alarmHorizonDays(kind: string): number {
  return Math.max(leastHorizonDays, noticeDays(kind) ?? usualNoticeDays);
}
