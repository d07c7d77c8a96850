/** The page to beat: the same frames on one canvas, drawn by hand, without a chart library, labels or controls. */

import { paint, pixelTable, usualMaximum } from "../../web/src/cells";
import type { Heatmap } from "../../web/src/data";
import { Live } from "../../web/src/live";

const canvas = document.querySelector("canvas") as HTMLCanvasElement;
const context = canvas.getContext("2d") as CanvasRenderingContext2D;
const table = pixelTable((globalThis as unknown as { VIRIDIS: string }).VIRIDIS);
const image = document.createElement("canvas");
let heatmap: Heatmap | null = null;
let [top, view]: [number, { columns: [number, number]; prices: [number, number] } | null] = [0, null];
let asked = false;

function x(column: number): number {
  const [first, last] = view!.columns;
  return ((column - first) / (last - first)) * canvas.width;
}

function y(price: number): number {
  const [low, high] = view!.prices;
  return ((high - price) / (high - low)) * canvas.height;
}

function draw(): void {
  asked = false;
  if (!heatmap || !view) return;
  const { columns, rows } = heatmap;
  context.fillStyle = "#161b22";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = false;
  const up = y(heatmap.edge(rows));
  context.drawImage(image, x(0), up, x(columns) - x(0), y(heatmap.edge(0)) - up);
  context.fillStyle = context.strokeStyle = "#fff";
  const width = Math.max(0.7 * (x(1) - x(0)), 1);
  for (let column = Math.max(Math.floor(view.columns[0]), 0); column < Math.min(view.columns[1], columns); column++) {
    const candle = heatmap.candle(column);
    if (!candle) continue;
    const middle = (x(column) + x(column + 1)) / 2;
    context.fillRect(middle, y(candle.high), 1, y(candle.low) - y(candle.high));
    const body = [y(candle.open), y(candle.close)].sort((a, b) => a - b);
    context.fillRect(middle - width / 2, body[0], width, Math.max(body[1] - body[0], 1));
  }
  performance.mark("heat");
}

function soon(): void {
  if (!asked) requestAnimationFrame(draw);
  asked = true;
}

const live = new Live({ market: "", leverage: [], opened_within: "", as_view: false });
live.took = (taken) => {
  heatmap = taken;
  const grid = taken.grid("both");
  top ||= usualMaximum(grid, [0, taken.columns], [0, taken.rows]);
  [image.width, image.height] = [taken.columns, taken.rows];
  const pixels = new ImageData(taken.columns, taken.rows);
  paint(grid, { maximum: top, cut: 0, scale: "sqrt" }, table, new Uint32Array(pixels.data.buffer));
  image.getContext("2d")!.putImageData(pixels, 0, 0);
  view ??= { columns: [0, taken.columns], prices: [taken.edge(0), taken.edge(taken.rows)] };
  soon();
};
let held: number | null = null;
canvas.onmousedown = (event) => (held = event.clientX);
window.onmouseup = () => (held = null);
window.onmousemove = (event) => {
  if (held === null || !view) return;
  const by = ((held - event.clientX) / canvas.width) * (view.columns[1] - view.columns[0]);
  view.columns = [view.columns[0] + by, view.columns[1] + by];
  held = event.clientX;
  soon();
};
Object.assign(globalThis, {
  bench: {
    ready: () => heatmap !== null && performance.getEntriesByName("heat").length > 0,
    rows: () => ({ low: heatmap!.said.low, step: heatmap!.said.step, rows: heatmap!.rows, columns: heatmap!.columns }),
    setView: (columns: [number, number], prices: [number, number]) => ((view = { columns, prices }), soon()),
    place: (column: number, row: number) => ({ x: x(column + 0.5), y: y(heatmap!.edge(row) + heatmap!.said.step / 2) }),
  },
});
[canvas.width, canvas.height] = [innerWidth, innerHeight];
void live.begin();
