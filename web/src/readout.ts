/** What is under the cursor, in words. */

import type { Level } from "./data";
import type { Point } from "./heatmap";
import type { BarPoint } from "./map";
import { said as saidOf } from "./marks";
import { ends, interval } from "./uncertain";
import { element, type View } from "./view";
import { amount, compact, decimals, distance, instant, price as priceText, since, span, zoneName } from "./words";

export class Readout {
  private readonly output = element("readout");

  constructor(private readonly page: View) {}

  /** A cell of the heatmap; null: none. */
  cell(point: Point | null): void {
    const { output } = this;
    const { heat, settings } = this.page;
    if (!heat || !point || Number.isNaN(point.seconds)) {
      this.clear();
      return;
    }
    const { heatmap } = heat;
    const { level, seconds } = point;
    const parts = [`${span(seconds, seconds + heatmap.said.window, settings.zone)} ${zoneName(seconds, settings.zone)}`];
    const places = decimals(heatmap.said.step);
    const [low, high] = [heatmap.edge(point.row), heatmap.edge(point.row + 1)];
    parts.push(`${priceText(low, places)} to ${priceText(high, places)}`);
    output.dataset.time = String(seconds);
    output.dataset.low = String(low);
    for (const side of ["long", "short"] as const) {
      output.dataset[side] = String(heatmap.level(point.column, point.row, side).amount);
    }
    delete output.dataset.change;
    if (heat.since !== null) parts.push(...this.changes(point, heat.since));
    const close = heatmap.closeAt(point.column);
    let most = "no level";
    const tiers = level ? this.tiers(level, point.column) : [];
    const sum = tiers.reduce((all, [, value]) => all + value, 0);
    const isOf = level !== null && Math.abs(sum - level.amount) < 0.01 * level.amount; // a map may be of a moment before
    const uncertain = this.interval(isOf ? tiers : []);
    if (level) {
      most = `${amount(level.amount, heatmap.said.unit)}${uncertain} of ${level.side}s`;
      parts.push(`there ${since(level, seconds + heatmap.said.window, settings.zone)}`);
    }
    if (close !== null) parts.push(`${distance((low + high) / 2, close)} ${heat.priceText(close)}`);
    if (level) parts.push(...sharesOf(tiers));
    if (point.mark) parts.unshift(saidOf(point.mark, (price) => heat.priceText(price), settings.zone));
    for (const [k, side] of ["longs", "shorts"].entries()) {
      const gone = heatmap.realised[2 * point.column + k];
      if (gone > 0) parts.push(`$${compact(gone)} of ${side} liquidated`);
    }
    this.write(most, parts);
  }

  /** What was added to a cell and removed from it in the time in view. */
  private changes(point: Point, since: number): string[] {
    const { settings, heat } = this.page;
    const { unit } = heat!.heatmap.said;
    const sides = (["long", "short"] as const).filter((side) => settings.side === "both" || settings.side === side);
    const changed = sides.map((side) => [side, heat!.change(point.column, point.row, side)] as const);
    this.output.dataset.change = String(changed.reduce((sum, [, change]) => sum + change, 0));
    const words = changed.filter(([, change]) => change).map(([side, change]) => `${amount(Math.abs(change), unit)} of ${side}s ${change > 0 ? "added" : "removed"}`);
    return [`${words.join(", ") || "nothing changed"} since ${instant(since, settings.zone)}`];
  }

  /** Which tiers a level of the last column is made of. */
  private tiers(level: Level, column: number): [string, number][] {
    const { map, heatmap } = this.page.shown;
    if (!map || column !== heatmap!.columns - 1) return [];
    const tiers: [string, number][] = map.said.layers.map((name) => [name, 0]);
    for (let bin = 0; bin < map.bins; bin++) {
      const middle = map.prices[bin] + map.said.step / 2;
      if (middle < level.low || middle >= level.high) continue;
      tiers.forEach((tier, layer) => (tier[1] += map.of(level.side, layer, bin)));
    }
    return tiers;
  }

  /** The interval of a sum over tiers, where the profile says how uncertain it is. */
  private interval(tiers: [string, number][]): string {
    const found = !tiers.length ? null : ends(tiers.map(([, value]) => value), this.page.shown.map?.said.factors);
    const { dataset } = this.output;
    for (const [k, name] of ["valueLow", "valueHigh"].entries()) {
      if (found) dataset[name] = String(found[k]);
      else delete dataset[name];
    }
    return interval(found?.[0], found?.[1]);
  }

  /** Bars of the map; null: none. */
  bars(point: BarPoint | null): void {
    const { output } = this;
    const { map } = this.page;
    if (!map || !point) {
      this.clear();
      return;
    }
    const { said } = map.map;
    const side = point.long >= point.short ? "long" : "short";
    const value = point.long + point.short;
    const parts = [`${map.priceText(point.low)} to ${map.priceText(point.high)}`];
    if (said.last !== null) {
      parts.push(`${distance((point.low + point.high) / 2, said.last)} ${map.priceText(said.last)}`);
      parts.push(`${amount(point.reached, said.unit)} on the way there`);
    }
    const uncertain = this.interval(point.layers);
    output.dataset.low = String(point.low);
    output.dataset.long = String(point.long);
    output.dataset.short = String(point.short);
    this.write(value ? `${amount(value, said.unit)}${uncertain} of ${side}s` : "no level", [...parts, ...sharesOf(point.layers)]);
  }

  /** Say what stands there to those who do not see it: what a key has moved the cursor to. */
  speak(): void {
    element("spoken").textContent = this.output.textContent;
  }

  private write(most: string, parts: string[]): void {
    const strong = document.createElement("b");
    strong.textContent = most;
    this.output.replaceChildren(strong, `  ·  ${parts.join("  ·  ")}`);
  }

  private clear(): void {
    const coarse = matchMedia("(pointer: coarse)").matches;
    this.output.replaceChildren(coarse ? "Hold a finger on the chart to read a value." : "Point at the chart to read a value; ? lists the keys.");
    for (const key of Object.keys(this.output.dataset)) delete this.output.dataset[key];
  }
}

/** Names and shares of what is not nothing, the largest first. */
function sharesOf(parts: [string, number][]): string[] {
  const all = parts.reduce((sum, [, value]) => sum + value, 0);
  const some = parts.filter(([, value]) => value > 0.005 * all).sort((a, b) => b[1] - a[1]);
  return all ? [some.map(([name, value]) => `${name} ${Math.round((100 * value) / all)}%`).join(", ")] : [];
}
