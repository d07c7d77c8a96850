/** What a frame holds, with names and types: a heatmap, a map, or both. */

import { decode, sides, unpack, type Frame, type Grid } from "./cells";

export type Side = "both" | "long" | "short";

/** What every frame says of where it comes from. */
export interface Said {
  kind: "heatmap" | "map";
  title: string;
  symbol: string;
  venue: string;
  unit: string;
  model: string;
  scale_text: string;
  said: string[];
  terms: string[];
  theme: "dark" | "light";
  software: string;
  synthetic: boolean;
  own: [string, number][][];
  view: [number, number];
  last: number | null;
  side: Side;
}

/** Begin and end, seconds (null: of all), what is said of it, and of which kind it is. */
export type Hole = [number | null, number | null, string, "gap" | "ended" | "loading"];

export interface HeatmapSaid extends Said {
  window: number;
  low: number;
  step: number;
  joined: [number, number];
  top: number;
  cut: number;
  scale: string;
  colormap: string;
  candles: string;
  hollow: boolean;
  unfinished: boolean;
  holes: Hole[];
  /** Level of detail of the pages that it is put together of; of one stretch of columns there is none. */
  paged?: number;
}

export interface MapSaid extends Said {
  time: number;
  step: number;
  layers: string[];
  roles: string[];
  sentence: string;
  /** Of each fitted profile that was drawn anew the weight of each layer over the fitted one; null or absent: not known. */
  factors?: number[][] | null;
}

export interface Level {
  row: number;
  side: "long" | "short";
  low: number;
  high: number;
  amount: number;
  /** Time since which it has been there without a break, seconds; `older` where the data begins no earlier. */
  since: number;
  older: boolean;
  /** Length of a column that joins several windows, in one of which it began, seconds; 0: it is one window. */
  within: number;
}

/** What a heatmap is made of: cells column by column, candles as open, high, low, close of all columns, in this order. */
export interface Parts {
  rows: number;
  long: Float32Array;
  short: Float32Array;
  times: Float64Array;
  candles: Float64Array;
  /** Longs and shorts that venues told of as liquidated, USD, one column after the other; empty where none tells. */
  realised?: Float64Array;
  /** 1 for each column that has come; by default all have. */
  known?: Uint8Array;
}

/** A heatmap: cells of both sides, times and candles. */
export class Heatmap {
  readonly columns: number;
  readonly rows: number;
  readonly long: Float32Array;
  readonly short: Float32Array;
  readonly times: Float64Array;
  readonly candles: Float64Array;
  readonly realised: Float64Array;
  private readonly known: Uint8Array | undefined;
  private readonly grids = new Map<Side, Grid>();

  constructor(readonly said: HeatmapSaid, parts: Parts) {
    this.rows = parts.rows;
    this.columns = parts.times.length;
    this.long = parts.long;
    this.short = parts.short;
    this.times = parts.times;
    this.candles = parts.candles;
    this.realised = parts.realised ?? new Float64Array(0);
    this.known = parts.known;
  }

  static of(said: HeatmapSaid, { arrays, shapes }: Frame): Heatmap {
    return new Heatmap(said, {
      rows: shapes.long[1],
      long: unpack(arrays.long_tops as Float32Array, arrays.long as Uint16Array),
      short: unpack(arrays.short_tops as Float32Array, arrays.short as Uint16Array),
      times: arrays.times as Float64Array,
      candles: arrays.candles as Float64Array,
    });
  }

  /** Cells of a side, or of both together. */
  grid(side: Side): Grid {
    let grid = this.grids.get(side);
    if (!grid) {
      grid = { cells: sides(this.long, this.short, side), columns: this.columns, rows: this.rows };
      this.grids.set(side, grid);
    }
    return grid;
  }

  /** Whether a column has come; what has not holds no amounts, not even zeros. */
  knows(column: number): boolean {
    return column >= 0 && column < this.columns && this.known?.[column] !== 0;
  }

  /** The row of a price; may lie outside. */
  row(price: number): number {
    return Math.floor((price - this.said.low) / this.said.step + 1e-9);
  }

  edge(row: number): number {
    return this.said.low + row * this.said.step;
  }

  candle(column: number): { open: number; high: number; low: number; close: number } | null {
    const [open, high, low, close] = [0, 1, 2, 3].map((k) => this.candles[k * this.columns + column]);
    return open > 0 ? { open, high, low, close } : null;
  }

  /** The last close at a column or before it. */
  closeAt(column: number): number | null {
    for (let at = Math.min(column, this.columns - 1); at >= 0; at--) {
      const candle = this.candle(at);
      if (candle) return candle.close;
    }
    return null;
  }

  level(column: number, row: number, side: "long" | "short"): Level {
    const cells = side === "long" ? this.long : this.short;
    let first = column;
    while (first > 0 && cells[(first - 1) * this.rows + row] > 0) first--;
    return {
      row,
      side,
      low: this.edge(row),
      high: this.edge(row + 1),
      amount: cells[column * this.rows + row],
      since: this.times[first],
      older: !this.knows(first - 1),
      within: this.said.paged || this.said.joined[0] > 1 ? this.said.window : 0,
    };
  }

  /** Levels of a column in some rows, the largest first; with `apart`, those that lie so near to a larger one are left out. */
  levels(column: number, rows: [number, number], side: Side, cut: number, apart = 0): Level[] {
    const found: { row: number; side: "long" | "short"; amount: number }[] = [];
    for (const one of ["long", "short"] as const) {
      if (side !== "both" && side !== one) continue;
      const cells = one === "long" ? this.long : this.short;
      for (let row = rows[0]; row < rows[1]; row++) {
        const amount = cells[column * this.rows + row];
        if (amount > 0 && amount >= cut) found.push({ row, side: one, amount });
      }
    }
    found.sort((a, b) => b.amount - a.amount);
    const kept: typeof found = [];
    for (const one of found) {
      if (!apart || kept.every((other) => other.side !== one.side || Math.abs(other.row - one.row) >= apart)) kept.push(one);
      if (apart && kept.length >= 12) break;
    }
    return kept.map((one) => this.level(column, one.row, one.side));
  }
}

/** Whether a heatmap is another a moment later: the same columns, of which only the last one's candle may differ. */
export function isNext(before: Heatmap, after: Heatmap): boolean {
  const { columns } = after;
  if (columns !== before.columns || before.said.window !== after.said.window) return false;
  if (!after.times.every((seconds, k) => seconds === before.times[k])) return false;
  return after.candles.every((price, k) => k % columns === columns - 1 || price === before.candles[k]);
}

/** A liquidation map: bars by layer and price. */
export class LiquidationMap {
  readonly prices: Float64Array;
  readonly bins: number;

  constructor(readonly said: MapSaid, prices: Float64Array, readonly long: Float64Array, readonly short: Float64Array) {
    this.prices = prices;
    this.bins = prices.length;
  }

  static of(said: MapSaid, { arrays }: Frame, prefix: string): LiquidationMap {
    const [prices, long, short] = ["prices", "long", "short"].map((name) => arrays[prefix + name] as Float64Array);
    return new LiquidationMap(said, prices, long, short);
  }

  of(side: "long" | "short", layer: number, bin: number): number {
    return (side === "long" ? this.long : this.short)[layer * this.bins + bin];
  }

  sum(side: "long" | "short", bin: number): number {
    let all = 0;
    for (let layer = 0; layer < this.said.layers.length; layer++) all += this.of(side, layer, bin);
    return all;
  }
}

export interface Shown {
  heatmap: Heatmap | null;
  map: LiquidationMap | null;
  said: Said;
}

/** Read a frame; the map of a heatmap's last column is in its header and its arrays. */
export function read(bytes: Uint8Array<ArrayBuffer>): Shown {
  const frame = decode(bytes);
  const said = frame.header as unknown as Said;
  if (said.kind === "map") return { heatmap: null, map: LiquidationMap.of(said as MapSaid, frame, ""), said };
  const own = frame.header.map as Partial<MapSaid> | undefined;
  const inner = own ? ({ ...said, ...own } as MapSaid) : undefined;
  return {
    heatmap: Heatmap.of(said as HeatmapSaid, frame),
    map: inner ? LiquidationMap.of(inner, frame, "map_") : null,
    said,
  };
}
