import { looksLikeHtml } from "./sanitise-message.ts";
import type { FailedReply } from "./provider.ts";

/** A failed reply in one shape, whatever the provider's: what the rows of a classification look at. */
export interface Complaint {
  /** HTTP status; for a complaint inside a 2xx the status it names itself, if any. */
  readonly status: number | undefined;
  readonly form: "object" | "text" | "html" | "empty";
  /** Codes and types in lower case, the most telling first. */
  readonly words: readonly string[];
  /** As the provider wrote it; unfit for callers. Empty where there is none. */
  readonly message: string;
  readonly type?: string;
  readonly code?: string;
  readonly param?: string;
  /** `google.rpc.RetryInfo`. */
  readonly retryDelay?: string;
  /** Rate-limit headers some providers put in the body, lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

type Fields = Readonly<Record<string, unknown>>;

interface Found {
  code: string | undefined;
  type: string | undefined;
  param: string | undefined;
  retryDelay: string | undefined;
  ownStatus: number | undefined;
  message: string;
  readonly words: string[];
  readonly headers: Record<string, string>;
}

/** JSON inside JSON is followed this far (a relay wraps its upstream's body into a message). */
const maxDepth = 3;
const maxMessageChars = 4096;

/** Total: every reply gives a complaint. Shapes: OpenAI, Anthropic, Google, xAI, Mistral, FastAPI, Ollama, AWS. */
export function readComplaint(reply: FailedReply): Complaint {
  const found: Found = {
    code: undefined,
    type: undefined,
    param: undefined,
    retryDelay: undefined,
    ownStatus: undefined,
    message: "",
    words: [],
    headers: {},
  };
  const amazon = reply.headers["x-amzn-errortype"];
  if (amazon !== undefined) addWord(found, amazon.split(":", 1)[0]);
  const parsed = typeof reply.body === "string" ? parseJson(reply.body) : reply.body;
  const form = formOf(reply, parsed);
  if (form === "object") readFields(parsed, found, 0);
  if (form === "text" && typeof reply.body === "string") found.message = reply.body.trim();
  return {
    status: statusOf(reply.status, found.ownStatus),
    form,
    words: [...new Set(found.words)],
    message: found.message.slice(0, maxMessageChars),
    headers: found.headers,
    ...(found.type === undefined ? {} : { type: found.type }),
    ...(found.code === undefined ? {} : { code: found.code }),
    ...(found.param === undefined ? {} : { param: found.param }),
    ...(found.retryDelay === undefined ? {} : { retryDelay: found.retryDelay }),
  };
}

function statusOf(http: number | undefined, own: number | undefined): number | undefined {
  if (http === undefined) return own;
  return http >= 200 && http <= 299 && own !== undefined ? own : http;
}

function formOf(reply: FailedReply, parsed: unknown): Complaint["form"] {
  if (typeof parsed === "object" && parsed !== null) return "object";
  if (typeof reply.body !== "string" || reply.body.trim() === "") return "empty";
  const page = /\bhtml\b/i.test(reply.headers["content-type"] ?? "") || looksLikeHtml(reply.body);
  return page ? "html" : "text";
}

function parseJson(text: string): unknown {
  const trimmed = text.trim();
  // A streamed error under an error status: the first event's data.
  const data = /^(?:event:.{0,100}\r?\n)?data:\s?(\{.*\})\s*$/m.exec(trimmed)?.[1];
  try {
    return JSON.parse(data ?? trimmed);
  } catch {
    return undefined;
  }
}

function readFields(value: unknown, found: Found, depth: number): void {
  if (depth > maxDepth) return;
  if (Array.isArray(value)) {
    // Gemini answers a refused stream with a list of one error; FastAPI lists what does not validate.
    readFields(value[0], found, depth + 1);
    return;
  }
  if (!isFields(value)) return;
  if (isFields(value["error"]) || Array.isArray(value["error"])) {
    readFields(value["error"], found, depth + 1);
    if (found.words.length === 0) readWords(value, found);
    return;
  }
  if (isFields(value["response"]) && isFields(value["response"]["error"])) {
    readFields(value["response"]["error"], found, depth + 1);
    return;
  }
  readWords(value, found);
  readDetails(value, found);
  found.message ||= messageOf(value, 0);
  found.param ??= textOf(value["param"]);
  readInner(value, found, depth);
}

/** A complaint wrapped by a relay: its own words matter more than the wrapper's. */
function readInner(value: Fields, found: Found, depth: number): void {
  const metadata = isFields(value["metadata"]) ? value["metadata"] : {};
  const raw = metadata["raw"];
  const inner = isFields(raw) ? raw : parseWrapped(typeof raw === "string" ? raw : found.message);
  if (inner === undefined) return;
  const outer = found.message;
  found.message = "";
  const before = found.words.splice(0);
  readFields(inner, found, depth + 1);
  found.words.push(...before);
  found.message ||= outer;
}

function parseWrapped(text: string): object | undefined {
  const trimmed = text.trim();
  if (!/^[[{]/.test(trimmed)) return undefined;
  const parsed = parseJson(trimmed);
  return typeof parsed === "object" && parsed !== null ? parsed : undefined;
}

function readWords(value: Fields, found: Found): void {
  const details = value["details"];
  if (isFields(details)) addWord(found, details["error_code"]);
  const inner = value["innererror"];
  if (isFields(inner)) addWord(found, inner["code"]);
  for (const name of ["code", "type", "status", "error_type", "reason"]) addWord(found, value[name]);
  found.code ??= textOf(value["code"]);
  found.type ??= textOf(value["type"]) ?? textOf(value["status"]);
  for (const name of ["code", "status", "statusCode", "raw_status_code"]) found.ownStatus ??= statusIn(value[name]);
}

/** `google.rpc` details and OpenRouter's metadata. */
function readDetails(value: Fields, found: Found): void {
  const details: readonly unknown[] = Array.isArray(value["details"]) ? value["details"].slice(0, 20) : [];
  for (const detail of details) {
    if (!isFields(detail)) continue;
    addWord(found, detail["reason"]);
    found.retryDelay ??= textOf(detail["retryDelay"]);
    const violations: readonly unknown[] = Array.isArray(detail["violations"]) ? detail["violations"].slice(0, 20) : [];
    for (const violation of violations) if (isFields(violation)) addWord(found, violation["quotaId"]);
  }
  const metadata = value["metadata"];
  if (!isFields(metadata) || !isFields(metadata["headers"])) return;
  for (const [name, text] of Object.entries(metadata["headers"]).slice(0, 50)) {
    if (typeof text === "string" || typeof text === "number") found.headers[name.toLowerCase()] = String(text);
  }
}

function messageOf(value: Fields, depth: number): string {
  if (depth > maxDepth) return "";
  for (const name of ["message", "error", "detail", "error_message", "error_description", "msg"]) {
    const said = value[name];
    if (typeof said === "string" && said.trim() !== "") return said;
    if (isFields(said) && said["detail"] !== undefined) return messageOf(said, depth + 1);
    if (Array.isArray(said)) return said.slice(0, 5).map(violationText).filter(Boolean).join("; ");
  }
  return "";
}

function violationText(violation: unknown): string {
  if (typeof violation === "string") return violation;
  if (!isFields(violation) || typeof violation["msg"] !== "string") return "";
  const where = Array.isArray(violation["loc"]) ? violation["loc"].filter((step) => step !== "body").join(".") : "";
  return where === "" ? violation["msg"] : `${where}: ${violation["msg"]}`;
}

function addWord(found: Found, value: unknown): void {
  const word = textOf(value)?.toLowerCase();
  // An HTTP status repeated as a code says nothing new; `error` is the envelope.
  if (word === undefined || word === "error" || statusIn(word) !== undefined) return;
  found.words.push(word);
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "string" && value !== "") return value.slice(0, 200);
  return typeof value === "number" && Number.isFinite(value) ? String(value) : undefined;
}

function statusIn(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= 400 && number <= 599 ? number : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
