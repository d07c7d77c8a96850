/** A server's markets, followed: what is shown comes over its websocket, and goes on after the server was away. */

import type { News } from "./alerts";
import { inflate } from "./cells";
import { Heatmap, LiquidationMap, type HeatmapSaid, type Hole, type MapSaid, type Said } from "./data";
import { Mirror, type ZoneSaid } from "./mirror";
import { speedText, type Played } from "./replay";
import { venuesOf, type Venue } from "./venues";
import { decimals, duration, instant, price as priceText, tierName } from "./words";

/** What a server says of a market that it follows. */
export interface Market {
  market: string;
  price: number | null;
  tiers: number[];
}

/** What a reader asks of a server. */
export interface Asked {
  /** A market, or several of one underlying, which the server sums, between commas. */
  market: string;
  /** Which model, where the server follows several; empty: the main one. */
  model: string;
  /** Tiers of leverage; none: all. */
  leverage: number[];
  /** Only levels opened within so much time; empty: all. */
  opened_within: string;
  /** Whether that is as long as is in view: what vendors draw. */
  as_view: boolean;
}

const PATIENCE_MS = [500, 1_000, 2_000, 5_000];

export class Live {
  markets: Market[] = [];
  /** That are followed of each market, the main one first. */
  models: string[] = [];
  source = "";
  private mirror = new Mirror();
  private socket: WebSocket | null = null;
  private view: number | null = null;
  private tries = 0;
  private turn: Promise<void> = Promise.resolve();
  private heard = 0;
  /** Called with what there is now. */
  took: (heatmap: Heatmap) => void = () => undefined;
  /** Called with what has happened since the page was opened, each once. */
  happened: (news: News[]) => void = () => undefined;
  private told: number | null = null;
  /** Called with a sentence where the recording was moved to another time, by whoever looks at it. */
  moved: (words: string) => void = () => undefined;
  /** Called with a sentence where what was asked for cannot be had. */
  refused: (why: string) => void = () => undefined;

  constructor(private asked: Asked) {}

  /** The address of something that the server has; with the token that the page was asked for with. */
  private address(path: string, scheme = location.protocol): string {
    const url = new URL(path, location.href);
    url.protocol = scheme;
    const token = new URLSearchParams(location.search).get("token");
    if (token) url.searchParams.set("token", token);
    return url.href;
  }

  /** What the server answers; what it refuses is an error. */
  async get(path: string): Promise<Record<string, unknown>> {
    const answer = await fetch(this.address(path));
    const said = (await answer.json()) as Record<string, unknown>;
    if (!answer.ok) throw new Error(String(said.error ?? answer.status));
    return said;
  }

  /** The bytes of a frame that the server has; null: there is none of it. */
  async bytes(path: string, query: Record<string, string>): Promise<Uint8Array<ArrayBuffer> | null> {
    const answer = await fetch(this.address(`${path}?${new URLSearchParams(query)}`));
    if (answer.status === 404) return null;
    if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
    throw new Error(String(((await answer.json()) as { error?: string }).error ?? answer.status));
  }

  /** What of the markets is asked for, as a request says it. */
  get what(): Record<string, string> {
    const { market, model, leverage, opened_within } = this.asked;
    return { market, ...(model ? { model } : {}), ...(leverage.length ? { leverage: leverage.join(",") } : {}), ...(opened_within ? { opened_within } : {}) };
  }

  /** Since when the server keeps columns, seconds. */
  get kept(): number {
    return this.mirror.told.kept === undefined ? Infinity : this.mirror.told.kept / 1e9;
  }

  /** Start of the first column that comes by itself, seconds. */
  get first(): number {
    return this.mirror.seconds[0] ?? 0;
  }

  /** Zones after the last column that has ended. */
  get zones(): ZoneSaid[] {
    return this.mirror.told.zones ?? [];
  }

  /** Find out which markets there are, and begin. */
  async begin(): Promise<void> {
    const said = await this.get("/markets");
    this.markets = said.markets as Market[];
    this.models = said.models as string[];
    this.source = String(said.source);
    if (!this.models.slice(1).includes(this.asked.model)) this.asked = { ...this.asked, model: "" };
    if (!this.asked.market.split(",").every((name) => this.markets.some(({ market }) => market === name))) {
      this.asked = { ...this.asked, market: this.markets[0]?.market ?? "", leverage: [] };
    }
    this.connect();
  }

  /** The markets that are shown. */
  private get shown(): Market[] {
    const names = this.asked.market.split(",");
    return this.markets.filter(({ market }) => names.includes(market));
  }

  /** Tiers of leverage that every market shown has. */
  get tiers(): number[] {
    const [first, ...others] = this.shown;
    return (first?.tiers ?? []).filter((tier) => others.every(({ tiers }) => tiers.includes(tier)));
  }

  /** What there is to choose from: each market, and those of one underlying together. */
  get choices(): [string, string][] {
    const each = this.markets.map(({ market }): [string, string] => [market, market]);
    const groups = together(this.markets).filter((names) => names.length > 1);
    const words = (names: string[]) => (names.length === this.markets.length ? "all, summed" : `${names.join(" + ")}, summed`);
    return [...each, ...groups.map((names): [string, string] => [names.join(","), words(names)])];
  }

  get selection(): Asked {
    return this.asked;
  }

  /** Ask for something else. */
  ask(changed: Partial<Asked>): void {
    this.asked = { ...this.asked, ...changed };
    if (this.view !== null) this.send({ op: "unsubscribe", view: this.view });
    this.view = null;
    this.subscribe();
  }

  /** How the recording is played; null: it is none. */
  get replay(): Played | null {
    return this.mirror.told.replay ?? null;
  }

  /** Have the recording played otherwise, for all who look. */
  play(how: { speed?: number; paused?: boolean; at?: string }): void {
    this.send({ op: "replay", ...how });
  }

  /** Time of the markets that are shown, seconds; of several, that of the one that is furthest behind; 0: none yet. */
  get clock(): number {
    return Math.min(...this.asked.market.split(",").map((name) => this.mirror.markets[name]?.clock ?? 0)) / 1e9;
  }

  private query(): Record<string, unknown> {
    const { market, model, leverage, opened_within } = this.asked;
    return { market: market.split(","), ...(model ? { model } : {}), ...(leverage.length ? { leverage } : {}), ...(opened_within ? { opened_within } : {}) };
  }

  private send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private subscribe(): void {
    this.mirror = new Mirror();
    this.send({ op: "subscribe", selection: this.query(), id: JSON.stringify(this.query()).slice(0, 64) });
  }

  private connect(): void {
    const socket = new WebSocket(this.address("/stream", location.protocol === "https:" ? "wss:" : "ws:"));
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.tries = 0;
      this.view = null;
      this.subscribe();
    };
    // Frames are unpacked one after the other: what comes later must not overtake.
    socket.onmessage = ({ data }) => {
      this.turn = this.turn.then(() => this.take(new Uint8Array(data as ArrayBuffer))).catch((error: unknown) => console.error(error));
    };
    socket.onclose = () => {
      this.socket = null;
      setTimeout(() => this.connect(), PATIENCE_MS[Math.min(this.tries++, PATIENCE_MS.length - 1)]);
    };
  }

  private async take(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const frame = await inflate(bytes);
    const length = new DataView(frame.buffer).getUint32(0, true);
    const said = JSON.parse(new TextDecoder().decode(frame.subarray(4, 4 + length))) as Record<string, unknown>;
    if (said.kind === "error" && said.argument !== "view") this.refused(String(said.error)); // a stream that had ended by itself
    if (said.kind === "subscribed" && said.id === JSON.stringify(this.query()).slice(0, 64)) this.view = said.view as number;
    if (this.view === null || said.view !== this.view) return; // of what was asked for before
    if (!this.mirror.take(frame)) this.send({ op: "resync", view: this.view });
    if (!["full", "columns", "state"].includes(String(said.kind))) return;
    this.heard = performance.now();
    const news = this.mirror.news.filter(({ number }) => this.told !== null && number > this.told);
    this.told = Math.max(this.told ?? 0, ...this.mirror.news.map(({ number }) => number));
    this.tellOfMove();
    const since = this.replay?.moved_to ?? 0; // what was passed on the way to a time that was asked for is no news
    const fresh = news.filter(({ ts, end }) => (ts ?? end ?? Infinity) >= since);
    if (fresh.length) this.happened(fresh);
    if (this.mirror.times.length && this.mirror.prices.length) this.took(this.heatmap());
  }

  private tellOfMove(): void {
    const { replay } = this;
    if (replay && this.moves !== null && replay.moves !== this.moves) {
      this.moved(`The replay was moved to ${instant(Math.floor(replay.moved_to / 1e9), "UTC", true)} UTC: what stands below is of before.`);
    }
    if (replay) this.moves = replay.moves;
  }
  private moves: number | null = null;

  private said(): Said {
    const { labels } = this.mirror.told;
    const text = (name: string) => String(labels[name] ?? "");
    const fitted = text("meaning").includes("fitted");
    const scale = [fitted ? "" : "relative level", text("meaning")].filter(Boolean).join(": ");
    const { market, opened_within, leverage } = this.asked;
    const price = this.mirror.markets[market.split(",")[0]]?.price ?? null;
    const notes = (labels.notes as string[] | undefined) ?? [];
    const shares = Object.entries((labels.leverage as Record<string, number>) ?? {}).map(([tier, share]) => `${tierName(Number(tier))}${Number(tier) < 1 ? ":" : ""} ${Number((100 * share).toPrecision(3))}%`);
    return {
      kind: "heatmap",
      title: [text("symbol") || market, text("venue"), "liquidation heatmap", opened_within && `opened within ${opened_within}`].filter(Boolean).join(" · "),
      symbol: text("symbol"),
      venue: text("venue"),
      unit: text("unit") === "usd" ? "USD" : text("base") || "quantity",
      model: text("model"),
      scale_text: scale,
      said: [
        "estimate, not a record of positions", ...(leverage.length ? [`${leverage.map(tierName).join(", ")} alone`] : []), scale,
        ...(text("model") ? [`model ${text("model")}`] : []), ...notes,
        ...(labels.realised_complete === false ? ["liquidations as far as the venue tells"] : []),
      ],
      terms: [...(text("trigger") ? [`trigger ${text("trigger")}`] : []), ...(shares.length ? [`leverage ${shares.join(", ")}`] : [])],
      theme: "dark",
      software: `liqcore ${text("version")}`,
      synthetic: labels.synthetic === true,
      own: [],
      view: [0, 1],
      last: price,
      side: "both",
    };
  }

  private heatmap(): Heatmap {
    const { mirror } = this;
    const said = this.said();
    const { prices } = mirror;
    const step = prices.length > 1 ? prices[1] - prices[0] : Number(mirror.told.labels.step ?? 1);
    const times = mirror.seconds;
    const candles = new Float64Array(4 * times.length);
    let [low, high] = [Infinity, -Infinity];
    for (let column = 0; column < times.length; column++) {
      const candle = mirror.candles.subarray(6 * column, 6 * column + 4);
      if (!(candle[3] > 0)) continue;
      for (let k = 0; k < 4; k++) candles[k * times.length + column] = candle[k];
      [low, high] = [Math.min(low, candle[2]), Math.max(high, candle[1])];
    }
    const reach = Math.max(high - low, 0.03 * high);
    const window = duration(mirror.window);
    const of: HeatmapSaid = {
      ...said,
      said: [...said.said, `${said.unit} per bin of ${priceText(step, decimals(step))}`, `${window} windows`],
      view: high > low ? [Math.max(low - reach, prices[0]), Math.min(high + reach, prices[prices.length - 1] + step)] : [prices[0], prices[prices.length - 1] + step],
      window: mirror.window,
      low: prices[0],
      step,
      joined: [1, 1],
      top: 0,
      cut: 0,
      scale: "sqrt",
      colormap: "viridis",
      candles: "white",
      hollow: false,
      unfinished: !mirror.complete,
      holes: [
        ...mirror.told.gaps.map(([begin, end]): Hole => [begin / 1e9, end / 1e9, `no trades ${duration((end - begin) / 1e9)}`, "gap"]),
        ...(this.kept < times[0] ? [[this.kept, times[0], "loading", "loading"] as Hole] : []),
      ],
    };
    return new Heatmap(of, { rows: prices.length, long: mirror.long, short: mirror.short, times, candles, realised: mirror.realised });
  }

  /** The map of the last column. */
  async map(): Promise<LiquidationMap> {
    const answer = await this.get(`/map?${new URLSearchParams({ ...this.what, rows: "1500" })}`);
    const prices = Float64Array.from(answer.prices as number[]);
    const tiers = answer.tiers as { leverage: number; long: number[]; short: number[] }[];
    const said = this.said();
    const last = answer.price as number;
    const step = answer.step as number;
    const of: MapSaid = {
      ...said,
      kind: "map",
      title: said.title.replace("liquidation heatmap", "liquidation map"),
      said: [...said.said, `at ${instant(Math.round((answer.time as number) / 1e9), "UTC")} UTC`],
      view: mapRange(prices, answer.cumulative_long as number[], answer.cumulative_short as number[], last, step),
      last,
      time: (answer.time as number) / 1e9,
      step,
      layers: tiers.map((tier) => tierName(tier.leverage)),
      roles: tiers.map((tier) => `layer ${this.layer(tier.leverage)}`),
      sentence: String(answer.sentence ?? ""),
      factors: (answer.factors ?? null) as number[][] | null,
    };
    const all = (side: "long" | "short") => Float64Array.from(tiers.flatMap((tier) => tier[side]));
    return new LiquidationMap(of, prices, all("long"), all("short"));
  }

  /** A tier has the colour that it has among all tiers, whichever are shown. */
  private layer(tier: number): number {
    const all = this.tiers;
    const at = Math.max(all.indexOf(tier), 0);
    return all.length <= 7 ? at : Math.floor((at * 7) / all.length);
  }

  /** How each market that is shown goes. */
  venues(): Venue[] {
    const names = this.asked.market.split(",");
    const clocks = Object.fromEntries(names.map((name) => [name, (this.mirror.markets[name]?.clock ?? 0) / 1e9]));
    const now = this.source === "live" ? Date.now() / 1000 : Math.max(...Object.values(clocks));
    return venuesOf(clocks, this.mirror.told.streams, now);
  }

  /** What a reader must know of how new it is; and whether that is as it should be. */
  state(): [string, boolean] {
    const { clock, replay } = this;
    const at = clock ? `${instant(Math.floor(clock), "UTC", true)} UTC` : "";
    if (!this.socket || this.socket.readyState !== WebSocket.OPEN) return [`not connected, trying again; data of ${at || "no time yet"}`, false];
    const unwell = this.venues().filter(({ well }) => !well);
    if (unwell.length && this.venues().length > 1) return [`${unwell.map(({ market }) => market).join(", ")} as last known; data of ${at}`, false];
    if (unwell.length && clock) return [unwell[0].words, false];
    if (!clock) return ["waiting for a trade", true];
    if (replay) {
      const isOver = !replay.moving && clock * 1e9 >= replay.end - 1e9;
      if (isOver) return [`the recording has ended, ${at}`, true];
      const how = replay.moving ? `going to ${instant(Math.floor(replay.moved_to / 1e9), "UTC", true)}` : replay.paused ? "paused" : speedText(replay.speed);
      return [`a recording, ${at}, ${how}`, performance.now() - this.heard < 10_000 || replay.paused];
    }
    if (this.source !== "live") return [`${this.source === "demo" ? "simulated" : "a recording"}, ${at}`, performance.now() - this.heard < 10_000];
    const age = Math.max(Date.now() / 1000 - clock, 0);
    return [`live, ${age < 1 ? "under 1s" : duration(age)} old`, age < 10];
  }
}

/** Markets whose prices are within twice of each other: those alone can be of one underlying, and be summed. */
export function together(markets: Market[]): string[][] {
  const groups: Market[][] = [];
  for (const market of markets) {
    const near = (other: Market) => market.price !== null && other.price !== null && Math.max(market.price / other.price, other.price / market.price) < 2;
    const group = groups.find(([first]) => near(first));
    if (group) group.push(market);
    else groups.push([market]);
  }
  return groups.map((group) => group.map(({ market }) => market));
}

/** Prices out to where nine tenths of each side have been passed, 3 to 25 % away: as pictures of maps. */
function mapRange(prices: Float64Array, falls: number[], rises: number[], last: number, step: number): [number, number] {
  const down = falls.findLastIndex((sum) => sum >= 0.9 * (falls[0] ?? 0));
  const up = rises.findIndex((sum) => sum >= 0.9 * (rises.at(-1) ?? 0));
  const away = (length: number) => Math.min(Math.max(1.03 * length || 0, 0.03 * last), 0.25 * last);
  return [last - away(last - prices[down]), last + away(prices[up] + step - last)];
}
