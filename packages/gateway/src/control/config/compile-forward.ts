import type { ForwardSettings, Report } from "./compile-context.ts";
import type { ConfigPath } from "./problem.ts";
import type { ConfigDocument, ForwardEntry } from "./schema.ts";
import { defaultBatchRecords, defaultForwardTimeoutMs, defaultKeptRecords } from "./survival-schema.ts";

export function compileForward(entry: ForwardEntry): ForwardSettings {
  return {
    url: entry.url,
    ...(entry.key === undefined ? {} : { key: entry.key }),
    batchRecords: entry.batch ?? defaultBatchRecords,
    timeoutMs: entry.timeout ?? defaultForwardTimeoutMs,
    keptRecords: entry.keep ?? defaultKeptRecords,
  };
}

/** An address that cannot be posted to would be found out only when records have gathered. */
export function checkForward(document: ConfigDocument, report: Report): void {
  const written = document.records?.forward?.url;
  if (written !== undefined) checkPosted(written, ["records", "forward", "url"], report);
}

/** Of any address that the gateway posts to by itself. */
export function checkPosted(written: string, path: ConfigPath, report: Report): void {
  const url = URL.parse(written);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    report(path, `${JSON.stringify(written)} is no http or https address`, "write one such as https://host/records");
  } else if (url.username !== "" || url.password !== "") {
    report(
      path,
      "the address holds a credential",
      "write it as `key`, or under `headers`, where there are such: they are sent as headers",
    );
  }
}
