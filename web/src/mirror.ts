/** A copy of what a server's websocket tells of, kept up to date by its frames: docs/reference/websocket.md. */

import type { News } from "./alerts";
import { decode, unpack, type Frame } from "./cells";
import type { Played } from "./replay";
import type { Streams } from "./venues";

/** What a header says of the stream that is followed. */
interface Header {
  kind: string;
  view?: number;
  number: number;
  after: number | null;
  first: number;
  window_ns: number;
  complete: boolean;
  markets: Record<string, { clock: number; price: number }>;
  said: Partial<Told>;
  news: News[];
  error?: string;
}

/** What is told by name, each as it was told last. */
export interface Told {
  labels: Record<string, unknown>;
  streams: Streams;
  gaps: [number, number][];
  replay?: Played;
  /** Start of the first window that the server keeps, ns. */
  kept?: number;
  zones?: ZoneSaid[];
}

/** A zone after the last column that has ended; docs/how-to/zones.md says what each means. */
export interface ZoneSaid {
  side: "long" | "short";
  low: number;
  high: number;
  value: number;
  share: number;
  since_ns: number;
  persistence: number;
  time_ns: number;
  /** 95 % interval of the value, where the profile was fitted; null or absent: not known. */
  value_low?: number | null;
  value_high?: number | null;
}

const BILLION = 1_000_000_000n;

export class Mirror {
  number: number | null = null;
  told: Told = { labels: {}, streams: {}, gaps: [] };
  markets: Header["markets"] = {};
  /** What the last frame told of as new; after a gap some of it once more. */
  news: News[] = [];
  window = 0;
  complete = false;
  /** Starts of columns, ns; lower edges of rows. */
  times = new BigInt64Array(0);
  prices = new Float64Array(0);
  /** Six numbers a column: open, high, low, close, bought, sold. */
  candles = new Float64Array(0);
  /** Two numbers a column: longs and shorts that venues told of as liquidated, USD. */
  realised = new Float64Array(0);
  long = new Float32Array(0);
  short = new Float32Array(0);

  /** Take a frame; false: one before it is missing, so a full one must be asked for. */
  take(bytes: Uint8Array<ArrayBuffer>): boolean {
    const frame = decode(bytes);
    const header = frame.header as unknown as Header;
    if (!["full", "columns", "state"].includes(header.kind)) return true;
    if (header.kind === "full") {
      this.times = new BigInt64Array(0);
      this.prices = new Float64Array(0);
      this.candles = this.realised = new Float64Array(0);
      this.long = this.short = new Float32Array(0);
    } else if (this.number === null || this.number < (header.after ?? 0)) {
      return false;
    } else if (header.number <= this.number) {
      return true;
    }
    this.number = header.number;
    this.told = { ...this.told, ...header.said };
    this.markets = header.markets;
    this.news = header.news ?? [];
    if (frame.arrays.times) {
      this.window = header.window_ns / 1e9;
      this.complete = header.complete;
      this.takeColumns(BigInt(header.first), frame);
    }
    return true;
  }

  get seconds(): Float64Array {
    return Float64Array.from(this.times, (time) => Number(time / BILLION) + Number(time % BILLION) / 1e9);
  }

  /** Leave out what is before the first column kept, and put what has come in place of all from there on. */
  private takeColumns(first: bigint, { arrays }: Frame): void {
    if (arrays.prices) this.grow(arrays.prices as Float64Array<ArrayBuffer>);
    const times = arrays.times as BigInt64Array<ArrayBuffer>;
    const rows = this.prices.length;
    const at = (time: bigint) => {
      const found = this.times.findIndex((other) => other >= time);
      return found < 0 ? this.times.length : found;
    };
    const from = at(first - (first % 256n)); // a header's numbers are rounded to 256 ns
    const to = times.length ? Math.max(at(times[0]), from) : this.times.length;
    const joined = <T extends Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>>(old: T, added: T, wide: number): T => {
      const made = new (old.constructor as new (length: number) => T)((to - from) * wide + added.length);
      made.set(old.subarray(from * wide, to * wide) as never);
      made.set(added as never, (to - from) * wide);
      return made;
    };
    for (const [k, side] of (["long", "short"] as const).entries()) {
      const tops = (arrays.tops as Float32Array).filter((_, i) => i % 2 === k);
      this[side] = joined(this[side], unpack(tops, arrays[side] as Uint16Array) as Float32Array<ArrayBuffer>, rows);
    }
    this.candles = joined(this.candles, arrays.candles as Float64Array<ArrayBuffer>, 6);
    this.realised = joined(this.realised, arrays.realised as Float64Array<ArrayBuffer>, 2);
    this.times = joined(this.times, times, 1);
  }

  /** Go on with more rows: those that are new are empty in the columns there are. */
  private grow(prices: Float64Array<ArrayBuffer>): void {
    const before = this.prices.length;
    const below = before ? Math.max(prices.findIndex((price) => price >= this.prices[0]), 0) : 0;
    for (const side of ["long", "short"] as const) {
      const cells = new Float32Array(this.times.length * prices.length);
      for (let column = 0; column < this.times.length; column++) {
        cells.set(this[side].subarray(column * before, (column + 1) * before), column * prices.length + below);
      }
      this[side] = cells;
    }
    this.prices = prices;
  }
}
