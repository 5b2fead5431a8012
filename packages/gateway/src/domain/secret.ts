const inspect = Symbol.for("nodejs.util.inspect.custom");

/** A credential that prints `***` wherever it is printed by mistake: templates, JSON, `console.log`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The credential itself. Call it only where it is put on the wire or compared. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "***";
  }

  toJSON(): string {
    return "***";
  }

  [inspect](): string {
    return "***";
  }
}
