/** The chart of a heatmap: candles on the layer of levels, a bar for each level beside it. */

import {
  CandlestickSeries,
  CrosshairMode,
  LineSeries,
  createChart,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { pixelTable, usualMaximum, type Shade } from "./cells";
import { isNext, type Heatmap, type Level, type Side } from "./data";
import { changeTables, hollow, type Look, type Settings } from "./look";
import { HeatLayer } from "./layer";
import { Chosen, MarksLayer, NONE, sums, type Liquidations, type Mark } from "./marks";
import { follow, sizeOf } from "./sized";
import { amount, decimals, instant, price as priceText, zoneName } from "./words";

/** What is under the cursor. */
export interface Point {
  column: number;
  row: number;
  /** Column and row right under the cursor; the above are those of the largest cell of the pixel. */
  under: [number, number];
  seconds: number;
  price: number;
  level: Level | null;
  /** A liquidation under the cursor. */
  mark: Mark | null;
}

export class HeatmapChart {
  readonly chart: IChartApi;
  readonly layer: HeatLayer;
  readonly marks: MarksLayer;
  private liquidations: [Liquidations, string[]] = [NONE, []];
  private chosenOf: unknown[] = [];
  private pixel: { x: number; y: number } | null = null;
  /** A line that is not drawn: prices have no place without values, and columns may have no candles. */
  private readonly series: ISeriesApi<"Line">;
  private readonly candles: ISeriesApi<"Candlestick"> | null = null;
  private places = 0; // decimals of prices, as the market has them
  private lines: IPriceLine[] = [];
  private wanted: [number, number] | null = null; // what the chart shows from the next frame on
  private sized = false;
  private lastPoint: Point | null = null;
  /** Called with what is under the cursor, and with null once it has left. */
  pointed: (point: Point | null) => void = () => undefined;
  /** Called when other times or prices have come into view. */
  moved: () => void = () => undefined;

  constructor(
    private readonly box: HTMLElement,
    private readonly profile: HTMLCanvasElement,
    public heatmap: Heatmap,
    private readonly look: Look,
    private settings: Settings,
  ) {
    this.chart = createChart(box, {
      ...sizeOf(box),
      crosshair: { mode: CrosshairMode.Normal },
      timeScale: { timeVisible: true, secondsVisible: heatmap.said.window < 60, minBarSpacing: 0.02, rightOffset: 2 },
      rightPriceScale: { scaleMargins: { top: 0, bottom: 0 } },
    });
    const unseen = { lineVisible: false, lastValueVisible: false, priceLineVisible: false, crosshairMarkerVisible: false };
    this.series = this.chart.addSeries(LineSeries, unseen);
    if (heatmap.candles.some((price) => price > 0)) this.candles = this.chart.addSeries(CandlestickSeries);
    this.fill();
    this.layer = new HeatLayer(heatmap, this.layerLook(), () => this.heatmap.said.view);
    this.layer.painted = () => this.drawProfile();
    this.series.attachPrimitive(this.layer);
    this.marks = new MarksLayer(heatmap, look.themes[settings.theme]);
    this.series.attachPrimitive(this.marks);
    this.chart.subscribeCrosshairMove(({ point, logical }) => {
      this.pixel = point ? { x: point.x, y: point.y } : null;
      if (!point || logical === undefined || logical === null) {
        this.lastPoint = null;
        this.pointed(null);
        this.drawProfile();
        return;
      }
      const price = this.series.coordinateToPrice(point.y);
      if (price !== null) this.point(Math.round(logical), price);
    });
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(() => this.moved());
    for (const kind of ["pointerup", "wheel", "dblclick"]) box.addEventListener(kind, () => this.moved(), { passive: true }); // nothing tells of prices
    this.apply(settings);
    this.reset();
    follow(box, this.chart, () => {
      this.sized = true;
      this.setRange(...this.range());
    });
  }

  /** Since when changes are told, seconds: the end of a column; null: none are told. */
  get since(): number | null {
    const { heatmap, layer: { since } } = this;
    return since < 0 || !heatmap.columns ? null : heatmap.times[since] + heatmap.said.window;
  }

  /** How much was added to a cell since, or removed: below zero. */
  change(column: number, row: number, side: Side): number {
    const { cells, rows } = this.heatmap.grid(side);
    return cells[column * rows + row] - cells[this.layer.since * rows + row];
  }

  /** Since when there are columns, seconds, beyond those that are shown. */
  earliest: () => number = () => this.heatmap.times[0];
  /** Called once a place has been asked for, which may lie beyond the columns that are shown. */
  asked: () => void = () => undefined;
  /** Called where what is newest is to be shown. */
  back: () => void = () => undefined;

  /** Show other data: what is at the right end stays there, what is elsewhere in view stays in view. */
  take(heatmap: Heatmap): void {
    const [from, to] = this.range();
    const before = this.heatmap;
    if (before.said.paged !== undefined || heatmap.said.paged !== undefined) {
      const times = this.timesIn([from, to]);
      this.heatmap = heatmap;
      this.wanted = this.columnsIn(times); // the chart tells of other ranges while it is filled
      this.layer.take(heatmap);
      this.choose();
      this.fill();
      this.setRange(...this.columnsIn(times));
      return;
    }
    const gone = before.times.findIndex((seconds) => seconds >= (heatmap.times[0] ?? Infinity));
    const moves = this.atEnd ? heatmap.columns - before.columns : -Math.max(gone, 0);
    const goesOn = isNext(before, heatmap);
    this.heatmap = heatmap;
    this.layer.take(heatmap);
    this.choose();
    if (goesOn && this.candles) {
      const bar = this.bars().at(-1);
      if (bar) this.candles.update(bar as never);
      return;
    }
    this.fill();
    this.setRange(from + moves, to + moves);
  }

  /** Times of columns, seconds, as fractions: one window follows the other. */
  timesIn(columns: [number, number]): [number, number] {
    const { times, said } = this.heatmap;
    return columns.map((column) => times[0] + (column + 0.5) * said.window) as [number, number];
  }

  columnsIn<T extends number[]>(of: T): T {
    const { times, said } = this.heatmap;
    return of.map((seconds) => (seconds - times[0]) / said.window - 0.5) as T;
  }

  /** Hand the chart its columns, all of them. */
  private fill(): void {
    const { times, said } = this.heatmap;
    this.formatPrices();
    this.series.setData(Array.from(times, (seconds) => ({ time: seconds as UTCTimestamp, value: said.view[0] })));
    this.candles?.setData(this.bars());
  }

  /** Write prices with the decimals that the market has: it may be another one. */
  private formatPrices(): void {
    const places = Math.max(decimals(this.heatmap.said.step), placesOf(this.heatmap));
    if (places === this.places && this.isFormatted) return;
    this.places = places;
    this.isFormatted = true;
    const priceFormat = { type: "custom" as const, formatter: (value: number) => this.priceText(value), minMove: 10 ** -places };
    for (const series of [this.series, this.candles]) series?.applyOptions({ priceFormat });
  }
  private isFormatted = false;

  private bars(): { time: UTCTimestamp; open?: number; high?: number; low?: number; close?: number }[] {
    return Array.from(this.heatmap.times, (seconds, column) => ({
      time: seconds as UTCTimestamp,
      ...(this.heatmap.candle(column) ?? {}),
    }));
  }

  /** Mark liquidations; `shown`: the markets that the heatmap is of. */
  mark(all: Liquidations, shown: string[]): void {
    this.liquidations = [all, shown];
    this.choose();
  }

  /** The price at a height of the plot. */
  priceAt(y: number): number | null {
    return this.series.coordinateToPrice(y);
  }

  private choose(): void {
    const { heatmap, settings, liquidations: [all, shown] } = this;
    const { marks, marksOf } = settings;
    const markets = marksOf ? [marksOf] : shown;
    const of = [all, String(markets), marks];
    const isOther = of.some((one, k) => one !== this.chosenOf[k]);
    if (isOther) this.single = Chosen.of(all, markets, marks);
    const columns = marksOf ? [] : sums(all, shown, marks, heatmap);
    const summed = columns.map((mark) => `${mark.seconds} ${mark.usd}`).join();
    if (isOther || summed !== this.chosenOf[3]) this.chosen = this.single.with(columns); // what is new is painted anew
    this.chosenOf = [...of, summed];
    this.marks.show(heatmap, this.chosen, this.look.themes[settings.theme]);
  }
  private single = Chosen.NONE;
  private chosen = Chosen.NONE;

  private shade(): Shade {
    const { settings, heatmap } = this;
    if (settings.levels === "shares") return { maximum: 1, cut: 0, scale: settings.scale };
    return { maximum: settings.top || heatmap.said.top, cut: settings.cut, scale: settings.scale };
  }

  private layerLook() {
    const { settings, look } = this;
    const plain = look.tables[settings.colormap];
    const [table, below] = settings.levels === "changes" ? changeTables(look, settings.theme) : [plain, plain];
    return {
      side: settings.side,
      shade: this.shade(),
      levels: settings.levels,
      cut: settings.cut,
      table: pixelTable(table),
      below: pixelTable(below),
      colours: look.themes[settings.theme],
    };
  }

  /** Show it otherwise. */
  apply(settings: Settings): void {
    const { theme, zone, candles } = this.settings;
    const isFirst = settings === this.settings;
    this.settings = settings;
    if (isFirst || theme !== settings.theme || zone !== settings.zone || candles !== settings.candles) this.applyLook(settings);
    this.layer.show(this.layerLook());
    this.choose();
    this.drawProfile();
  }

  /** Colours and times of axes, candles and lines. */
  private applyLook(settings: Settings): void {
    const colours = this.look.themes[settings.theme];
    const [up, down] = this.look.candles[settings.candles];
    const time = (seconds: number) => `${instant(seconds, settings.zone)} ${zoneName(seconds, settings.zone)}`;
    const shift = (seconds: number) => (settings.zone === "UTC" ? 0 : -new Date(seconds * 1000).getTimezoneOffset() * 60);
    this.chart.applyOptions({
      layout: { background: { color: colours.empty }, textColor: colours.text, fontSize: 12 },
      grid: { vertLines: { color: colours.grid }, horzLines: { color: colours.grid } },
      crosshair: { vertLine: { labelBackgroundColor: "#4a5568" }, horzLine: { labelBackgroundColor: "#4a5568" } },
      localization: { timeFormatter: (at: Time) => time(at as number) },
      timeScale: {
        borderColor: colours.line,
        tickMarkFormatter: (at: Time, kind: number) => tick((at as number) + shift(at as number), kind),
      },
      rightPriceScale: { borderColor: colours.line },
    });
    const [upHollow, downHollow] = hollow(settings.candles, this.heatmap.said.hollow);
    this.candles?.applyOptions({
      upColor: upHollow ? colours["candle hollow"] : up,
      downColor: downHollow ? colours["candle hollow"] : down,
      priceLineColor: settings.candles === "white" ? this.look.themes.dark.muted : "", // on both grounds; else the candle's
      borderUpColor: up,
      borderDownColor: down,
      wickUpColor: up,
      wickDownColor: down,
    });
    for (const line of this.lines) this.series.removePriceLine(line);
    this.lines = this.heatmap.said.own.flat().map(([title, price]) =>
      this.series.createPriceLine({ price, title, color: colours["own line"], lineWidth: 2, lineStyle: 0 }),
    );
  }

  /** Everything, as it was at first. */
  reset(): void {
    this.back();
    this.series.priceScale().applyOptions({ autoScale: true });
    this.setRange(-0.5, this.heatmap.columns - 0.5);
  }

  /** The last so many seconds; all of them without. */
  span(seconds: number | null): void {
    this.back();
    const { columns, said, times } = this.heatmap;
    const most = columns + Math.max(Math.round((times[0] - this.earliest()) / said.window), 0);
    const shown = seconds === null ? most : Math.min(Math.max(Math.round(seconds / said.window), 2), most);
    this.setRange(columns - shown - 0.5, columns - 0.5);
  }

  /** Bring a time into the middle of the view. */
  showTime(seconds: number): void {
    const [from, to] = this.range();
    const [at] = this.columnsIn([seconds]);
    this.setRange(at - (to - from) / 2, at + (to - from) / 2);
  }

  /** First and last column in view, and the rows. */
  inView(): { columns: [number, number]; rows: [number, number] } {
    const { heatmap } = this;
    const range = this.chart.timeScale().getVisibleLogicalRange() ?? { from: 0, to: heatmap.columns - 1 };
    const clip = (value: number, most: number) => Math.min(Math.max(value, 0), most);
    const [low, high] = this.prices();
    const first = clip(Math.ceil(range.from - 0.5), heatmap.columns);
    const stop = clip(Math.floor(range.to + 0.5) + 1, heatmap.columns);
    return {
      columns: [first, Math.max(stop, first)],
      rows: [clip(heatmap.row(low), heatmap.rows), clip(heatmap.row(high) + 1, heatmap.rows)],
    };
  }

  /** Lowest and highest price in view. */
  prices(): [number, number] {
    const range = this.series.priceScale().getVisibleRange();
    return range ? [range.from, range.to] : this.heatmap.said.view;
  }

  setPrices(low: number, high: number): void {
    this.series.priceScale().setVisibleRange({ from: low, to: high });
  }

  /** Columns in view, as fractions: what a link keeps. */
  range(): [number, number] {
    if (this.wanted) return this.wanted;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    return range ? [range.from, range.to] : [-0.5, this.heatmap.columns - 0.5];
  }

  /** Whether the newest column is in view, so that the next one will be, too. */
  get atEnd(): boolean {
    return this.heatmap.said.paged === undefined && this.range()[1] > this.heatmap.columns - 1;
  }

  /** Whether the column in which a time lies is in view, at the right end. */
  seesNewest(seconds: number): boolean {
    const { times, said } = this.heatmap;
    return this.range()[1] > this.heatmap.columns - 1 && (times.at(-1) ?? 0) + said.window > seconds;
  }

  setRange(from: number, to: number): void {
    this.wanted = [from, to];
    this.chart.timeScale().setVisibleLogicalRange({ from, to });
    queueMicrotask(() => this.asked()); // a chart shows no place that is far from all its columns
    if (this.sized) requestAnimationFrame(() => requestAnimationFrame(() => (this.wanted = null)));
  }

  get autoScaled(): boolean {
    return this.series.priceScale().options().autoScale;
  }

  /** The usual top of the colour scale for what is in view. */
  usualTop(): number {
    const { columns, rows } = this.inView();
    const grid = this.layer.cells();
    return columns[1] > columns[0] && rows[1] > rows[0] ? usualMaximum(grid, columns, rows) : 0;
  }

  /** Move what is seen by a share of it. */
  pan(times: number, prices: number): void {
    const [from, to] = this.range();
    if (times) this.setRange(from + times * (to - from), to + times * (to - from));
    const [low, high] = this.prices();
    if (prices) this.setPrices(low + prices * (high - low), high + prices * (high - low));
  }

  /** Zoom in (below 1) or out, the last column in view staying where it is. */
  zoom(factor: number): void {
    const [from, to] = this.range();
    this.setRange(to - (to - from) * factor, to);
  }

  /** Put the cursor on a cell, for the keyboard. */
  cursor(columns: number, rows: number): void {
    const { heatmap } = this;
    const view = this.inView();
    const at = this.lastPoint ?? { column: view.columns[1] - 1, row: heatmap.row(heatmap.closeAt(view.columns[1]) ?? heatmap.edge(0)) };
    const column = Math.min(Math.max(at.column + columns, 0), heatmap.columns - 1);
    const row = Math.min(Math.max(at.row + rows, 0), heatmap.rows - 1);
    const price = heatmap.edge(row) + heatmap.said.step / 2;
    this.pixel = null;
    this.chart.setCrosshairPosition(price, heatmap.times[column] as UTCTimestamp, this.series);
    this.point(column, price);
  }

  private point(column: number, price: number): void {
    const { heatmap } = this;
    const row = heatmap.row(price);
    const inside = heatmap.knows(column) && row >= 0 && row < heatmap.rows;
    const cell = inside ? this.layer.cellAt(column, row) : { column, row };
    this.lastPoint = {
      ...cell,
      under: [column, row],
      seconds: inside ? heatmap.times[cell.column] : NaN,
      price,
      level: inside ? this.levelAt(cell.column, cell.row) : null,
      mark: this.pixel && this.marks.at(this.pixel.x, this.pixel.y),
    };
    this.pointed(this.lastPoint);
    this.drawProfile();
  }

  /** Tell once more of what is under the cursor: what is there may be new. */
  again(): void {
    if (this.lastPoint) this.point(this.lastPoint.under[0], this.lastPoint.price);
  }

  private levelAt(column: number, row: number): Level | null {
    const sides = this.settings.side === "both" ? (["long", "short"] as const) : [this.settings.side];
    const levels = sides.map((side) => this.heatmap.level(column, row, side)).filter((level) => level.amount > 0);
    return levels.sort((a, b) => b.amount - a.amount)[0] ?? null;
  }

  /** Where a cell is on the page, pixels: for programs that embed the page, and tests. */
  place(column: number, row: number): { x: number; y: number } {
    const frame = this.box.getBoundingClientRect();
    const y = this.series.priceToCoordinate(this.heatmap.edge(row) + this.heatmap.said.step / 2) ?? NaN;
    return { x: frame.left + this.layer.edge(column + 0.5), y: frame.top + y };
  }

  /** Where a time and a price are on the page, pixels. */
  at(seconds: number, price: number): { x: number; y: number } {
    const frame = this.box.getBoundingClientRect();
    return { x: frame.left + this.layer.x(seconds), y: frame.top + (this.series.priceToCoordinate(price) ?? NaN) };
  }

  /** The column that the bars beside the chart show: that of the cursor, or the last in view. */
  get profileColumn(): number {
    const at = this.lastPoint?.column ?? -1;
    return at >= 0 && at < this.heatmap.columns ? at : this.inView().columns[1] - 1;
  }

  private drawProfile(): void {
    const { profile, heatmap, settings } = this;
    const [width, height] = [profile.clientWidth, this.box.clientHeight - this.chart.timeScale().height()];
    if (!width || height <= 0) return;
    const ratio = window.devicePixelRatio;
    profile.width = Math.round(width * ratio);
    profile.height = Math.round(height * ratio);
    profile.style.height = `${height}px`;
    const context = profile.getContext("2d")!;
    context.scale(ratio, ratio);
    const colours = this.look.themes[settings.theme];
    context.fillStyle = colours.panel;
    context.fillRect(0, 0, width, height);
    const column = this.profileColumn;
    if (column < 0) return;
    const y = (row: number) => this.series.priceToCoordinate(heatmap.edge(row)) ?? 0;
    const { rows } = this.inView();
    const joined = Math.max(Math.ceil(2 / Math.max(y(0) - y(1), 1e-6)), 1); // bars sum rows until they can be seen
    const bars: { row: number; long: number; short: number }[] = [];
    let most = 0;
    for (let row = rows[0] - (rows[0] % joined); row < rows[1]; row += joined) {
      const bar = { row, long: 0, short: 0 };
      for (let k = row; k < Math.min(row + joined, heatmap.rows); k++) {
        if (settings.side !== "short") bar.long += heatmap.long[column * heatmap.rows + k];
        if (settings.side !== "long") bar.short += heatmap.short[column * heatmap.rows + k];
      }
      most = Math.max(most, bar.long + bar.short);
      bars.push(bar);
    }
    if (!most) return;
    for (const { row, long, short } of bars) {
      const [top, bottom] = [y(row + joined), y(row)];
      const gap = bottom - top > 3 ? 1 : 0;
      let left = 0;
      for (const [value, role] of [[short, "short"], [long, "long"]] as const) {
        if (!value) continue;
        const size = Math.max((value / most) * width, 1);
        context.fillStyle = colours[role];
        context.fillRect(left, top, size, Math.max(bottom - top - gap, 1));
        left += size;
      }
    }
    const longest = `${amount(most, heatmap.said.unit)} per ${priceText(joined * heatmap.said.step, decimals(heatmap.said.step))}`;
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "right";
    context.fillStyle = colours.panel;
    context.fillRect(width - 7 - context.measureText(longest).width, height - 16, width, 16);
    context.fillStyle = colours.text;
    context.fillText(longest, width - 3, height - 4);
  }

  priceText(price: number): string {
    return priceText(price, this.places);
  }
}

/** How many decimals the prices of the candles have. */
function placesOf(heatmap: Heatmap): number {
  let places = 0;
  for (let i = 0; i < Math.min(heatmap.candles.length, 400); i++) {
    places = Math.max(places, Math.min(decimals(heatmap.candles[i]), 8));
  }
  return places;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A mark of the time axis: year, month, day, time, time with seconds. */
function tick(seconds: number, kind: number): string {
  const at = new Date(seconds * 1000).toISOString();
  const month = MONTHS[Number(at.slice(5, 7)) - 1];
  return [at.slice(0, 4), month, `${month} ${Number(at.slice(8, 10))}`, at.slice(11, 16), at.slice(11, 19)][kind];
}
