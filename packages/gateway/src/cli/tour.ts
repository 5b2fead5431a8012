import { terminalLine } from "./terminal-text.ts";

const stepMs = 15_000;
const widest = 118;

/**
 * Shows on the running gateway itself what it does: a call, a failover, a doubted answer, a cut stream told honestly. At most twenty
 * lines. A step that fails says so and hurts nothing: the gateway serves on.
 */
export async function showTour(url: string, print: (text: string) => void): Promise<void> {
  const say = (text = ""): void => print(text === "" ? "\n" : `  ${clipped(terminalLine(text))}\n`);
  say();
  say("Simulated providers answer here, not language models. Try them:");
  // Not through `say`: what is to be copied must not be cut.
  const body = JSON.stringify({ model: "default", messages: [{ role: "user", content: "Hello!" }] });
  print(`  curl ${url}/v1/chat/completions -H 'content-type: application/json' -d '${body}'\n`);
  for (const step of [showCall, showFailover, showDoubt, showCut]) {
    say();
    try {
      for (const line of await step(url)) say(line);
    } catch (error) {
      say(`This step could not be shown: ${(error as Error).message}`);
    }
  }
  say();
  say(
    "For real providers set a key such as OPENAI_API_KEY and start again; `npx hedgerow init` writes a configuration.",
  );
}

function clipped(line: string): string {
  return line.length > widest ? `${line.slice(0, widest - 1)}…` : line;
}

async function showCall(url: string): Promise<readonly string[]> {
  const answer = await post(url, { ...question("default"), stream: false });
  const text = textOf(await answer.json());
  return ["1. A call to the route default:", `   ${answer.headers.get("x-hedgerow-provider")} answered: ${text}`];
}

async function showFailover(url: string): Promise<readonly string[]> {
  const { answer, attempts } = await askWithFacts(url, "demo-failover");
  return [
    "2. A failover: the first target of demo-failover is always overloaded. The caller sees only an answer.",
    `   ${attempts}`,
    `   x-hedgerow-decision: ${answer.headers.get("x-hedgerow-decision")}, status ${answer.status}`,
  ];
}

async function showDoubt(url: string): Promise<readonly string[]> {
  const { answer, attempts } = await askWithFacts(url, "demo-doubt");
  const { headers } = answer;
  const sure = headers.get("x-hedgerow-confidence") ?? "none, which is a bug: please report it";
  return [
    "3. A doubted answer: the first target of demo-doubt guesses, as its log-probabilities tell; the route wants 0.85.",
    `   ${attempts}`,
    `   x-hedgerow-decision: ${headers.get("x-hedgerow-decision")}, x-hedgerow-confidence: ${sure}`,
  ];
}

async function askWithFacts(
  url: string,
  route: string,
): Promise<{ readonly answer: Response; readonly attempts: string }> {
  const answer = await post(url, { ...question(route), hedgerow: { metadata: true } });
  const body = (await answer.json()) as { readonly hedgerow?: { readonly attempts?: readonly AttemptFacts[] } };
  const attempts = (body.hedgerow?.attempts ?? []).map(
    ({ target, outcome, failure, ms }, index) =>
      `attempt ${index + 1}: ${target} ${outcome}${failure === undefined ? "" : ` (${failure})`} after ${ms} ms`,
  );
  return { answer, attempts: attempts.join("; ") };
}

interface AttemptFacts {
  readonly target: string;
  readonly outcome: string;
  readonly failure?: string;
  readonly ms: number;
}

async function showCut(url: string): Promise<readonly string[]> {
  const answer = await post(url, { ...question("demo-cut"), stream: true });
  const frames = (await answer.text())
    .split("\n\n")
    .flatMap((frame) => frame.split("\n").filter((line) => line.startsWith("data: ")))
    .map((line) => line.slice("data: ".length));
  const words = frames.map(deltaOf).join("");
  const told = frames.map(errorOf).find((error) => error !== undefined);
  const whole = frames.includes("[DONE]") ? "ended with [DONE]" : "no [DONE]: it does not pass for a whole answer";
  return [
    "4. A stream whose provider breaks off in the middle, with a clean end of the connection:",
    `   the caller got: ${words}`,
    `   and was told:   ${told ?? "nothing, which is a bug: please report it"}`,
    `   ${whole}`,
  ];
}

function question(model: string): object {
  return { model, messages: [{ role: "user", content: "Who are you?" }] };
}

function post(url: string, body: object): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(stepMs),
  });
}

function textOf(body: unknown): string {
  const { choices } = body as { readonly choices?: readonly { readonly message?: { readonly content?: string } }[] };
  return choices?.[0]?.message?.content ?? "(no text)";
}

/** `code: message` of an error event; undefined for any other. */
function errorOf(frame: string): string | undefined {
  try {
    const { error } = JSON.parse(frame) as {
      readonly error?: { readonly message?: string; readonly metadata?: { readonly code?: string } };
    };
    return error === undefined ? undefined : `${error.metadata?.code ?? "error"}: ${error.message}`;
  } catch {
    return undefined;
  }
}

function deltaOf(frame: string): string {
  try {
    const { choices } = JSON.parse(frame) as {
      readonly choices?: readonly { readonly delta?: { readonly content?: string } }[];
    };
    return choices?.[0]?.delta?.content ?? "";
  } catch {
    return "";
  }
}
