/** Where OpenTelemetry's GenAI conventions (1.41; Moonshot later) have a name of their own for a kind. */
const names: Readonly<Record<string, string>> = {
  gemini: "gcp.gemini",
  vertex: "gcp.vertex_ai",
  bedrock: "aws.bedrock",
  "azure-openai": "azure.ai.openai",
  "azure-foundry": "azure.ai.inference",
  mistral: "mistral_ai",
  moonshot: "moonshot_ai",
  xai: "x_ai",
};

/** A kind as `gen_ai.provider.name` says it. */
export function telemetryName(kind: string): string {
  return Object.hasOwn(names, kind) ? (names[kind] ?? kind) : kind;
}
