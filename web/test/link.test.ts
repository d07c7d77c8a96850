import { expect, test } from "vitest";
import { Heatmap, type HeatmapSaid } from "../src/data";
import { fromLink, toLink } from "../src/link";
import type { Look, Settings } from "../src/look";

const look = { tables: { viridis: "", cividis: "" }, candles: { white: [], "green-red": [] }, scales: ["sqrt", "linear", "log"] } as unknown as Look;
const settings: Settings = {
  side: "both", scale: "sqrt", colormap: "viridis", candles: "white", levels: "amounts", theme: "dark", zone: "UTC", cut: 0, top: 100, locked: false, view: "heatmap", marks: 0, marksOf: "",
};
const said = { window: 60, low: 10, step: 1, joined: [1, 1] } as HeatmapSaid;
const codes = Uint16Array.of(0, 65_535, 0, 0);
const heatmap = Heatmap.of(said, {
  header: {},
  shapes: { long: [2, 2] },
  arrays: {
    long: codes, short: codes, long_tops: Float32Array.of(3, 3), short_tops: Float32Array.of(2, 2),
    times: Float64Array.of(600, 660), candles: new Float64Array(8),
  },
});
const shown = { heatmap, map: null, said };

test("a link gives back what was seen", () => {
  const seen: Settings = { ...settings, side: "long", scale: "log", colormap: "cividis", candles: "green-red", theme: "light", cut: 2.5, top: 40, locked: true };
  const chart = { heatmap, range: () => [-0.5, 1.5], prices: () => [10, 12], autoScaled: false };
  const linked = fromLink(toLink(seen, chart as never, null), settings, look, shown);
  expect(linked).toEqual({ settings: seen, columns: [-0.5, 1.5], prices: [10, 12] });
});

test("whatever stands in a link, what is read is a view or nothing", () => {
  for (const hash of ["#", "", "#side=<script>", "#scale=__proto__&colormap=constructor", "#cut=-1&top=NaN", "#from=5&to=1", "#low=Infinity&high=2", "#view=map"]) {
    expect(fromLink(hash, settings, look, shown)).toEqual({ settings });
  }
});

test("levels are found, the largest first, with the time since which they are there", () => {
  const levels = heatmap.levels(1, [0, 2], "both", 0);
  expect(levels.map(({ side, low, amount, since, older }) => [side, low, amount, since, older])).toEqual([
    ["long", 11, 3, 600, true], ["short", 11, 2, 600, true],
  ]);
  expect(heatmap.levels(1, [0, 2], "short", 2.5)).toEqual([]);
});
