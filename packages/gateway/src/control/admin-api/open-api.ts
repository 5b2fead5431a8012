import { z } from "zod";
import { wrongBody, type Schema } from "./schemas.ts";

/** One endpoint, as far as it is described. */
export interface DescribedRoute {
  readonly method: "GET" | "POST" | "DELETE";
  /** `/admin/api/keys/{id}` */
  readonly path: string;
  readonly permission: "viewer" | "admin";
  readonly summary: string;
  /** Parameters of the query and what each is for. */
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Schema;
  readonly answer: { readonly status: 200 | 201; readonly schema: Schema };
  /** What it may answer beside 401 and 403. */
  readonly failures?: readonly number[];
}

type Json = Readonly<Record<string, unknown>>;

const reasons: Readonly<Record<number, string>> = {
  400: "What was sent is wrong.",
  401: "There is no key, or it is not known here.",
  403: "The key is not good for this.",
  404: "There is no such thing.",
  409: "It does not go with what is there.",
  413: "The body is too large.",
  415: "The body is not JSON.",
  503: "What keeps it cannot be reached at the moment.",
};

/** The document of OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1.html) of these endpoints. */
export function openApiOf(routes: readonly DescribedRoute[]): Json {
  const shared: Record<string, unknown> = {};
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = (paths[route.path] ??= {});
    path[route.method.toLowerCase()] = operationOf(route, shared);
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Hedgerow admin API",
      version: "1",
      description: "For administrators of a gateway: how it is, whom it waits for, and its keys.",
    },
    security: [{ key: [] }],
    paths,
    components: {
      securitySchemes: {
        key: {
          type: "http",
          scheme: "bearer",
          description: "`server.admin.token`, or a key with the role viewer or admin.",
        },
      },
      schemas: Object.fromEntries(Object.entries(shared).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    },
  };
}

function operationOf(route: DescribedRoute, shared: Record<string, unknown>): Json {
  const { summary, permission, query = {}, body, answer, failures = [] } = route;
  const named = [...route.path.matchAll(/\{(\w+)\}/gu)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const asked = Object.entries(query).map(([name, description]) => ({
    name,
    in: "query",
    description,
    schema: { type: "string" },
  }));
  const wrong = { "application/json": { schema: schemaOf(wrongBody, "output", shared) } };
  const statuses = [...new Set([401, 403, ...failures, ...(body === undefined ? [] : [400, 413, 415])])];
  return {
    summary,
    description: permission === "viewer" ? "For viewers and administrators." : "For administrators.",
    ...(named.length + asked.length === 0 ? {} : { parameters: [...named, ...asked] }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { "application/json": { schema: schemaOf(body, "input", shared) } },
          },
        }),
    responses: {
      [answer.status]: {
        description: answer.status === 201 ? "It was made." : "It is so.",
        content: { "application/json": { schema: schemaOf(answer.schema, "output", shared) } },
      },
      ...Object.fromEntries(
        statuses
          .toSorted((a, b) => a - b)
          .map((status) => [status, { description: reasons[status] ?? "", content: wrong }]),
      ),
    },
  };
}

/** What a schema shares with others goes where all of the document finds it. */
function schemaOf(schema: Schema, io: "input" | "output", shared: Record<string, unknown>): unknown {
  const { $schema: _, $defs = {}, ...own } = z.toJSONSchema(schema, { io }) as Json & { readonly $defs?: Json };
  for (const [name, definition] of Object.entries($defs)) shared[name] = relinked(definition);
  const { id, ...rest } = own as { readonly id?: string };
  if (id === undefined) return relinked(own);
  shared[id] = relinked(rest);
  return { $ref: `#/components/schemas/${id}` };
}

function relinked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relinked);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([name, item]) => name !== "id" || typeof item !== "string");
  return Object.fromEntries(
    entries.map(([name, item]) => [
      name,
      name === "$ref" && typeof item === "string" ? item.replace("#/$defs/", "#/components/schemas/") : relinked(item),
    ]),
  );
}
