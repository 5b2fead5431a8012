// Writes docs/admin-api.json, the OpenAPI document of the admin API, from the table the gateway itself serves by.
// Run: node --conditions=hedgerow-source scripts/build-admin-api.ts
import { writeFileSync } from "node:fs";
import { describeAdminApi } from "../packages/gateway/src/planes/admin-routes.ts";

const file = new URL("../docs/admin-api.json", import.meta.url);
writeFileSync(file, `${JSON.stringify(describeAdminApi(), null, 2)}\n`);
