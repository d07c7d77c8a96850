/** Liquidations that venues told of, one by one: a primitive of its own on the chart, however many there are. */

import type { IChartApi, IPrimitivePaneRenderer, IPrimitivePaneView, ISeriesApi, ISeriesPrimitive, SeriesAttachedParameter, SeriesType, Time } from "lightweight-charts";
import { decode } from "./cells";
import type { Heatmap } from "./data";
import { compact, instant, zoneName, type Zone } from "./words";

type Target = Parameters<IPrimitivePaneRenderer["draw"]>[0];

export interface Mark {
  /** Of the liquidation, seconds; of a column's sum where it begins. */
  seconds: number;
  price: number;
  usd: number;
  side: "long" | "short";
  /** Market that told of it; empty: a sum of a column. */
  market: string;
}

/** Liquidations by time, in columns, as a server's /liquidations has them. */
export interface Liquidations {
  markets: string[];
  times: Float64Array;
  prices: Float64Array;
  usd: Float64Array;
  longs: Uint16Array;
  market: Uint16Array;
}

export const NONE: Liquidations = {
  markets: [], times: new Float64Array(0), prices: new Float64Array(0), usd: new Float64Array(0), longs: new Uint16Array(0), market: new Uint16Array(0),
};

export function readLiquidations(bytes: Uint8Array<ArrayBuffer>): Liquidations {
  const { header, arrays } = decode(bytes);
  return {
    markets: header.markets as string[],
    times: Float64Array.from(arrays.times as BigInt64Array, (time) => Number(time) / 1e9),
    prices: arrays.prices as Float64Array,
    usd: arrays.usd as Float64Array,
    longs: arrays.longs as Uint16Array,
    market: arrays.market as Uint16Array,
  };
}

/** Whether all that is told from a time on is known. */
export function isKnown(before: Liquidations, told: Liquidations, since: number): boolean {
  const first = firstFrom(before.times, since);
  const same = (one: Float64Array, other: Float64Array) => one.length - first === other.length && other.every((value, k) => value === one[first + k]);
  return String(before.markets) === String(told.markets) && same(before.times, told.times) && same(before.usd, told.usd);
}

/** What was known before a time, and what is told from it on; markets are those of the latter. */
export function join(before: Liquidations, told: Liquidations, since: number): Liquidations {
  const stop = firstFrom(before.times, since);
  if (!stop || String(before.markets) !== String(told.markets)) return told;
  const joined = <T extends Float64Array | Uint16Array>(one: T, other: T): T => {
    const made = new (one.constructor as new (length: number) => T)(stop + other.length);
    made.set(one.subarray(0, stop) as never);
    made.set(other as never, stop);
    return made;
  };
  return {
    markets: told.markets,
    times: joined(before.times, told.times),
    prices: joined(before.prices, told.prices),
    usd: joined(before.usd, told.usd),
    longs: joined(before.longs, told.longs),
    market: joined(before.market, told.market),
  };
}

/** The first place in rising times at which one is not before a time. */
export function firstFrom(times: Float64Array, seconds: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < seconds) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What is drawn: chosen liquidations by time, and the sums of columns in which none was told of one by one. */
export class Chosen {
  static readonly NONE = new Chosen([]);
  readonly times: Float64Array;
  readonly most: number;
  private constructor(readonly marks: Mark[]) {
    this.times = Float64Array.from(marks, (mark) => mark.seconds);
    this.most = marks.reduce((most, mark) => Math.max(most, mark.usd), 0);
  }

  /** Those of some markets, from an amount on. */
  static of(all: Liquidations, markets: string[], least: number): Chosen {
    const isChosen = all.markets.map((market) => markets.includes(market));
    const marks: Mark[] = [];
    for (let i = 0; i < all.times.length; i++) {
      if (!isChosen[all.market[i]] || !(all.usd[i] >= least) || !(all.usd[i] > 0)) continue;
      const side = all.longs[i] ? "long" : "short";
      marks.push({ seconds: all.times[i], price: all.prices[i], usd: all.usd[i], side, market: all.markets[all.market[i]] });
    }
    return new Chosen(marks);
  }

  with(sums: Mark[]): Chosen {
    return sums.length ? new Chosen([...this.marks, ...sums].sort((a, b) => a.seconds - b.seconds)) : this;
  }
}

/** Sums of columns of which nothing is known one by one: longs at the low of their candle, shorts at its high. */
export function sums(all: Liquidations, markets: string[], least: number, heatmap: Heatmap): Mark[] {
  const { realised, times, said } = heatmap;
  const isChosen = all.markets.map((market) => markets.includes(market));
  if (!realised.length) return [];
  const single = new Uint8Array(realised.length);
  for (let i = firstFrom(all.times, times[0] ?? 0); i < all.times.length; i++) {
    const column = Math.floor((all.times[i] - times[0]) / said.window + 1e-9);
    if (isChosen[all.market[i]] && column < heatmap.columns) single[2 * column + (all.longs[i] ? 0 : 1)] = 1;
  }
  const marks: Mark[] = [];
  for (let column = 0; column < heatmap.columns; column++) {
    for (const [k, side] of (["long", "short"] as const).entries()) {
      const usd = realised[2 * column + k];
      if (!(usd > 0) || usd < least || single[2 * column + k]) continue;
      const candle = heatmap.candle(column);
      if (candle) marks.push({ seconds: times[column] + said.window / 2, price: side === "long" ? candle.low : candle.high, usd, side, market: "" });
    }
  }
  return marks;
}

const LARGEST = 8;
const SIZES = 12;

/** How large a mark is, pixels: its area is as its share of the largest. */
export const radius = (usd: number, most: number) => 2 + (LARGEST - 2) * Math.sqrt(most > 0 ? usd / most : 0);

export class MarksLayer implements ISeriesPrimitive<Time> {
  private chart: IChartApi | null = null;
  private series: ISeriesApi<SeriesType> | null = null;
  private redraw = (): void => undefined;
  private stamps = new Map<string, HTMLCanvasElement>();
  private stampsOf = "";
  private chosen: Chosen | null = null;
  /** Marks in view and half a view before and behind, painted: panning moves them. */
  private image: { canvas: HTMLCanvasElement; zero: number; of: unknown[]; count: number } | null = null;
  /** How many are painted, in view and beside it; and how often the chart was. */
  drawn = 0;
  paintings = 0;

  constructor(private heatmap: Heatmap, private colours: Record<string, string>) {}

  attached({ chart, series, requestUpdate }: SeriesAttachedParameter<Time>): void {
    this.chart = chart as IChartApi;
    this.series = series as ISeriesApi<SeriesType>;
    this.redraw = requestUpdate;
  }

  detached(): void {
    this.chart = this.series = null;
  }

  show(heatmap: Heatmap, chosen: Chosen, colours: Record<string, string>): void {
    [this.heatmap, this.chosen, this.colours] = [heatmap, chosen, colours];
    this.redraw();
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return [{ zOrder: () => "top", renderer: () => ({ draw: (target: Target) => this.draw(target) }) }];
  }

  /** Left edge of the first column, and pixels a second. */
  private scale(): [number, number] {
    const scale = this.chart!.timeScale();
    const [first, second] = [0, 1].map((at) => scale.logicalToCoordinate(at as never) ?? 0);
    return [first - 0.5 * (second - first), (second - first) / this.heatmap.said.window];
  }

  /** Of each price two numbers: pixels = a + b x price. */
  private prices(): [number, number] {
    const { low, step } = this.heatmap.said;
    const [at, next] = [low, low + 1_000 * step].map((price) => this.series!.priceToCoordinate(price) ?? 0);
    const slope = (next - at) / (1_000 * step);
    return [at - slope * low, slope];
  }

  private draw(target: Target): void {
    const { chosen, heatmap } = this;
    this.drawn = 0;
    this.paintings++;
    if (!this.chart || !this.series || !chosen?.marks.length || !heatmap.columns) return;
    const [left, slope] = this.scale();
    const [base, rise] = this.prices();
    const zero = left - heatmap.times[0] * slope; // pixels of time 0
    target.useBitmapCoordinateSpace(({ context, mediaSize, bitmapSize, horizontalPixelRatio, verticalPixelRatio }) => {
      const of = [chosen, slope, base, rise, bitmapSize.width, bitmapSize.height, this.colours.long, this.colours.short];
      const margin = Math.ceil(mediaSize.width / 2);
      let moved = this.image ? zero - this.image.zero : Infinity;
      if (!this.image || Math.abs(moved) > margin || of.some((one, k) => !isSame(one, this.image!.of[k]))) {
        const canvas = this.image?.canvas ?? document.createElement("canvas");
        canvas.width = bitmapSize.width + Math.round(2 * margin * horizontalPixelRatio);
        canvas.height = bitmapSize.height;
        const first = firstFrom(chosen.times, (-margin - LARGEST - zero) / slope);
        const stop = firstFrom(chosen.times, (mediaSize.width + margin + LARGEST - zero) / slope);
        const into = canvas.getContext("2d")!;
        let count = 0;
        for (let i = first; i < stop; i++) {
          const mark = chosen.marks[i];
          const y = base + rise * mark.price;
          if (y < -LARGEST || y > mediaSize.height + LARGEST) continue;
          const stamp = this.stamp(mark, chosen.most, horizontalPixelRatio);
          const x = zero + mark.seconds * slope + margin;
          into.drawImage(stamp, Math.round(x * horizontalPixelRatio - stamp.width / 2), Math.round(y * verticalPixelRatio - stamp.height / 2));
          count++;
        }
        this.image = { canvas, zero, of, count };
        moved = 0;
      }
      context.drawImage(this.image.canvas, Math.round((moved - margin) * horizontalPixelRatio), 0);
      this.drawn = this.image.count;
    });
  }

  /** A circle of a size and side, painted once. */
  private stamp(mark: Mark, most: number, ratio: number): HTMLCanvasElement {
    const of = `${ratio} ${this.colours.long} ${this.colours.short}`;
    if (of !== this.stampsOf) this.stamps.clear();
    this.stampsOf = of;
    const size = Math.round((SIZES * (radius(mark.usd, most) - 2)) / (LARGEST - 2));
    const name = `${mark.side} ${size}`;
    let stamp = this.stamps.get(name);
    if (!stamp) {
      const reach = (2 + ((LARGEST - 2) * size) / SIZES) * ratio;
      stamp = document.createElement("canvas");
      stamp.width = stamp.height = 2 * Math.ceil(reach + 1);
      const context = stamp.getContext("2d")!;
      context.arc(stamp.width / 2, stamp.height / 2, reach, 0, 2 * Math.PI);
      context.fillStyle = this.colours[mark.side];
      context.fill();
      context.strokeStyle = "#0a0a10";
      context.stroke();
      this.stamps.set(name, stamp);
    }
    return stamp;
  }

  /** The mark at a place of the plot, pixels: of several the one that is drawn last. */
  at(x: number, y: number): Mark | null {
    const { chosen, heatmap } = this;
    if (!this.chart || !this.series || !chosen?.marks.length || !heatmap.columns) return null;
    const [left, slope] = this.scale();
    const [base, rise] = this.prices();
    const time = (at: number) => heatmap.times[0] + (at - left) / slope;
    const first = firstFrom(chosen.times, time(x - LARGEST - 1));
    for (let i = firstFrom(chosen.times, time(x + LARGEST + 1)) - 1; i >= first; i--) {
      const mark = chosen.marks[i];
      const across = left + (mark.seconds - heatmap.times[0]) * slope - x;
      const down = base + rise * mark.price - y;
      const reach = radius(mark.usd, chosen.most) + 1;
      if (across * across + down * down <= reach * reach) return mark;
    }
    return null;
  }
}

/** Whether two things are the same; numbers but for what a chart's own arithmetic leaves behind. */
function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== "number" || typeof other !== "number") return one === other;
  return Math.abs(one - other) <= 1e-9 * Math.abs(one);
}

/** A mark in words. */
export function said(mark: Mark, price: (value: number) => string, zone: Zone): string {
  const what = `$${compact(mark.usd)} of ${mark.side}s liquidated`;
  if (!mark.market) return `${what} in this column`;
  return `${what} at ${price(mark.price)}, ${instant(mark.seconds, zone, true)} ${zoneName(mark.seconds, zone)}, ${mark.market}`;
}
