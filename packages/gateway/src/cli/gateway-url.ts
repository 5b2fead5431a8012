import { UsageError } from "./command.ts";
import type { CommandIo } from "./command.ts";

export const usualUrl = "http://127.0.0.1:4000";

/** The running gateway a command talks to: as written, else as the environment says, else the usual one. */
export function gatewayUrl(written: string | undefined, io: CommandIo): string {
  const text = written ?? io.env["HEDGEROW_URL"] ?? usualUrl;
  if (!URL.canParse(text) || !/^https?:/iu.test(text)) {
    throw new UsageError(`${JSON.stringify(text)} is not the address of a gateway, such as ${usualUrl}`);
  }
  return text.replace(/\/+$/u, "").replace(/\/v1$/u, "");
}
