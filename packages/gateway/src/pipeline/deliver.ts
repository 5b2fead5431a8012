import type { LateMembers } from "#dialects/dialect";
import { failure } from "#domain/failure";
import { answerHeaders, ascii, lateFacts, serverTiming, streamHeaders, type AnswerFacts } from "./answer-headers.ts";
import { confidenceMembers, withMembers } from "./confidence-facts.ts";
import type { Journey, JourneyEnd } from "./journey.ts";
import { failureFacts, refuse, reviewFacts } from "./refuse.ts";

/** Sends what was kept back for the record: a whole answer, a stream's completion, or an honest error. */
export function deliver(journey: Journey, end: JourneyEnd): void {
  const { exchange, dialect, call } = journey.input;
  switch (end.kind) {
    case "aborted":
      exchange.destroy();
      return;
    case "refused":
      sendRefusal(journey, end);
      return;
    case "pending":
      sendPending(journey, end);
      return;
    case "broken":
      end.result.gate.breakOff(
        dialect.encodeStreamFailure(
          end.failure,
          failureFacts(call.id, end.failure, journey.attempts),
          call.address.framing,
        ),
      );
      return;
    case "estimated":
      exchange.respond(200, { ...answerHeaders(journey.facts(end.target)), "content-type": "application/json" });
      exchange.end(end.body);
      return;
    case "answered":
      if (call.streamed) finishStream(journey, end);
      else sendWhole(journey, end);
  }
}

/** In the stream, where its head has left already. */
function sendRefusal(journey: Journey, { failure, review }: Extract<JourneyEnd, { kind: "refused" }>): void {
  const { exchange, dialect, call } = journey.input;
  if (journey.hasBegun) {
    const facts = { ...failureFacts(call.id, failure, journey.attempts), ...reviewFacts(review) };
    exchange.end(dialect.encodeStreamFailure(failure, facts, call.address.framing));
    return;
  }
  refuse({
    exchange,
    dialect,
    id: call.id,
    failure,
    attempts: journey.attempts,
    route: journey.route,
    budgetSpent: journey.budgetSpent,
    gatewayMs: journey.gatewayMs,
    ...(review === undefined ? {} : { review }),
  });
}

/** Where the decision will be; a stream that has begun can only be told so by an error. */
function sendPending(journey: Journey, { review }: Extract<JourneyEnd, { kind: "pending" }>): void {
  const { exchange, dialect, call } = journey.input;
  if (journey.hasBegun) {
    const words = `Nobody was sure of an answer: manual intervention is required, and a person decides in review ${review.id}.`;
    sendRefusal(journey, { kind: "refused", failure: failure("low_confidence", words), review });
    return;
  }
  exchange.respond(202, {
    "content-type": "application/json",
    [dialect.requestIdHeader]: call.id,
    "x-request-id": call.id,
    "x-hedgerow-route": ascii(journey.route),
    "x-hedgerow-attempts": String(journey.chosen.length),
    "x-hedgerow-decision": "doubted",
    "x-should-retry": "false",
    ...serverTiming(journey.gatewayMs),
  });
  exchange.end(Buffer.from(JSON.stringify(pendingBody(call.id, review.id))));
}

function pendingBody(id: string, reviewId: string): object {
  return { id, object: "hedgerow.review", status: "pending", review_id: reviewId, url: `/v1/reviews/${reviewId}` };
}

type Answered = Extract<JourneyEnd, { kind: "answered" }>;

function finishStream(journey: Journey, { result }: Answered): void {
  const { exchange, dialect } = journey.input;
  const facts = journey.facts(result.attempt.target, result);
  if (!result.committed && !journey.hasBegun) exchange.respond(200, streamHeaders(facts, result.contentType));
  const members = lateMembers(journey, facts);
  result.gate.finish((last) => (Object.keys(members).length === 0 ? last : dialect.attachFacts(last, members)));
}

function sendWhole(journey: Journey, { result }: Answered): void {
  const { exchange } = journey.input;
  const { body } = result;
  if (body === undefined) throw new Error("an answer in one piece without its bytes");
  const facts = journey.facts(result.attempt.target, result);
  exchange.respond(200, { ...answerHeaders(facts), "content-type": "application/json" });
  exchange.end(withMembers(body, { ...lateMembers(journey, facts) }));
}

/** What an answer tells beside its own members. */
function lateMembers(journey: Journey, facts: AnswerFacts): LateMembers {
  const { metadata } = journey.input.call.options;
  return {
    ...(facts.confidence === undefined ? {} : confidenceMembers(facts.confidence)),
    ...(metadata ? { hedgerow: lateFacts({ ...facts, tries: journey.attempts }) } : {}),
  };
}
