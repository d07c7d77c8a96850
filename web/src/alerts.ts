/** Tells a reader who looks elsewhere what has happened: a line, a sound, a notification. */

import { compact, decimals, instant, price as priceText } from "./words";

/** What a server's news tell of, as far as it is told here; each also has market, kind and number. */
export interface News {
  number: number;
  kind: string;
  market: string;
  what?: "approached" | "swept";
  side?: "long" | "short";
  ts?: number;
  low?: number;
  high?: number;
  usd?: number;
  price?: number;
  end?: number;
  realised_long?: number;
  realised_short?: number;
}

/** What is said of news from an amount on, USD; nothing of what is smaller, and of what is no news to a reader. */
export function saidOf(news: News, least: number): string {
  const at = (ns: number) => `${instant(Math.floor(ns / 1e9), "UTC")} UTC ${news.market}`;
  if (news.kind === "zone" && (news.usd ?? 0) >= least) {
    const places = decimals((news.high ?? 0) - (news.low ?? 0));
    const zone = `${news.side}s ${priceText(news.low ?? 0, places)} to ${priceText(news.high ?? 0, places)}`;
    return `${at(news.ts ?? 0)}: ${zone} ${news.what}, $${compact(news.usd ?? 0)}`;
  }
  const [longs, shorts] = [news.realised_long ?? 0, news.realised_short ?? 0];
  if (news.kind === "column" && longs + shorts > 0 && longs + shorts >= least) {
    return `${at(news.end ?? 0)}: $${compact(longs)} of longs, $${compact(shorts)} of shorts liquidated in a window`;
  }
  return "";
}

export class Alerts {
  private on = false;
  private sound: AudioContext | null = null;
  least = 1e6;

  constructor(private readonly list: HTMLElement) {}

  /** Begin or stop; a browser asks its user whether notifications may be shown. */
  async turn(on: boolean): Promise<void> {
    this.on = on;
    this.list.hidden = !on;
    if (!on) return;
    this.sound ??= new AudioContext(); // only a click may begin it
    if ("Notification" in window && Notification.permission === "default") await Notification.requestPermission();
  }

  tell(all: News[]): void {
    if (!this.on) return;
    const said = all.map((news) => saidOf(news, this.least)).filter(Boolean);
    if (!said.length) return;
    for (const words of said) this.note(words);
    this.beep();
    if ("Notification" in window && Notification.permission === "granted" && document.hidden) {
      new Notification("liqcore", { body: said.slice(0, 4).join("\n"), tag: "liqcore" });
    }
  }

  /** Note something that is no alert: a line alone. */
  note(words: string): void {
    const line = document.createElement("p");
    line.textContent = words;
    this.list.prepend(line);
    while (this.list.children.length > 20) this.list.lastChild?.remove();
  }

  private beep(): void {
    const { sound } = this;
    if (!sound) return;
    const [tone, volume] = [sound.createOscillator(), sound.createGain()];
    tone.frequency.value = 880;
    volume.gain.setValueAtTime(0.15, sound.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + 0.3);
    tone.connect(volume).connect(sound.destination);
    tone.start();
    tone.stop(sound.currentTime + 0.3);
  }
}
