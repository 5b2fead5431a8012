import { z } from "zod";
import { ageText, duration, secretText } from "./schema-values.ts";

export const defaultAnchorEveryMs = 3_600_000;

const anchorSection = z
  .strictObject({
    file: z.string().min(1).meta({ description: "Checkpoints are added at the end of this file." }).exactOptional(),
    webhook: z.string().min(1).meta({ description: "They are posted to this address, as text." }).exactOptional(),
    key: secretText("Sent to the webhook as a bearer token: ${NAME} or file:PATH.").exactOptional(),
    every: duration("How often, if something is new.", "1h"),
  })
  .meta({ description: "Where checkpoints are put besides, out of reach of whoever could change the log." });

export const auditSection = z
  .strictObject({
    name: z
      .string()
      .regex(/^[^\s+]{1,100}$/u, "a name without spaces and +")
      .meta({ description: "The log's name in its checkpoints, for ever; by default made of the node's own." })
      .exactOptional(),
    retention: ageText(
      "What was said in entries is erased once their day ended so long ago, 1d or longer; hashes stay. By default nothing is.",
    ).exactOptional(),
    anchor: anchorSection.exactOptional(),
  })
  .meta({ description: "Keeps an audit log that cannot be bent: `audit: {}` turns it on. See docs/audit.md." })
  .exactOptional();
