import type { StoredTask } from "./read-stored-answers.ts";

/** Dollars for each token. */
export interface TokenPrice {
  readonly input: number;
  readonly output: number;
}

/**
 * What each model's tokens cost, from what its stored answers cost: least squares over all of them. One price for both
 * directions where the answers cannot tell them apart. Models whose costs nobody stored are absent.
 */
export function pricesOf(tasks: readonly StoredTask[]): ReadonlyMap<string, TokenPrice> {
  const sums = new Map<string, Sums>();
  for (const { rows } of tasks) {
    for (const { answers } of rows) {
      for (const [model, { inputTokens: i, outputTokens: o, costUsd: c }] of answers) {
        if (c === undefined) continue;
        const sum = sums.get(model) ?? { ii: 0, io: 0, oo: 0, ic: 0, oc: 0 };
        sums.set(model, {
          ii: sum.ii + i * i,
          io: sum.io + i * o,
          oo: sum.oo + o * o,
          ic: sum.ic + i * c,
          oc: sum.oc + o * c,
        });
      }
    }
  }
  return new Map([...sums].map(([model, sum]) => [model, solve(sum)]));
}

interface Sums {
  readonly ii: number;
  readonly io: number;
  readonly oo: number;
  readonly ic: number;
  readonly oc: number;
}

/** The normal equations of cost = input · a + output · b. */
function solve({ ii, io, oo, ic, oc }: Sums): TokenPrice {
  const determinant = ii * oo - io * io;
  if (determinant > 1e-6 * ii * oo) {
    const input = (ic * oo - oc * io) / determinant;
    const output = (oc * ii - ic * io) / determinant;
    if (input >= 0 && output >= 0) return { input, output };
  }
  const all = ii + 2 * io + oo;
  const both = all === 0 ? 0 : (ic + oc) / all;
  return { input: both, output: both };
}
