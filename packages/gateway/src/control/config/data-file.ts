import { readFileSync } from "node:fs";
import { z } from "zod";

/** A file that a command wrote into the data folder, if it is there and whole. */
export type DataFileRead<File> =
  | { readonly kind: "read"; readonly file: File }
  | { readonly kind: "missing" }
  | { readonly kind: "broken"; readonly why: string };

export function readDataFile<Schema extends z.ZodType>(path: string, schema: Schema): DataFileRead<z.output<Schema>> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? { kind: "missing" } : { kind: "broken", why: message };
  }
  try {
    const read = schema.safeParse(JSON.parse(text));
    if (read.success) return { kind: "read", file: read.data };
    return { kind: "broken", why: z.prettifyError(read.error).split("\n", 1)[0] ?? "not such a file" };
  } catch {
    return { kind: "broken", why: "it is not JSON" };
  }
}
