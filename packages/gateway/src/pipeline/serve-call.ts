import { failure } from "#domain/failure";
import type { Exchange } from "#domain/ports";
import type { CallRecord } from "#domain/record";
import { accept } from "./accept.ts";
import { countTokens } from "./count-tokens.ts";
import type { DataPlane } from "./data-plane.ts";
import { deliver } from "./deliver.ts";
import { Journey } from "./journey.ts";
import { listModels } from "./list-models.ts";
import { watchPayload } from "./payload-sample.ts";
import { recordOf, recordOfTurnedAway } from "./record.ts";
import { refuse } from "./refuse.ts";
import { serveFeedback } from "./serve-feedback.ts";
import { serveReview } from "./serve-review.ts";
import { serveStored } from "./serve-stored.ts";
import { keepAnswer, openThread } from "./thread.ts";
import { Underway } from "./underway.ts";

/**
 * The whole path of one request, top to bottom: a call is accepted, planned, attempted on one target after another
 * until one answer commits, recorded, and only then completed towards the caller. Each stage is a file beside this.
 */
export async function serveCall(exchange: Exchange, plane: DataPlane): Promise<void> {
  const snapshot = plane.snapshot();
  const control = plane.live.open();
  exchange.onGone(() => control.end(failure("client_gone", "The client closed the connection.")));
  try {
    const accepted = openThread(await accept(exchange, plane, { snapshot, control }), { plane, snapshot });
    switch (accepted.kind) {
      case "models":
        listModels({ exchange, plane, snapshot, ...accepted });
        return;
      case "stored":
        serveStored({ exchange, plane, snapshot, ...accepted });
        return;
      case "feedback":
        await serveFeedback({ exchange, plane, ...accepted });
        return;
      case "review":
        await serveReview({ exchange, plane, control, ...accepted });
        return;
      case "refused": {
        if (accepted.caller === undefined) plane.observeRefusal(accepted.failure);
        else await keep(plane, recordOfTurnedAway(accepted, { plane, snapshot }));
        refuse({ exchange, ...accepted, attempts: [] });
        return;
      }
      case "call":
        break;
    }

    const watched = watchPayload(exchange, accepted, { plane, snapshot });
    const input = { exchange: watched ?? exchange, plane, snapshot, control, ...accepted };
    const journey = new Journey({ ...input, underway: new Underway(input) });
    const end = accepted.call.operation === "count-tokens" ? await countTokens(journey) : await journey.travel();
    journey.warnings = [...journey.warnings, ...keepAnswer(journey.input, end)];
    const durable = await keep(plane, recordOf(journey, end));
    deliver(journey, durable ? end : journey.unrecorded(end));
    watched?.tell(journey.route, plane);
    if (durable && end.kind === "answered") journey.shadow().catch((bug: unknown) => plane.onBug(bug));
  } catch (bug) {
    plane.onBug(bug);
    // Nothing is known of what was sent, and an answer must not look finished that may not be.
    exchange.destroy();
  } finally {
    plane.live.close(control);
  }
}

/** Resolves when the record is on disk: true, or cannot be: false. */
function keep(plane: DataPlane, record: CallRecord): Promise<boolean> {
  plane.observe(record);
  return new Promise((resolve) => plane.journal.append(record, (error) => resolve(error === undefined)));
}
