/** Entries that many models share, each kept once, in the order in which they were first met. */
export class Table<Entry> {
  readonly entries: Entry[] = [];
  readonly #places = new Map<string, number>();

  /** Where the entry stands; -1 for none. */
  at(entry: Entry | undefined): number {
    if (entry === undefined) return -1;
    const text = JSON.stringify(entry);
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    this.#places.set(text, this.entries.length);
    return this.entries.push(entry) - 1;
  }
}
