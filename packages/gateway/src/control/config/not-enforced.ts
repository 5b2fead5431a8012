import { renderPath } from "./problem.ts";
import type { ConfigPath } from "./problem.ts";
import type { ConfigDocument } from "./schema.ts";

/** A setting that this version reads and does not yet obey. */
export interface NotEnforced {
  readonly path: ConfigPath;
  /** One sentence, for the start of the gateway and for `check`. */
  readonly notice: string;
}

/** Every setting of the document that is accepted but not in force: said loudly, never ignored in silence. */
export function notEnforced(document: ConfigDocument): readonly NotEnforced[] {
  const found: NotEnforced[] = [];
  const add = (path: ConfigPath, effect: string) => {
    found.push({ path, notice: `${renderPath(path)} is not enforced in this version: ${effect}` });
  };
  for (const [name, provider] of Object.entries(document.providers)) {
    if (provider.limits !== undefined) add(["providers", name, "limits"], "the account's limits are not held");
  }
  return found;
}
