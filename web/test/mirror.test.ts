import { expect, test } from "vitest";
import { Mirror } from "../src/mirror";
import { framed } from "./framed";

const TOP = 65_535; // the code of a column's largest value
const MINUTE = 60_000_000_000;

/** A frame of columns: long levels as codes, one list a column; no shorts. */
function columns(kind: string, number: number, first: number, times: number[], codes: number[][], tops: number[], prices?: number[]) {
  const flat = codes.flat().map((code, i, all) => code - (i < codes[0].length ? 0 : all[i - codes[0].length]));
  const header = { kind, number, after: kind === "full" ? null : number - 1, first, window_ns: MINUTE, complete: false, markets: {}, said: {}, news: [] };
  return framed(header, {
    ...(prices ? { prices: Float64Array.from(prices) } : {}),
    times: BigInt64Array.from(times, BigInt),
    candles: Float64Array.from(times.flatMap((time) => [1, 2, 3, 4, 5, 6].map((k) => k + time / MINUTE))),
    realised: Float64Array.from(times.flatMap((time) => [time / MINUTE, 0])),
    long: Uint16Array.from(flat),
    short: new Uint16Array(flat.length),
    tops: Float32Array.from(tops.flatMap((top) => [top, 0])),
  });
}

function begun(): Mirror {
  const mirror = new Mirror();
  mirror.take(columns("full", 1, 0, [0, MINUTE], [[TOP, 0], [0, TOP]], [3, 5], [10, 11]));
  return mirror;
}

test("all columns come at once", () => {
  const mirror = begun();
  expect([...mirror.long]).toEqual([3, 0, 0, 5]);
  expect([...mirror.seconds]).toEqual([0, 60]);
  expect(mirror.window).toBe(60);
});

test("columns come in place of those from the first of them on, and early ones go", () => {
  const mirror = begun();
  expect(mirror.take(columns("columns", 2, MINUTE, [MINUTE, 2 * MINUTE], [[TOP, 0], [TOP, 0]], [7, 8]))).toBe(true);
  expect([...mirror.seconds]).toEqual([60, 120]);
  expect([...mirror.long]).toEqual([7, 0, 8, 0]);
  expect(mirror.candles.length).toBe(12);
  expect([...mirror.realised]).toEqual([1, 0, 2, 0]);
});

test("rows that are new are empty in the columns before", () => {
  const mirror = begun();
  mirror.take(columns("columns", 2, 0, [MINUTE], [[0, 0, TOP, 0]], [9], [9, 10, 11, 12]));
  expect([...mirror.prices]).toEqual([9, 10, 11, 12]);
  expect([...mirror.long]).toEqual([0, 3, 0, 0, 0, 0, 9, 0]);
});

test("a frame that is missing is noticed, one that came twice changes nothing", () => {
  const mirror = begun();
  expect(mirror.take(columns("columns", 3, 0, [MINUTE], [[TOP, 0]], [9]))).toBe(false);
  expect(new Mirror().take(columns("columns", 3, 0, [MINUTE], [[TOP, 0]], [9]))).toBe(false);
  expect(mirror.take(columns("columns", 1, 0, [MINUTE], [[TOP, 0]], [9]))).toBe(true);
  expect([...mirror.long]).toEqual([3, 0, 0, 5]);
});

test("what is told by name stays until it is told anew", () => {
  const mirror = begun();
  const state = { kind: "state", number: 2, after: 1, first: 0, window_ns: MINUTE, complete: false, markets: { "a:B": { clock: 5, price: 2 } }, news: [] };
  mirror.take(framed({ ...state, said: { labels: { unit: "usd" }, gaps: [[1, 2]] } }, {}));
  mirror.take(framed({ ...state, number: 3, after: 2, said: { gaps: [] } }, {}));
  expect(mirror.told.labels.unit).toBe("usd");
  expect(mirror.told.gaps).toEqual([]);
  expect(mirror.markets["a:B"].price).toBe(2);
});
