import { expect, test } from "vitest";
import type { Settings } from "../src/look";
import type { ZoneSaid } from "../src/mirror";
import { interval } from "../src/uncertain";
import { zoneRows } from "../src/zones";

const zone: ZoneSaid = {
  side: "long", low: 90, high: 91, value: 12e6, share: 0.5, since_ns: 0, persistence: 1, time_ns: 3600e9,
};
const settings = { side: "both", cut: 0, zone: "UTC" } as unknown as Settings;

test("an amount has its interval where the profile says how uncertain it is", () => {
  const sure = { ...zone, value_low: 8.04e6, value_high: 19e6 };
  expect(zoneRows([sure], -1, 100, 0, settings, "USD")[0][2]).toBe("$12M [8.04M, 19M]");
  expect(zoneRows([zone], -1, 100, 0, settings, "USD")[0][2]).toBe("$12M");
  expect(interval(null, null)).toBe("");
});
