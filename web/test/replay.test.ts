import { expect, test } from "vitest";
import { speedText, speedTyped, timeTyped } from "../src/replay";

test("speeds are read as people type them, within what the server takes", () => {
  expect(["60", "60x", " 2.5 X", "max", "as fast as can be"].map(speedTyped)).toEqual([60, 60, 2.5, 0, 0]);
  for (const wrong of ["", "0", "-1", "fast", "1e9", "100001"]) expect(speedTyped(wrong)).toBeNaN();
  expect([1, 600, 0].map(speedText)).toEqual(["1x", "600x", "as fast as can be"]);
});

test("times are of UTC, and of the day that is shown where none is typed", () => {
  const day = Date.UTC(2026, 5, 12, 3) / 1000;
  expect(timeTyped("10:00", day)).toBe(Date.UTC(2026, 5, 12, 10) / 1000);
  expect(timeTyped("2026-06-11 09:30:15", day)).toBe(Date.UTC(2026, 5, 11, 9, 30, 15) / 1000);
  for (const wrong of ["", "noon", "2026-06-12", "2026-13-12 10:00"]) expect(timeTyped(wrong, day)).toBeNaN();
});
