/** The view in a link: what follows the # in the address. Whatever stands there, what is read is a view or nothing. */

import type { Shown } from "./data";
import type { HeatmapChart } from "./heatmap";
import type { Asked } from "./live";
import { LEVELS, type Look, type Settings } from "./look";
import type { MapChart } from "./map";

export interface Linked {
  settings: Settings;
  columns?: [number, number];
  prices?: [number, number];
  mapPrices?: [number, number];
}

const digits = (value: number) => String(Number(value.toPrecision(9)));

/** Times stand in it, not columns: it shows the same where older ones are left out. */
export function toLink(settings: Settings, heat: HeatmapChart | null, map: MapChart | null, asked?: Asked): string {
  const said = new URLSearchParams();
  for (const name of ["view", "side", "scale", "colormap", "candles", "levels", "theme", "zone"] as const) said.set(name, settings[name]);
  if (settings.cut) said.set("cut", digits(settings.cut));
  if (settings.marks) said.set("marks", digits(settings.marks));
  if (settings.marksOf) said.set("marks-of", settings.marksOf);
  if (settings.locked) said.set("top", digits(settings.top));
  if (heat && heat.heatmap.columns) {
    const { times, said: of } = heat.heatmap;
    const [from, to] = heat.range().map((column) => times[0] + (column + 0.5) * of.window);
    said.set("from", from.toFixed(3));
    said.set("to", to.toFixed(3));
    if (!heat.autoScaled) {
      const [low, high] = heat.prices();
      said.set("low", digits(low));
      said.set("high", digits(high));
    }
  }
  if (map && settings.view === "map") {
    const [low, high] = map.prices();
    said.set("map-low", digits(low));
    said.set("map-high", digits(high));
  }
  if (asked) {
    said.set("market", asked.market);
    if (asked.model) said.set("model", asked.model);
    if (asked.leverage.length) said.set("leverage", asked.leverage.join(","));
    if (asked.as_view) said.set("within", "view");
    else if (asked.opened_within) said.set("within", asked.opened_within);
    if (heat && heat.atEnd) said.delete("to"); // it follows
  }
  return `#${said}`;
}

/** Let the address say what is seen. */
export function keepLink(...seen: Parameters<typeof toLink>): void {
  try {
    history.replaceState(null, "", toLink(...seen));
  } catch {
    // a frame of somebody else's page may have no address of its own
  }
}

/** Copy the address; the button that was pressed says what became of it. */
export async function copyLink(button: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = "Copied";
  } catch {
    button.textContent = "In the address bar";
  }
  setTimeout(() => (button.textContent = "Link"), 1500);
}

/** What a link asks of a server; the server checks it. */
export function askedIn(hash: string): Asked {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const leverage = (said.get("leverage") ?? "").split(",").map(Number).filter((tier) => tier > 0);
  const within = said.get("within") ?? "";
  return { market: said.get("market") ?? "", model: said.get("model") ?? "", leverage, opened_within: within === "view" ? "" : within, as_view: within === "view" };
}

export function fromLink(hash: string, settings: Settings, look: Look, shown: Shown): Linked {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const among = <T extends string>(name: string, names: readonly T[], usual: T): T => {
    const value = said.get(name) as T;
    return names.includes(value) ? value : usual;
  };
  const number = (name: string) => {
    const value = said.get(name);
    return value === null || value === "" ? NaN : Number(value);
  };
  const span = (low: number, high: number): [number, number] | undefined =>
    Number.isFinite(low) && Number.isFinite(high) && low < high ? [low, high] : undefined;
  const views = [...(shown.heatmap ? ["heatmap" as const] : []), ...(shown.map ? ["map" as const] : [])];
  const [top, cut, marks] = ["top", "cut", "marks"].map(number);
  const linked: Linked = {
    settings: {
      ...settings,
      view: among("view", views, settings.view),
      side: among("side", ["both", "long", "short"] as const, settings.side),
      scale: among("scale", look.scales, settings.scale),
      colormap: among("colormap", Object.keys(look.tables), settings.colormap),
      levels: among("levels", LEVELS, settings.levels),
      candles: among("candles", Object.keys(look.candles), settings.candles),
      theme: among("theme", ["dark", "light"] as const, settings.theme),
      zone: among("zone", ["UTC", "local"] as const, settings.zone),
      ...(top > 0 && Number.isFinite(top) ? { top, locked: true } : {}),
      ...(marks >= 0 && Number.isFinite(marks) ? { marks } : {}),
      marksOf: said.get("marks-of") ?? "",
      ...(cut >= 0 && Number.isFinite(cut) ? { cut } : {}),
    },
  };
  const of = shown.heatmap;
  if (of?.columns) {
    const column = (seconds: number) => (seconds - of.times[0]) / of.said.window - 0.5;
    const columns = span(column(number("from")), said.has("to") ? column(number("to")) : of.columns - 0.5); // without an end it follows
    if (columns) linked.columns = columns;
  }
  const prices = span(number("low"), number("high"));
  if (prices) linked.prices = prices;
  const mapPrices = span(number("map-low"), number("map-high"));
  if (mapPrices) linked.mapPrices = mapPrices;
  return linked;
}
