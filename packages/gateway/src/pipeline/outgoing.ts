import type { Failure } from "#domain/failure";
import type { UpstreamRequest } from "#domain/ports";
import type { CredentialHeaders, OutgoingRequest } from "#providers/provider";
import type { AttemptInput } from "./attempt-input.ts";

/** An attempt's request as it leaves, or what kept its credential from being had. Nearly always without waiting. */
export function outgoing(
  input: AttemptInput,
  startedAtMs: number,
): UpstreamRequest | Failure | Promise<UpstreamRequest | Failure> {
  const { spec, credential, lane, kind, timeouts, plane } = input;
  const headers: Record<string, string> = {
    "content-type": "application/json",
    accept: input.streamed ? (streamTypesOf(input)[0] ?? "text/event-stream") : "application/json",
    "accept-encoding": "identity",
    "user-agent": "hedgerow",
    ...lane.headers,
    ...input.traceHeaders?.(startedAtMs),
  };
  for (const { name, value } of spec.headers) headers[name.toLowerCase()] = value.reveal();
  const request: OutgoingRequest = {
    method: "POST",
    origin: spec.origin,
    path: lane.path,
    headers,
    body: lane.body,
    ...(spec.region === undefined ? {} : { region: spec.region }),
    wallMs: plane.clock.wallMs(),
  };
  const signed = (credentials: CredentialHeaders | Failure): UpstreamRequest | Failure =>
    isFailure(credentials)
      ? credentials
      : {
          origin: request.origin,
          path: request.path,
          method: request.method,
          headers: Object.assign(headers, credentials),
          body: lane.body,
          connectMs: timeouts.connectMs,
        };
  const credentials = kind.authorize(credential?.secret, request);
  return credentials instanceof Promise ? credentials.then(signed) : signed(credentials);
}

/** No header is called `kind` beside `message`; a failure has both. */
function isFailure(credentials: CredentialHeaders | Failure): credentials is Failure {
  return "kind" in credentials && "message" in credentials;
}

/** The content types under which this attempt's answer is a stream, without parameters. */
export function streamTypesOf({ kind, lane }: AttemptInput): readonly string[] {
  return kind.unwrap?.(lane.upstream.id)?.streamTypes ?? lane.upstream.streamTypes;
}
