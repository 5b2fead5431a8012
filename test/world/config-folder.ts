import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfiguration } from "#control/config/configuration";
import type { Configuration, ConfigurationRead, ReadOptions } from "#control/config/configuration";
import { renderProblem } from "#control/config/problem";

/** A folder with a `hedgerow.yaml` that tests write and read. */
export class ConfigFolder {
  readonly path = mkdtempSync(join(tmpdir(), "hedgerow-config-"));
  readonly #env: Readonly<Record<string, string>>;

  constructor(env: Readonly<Record<string, string>>) {
    this.#env = env;
  }

  read(yaml: string, more: Partial<ReadOptions> = {}): ConfigurationRead {
    writeFileSync(join(this.path, "hedgerow.yaml"), yaml);
    const usual = { path: "hedgerow.yaml", cwd: this.path, env: this.#env, today: "2026-11-21" };
    return readConfiguration({ ...usual, ...more });
  }

  /** One line for each problem; the word `configured` where there is none. */
  problems(yaml: string, more: Partial<ReadOptions> = {}): readonly string[] {
    const found = this.read(yaml, more);
    return found.kind === "refused" ? found.problems.map(renderProblem) : [found.kind];
  }

  configured(yaml: string, more: Partial<ReadOptions> = {}): Configuration {
    const found = this.read(yaml, more);
    if (found.kind !== "configured") throw new Error(this.problems(yaml, more).join("\n"));
    return found;
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}
