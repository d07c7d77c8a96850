import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Heatmap, type HeatmapSaid } from "../src/data";
import { Earlier, PAGE, columnOf, compose, levelFor, stretchFor, type Around, type Part, type Reach } from "../src/earlier";
import { framed } from "./framed";

const WINDOW = 60;
const KEPT = 10 * PAGE * WINDOW + 30 * WINDOW; // in the middle of a page
const NEWEST = 30 * PAGE * WINDOW + 99 * WINDOW;
const reach: Reach = { window: WINDOW, kept: KEPT, newest: NEWEST };
const said = { window: WINDOW, step: 10, low: 1_000, said: [], view: [0, 1], holes: [] } as unknown as HeatmapSaid;

const empty = (columns: number, from: number) =>
  new Heatmap(said, {
    rows: 1, long: new Float32Array(columns), short: new Float32Array(columns),
    times: Float64Array.from({ length: columns }, (_, k) => from + k * WINDOW), candles: new Float64Array(4 * columns),
  });

/** A page of which each cell says where it is: column + row / 1000. */
function page(level: number, number: number, { row = 100, rows = 3, complete = true } = {}): Part {
  const length = columnOf(reach, level);
  const times = Float64Array.from({ length: PAGE }, (_, k) => (number * PAGE + k) * length);
  const cells = Float32Array.from({ length: PAGE * rows }, (_, i) => Math.floor(i / rows) + (row + (i % rows)) / 1_000);
  const candles = Float64Array.from({ length: 6 * PAGE }, (_, i) => [1_000, 1_020, 990, 1_010, 1, 1][i % 6]);
  return { times, row, rows, long: cells, short: cells.map((value) => -value), candles, realised: new Float64Array(2 * PAGE), gaps: [], complete };
}

test("the level is the finest of which a plot can show the columns", () => {
  expect(levelFor(reach, 500 * WINDOW, 1_000)).toBe(0);
  expect(levelFor(reach, 751 * WINDOW, 1_000)).toBe(1);
  expect(levelFor(reach, 3_001 * WINDOW, 1_000)).toBe(2);
  expect(levelFor(reach, 1e12, 1_000)).toBe(8);
  expect(levelFor(reach, 200 * WINDOW, 10)).toBe(0); // a plot that is folded away
});

test("pages in view are asked for with as much before and behind, where there are columns", () => {
  const length = PAGE * WINDOW;
  expect(stretchFor(reach, 0, [20 * length, 21.5 * length])).toEqual({ level: 0, first: 18, last: 23 });
  expect(stretchFor(reach, 0, [5 * length, 11 * length])).toEqual({ level: 0, first: 10, last: 17 });
  expect(stretchFor(reach, 0, [29 * length, 40 * length])).toEqual({ level: 0, first: 18, last: 30 });
  expect(stretchFor(reach, 2, [20 * length, 21 * length])).toEqual({ level: 2, first: 1, last: 1 });
});

test("pages are put together cell by cell, and what has not come is a hole and no zero", () => {
  const parts: Record<number, Part | string> = { 20: page(0, 20), 21: page(0, 21, { row: 102, rows: 5 }), 22: "loading" };
  const made = compose({ level: 0, first: 20, last: 22 }, reach, said, (number) => parts[number]);
  expect([made.columns, made.rows, made.said.low, made.said.step]).toEqual([3 * PAGE, 7, 1_000, 10]);
  expect([made.times[0], made.times[PAGE]]).toEqual([20 * PAGE * WINDOW, 21 * PAGE * WINDOW]);
  const at = (column: number, row: number) => made.long[column * made.rows + row - 100];
  expect([at(7, 100), at(7, 102), at(7, 103)]).toEqual([7.1, 7.102, 0].map(Math.fround));
  expect([at(PAGE + 7, 101), at(PAGE + 7, 102), at(PAGE + 7, 106)]).toEqual([0, 7.102, 7.106].map(Math.fround));
  expect(made.candle(5)).toEqual({ open: 1_000, high: 1_020, low: 990, close: 1_010 });
  expect([made.knows(2 * PAGE - 1), made.knows(2 * PAGE)]).toEqual([true, false]);
  expect(made.said.holes).toContainEqual([22 * PAGE * WINDOW, 23 * PAGE * WINDOW, "loading", "loading"]);
  expect(made.said.holes).toContainEqual([KEPT, 20 * PAGE * WINDOW, "loading", "loading"]);
  expect(made.said.holes).toContainEqual([23 * PAGE * WINDOW, NEWEST + WINDOW, "loading", "loading"]);
});

test("of a coarser level it says what its cells are, and columns before the oldest are none", () => {
  const made = compose({ level: 1, first: 2, last: 2 }, reach, said, () => page(1, 2));
  expect(made.said.said).toEqual(["cells show the largest of 4 windows and 1 rows"]);
  expect(made.times[0]).toBe(Math.floor(KEPT / (4 * WINDOW)) * 4 * WINDOW);
  expect(made.columns).toBe(3 * PAGE - made.times[0] / (4 * WINDOW));
  expect(compose({ level: 2, first: 1, last: 1 }, reach, said, () => page(2, 1)).said.step).toBe(20);
});

/** A server of pages, and a chart that looks at times. */
class Seen implements Around {
  asked: string[] = [];
  shown: Heatmap[] = [];
  times: [number, number] = [NEWEST - 100 * WINDOW, NEWEST];
  width = 1_000;
  hold = false;
  waiting: ((bytes: Uint8Array<ArrayBuffer> | null | Error) => void)[] = [];

  ask(level: number, number: number): Promise<Uint8Array<ArrayBuffer> | null> {
    this.asked.push(`${level} ${number}`);
    return new Promise((done, fail) => this.waiting.push((bytes) => (bytes instanceof Error ? fail(bytes) : done(bytes))));
  }
  show(heatmap: Heatmap): void {
    this.shown.push(heatmap);
  }
  view() {
    return { times: this.times, width: this.width };
  }
  held(): boolean {
    return this.hold;
  }
  get last(): Heatmap {
    return this.shown[this.shown.length - 1];
  }
  /** Answer the request that waits longest. */
  async answer(bytes: Uint8Array<ArrayBuffer> | null | Error = sent()): Promise<void> {
    this.waiting.shift()!(bytes);
    await vi.advanceTimersByTimeAsync(100);
  }
}

/** A page as a server sends it, of a row a column. */
function sent(): Uint8Array<ArrayBuffer> {
  const long = Uint16Array.from({ length: PAGE }, () => 0);
  const shaped = (values: Uint16Array) => Object.assign(values, { shape: [PAGE, 1] });
  return framed(
    { row: 100, rows: 1, gaps: [], complete: true },
    { times: new BigInt64Array(0), tops: new Float32Array(2 * PAGE), long: shaped(long), short: shaped(long), candles: new Float64Array(0), realised: new Float64Array(0) },
  );
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function begun(mostBytes?: number): [Seen, Earlier] {
  const seen = new Seen();
  const earlier = new Earlier(seen, mostBytes);
  earlier.take(empty(720, NEWEST - 719 * WINDOW), KEPT, "a");
  return [seen, earlier];
}

const at = (number: number): [number, number] => [number * PAGE * WINDOW, (number + 1) * PAGE * WINDOW - WINDOW];

test("what is newest is shown without a request while it is all that is in view", () => {
  const [seen] = begun();
  expect(seen.asked).toEqual([]);
  expect(seen.last.columns).toBe(720);
});

test("what is in view is asked for first, three at a time, and each once", async () => {
  const [seen, earlier] = begun();
  seen.times = at(20);
  earlier.look();
  expect(seen.asked[0]).toBe("0 20");
  expect(seen.asked.length).toBe(3);
  earlier.look();
  expect(seen.asked.length).toBe(3);
  expect(seen.last.said.paged).toBe(0);
  while (seen.waiting.length) await seen.answer();
  expect(new Set(seen.asked).size).toBe(seen.asked.length);
  expect(seen.asked.map((name) => Number(name.split(" ")[1])).sort((a, b) => a - b)).toEqual([19, 20, 21]);
});

test("what failed is said in its place and asked for again", async () => {
  const [seen, earlier] = begun();
  seen.times = at(20);
  earlier.look();
  await seen.answer(new Error("the server is busy"));
  expect(seen.last.said.holes.map(([, , words]) => words)).toContain("the server is busy");
  await vi.advanceTimersByTimeAsync(1_100);
  expect(seen.asked.filter((name) => name === "0 20").length).toBe(2);
  await seen.answer(null);
  await seen.answer(null);
  await seen.answer(null);
  expect(seen.last.said.holes.map(([, , words]) => words)).not.toContain("the server is busy");
});

test("pages of something else that come late are left out", async () => {
  const [seen, earlier] = begun();
  seen.times = at(20);
  earlier.look();
  earlier.take(empty(720, NEWEST - 719 * WINDOW), KEPT, "another model");
  expect(seen.asked.length).toBe(3);
  for (let late = 0; late < 3; late++) await seen.answer();
  expect(earlier.bytes).toBe(0);
  expect(seen.asked.slice(3)).toEqual(seen.asked.slice(0, 3));
  await seen.answer();
  expect(earlier.bytes).toBe(8 * PAGE);
});

test("however far one goes back, no more is kept than is allowed", async () => {
  const [seen, earlier] = begun(8 * PAGE * 4);
  for (let number = 28; number > 11; number--) {
    seen.times = at(number);
    earlier.look();
    while (seen.waiting.length) await seen.answer();
    expect(earlier.bytes).toBeLessThanOrEqual(8 * PAGE * 4);
  }
  const before = seen.asked.length;
  seen.times = at(27);
  earlier.look();
  expect(seen.asked.length).toBeGreaterThan(before); // what was let go is asked for again
});

test("back at the newest columns they are shown again, but not under a finger", () => {
  const [seen, earlier] = begun();
  seen.times = at(20);
  earlier.look();
  seen.hold = true;
  seen.times = [NEWEST - 100 * WINDOW, NEWEST];
  earlier.look();
  expect(seen.last.said.paged).toBe(0);
  seen.hold = false;
  earlier.look();
  expect(seen.last.said.paged).toBe(undefined);
});
