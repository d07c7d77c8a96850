import { expect, test } from "vitest";
import { amount, compact, decimals, duration, field, fileName, instant, price, tierName, typed, valueTicks, zoneName, since } from "../src/words";

test("numbers have three digits, as liqcore.render.labels.compact writes them", () => {
  expect([0, 950, 1_234_567, 99_960, 0.01234, 2.5e9].map(compact)).toEqual(["0", "950", "1.23M", "100K", "0.0123", "2.5B"]);
  expect([amount(1_234_567, "USD"), amount(1_234.5, "BTC")]).toEqual(["$1.23M", "1.23K BTC"]);
});

test("a tier is a leverage, or a distance from the entry", () => {
  expect([0.002, 0.007, 0.0125, 1, 12.5, 125].map(tierName)).toEqual(["0.2 %", "0.7 %", "1.25 %", "1x", "12.5x", "125x"]);
});

test("what was written is read again, and what is no amount is refused", () => {
  for (const [text, value] of [["$1.23M", 1.23e6], ["250k", 250e3], ["1e6", 1e6], ["1,000", 1000], [" 2 b usd", 2e9], ["0", 0]] as const) {
    expect(typed(text)).toBe(value);
  }
  for (const text of ["", "-5", "ten", "1M2", "<b>", "1..2"]) expect(typed(text)).toBeNaN();
});

test("prices have the decimals of their step", () => {
  expect([12.5, 20, 0.1 + 0.2, 0.00001234, 59_833.600000000006].map(decimals)).toEqual([1, 0, 1, 8, 1]);
  expect(price(62_000, 1)).toBe("62,000.0");
});

test("times and spans", () => {
  expect([instant(0, "UTC"), instant(1, "UTC"), instant(1_781_222_400, "UTC")]).toEqual([
    "1970-01-01 00:00", "1970-01-01 00:00:01", "2026-06-12 00:00",
  ]);
  expect([0, 300, 5_400, 93_600].map(duration)).toEqual(["0s", "5m", "1h 30m", "1d 2h"]);
  expect(zoneName(0, "UTC")).toBe("UTC");
});

test("ticks of the colour bar", () => expect(valueTicks(30).slice(0, 5)).toEqual([20, 10, 5, 2, 1]));

test("names of files hold nothing that leads elsewhere or hides", () => {
  expect(fileName("liqcore", "BTC/USDT:USDT", "../../etc")).toBe("liqcore-BTC-USDT-USDT-..-..-etc");
  expect(fileName("../x", "<script>")).toBe("x--script-");
  expect(fileName("...")).toBe("liqcore");
});

test("fields of a table are no formulas and end nowhere early", () => {
  expect(field("=HYPERLINK(1)")).toBe("'=HYPERLINK(1)");
  expect(field('a"b,c')).toBe('"a""b,c"');
  expect(field(-1.5)).toBe("-1.5");
});

test("of a column that joins windows it is said between when a level began", () => {
  const day = Date.UTC(2026, 5, 14) / 1000;
  const level = { since: day + 81_600, older: false };
  expect(since(level, day + 86_400, "UTC")).toBe("since 2026-06-14 22:40 (1h 20m)");
  expect(since({ ...level, within: 2_400 }, day + 86_400, "UTC")).toBe("since 2026-06-14 22:40 to 23:20 (1h 20m)");
  expect(since({ ...level, within: 9_600 }, day + 93_600, "UTC")).toBe("since 2026-06-14 22:40 to 2026-06-15 01:20 (3h 20m)");
  expect(since({ ...level, older: true, within: 2_400 }, day + 86_400, "UTC")).toBe("since before 2026-06-14 22:40 (1h 20m)");
});
