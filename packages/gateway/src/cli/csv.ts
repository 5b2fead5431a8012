import type { Column } from "./table.ts";

/**
 * Comma-separated values (RFC 4180, with line feeds). A text that a spreadsheet would take for a formula gets an
 * apostrophe before it (OWASP, "CSV Injection"): names come from whoever called or answered.
 */
export function renderCsv<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const head = columns.map(({ title }) => title);
  const body = rows.map((row) => columns.map((column) => column.value(row)));
  return [head, ...body].map((cells) => `${cells.map(csvCell).join(",")}\n`).join("");
}

const number = /^-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?$/u;

function csvCell(value: string): string {
  const harmless = number.test(value) || !/^[=+\-@\t\r\n]/u.test(value) ? value : `'${value}`;
  return /[",\r\n]/u.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
