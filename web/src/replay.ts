/** How a server's recording is played: its clock and progress, speed, pause, and where it goes on; for all who look. */

import type { Live } from "./live";
import { click, element, typedAs } from "./view";
import { duration, instant, type Zone } from "./words";

/** What a server says of it; times in ns. */
export interface Played {
  begin: number;
  end: number;
  speed: number;
  paused: boolean;
  moving: boolean;
  moves: number;
  moved_to: number;
}

const FASTEST = 100_000;

/** The speed that somebody typed: "60", "60x", "as fast as can be"; NaN where it is none. */
export function speedTyped(text: string): number {
  const found = /^\s*(\d+(?:\.\d+)?)\s*x?\s*$/i.exec(text);
  if (/^\s*(max|as fast.*)\s*$/i.test(text)) return 0;
  const speed = found ? Number(found[1]) : NaN;
  return speed > 0 && speed <= FASTEST ? speed : NaN;
}

export function speedText(speed: number): string {
  return speed ? `${speed}x` : "as fast as can be";
}

/** The time that somebody typed, seconds: "2026-06-12 10:00", or "10:00" of a day; NaN where it is none. */
export function timeTyped(text: string, day: number, zone: Zone = "UTC"): number {
  const found = /^\s*(?:(\d{4}-\d\d-\d\d)[ T])?(\d\d:\d\d(?::\d\d)?)Z?\s*$/.exec(text);
  return found ? Date.parse(`${found[1] ?? instant(day, zone).slice(0, 10)}T${found[2]}${zone === "UTC" ? "Z" : ""}`) / 1000 : NaN;
}

export class Replay {
  private last = "";

  constructor(private readonly live: Live) {
    click("pause", () => live.play({ paused: !live.replay?.paused }));
    typedAs("speed", "A speed such as 60x, at most 100000x, or max.", (text) => {
      const speed = speedTyped(text);
      if (!Number.isNaN(speed)) live.play({ speed });
      this.last = ""; // what was typed is written as it is said
      return !Number.isNaN(speed);
    });
    typedAs("at", "A time within the recording such as 2026-06-12 10:00, or 10:00.", (text) => {
      const seconds = timeTyped(text, live.clock);
      const { begin, end } = live.replay ?? { begin: 0, end: 0 };
      const is = seconds >= Math.floor(begin / 1e9) && seconds <= end / 1e9;
      if (is) this.go(seconds);
      return is;
    });
    const progress = element<HTMLInputElement>("progress");
    progress.addEventListener("change", () => {
      const { begin, end } = live.replay!;
      this.go((begin + (Number(progress.value) / 1000) * (end - begin)) / 1e9);
    });
    progress.addEventListener("input", () => progress.setAttribute("aria-valuetext", this.timeOf(Number(progress.value))));
  }

  /** Go to a time, within what there is: a number of a browser is too short for nanoseconds. */
  private go(seconds: number): void {
    const { begin, end } = this.live.replay!;
    const ms = Math.min(Math.max(Math.floor(seconds * 1e3), Math.ceil(begin / 1e6) + 1), Math.floor(end / 1e6) - 1);
    this.live.play({ at: `${new Date(ms).toISOString().slice(0, 23)}Z` });
  }

  private timeOf(place: number): string {
    const { begin, end } = this.live.replay!;
    return `${instant(Math.floor((begin + (place / 1000) * (end - begin)) / 1e9), "UTC", true)} UTC`;
  }

  /** Bring the controls in line with what the server says. */
  show(): void {
    const { replay, clock } = this.live;
    element("replay").hidden = !replay;
    if (!replay) return;
    const place = replay.end > replay.begin ? Math.round((1000 * (clock * 1e9 - replay.begin)) / (replay.end - replay.begin)) : 1000;
    const progress = element<HTMLInputElement>("progress");
    if (document.activeElement !== progress || !progress.matches(":active")) {
      progress.value = String(Math.min(Math.max(place, 0), 1000));
      progress.setAttribute("aria-valuetext", this.timeOf(Number(progress.value)));
    }
    element("left").textContent = `${duration((replay.end - replay.begin) / 1e9)} from ${instant(Math.floor(replay.begin / 1e9), "UTC")} UTC`;
    const now = JSON.stringify(replay);
    if (now === this.last) return;
    this.last = now;
    element("pause").textContent = replay.paused ? "Play" : "Pause";
    const [speed, at] = ["speed", "at"].map((id) => element<HTMLInputElement>(id));
    if (document.activeElement !== speed) speed.value = speedText(replay.speed);
    if (document.activeElement !== at) at.value = replay.moved_to ? instant(Math.floor(replay.moved_to / 1e9), "UTC") : "";
  }
}
