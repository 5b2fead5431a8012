import type { Aspect } from "#policy/compatibility";
import type { CommandIo } from "./command.ts";
import { renderTable } from "./table.ts";
import { terminalLine } from "./terminal-text.ts";

export interface ObjectionFound {
  /** The word of `despite` that allows it. */
  readonly objection: string;
  readonly why: string;
}

/** A backup beside the first target of its chain. */
export interface ComparedBackup {
  readonly target: string;
  readonly worst: Aspect["risk"];
  /** What keeps it out of automatic failover. */
  readonly keptOutFor: readonly ObjectionFound[];
  /** What would, had the route not allowed it by name. */
  readonly allowed: readonly ObjectionFound[];
  readonly aspects: readonly Aspect[];
}

export interface CompatibilityReport {
  /** The route, or the chain as it was written. */
  readonly chain: string;
  readonly primary: string;
  readonly backups: readonly ComparedBackup[];
}

export function printCompatibility({ chain, primary, backups }: CompatibilityReport, io: CommandIo): void {
  if (backups.length === 0) {
    io.stdout(`${terminalLine(chain)} has no backup: ${terminalLine(primary)} is alone\n`);
    return;
  }
  for (const [at, backup] of backups.entries()) {
    io.stdout(`${at === 0 ? "" : "\n"}${terminalLine(chain)}: ${terminalLine(`${primary} → ${backup.target}`)}\n\n`);
    io.stdout(
      renderTable(
        [
          { title: "ASPECT", value: ({ aspect }) => aspect },
          { title: "PRIMARY", value: (each) => each.primary },
          { title: "BACKUP", value: (each) => each.backup },
          { title: "RISK", value: ({ risk }) => title(risk) },
          { title: "WHY", value: ({ why }) => why, whole: true },
        ],
        backup.aspects,
      ),
    );
    io.stdout(`\n${terminalLine(verdict(backup))}\n`);
  }
}

function verdict({ target, worst, keptOutFor, allowed }: ComparedBackup): string {
  if (keptOutFor.length > 0) {
    const words = [...keptOutFor, ...allowed].map(({ objection }) => objection);
    const despite = words.length === 1 ? words[0] : `[${words.join(", ")}]`;
    return `Critical: kept out of automatic failover. To allow it: { target: ${target}, despite: ${despite} }`;
  }
  if (allowed.length > 0) return `Critical, and allowed by name: ${allowed.map(({ why }) => why).join("; ")}`;
  return `${title(worst)} at worst: asked when what stands before it fails.`;
}

function title(risk: Aspect["risk"]): string {
  return risk.charAt(0).toUpperCase() + risk.slice(1);
}
