import { expect, test } from "vitest";
import { Heatmap, isNext, type HeatmapSaid } from "../src/data";

const of = (times: number[], closes: number[], window = 60) =>
  new Heatmap({ window, low: 0, step: 1 } as unknown as HeatmapSaid, {
    rows: 1, long: new Float32Array(times.length), short: new Float32Array(times.length), times: Float64Array.from(times),
    candles: Float64Array.from([1, 2, 3, 4].flatMap(() => closes)),
  });

test("a heatmap a moment later differs in the last candle alone; another market or time does not pass for one", () => {
  const now = of([0, 60, 120], [10, 11, 12]);
  expect(isNext(now, of([0, 60, 120], [10, 11, 13]))).toBe(true);
  expect(isNext(now, of([0, 60, 120], [10, 99, 12]))).toBe(false);
  expect(isNext(now, of([0, 60, 120], [500, 501, 502]))).toBe(false);
  expect(isNext(now, of([-60, 0, 60], [9, 10, 11]))).toBe(false); // moved back
  expect(isNext(now, of([60, 120, 180], [11, 12, 13]))).toBe(false);
  expect(isNext(now, of([0, 60, 120, 180], [10, 11, 12, 13]))).toBe(false);
  expect(isNext(now, of([0, 60, 120], [10, 11, 12], 120))).toBe(false);
});
