/** What the picture is, in words: title, label, terms, legend, and for those who do not see it. */

import { element, type View } from "./view";
import { decimals, instant, price as priceText, zoneName } from "./words";

export class Label {
  private said: string[] = [];
  private written = "";

  constructor(private readonly page: View) {}

  /** Write what data says of itself. */
  write(): void {
    const { shown, look } = this.page;
    const { said, heatmap, map } = shown;
    const now = JSON.stringify([said.title, said.said, said.terms, map?.said]);
    if (now === this.written) return;
    this.written = now;
    element("synthetic").hidden = !said.synthetic;
    const joined = heatmap && heatmap.said.joined.some((many) => many > 1);
    this.said = [...said.said];
    if (joined) this.said.push(`cells show the largest of ${heatmap.said.joined[0]} windows and ${heatmap.said.joined[1]} rows`);
    element("said").textContent = this.said.join("  ·  ");
    element("sentence").textContent = map?.said.sentence ?? "";
    element("terms").textContent = said.terms.join("  ·  ");
    element("software").textContent = said.software;
    const legend = element("legend");
    legend.replaceChildren();
    for (const [layer, name] of (map?.said.layers ?? []).entries()) {
      const entry = document.createElement("li");
      const square = document.createElement("span");
      square.className = "square";
      square.style.setProperty("--role", look.themes.dark[map!.said.roles[layer]]);
      entry.append(square, name);
      legend.append(entry);
    }
  }

  /** Say what is in view. */
  describe(): void {
    const { heat, map, settings, shown } = this.page;
    const isMap = settings.view === "map";
    document.title = element("title").textContent = (isMap ? map!.map : shown).said.title;
    if (heat && !isMap) {
      const [low, high] = heat.prices();
      const { columns } = heat.inView();
      const { times, said } = heat.heatmap;
      const [first, last] = [times[columns[0]] ?? 0, (times[columns[1] - 1] ?? 0) + said.window];
      const words = `${instant(first, settings.zone)} to ${instant(last, settings.zone)} ${zoneName(last, settings.zone)}, `;
      element("chart").setAttribute("aria-label", `${said.title}, ${words}${heat.priceText(low)} to ${heat.priceText(high)}`);
    }
    if (map && isMap) {
      const bars = `bars, left: ${map.map.said.unit} per ${priceText(map.binSize, decimals(map.binSize))} of price`;
      element("said").textContent = [...map.map.said.said, bars].join("  ·  ");
    } else {
      element("said").textContent = [...this.said, ...this.coloursOf()].join("  ·  ");
    }
    if (map) element("map").setAttribute("aria-label", `${shown.said.title}. ${map.map.said.sentence}`);
  }

  /** Of what the colours are, unless of amounts. */
  private coloursOf(): string[] {
    const { heat, settings } = this.page;
    if (settings.levels === "shares") return ["colours: shares of each column's largest level"];
    const since = heat?.since ?? null;
    if (since === null) return [];
    return [`colours: added (yellow) or removed (purple) since ${instant(since, settings.zone)} ${zoneName(since, settings.zone)}`];
  }
}
