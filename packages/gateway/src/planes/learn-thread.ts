import { parentPort, workerData } from "node:worker_threads";
import { learnFrom, type Learned, type LearnInput } from "#control/confidence/learn-from";
import { openLabelsFile } from "#control/store/labels-file";
import { openStoreForReading } from "#control/store/sqlite";

/** What a thread is started with. */
export interface LearnTask extends Omit<LearnInput, "store" | "labels"> {
  /** Paths. */
  readonly store: string;
  readonly labels: string;
}

// Only `learn` starts this file, with a task.
const task = workerData as LearnTask;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin, that is a window's word
parentPort?.postMessage(learn(task));

function learn({ store: storePath, labels: labelsPath, ...known }: LearnTask): Learned {
  const opened = openStoreForReading(storePath);
  if (opened.kind === "refused") throw new Error(opened.message);
  const labels = openLabelsFile({ path: labelsPath, onTrouble: () => {}, nowMs: () => performance.now() });
  try {
    return learnFrom({ store: opened.store, labels, ...known });
  } finally {
    labels.close();
    opened.store.close();
  }
}
