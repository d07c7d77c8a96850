import { expect, test } from "vitest";
import { isTicker, lastLiquidated, nextZone } from "../src/ticker";

const zone = (side: "long" | "short", low: number, high: number, value: number) => ({ side, low, high, value, share: 0, since_ns: 0, persistence: 1, time_ns: 0 });
const zones = [zone("long", 90, 92, 5e6), zone("long", 95, 96, 2e6), zone("short", 103, 104, 1e6), zone("short", 110, 112, 9e6)];

test("the next zone of a side is the one that a move reaches first", () => {
  expect(nextZone(zones, "long", 100, 1, "USD")).toBe("longs 95.0 to 96.0: $2M, 4.00% below");
  expect(nextZone(zones, "short", 100, 1, "USD")).toBe("shorts 103.0 to 104.0: $1M, 3.00% above");
  expect(nextZone([], "short", 100, 1, "USD")).toBe("no zone of shorts");
});

test("what was liquidated is that of the window that goes on", () => {
  const heatmap = { columns: 2, realised: Float64Array.of(1, 1, 2.5e6, 0), said: { window: 300 } };
  expect(lastLiquidated(heatmap as never)).toBe("$2.5M of longs, $0 of shorts liquidated in this window of 5m");
  heatmap.realised.fill(0);
  expect(lastLiquidated(heatmap as never)).toBe("nothing liquidated in this window of 5m, as far as the venue tells");
});

test("an address asks for it", () => {
  expect(["?ticker", "?token=a&ticker=", "?ticket", ""].map(isTicker)).toEqual([true, true, false, false]);
});
