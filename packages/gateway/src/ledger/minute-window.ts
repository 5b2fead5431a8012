/** A loan of a rate may be used for so long after it was made, s: the window is that much longer than the minute it bounds. */
export const loanSeconds = 2;
const windowSeconds = 60 + loanSeconds;

/**
 * What was lent of a rate in the last 62 seconds, by the second. Whoever borrows may use it for two seconds more, so no
 * minute ever sees more than the limit.
 */
export class MinuteWindow {
  readonly #counts = new Float64Array(windowSeconds);
  /** The newest second that was counted. */
  #headS = Number.NEGATIVE_INFINITY;
  #sum = 0;

  used(nowS: number): number {
    this.#moveTo(nowS);
    return this.#sum;
  }

  add(units: number, nowS: number): void {
    this.#moveTo(nowS);
    this.#change(this.#headS, units);
  }

  /** What was not used after all: out of the newest seconds first, as it was the latest to be lent. */
  takeBack(units: number, nowS: number): void {
    this.#moveTo(nowS);
    let left = units;
    for (let ago = 0; ago < windowSeconds && left > 0; ago += 1) {
      const there = Math.min(left, Math.max(0, this.#at(this.#headS - ago)));
      this.#change(this.#headS - ago, -there);
      left -= there;
    }
  }

  /**
   * Corrects what was taken in a second, there or where it may have been lent before. What fell out of the window cannot be
   * corrected.
   */
  lessAt(units: number, atS: number, nowS: number): void {
    this.#moveTo(nowS);
    let left = units;
    for (let second = Math.min(atS, this.#headS); second >= atS - loanSeconds && left > 0; second -= 1) {
      if (second <= this.#headS - windowSeconds) return;
      const there = Math.min(left, Math.max(0, this.#at(second)));
      this.#change(second, -there);
      left -= there;
    }
  }

  /** Until so many units are free under the limit, in seconds; undefined where they never are. */
  secondsUntil(units: number, limit: number, nowS: number): number | undefined {
    this.#moveTo(nowS);
    if (units > limit) return undefined;
    let sum = this.#sum;
    for (let ago = windowSeconds - 1; ago >= 0; ago -= 1) {
      if (sum + units <= limit) return Math.max(1, windowSeconds - 1 - ago);
      sum -= this.#at(this.#headS - ago);
    }
    return windowSeconds;
  }

  /** Times that go back (a clock that was set) count at the newest second seen. */
  #moveTo(nowS: number): void {
    if (nowS <= this.#headS) return;
    const steps = Math.min(windowSeconds, nowS - this.#headS);
    for (let step = 0; step < steps; step += 1) {
      const at = index(nowS - step);
      this.#sum -= this.#counts[at] ?? 0;
      this.#counts[at] = 0;
    }
    this.#headS = nowS;
    if (steps === windowSeconds) this.#sum = 0;
  }

  #at(second: number): number {
    return this.#counts[index(second)] ?? 0;
  }

  #change(second: number, by: number): void {
    const at = index(second);
    this.#counts[at] = (this.#counts[at] ?? 0) + by;
    this.#sum += by;
  }
}

function index(second: number): number {
  return ((second % windowSeconds) + windowSeconds) % windowSeconds;
}
