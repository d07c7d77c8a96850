/** What a reader can change, and the colours there are to choose from. */

import { ramp } from "./cells";
import type { Shown, Side } from "./data";
import type { Zone } from "./words";

/** Colours, as liqcore.render.frame.look says them. */
export interface Look {
  tables: Record<string, string>;
  themes: Record<"dark" | "light", Record<string, string>>;
  candles: Record<string, [string, string]>;
  scales: string[];
}

/** Whether bodies of rising and of falling candles are dark inside: where all are white, one of the two is. */
export function hollow(candles: string, style: boolean): [boolean, boolean] {
  return candles === "white" ? [style, !style] : [style, false];
}

/** What colours can be of. */
export const LEVELS = ["amounts", "shares", "changes"] as const;

export interface Settings {
  side: Side;
  scale: string;
  colormap: string;
  /** Colours of candles. */
  candles: string;
  /** Whether colours are of amounts, of shares of each column's largest level, or of what changed in the time in view. */
  levels: (typeof LEVELS)[number];
  theme: "dark" | "light";
  zone: Zone;
  /** Amounts below are hidden; 0: none. */
  cut: number;
  /** Amount at the top of the colour scale. */
  top: number;
  /** Whether the top stays where it is when other levels come into view. */
  locked: boolean;
  view: "heatmap" | "map";
  /** Liquidations that venues told of are marked from this amount on, USD. */
  marks: number;
  /** The market whose liquidations are marked; empty: of those that the heatmap is of. */
  marksOf: string;
}

/** Tables of what was added and of what was removed, from nothing on. */
export function changeTables(look: Look, theme: Settings["theme"]): [string, string] {
  const colours = look.themes[theme];
  return [ramp(colours["candle hollow"], colours.added), ramp(colours["candle hollow"], colours.removed)];
}

/** Lengths of time that a reader chooses from, seconds; those that the data has. */
export const SPANS: [string, number][] = [
  ["1h", 3_600], ["4h", 14_400], ["12h", 43_200], ["24h", 86_400], ["48h", 172_800], ["3d", 259_200], ["1w", 604_800],
  ["2w", 1_209_600], ["1mo", 2_592_000], ["3mo", 7_776_000], ["6mo", 15_552_000], ["1y", 31_536_000],
];

/** Time frames by reading style, as liqcore.TIME_FRAMES has them. */
export const STYLES: [string, string[]][] = [
  ["scalp", ["1h", "4h"]],
  ["standard", ["12h", "24h", "48h", "3d", "1w", "2w", "1mo", "3mo", "6mo", "1y"]],
  ["swing", ["1w", "1mo"]],
];

/** What a reader finds first. */
export function settingsOf({ said, heatmap }: Shown): Settings {
  return {
    side: said.side,
    scale: heatmap?.said.scale ?? "linear",
    colormap: heatmap?.said.colormap ?? "viridis",
    candles: heatmap?.said.candles ?? "white",
    levels: "amounts",
    theme: said.theme,
    zone: "UTC",
    cut: heatmap?.said.cut ?? 0,
    top: heatmap?.said.top || 1,
    locked: false,
    view: said.kind,
    marks: 0,
    marksOf: "",
  };
}
