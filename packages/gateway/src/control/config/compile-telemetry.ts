import type { TracingRule } from "#domain/snapshot";
import { checkPosted } from "./compile-forward.ts";
import type { Report, TelemetrySettings } from "./compile-context.ts";
import type { ConfigDocument } from "./schema.ts";
import type { TelemetryEnvironment } from "./telemetry-environment.ts";
import { defaultExportEveryMs, defaultExportTimeoutMs } from "./telemetry-schema.ts";

interface Telemetry {
  /** Of the process that sends; absent: nothing is sent. */
  readonly telemetry?: TelemetrySettings;
  /** Of the workers; absent: providers are told nothing. */
  readonly tracing?: TracingRule;
}

const fromNobody: TelemetryEnvironment = { headers: [], resource: {}, traces: true, metrics: true, notices: [] };
const shortestEveryMs = 100;

/** What the configuration says, and where it says nothing, the environment. */
export function compileTelemetry({ telemetry }: ConfigDocument, env = fromNobody, report: Report): Telemetry {
  const { otlp, propagate } = telemetry ?? {};
  const url = otlp?.url ?? env.endpoint;
  const path = ["telemetry", "otlp"];
  if (url !== undefined) checkPosted(url, [...path, "url"], report);
  else if (otlp !== undefined) {
    report(path, "no collector is named", "write its address as `url`, or set OTEL_EXPORTER_OTLP_ENDPOINT");
  }
  if (otlp?.every !== undefined && otlp.every < shortestEveryMs) {
    report([...path, "every"], `is less than ${shortestEveryMs} ms`, "a few seconds are usual");
  }
  const traces = otlp?.traces ?? env.traces;
  const metrics = otlp?.metrics ?? env.metrics;
  const share = otlp?.sample ?? 1;
  const isSent = url !== undefined && (traces || metrics);
  const headers = Object.entries(otlp?.headers ?? {}).map(([name, value]) => ({ name: name.toLowerCase(), value }));
  return {
    ...(propagate === true ? { tracing: { share: isSent && traces ? share : 0 } } : {}),
    ...(isSent
      ? {
          telemetry: {
            url: url.replace(/\/+$/u, ""),
            headers: otlp?.headers === undefined ? env.headers : headers,
            everyMs: otlp?.every ?? defaultExportEveryMs,
            timeoutMs: otlp?.timeout ?? defaultExportTimeoutMs,
            traces,
            metrics,
            share,
            resource: {
              ...env.resource,
              "service.name": otlp?.service ?? env.service ?? env.resource["service.name"] ?? "hedgerow",
            },
          },
        }
      : {}),
  };
}
