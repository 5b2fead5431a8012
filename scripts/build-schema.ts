// Writes packages/gateway/hedgerow.schema.json from the schema the gateway itself checks with.
// Run: node --conditions=hedgerow-source scripts/build-schema.ts
import { writeFileSync } from "node:fs";
import { renderConfigSchema } from "../packages/gateway/src/control/config/schema.ts";

const file = new URL("../packages/gateway/hedgerow.schema.json", import.meta.url);
writeFileSync(file, renderConfigSchema());
