import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Heatmap, type HeatmapSaid } from "../src/data";
import { compose, Earlier, levelFor, PAGE, readPage, rowsOf, stretchFor, type Reach } from "../src/earlier";
import { framed } from "./framed";

const WINDOW = 60;
const LENGTH = PAGE * WINDOW;
const LAST = 100; // page that the newest column lies in
const NEWEST = LAST * LENGTH + 9 * WINDOW;
const said = { kind: "heatmap", window: WINDOW, low: 100, step: 1, joined: [1, 1], said: ["estimate"], view: [100, 104], holes: [] } as unknown as HeatmapSaid;
const reach: Reach = { window: WINDOW, kept: 0, newest: NEWEST };

/** What is newest: ten columns of four rows. */
const newest = (step = 1, until = NEWEST) =>
  new Heatmap({ ...said, step }, {
    rows: 4, long: new Float32Array(40), short: new Float32Array(40), candles: new Float64Array(40),
    times: Float64Array.from({ length: 10 }, (_, k) => until - (9 - k) * WINDOW),
  });

/** A page as a server sends it: two rows from 100 on, in the lower one as many longs as the column's number in the page and one. */
function sent(level: number, page: number, complete = true): Uint8Array<ArrayBuffer> {
  const times = BigInt64Array.from({ length: PAGE }, (_, k) => BigInt((page * PAGE + k) * WINDOW * 4 ** level) * 1_000_000_000n);
  const long = Uint16Array.from({ length: 2 * PAGE }, (_, k) => (k ? 0 : 65_535));
  const arrays = {
    times, long, short: new Uint16Array(2 * PAGE),
    tops: Float32Array.from({ length: 2 * PAGE }, (_, k) => (k % 2 ? 0 : k / 2 + 1)),
    candles: new Float64Array(6 * PAGE).fill(101), realised: new Float64Array(2 * PAGE),
  };
  return framed({ row: 100 / rowsOf(level), gaps: [], complete }, arrays, { long: [PAGE, 2] });
}

describe("levels of detail", () => {
  test("are the finest of which a plot shows all columns side by side", () => {
    expect(levelFor(reach, 750 * WINDOW, 1000)).toBe(0);
    expect(levelFor(reach, 751 * WINDOW, 1000)).toBe(1);
    expect(levelFor(reach, 3001 * WINDOW, 1000)).toBe(2);
    expect(levelFor(reach, 201 * WINDOW, 50)).toBe(1); // a narrow plot has 200
    expect(levelFor(reach, 1e12, 1)).toBe(8); // there is none beyond
  });

  test("join four times the columns each, and twice the rows every other one", () => {
    expect([0, 1, 2, 3, 4].map(rowsOf)).toEqual([1, 1, 2, 2, 4]);
    expect(stretchFor(reach, 1, [40 * LENGTH, 40 * LENGTH + 1])).toEqual({ level: 1, first: 9, last: 10 });
  });
});

test("a stretch has as much before and behind as is in view, as far as there are columns", () => {
  expect(stretchFor(reach, 0, [50.5 * LENGTH, 52.5 * LENGTH])).toEqual({ level: 0, first: 48, last: 54 });
  expect(stretchFor(reach, 0, [-3 * LENGTH, 1.5 * LENGTH])).toEqual({ level: 0, first: 0, last: 6 });
  expect(stretchFor({ ...reach, kept: 49.5 * LENGTH }, 0, [50.5 * LENGTH, 52.5 * LENGTH]).first).toBe(49);
  expect(stretchFor(reach, 0, [99 * LENGTH, 104 * LENGTH]).last).toBe(LAST);
});

test("what has not come is a hole that says why, and no amount", () => {
  const part = (page: number) => (page === 50 ? readPage(sent(0, 50)) : page === 51 ? "loading" : "not kept");
  const made = compose({ level: 0, first: 50, last: 52 }, reach, said, part);
  expect([made.columns, made.rows]).toEqual([3 * PAGE, 2]);
  expect(made.level(6, 0, "long").amount).toBe(7);
  expect([made.knows(PAGE - 1), made.knows(PAGE), made.knows(2 * PAGE)]).toEqual([true, false, false]);
  const [loading, gone] = made.said.holes;
  expect(loading).toEqual([51 * LENGTH, 52 * LENGTH, "loading", "loading"]);
  expect(gone).toEqual([52 * LENGTH, 53 * LENGTH, "not kept", "loading"]);
  expect(made.said.paged).toBe(0);
});

describe("paging", () => {
  let asked: string[];
  let shown: Heatmap[];
  let view: { times: [number, number]; width: number };
  let held: boolean;
  let answers: Map<string, { done: (bytes: Uint8Array<ArrayBuffer> | null) => void; failed: (why: Error) => void }>;

  beforeEach(() => {
    vi.useFakeTimers();
    [asked, shown, held, answers] = [[], [], false, new Map()];
    view = { times: [NEWEST - 5 * WINDOW, NEWEST], width: 1000 };
  });
  afterEach(() => vi.useRealTimers());

  const begun = (most?: number) => {
    const earlier = new Earlier({
      ask: (level, page) => {
        asked.push(`${level} ${page}`);
        return new Promise((done, failed) => answers.set(`${level} ${page}`, { done, failed }));
      },
      show: (heatmap) => shown.push(heatmap),
      view: () => view,
      held: () => held,
    }, most);
    earlier.take(newest(), 0, "BTC");
    return earlier;
  };
  const at = (earlier: Earlier, page: number, pages = 0.5) => {
    view = { ...view, times: [page * LENGTH, (page + pages) * LENGTH] };
    earlier.look();
  };
  const answer = async (name: string, bytes: Uint8Array<ArrayBuffer> | null = sent(Number(name.split(" ")[0]), Number(name.split(" ")[1]))) => {
    answers.get(name)!.done(bytes);
    answers.delete(name);
    await vi.advanceTimersByTimeAsync(100);
  };

  test("asks for nothing while what is newest is in view", () => {
    begun();
    expect(asked).toEqual([]);
    expect(shown.map(({ columns }) => columns)).toEqual([10]);
  });

  test("asks for what is in view first, then for what is near, three at once", async () => {
    const earlier = begun();
    at(earlier, 50, 1.5); // reaches from 48 to 53
    expect(asked).toHaveLength(3);
    expect(asked).toContain("0 50");
    expect(asked).not.toContain("0 48");
    expect(asked).not.toContain("0 53");
    while (answers.size) await answer([...answers.keys()][0]);
    expect([...asked].sort()).toEqual(["0 48", "0 49", "0 50", "0 51", "0 52", "0 53"]);
    expect(asked.slice(-2).sort()).toEqual(["0 48", "0 53"]);
    expect(shown.at(-1)!.said.holes).toEqual([[0, 48 * LENGTH, "loading", "loading"], [54 * LENGTH, NEWEST + WINDOW, "loading", "loading"]]);
  });

  test("asks for no page twice, also on the way back", async () => {
    const earlier = begun();
    at(earlier, 50);
    while (answers.size) await answer([...answers.keys()][0]);
    const once = asked.length;
    at(earlier, 50.2);
    at(earlier, 50);
    expect(asked).toHaveLength(once);
  });

  test("says why a page cannot be had, and asks once more after a second", async () => {
    const earlier = begun();
    at(earlier, 50);
    answers.get("0 50")!.failed(new Error("the server is busy"));
    answers.delete("0 50");
    await vi.advanceTimersByTimeAsync(100);
    expect(shown.at(-1)!.said.holes.map(([, , why]) => why)).toContain("the server is busy");
    expect(asked.filter((name) => name === "0 50")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked.filter((name) => name === "0 50")).toHaveLength(2);
    await answer("0 50");
    expect(shown.at(-1)!.said.holes.map(([, , why]) => why)).not.toContain("the server is busy");
  });

  test("does not ask again for what is not kept", async () => {
    const earlier = begun();
    at(earlier, 50);
    await answer("0 50", null);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked.filter((name) => name === "0 50")).toHaveLength(1);
    expect(shown.at(-1)!.said.holes.map(([, , why]) => why)).toContain("not kept");
  });

  test("asks anew for the newest page once there are newer columns", async () => {
    const earlier = begun();
    at(earlier, LAST - 1);
    while (answers.size) await answer([...answers.keys()][0], sent(0, Number([...answers.keys()][0].split(" ")[1]), false));
    const once = asked.filter((name) => name === `0 ${LAST}`).length;
    expect(once).toBe(1);
    earlier.take(newest(1, NEWEST + WINDOW), 0, "BTC");
    expect(asked.filter((name) => name === `0 ${LAST}`)).toHaveLength(2);
  });

  test("throws away what is of something else, also what is on its way", async () => {
    const earlier = begun();
    at(earlier, 50);
    earlier.take(newest(), 0, "ETH");
    await answer("0 50");
    expect(earlier.bytes).toBe(0);
    expect(asked.filter((name) => name === "0 50").length).toBeGreaterThan(1);
    earlier.take(newest(2), 0, "ETH"); // other rows
    expect(earlier.bytes).toBe(0);
  });

  test("forgets the pages that were used longest ago, never those that are wanted", async () => {
    const page = 8 * 2 * PAGE;
    const earlier = begun(4 * page);
    for (const place of [20, 50, 80]) {
      at(earlier, place);
      while (answers.size) await answer([...answers.keys()][0]);
      expect(earlier.bytes).toBeLessThanOrEqual(4 * page);
      expect(shown.at(-1)!.knows(Math.floor(shown.at(-1)!.columns / 2))).toBe(true);
    }
    const once = asked.length;
    at(earlier, 20);
    expect(asked.length).toBeGreaterThan(once);
  });

  test("goes to another level of detail only once a finger is lifted", () => {
    const earlier = begun();
    at(earlier, 50);
    held = true;
    at(earlier, 40, 20);
    expect(asked.every((name) => name.startsWith("0 "))).toBe(true);
    held = false;
    earlier.look();
    expect(shown.at(-1)!.said.paged).toBe(2);
  });

  test("shows what is newest again where only that is in view", () => {
    const earlier = begun();
    at(earlier, 50);
    expect(shown.at(-1)!.said.paged).toBe(0);
    view = { ...view, times: [NEWEST - 5 * WINDOW, NEWEST] };
    earlier.look();
    expect(shown.at(-1)!.said.paged).toBeUndefined();
  });
});
