import { expect, test } from "vitest";
import { cascadeText, stopText } from "../src/scenario";

test("a cascade says where it ends, with its quantiles", () => {
  const told = {
    side: "long" as const, shock_percent: 2, end_price: 61_200, overshoot_percent: 0.5, liquidated: 12e6, scenario: [],
    quantiles: [{ level: 0.05, end_price: 61_400, liquidated: 1 }, { level: 0.95, end_price: 60_900, liquidated: 2 }],
  };
  expect(cascadeText(told, 61_500, "USD", 0)).toBe(
    "A fall to 61,500 (2.00%) would end at 61,200, 0.50% farther: $12M of longs liquidated. 5th and 95th percentile: 61,400 and 60,900.");
  expect(cascadeText({ ...told, side: "short", end_price: null }, 61_500, "USD", 0)).toContain("A rise to 61,500 (2.00%) would end at not known");
});

test("a stop says what it stands beyond, and flags a round number", () => {
  const stop = { price: 59_950, distance_percent: -3, cluster_low: 60_000, cluster_high: 60_100, between: 5e6, round_number: 60_000, fill_price: 59_800, slippage_percent: 0.25 };
  expect(stopText(stop, "USD", 0)).toBe(
    "59,950 (-3.00%), beyond 60,000 to 60,100; $5M on the way, filled at 59,800 (0.25% worse); just beyond 60,000, where stops gather");
  expect(stopText({ ...stop, round_number: null, fill_price: null }, "USD", 0)).toBe("59,950 (-3.00%), beyond 60,000 to 60,100; $5M on the way");
});
