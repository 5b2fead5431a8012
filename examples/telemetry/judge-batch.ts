import { ManualInterventionRequired, type Hedgerow } from "@hedgerow/client";
import { tableOf, type Batch } from "./telemetry.ts";
import { instructions, readVerdict, verdictFormat, type Verdict } from "./verdict.ts";

/** What became of a batch. */
export interface Outcome {
  readonly batch: Batch;
  /** Absent: no answer that is a verdict, or none at all. */
  readonly verdict?: Verdict;
  /** `provider/model` */
  readonly by?: string;
  /** 0..1; null: there was no signal. Of a review the best of the doubted answers'. */
  readonly confidence?: number | null;
  /** `answered`, `recovered`, `escalated`, `review`, … */
  readonly decision: string;
  readonly attempts: number;
  readonly requestId?: string;
  readonly reviewId?: string;
}

/**
 * One call: an answer that is sure enough, from whichever rival, or a review. Everything else that can fail is thrown.
 *
 * @param model the route with a gate; or one target, which is then asked alone and believed
 */
export async function judgeBatch(hedgerow: Hedgerow, batch: Batch, model = "mission-critical"): Promise<Outcome> {
  try {
    const response = await hedgerow.chat.completions.create({
      model,
      messages: [
        { role: "system", content: instructions },
        { role: "user", content: `Analyze this data:\n${tableOf(batch.samples)}` },
      ],
      response_format: verdictFormat,
      timeoutMs: 60_000,
      ...(model === "mission-critical" ? { minConfidence: 0.85 } : {}),
    });
    const { provider = "?", model: answeredBy = "?", decision = "?", attempts, requestId } = response.hedgerow;
    const verdict = readVerdict(response.text);
    const { confidence_score: confidence } = response;
    return {
      batch,
      by: `${provider}/${answeredBy}`,
      decision,
      attempts,
      ...(verdict === undefined ? {} : { verdict }),
      ...(confidence === undefined ? {} : { confidence }),
      ...(requestId === undefined ? {} : { requestId }),
    };
  } catch (error) {
    if (!ManualInterventionRequired.isInstance(error)) throw error;
    const scores = error.scores.flatMap(({ score }) => (score === null ? [] : [score]));
    return {
      batch,
      decision: "review",
      attempts: error.attempts.length,
      ...(scores.length === 0 ? {} : { confidence: Math.max(...scores) }),
      ...(error.requestId === undefined ? {} : { requestId: error.requestId }),
      ...(error.reviewId === undefined ? {} : { reviewId: error.reviewId }),
    };
  }
}

const atOnce = 4;

/** All of them, a few at a time, in their order. */
export async function judgeBatches(
  batches: readonly Batch[],
  judge: (batch: Batch) => Promise<Outcome>,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = batches.entries();
  const work = async (): Promise<void> => {
    for (const [at, batch] of waiting) outcomes[at] = await judge(batch);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return outcomes;
}
