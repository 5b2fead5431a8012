import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Plays the two servers that classify texts: vLLM's `POST /classify` and Text Embeddings Inference's `POST /predict`. */
export interface ClassifierServer extends AsyncDisposable {
  /** `http://127.0.0.1:1234` */
  readonly url: string;
  /** The texts that were to be classified, in order. */
  readonly asked: readonly string[];
  readonly keys: readonly (string | undefined)[];
  /** Takes requests from now on and answers none. */
  hang(): void;
  /** Resolves once somebody who was left without an answer has hung up. */
  readonly hungUp: Promise<void>;
}

interface Answered {
  readonly status: number;
  readonly json: object;
}

export const classifierModel = "answer-checker";

/** As an embedding model's window: longer texts are refused, or cut at their end where the request allows it. */
const maxCharacters = 20_000;

/** Says of an answer that it is right, class 1, where `isRight` says so of what is quoted as the answer, line by line. */
export async function startClassifierServer(isRight: (answer: string) => boolean): Promise<ClassifierServer> {
  const asked: string[] = [];
  const keys: (string | undefined)[] = [];
  const left = Promise.withResolvers<void>();
  let hangs = false;
  const probabilityOf = (text: string): number => {
    asked.push(text);
    return isRight(quotedAnswer(text)) ? 0.999995 : 0.03;
  };
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      keys.push(request.headers.authorization);
      if (hangs) return void response.on("close", left.resolve);
      const body = JSON.parse(Buffer.concat(pieces).toString()) as Record<string, unknown>;
      const { status, json } =
        request.url === "/classify" ? classify(body, probabilityOf) : predict(body, probabilityOf);
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    keys,
    hang: () => void (hangs = true),
    hungUp: left.promise,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function classify({ model, input }: Record<string, unknown>, probabilityOf: (text: string) => number): Answered {
  const refused = (status: number, message: string) => ({ status, json: { error: { message, code: status } } });
  if (model !== classifierModel) return refused(404, `The model ${JSON.stringify(model)} does not exist.`);
  if (typeof input !== "string") return refused(400, "input should be a valid string");
  if (input.length > maxCharacters) return refused(400, "This model's maximum context length is exceeded.");
  const right = probabilityOf(input);
  const probs = [1 - right, right];
  return {
    status: 200,
    json: {
      id: "classify-9bf17f28",
      object: "list",
      created: 1_745_383_213,
      model,
      data: [{ index: 0, label: right > 0.5 ? "acceptable" : "wrong", probs, num_classes: 2 }],
      usage: { prompt_tokens: 10, total_tokens: 10, completion_tokens: 0, prompt_tokens_details: null },
    },
  };
}

function predict({ inputs, truncate }: Record<string, unknown>, probabilityOf: (text: string) => number): Answered {
  if (typeof inputs !== "string") return { status: 422, json: { error: "invalid type", error_type: "validation" } };
  if (inputs.length > maxCharacters && truncate !== true)
    return { status: 413, json: { error: "`inputs` must have less tokens", error_type: "validation" } };
  const right = probabilityOf(inputs.slice(0, maxCharacters));
  const told = [
    { score: right, label: "acceptable" },
    { score: 1 - right, label: "wrong" },
  ];
  return { status: 200, json: told.toSorted((one, other) => other.score - one.score) };
}

/** Read as it is framed: the first line after a heading is the fence, which the next such line closes. */
function quotedAnswer(text: string): string {
  const lines = text.split("\n");
  const fence = lines[1] ?? "";
  const [, , opens, closes] = lines.flatMap((line, at) => (line === fence ? [at] : []));
  if (opens === undefined || lines[opens - 1] !== "Answer:") return "";
  return lines
    .slice(opens + 1, closes)
    .map((line) => line.replace(/^\| /u, ""))
    .join("\n");
}
