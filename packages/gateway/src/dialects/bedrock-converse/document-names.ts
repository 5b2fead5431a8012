/**
 * Names of documents as Bedrock takes them (`DocumentBlock.name`): letters, digits, single spaces, hyphens, parentheses
 * and square brackets, at most 200, each once. The same documents in the same order get the same names, so that a growing
 * conversation keeps its cached beginning.
 */
export class DocumentNames {
  readonly #taken = new Set<string>();
  /** The number to go on from, by wish: many documents of one title are not counted anew. */
  readonly #next = new Map<string, number>();

  name(title: string | undefined): string {
    const wished = (title ?? "")
      .replace(/[^a-zA-Z0-9()[\] -]/gu, "-")
      .replace(/ +/gu, " ")
      .slice(0, longest)
      .trim();
    const base = wished === "" ? "document" : wished;
    let again = this.#next.get(base) ?? 1;
    let name = again === 1 ? base : `${base} (${again})`;
    for (; this.#taken.has(name); again += 1) name = `${base} (${again + 1})`;
    this.#next.set(base, again);
    this.#taken.add(name);
    return name;
  }
}

/** Leaves room for a number behind. */
const longest = 180;
