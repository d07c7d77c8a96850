/** The table of what was swept: levels that the price reached in the time in view, and that are gone. */

import type { Heatmap, Side } from "./data";
import { element, type View } from "./view";
import { amount, decimals, price as priceText, span, zoneName } from "./words";

const MOST = 12;

/** What the price took of a side in a column. */
export interface Swept {
  column: number;
  side: "long" | "short";
  low: number;
  high: number;
  amount: number;
}

/**
 * What lay, at the end of the column before, in rows that a column's price reached, and does not lie there any more:
 * longs from the column's low up, shorts up to its high. The largest first.
 */
export function sweptIn(heatmap: Heatmap, [first, stop]: [number, number], side: Side, cut: number): Swept[] {
  const found: Swept[] = [];
  const { rows } = heatmap;
  for (let column = Math.max(first, 1); column < stop; column++) {
    const candle = heatmap.candle(column);
    if (!candle || !heatmap.knows(column - 1)) continue;
    for (const one of ["long", "short"] as const) {
      if (side !== "both" && side !== one) continue;
      const cells = one === "long" ? heatmap.long : heatmap.short;
      const from = one === "long" ? Math.max(heatmap.row(candle.low), 0) : 0;
      const end = one === "long" ? rows : Math.min(heatmap.row(candle.high) + 1, rows);
      let [sum, low, high] = [0, rows, 0];
      for (let row = from; row < end; row++) {
        const gone = cells[(column - 1) * rows + row] - cells[column * rows + row];
        if (!(gone > 0)) continue;
        sum += gone;
        [low, high] = [Math.min(low, row), Math.max(high, row + 1)];
      }
      if (sum > 0 && sum >= cut) found.push({ column, side: one, low: heatmap.edge(low), high: heatmap.edge(high), amount: sum });
    }
  }
  return found.sort((a, b) => b.amount - a.amount);
}

/** Fill the table in, where it is open. */
export function listSwept({ heat, settings }: View): void {
  const box = element<HTMLDetailsElement>("swept");
  box.hidden = !heat || settings.view === "map";
  if (!heat || box.hidden || !box.open) return;
  const { heatmap } = heat;
  const { unit, step, window } = heatmap.said;
  const { columns } = heat.inView();
  const all = sweptIn(heatmap, columns, settings.side, 0);
  const sum = (side: string) => amount(all.filter((one) => one.side === side).reduce((total, one) => total + one.amount, 0), unit);
  const when = (column: number) => span(heatmap.times[column], heatmap.times[column] + window, settings.zone);
  const sides = settings.side === "both" ? ["long", "short"] : [settings.side];
  const [begin, end] = [heatmap.times[columns[0]] ?? 0, (heatmap.times[columns[1] - 1] ?? 0) + window];
  box.querySelector("caption")!.textContent =
    `${span(begin, end, settings.zone)} ${zoneName(end, settings.zone)}, as reckoned: what lay where the price came and is gone, ` +
    sides.map((side) => `${sum(side)} of ${side}s`).join(", ");
  const places = decimals(step);
  box.querySelector("tbody")!.replaceChildren(
    ...all.filter((one) => one.amount >= settings.cut).slice(0, MOST).map((one) => {
      const row = document.createElement("tr");
      const cells = [when(one.column), one.side, `${priceText(one.low, places)} to ${priceText(one.high, places)}`, amount(one.amount, unit)];
      for (const [k, text] of cells.entries()) {
        const cell = document.createElement("td");
        if (k === 3) cell.className = "number";
        cell.textContent = text;
        row.append(cell);
      }
      return row;
    }),
  );
}
