import { object, objects, strings } from "./received-request.ts";

const maxDepth = 20;

/**
 * Why OpenAI's strict mode would refuse a schema: every object forbids further properties and requires all it has.
 * Source: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas (read 2026-11)
 */
export function strictSchemaFault(schema: unknown, path: readonly string[] = []): string | undefined {
  const rules = object(schema);
  if (rules === undefined || path.length > maxDepth) return undefined;
  const properties = object(rules["properties"]) ?? {};
  const context = `In context=(${path.map((part) => `'${part}'`).join(", ")}),`;
  if (rules["type"] === "object") {
    if (rules["additionalProperties"] !== false) {
      return `${context} 'additionalProperties' is required to be supplied and to be false.`;
    }
    const required = strings(rules["required"]);
    const optional = Object.keys(properties).find((name) => !required.includes(name));
    if (optional !== undefined) {
      return (
        `${context} 'required' is required to be supplied and to be an array including every key in properties. ` +
        `Missing '${optional}'.`
      );
    }
  }
  const parts: [string, unknown][] = [
    ...Object.entries(properties),
    ...Object.entries(object(rules["$defs"]) ?? {}),
    ["items", rules["items"]],
    ...objects(rules["anyOf"]).map((part, index): [string, unknown] => [`anyOf.${index}`, part]),
  ];
  for (const [name, part] of parts) {
    const fault = strictSchemaFault(part, [...path, name]);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
