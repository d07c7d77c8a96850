/** What if: the cascade that a move to a price would set off, and places for a stop, as the server reckons them. */

import type { HeatmapChart } from "./heatmap";
import type { Live } from "./live";
import { click, element } from "./view";
import { amount, decimals, price as priceText, typed } from "./words";

export interface CascadeTold {
  side: "long" | "short";
  shock_percent: number;
  end_price: number | null;
  overshoot_percent: number | null;
  liquidated: number;
  quantiles: { level: number; end_price: number | null; liquidated: number }[];
  scenario: string[];
}

export interface StopTold {
  price: number;
  distance_percent: number;
  cluster_low: number;
  cluster_high: number;
  between: number;
  round_number: number | null;
  fill_price: number | null;
  slippage_percent: number | null;
}

/** A cascade in a sentence; what must be said of it stands beside. */
export function cascadeText(told: CascadeTold, to: number, unit: string, places: number): string {
  const text = (value: number | null) => (value === null ? "not known" : priceText(value, places));
  const at = (level: number) => told.quantiles.find((one) => one.level === level)?.end_price ?? null;
  const move = told.side === "long" ? "fall" : "rise";
  return `A ${move} to ${text(to)} (${told.shock_percent.toFixed(2)}%) would end at ${text(told.end_price)}, ${(told.overshoot_percent ?? 0).toFixed(2)}% farther: ` +
    `${amount(told.liquidated, unit)} of ${told.side}s liquidated. 5th and 95th percentile: ${text(at(0.05))} and ${text(at(0.95))}.`;
}

/** A place for a stop in a line. */
export function stopText(stop: StopTold, unit: string, places: number): string {
  const text = (value: number) => priceText(value, places);
  const round = stop.round_number === null ? "" : `; just beyond ${text(stop.round_number)}, where stops gather`;
  const fill = stop.fill_price === null ? "" : `, filled at ${text(stop.fill_price)} (${(stop.slippage_percent ?? 0).toFixed(2)}% worse)`;
  return `${text(stop.price)} (${stop.distance_percent.toFixed(2)}%), beyond ${text(stop.cluster_low)} to ${text(stop.cluster_high)}; ` +
    `${amount(stop.between, unit)} on the way${fill}${round}`;
}

export class Scenario {
  private asked = 0;

  constructor(private readonly live: Live, private readonly heat: HeatmapChart) {
    element("scenario").hidden = false;
    const fitted = heat.heatmap.said.scale_text.includes("fitted");
    element<HTMLInputElement>("real").value = fitted ? "100" : "3";
    const to = element<HTMLInputElement>("to");
    const play = () => void this.cascade(typed(to.value));
    click("cascade", play);
    to.addEventListener("change", play);
    click("stops-long", () => void this.stops("long"));
    click("stops-short", () => void this.stops("short"));
    heat.chart.subscribeClick(({ point }) => {
      const price = point ? heat.priceAt(point.y) : null;
      if (price === null || !element<HTMLDetailsElement>("scenario").open) return;
      to.value = priceText(price, this.places).replaceAll(",", "");
      play();
    });
  }

  private get places(): number {
    return decimals(this.heat.heatmap.said.step);
  }

  private async cascade(to: number): Promise<void> {
    if (!(to > 0)) return this.say(["A price such as 62,000."]);
    await this.ask("/cascade", { to: String(to) }, (told) => {
      const { unit } = this.heat.heatmap.said;
      return [cascadeText(told as unknown as CascadeTold, to, unit, this.places), ...(told.scenario as string[])];
    });
  }

  private async stops(position: "long" | "short"): Promise<void> {
    await this.ask("/stops", { position }, (told) => {
      const { unit } = this.heat.heatmap.said;
      const found = told.stops as StopTold[];
      const head = `Stops of a ${position} from ${priceText(told.entry as number, this.places)}, beyond clusters within 5%:`;
      return [head, ...(found.length ? found.map((stop) => stopText(stop, unit, this.places)) : ["none"]), ...(told.scenario as string[])];
    });
  }

  private async ask(path: string, query: Record<string, string>, words: (told: Record<string, unknown>) => string[]): Promise<void> {
    const turn = ++this.asked;
    const real = typed(element<HTMLInputElement>("real").value) / 100;
    this.say(["asking ..."]);
    try {
      const told = await this.live.get(`${path}?${new URLSearchParams({ ...this.live.what, ...query, scale: String(real) })}`);
      if (turn === this.asked) this.say(words(told));
    } catch (error) {
      if (turn === this.asked) this.say([error instanceof Error ? error.message : String(error)]);
    }
  }

  private say(lines: string[]): void {
    element("scenario-said").replaceChildren(...lines.map((line) => {
      const row = document.createElement("p");
      row.textContent = line;
      return row;
    }));
  }
}
