import { expect, test } from "vitest";
import { saidOf } from "../src/alerts";

const of = { number: 1, market: "a:B" };

test("zones are told of from an amount on, with what became of them", () => {
  const zone = { ...of, kind: "zone", what: "approached" as const, side: "short" as const, ts: 60e9, low: 10, high: 10.5, usd: 2e6 };
  expect(saidOf(zone, 1e6)).toBe("1970-01-01 00:01 UTC a:B: shorts 10.0 to 10.5 approached, $2M");
  expect(saidOf(zone, 3e6)).toBe("");
});

test("liquidations of a window are told of in sum", () => {
  const column = { ...of, kind: "column", end: 120e9, realised_long: 1.5e6, realised_short: 0 };
  expect(saidOf(column, 1e6)).toBe("1970-01-01 00:02 UTC a:B: $1.5M of longs, $0 of shorts liquidated in a window");
  expect(saidOf({ ...column, realised_long: 0 }, 0)).toBe("");
  expect(saidOf({ ...of, kind: "gap" }, 0)).toBe("");
});
