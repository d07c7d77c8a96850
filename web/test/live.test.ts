import { expect, test } from "vitest";
import { together } from "../src/live";

const of = (...prices: (number | null)[]) => together(prices.map((price, k) => ({ market: "abcdef"[k], price, tiers: [] })));

test("markets whose prices are far apart are of no common underlying", () => {
  expect(of(65_000, 1_790, 65_100, 1_791)).toEqual([["a", "c"], ["b", "d"]]);
  expect(of(65_000, 64_000)).toEqual([["a", "b"]]);
  expect(of(65_000, null)).toEqual([["a"], ["b"]]);
});
