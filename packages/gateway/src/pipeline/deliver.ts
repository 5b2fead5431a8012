import { editFields, scanFields } from "#wire/json-splice";
import { answerHeaders, lateFacts, streamHeaders } from "./answer-headers.ts";
import type { Journey, JourneyEnd } from "./journey.ts";
import { failureFacts, refuse } from "./refuse.ts";

/** Sends what was kept back for the record: a whole answer, a stream's completion, or an honest error. */
export function deliver(journey: Journey, end: JourneyEnd): void {
  const { exchange, dialect, call } = journey.input;
  switch (end.kind) {
    case "aborted":
      exchange.destroy();
      return;
    case "refused":
      refuse({
        exchange,
        dialect,
        id: call.id,
        failure: end.failure,
        attempts: journey.attempts,
        route: journey.route,
        budgetSpent: journey.budgetSpent,
        gatewayMs: journey.gatewayMs,
      });
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

type Answered = Extract<JourneyEnd, { kind: "answered" }>;

function finishStream(journey: Journey, { result }: Answered): void {
  const { exchange, dialect, call } = journey.input;
  const facts = journey.facts(result.attempt.target, result);
  if (!result.committed) exchange.respond(200, streamHeaders(facts, result.contentType));
  result.gate.finish((last) => {
    if (!call.options.metadata) return last;
    return dialect.attachFacts(last, lateFacts({ ...facts, tries: journey.attempts }));
  });
}

function sendWhole(journey: Journey, { result }: Answered): void {
  const { exchange, call } = journey.input;
  const { body } = result;
  if (body === undefined) throw new Error("an answer in one piece without its bytes");
  const facts = journey.facts(result.attempt.target, result);
  exchange.respond(200, { ...answerHeaders(facts), "content-type": "application/json" });
  exchange.end(call.options.metadata ? withFacts(body, lateFacts({ ...facts, tries: journey.attempts })) : body);
}

function withFacts(body: Uint8Array, facts: object): Uint8Array {
  const scan = scanFields(body, { maxDepth: 1000 });
  return "problem" in scan ? body : editFields(body, scan, new Map([["hedgerow", JSON.stringify(facts)]]));
}
