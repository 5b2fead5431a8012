import type { Clock } from "#domain/ports";
import type { CallRetries } from "#policy/call-retries";
import type { CallControl } from "./live-calls.ts";

interface Pause {
  readonly clock: Clock;
  readonly control: CallControl;
}

/** Resolves after a while: false where the call ended from outside before that. */
export function pause({ clock, control }: Pause, afterMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.timer(afterMs, () => {
      control.listen(undefined);
      resolve(true);
    });
    control.listen(() => {
      cancel();
      resolve(false);
    });
  });
}

/** Waits, but no longer than `mostMs`, for the turn of a call that may not try again yet: true where it may now. */
export async function turnOf(retries: CallRetries, at: Pause, mostMs: number): Promise<boolean> {
  if (!retries.denied || mostMs <= 0) return false;
  const told = Promise.withResolvers<boolean>();
  const leave = retries.wait(told.resolve);
  if (leave === undefined) return false;
  const cancel = at.clock.timer(mostMs, () => told.resolve(false));
  at.control.listen(() => told.resolve(false));
  const goesOn = await told.promise;
  leave();
  cancel();
  at.control.listen(undefined);
  return goesOn;
}
