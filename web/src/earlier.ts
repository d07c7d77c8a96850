/**
 * Earlier columns: pages of a server at levels of detail, put together to what is in view and its surroundings.
 *
 * The chart never holds more than that: as the view goes back, what it holds goes with it, so that a year costs what a
 * day does. What has not come is a hole that says so, not an amount of zero.
 */

import { decode, unpack } from "./cells";
import { Heatmap, type Hole, type HeatmapSaid } from "./data";

/** Columns of a page; a column of one level joins four of the level before. */
export const PAGE = 256;
const FACTOR = 4;
const MOST_LEVEL = 8;
/** Of cells that are kept in memory. */
const MOST_BYTES = 48 << 20;
const AT_ONCE = 3;
const AGAIN_MS = 1_000;

/** A page as it came. */
export interface Part {
  times: Float64Array;
  row: number;
  rows: number;
  long: Float32Array;
  short: Float32Array;
  /** Six numbers a column. */
  candles: Float64Array;
  realised: Float64Array;
  gaps: [number, number][];
  complete: boolean;
}

/** Pages next to each other, of one level. */
export interface Stretch {
  level: number;
  first: number;
  last: number;
}

/** What there is to be had, seconds. */
export interface Reach {
  window: number;
  /** Since when there are columns, and when the newest one begins. */
  kept: number;
  newest: number;
}

/** Read a page. */
export function readPage(bytes: Uint8Array<ArrayBuffer>): Part {
  const { header, arrays, shapes } = decode(bytes);
  const tops = arrays.tops as Float32Array;
  const [long, short] = (["long", "short"] as const).map((side, k) =>
    unpack(tops.filter((_, i) => i % 2 === k), arrays[side] as Uint16Array),
  );
  return {
    times: Float64Array.from(arrays.times as BigInt64Array, (time) => Number(time) / 1e9),
    row: header.row as number,
    rows: shapes.long[1],
    long,
    short,
    candles: arrays.candles as Float64Array,
    realised: arrays.realised as Float64Array,
    gaps: (header.gaps as [number, number][]).map(([begin, end]) => [begin / 1e9, end / 1e9]),
    complete: header.complete as boolean,
  };
}

/** Rows that one of a level joins. */
export const rowsOf = (level: number) => 2 ** Math.floor(level / 2);

export const columnOf = (reach: Reach, level: number) => reach.window * FACTOR ** level;

/** The finest level of which no more columns lie in a span of time than a plot shows side by side. */
export function levelFor(reach: Reach, span: number, width: number): number {
  let level = 0;
  while (level < MOST_LEVEL && span / columnOf(reach, level) > Math.max(0.75 * width, 200)) level++;
  return level;
}

/** The pages in view, and as much again before and behind, as far as there are columns. */
export function stretchFor(reach: Reach, level: number, [from, to]: [number, number]): Stretch {
  const length = columnOf(reach, level) * PAGE;
  const [oldest, newest] = [Math.floor(reach.kept / length), Math.floor(reach.newest / length)];
  const clip = (time: number) => Math.min(Math.max(Math.floor(time / length), oldest), newest);
  return { level, first: clip(2 * from - to), last: clip(2 * to - from) };
}

/** Put pages together to a heatmap; `part` returns what has come, "loading", or why a page cannot be had. */
export function compose(stretch: Stretch, reach: Reach, said: HeatmapSaid, part: (page: number) => Part | string): Heatmap {
  const { level, first, last } = stretch;
  const window = columnOf(reach, level);
  const step = said.step * rowsOf(level);
  const begin = Math.max(first * PAGE, Math.floor(reach.kept / window));
  const end = Math.min((last + 1) * PAGE, Math.floor(reach.newest / window) + 1);
  const columns = Math.max(end - begin, 1);
  const parts: Part[] = [];
  const holes: Hole[] = [];
  for (let page = first; page <= last; page++) {
    const found = part(page);
    if (typeof found !== "string") parts.push(found);
    else holes.push([Math.max(page * PAGE, begin) * window, Math.min((page + 1) * PAGE, end) * window, found, "loading"]);
  }
  if (reach.kept < begin * window) holes.push([reach.kept, begin * window, "loading", "loading"]);
  if (reach.newest >= end * window) holes.push([end * window, reach.newest + reach.window, "loading", "loading"]);
  const some = parts.filter((one) => one.rows);
  const usual = Math.floor(said.low / step + 1e-9);
  const low = some.length ? Math.min(...some.map((one) => one.row)) : usual;
  const high = some.length ? Math.max(...some.map((one) => one.row + one.rows)) : usual + 1;
  const rows = high - low;
  const [long, short] = [new Float32Array(columns * rows), new Float32Array(columns * rows)];
  const candles = new Float64Array(4 * columns);
  const realised = new Float64Array(2 * columns);
  const known = new Uint8Array(columns);
  let [least, most] = [Infinity, -Infinity];
  for (const one of parts) {
    for (const [k, time] of one.times.entries()) {
      const column = Math.round(time / window) - begin;
      if (column < 0 || column >= columns) continue;
      known[column] = 1;
      const at = column * rows + one.row - low;
      long.set(one.long.subarray(k * one.rows, (k + 1) * one.rows), at);
      short.set(one.short.subarray(k * one.rows, (k + 1) * one.rows), at);
      realised.set(one.realised.subarray(2 * k, 2 * k + 2), 2 * column);
      const candle = one.candles.subarray(6 * k, 6 * k + 4);
      if (!(candle[3] > 0)) continue;
      for (let n = 0; n < 4; n++) candles[n * columns + column] = candle[n];
      [least, most] = [Math.min(least, candle[2]), Math.max(most, candle[1])];
    }
    for (const [from, to] of one.gaps) {
      if (!holes.some(([other]) => other === from)) holes.push([from, to, "no trades", "gap"]);
    }
  }
  const reached = Math.max(most - least, 0.03 * most);
  const newest = parts.find((one) => !one.complete && one.times.length);
  const of: HeatmapSaid = {
    ...said,
    paged: level,
    window,
    step,
    low: low * step,
    said: level ? [...said.said, `cells show the largest of ${FACTOR ** level} windows and ${rowsOf(level)} rows`] : said.said,
    view: most > least ? [Math.max(least - reached, low * step), Math.min(most + reached, high * step)] : said.view,
    unfinished: newest !== undefined && end === Math.floor(reach.newest / window) + 1,
    holes,
  };
  const times = Float64Array.from({ length: columns }, (_, column) => (begin + column) * window);
  return new Heatmap(of, { rows, long, short, times, candles, realised, known });
}

/** What pages come from, and where they are shown. */
export interface Around {
  /** Ask for a page; null: nothing of its time is kept. Throws what is wrong. */
  ask(level: number, page: number, step: number): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Show a heatmap in place of the one that is shown, at the times that are in view. */
  show(heatmap: Heatmap): void;
  /** Times in view, seconds, and how wide the plot is, pixels. */
  view(): { times: [number, number]; width: number };
  /** Whether a finger or a button is down: then what is shown must end where it does. */
  held(): boolean;
}

interface Kept {
  part: Part | null;
  /** Newest column that there was when it was asked for. */
  newest: number;
}

/** Shows what is newest where only that is in view, and pages elsewhere. */
export class Earlier {
  private now: Heatmap | null = null;
  private reach: Reach = { window: 1, kept: Infinity, newest: 0 };
  private about = "";
  private stretch: Stretch | null = null;
  private readonly kept = new Map<string, Kept>(); // the latest used last
  private readonly failed = new Map<string, string>();
  private readonly asking = new Set<string>();
  private soon: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly around: Around, private readonly mostBytes = MOST_BYTES) {}

  /** Take what is newest; `about` says of what it is: pages of something else are of no use. */
  take(heatmap: Heatmap, kept: number, about: string): void {
    const { window, step } = heatmap.said;
    const now = `${about} ${step} ${window}`;
    if (now !== this.about) {
      this.about = now;
      this.kept.clear();
      this.failed.clear();
      this.stretch = null;
    }
    this.now = heatmap;
    this.reach = { window, kept: Math.min(kept, heatmap.times[0]), newest: heatmap.times[heatmap.columns - 1] };
    if (!this.stretch) this.show(heatmap);
    this.look();
  }

  /** Since when there are columns, seconds. */
  get oldest(): number {
    return this.reach.kept;
  }

  /** When the newest column begins, seconds. */
  get newest(): number {
    return this.reach.newest;
  }

  /** Show what is newest. */
  back(): void {
    if (!this.stretch || !this.now) return;
    this.stretch = null;
    this.show(this.now);
  }

  /** Meanwhile the chart tells of views that nobody has asked for. */
  private show(heatmap: Heatmap): void {
    this.isShowing = true;
    this.around.show(heatmap);
    this.isShowing = false;
  }
  private isShowing = false;

  /** Show what is in view now. */
  look(): void {
    const { now, reach } = this;
    if (!now || this.isShowing || !Number.isFinite(reach.kept)) return;
    const { times, width } = this.around.view();
    const half = reach.window / 2;
    const isNew = times[0] >= now.times[0] - half || reach.kept >= now.times[0] - half;
    const level = levelFor(reach, times[1] - times[0], width);
    if (isNew && this.stretch && !this.around.held()) return this.back();
    if (isNew && !this.stretch) return;
    const held = this.around.held();
    if (held && this.stretch && this.stretch.level !== level) return; // once it is let go
    if (held && !this.stretch && level !== 0) return;
    const wanted = stretchFor(reach, level, times);
    const before = this.stretch;
    if (held) {
      wanted.last = before ? before.last : Math.floor(reach.newest / (columnOf(reach, level) * PAGE));
      wanted.first = Math.min(wanted.first, before?.first ?? wanted.first);
    }
    this.stretch = wanted;
    const isOther = !before || before.level !== level || before.first !== wanted.first || before.last !== wanted.last;
    if (isOther) this.compose();
    this.want();
  }

  private name(page: number): string {
    return `${this.stretch!.level} ${page}`;
  }

  private compose(): void {
    clearTimeout(this.soon);
    this.soon = undefined;
    if (!this.stretch || !this.now) return;
    const found = (page: number) => {
      const name = this.name(page);
      const kept = this.kept.get(name);
      if (!kept) return this.failed.get(name) ?? "loading";
      this.kept.delete(name);
      this.kept.set(name, kept);
      return kept.part ?? "not kept";
    };
    this.show(compose(this.stretch, this.reach, this.now.said, found));
  }

  /** Ask for what is missing, what is in view first. */
  private want(): void {
    const { stretch, reach } = this;
    if (!stretch) return;
    const length = columnOf(reach, stretch.level) * PAGE;
    const { times } = this.around.view();
    const middle = (times[0] + times[1]) / 2 / length - 0.5;
    const pages = Array.from({ length: stretch.last - stretch.first + 1 }, (_, k) => stretch.first + k);
    pages.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
    for (const page of pages) {
      if (this.asking.size >= AT_ONCE) return;
      const name = this.name(page);
      const kept = this.kept.get(name);
      const isOld = kept?.part?.complete === false && kept.newest < reach.newest;
      if ((kept && !isOld) || this.asking.has(name) || this.failed.has(name)) continue;
      void this.fetch(stretch.level, page, name);
    }
  }

  private async fetch(level: number, page: number, name: string): Promise<void> {
    const { about, reach } = this;
    this.asking.add(name);
    try {
      const bytes = await this.around.ask(level, page, this.now!.said.step);
      if (about === this.about) this.keep(name, { part: bytes && readPage(bytes), newest: reach.newest });
    } catch (error) {
      if (about !== this.about) return;
      this.failed.set(name, error instanceof Error ? error.message : String(error));
      setTimeout(() => {
        this.failed.delete(name);
        this.look();
      }, AGAIN_MS);
    } finally {
      this.asking.delete(name);
      this.soon ??= setTimeout(() => this.compose(), 60);
      this.want();
    }
  }

  private keep(name: string, kept: Kept): void {
    this.kept.delete(name);
    this.kept.set(name, kept);
    for (const oldest of this.kept.keys()) {
      if (this.bytes <= this.mostBytes) break;
      if (!this.isWanted(oldest)) this.kept.delete(oldest);
    }
  }

  private isWanted(name: string): boolean {
    const [level, page] = name.split(" ").map(Number);
    return this.stretch?.level === level && page >= this.stretch.first && page <= this.stretch.last;
  }

  /** Of cells in memory. */
  get bytes(): number {
    let bytes = 0;
    for (const { part } of this.kept.values()) bytes += part ? 8 * part.long.length : 0;
    return bytes;
  }
}
