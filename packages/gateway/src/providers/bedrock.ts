import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import { Secret } from "#domain/secret";
import { bearer, plainKeyProblem } from "./authorize.ts";
import { bedrockInvokeStream } from "./bedrock-invoke-stream.ts";
import { bedrockBetas, olderBedrockBetas } from "./claude-betas.ts";
import { classifierWith } from "./classify-reply.ts";
import { hasSecondVersion, isClaude } from "./claude-names.ts";
import { hostedClaude } from "./hosted-claude.ts";
import { bedrockRows } from "./own-rows.ts";
import { usualRequestId } from "./request-id.ts";
import { signV4 } from "./sigv4.ts";
import type { DialectId, Operation } from "#domain/call";
import type { AwsKeys } from "./sigv4.ts";
import type {
  CredentialHeaders,
  OutgoingRequest,
  Placement,
  ProviderKind,
  Sending,
  StreamUnwrapping,
} from "./provider.ts";

/** Amazon Bedrock: Converse for every model, Anthropic's own language for Claude. */
export const bedrock: ProviderKind = {
  id: "bedrock",
  title: "Amazon Bedrock",
  dialect: "bedrock-converse",
  lanes,
  languages: ["bedrock-converse", "anthropic-messages"],
  urlFor: ({ region }) => (region === undefined ? undefined : `https://bedrock-runtime.${region}.amazonaws.com`),
  settings: {
    // It stands in the host, and in every signature.
    region: {
      example: "eu-central-1",
      needed: ({ url, keys }) => !url || keys.some((key) => keysOf(key) !== undefined),
    },
  },
  environmentKeys: ["AWS_BEARER_TOKEN_BEDROCK"],
  environment: {
    keyParts: { names: ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"], needed: 2 },
    settings: { region: ["AWS_REGION", "AWS_DEFAULT_REGION"] },
    implied: true,
  },
  keyless: false,
  keyProblem(key) {
    if (/^A[KS]IA\w{12,}$/.test(key)) return "this is an access key's id without its secret: write ID:SECRET";
    return plainKeyProblem(key);
  },
  quirks: plainChatQuirks,
  operations: (model) => (cohereModel.test(model) ? ["generate", "embed", "rerank"] : ["generate", "count-tokens"]),
  operator: "aws",
  owner: "aws",
  place,
  authorize,
  unwrap: (dialect) => unwrappings[dialect],
  classify: classifierWith(bedrockRows),
  requestId: usualRequestId,
};

const unwrappings: Partial<Readonly<Record<DialectId, StreamUnwrapping>>> = {
  "anthropic-messages": bedrockInvokeStream,
};

const cohereModel = /(?:^|[./])cohere\.(?:embed|rerank)/;

function lanes(model: string, operation: Operation = "generate"): readonly DialectId[] {
  if (operation === "embed" || operation === "rerank") return cohereModel.test(model) ? ["cohere-chat"] : [];
  // What Bedrock counts is Converse's own request.
  return isClaude(model) && operation === "generate"
    ? ["anthropic-messages", "bedrock-converse"]
    : ["bedrock-converse"];
}

/** InvokeModel takes each vendor's own body, without what stands in the path. */
const invoked: Partial<Readonly<Record<DialectId, (sending: Sending) => Placement>>> = {
  "anthropic-messages": (sending) => ({
    path: sending.streamed ? `${invokePath(sending)}-with-response-stream` : invokePath(sending),
    ...hostedClaude(sending, {
      version: "bedrock-2023-05-31",
      hasSecondVersion: hasSecondVersion(sending.model),
      betas: hasSecondVersion(sending.model) ? bedrockBetas : olderBedrockBetas,
      betasInBody: true,
      without: ["model", "stream"],
    }),
  }),
  "cohere-chat": (sending) => {
    const edits = new Map<string, string | undefined>([["model", undefined]]);
    // Its rerankers want the version of Cohere's API said (Bedrock user guide, read 2026-11).
    if (sending.operation === "rerank") edits.set("api_version", "2");
    return { path: invokePath(sending), edits };
  },
};

function invokePath({ basePath, model }: Sending): string {
  return `${basePath}/model/${encodeURIComponent(model)}/invoke`;
}

function place(sending: Sending): Placement {
  return invoked[sending.dialect]?.(sending) ?? { path: sending.basePath + sending.path };
}

/** `ID:SECRET`, `ID:SECRET:TOKEN`; anything else is one of Bedrock's own API keys. */
function keysOf(key: string): AwsKeys | undefined {
  const [, accessKeyId, secretKey, token] = /^(\w{4,128}):([^:]+)(?::(.+))?$/.exec(key) ?? [];
  if (accessKeyId === undefined || secretKey === undefined) return undefined;
  return {
    accessKeyId,
    secretKey: new Secret(secretKey),
    ...(token === undefined ? {} : { sessionToken: new Secret(token) }),
  };
}

/** Taken apart once: a secret never changes. */
const known = new WeakMap<Secret, { readonly keys: AwsKeys | undefined }>();

function authorize(
  secret: Secret | undefined,
  request: OutgoingRequest,
): CredentialHeaders | ReturnType<typeof failure> {
  if (secret === undefined) return {};
  let split = known.get(secret);
  if (split === undefined) known.set(secret, (split = { keys: keysOf(secret.reveal()) }));
  if (split.keys === undefined) return bearer(secret);
  const { region, method, origin, path, body, wallMs } = request;
  if (region === undefined) {
    return failure("credential_rejected", "Signing for Bedrock needs a region; the gateway's operator has to set it.");
  }
  // What proxies rewrite is not signed: only what says who asks for what, where and when.
  return signV4({ ...split.keys, region, service: "bedrock", method, host: new URL(origin).host, path, body, wallMs });
}
