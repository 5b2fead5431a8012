import { parentPort, workerData } from "node:worker_threads";
import { findModel } from "#catalogue/catalogue";
import { openCatalogue } from "#catalogue/open-catalogue";
import { playModels, type OutageReplay, type Part, type Played, type PriceOf } from "./play-models.ts";

/** What a thread is started with. */
export interface ThreadTask {
  readonly asked: OutageReplay;
  readonly part: Part;
}

export type ThreadMessage =
  | { readonly kind: "step"; readonly what: string; readonly steps: number }
  | { readonly kind: "played"; readonly played: readonly Played[] };

// Only `replay-outages` starts this file, with a task.
const { asked, part } = workerData as ThreadTask;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin, that is a window's word
const say = (message: ThreadMessage): void => parentPort?.postMessage(message);
const onStep = (what: string, steps: number): void => say({ kind: "step", what, steps });
say({ kind: "played", played: playModels({ asked, part, priceOf: cataloguePrices(), onStep }) });

/** Prompts are usually some three times as long as answers. */
function cataloguePrices(): PriceOf {
  const catalogue = openCatalogue();
  return (kind, { model }) => {
    const { input, output } = findModel(catalogue, kind, model)?.price ?? {};
    return input === undefined || output === undefined ? undefined : input * 3 + output;
  };
}
