import { z } from "zod";
import { secretText } from "./schema-values.ts";

export const alertsSection = z
  .strictObject({
    webhook: z.string().min(1).meta({ description: "Where alerts are posted to, as JSON." }),
    key: secretText(
      "Signs them: `x-hedgerow-signature` is `sha256=` and the HMAC of the body in hex. ${NAME} or file:PATH.",
    ).exactOptional(),
  })
  .meta({ description: "Who is told that a budget has reached a share of its limit (`alertAt`). See docs/limits.md." })
  .exactOptional();
