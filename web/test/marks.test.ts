import { expect, test } from "vitest";
import { Heatmap, type HeatmapSaid } from "../src/data";
import { Chosen, NONE, firstFrom, isKnown, join, radius, readLiquidations, sums, type Liquidations } from "../src/marks";
import { framed } from "./framed";

const told = (rows: [number, number, number, number, number][], markets = ["a:X", "b:X"]): Liquidations => ({
  markets,
  times: Float64Array.from(rows, ([time]) => time),
  prices: Float64Array.from(rows, ([, price]) => price),
  usd: Float64Array.from(rows, ([, , usd]) => usd),
  longs: Uint16Array.from(rows, ([, , , long]) => long),
  market: Uint16Array.from(rows, ([, , , , market]) => market),
});
const ROWS: [number, number, number, number, number][] = [[10, 99, 500, 1, 0], [70, 101, 2_000, 0, 1], [70, 98, 0, 1, 0], [130, 97, 9_000, 1, 1]];

test("a frame of liquidations is read as it was sent", () => {
  const all = told(ROWS);
  const frame = framed(
    { markets: all.markets },
    { times: BigInt64Array.from(ROWS, ([time]) => BigInt(time) * 1_000_000_000n), prices: all.prices, usd: all.usd, longs: all.longs, market: all.market },
  );
  expect(readLiquidations(frame)).toEqual(all);
});

test("those of the markets asked for are marked, from an amount on, none of nothing", () => {
  const of = (markets: string[], least: number) => Chosen.of(told(ROWS), markets, least).marks.map(({ usd, side, market }) => [usd, side, market]);
  expect(of(["a:X", "b:X"], 0)).toEqual([[500, "long", "a:X"], [2_000, "short", "b:X"], [9_000, "long", "b:X"]]);
  expect(of(["a:X"], 0)).toEqual([[500, "long", "a:X"]]);
  expect(of(["a:X", "b:X"], 2_000)).toEqual([[2_000, "short", "b:X"], [9_000, "long", "b:X"]]);
  expect(of(["c:X"], 0)).toEqual([]);
  expect(Chosen.of(told(ROWS), ["a:X", "b:X"], 0).most).toBe(9_000);
});

test("what is told from a time on takes the place of what was known of it", () => {
  const [before, after] = [told(ROWS.slice(0, 3)), told([[70, 101, 2_500, 0, 1], [130, 97, 9_000, 1, 1]])];
  const joined = join(before, after, 70);
  expect([...joined.times]).toEqual([10, 70, 130]);
  expect([...joined.usd]).toEqual([500, 2_500, 9_000]);
  expect(isKnown(before, told(ROWS.slice(1, 3)), 70)).toBe(true);
  expect(isKnown(before, after, 70)).toBe(false);
  expect(isKnown(before, told(ROWS.slice(1, 3), ["a:X"]), 70)).toBe(false);
  expect(join(NONE, after, 70)).toBe(after);
  expect(join(before, told(ROWS, ["z:X"]), 70).markets).toEqual(["z:X"]);
});

test("the first that is not before a time is found in any rising times", () => {
  for (let length = 0; length < 9; length++) {
    const times = Float64Array.from({ length }, (_, k) => 2 * (k >> 1));
    for (let at = -1; at < 10; at++) {
      const found = times.findIndex((time) => time >= at);
      expect(firstFrom(times, at)).toBe(found < 0 ? length : found);
    }
  }
});

test("columns of which nothing was told one by one have their sum, at the candle's end", () => {
  const said = { window: 60, low: 90, step: 1 } as unknown as HeatmapSaid;
  const columns = 3;
  const heatmap = new Heatmap(said, {
    rows: 1, long: new Float32Array(columns), short: new Float32Array(columns), times: Float64Array.of(0, 60, 120),
    candles: Float64Array.of(100, 100, 0, 102, 102, 0, 97, 97, 0, 101, 101, 0), // the last column saw no trade
    realised: Float64Array.of(700, 800, 900, 50, 600, 600),
  });
  const found = sums(told(ROWS.slice(0, 2)), ["a:X", "b:X"], 100, heatmap);
  expect(found.map(({ seconds, price, usd, side }) => [seconds, price, usd, side])).toEqual([
    [30, 102, 800, "short"], // its longs were told one by one
    [90, 97, 900, "long"], // its shorts, too, and their sum is below what is asked for
  ]);
  expect(sums(told(ROWS.slice(0, 2)), ["b:X"], 100, heatmap).map(({ side, usd }) => [side, usd])).toContainEqual(["long", 700]);
});

test("a mark's area goes with its amount, and 20,000 are chosen in order of time", () => {
  expect([radius(0, 100), radius(100, 100), radius(25, 100), radius(1, 0)]).toEqual([2, 8, 5, 2]);
  const many = told(Array.from({ length: 20_000 }, (_, k) => [k, 100 + (k % 7), 1 + k, k % 2, k % 2]));
  const chosen = Chosen.of(many, ["a:X", "b:X"], 0).with([{ seconds: 500.5, price: 1, usd: 3, side: "long", market: "" }]);
  expect(chosen.marks.length).toBe(20_001);
  expect(chosen.times.every((time, k) => !k || time >= chosen.times[k - 1])).toBe(true);
  expect(chosen.most).toBe(20_000);
});
