import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { generateKeyPairSync } from "node:crypto";

/** Stands for Google's token server and for a machine's metadata server, on one port. */
export interface TokenServer extends AsyncDisposable {
  /** `127.0.0.1:1234` */
  readonly host: string;
  /** Bodies and paths of what was asked, in order. */
  readonly asked: readonly { readonly path: string; readonly body: string }[];
  /** Answers so from now on. */
  answer(status: number, json: object): void;
  /** Takes requests from now on and answers none. */
  hang(): void;
}

/** Every token asked for is another: `ya29.1`, `ya29.2`, … */
export async function startTokenServer(expiresInS = 3600): Promise<TokenServer> {
  const asked: { path: string; body: string }[] = [];
  let fixed: { status: number; json: object } | undefined;
  let given = 0;
  let hangs = false;
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (bytes: Buffer) => (body += bytes.toString()));
    request.on("end", () => {
      const path = request.url ?? "";
      asked.push({ path, body });
      if (hangs) return;
      const isToken = path.includes("token");
      const token = () => ({ access_token: `ya29.${++given}`, expires_in: expiresInS, token_type: "Bearer" });
      response.writeHead(isToken ? (fixed?.status ?? 200) : 200, {
        "content-type": "application/json",
        "metadata-flavor": "Google",
      });
      response.end(isToken ? JSON.stringify(fixed?.json ?? token()) : "{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    asked,
    answer: (status, json) => (fixed = { status, json }),
    hang: () => (hangs = true),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The JSON of a service account whose tokens this server gives. */
export function serviceAccount(host: string): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return JSON.stringify({
    type: "service_account",
    project_id: "my-project",
    private_key_id: "1",
    private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
    client_email: "gateway@my-project.iam.gserviceaccount.com",
    token_uri: `http://${host}/token`,
  });
}
