import { describe, expect, test } from "vitest";
import { changes, decode, ramp, entry, inflate, paint, pixelTable, pool, scaled, unpack, unscaled, usualMaximum, type Grid, shares } from "../src/cells";
import { framed } from "./framed";

const grid = (columns: number, rows: number, cells: number[]): Grid => ({ columns, rows, cells: Float32Array.from(cells) });

describe("frames", () => {
  const frame = framed({ kind: "map" }, { price: Float64Array.of(1.5, -2), code: Uint16Array.of(1, 2, 65_535) });

  test("give back what was written", () => {
    const { header, arrays, shapes } = decode(frame);
    expect(header.kind).toBe("map");
    expect([...arrays.price]).toEqual([1.5, -2]);
    expect([...arrays.code]).toEqual([1, 2, 65_535]);
    expect(shapes.code).toEqual([3]);
  });

  test("are unpacked from zlib's bytes", async () => {
    const deflated = new Blob([frame]).stream().pipeThrough(new CompressionStream("deflate"));
    expect(await inflate(new Uint8Array(await new Response(deflated).arrayBuffer()))).toEqual(frame);
  });

  test("that are cut anywhere are refused, never other numbers", () => {
    for (let length = 0; length < frame.length - 2; length++) expect(() => decode(frame.slice(0, length))).toThrow();
  });

  test("have values as shares of each column's largest, each column added to the one before", () => {
    const values = unpack(Float32Array.of(8, 4), Uint16Array.of(0, 65_535, 65_535 - 2_540, 65_535, 0, 2_540));
    expect([...values]).toEqual([0, 8, 4, 4, 4, 4]);
  });
});

describe("pooling", () => {
  test("shows the largest cell of each group, also of the last, smaller one", () => {
    const pooled = pool(grid(3, 3, [1, 2, 3, 4, 5, 6, 7, 8, 9]), 2, 2);
    expect([pooled.columns, pooled.rows, [...pooled.cells]]).toEqual([2, 2, [5, 6, 8, 9]]);
  });

  test("loses no level, whatever it joins", () => {
    for (let at = 0; at < 35; at++) {
      const cells = new Float32Array(35);
      cells[at] = 7;
      for (const [across, down] of [[1, 1], [2, 4], [8, 8]]) {
        expect(Math.max(...pool({ columns: 7, rows: 5, cells }, across, down).cells)).toBe(7);
      }
    }
  });
});

describe("changes", () => {
  test("are what a cell holds more than its row in one column, and nothing where that has not come", () => {
    const all = grid(3, 2, [1, 5, 4, 0, 9, 9]);
    expect([...changes(all, 0, () => true).cells]).toEqual([0, 0, 3, -5, 8, 4]);
    expect([...changes(all, 1, (column) => column !== 2).cells]).toEqual([-3, 5, 0, 0, 0, 0]);
    expect([...changes(all, 1, (column) => column !== 1).cells]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test("are pooled to the largest either way, and end the scale alike", () => {
    const all = grid(2, 2, [3, -5, 1, 2]);
    expect([...pool(all, 2, 2).cells]).toEqual([-5]);
    expect(usualMaximum(grid(1, 2, [-7, 0]), [0, 1], [0, 2])).toBe(7);
  });

  test("below zero have another table, as far from its begin", () => {
    const [up, down] = ["#ff0080", "#0000ff"].map((colour) => pixelTable(ramp("#000000", colour)));
    const into = new Uint32Array(3);
    paint(grid(1, 3, [100, 0, -25]), { maximum: 100, cut: 0, scale: "sqrt" }, up, into, down);
    expect([...into]).toEqual([down[128], up[0], up[255]]);
    expect(ramp("#000000", "#ff0080").slice(-6)).toBe("ff0080");
  });
});

describe("colours", () => {
  test("are those of liqcore.render.raster.colour_index", () => {
    const shade = { maximum: 100, cut: 0, scale: "sqrt" };
    expect([0, 25, 100, 900].map((amount) => entry(amount, shade))).toEqual([0, 128, 255, 255]);
    expect([0, 25, 100, 400].map((amount) => entry(amount, { ...shade, scale: "linear" }))).toEqual([0, 64, 255, 255]);
    const cut = { maximum: 100, cut: 50, scale: "linear" };
    expect([49, 50, 75, 100].map((amount) => entry(amount, cut))).toEqual([0, 1, 128, 255]);
  });

  test("have places that are found again", () => {
    for (const scale of ["sqrt", "linear", "log"]) {
      for (const share of [0, 0.001, 0.3, 1]) expect(unscaled(scaled(share, scale), scale)).toBeCloseTo(share, 12);
    }
  });

  test("are painted with the highest price first, the same for one amount and for many", () => {
    const table = Uint32Array.from({ length: 256 }, (_, number) => number);
    const cells = Array.from({ length: 400 }, (_, i) => 1.03 ** i / 1000);
    for (const scale of ["sqrt", "linear", "log"]) {
      for (const cut of [0, 3]) {
        const shade = { maximum: 90, cut, scale };
        const pixels = new Uint32Array(400);
        paint(grid(20, 20, cells), shade, table, pixels);
        for (let i = 0; i < 400; i++) {
          const [column, row] = [Math.floor(i / 20), i % 20];
          expect(pixels[(19 - row) * 20 + column]).toBe(entry(Math.fround(cells[i]), shade));
        }
      }
    }
  });

  test("come as red, green, blue and opaque", () => {
    const table = pixelTable(`440154${"000000".repeat(254)}fde725`);
    expect([...new Uint8Array(table.buffer, 0, 4)]).toEqual([0x44, 0x01, 0x54, 255]);
    expect([...new Uint8Array(table.buffer, 255 * 4, 4)]).toEqual([0xfd, 0xe7, 0x25, 255]);
  });

  test("end at a high percentile of what is not zero and in view", () => {
    const cells = grid(2, 200, [...Array(200).fill(0), ...Array.from({ length: 200 }, (_, i) => i + 1)]);
    expect(usualMaximum(cells, [0, 2], [0, 200])).toBe(199);
    expect(usualMaximum(cells, [1, 2], [0, 10])).toBe(10);
    expect(usualMaximum(cells, [0, 1], [0, 200])).toBe(0);
  });
});

test("shares are of the largest cell of each column, and what is below the cut is none", () => {
  const grid = { cells: Float32Array.of(1, 4, 2, 0, 0, 0, 10, 5, 1), columns: 3, rows: 3 };
  expect([...shares(grid, 0).cells]).toEqual([0.25, 1, 0.5, 0, 0, 0, 1, 0.5, Math.fround(0.1)]);
  expect([...shares(grid, 2).cells]).toEqual([0, 1, 0.5, 0, 0, 0, 1, 0.5, 0]);
});
