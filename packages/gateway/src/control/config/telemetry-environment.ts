import { Secret } from "#domain/secret";

/** What OpenTelemetry's usual variables say; the configuration's own words go before. */
export interface TelemetryEnvironment {
  readonly endpoint?: string;
  readonly headers: readonly { readonly name: string; readonly value: Secret }[];
  readonly service?: string;
  /** `OTEL_RESOURCE_ATTRIBUTES`. */
  readonly resource: Readonly<Record<string, string>>;
  readonly traces: boolean;
  readonly metrics: boolean;
  /** What is not followed, in words that hold no value. */
  readonly notices: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const headerName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/u;
const mostPairs = 64;

/**
 * Reads them after
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ and …/protocol/exporter/.
 */
export function telemetryFrom(env: Environment): TelemetryEnvironment {
  const notices: string[] = [];
  const off = valueOf(env, "OTEL_SDK_DISABLED").toLowerCase() === "true";
  const protocol = valueOf(env, "OTEL_EXPORTER_OTLP_PROTOCOL");
  const written = valueOf(env, "OTEL_EXPORTER_OTLP_ENDPOINT");
  if (written !== "" && protocol === "grpc") {
    notices.push("OTEL_EXPORTER_OTLP_PROTOCOL is grpc, which is not spoken here: nothing is sent to its endpoint.");
  }
  const endpoint = off || written === "" || protocol === "grpc" ? {} : { endpoint: written };
  const pairs = (name: string): readonly (readonly [string, string])[] => {
    const read = readPairs(valueOf(env, name));
    if (read === undefined) notices.push(`${name} is not a list of name=value and is left out.`);
    return read ?? [];
  };
  const service = valueOf(env, "OTEL_SERVICE_NAME");
  const headers = pairs("OTEL_EXPORTER_OTLP_HEADERS").filter(([name]) => headerName.test(name));
  return {
    ...endpoint,
    headers: headers.map(([name, value]) => ({ name: name.toLowerCase(), value: new Secret(value) })),
    ...(service === "" ? {} : { service }),
    resource: Object.fromEntries(pairs("OTEL_RESOURCE_ATTRIBUTES")),
    traces: valueOf(env, "OTEL_TRACES_EXPORTER") !== "none",
    metrics: valueOf(env, "OTEL_METRICS_EXPORTER") !== "none",
    notices,
  };
}

/** `a=b,c=d`, values percent-encoded; undefined where one of them is not. */
function readPairs(written: string): readonly (readonly [string, string])[] | undefined {
  const pairs: (readonly [string, string])[] = [];
  for (const part of written.split(",")) {
    if (part.trim() === "") continue;
    const at = part.indexOf("=");
    const name = part.slice(0, at).trim();
    if (at < 1 || name === "" || pairs.length === mostPairs) return undefined;
    try {
      const value = decodeURIComponent(part.slice(at + 1).trim());
      // A line break would be a header more.
      if (/\p{Cc}/u.test(value)) return undefined;
      pairs.push([name, value]);
    } catch {
      return undefined;
    }
  }
  return pairs;
}

function valueOf(env: Environment, name: string): string {
  return (env[name] ?? "").trim();
}
