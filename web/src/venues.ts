/** How each market that is shown goes: how old its data is, which of its streams are in trouble, since when. */

import { duration, instant } from "./words";

/** A stream of a market, as a server tells of it; times in ns. */
export interface Stream {
  state: string;
  ts: number;
  since: number;
  until: number;
  why: string;
}

export type Streams = Record<string, Record<string, Stream>>;

/** States of a stream in which what is shown is not what the venue has. */
const TROUBLE = new Set(["connecting", "stale", "filling", "venue halt", "retired"]);
/** Seconds from which on a market counts as behind the others. */
const BEHIND = 60;

export interface Venue {
  market: string;
  words: string;
  well: boolean;
}

/**
 * Say how each market goes. `clocks` are the times of their data, seconds, 0: none yet; `now` is the time against which
 * they are old: that of the machine, or of a recording the latest of them.
 */
export function venuesOf(clocks: Record<string, number>, streams: Streams, now: number): Venue[] {
  return Object.entries(clocks).map(([market, clock]) => {
    const troubled = Object.entries(streams[market] ?? {}).filter(([, { state }]) => TROUBLE.has(state));
    const words = troubled.map(([kind, { state, ts }]) => `${kind} ${state} since ${time(ts / 1e9)} (${duration(Math.max(now - ts / 1e9, 0))})`);
    const age = Math.max(now - clock, 0);
    const old = age < 1 ? "under 1s old" : `${duration(age)} old`;
    if (!clock) return { market, words: [...words, "no trade yet"].join(", "), well: false };
    if (age < BEHIND && !troubled.length) return { market, words: old, well: true };
    return { market, words: [...words, `as last known at ${time(clock)}, ${old}`].join(", "), well: false };
  });
}

function time(seconds: number): string {
  return `${instant(Math.floor(seconds), "UTC", true)} UTC`;
}

/** List them: where several are summed, or one is not as it should be. */
export function listVenues(list: HTMLElement, venues: Venue[]): void {
  list.hidden = venues.length < 2;
  const now = JSON.stringify(venues);
  if (list.dataset.now === now) return;
  list.dataset.now = now;
  list.replaceChildren(
    ...venues.map(({ market, words, well }) => {
      const entry = document.createElement("li");
      entry.textContent = `${market}: ${words}`;
      entry.dataset.well = String(well);
      return entry;
    }),
  );
}
