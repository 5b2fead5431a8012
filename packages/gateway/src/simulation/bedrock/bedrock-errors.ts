import { errorMessages } from "#simulation/error-kind";
import type { ErrorKind } from "#simulation/behaviour";
import type { Voice } from "#simulation/voice";
import { exceptionFrame } from "./event-frame.ts";

/** Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors */
const errors: Readonly<Record<ErrorKind, readonly [status: number, name: string]>> = {
  "invalid-request": [400, "ValidationException"],
  authentication: [403, "UnrecognizedClientException"],
  permission: [403, "AccessDeniedException"],
  "not-found": [404, "ResourceNotFoundException"],
  "too-large": [400, "ValidationException"],
  "rate-limit": [429, "ThrottlingException"],
  quota: [400, "ServiceQuotaExceededException"],
  server: [500, "InternalServerException"],
  timeout: [408, "ModelTimeoutException"],
  overloaded: [503, "ServiceUnavailableException"],
};

/** How Bedrock says no, in whatever language it was asked: a message, the kind in a header. */
export const bedrockErrors = {
  requestIdHeader: "x-amzn-requestid",
  errorStatus: (kind) => errors[kind][0],
  errorBody: ({ kind, message = errorMessages[kind] }) => ({ message }),
  errorHeaders: (kind) => ({
    "x-amzn-errortype": `${errors[kind][1]}:http://internal.amazon.com/coral/com.amazon.bedrock/`,
  }),
} as const satisfies Partial<Voice>;

/** Inside a stream the name begins in lower case, and stands in the frame's headers. */
export function bedrockException(body: object, kind: ErrorKind): Buffer {
  const name = errors[kind][1];
  return exceptionFrame(name.charAt(0).toLowerCase() + name.slice(1), body);
}
