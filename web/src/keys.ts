/** What keys do. */

import { element, type View } from "./view";

/** What keys ask of a page beyond what its parts share. */
export interface Keyed extends View {
  readonly isLive: boolean;
  reset(): void;
  zoom(factor: number): void;
  /** Show the so-manieth length of time; false where there is none. */
  span(number: number): boolean;
  savePicture(): void;
  saveTable(): void;
  /** Move the cursor by cells, and say what it has come to. */
  moveCursor(columns: number, rows: number): void;
}

const STEPS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
};
const KEYS: Record<string, (page: Keyed) => void> = {
  "+": (page) => page.zoom(0.7),
  "=": (page) => page.zoom(0.7),
  "-": (page) => page.zoom(1 / 0.7),
  "0": (page) => page.reset(),
  l: (page) => page.change({ side: "long" }),
  s: (page) => page.change({ side: "short" }),
  b: (page) => page.change({ side: "both" }),
  k: (page) => page.change({ locked: !page.settings.locked }),
  n: (page) => page.isLive && page.heat?.reset(),
  m: (page) => page.heat && page.map && page.change({ view: page.settings.view === "map" ? "heatmap" : "map" }),
  p: (page) => page.savePicture(),
  c: (page) => page.saveTable(),
  t: () => element("theme").click(),
  z: () => element("zone").click(),
  "[": (page) => page.change({ cut: Math.max(page.settings.cut - page.settings.top / 20, 0) }),
  "]": (page) => page.change({ cut: Math.min(page.settings.cut + page.settings.top / 20, page.settings.top) }),
  "?": () => element("help").click(),
};

export function takeKeys(page: Keyed): void {
  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    const own = 'input[type="text"], select, dialog *'; // these have keys of their own; so has a handle, its arrows
    if (event.ctrlKey || event.metaKey || event.altKey || target.matches(own)) return;
    if (target.matches('input[type="range"]') && event.key.startsWith("Arrow")) return;
    if (press(page, event)) event.preventDefault();
  });
}

/** Do what a key is for; false where it is for nothing. */
function press(page: Keyed, { key, shiftKey }: KeyboardEvent): boolean {
  const isMap = page.settings.view === "map";
  const step = STEPS[key];
  if (step) {
    if (isMap) page.map?.pan(0.1 * step[0]);
    else if (shiftKey) page.moveCursor(...step);
    else page.heat?.pan(0.1 * step[0], 0.1 * step[1]);
    return true;
  }
  if (!isMap && /^[1-9]$/.test(key) && page.span(Number(key))) return true;
  const run = KEYS[key] ?? KEYS[key.toLowerCase()];
  run?.(page);
  return run !== undefined;
}
