import type { Violation } from "#simulation/voice";

/** As Bedrock's validation words it. */
export function constraint(place: string, value: unknown, rule: string): Violation {
  return {
    message: `1 validation error detected: Value '${String(value)}' at '${place}' failed to satisfy constraint: ${rule}`,
  };
}

export function oneMember(place: string): Violation {
  return { message: `${place} must set exactly one of its members.` };
}
