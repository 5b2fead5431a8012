/** Facts beside the words. Never a prompt, an answer or a secret: callers pass names, numbers and ids only. */
export type LogFields = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type LogStyle = "plain" | "json";

export interface LogOptions {
  readonly style: LogStyle;
  /** Gets whole lines with their newline. */
  readonly write: (line: string) => void;
  readonly wallMs: () => number;
  /** Who speaks: `supervisor`, `w1`. */
  readonly from: string;
}

const longestField = 2000;

/** One line for each event: for people on a terminal, as JSON where a machine reads along. */
export function openLog(options: LogOptions): Log {
  const at = (level: string) => (message: string, fields?: LogFields) => {
    const time = new Date(options.wallMs()).toISOString();
    const line = { time, level, from: options.from, message };
    options.write(options.style === "json" ? json(line, fields ?? {}) : plain(line, fields ?? {}));
  };
  return { info: at("info"), warn: at("warn"), error: at("error") };
}

/** No field takes the place of what every line has. */
function json(line: Readonly<Record<string, string>>, fields: LogFields): string {
  const text = JSON.stringify({ ...line, ...fields, ...line }, cut);
  // Legal in JSON as they are; a terminal obeys some of them, and some readers take others for the end of a line.
  return `${text.replaceAll(/[\u007f-\u009f\u2028\u2029]/gu, escaped)}\n`;
}

function cut(_name: string, value: unknown): unknown {
  return typeof value === "string" ? value.slice(0, longestField) : value;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function plain(line: { time: string; level: string; from: string; message: string }, fields: LogFields): string {
  let text = `${line.time} ${line.level.padEnd(5)} ${line.from}: ${oneLine(line.message)}`;
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) text += ` ${name}=${oneLine(Array.isArray(value) ? value.join(",") : String(value))}`;
  }
  return `${text}\n`;
}

/** A line break or an escape sequence in a name must not make a second line or paint the terminal. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.slice(0, longestField).replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, " ");
}
