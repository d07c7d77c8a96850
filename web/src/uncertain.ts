/** How uncertain amounts of a fitted profile are: liqcore.history.spread says the same. */

import { compact } from "./words";

const ENDS = [0.025, 0.975];

/** The interval behind an amount, as in $12M [8M, 19M]; empty where it is not known. */
export function interval(low: number | null | undefined, high: number | null | undefined): string {
  return low == null || high == null ? "" : ` [${compact(low)}, ${compact(high)}]`;
}

/**
 * The 95 % interval of a sum over layers; it holds the sum itself. `factors`: of each profile drawn anew the weight of each
 * layer over the fitted one. Null: nothing is known of it.
 */
export function ends(amounts: number[], factors: number[][] | null | undefined): [number, number] | null {
  if (!factors?.length) return null;
  const sum = amounts.reduce((all, amount) => all + amount, 0);
  const drawn = factors.map((of) => of.reduce((all, factor, layer) => all + factor * amounts[layer], 0)).sort((a, b) => a - b);
  const [low, high] = ENDS.map((end) => {
    const at = end * (drawn.length - 1);
    const [below, above] = [drawn[Math.floor(at)], drawn[Math.ceil(at)]];
    return below + (at - Math.floor(at)) * (above - below);
  });
  return [Math.min(low, sum), Math.max(high, sum)];
}
