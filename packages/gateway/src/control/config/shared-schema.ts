import { z } from "zod";
import { about, secretText } from "./schema-values.ts";

export const defaultSharedPrefix = "hedgerow";

/** What becomes of calls while the server that counts for all nodes cannot be reached. */
const downModes = ["deny", "local-share", "allow"] as const;
export type DownMode = (typeof downModes)[number];

export const storeSection = secretText(
  "A PostgreSQL database in which all nodes keep their ledger, issued keys and budgets together: postgres://USER:PASSWORD@HOST:PORT/DATABASE; ${NAME} or file:PATH where it holds a password. See docs/stores.md.",
).exactOptional();

export const sharedSection = z
  .strictObject({
    url: secretText(
      "A Valkey or Redis server: redis://USER:PASSWORD@HOST:PORT/DATABASE, rediss:// over TLS; ${NAME} or file:PATH where it holds a password.",
    ),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/u, "a prefix has 1 to 64 letters, digits, dots, dashes, colons")
      .meta(about("What keys there begin with: nodes that share limits have the same.", defaultSharedPrefix))
      .exactOptional(),
    down: z
      .enum(downModes)
      .meta(
        about(
          "While the server cannot be reached: `deny` such calls, hold each node to its `local-share` of every limit, or `allow` them.",
          "local-share",
        ),
      )
      .exactOptional(),
  })
  .meta({
    description:
      "A server at which all nodes count requests and tokens a minute and calls at once together. See docs/nodes.md.",
  })
  .exactOptional();
