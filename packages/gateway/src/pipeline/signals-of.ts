import { canonicalOf } from "#confidence/canonical";
import { agreementOf } from "#confidence/estimators/agreement";
import { decisionBody, readDecision } from "#confidence/estimators/decision";
import { failedGate } from "#confidence/estimators/gates";
import { judgeRequest, readJudgeAnswer } from "#confidence/estimators/judge";
import { logprobSignal } from "#confidence/estimators/log-probabilities";
import { statedConfidence } from "#confidence/estimators/stated";
import { readVerifierAnswer, verifierBody } from "#confidence/estimators/verifier";
import type { Signals } from "#confidence/signals";
import type { AnswerView, ConfidenceRule, OutputShapeKind, VerifierRule } from "#domain/confidence";
import type { GenerateRequest } from "#domain/request";
import type { Aside, Asides } from "./asides.ts";
import type { DataPlane } from "./data-plane.ts";
import type { CallControl } from "./live-calls.ts";
import { postJson, type PostedAnswer } from "./post-json.ts";

/** Another answer to the same request. */
export interface OtherAnswer {
  readonly by: string;
  readonly view: AnswerView;
}

export interface Evidence {
  readonly plane: Pick<DataPlane, "send" | "clock">;
  readonly control: CallControl;
  readonly rule: ConfidenceRule;
  readonly asides: Asides;
  /** The second answer, asked for at most once a call. */
  readonly second: () => Aside | undefined;
  /** Doubted answers of other targets before this one. */
  readonly others: readonly OtherAnswer[];
  readonly callId: string;
  readonly route: string;
  /** Monotonic. */
  readonly deadlineAtMs: number;
}

interface Answer {
  readonly target: string;
  readonly view: AnswerView;
  readonly shape: OutputShapeKind;
  /** Undefined where the caller's request is in words the gateway only relays. */
  readonly request: GenerateRequest | undefined;
}

/**
 * What there is to judge an answer by, as the rule says: `auto` takes what is free and asks somebody only where nothing
 * is. A hard gate that failed is enough, and whoever cannot be asked is no signal.
 */
export async function signalsOf(answer: Answer, evidence: Evidence): Promise<Signals> {
  const { view, shape, request } = answer;
  const gate = request === undefined ? undefined : failedGate(view, request);
  if (gate !== undefined) return { gate };
  const { estimator, verifier: hook } = evidence.rule;
  const wants = (one: typeof estimator): boolean => estimator === one || estimator === "auto";
  if (wants("verifier") && hook !== undefined) {
    const verifier = await verified(answer, hook, evidence);
    if (verifier !== undefined) return { verifier };
  }
  const logprobs = wants("logprobs") ? logprobSignal(view, shape) : undefined;
  const isBare = estimator !== "auto" || logprobs === undefined;
  const decision = wants("decision") && isBare ? await decided(answer, evidence) : undefined;
  const isOpen = isBare && decision === undefined;
  const agreement = wants("agreement") && isOpen ? await agreed(answer, evidence) : undefined;
  const judge = wants("judge") && isOpen && agreement === undefined ? await judged(answer, evidence) : undefined;
  const stated = statedConfidence(view);
  return {
    ...(logprobs === undefined ? {} : { logprobs }),
    ...(decision === undefined ? {} : { decision }),
    ...(agreement === undefined ? {} : { agreement }),
    ...(judge === undefined ? {} : { judge }),
    ...(stated === undefined ? {} : { stated }),
  };
}

/** An answer that one of the others gave too is agreed on; one that differs from all that can be compared is not. */
async function agreed(answer: Answer, evidence: Evidence): Promise<Signals["agreement"]> {
  const { view, shape, target } = answer;
  if (canonicalOf(view, shape) === undefined) return undefined;
  const second = evidence.second();
  const others = [...evidence.others];
  if (second !== undefined && second.by !== target) {
    const other = await second.view;
    if (other !== undefined) others.unshift({ by: second.by, view: other });
  }
  const compared = others
    .filter(({ by }) => by !== target)
    .flatMap(({ by, view: other }) => {
      const agrees = agreementOf(view, other, shape);
      return agrees === undefined ? [] : [{ agrees, with: by }];
    });
  return compared.find(({ agrees }) => agrees) ?? compared[0];
}

async function judged({ view, request }: Answer, { rule, asides }: Evidence): Promise<Signals["judge"]> {
  if (rule.judge === undefined || request === undefined) return undefined;
  const aside = asides.judge(rule.judge, judgeRequest({ request, view }));
  const opinion = await aside?.view;
  if (aside === undefined || opinion === undefined) return undefined;
  const logOdds = readJudgeAnswer(opinion);
  if (logOdds !== undefined) return { logOdds, by: aside.by };
  asides.warnings.add(`judge: ${aside.by} said neither yes nor no`);
  return undefined;
}

async function decided({ view, request }: Answer, evidence: Evidence): Promise<Signals["decision"]> {
  const { rule, asides } = evidence;
  const hook = rule.decision;
  if (hook === undefined || request === undefined || evidence.control.ended !== undefined) return undefined;
  const told = await posted(hook, decisionBody(hook, { request, view }), evidence);
  const read = "json" in told ? readDecision(told.json, hook.right) : told;
  if ("logOdds" in read) return read;
  asides.warnings.add(`decision: the classifier is no signal: ${read.why}`);
  return undefined;
}

function posted(hook: VerifierRule, body: object, evidence: Evidence): Promise<PostedAnswer> {
  const { plane, control } = evidence;
  const leftMs = Math.max(1, evidence.deadlineAtMs - plane.clock.nowMs());
  const posting = postJson({ plane, hook, body, timeoutMs: Math.min(hook.timeoutMs, leftMs) });
  control.fork().listen(() => posting.cancel());
  return posting.answer;
}

async function verified(
  { view, request, target }: Answer,
  hook: VerifierRule,
  evidence: Evidence,
): Promise<Signals["verifier"]> {
  if (request === undefined || evidence.control.ended !== undefined) return undefined;
  const { asides, callId, route } = evidence;
  const body = verifierBody({ request, view, callId, target, route });
  const told = await posted(hook, body, evidence);
  const verdict = "json" in told ? readVerifierAnswer(told.json) : undefined;
  if (verdict === undefined) asides.warnings.add("verifier: it gave no verdict");
  return verdict;
}
