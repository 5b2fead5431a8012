import type { Entry } from "./health-entry.ts";
import type { Load } from "./load.ts";
import type { RecentSuccess } from "./recent-success.ts";

/** The four scopes of a place. */
export interface Site {
  readonly provider: string;
  readonly endpoint: Entry;
  readonly model: Entry;
  readonly account: Entry;
  readonly share: Entry;
  readonly load: Load;
  readonly recent: RecentSuccess;
}

export function entriesOf({ endpoint, model, account, share }: Site): readonly Entry[] {
  return [endpoint, model, account, share];
}
