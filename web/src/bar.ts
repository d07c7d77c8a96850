/** The colour bar: which amounts have which colours, and the handles and fields that change it. */

import { scaled, unscaled } from "./cells";
import { changeTables, LEVELS } from "./look";
import { choose, element, typedInto, type View } from "./view";
import { amount, valueTicks } from "./words";

export class ColourBar {
  private largest = 0;

  constructor(private readonly page: View) {
    const { look } = page;
    choose("colormap", Object.keys(look.tables), (colormap) => page.change({ colormap }));
    choose("candles", Object.keys(look.candles), (candles) => page.change({ candles }));
    choose("of", [...LEVELS], (levels) => page.change({ levels: levels as (typeof LEVELS)[number] }));
    choose("shape", look.scales, (scale) => page.change({ scale }));
    typedInto("cut", (cut) => page.change({ cut: Math.min(cut, page.settings.top) }), 0);
    typedInto("top", (top) => page.change({ top, locked: true, cut: Math.min(page.settings.cut, top) }), 1e-12);
    this.handle("cut-handle", (cut) => page.change({ cut: Math.min(cut, page.settings.top) }));
    this.handle("top-handle", (top) => page.change({ top: Math.max(top, this.most() * 1e-6, page.settings.cut), locked: true }));
    element<HTMLInputElement>("lock").addEventListener("change", (event) => {
      page.change({ locked: (event.target as HTMLInputElement).checked });
    });
    window.addEventListener("resize", () => this.paint());
  }

  private handle(id: string, run: (value: number) => void): void {
    const input = element<HTMLInputElement>(id);
    input.addEventListener("input", () => run(unscaled(Number(input.value) / 1000, "sqrt") * this.most()));
  }

  /** The largest amount that it reaches. */
  most(): number {
    const heatmap = this.page.heat?.heatmap;
    if (!heatmap) return 1;
    this.largest ||= heatmap.grid("both").cells.reduce((most, cell) => Math.max(most, cell), 0) || 1;
    return Math.max(this.largest, this.page.settings.top);
  }

  /** Other data is shown. */
  take(): void {
    this.largest = 0;
  }

  /** Bring it in line with the settings. */
  apply(): void {
    const { settings, shown } = this.page;
    element<HTMLSelectElement>("colormap").value = settings.colormap;
    element<HTMLSelectElement>("candles").value = settings.candles;
    element<HTMLSelectElement>("shape").value = settings.scale;
    element<HTMLInputElement>("lock").checked = settings.locked;
    element<HTMLSelectElement>("of").value = settings.levels;
    element<HTMLSelectElement>("colormap").disabled = settings.levels === "changes"; // these have colours of their own
    for (const id of ["top", "top-handle", "lock"]) element<HTMLInputElement>(id).disabled = settings.levels === "shares";
    const { unit } = shown.said;
    element<HTMLInputElement>("cut").value = settings.cut ? amount(settings.cut, unit) : "0";
    element<HTMLInputElement>("top").value = amount(settings.top, unit);
    for (const [id, value] of [["cut-handle", settings.cut], ["top-handle", settings.top]] as const) {
      const input = element<HTMLInputElement>(id);
      input.value = String(Math.round(1000 * scaled(Math.min(value / this.most(), 1), "sqrt")));
      input.setAttribute("aria-valuetext", amount(value, unit));
    }
    this.paint();
  }

  /** Paint the colours from the cut to the top, and the numbers below them. */
  private paint(): void {
    const { settings, look, heat, shown } = this.page;
    const canvas = element<HTMLCanvasElement>("ramp");
    if (!heat || !canvas.clientWidth) return;
    const width = (canvas.width = canvas.clientWidth);
    const tables = settings.levels === "changes" ? changeTables(look, settings.theme) : [look.tables[settings.colormap]];
    canvas.height = tables.length; // of changes what was added lies above what was removed
    const context = canvas.getContext("2d")!;
    const { top, cut, scale, levels } = settings;
    const isShares = levels === "shares";
    for (let x = 0; x < width; x++) {
      const value = unscaled((x + 0.5) / width, "sqrt") * this.most();
      const share = cut > 0 ? (value - cut) / Math.max(top - cut, 1e-6 * cut) : value / top;
      const entry = isShares ? Math.round(255 * scaled((x + 0.5) / width, scale)) : value < cut ? 0 : Math.round(255 * scaled(Math.min(Math.max(share, 0), 1), scale));
      for (const [y, hex] of tables.entries()) {
        context.fillStyle = `#${hex.slice(6 * entry, 6 * entry + 6)}`;
        context.fillRect(x, y, 1, 1);
      }
    }
    const ticks = element("ticks");
    ticks.replaceChildren();
    let last = Infinity;
    const most = this.most();
    const labels = isShares
      ? [1, 0.75, 0.5, 0.25, 0].map((share): [number, string] => [share, `${100 * share}%`])
      : [most, ...valueTicks(most), 0].map((value): [number, string] => [scaled(value / most, "sqrt"), amount(value, shown.said.unit)]);
    for (const [share, words] of labels) {
      const place = share * width;
      if (last - place < 54) continue;
      last = place;
      const mark = document.createElement("span");
      mark.textContent = words;
      mark.style.left = `${place}px`;
      ticks.append(mark);
    }
  }
}
