/** What a server's page shows beside the stream: earlier columns as they come into view, liquidations, zones. */

import { inflate } from "./cells";
import type { Heatmap } from "./data";
import { Earlier } from "./earlier";
import type { HeatmapChart } from "./heatmap";
import type { Live } from "./live";
import type { Settings } from "./look";
import { isKnown, join, NONE, readLiquidations } from "./marks";
import { Scenario } from "./scenario";
import { listZones } from "./zones";

/** The page, as far as it is needed here. */
export interface Page {
  take(heatmap: Heatmap): void;
  readonly settings: Settings;
  change(changed: Partial<Settings>): void;
}

const EVERY_MS = 2_000;
/** Liquidations may be told of late: so much is asked for once more, seconds. */
const OVERLAP = 600;

export function goBeyond(live: Live, heat: HeatmapChart, page: Page): Earlier {
  const box = heat.chart.chartElement();
  let isHeld = false;
  const earlier = new Earlier({
    ask: async (level, number, step) => {
      const bytes = await live.bytes("/pages", { ...live.what, step: String(step), level: String(level), page: String(number) });
      return bytes && inflate(bytes);
    },
    show: (heatmap) => page.take(heatmap),
    view: () => ({ times: heat.timesIn(heat.range()), width: box.clientWidth || 1 }),
    held: () => isHeld,
  });
  const hold = (held: boolean) => () => {
    isHeld = held;
    if (!held) requestAnimationFrame(() => earlier.look());
  };
  box.addEventListener("pointerdown", hold(true), true);
  for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, hold(false), true);
  heat.chart.timeScale().subscribeVisibleLogicalRangeChange(() => earlier.look());
  heat.asked = () => earlier.look();
  heat.earliest = () => earlier.oldest;
  heat.back = () => earlier.back();
  live.took = (heatmap) => earlier.take(heatmap, live.kept, JSON.stringify(live.what));
  queueMicrotask(() => earlier.take(heat.heatmap, live.kept, JSON.stringify(live.what))); // a recording may have ended
  follow(live, heat, page);
  new Scenario(live, heat);
  return earlier;
}

/** Keep marks and zones up to date. */
function follow(live: Live, heat: HeatmapChart, page: Page): void {
  let all = NONE;
  let isAsking = false;
  const ask = async () => {
    if (isAsking || document.hidden) return;
    isAsking = true;
    try {
      const since = Math.floor(Math.max((all.times.at(-1) ?? 0) - OVERLAP, 0));
      const bytes = await live.bytes("/liquidations", { since: since ? `${since}000000000` : "0" });
      const told = bytes && readLiquidations(await inflate(bytes));
      if (told && !isKnown(all, told, since)) all = join(all, told, since);
      heat.mark(all, live.selection.market.split(","));
    } catch {
      // the next time: the state says that the server is away
    } finally {
      isAsking = false;
    }
  };
  const venue = document.getElementById("marks-of") as HTMLSelectElement;
  venue.append(new Option("as shown", ""), ...live.markets.map(({ market }) => new Option(market)));
  venue.value = page.settings.marksOf;
  venue.addEventListener("change", () => page.change({ marksOf: venue.value }));
  const tick = () => {
    if (venue.value !== page.settings.marksOf) venue.value = page.settings.marksOf; // of a link
    listZones(live.zones, live.first, heat, page.settings);
    void ask();
  };
  tick();
  setInterval(tick, EVERY_MS);
  document.getElementById("zones")!.addEventListener("toggle", tick);
}
