import { expect, test } from "vitest";
import { venuesOf } from "../src/venues";

const at = (hour: number, minute = 0) => Date.UTC(2026, 5, 12, hour, minute) / 1000;
const stream = (state: string, seconds: number) => ({ state, ts: seconds * 1e9, since: 0, until: 0, why: "" });

test("each market of a sum says how old it is, and which stream is in trouble since when", () => {
  const streams = { "b:X": { trades: stream("stale", at(9, 50)), marks: stream("live", at(1)) }, "c:X": { trades: stream("gap filled", at(2)) } };
  const said = venuesOf({ "a:X": at(10) - 0.5, "b:X": at(9, 48), "c:X": at(10) - 3, "d:X": 0 }, streams, at(10));
  expect(said).toEqual([
    { market: "a:X", words: "under 1s old", well: true },
    { market: "b:X", words: "trades stale since 2026-06-12 09:50:00 UTC (10m), as last known at 2026-06-12 09:48:00 UTC, 12m old", well: false },
    { market: "c:X", words: "3s old", well: true },
    { market: "d:X", words: "no trade yet", well: false },
  ]);
});

test("a market that is far behind the others is not well, whatever its streams say", () => {
  expect(venuesOf({ "a:X": at(10), "b:X": at(9) }, {}, at(10))[1]).toEqual({ market: "b:X", words: "as last known at 2026-06-12 09:00:00 UTC, 1h old", well: false });
});
