/**
 * lightweight-charts as its own heatmap example uses it: a custom series whose every bar brings its cells, and whose
 * renderer fills a rectangle a cell. The package does not carry the example; this does what it does, by the documented
 * interface of custom series.
 */

import {
  CandlestickSeries, createChart, type CustomData, type ICustomSeriesPaneRenderer, type ICustomSeriesPaneView,
  type PaneRendererCustomData, type PriceToCoordinateConverter, type Time, type UTCTimestamp,
} from "../../web/node_modules/lightweight-charts";
import type { CanvasRenderingTarget2D } from "../../web/node_modules/fancy-canvas";
import { entry, usualMaximum } from "../../web/src/cells";
import type { Heatmap } from "../../web/src/data";
import { Live } from "../../web/src/live";

interface Cell { low: number; high: number; amount: number }
interface Bar extends CustomData<Time> { cells: Cell[] }

const hex = (globalThis as unknown as { VIRIDIS: string }).VIRIDIS;
const colours = Array.from({ length: 256 }, (_, i) => `#${hex.slice(6 * i, 6 * i + 6)}`);
let top = 0;

class Renderer implements ICustomSeriesPaneRenderer {
  data: PaneRendererCustomData<Time, Bar> | null = null;

  draw(target: CanvasRenderingTarget2D, priceToY: PriceToCoordinateConverter): void {
    target.useBitmapCoordinateSpace(({ context, horizontalPixelRatio, verticalPixelRatio }) => {
      const { data } = this;
      if (!data?.visibleRange) return;
      const shade = { maximum: top, cut: 0, scale: "sqrt" };
      const half = (data.barSpacing * horizontalPixelRatio) / 2;
      for (let i = data.visibleRange.from; i < data.visibleRange.to; i++) {
        const bar = data.bars[i];
        const middle = bar.x * horizontalPixelRatio;
        for (const { low, high, amount } of bar.originalData.cells) {
          const [up, down] = [priceToY(high) ?? 0, priceToY(low) ?? 0];
          context.fillStyle = colours[entry(amount, shade)];
          context.fillRect(middle - half, up * verticalPixelRatio, 2 * half, (down - up) * verticalPixelRatio);
        }
      }
      performance.mark("heat");
    });
  }
}

class HeatSeries implements ICustomSeriesPaneView<Time, Bar> {
  private readonly drawn = new Renderer();
  renderer(): Renderer { return this.drawn; }
  update(data: PaneRendererCustomData<Time, Bar>): void { this.drawn.data = data; }
  priceValueBuilder({ cells }: Bar): number[] { return cells.length ? [cells[0].low, cells[cells.length - 1].high] : [0]; }
  isWhitespace(bar: Bar | CustomData<Time>): bar is CustomData<Time> { return !(bar as Bar).cells?.length; }
  defaultOptions(): never { return { priceLineVisible: false, lastValueVisible: false } as never; }
}

const box = document.getElementById("chart") as HTMLElement;
const chart = createChart(box, { autoSize: true, layout: { background: { color: "#161b22" }, textColor: "#ccc" } });
const series = chart.addCustomSeries(new HeatSeries() as never, {} as never);
const candles = chart.addSeries(CandlestickSeries, { upColor: "#fff", downColor: "#888", borderVisible: false, wickColor: "#fff" });
let heatmap: Heatmap | null = null;
let prices: [number, number] = [0, 1];
series.applyOptions({ autoscaleInfoProvider: () => ({ priceRange: { minValue: prices[0], maxValue: prices[1] } }) } as never);
candles.applyOptions({ autoscaleInfoProvider: () => ({ priceRange: { minValue: prices[0], maxValue: prices[1] } }) });

function barOf(of: Heatmap, column: number): Bar {
  const { cells } = of.grid("both");
  const found: Cell[] = [];
  for (let row = 0; row < of.rows; row++) {
    const amount = cells[column * of.rows + row];
    if (amount > 0) found.push({ low: of.edge(row), high: of.edge(row + 1), amount });
  }
  return { time: of.times[column] as UTCTimestamp, cells: found };
}

function candleOf(of: Heatmap, column: number): { time: Time; open: number; high: number; low: number; close: number } {
  const time = of.times[column] as UTCTimestamp;
  return { time, ...(of.candle(column) ?? { open: NaN, high: NaN, low: NaN, close: NaN }) };
}

const live = new Live({ market: "", leverage: [], opened_within: "", as_view: false });
live.took = (taken) => {
  const first = heatmap === null;
  heatmap = taken;
  const last = taken.columns - 1;
  if (first) {
    top = usualMaximum(taken.grid("both"), [0, taken.columns], [0, taken.rows]);
    prices = [taken.edge(0), taken.edge(taken.rows)];
    const columns = Array.from(taken.times, (_, column) => column);
    series.setData(columns.map((column) => barOf(taken, column)) as never);
    candles.setData(columns.map((column) => candleOf(taken, column)).filter(({ open }) => open > 0));
    chart.timeScale().fitContent();
  } else {
    series.update(barOf(taken, last) as never);
    candles.update(candleOf(taken, last));
  }
};
Object.assign(globalThis, {
  bench: {
    ready: () => heatmap !== null && performance.getEntriesByName("heat").length > 0,
    rows: () => ({ low: heatmap!.said.low, step: heatmap!.said.step, rows: heatmap!.rows, columns: heatmap!.columns }),
    setView: (columns: [number, number], range: [number, number]) => {
      prices = range;
      chart.timeScale().setVisibleLogicalRange({ from: columns[0], to: columns[1] });
      chart.priceScale("right").applyOptions({ autoScale: true });
    },
    place: (column: number, row: number) => {
      const at = box.getBoundingClientRect();
      const price = heatmap!.edge(row) + heatmap!.said.step / 2;
      return { x: at.x + (chart.timeScale().timeToCoordinate(heatmap!.times[column] as UTCTimestamp) ?? 0), y: at.y + (series.priceToCoordinate(price) ?? 0) };
    },
  },
});
void live.begin();
