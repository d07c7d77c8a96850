/** The table of zones: where much lies close together, since when, and how steadily. */

import { rowsOf } from "./earlier";
import type { HeatmapChart } from "./heatmap";
import type { Settings } from "./look";
import type { ZoneSaid } from "./mirror";
import { interval } from "./uncertain";
import { amount, decimals, duration, instant, price as priceText, zoneName } from "./words";

const MOST = 12;

/**
 * Rows of the table, the largest zone first: side, prices, amount, distance, since when, persistence. `first`: where the
 * columns begin that zones were looked for in, seconds.
 */
export function zoneRows(
  zones: ZoneSaid[], first: number, last: number | null, places: number, settings: Settings, unit: string,
): string[][] {
  const { side, cut, zone: clock } = settings;
  return zones
    .filter((zone) => (side === "both" || zone.side === side) && zone.value >= cut)
    .sort((a, b) => b.value - a.value)
    .slice(0, MOST)
    .map((zone) => {
      const [since, now] = [zone.since_ns / 1e9, zone.time_ns / 1e9];
      const near = last === null || (zone.low <= last && last < zone.high) ? last : zone.high <= last ? zone.high : zone.low;
      const percent = last && near ? 100 * (near / last - 1) : 0;
      return [
        zone.side,
        `${priceText(zone.low, places)} to ${priceText(zone.high, places)}`,
        amount(zone.value, unit) + interval(zone.value_low, zone.value_high),
        last === null ? "" : percent ? `${Math.abs(percent).toFixed(2)}% ${percent < 0 ? "below" : "above"}` : "at the price",
        `${since <= first ? "before " : ""}${instant(Math.round(since), clock)} (${duration(now - since)})`,
        `${Math.round(100 * zone.persistence)}%`,
      ];
    });
}

/** Fill the table in, where it is open and says something else. */
export function listZones(zones: ZoneSaid[], first: number, heat: HeatmapChart, settings: Settings): void {
  const box = document.getElementById("zones") as HTMLDetailsElement;
  box.hidden = !zones.length;
  if (!box.open || box.hidden) return;
  const { heatmap } = heat;
  const { unit, last, step, paged } = heatmap.said;
  const rows = zoneRows(zones, first, last, decimals(step / rowsOf(paged ?? 0)), settings, unit);
  const end = zones[0].time_ns / 1e9;
  const caption = `At ${instant(end, settings.zone)} ${zoneName(end, settings.zone)}: neighbouring rows in the top tenth of all. Persistence: share of the last 100 columns with the zone in them.`;
  const now = JSON.stringify([caption, rows]);
  if (box.dataset.of === now) return;
  box.dataset.of = now;
  box.querySelector("caption")!.textContent = caption;
  box.querySelector("tbody")!.replaceChildren(
    ...rows.map((cells) => {
      const row = document.createElement("tr");
      for (const [k, text] of cells.entries()) {
        const cell = document.createElement("td");
        if ([2, 3, 5].includes(k)) cell.className = "number";
        cell.textContent = text;
        row.append(cell);
      }
      return row;
    }),
  );
}
