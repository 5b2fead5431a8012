/**
 * Hands over together what is said within one turn of the loop, in its order: between processes a message costs some 25 µs on
 * either side, whatever is in it, and under load many calls want something of the other process in the same turn. Holds no more
 * than one turn says.
 */
export class TurnMail<Message> {
  readonly #hand: (messages: readonly Message[]) => void;
  #said: Message[] = [];

  constructor(hand: (messages: readonly Message[]) => void) {
    this.#hand = hand;
  }

  say(message: Message): void {
    if (this.#said.push(message) === 1) setImmediate(() => this.flush());
  }

  /** At once what was said so far: before something that goes another way, and before an exit. */
  flush(): void {
    if (this.#said.length === 0) return;
    const said = this.#said;
    this.#said = [];
    this.#hand(said);
  }
}
