/** A server's markets, followed: what is shown comes over its websocket, and goes on after the server was away. */

import { inflate } from "./cells";
import { Heatmap, LiquidationMap, type HeatmapSaid, type MapSaid, type Said } from "./data";
import { Mirror } from "./mirror";
import { decimals, duration, instant, price as priceText } from "./words";

/** What a server says of a market that it follows. */
export interface Market {
  market: string;
  price: number | null;
  tiers: number[];
}

/** What a reader asks of a server. */
export interface Asked {
  market: string;
  /** Tiers of leverage; none: all. */
  leverage: number[];
  /** Only levels opened within so much time; empty: all. */
  opened_within: string;
}

/** States of a stream in which what is shown is not what the venue has. */
const TROUBLE = new Set(["connecting", "stale", "filling", "venue halt", "retired"]);
const PATIENCE_MS = [500, 1_000, 2_000, 5_000];

export class Live {
  markets: Market[] = [];
  source = "";
  private mirror = new Mirror();
  private socket: WebSocket | null = null;
  private view: number | null = null;
  private tries = 0;
  private turn: Promise<void> = Promise.resolve();
  private heard = 0;
  /** Called with what there is now. */
  took: (heatmap: Heatmap) => void = () => undefined;
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

  private async get(path: string): Promise<Record<string, unknown>> {
    const answer = await fetch(this.address(path));
    const said = (await answer.json()) as Record<string, unknown>;
    if (!answer.ok) throw new Error(String(said.error ?? answer.status));
    return said;
  }

  /** Find out which markets there are, and begin. */
  async begin(): Promise<void> {
    const said = await this.get("/markets");
    this.markets = said.markets as Market[];
    this.source = String(said.source);
    if (!this.markets.some(({ market }) => market === this.asked.market)) {
      this.asked = { ...this.asked, market: this.markets[0]?.market ?? "", leverage: [] };
    }
    this.connect();
  }

  get market(): Market | undefined {
    return this.markets.find(({ market }) => market === this.asked.market);
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

  private query(): Record<string, unknown> {
    const { market, leverage, opened_within } = this.asked;
    return { market: [market], ...(leverage.length ? { leverage } : {}), ...(opened_within ? { opened_within } : {}) };
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
    if (said.kind === "error") this.refused(String(said.error));
    if (said.kind === "subscribed" && said.id === JSON.stringify(this.query()).slice(0, 64)) this.view = said.view as number;
    if (this.view === null || said.view !== this.view) return; // of what was asked for before
    if (!this.mirror.take(frame)) this.send({ op: "resync", view: this.view });
    if (!["full", "columns", "state"].includes(String(said.kind))) return;
    this.heard = performance.now();
    if (this.mirror.times.length && this.mirror.prices.length) this.took(this.heatmap());
  }

  private said(): Said {
    const { labels } = this.mirror.told;
    const text = (name: string) => String(labels[name] ?? "");
    const fitted = text("meaning").includes("fitted");
    const scale = [fitted ? "" : "relative level", text("meaning")].filter(Boolean).join(": ");
    const { market, opened_within, leverage } = this.asked;
    const price = this.mirror.markets[market]?.price ?? null;
    const notes = (labels.notes as string[] | undefined) ?? [];
    const shares = Object.entries((labels.leverage as Record<string, number>) ?? {}).map(([tier, share]) => `${tier}x ${Number((100 * share).toPrecision(3))}%`);
    return {
      kind: "heatmap",
      title: [text("symbol") || market, text("venue"), "liquidation heatmap", ...(opened_within ? [`opened within ${opened_within}`] : [])].join(" · "),
      symbol: text("symbol"),
      venue: text("venue"),
      unit: text("unit") === "usd" ? "USD" : text("base") || "quantity",
      model: text("model"),
      scale_text: scale,
      said: [
        "estimate, not a record of positions", ...(leverage.length ? [`${leverage.map((tier) => `${tier}x`).join(", ")} alone`] : []), scale,
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
      candles: "green-red",
      hollow: false,
      unfinished: !mirror.complete,
      holes: mirror.told.gaps.map(([begin, end]) => [begin / 1e9, end / 1e9, `no trades ${duration((end - begin) / 1e9)}`, "gap"]),
    };
    return new Heatmap(of, { rows: prices.length, long: mirror.long, short: mirror.short, times, candles, realised: mirror.realised });
  }

  /** The map of the last column. */
  async map(): Promise<LiquidationMap> {
    const { market, leverage, opened_within } = this.asked;
    const query = new URLSearchParams({ market, rows: "1500" });
    if (leverage.length) query.set("leverage", leverage.join(","));
    if (opened_within) query.set("opened_within", opened_within);
    const answer = await this.get(`/map?${query}`);
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
      layers: tiers.map((tier) => `${tier.leverage}x`),
      roles: tiers.map((tier) => `layer ${this.layer(tier.leverage)}`),
      sentence: String(answer.sentence ?? ""),
    };
    const all = (side: "long" | "short") => Float64Array.from(tiers.flatMap((tier) => tier[side]));
    return new LiquidationMap(of, prices, all("long"), all("short"));
  }

  /** A tier has the colour that it has among all tiers, whichever are shown. */
  private layer(tier: number): number {
    const all = this.market?.tiers ?? [];
    const at = Math.max(all.indexOf(tier), 0);
    return all.length <= 7 ? at : Math.floor((at * 7) / all.length);
  }

  /** What a reader must know of how new it is; and whether that is as it should be. */
  state(): [string, boolean] {
    const clock = (this.mirror.markets[this.asked.market]?.clock ?? 0) / 1e9;
    const at = clock ? `${instant(Math.floor(clock), "UTC", true)} UTC` : "";
    if (!this.socket || this.socket.readyState !== WebSocket.OPEN) return [`not connected, trying again; data of ${at || "no time yet"}`, false];
    const silent = Object.entries(this.mirror.told.streams).flatMap(([market, kinds]) =>
      Object.entries(kinds).filter(([, [state]]) => TROUBLE.has(state)).map(([kind, [state]]) => `${market} ${kind} ${state}`),
    );
    if (silent.length) return [`${silent.join(", ")}; data of ${at}`, false];
    if (!clock) return ["waiting for a trade", true];
    if (this.source !== "live") return [`${this.source === "demo" ? "simulated" : "a recording"}, ${at}`, performance.now() - this.heard < 10_000];
    const age = Math.max(Date.now() / 1000 - clock, 0);
    return [`live, ${age < 1 ? "under 1s" : duration(age)} old`, age < 10];
  }
}

/** Prices out to where nine tenths of each side have been passed, 3 to 25 % away: as pictures of maps. */
function mapRange(prices: Float64Array, falls: number[], rises: number[], last: number, step: number): [number, number] {
  const down = falls.findLastIndex((sum) => sum >= 0.9 * (falls[0] ?? 0));
  const up = rises.findIndex((sum) => sum >= 0.9 * (rises.at(-1) ?? 0));
  const away = (length: number) => Math.min(Math.max(1.03 * length || 0, 0.03 * last), 0.25 * last);
  return [last - away(last - prices[down]), last + away(prices[up] + step - last)];
}
