/** A line for a small window of its own: price, the next zone of each side, what was liquidated in the last window, state. */

import type { Heatmap } from "./data";
import type { Live } from "./live";
import type { ZoneSaid } from "./mirror";
import { element } from "./view";
import { compact, decimals, distance, duration, price as priceText } from "./words";

/** The nearest zone of a side, in words. */
export function nextZone(zones: ZoneSaid[], side: "long" | "short", last: number, places: number, unit: string): string {
  const edge = (zone: ZoneSaid) => (side === "long" ? zone.high : zone.low); // where a move reaches it
  const [near] = zones.filter((zone) => zone.side === side).sort((a, b) => Math.abs(edge(a) - last) - Math.abs(edge(b) - last));
  if (!near) return `no zone of ${side}s`;
  const value = unit === "USD" ? `$${compact(near.value)}` : `${compact(near.value)} ${unit}`;
  return `${side}s ${priceText(near.low, places)} to ${priceText(near.high, places)}: ${value}, ${distance(edge(near), last)}`;
}

/** What venues told of as liquidated in the last column. */
export function lastLiquidated(heatmap: Heatmap): string {
  const at = 2 * (heatmap.columns - 1);
  const [longs, shorts] = [heatmap.realised[at] ?? 0, heatmap.realised[at + 1] ?? 0];
  const window = `in this window of ${duration(heatmap.said.window)}`;
  if (!(longs + shorts > 0)) return `nothing liquidated ${window}, as far as the venue tells`;
  return `$${compact(longs)} of longs, $${compact(shorts)} of shorts liquidated ${window}`;
}

export class Ticker {
  constructor(private readonly live: Live) {
    document.body.dataset.ticker = "";
    element("ticker").hidden = false;
    this.tell();
    setInterval(() => this.tell(), 500);
  }

  private tell(): void {
    const [words, well] = this.live.state();
    this.write("ticker-state", words).dataset.well = String(well);
  }

  take(heatmap: Heatmap): void {
    this.tell();
    const { said } = heatmap;
    const last = said.last ?? heatmap.closeAt(heatmap.columns - 1) ?? 0;
    const places = decimals(said.step);
    const price = last.toLocaleString("en-US", { maximumFractionDigits: 8 });
    this.write("ticker-price", `${said.symbol} ${price}`);
    document.title = `${price} ${said.symbol}`;
    for (const side of ["long", "short"] as const) {
      this.write(`ticker-${side}`, nextZone(this.live.zones, side, last, places, said.unit));
    }
    this.write("ticker-gone", lastLiquidated(heatmap));
    this.write("ticker-said", [said.synthetic ? "SYNTHETIC DATA" : "", "estimate, not a record of positions", said.scale_text].filter(Boolean).join("  ·  "));
  }

  private write(id: string, words: string): HTMLElement {
    const place = element(id);
    if (place.textContent !== words) place.textContent = words;
    return place;
  }
}

/** Whether a page is asked for as a ticker: `/?ticker`. */
export function isTicker(search: string): boolean {
  return new URLSearchParams(search).has("ticker");
}

/** Open the ticker of what is seen in a window of its own. */
export function popOut(): void {
  const url = new URL(location.href);
  url.searchParams.set("ticker", "");
  window.open(url.href, "liqcore-ticker", "popup,width=620,height=190");
}
