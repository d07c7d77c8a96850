/** The chart of a liquidation map: bars stacked by layer over the price, and what a move reaches in all. */

import {
  LineSeries,
  createOptionsChart,
  customSeriesDefaultOptions,
  type AutoscaleInfo,
  type CustomData,
  type CustomSeriesOptions,
  type IChartApiBase,
  type ICustomSeriesPaneView,
  type IPrimitivePaneRenderer,
  type ISeriesApi,
  type PaneRendererCustomData,
} from "lightweight-charts";
import type { LiquidationMap } from "./data";
import type { Look, Settings } from "./look";
import { follow, sizeOf } from "./sized";
import { amount, decimals, price as priceText } from "./words";

type Target = Parameters<IPrimitivePaneRenderer["draw"]>[0];

interface Bar extends CustomData<number> {
  /** Sum of all layers up to each of them, lowest first. */
  tops: number[];
}

/** What is under the cursor: the bins from `low` to `high`, and all that lies between them and the price. */
export interface BarPoint {
  low: number;
  high: number;
  long: number;
  short: number;
  layers: [string, number][];
  reached: number;
}

export class MapChart {
  readonly chart: IChartApiBase<number>;
  private readonly bars: ISeriesApi<"Custom", number>;
  private readonly curves: ISeriesApi<"Line", number>[];
  private readonly places: number;
  private joined = 0;
  private sized = false; // before, a range that is set is lost
  private starts: number[] = [];
  private settings: Settings;
  private line = NaN;
  pointed: (point: BarPoint | null) => void = () => undefined;
  moved: () => void = () => undefined;

  constructor(private readonly box: HTMLElement, public map: LiquidationMap, private readonly look: Look, settings: Settings) {
    this.settings = settings;
    this.places = decimals(map.said.step);
    const format = { type: "custom" as const, formatter: (value: number) => amount(value, map.said.unit), minMove: 1e-9 };
    this.chart = createOptionsChart(box, {
      ...sizeOf(box),
      localization: { precision: this.places },
      leftPriceScale: { visible: true, scaleMargins: { top: 0.05, bottom: 0 } },
      rightPriceScale: { scaleMargins: { top: 0.05, bottom: 0 } },
      timeScale: { minBarSpacing: 0.05 },
    });
    const view = new StackedBars(() => this.colours());
    this.bars = this.chart.addCustomSeries(view, { priceScaleId: "left", priceFormat: format, lastValueVisible: false, priceLineVisible: false });
    this.curves = [0, 1].map(() =>
      this.chart.addSeries(LineSeries, {
        lineWidth: 2,
        priceFormat: format,
        lastValueVisible: false,
        priceLineVisible: false,
        autoscaleInfoProvider: (usual: () => AutoscaleInfo | null) => {
          const most = usual()?.priceRange?.maxValue ?? 1;
          return { priceRange: { minValue: 0, maxValue: most || 1 } };
        },
      }),
    );
    this.bars.attachPrimitive({
      paneViews: () => [{ zOrder: () => "top", renderer: () => ({ draw: (target: Target) => this.drawPrice(target) }) }],
    });
    this.chart.subscribeCrosshairMove(({ point, logical }) => {
      this.pointed(point && logical !== undefined && logical !== null ? this.at(Math.round(logical)) : null);
    });
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(() => {
      if (this.target) return;
      this.rejoin();
      this.moved();
    });
    this.apply(settings);
    this.reset();
    follow(box, this.chart, () => {
      this.sized = true;
      this.setPrices(...this.prices());
    });
  }

  private colours(): string[] {
    return this.map.said.roles.map((role) => this.look.themes[this.settings.theme][role]);
  }

  apply(settings: Settings): void {
    const { theme, side } = this.settings;
    this.settings = settings;
    if (this.joined && theme === settings.theme && side === settings.side) return;
    const colours = this.look.themes[settings.theme];
    this.chart.applyOptions({
      layout: { background: { color: colours.panel }, textColor: colours.text, fontSize: 12 },
      grid: { vertLines: { color: colours.line }, horzLines: { color: colours.line } },
      leftPriceScale: { borderColor: colours.line },
      rightPriceScale: { borderColor: colours.line },
      timeScale: { borderColor: colours.line },
    });
    for (const curve of this.curves) curve.applyOptions({ color: colours.curve });
    if (!this.joined) return;
    const prices = this.prices();
    this.fill();
    this.setPrices(...prices);
  }

  /** Show other data at the same prices. */
  take(map: LiquidationMap): void {
    const prices = this.prices();
    this.map = map;
    this.fill();
    this.setPrices(...prices);
  }

  /** Show the prices that the picture shows. */
  reset(): void {
    this.setPrices(...this.map.said.view);
  }

  prices(): [number, number] {
    if (this.target) return this.target;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!range || !this.starts.length) return this.map.said.view;
    const size = this.joined * this.map.said.step;
    return [this.starts[0] + (range.from + 0.5) * size, this.starts[0] + (range.to + 0.5) * size];
  }

  /** Show some prices, from the next frame on: until then the chart tells of others on the way. */
  setPrices(low: number, high: number): void {
    this.target = [low, high];
    const joined = this.joinedFor(low, high);
    if (joined !== this.joined) {
      this.joined = joined;
      this.fill();
    }
    if (!this.sized) return;
    const size = this.joined * this.map.said.step;
    const first = this.starts[0] ?? 0;
    this.chart.timeScale().setVisibleLogicalRange({ from: (low - first) / size - 0.5, to: (high - first) / size - 0.5 });
    requestAnimationFrame(() => requestAnimationFrame(() => {
      this.target = null;
      this.moved();
    }));
  }
  private target: [number, number] | null = null;

  /** Width of a bar, price. */
  get binSize(): number {
    return this.joined * this.map.said.step;
  }

  zoom(factor: number): void {
    const [low, high] = this.prices();
    const middle = this.map.said.last ?? (low + high) / 2;
    this.setPrices(middle - (middle - low) * factor, middle + (high - middle) * factor);
  }

  pan(share: number): void {
    const [low, high] = this.prices();
    this.setPrices(low + share * (high - low), high + share * (high - low));
  }

  /** As many bins to a bar as make it three pixels wide: a power of two, so that edges stay where they are. */
  private joinedFor(low: number, high: number): number {
    const bins = (high - low) / this.map.said.step;
    return 2 ** Math.max(Math.ceil(Math.log2((3 * bins) / Math.max(this.box.clientWidth - 120, 100))), 0);
  }

  /** Join other bins where others are in view; what is in view stays. */
  private rejoin(): void {
    const [low, high] = this.prices();
    if (this.joinedFor(low, high) !== this.joined) this.setPrices(low, high);
  }

  private fill(): void {
    const { map, joined } = this;
    const { step, layers } = map.said;
    const side = this.settings.side;
    const tops = new Map<number, number[]>();
    const size = step * joined;
    const slot = (price: number) => Math.floor(price / size + 1e-6);
    const first = map.bins ? slot(map.prices[0]) : 0;
    const last = map.bins ? slot(map.prices[map.bins - 1]) : -1;
    for (let bin = 0; bin < map.bins; bin++) {
      const at = slot(map.prices[bin]);
      const bar = tops.get(at) ?? layers.map(() => 0);
      for (let layer = 0; layer < layers.length; layer++) {
        if (side !== "short") bar[layer] += map.of("long", layer, bin);
        if (side !== "long") bar[layer] += map.of("short", layer, bin);
      }
      tops.set(at, bar);
    }
    this.starts = [];
    const data: Bar[] = [];
    for (let at = first; at <= last; at++) {
      this.starts.push(at * size);
      let sum = 0;
      data.push({ time: at * size, tops: (tops.get(at) ?? layers.map(() => 0)).map((value) => (sum += value)) });
    }
    this.bars.setData(data as never);
    const [falls, rises] = [new Map<number, number>(), new Map<number, number>()];
    let [fall, rise] = [0, 0];
    for (let bin = map.bins - 1; bin >= 0; bin--) falls.set(slot(map.prices[bin]), (fall += map.sum("long", bin)));
    for (let bin = 0; bin < map.bins; bin++) rises.set(slot(map.prices[bin]), (rise += map.sum("short", bin)));
    for (const [curve, reached, of] of [[this.curves[0], falls, "long"], [this.curves[1], rises, "short"]] as const) {
      const points = data.filter((_, i) => (reached.get(first + i) ?? 0) > 0 && side !== (of === "long" ? "short" : "long"));
      curve.setData(points.map((bar) => ({ time: bar.time, value: reached.get(slot(bar.time)) ?? 0 })) as never);
    }
    this.line = map.said.last === null ? NaN : map.said.last / size - first - 0.5;
  }

  private at(index: number): BarPoint | null {
    const { map } = this;
    const size = this.joined * map.said.step;
    const low = this.starts[index];
    if (low === undefined) return null;
    const point: BarPoint = { low, high: low + size, long: 0, short: 0, layers: map.said.layers.map((name) => [name, 0]), reached: 0 };
    const last = map.said.last ?? NaN;
    for (let bin = 0; bin < map.bins; bin++) {
      const [long, short] = [map.sum("long", bin), map.sum("short", bin)];
      const middle = map.prices[bin] + map.said.step / 2;
      if (middle >= low && middle < low + size) {
        point.long += long;
        point.short += short;
        point.layers = point.layers.map(([name, value], layer) => [name, value + map.of("long", layer, bin) + map.of("short", layer, bin)]);
      }
      if (low < last ? middle >= low : middle < low + size) point.reached += low < last ? long : short;
    }
    return point;
  }

  private drawPrice(target: Target): void {
    if (Number.isNaN(this.line)) return;
    const [a, b] = [0, 1].map((at) => this.chart.timeScale().logicalToCoordinate(at as never) ?? 0);
    const x = Math.round(a + this.line * (b - a)) + 0.5;
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      const colours = this.look.themes[this.settings.theme];
      context.strokeStyle = colours["map last"];
      context.lineWidth = 2;
      context.setLineDash([6, 5]);
      context.beginPath();
      context.moveTo(x, 0);
      context.lineTo(x, mediaSize.height);
      context.stroke();
      context.setLineDash([]);
      for (const [words, price] of this.map.said.own.flat()) {
        const at = a + (price / (this.joined * this.map.said.step) - (this.starts[0] ?? 0) / (this.joined * this.map.said.step) - 0.5) * (b - a);
        context.strokeStyle = context.fillStyle = colours["map own"];
        context.beginPath();
        context.moveTo(at, 0);
        context.lineTo(at, mediaSize.height);
        context.stroke();
        context.font = "12px system-ui, sans-serif";
        context.fillText(words, at + 4, 14);
      }
    });
  }

  priceText(price: number): string {
    return priceText(price, this.places);
  }
}

interface BarOptions extends CustomSeriesOptions {}

class StackedBars implements ICustomSeriesPaneView<number, Bar, BarOptions> {
  private data: PaneRendererCustomData<number, Bar> | null = null;

  constructor(private readonly colours: () => string[]) {}

  renderer() {
    return { draw: (target: Target, toY: (value: number) => number | null) => this.draw(target, toY) };
  }

  update(data: PaneRendererCustomData<number, Bar>): void {
    this.data = data;
  }

  priceValueBuilder(bar: Bar): number[] {
    return [0, bar.tops.at(-1) ?? 0];
  }

  isWhitespace(bar: Partial<Bar>): bar is never {
    return bar.tops === undefined;
  }

  defaultOptions(): BarOptions {
    return { ...customSeriesDefaultOptions };
  }

  private draw(target: Target, toY: (value: number) => number | null): void {
    const { data } = this;
    if (!data?.visibleRange) return;
    const { from, to } = data.visibleRange;
    const colours = this.colours();
    target.useBitmapCoordinateSpace(({ context, horizontalPixelRatio, verticalPixelRatio }) => {
      for (const bar of data.bars.slice(from, to)) {
        const left = Math.round((bar.x - data.barSpacing / 2) * horizontalPixelRatio);
        const right = Math.round((bar.x + data.barSpacing / 2) * horizontalPixelRatio);
        const width = Math.max(right - left - (right - left > 3 ? 1 : 0), 1);
        let bottom = Math.round((toY(0) ?? 0) * verticalPixelRatio);
        bar.originalData.tops.forEach((value, layer) => {
          const top = Math.round((toY(value) ?? 0) * verticalPixelRatio);
          context.fillStyle = colours[layer];
          if (bottom > top) context.fillRect(left, top, width, bottom - top);
          bottom = Math.min(bottom, top);
        });
      }
    });
  }
}
