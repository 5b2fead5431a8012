import { existsSync, readFileSync } from "node:fs";
import { request, type IncomingHttpHeaders } from "node:http";
import { join } from "node:path";

/** A request as a real client sent it. Credentials were taken out before it was stored. */
export interface Capture {
  readonly client: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly model?: string; readonly stream?: boolean; readonly stream_options?: object } | null;
}

export interface CapturedReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What stands in captured credentials is replaced by this key of the gateway. */
export const gatewayKey = "hr-captured-clients-key";

const shared = process.env["HEDGEROW_SHARED"] ?? join(import.meta.dirname, "../../../shared");
const folder = join(shared, "fixtures/client-captures");

/** Every captured request; none, with a printed word, where there are none on this machine. */
export function readCaptures(): readonly Capture[] {
  if (!existsSync(folder)) {
    console.info(`skipped: captured clients, there is no ${folder}; set HEDGEROW_SHARED to replay them`);
    return [];
  }
  return ["sdk-flows.jsonl", "cli-flows.jsonl"].flatMap((file) => {
    const lines = readFileSync(join(folder, file), "utf8").trim().split("\n");
    return lines.map((line) => JSON.parse(line) as Capture);
  });
}

export function bodyText({ body }: Capture): string | undefined {
  return body === null ? undefined : JSON.stringify(body);
}

/** Sends the request as it was captured, save for what names the connection and the key in place of the redacted one. */
export function sendCaptured(origin: string, capture: Capture): Promise<CapturedReply> {
  const headers = Object.fromEntries(
    Object.entries(capture.headers)
      .filter(([name]) => !["host", "content-length", "connection"].includes(name))
      .map(([name, value]) => [name, value.replace("<redacted>", gatewayKey)]),
  );
  return new Promise((resolve, reject) => {
    const sent = request(origin + capture.url, { method: capture.method, headers }, (reply) => {
      const pieces: Buffer[] = [];
      reply.on("data", (piece: Buffer) => pieces.push(piece));
      reply.on("end", () => {
        resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: Buffer.concat(pieces) });
      });
      reply.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(bodyText(capture));
  });
}
