import { z } from "zod";
import { about, duration, flag, secretText, text } from "./schema-values.ts";

export const defaultExportEveryMs = 5_000;
export const defaultExportTimeoutMs = 10_000;

const headerName = /^[A-Za-z0-9-]{1,100}$/u;

export const telemetrySection = z
  .strictObject({
    otlp: z
      .strictObject({
        url: z
          .string()
          .min(1)
          .max(2000)
          .meta({
            description:
              "The collector's base address, to which /v1/traces and /v1/metrics are added; by default that of OTEL_EXPORTER_OTLP_ENDPOINT.",
          })
          .exactOptional(),
        headers: z
          .record(
            z.string().regex(headerName, "not a header's name"),
            secretText("The header's value: ${NAME} or file:PATH."),
          )
          .meta({ description: "Headers of each post; by default those of OTEL_EXPORTER_OTLP_HEADERS." })
          .exactOptional(),
        every: duration("How often spans and metrics are sent.", `${defaultExportEveryMs / 1000}s`),
        timeout: duration("Until a post is answered.", `${defaultExportTimeoutMs / 1000}s`),
        traces: z.boolean().meta({ description: "Whether spans are sent.", default: true }).exactOptional(),
        metrics: z.boolean().meta({ description: "Whether metrics are sent.", default: true }).exactOptional(),
        sample: z
          .number()
          .min(0)
          .max(1)
          .meta(
            about(
              "The share of traces that are kept, of those that begin here; a caller's word on its own is followed.",
              1,
            ),
          )
          .exactOptional(),
        service: text("The service's name; by default that of OTEL_SERVICE_NAME, or hedgerow."),
      })
      .meta({ description: "A collector of OpenTelemetry, spoken to in OTLP over HTTP as JSON." })
      .exactOptional(),
    propagate: flag("Whether requests to providers carry `traceparent`; by default they do not."),
  })
  .meta({ description: "Traces and metrics for OpenTelemetry. See docs/telemetry.md." })
  .exactOptional();
