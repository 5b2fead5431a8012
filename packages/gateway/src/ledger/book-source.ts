import type { Clock } from "#domain/ports";
import type { Book } from "./book.ts";
import type { LendingSource } from "./node-lender.ts";

/** A node that shares its limits with no other: its own book is all there is. */
export function lendFrom(book: Book, clock: Pick<Clock, "wallMs">): LendingSource {
  return {
    borrow: (holder, wants) => book.borrow(holder, wants, clock.wallMs()),
    giveBack: (holder, returns) => book.giveBack(holder, returns, clock.wallMs()),
    drop: (holder) => book.drop(holder),
    othersWith: (holder, meters) => book.othersWith(holder, meters, clock.wallMs()),
  };
}
