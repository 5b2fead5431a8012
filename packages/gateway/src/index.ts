/**
 * The gateway inside another process: compile a configuration, start a data plane, send it requests over HTTP, drain
 * it. The command line does the same over several processes; see `ARCHITECTURE.md`.
 */
export { compileMade, readConfiguration } from "./control/config/configuration.ts";
export type { CallRecord } from "./domain/record.ts";
export type { Snapshot } from "./domain/snapshot.ts";
export { openJournal, type JournalOptions } from "./ledger/journal.ts";
export { openLog, type Log } from "./planes/log.ts";
export { startDataPlane, type DataPlaneOptions, type RunningDataPlane } from "./planes/start-data-plane.ts";
export { startSimulator, type Simulator, type SimulatorOptions } from "./simulation/server.ts";
