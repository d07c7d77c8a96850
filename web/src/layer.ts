/** The heatmap as a layer below the candles of a chart: one image, and what lies on it. */

import type {
  AutoscaleInfo,
  IChartApi,
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesApi,
  ISeriesPrimitive,
  SeriesAttachedParameter,
  SeriesType,
  Time,
} from "lightweight-charts";
import { changes, paint, pool, shares, type Grid, type Shade } from "./cells";
import type { Heatmap, Side } from "./data";
import type { Settings } from "./look";

type Target = Parameters<IPrimitivePaneRenderer["draw"]>[0];

/** How many columns and rows each pixel joins: powers of two, so that panning and most of zooming reuse the image. */
export interface Joined {
  across: number;
  down: number;
}

export interface LayerLook {
  side: Side;
  shade: Shade;
  /** Of what colours are, and which cells of shares are left out. */
  levels: Settings["levels"];
  cut: number;
  table: Uint32Array;
  /** Of what was removed. */
  below: Uint32Array;
  colours: Record<string, string>;
}

export class HeatLayer implements ISeriesPrimitive<Time> {
  private chart: IChartApi | null = null;
  private series: ISeriesApi<SeriesType> | null = null;
  private redraw = (): void => undefined;
  private image: HTMLCanvasElement | null = null;
  private imageOf = "";
  private pooled: { of: string; grid: Grid } | null = null;
  private changed: { of: unknown[]; grid: Grid } | null = null;
  private version = 0;
  joined: Joined = { across: 1, down: 1 };
  /** Called after each painting: what stands beside the chart follows it. */
  painted: () => void = () => undefined;

  constructor(private heatmap: Heatmap, private look: LayerLook, private readonly view: () => [number, number]) {}

  attached({ chart, series, requestUpdate }: SeriesAttachedParameter<Time>): void {
    this.chart = chart as IChartApi;
    this.series = series as ISeriesApi<SeriesType>;
    this.redraw = requestUpdate;
  }

  detached(): void {
    this.chart = this.series = null;
  }

  /** Show other data. */
  take(heatmap: Heatmap): void {
    this.heatmap = heatmap;
    this.pooled = this.changed = null;
    this.version++;
    this.redraw();
  }

  show(look: LayerLook): void {
    this.look = look;
    this.version++;
    this.redraw();
  }

  autoscaleInfo(): AutoscaleInfo {
    const [minValue, maxValue] = this.view();
    return { priceRange: { minValue, maxValue } };
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return [{ zOrder: () => "bottom", renderer: () => ({ draw: (target: Target) => this.draw(target) }) }];
  }

  /** Pixels of a price, from the top of the plot. */
  private y(price: number): number {
    return this.series?.priceToCoordinate(price) ?? 0;
  }

  /** Pixels of a time, from the left of the plot: it lies within a column as in its window. */
  x(seconds: number): number {
    const { times, columns, said } = this.heatmap;
    let [low, high] = [0, columns];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (times[middle] <= seconds) low = middle;
      else high = middle;
    }
    return this.edge(low + (seconds - times[low]) / said.window);
  }

  /** Pixels of the left edge of a column; of half a column, its middle. */
  edge(column: number): number {
    const scale = this.chart!.timeScale();
    const [first, second] = [0, 1].map((at) => scale.logicalToCoordinate(at as never) ?? 0);
    return first + (column - 0.5) * (second - first);
  }

  private draw(target: Target): void {
    const { heatmap } = this;
    if (!this.chart || !this.series || !heatmap.columns || !heatmap.rows) return;
    const [left, right] = [this.edge(0), this.edge(heatmap.columns)];
    const [bottom, top] = [this.y(heatmap.edge(0)), this.y(heatmap.edge(heatmap.rows))];
    target.useBitmapCoordinateSpace(({ context, bitmapSize, horizontalPixelRatio, verticalPixelRatio }) => {
      const [across, down] = [(right - left) * horizontalPixelRatio, (bottom - top) * verticalPixelRatio];
      this.joined = { across: power(heatmap.columns / across), down: power(heatmap.rows / down) };
      const image = this.drawn();
      context.imageSmoothingEnabled = false;
      // What is not in view is cut off here: a browser would scale all of it.
      const { across: wide, down: high } = this.joined;
      const [scaleX, scaleY] = [(across / heatmap.columns) * wide, (down / heatmap.rows) * high];
      const x = left * horizontalPixelRatio;
      const y = bottom * verticalPixelRatio - image.height * scaleY;
      const [first, stop] = part(x, scaleX, image.width, bitmapSize.width);
      const [above, below] = part(y, scaleY, image.height, bitmapSize.height);
      if (stop > first && below > above) {
        const places = [x + first * scaleX, y + above * scaleY, (stop - first) * scaleX, (below - above) * scaleY];
        context.drawImage(image, first, above, stop - first, below - above, ...(places as [number, number, number, number]));
      }
    });
    target.useMediaCoordinateSpace(({ context, mediaSize }) => this.over(context, mediaSize.width, mediaSize.height));
    this.painted();
  }

  /** The image of all cells at the resolution that the screen has. */
  private drawn(): HTMLCanvasElement {
    const { across, down } = this.joined;
    const grid = this.grid();
    const of = `${this.version} ${across} ${down} ${this.since}`;
    if (!this.image || this.imageOf !== of) {
      this.image ??= document.createElement("canvas");
      if (this.image.width !== grid.columns) this.image.width = grid.columns;
      if (this.image.height !== grid.rows) this.image.height = grid.rows;
      const context = this.image.getContext("2d")!;
      const pixels = context.createImageData(grid.columns, grid.rows);
      paint(grid, this.look.shade, this.look.table, new Uint32Array(pixels.data.buffer), this.look.below);
      context.putImageData(pixels, 0, 0);
      this.imageOf = of;
    }
    return this.image;
  }

  private grid(): Grid {
    const { across, down } = this.joined;
    const { side, levels, cut } = this.look;
    const of = `${side} ${across} ${down} ${levels} ${cut} ${this.since}`;
    if (this.pooled?.of !== of) {
      const grid = pool(this.cells(), across, down);
      this.pooled = { of, grid: levels === "shares" ? shares(grid, cut) : grid };
    }
    return this.pooled.grid;
  }

  /** The column since which changes are told: the first in view that has come; -1: none are told. */
  get since(): number {
    const { heatmap } = this;
    if (this.look.levels !== "changes" || !this.chart) return -1;
    const from = this.chart.timeScale().getVisibleLogicalRange()?.from ?? 0;
    let column = Math.min(Math.max(Math.floor(from + 0.52), 0), heatmap.columns - 1); // a sliver of one is not in view
    while (column < heatmap.columns - 1 && !heatmap.knows(column)) column++;
    return column;
  }

  /** What is coloured: amounts, or how much of them was added or removed. */
  cells(): Grid {
    const { since, heatmap, look: { side } } = this;
    const grid = heatmap.grid(side);
    if (since < 0) return grid;
    const of = [grid, since];
    if (this.changed?.of.some((one, k) => one !== of[k]) ?? true) this.changed = { of, grid: changes(grid, since, (column) => heatmap.knows(column)) };
    return this.changed!.grid;
  }

  /** The cell that the pixel of a point shows: of those that it joins the largest. */
  cellAt(column: number, row: number): { column: number; row: number } {
    const { heatmap } = this;
    const { across, down } = this.joined;
    const { cells } = this.cells();
    let best = { column, row };
    let most = -1;
    const [c, r] = [column - (column % across), row - (row % down)];
    for (let i = c; i < Math.min(c + across, heatmap.columns); i++) {
      for (let k = r; k < Math.min(r + down, heatmap.rows); k++) {
        const cell = Math.abs(cells[i * heatmap.rows + k]);
        if (cell > most) {
          most = cell;
          best = { column: i, row: k };
        }
      }
    }
    return most > 0 ? best : { column, row };
  }

  /** What lies on the cells: dark edges below the candles, holes in the data, the unfinished column. */
  private over(context: CanvasRenderingContext2D, width: number, height: number): void {
    const { heatmap } = this;
    const { colours } = this.look;
    const spacing = this.edge(1) - this.edge(0);
    for (const [begin, end, text, kind] of heatmap.said.holes) {
      const from = Math.max(begin === null ? this.edge(0) : this.x(begin), 0);
      const to = Math.min(end === null ? this.edge(heatmap.columns) : this.x(end), width);
      if (to <= from) continue;
      context.fillStyle = colours[kind === "loading" ? "panel" : kind];
      context.fillRect(from, 0, Math.max(to - from, 1), height);
      if (kind === "loading") hatch(context, from, to, height, colours.line);
      context.font = "12px system-ui, sans-serif";
      const size = context.measureText(text).width;
      if (size + 8 > to - from) continue;
      context.fillStyle = kind === "loading" ? colours.text : "#ffffff";
      context.textAlign = "center";
      context.fillText(text, (from + to) / 2, height * 0.75);
    }
    if (heatmap.said.unfinished) {
      context.strokeStyle = colours.guide;
      context.setLineDash([4, 4]);
      const x = Math.round(this.edge(heatmap.columns - 1)) + 0.5;
      context.beginPath();
      context.moveTo(x, 0);
      context.lineTo(x, height);
      context.stroke();
      context.setLineDash([]);
    }
    context.fillStyle = colours["candle edge"];
    const half = Math.max(Math.floor(spacing * 0.4), 0) + 1;
    const first = Math.max(Math.floor(-this.edge(0) / spacing), 0);
    const stop = Math.min(Math.ceil((width - this.edge(0)) / spacing), heatmap.columns);
    for (let column = first; column < stop; column++) {
      const candle = heatmap.candle(column);
      if (!candle) continue;
      const x = this.edge(column + 0.5);
      const [high, low] = [this.y(candle.high), this.y(candle.low)];
      context.fillRect(x - 1.5, high - 1, 3, low - high + 2);
      if (spacing < 3) continue;
      const [above, below] = [this.y(Math.max(candle.open, candle.close)), this.y(Math.min(candle.open, candle.close))];
      context.fillRect(x - half, above - 1, 2 * half, below - above + 2);
    }
  }
}

/** Slanting lines: what is there has not come. */
function hatch(context: CanvasRenderingContext2D, from: number, to: number, height: number, colour: string): void {
  context.save();
  context.beginPath();
  context.rect(from, 0, to - from, height);
  context.clip();
  context.beginPath();
  for (let x = from - height - (from % 16); x < to; x += 16) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.strokeStyle = colour;
  context.stroke();
  context.restore();
}

/** The smallest power of two that is at least so large. */
function power(least: number): number {
  return 2 ** Math.max(Math.ceil(Math.log2(Math.max(least, 1)) - 1e-9), 0);
}

/** First and last pixel of an image that lie in view. */
function part(at: number, scale: number, size: number, room: number): [number, number] {
  return [Math.max(Math.floor(-at / scale), 0), Math.min(Math.ceil((room - at) / scale), size)];
}
