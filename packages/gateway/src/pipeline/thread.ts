import type { Drawer, Threads, ThreadWish } from "#dialects/threads";
import { memoryOwner, type Call } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import type { Snapshot } from "#domain/snapshot";
import { editFields, scanFields, type FieldScan } from "#wire/json-splice";
import type { Accepted, AcceptedCall } from "./accept.ts";
import type { DataPlane } from "./data-plane.ts";
import type { JourneyEnd, JourneyInput } from "./journey.ts";

/** A call that goes on from an earlier answer, or whose own answer is to be kept. */
export interface Thread {
  readonly wish: ThreadWish;
  /** The call as its caller wrote it. */
  readonly call: Call;
  readonly scan: FieldScan;
  /** The provider that can be asked as the caller wrote it, because it holds what the call names. */
  readonly heldBy?: string;
}

interface At {
  readonly plane: DataPlane;
  readonly snapshot: Snapshot;
}

/**
 * A call that names an earlier answer is made whole, so that every target can be asked it; it is turned away where what
 * it names is not known here.
 */
export function openThread(accepted: Accepted, at: At): Accepted {
  if (accepted.kind !== "call" || accepted.dialect.threads === undefined) return accepted;
  const { call, dialect } = accepted;
  const opened = open(accepted, accepted.dialect.threads, at);
  if (!("kind" in opened && "message" in opened)) return { ...accepted, ...opened };
  const gatewayMs = at.plane.clock.nowMs() - call.acceptedAtMs;
  const { id, caller, operation } = call;
  return { kind: "refused", failure: opened, dialect, id, caller, operation, gatewayMs };
}

interface Opened {
  readonly call: Call;
  readonly scan: FieldScan;
  readonly thread: Thread;
}

function open({ call, scan }: AcceptedCall, threads: Threads, at: At): Opened | Failure {
  const wish = threads.read(call.body, scan);
  if (!("store" in wish)) return wish;
  const thread = { wish, call, scan };
  const { previous, conversation, references } = wish;
  if (previous === undefined && conversation === undefined && references === undefined) return { call, scan, thread };
  const earlier = threads.earlier(wish, drawerOf(memoryOwner(call), at));
  if (!("items" in earlier)) return earlier;
  const body = editFields(call.body, scan, threads.wholeEdits(call.body, scan, earlier));
  const whole = scanFields(body, { maxDepth: at.snapshot.limits.maxDepth });
  if ("problem" in whole) return failure("invalid_request", `The conversation cannot be sent: ${whole.problem}.`);
  const { heldBy } = earlier;
  return {
    call: { ...call, body },
    scan: whole,
    thread: { ...thread, ...(heldBy === undefined ? {} : { heldBy }) },
  };
}

const notKept = "not-stored: the answer could not be kept, so that nothing can go on from it";

/**
 * Keeps an answer where its caller may name it later. Before its last byte is sent: the next call may follow at once.
 * Gives the words for its caller where it could not be kept.
 */
export function keepAnswer(input: JourneyInput, end: JourneyEnd): readonly string[] {
  try {
    return keepIn(input, end) ? [] : [notKept];
  } catch (bug) {
    // The answer is paid and whole: it is given and recorded all the same.
    input.plane.onBug(bug);
    return [notKept];
  }
}

function keepIn(input: JourneyInput, end: JourneyEnd): boolean {
  const { thread, dialect, call, plane, snapshot } = input;
  const { threads } = dialect;
  if (threads === undefined || thread === undefined) return true;
  if (end.kind !== "answered" || call.operation !== "generate") return true;
  if (!thread.wish.store && thread.wish.conversation === undefined) return true;
  const { result } = end;
  const answer = result.body ?? result.gate.last;
  if (answer === undefined) return true;
  const { provider } = result.attempt.target;
  return threads.keep(
    {
      body: thread.call.body,
      scan: thread.scan,
      wish: thread.wish,
      answer,
      ...(result.relayed && thread.wish.store ? { heldBy: provider } : {}),
    },
    drawerOf(memoryOwner(call), { plane, snapshot }),
  );
}

export function drawerOf(owner: string, { plane, snapshot }: At): Drawer {
  return {
    memory: plane.memory,
    owner,
    newId: plane.newId,
    nowS: Math.floor(plane.clock.wallMs() / 1000),
    maxLength: snapshot.limits.maxBodyBytes,
  };
}
