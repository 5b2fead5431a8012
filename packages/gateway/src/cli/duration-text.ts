/** `4.2 s`, `90 s`, `45 min`, `3 h`: near enough to act on. Nothing is shorter than no time. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** `in 3 h`, `5 min ago`. */
export function fromNow(atMs: number, nowMs: number): string {
  return atMs >= nowMs ? `in ${durationText(atMs - nowMs)}` : `${durationText(nowMs - atMs)} ago`;
}
