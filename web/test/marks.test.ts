import { describe, expect, test } from "vitest";
import { Heatmap, type HeatmapSaid } from "../src/data";
import { Chosen, firstFrom, isKnown, join, radius, readLiquidations, said, sums, type Liquidations } from "../src/marks";
import { framed } from "./framed";

const MARKETS = ["a:BTC", "b:BTC"];

/** Liquidations as a server sends them: time, USD, market, and whether longs. */
function told(rows: [number, number, number, number][], markets = MARKETS): Liquidations {
  const column = (k: number) => rows.map((row) => row[k]);
  return readLiquidations(framed({ markets }, {
    times: BigInt64Array.from(rows, ([time]) => BigInt(time) * 1_000_000_000n),
    prices: Float64Array.from(rows, ([time]) => 100 + time), usd: Float64Array.from(column(1)),
    market: Uint16Array.from(column(2)), longs: Uint16Array.from(column(3)),
  }));
}

const FEW = told([[10, 500, 0, 1], [20, 50, 1, 0], [30, 5_000, 1, 1], [40, 0, 0, 1]]);

describe("marks", () => {
  test("are those from an amount on, and none of nothing", () => {
    const of = (least: number) => Chosen.of(FEW, MARKETS, least).marks.map(({ seconds }) => seconds);
    expect(of(0)).toEqual([10, 20, 30]);
    expect(of(50)).toEqual([10, 20, 30]);
    expect(of(51)).toEqual([10, 30]);
    expect(of(1e9)).toEqual([]);
  });

  test("are those of the venues asked for", () => {
    expect(Chosen.of(FEW, ["b:BTC"], 0).marks).toEqual([
      { seconds: 20, price: 120, usd: 50, side: "short", market: "b:BTC" },
      { seconds: 30, price: 130, usd: 5_000, side: "long", market: "b:BTC" },
    ]);
    expect(Chosen.of(FEW, ["c:BTC"], 0).marks).toEqual([]);
  });

  test("are as large as their share of the largest, between 2 and 8 pixels", () => {
    const { most } = Chosen.of(FEW, MARKETS, 0);
    expect([radius(most, most), radius(most / 4, most), radius(0, most), radius(1, 0)]).toEqual([8, 5, 2, 2]);
  });

  test("say what, where, when and by whom; sums say that they are of a column", () => {
    const [first] = Chosen.of(FEW, MARKETS, 0).marks;
    expect(said(first, String, "UTC")).toBe("$500 of longs liquidated at 110, 1970-01-01 00:00:10 UTC, a:BTC");
    expect(said({ ...first, market: "" }, String, "UTC")).toBe("$500 of longs liquidated in this column");
  });
});

describe("20,000 of them", () => {
  const many = told(Array.from({ length: 20_000 }, (_, k) => [k, (k % 100) + 1, k % 2, k % 3 ? 0 : 1]));

  test("are all there, by time, and found by halving", () => {
    const chosen = Chosen.of(many, MARKETS, 0);
    expect([chosen.marks.length, chosen.times.length, chosen.most]).toEqual([20_000, 20_000, 100]);
    for (const seconds of [-5, 0, 7_777, 7_777.5, 19_999, 30_000]) {
      const found = chosen.times.findIndex((time) => time >= seconds);
      expect(firstFrom(chosen.times, seconds)).toBe(found < 0 ? 20_000 : found);
    }
  });

  test("are thinned by the amount alone", () => {
    expect(Chosen.of(many, MARKETS, 100).marks).toHaveLength(200);
    expect(Chosen.of(many, ["b:BTC"], 51).marks).toHaveLength(5_000);
  });
});

describe("what is told anew", () => {
  const before = told([[10, 500, 0, 1], [20, 50, 1, 0]]);

  test("is known where nothing differs from a time on", () => {
    expect(isKnown(before, told([[20, 50, 1, 0]]), 15)).toBe(true);
    expect(isKnown(before, told([[20, 51, 1, 0]]), 15)).toBe(false);
    expect(isKnown(before, told([[20, 50, 1, 0], [30, 1, 0, 1]]), 15)).toBe(false);
    expect(isKnown(before, told([[20, 50, 1, 0]], ["a:BTC"]), 15)).toBe(false);
  });

  test("takes the place of what was known from that time on", () => {
    const joined = join(before, told([[20, 60, 0, 1], [25, 70, 1, 0]]), 15);
    expect([[...joined.times], [...joined.usd], [...joined.longs], [...joined.market]]).toEqual([[10, 20, 25], [500, 60, 70], [1, 1, 0], [0, 0, 1]]);
    expect(join(before, told([[20, 60, 0, 1]], ["c:BTC"]), 15).times).toHaveLength(1); // markets have other numbers
  });
});

test("sums of a column stand in only where none of it was told one by one", () => {
  const heatmap = new Heatmap({ window: 10 } as HeatmapSaid, {
    rows: 1, long: new Float32Array(3), short: new Float32Array(3), times: Float64Array.of(0, 10, 20),
    candles: Float64Array.of(5, 5, 0, 6, 6, 0, 4, 4, 0, 5, 5, 0), // nothing traded in the last
    realised: Float64Array.of(80, 0, 500, 300, 90, 90),
  });
  const marks = sums(told([[10, 500, 0, 1]]), MARKETS, 70, heatmap);
  expect(marks).toEqual([
    { seconds: 5, price: 4, usd: 80, side: "long", market: "" },
    { seconds: 15, price: 6, usd: 300, side: "short", market: "" }, // longs were told of
  ]);
  expect(sums(told([[10, 500, 0, 1]]), ["b:BTC"], 70, heatmap).map(({ usd }) => usd)).toEqual([80, 500, 300]);
  expect(sums(FEW, MARKETS, 301, heatmap)).toEqual([]);
  const both = Chosen.of(told([[10, 500, 0, 1]]), MARKETS, 70).with(marks);
  expect(both.marks.map(({ seconds }) => seconds)).toEqual([5, 10, 15]);
});
