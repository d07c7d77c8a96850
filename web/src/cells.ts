/**
 * From a frame of bytes to colours: decoding, pooling, colouring, rastering. Nothing here knows of charts or of the
 * document, so that it runs in tests and workers, and another canvas can be put on top of it.
 *
 * A frame is what liqcore.tables.packed writes. Cells lie column by column, the oldest first, in each column from the
 * lowest price up: cell (column, row) is at column * rows + row.
 */

type Numbers = Float64Array | Float32Array | Uint16Array | BigInt64Array;

export interface Frame {
  header: Record<string, unknown>;
  arrays: Record<string, Numbers>;
  shapes: Record<string, number[]>;
}

const KINDS = { int64: BigInt64Array, float64: Float64Array, float32: Float32Array, uint16: Uint16Array };

/** Steps in which a value doubles, and the code of a column's largest value; code 0 is the value 0. */
const OCTAVE = 2540;
const LARGEST = 65_535;

/** Unpack deflated bytes (zlib), with what every browser has. */
export async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Read a frame. Throws a RangeError where it is cut short. */
export function decode(bytes: Uint8Array<ArrayBuffer>): Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const begin = 4 + view.getUint32(0, true);
  if (begin > bytes.length) throw new RangeError("the frame ends within its header");
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, begin))) as Record<string, unknown>;
  const arrays: Frame["arrays"] = {};
  const shapes: Frame["shapes"] = {};
  const listed = header.arrays as Record<string, { type: keyof typeof KINDS; shape: number[]; at: number }>;
  for (const [name, { type, shape, at }] of Object.entries(listed)) {
    const count = shape.reduce((product, size) => product * size, 1);
    const end = begin + at + count * KINDS[type].BYTES_PER_ELEMENT;
    if (end > bytes.length) throw new RangeError(`the frame ends within ${name}`);
    shapes[name] = shape;
    arrays[name] = new KINDS[type](bytes.slice(begin + at, end).buffer); // all machines that browsers run on are little-endian
  }
  return { header, arrays, shapes };
}

const VALUES = Float32Array.from({ length: LARGEST + 1 }, (_, code) => (code ? 2 ** ((code - LARGEST) / OCTAVE) : 0));

/** Values of codes: shares of each column's largest value, each column as what is added to the one before. */
export function unpack(tops: Float32Array, codes: Uint16Array): Float32Array {
  const rows = tops.length ? codes.length / tops.length : 0;
  const values = new Float32Array(codes.length);
  const now = new Uint16Array(rows);
  for (let column = 0, at = 0; column < tops.length; column++) {
    const top = tops[column];
    for (let row = 0; row < rows; row++, at++) {
      now[row] += codes[at];
      values[at] = VALUES[now[row]] * top;
    }
  }
  return values;
}

/** Cells in a grid. */
export interface Grid {
  cells: Float32Array;
  columns: number;
  rows: number;
}

/** Sum of two sides, or one of them. */
export function sides(long: Float32Array, short: Float32Array, side: string): Float32Array {
  if (side === "long") return long;
  if (side === "short") return short;
  const both = new Float32Array(long.length);
  for (let i = 0; i < both.length; i++) both[i] = long[i] + short[i];
  return both;
}

/** The largest cell of each group of `down` rows and `across` columns, of changes the largest either way: zoomed out, no level is lost. */
export function pool(grid: Grid, across: number, down: number): Grid {
  if (across <= 1 && down <= 1) return grid;
  const columns = Math.ceil(grid.columns / across);
  const rows = Math.ceil(grid.rows / down);
  const cells = new Float32Array(columns * rows);
  for (let column = 0, from = 0; column < grid.columns; column++) {
    const to = Math.floor(column / across) * rows;
    for (let row = 0; row < grid.rows; row++, from++) {
      const at = to + Math.floor(row / down);
      if (Math.abs(grid.cells[from]) > Math.abs(cells[at])) cells[at] = grid.cells[from];
    }
  }
  return { cells, columns, rows };
}

/** Each cell as a share of the largest of its column; what is below the cut is 0. */
export function shares({ cells, columns, rows }: Grid, cut: number): Grid {
  const made = new Float32Array(cells.length);
  for (let column = 0; column < columns; column++) {
    const of = cells.subarray(column * rows, (column + 1) * rows);
    const most = of.reduce((largest, cell) => Math.max(largest, cell), 0);
    if (most > 0) of.forEach((cell, row) => (made[column * rows + row] = cell >= cut ? cell / most : 0));
  }
  return { cells: made, columns, rows };
}

/** What each cell holds more than that of its row in one column; less is below zero; of columns that have not come nothing is told. */
export function changes({ cells, columns, rows }: Grid, since: number, knows: (column: number) => boolean): Grid {
  const made = new Float32Array(cells.length);
  const from = since * rows;
  for (let column = 0; column < columns; column++) {
    if (!knows(column) || !knows(since)) continue;
    const at = column * rows;
    for (let row = 0; row < rows; row++) made[at + row] = cells[at + row] - cells[from + row];
  }
  return { cells: made, columns, rows };
}

/** How amounts become colours: liqcore.render.raster.colour_index says the same. */
export interface Shade {
  maximum: number;
  cut: number;
  scale: string;
}

const LOG_TOP = Math.log1p(1000);

/** Where a share of the maximum, 0 to 1, lies on the colour scale, 0 to 1. */
export function scaled(share: number, scale: string): number {
  if (scale === "sqrt") return Math.sqrt(share);
  return scale === "log" ? Math.log1p(1000 * share) / LOG_TOP : share;
}

/** The share of the maximum at a place on the colour scale: `scaled` the other way round. */
export function unscaled(place: number, scale: string): number {
  if (scale === "sqrt") return place * place;
  return scale === "log" ? Math.expm1(place * LOG_TOP) / 1000 : place;
}

/** The entry of a table of 256 colours for one amount. */
export function entry(amount: number, shade: Shade): number {
  const { maximum, cut, scale } = shade;
  if (cut <= 0) {
    const share = Math.min(Math.max(Math.fround(Math.fround(amount) * Math.fround(1 / maximum)), 0), 1);
    return Math.floor(Math.fround(Math.fround(scaled(share, scale)) * 255 + 0.5));
  }
  if (!(amount >= Math.fround(cut))) return 0;
  const part = Math.fround(Math.fround(amount) - Math.fround(cut)) * Math.fround(1 / Math.max(maximum - cut, 1e-6 * cut));
  const share = Math.min(Math.max(Math.fround(part), 0), 1);
  return Math.floor(Math.fround(Math.fround(scaled(share, scale)) * 254 + 1.5));
}

/** Colour a grid, the highest price first, into pixels of four bytes (red, green, blue, 255); `below`: for what is below zero. */
export function paint(grid: Grid, shade: Shade, table: Uint32Array, into: Uint32Array, below = table): void {
  const { cells, columns, rows } = grid;
  const colour = shader(shade);
  for (let row = 0; row < rows; row++) {
    const to = (rows - 1 - row) * columns;
    for (let column = 0; column < columns; column++) {
      const cell = cells[column * rows + row];
      into[to + column] = cell < 0 ? below[colour(-cell)] : table[colour(cell)];
    }
  }
}

/** `entry` for many amounts: what is the same for all is reckoned once, and logarithms are looked up. */
function shader(shade: Shade): (amount: number) => number {
  const { maximum, cut, scale } = shade;
  if (scale !== "log") {
    const least = Math.fround(Math.max(cut, 0));
    const factor = Math.fround(cut <= 0 ? 1 / maximum : 1 / Math.max(maximum - cut, 1e-6 * cut));
    const [steps, first] = cut <= 0 ? [255, 0.5] : [254, 1.5];
    const isRoot = scale === "sqrt";
    return (amount) => {
      if (!(amount > 0) || amount < least) return 0;
      const share = Math.fround(Math.fround(amount - least) * factor);
      if (share >= 1) return 255;
      return Math.fround((isRoot ? Math.fround(Math.sqrt(share)) : share) * steps + first) | 0;
    };
  }
  const bounds = new Float32Array(256); // the smallest amount of each entry, found by halving
  for (let number = 1; number < 256; number++) {
    let [low, high] = [0, Math.max(shade.maximum, shade.cut) * 2];
    for (let i = 0; i < 48; i++) {
      const middle = (low + high) / 2;
      if (entry(middle, shade) >= number) high = middle;
      else low = middle;
    }
    bounds[number] = high;
  }
  return (amount) => {
    let [low, high] = [0, 256];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (amount >= bounds[middle]) low = middle;
      else high = middle;
    }
    return low;
  };
}

/** A table of 256 colours, six hex digits each, as pixels of four bytes. */
export function pixelTable(hex: string): Uint32Array {
  const table = new Uint32Array(256);
  const bytes = new Uint8Array(table.buffer);
  for (let i = 0; i < 256; i++) {
    for (let channel = 0; channel < 3; channel++) {
      bytes[4 * i + channel] = parseInt(hex.slice(6 * i + 2 * channel, 6 * i + 2 * channel + 2), 16);
    }
    bytes[4 * i + 3] = 255;
  }
  return table;
}

/** 256 colours, six hex digits each, from one colour to another, as `#rrggbb`. */
export function ramp(from: string, to: string): string {
  const channel = (colour: string, at: number) => parseInt(colour.slice(1 + 2 * at, 3 + 2 * at), 16);
  let hex = "";
  for (let i = 0; i < 256; i++) {
    for (let at = 0; at < 3; at++) {
      hex += Math.round(channel(from, at) + ((channel(to, at) - channel(from, at)) * i) / 255).toString(16).padStart(2, "0");
    }
  }
  return hex;
}

/** The 99th percentile of what is not zero in a part of a grid, either way, 0 if all is: the usual top of the colour scale. */
export function usualMaximum(grid: Grid, columns: [number, number], rows: [number, number]): number {
  const height = rows[1] - rows[0];
  const all = (columns[1] - columns[0]) * height;
  const some: number[] = [];
  for (let i = 0; i < all; i += 1 + Math.floor(all / 250_000)) {
    const cell = Math.abs(grid.cells[(columns[0] + Math.floor(i / height)) * grid.rows + rows[0] + (i % height)]);
    if (cell > 0) some.push(cell);
  }
  const sorted = Float32Array.from(some).sort();
  return sorted.length ? sorted[Math.ceil(0.99 * (sorted.length - 1))] : 0;
}
