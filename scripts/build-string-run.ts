// Assembles packages/gateway/src/wire/string-run.wat into the code that string-run.ts runs. A test compares the two.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openWabt from "wabt";

/** WebAssembly of a source text, in base64. */
export async function assemble(text: string): Promise<string> {
  const wabt = await openWabt();
  const parsed = wabt.parseWat("string-run.wat", text, { simd: true });
  parsed.validate();
  const { buffer } = parsed.toBinary({});
  parsed.destroy();
  return Buffer.from(buffer).toString("base64");
}

/** The file that holds it. */
export function fileOf(code: string): string {
  const lines = code.match(/.{1,110}/g) ?? [];
  const written = lines.map((line) => `  "${line}"`).join(" +\n");
  return `/** WebAssembly, assembled from string-run.wat by scripts/build-string-run.ts. */\nexport const stringRunCode =\n${written};\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = new URL("../packages/gateway/src/wire/", import.meta.url);
  const source = readFileSync(new URL("string-run.wat", folder), "utf8");
  writeFileSync(new URL("string-run-code.ts", folder), fileOf(await assemble(source)));
}
