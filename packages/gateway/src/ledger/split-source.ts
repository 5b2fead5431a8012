import type { Lent, Meter, Return, Want } from "#domain/account";
import type { LendingSource } from "./node-lender.ts";

export interface SplitSources {
  /** Of rates and slots. It is asked first: what it lends for nothing costs least to give back. */
  readonly traffic: LendingSource;
  readonly money: LendingSource;
}

/** Money is counted at one place and the rest at another: still everything of a step is lent or nothing. */
export function splitByUnit({ traffic, money }: SplitSources): LendingSource {
  const [ofTraffic, ofMoney] = [0, 1];
  const sides = [traffic, money];
  const sideOf = ({ unit }: Meter): number => (unit === "money" ? ofMoney : ofTraffic);
  const only = <Item extends { readonly meter: Meter }>(items: readonly Item[], side: number): readonly Item[] =>
    items.filter(({ meter }) => sideOf(meter) === side);

  const borrowBoth = async (holder: string, wants: readonly Want[]): Promise<Lent> => {
    const first = only(wants, ofTraffic);
    const lent = await traffic.borrow(holder, first);
    if (lent.kind !== "lent") return lent;
    const giveUp = (): void =>
      traffic.giveBack(
        holder,
        first.map(({ meter }, index) => ({ meter, back: lent.amounts[index] ?? 0, spent: 0 })),
      );
    let paid: Lent;
    try {
      paid = await money.borrow(holder, only(wants, ofMoney));
    } catch (error) {
      giveUp();
      throw error;
    }
    if (paid.kind === "lent")
      return inOrder(
        wants.map(({ meter }) => sideOf(meter) === ofTraffic),
        lent,
        paid,
      );
    giveUp();
    return paid;
  };

  return {
    borrow(holder, wants) {
      const asked = new Set(wants.map(({ meter }) => sideOf(meter)));
      if (asked.size > 1) return borrowBoth(holder, wants);
      return (asked.has(ofTraffic) ? traffic : money).borrow(holder, wants);
    },
    giveBack(holder, returns: readonly Return[]) {
      for (const [index, side] of sides.entries()) {
        const own = only(returns, index);
        if (own.length > 0) side.giveBack(holder, own);
      }
    },
    drop: (holder) => new Map(sides.flatMap((side) => [...side.drop(holder)])),
    othersWith(holder, meters) {
      const others = sides.flatMap((side, index) => {
        const own = meters.filter((meter) => sideOf(meter) === index);
        return own.length === 0 ? [] : side.othersWith(holder, own);
      });
      return [...new Set(others)];
    },
  };
}

type Loan = Extract<Lent, { readonly kind: "lent" }>;

/** Two loans as one, in the order of what was wanted: each item says whether it is of the first. */
function inOrder(isFirst: readonly boolean[], first: Loan, second: Loan): Loan {
  const [one, other] = [first.amounts.values(), second.amounts.values()];
  const amounts = isFirst.map((is) => (is ? one : other).next().value ?? 0);
  if (first.left === undefined || second.left === undefined) return { kind: "lent", amounts };
  const [oneLeft, otherLeft] = [first.left.values(), second.left.values()];
  return { kind: "lent", amounts, left: isFirst.map((is) => (is ? oneLeft : otherLeft).next().value ?? 0) };
}
