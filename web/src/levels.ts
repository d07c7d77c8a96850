/** The table of the largest levels in view. */

import { element, type View } from "./view";
import { amount, decimals, distance, instant, price as priceText, since, zoneName } from "./words";

export class Levels {
  private readonly box = element<HTMLDetailsElement>("levels");

  constructor(private readonly page: View) {
    this.box.addEventListener("toggle", () => this.list());
  }

  list(): void {
    const { heat, settings } = this.page;
    const body = this.box.querySelector("tbody")!;
    const caption = this.box.querySelector("caption")!;
    this.box.hidden = !heat || settings.view === "map";
    if (!heat || !this.box.open) return;
    const { heatmap } = heat;
    const { columns, rows } = heat.inView();
    const column = columns[1] - 1;
    body.replaceChildren();
    if (column < 0) return;
    const end = heatmap.times[column] + heatmap.said.window;
    const close = heatmap.closeAt(column);
    const whole = heatmap.levels(column, [0, heatmap.rows], settings.side, settings.cut, 3);
    caption.textContent = `In view at ${instant(end, settings.zone)} ${zoneName(end, settings.zone)}, the largest of neighbouring rows`;
    const places = decimals(heatmap.said.step);
    const beyond = (["long", "short"] as const).flatMap((side) => {
      const largest = whole.find((level) => level.side === side);
      if (!largest || (largest.row >= rows[0] && largest.row < rows[1])) return [];
      return [`the largest ${side} level, ${amount(largest.amount, heatmap.said.unit)} at ${priceText(largest.low, places)}, is out of view`];
    });
    if (beyond.length) caption.textContent += `; ${beyond.join(", and ")}`;
    for (const level of heatmap.levels(column, rows, settings.side, settings.cut, 3)) {
      const row = document.createElement("tr");
      const cells = [
        level.side,
        `${priceText(level.low, places)} to ${priceText(level.high, places)}`,
        amount(level.amount, heatmap.said.unit),
        close === null ? "" : distance((level.low + level.high) / 2, close),
        since(level, end, settings.zone).replace("since ", ""),
      ];
      for (const [k, text] of cells.entries()) {
        const cell = document.createElement("td");
        if (k === 2 || k === 3) cell.className = "number";
        cell.textContent = text;
        row.append(cell);
      }
      body.append(row);
    }
  }
}
