import { describe, expect, it } from "vitest";
import { failureTraits } from "#domain/failure";
import { errorFromReply } from "../packages/client/src/error-from-reply.ts";

describe("the client's errors", () => {
  const codes = new Set(Object.values(failureTraits).map(({ code }) => code));

  it.each([...codes].filter((code) => code !== "client_gone"))("know the gateway's code %s", (code) => {
    // A status that says nothing: the class can only come from the code.
    const body = JSON.stringify({ error: { message: "why", metadata: { code } } });
    const error = errorFromReply({ status: 599, headers: new Headers(), body });
    expect(error.code).toBe(code);
    if (code !== "internal_error") expect(error.name).not.toBe("HedgerowError");
  });
});
