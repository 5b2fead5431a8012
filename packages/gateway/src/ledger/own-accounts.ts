import type { Lender } from "#domain/account";
import type { Clock } from "#domain/ports";
import { Book } from "./book.ts";
import { Purse } from "./purse.ts";

/** Of a process that serves alone and keeps no ledger: limits hold as long as it lives, and budgets begin with it. */
export function ownAccounts(clock: Clock): Purse {
  const book = new Book({ spentBefore: () => 0, holders: () => 1 });
  const lender: Lender = {
    borrow: (wants) => Promise.resolve(book.borrow("self", wants, clock.wallMs())),
    giveBack: (returns) => book.giveBack("self", returns, clock.wallMs()),
  };
  return new Purse({ lender, clock });
}
