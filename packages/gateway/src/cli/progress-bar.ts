import type { CommandIo } from "./command.ts";
import { terminalLine } from "./terminal-text.ts";

const barWidth = 24;

/** Shows how far long work is, on stderr and only where both it and stdout are terminals. */
export function progressBar(total: number, io: CommandIo): { step(what: string): void; done(): void } {
  if (!io.stderrIsTty || !io.isTty) return { step: () => {}, done: () => {} };
  let at = 0;
  return {
    step(what) {
      const filled = Math.round((at / total) * barWidth);
      const bar = "█".repeat(filled) + "░".repeat(barWidth - filled);
      at += 1;
      io.stderr(`\r\u001b[K${bar} ${at}/${total} ${terminalLine(what).slice(0, 60)}`);
    },
    done: () => io.stderr("\r\u001b[K"),
  };
}
