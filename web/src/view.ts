/** What the parts of the page share: what is shown, and how; and the elements that they work on. */

import type { Shown } from "./data";
import type { HeatmapChart } from "./heatmap";
import type { Look, Settings } from "./look";
import type { MapChart } from "./map";
import { typed } from "./words";

export interface View {
  readonly look: Look;
  readonly shown: Shown;
  readonly settings: Settings;
  readonly heat: HeatmapChart | null;
  readonly map: MapChart | null;
  change(changed: Partial<Settings>): void;
}

export const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;

/** Give the document the colours of a theme. */
export function paintTheme(look: Look, theme: Settings["theme"]): void {
  const root = document.documentElement;
  root.dataset.theme = theme;
  for (const role of ["page", "panel", "line", "text", "muted", "long", "short", "warning"]) {
    root.style.setProperty(`--${role}`, look.themes[theme][role]);
  }
}

export function click(id: string, run: () => void): void {
  element(id).addEventListener("click", run);
}

/** A list of names to choose from. */
export function choose(id: string, names: string[], run: (name: string) => void): void {
  const select = element<HTMLSelectElement>(id);
  for (const name of names) select.append(new Option(name === "sqrt" ? "square root" : name, name));
  select.addEventListener("change", () => run(select.value));
}

/** A field into which an amount is typed; what is none, or below the least, is said to be wrong and changes nothing. */
export function typedInto(id: string, run: (value: number) => void, least: number): void {
  typedAs(id, "An amount such as 250k, 2.5M or 1e6.", (text) => {
    const value = typed(text);
    if (value >= least) run(value);
    return value >= least;
  });
}

/** A field into which something is typed that keeps a rule; `run` returns whether it did, else the rule is said. */
export function typedAs(id: string, rule: string, run: (text: string) => boolean): void {
  const input = element<HTMLInputElement>(id);
  input.addEventListener("change", () => {
    const wrong = !run(input.value);
    input.setAttribute("aria-invalid", String(wrong));
    input.setCustomValidity(wrong ? rule : "");
    if (wrong) input.reportValidity();
  });
}
