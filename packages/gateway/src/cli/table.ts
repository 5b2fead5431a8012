import { terminalLine } from "./terminal-text.ts";

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: "left" | "right";
  /** Never cut: sentences that a reader is to act on. For a last column. */
  readonly whole?: true;
}

const widestCell = 60;
const gap = "  ";

/** A table for people, ending in a newline; empty where there are no rows. Cells may hold anything. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  if (rows.length === 0) return "";
  const head = columns.map((column) => column.title);
  const body = rows.map((row) => columns.map((column) => shown(column, row)));
  const widths = head.map((title, at) => Math.max(...[title, ...body.map((cells) => cells[at] ?? "")].map(widthOf)));
  const lines = [head, ...body].map((cells) =>
    cells
      .map((cell, at) => pad(cell, widths[at] ?? 0, columns[at]?.align ?? "left"))
      .join(gap)
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

function pad(cell: string, width: number, align: "left" | "right"): string {
  const room = " ".repeat(Math.max(0, width - widthOf(cell)));
  return align === "right" ? room + cell : cell + room;
}

function shown<Row>(column: Column<Row>, row: Row): string {
  const cell = terminalLine(column.value(row));
  return column.whole === true ? cell : cut(cell);
}

function cut(cell: string): string {
  const letters = Array.from(cell);
  return letters.length <= widestCell ? cell : `${letters.slice(0, widestCell - 1).join("")}…`;
}

/** In code points: near enough for names and numbers. */
function widthOf(cell: string): number {
  return Array.from(cell).length;
}
