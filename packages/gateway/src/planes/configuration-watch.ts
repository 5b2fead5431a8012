import { createHash } from "node:crypto";
import { readFileSync, watch } from "node:fs";
import { dirname } from "node:path";
import type { Log } from "./log.ts";

export interface WatchOptions {
  /** Absolute. */
  readonly file: string;
  readonly log: Log;
  readonly onChange: () => void;
  /** Editors write a file in several steps: how long it must be quiet before it is read. */
  readonly quietMs?: number;
}

const defaultQuietMs = 200;

/**
 * Calls back when the file's content has changed. The folder is watched, not the file: editors and orchestrators put a
 * new file in place of the old (Kubernetes even through a link beside it), and a watch on a file follows the old one.
 * The returned function ends the watch.
 */
export function watchConfiguration(options: WatchOptions): () => void {
  const { file, log, onChange, quietMs = defaultQuietMs } = options;
  let known = contentHash(file);
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const now = contentHash(file);
    // A file that is missing for a moment is being replaced; one that stays away changes nothing.
    if (now === undefined || now === known) return;
    known = now;
    onChange();
  };
  const cannotWatch = (error: Error): void => {
    log.warn("the configuration cannot be watched; send SIGHUP after a change", { why: error.message });
  };
  try {
    const watcher = watch(dirname(file), { persistent: false }, () => {
      clearTimeout(timer);
      timer = setTimeout(look, quietMs);
    });
    watcher.on("error", cannotWatch);
    return () => {
      clearTimeout(timer);
      watcher.close();
    };
  } catch (error) {
    cannotWatch(error as Error);
    return () => {};
  }
}

function contentHash(file: string): string | undefined {
  try {
    return createHash("sha256").update(readFileSync(file)).digest("hex");
  } catch {
    return undefined;
  }
}
