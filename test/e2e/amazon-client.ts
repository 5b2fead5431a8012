import { BedrockRuntimeClient, type BedrockRuntimeClientConfig } from "@aws-sdk/client-bedrock-runtime";
import { request as send, type IncomingMessage } from "node:http";

/** What the official client hands to whoever sends its requests. */
interface Outgoing {
  readonly method: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

interface Sending {
  readonly abortSignal?: AbortSignal;
}

/** The official client at a plain address. By itself it speaks only HTTP/2 there, which takes a server that knows. */
export function amazonClient(url: string, more: BedrockRuntimeClientConfig = {}): BedrockRuntimeClient {
  return new BedrockRuntimeClient({
    region: "eu-central-1",
    endpoint: url,
    token: { token: "any" },
    authSchemePreference: ["httpBearerAuth"],
    maxAttempts: 1,
    requestHandler: { handle } as never,
    ...more,
  });
}

/** The same with keys of an AWS account: what it sends is signed. */
export function signingClient(url: string, more: BedrockRuntimeClientConfig = {}): BedrockRuntimeClient {
  const credentials = { accessKeyId: "AKIATESTTESTTESTTEST", secretAccessKey: "secret" };
  const { token: _, ...signed } = { token: undefined, credentials, authSchemePreference: ["sigv4"] };
  return amazonClient(url, { ...signed, ...more });
}

async function handle(asked: Outgoing, { abortSignal }: Sending = {}): Promise<{ readonly response: object }> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const { method, hostname, port, path, headers, body } = asked;
    const sent = send({ method, hostname, port, path, headers: { ...headers }, agent: false }, resolve);
    sent.on("error", reject);
    abortSignal?.addEventListener("abort", () => sent.destroy(new Error("aborted")));
    sent.end(body);
  });
  return { response: { statusCode: answer.statusCode, reason: "", headers: answer.headers, body: answer } };
}
