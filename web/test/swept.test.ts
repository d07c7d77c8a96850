import { expect, test } from "vitest";
import { Heatmap, type HeatmapSaid } from "../src/data";
import { sweptIn } from "../src/swept";

const said = { window: 60, low: 100, step: 1, joined: [1, 1] } as unknown as HeatmapSaid;
const rows = 6; // 100 to 106
const heatmap = new Heatmap(said, {
  rows,
  long: Float32Array.of(5, 4, 3, 0, 0, 0, /**/ 5, 1, 0, 0, 0, 0, /**/ 4, 1, 0, 0, 0, 0),
  short: Float32Array.of(0, 0, 0, 0, 7, 8, /**/ 0, 0, 0, 0, 7, 8, /**/ 0, 0, 0, 0, 0, 2),
  times: Float64Array.of(0, 60, 120),
  candles: Float64Array.of(103, 103, 101.5, 103, 103, 105.5, 103, 101.5, 101.5, 103, 101.5, 105),
});

test("swept is what lay in rows that the price reached and is gone: longs below, shorts above", () => {
  const all = sweptIn(heatmap, [0, 3], "both", 0).map(({ column, side, low, high, amount }) => [column, side, low, high, amount]);
  expect(all).toEqual([
    [2, "short", 104, 106, 13],
    [1, "long", 101, 103, 6],
  ]); // the long row at 100 lost 1 of itself: the price was not there
  expect(sweptIn(heatmap, [0, 3], "long", 0).length).toBe(1);
  expect(sweptIn(heatmap, [0, 3], "both", 10).map(({ side }) => side)).toEqual(["short"]);
  expect(sweptIn(heatmap, [2, 3], "both", 0).map(({ column }) => column)).toEqual([2]);
});

test("of a column that has not come nothing is swept", () => {
  const some = new Heatmap(said, { ...heatmap, rows, known: Uint8Array.of(0, 1, 1) } as never);
  expect(sweptIn(some, [0, 3], "long", 0)).toEqual([]);
});
