import { expect } from "vitest";
import { isRewriting, rewrite, written } from "../world/written.ts";

/** What a command is known to print, in `test/reports/golden/`; HEDGEROW_REWRITE=1 writes it anew, for a review. */
export function expectGolden(name: string, printed: string): void {
  const path = `test/reports/golden/${name}`;
  if (isRewriting) rewrite(path, printed);
  else expect(printed, `${path} knows another text`).toBe(written(path));
}
