import { fromNow } from "./duration-text.ts";
import { renderTable, type Column } from "./table.ts";
import { terminalLine } from "./terminal-text.ts";

/** A key as the admin API writes it. */
export type ToldKey = Readonly<Record<string, unknown>>;

export function keyTable(keys: readonly ToldKey[], nowMs: number): string {
  const columns: readonly Column<ToldKey>[] = [
    { title: "name", value: (key) => textOf(key["name"]) },
    { title: "id", value: (key) => textOf(key["id"]) },
    { title: "status", value: (key) => textOf(key["status"]) },
    { title: "role", value: (key) => textOf(key["role"]) },
    { title: "team", value: (key) => textOf(key["team"] ?? key["organisation"]) },
    { title: "begins with", value: (key) => hints(key) },
    { title: "issued", value: (key) => when(key["created_at"], nowMs) },
    { title: "ends", value: (key) => when(key["expires_at"], nowMs) },
  ];
  return renderTable(columns, keys);
}

/** All that is known of a key, a line each. */
export function keyText(key: ToldKey, nowMs: number): string {
  const lines: [string, string][] = [];
  for (const [field, value] of Object.entries(key)) {
    if (field === "object" || field === "secrets" || field === "key") continue;
    const isTime = field.endsWith("_at");
    lines.push([field.replaceAll("_", " "), isTime ? `${textOf(value)} (${when(value, nowMs)})` : textOf(value)]);
  }
  for (const secret of secretsOf(key)) {
    const until = secret["until"] === undefined ? "" : `, good until ${textOf(secret["until"])}`;
    lines.push(["secret", `${textOf(secret["hint"])}… of ${textOf(secret["created_at"])}${until}`]);
  }
  const width = Math.max(...lines.map(([field]) => field.length));
  return lines.map(([field, text]) => `${field.padEnd(width)}  ${terminalLine(text)}\n`).join("");
}

function hints(key: ToldKey): string {
  return secretsOf(key)
    .map((secret) => textOf(secret["hint"]))
    .join(", ");
}

function secretsOf(key: ToldKey): readonly ToldKey[] {
  return Array.isArray(key["secrets"]) ? (key["secrets"] as readonly ToldKey[]) : [];
}

function when(value: unknown, nowMs: number): string {
  return typeof value === "string" ? fromNow(Date.parse(value), nowMs) : "";
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value.join(", ");
  return value === undefined || value === null ? "" : JSON.stringify(value);
}
