/** What a reader can change, and the colours there are to choose from. */

import type { Side } from "./data";
import type { Zone } from "./words";

/** Colours, as liqcore.render.frame.look says them. */
export interface Look {
  tables: Record<string, string>;
  themes: Record<"dark" | "light", Record<string, string>>;
  candles: Record<string, [string, string]>;
  scales: string[];
}

export interface Settings {
  side: Side;
  scale: string;
  colormap: string;
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
}
