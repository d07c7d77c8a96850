/** The page: what is read from the document is shown in it, and its controls change it. */

import { Alerts } from "./alerts";
import { scaled, unscaled } from "./cells";
import { inflate } from "./cells";
import { read, type Heatmap, type Level, type LiquidationMap, type Shown, type Side } from "./data";
import { HeatmapChart, type Point } from "./heatmap";
import { askedIn, fromLink, toLink } from "./link";
import type { Look, Settings } from "./look";
import { Live, type Asked } from "./live";
import { MapChart, type BarPoint } from "./map";
import { save, stamped, tableOf } from "./save";
import { amount, compact, decimals, duration, instant, price as priceText, typed, valueTicks, zoneName, type Zone } from "./words";

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;

/** Lengths of time that a reader chooses from, seconds; those that the data has. */
const SPANS: [string, number][] = [
  ["1h", 3_600], ["4h", 14_400], ["12h", 43_200], ["24h", 86_400], ["48h", 172_800], ["3d", 259_200], ["1w", 604_800],
  ["2w", 1_209_600], ["1mo", 2_592_000], ["3mo", 7_776_000], ["6mo", 15_552_000], ["1y", 31_536_000],
];

class Page {
  private readonly heat: HeatmapChart | null = null;
  private map: MapChart | null = null;
  private spans: [string, number | null][] = [];
  private later = 0;
  private point: Point | null = null;
  private label: string[] = [];
  private readonly first: Settings;

  constructor(private shown: Shown, private readonly look: Look, private settings: Settings, private readonly live: Live | null) {
    const { heatmap, map } = shown;
    this.first = settings;
    this.write();
    if (heatmap) {
      this.heat = new HeatmapChart(element("chart"), element("profile"), heatmap, look, settings);
      this.heat.pointed = (point) => this.pointed(point);
      this.heat.moved = () => this.moved();
      const whole = heatmap.columns * heatmap.said.window;
      this.spans = [...SPANS.filter(([, length]) => length < whole && length >= 4 * heatmap.said.window), ["All", null]];
    }
    element("map").hidden = false; // its size is needed to lay it out
    if (map) {
      this.map = new MapChart(element("map"), map, look, settings);
      this.map.pointed = (point) => this.pointedBar(point);
      this.map.moved = () => this.moved();
    }
    this.wire();
    if (live) this.wireLive(live);
    this.apply();
    this.listLevels();
  }

  /** Show what has come since. */
  take(heatmap: Heatmap): void {
    if (!this.heat) return;
    const before = this.shown.said;
    this.shown = { ...this.shown, heatmap, said: heatmap.said };
    this.largest = 0;
    this.heat.take(heatmap);
    if (this.fresher) this.reset();
    this.fresher = false;
    if (JSON.stringify([before.title, before.said, before.terms]) !== JSON.stringify([heatmap.said.title, heatmap.said.said, heatmap.said.terms])) this.write();
    if (this.settings.view === "heatmap") document.title = element("title").textContent = heatmap.said.title;
    if (!this.settings.locked) this.retop();
    this.listLevels();
    if (this.point) this.heat.again();
  }

  /** Show another map of a server. */
  takeMap(map: LiquidationMap): void {
    this.shown = { ...this.shown, map };
    if (this.map) {
      this.map.take(map);
    } else {
      element("map").hidden = false;
      this.map = new MapChart(element("map"), map, this.look, this.settings);
      this.map.pointed = (point) => this.pointedBar(point);
      this.map.moved = () => this.moved();
      element("views").hidden = false;
    }
    this.write();
    this.apply();
  }

  private wireLive(live: Live): void {
    element("live").hidden = false;
    const market = element<HTMLSelectElement>("market");
    for (const [names, words] of live.choices) market.append(new Option(words, names));
    market.value = live.selection.market;
    market.addEventListener("change", () => this.ask(live, { market: market.value, leverage: [] }));
    const within = element<HTMLSelectElement>("within");
    within.append(new Option("any time", ""));
    for (const [name] of SPANS) within.append(new Option(name === "48h" ? "48h" : name));
    within.value = live.selection.opened_within;
    within.addEventListener("change", () => this.ask(live, { opened_within: within.value }));
    element("now").addEventListener("click", () => this.heat?.reset());
    this.listTiers(live);
    const tell = () => {
      const [words, well] = live.state();
      const state = element("state");
      if (state.textContent !== words) state.textContent = words;
      state.dataset.well = String(well);
    };
    tell();
    setInterval(tell, 500);
    setInterval(() => {
      if (this.settings.view === "map" && !document.hidden) live.map().then((map) => this.takeMap(map)).catch(() => undefined);
    }, 2_000);
    live.refused = (why) => this.fail(why);
    const alerts = new Alerts(element("happened"));
    live.happened = (news) => alerts.tell(news);
    element("alerts").addEventListener("change", (event) => void alerts.turn((event.target as HTMLInputElement).checked));
    this.typedInto("alert-least", (least) => (alerts.least = least), 0);
  }

  private listTiers(live: Live): void {
    const box = element("tiers");
    box.replaceChildren();
    for (const tier of live.tiers) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `${tier}x`;
      button.dataset.tier = String(tier);
      const all = live.selection.leverage;
      button.setAttribute("aria-pressed", String(all.length === 0 || all.includes(tier)));
      button.addEventListener("click", () => {
        const every = live.tiers;
        const now = live.selection.leverage.length ? live.selection.leverage : every;
        const next = every.filter((other) => (other === tier) !== now.includes(other));
        this.ask(live, { leverage: next.length === every.length ? [] : next });
      });
      box.append(button);
    }
  }

  private ask(live: Live, changed: Partial<Asked>): void {
    live.ask(changed);
    this.fail("");
    this.fresher = changed.market !== undefined;
    this.listTiers(live);
    live.map().then((map) => this.takeMap(map)).catch(() => undefined);
    this.keepLink();
  }
  private fresher = false; // another market: its prices are elsewhere

  private fail(why: string): void {
    const box = element("error");
    box.hidden = !why;
    box.textContent = why;
  }

  /** What never changes: title, label, terms. */
  private write(): void {
    const { said, heatmap, map } = this.shown;
    element("synthetic").hidden = !said.synthetic;
    const joined = heatmap && heatmap.said.joined.some((many) => many > 1);
    const parts = [...said.said];
    if (joined) parts.push(`cells show the largest of ${heatmap.said.joined[0]} windows and ${heatmap.said.joined[1]} rows`);
    this.label = parts;
    element("said").textContent = parts.join("  ·  ");
    element("sentence").textContent = map?.said.sentence ?? "";
    element("terms").textContent = said.terms.join("  ·  ");
    element("software").textContent = said.software;
    const legend = element("legend");
    legend.replaceChildren();
    for (const [layer, name] of (map?.said.layers ?? []).entries()) {
      const entry = document.createElement("li");
      const square = document.createElement("span");
      square.className = "square";
      square.style.setProperty("--role", this.look.themes.dark[map!.said.roles[layer]]);
      entry.append(square, name);
      legend.append(entry);
    }
  }

  private wire(): void {
    const click = (id: string, run: () => void) => element(id).addEventListener("click", run);
    for (const button of document.querySelectorAll<HTMLButtonElement>("#sides button")) {
      button.addEventListener("click", () => this.change({ side: button.dataset.side as Side }));
    }
    for (const button of document.querySelectorAll<HTMLButtonElement>("#views button")) {
      button.addEventListener("click", () => this.change({ view: button.dataset.view as Settings["view"] }));
    }
    element("views").hidden = !(this.heat && this.map);
    const only = this.shown.said.side;
    element("sides").hidden = only !== "both" && !this.heat?.heatmap.long.some(Boolean) === !this.heat?.heatmap.short.some(Boolean);
    for (const [name, length] of this.spans) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.title = length === null ? "All times" : `The last ${name}`;
      button.addEventListener("click", () => this.heat?.span(length));
      element("spans").append(button);
    }
    click("reset", () => this.reset());
    click("in", () => this.zoom(0.7));
    click("out", () => this.zoom(1 / 0.7));
    click("png", () => void this.savePicture());
    click("csv", () => this.saveTable());
    click("link", () => void this.copyLink());
    click("theme", () => this.change({ theme: this.settings.theme === "dark" ? "light" : "dark" }));
    click("zone", () => this.change({ zone: this.settings.zone === "UTC" ? "local" : "UTC" }));
    click("help", () => element<HTMLDialogElement>("keys").showModal());
    this.choose("colormap", Object.keys(this.look.tables), (colormap) => this.change({ colormap }));
    this.choose("shape", this.look.scales, (scale) => this.change({ scale }));
    this.typedInto("cut", (cut) => this.change({ cut: Math.min(cut, this.settings.top) }), 0);
    this.typedInto("marks", (marks) => this.change({ marks }), 0);
    this.typedInto("top", (top) => this.change({ top, locked: true, cut: Math.min(this.settings.cut, top) }), 1e-12);
    const handle = (id: string, run: (value: number) => void) => {
      const input = element<HTMLInputElement>(id);
      input.addEventListener("input", () => run(unscaled(Number(input.value) / 1000, "sqrt") * this.most()));
    };
    handle("cut-handle", (cut) => this.change({ cut: Math.min(cut, this.settings.top) }));
    handle("top-handle", (top) => this.change({ top: Math.max(top, this.most() * 1e-6, this.settings.cut), locked: true }));
    element<HTMLInputElement>("lock").addEventListener("change", (event) => {
      this.change({ locked: (event.target as HTMLInputElement).checked });
    });
    element("levels").addEventListener("toggle", () => this.listLevels());
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("resize", () => this.ramp());
    window.addEventListener("hashchange", () => this.follow());
  }

  private choose(id: string, names: string[], run: (name: string) => void): void {
    const select = element<HTMLSelectElement>(id);
    for (const name of names) select.append(new Option(name === "sqrt" ? "square root" : name, name));
    select.addEventListener("change", () => run(select.value));
  }

  private typedInto(id: string, run: (value: number) => void, least: number): void {
    const input = element<HTMLInputElement>(id);
    input.addEventListener("change", () => {
      const value = typed(input.value);
      const wrong = !(value >= least);
      input.setAttribute("aria-invalid", String(wrong));
      input.setCustomValidity(wrong ? "An amount such as 250k, 2.5M or 1e6." : "");
      if (wrong) input.reportValidity();
      else run(value);
    });
  }

  /** The largest amount that the colour bar reaches. */
  private most(): number {
    const heatmap = this.heat?.heatmap;
    if (!heatmap) return 1;
    this.largest ||= heatmap.grid("both").cells.reduce((most, cell) => Math.max(most, cell), 0) || 1;
    return Math.max(this.largest, this.settings.top);
  }
  private largest = 0;

  private change(changed: Partial<Settings>): void {
    this.settings = { ...this.settings, ...changed };
    if (changed.locked === false) this.settings.top = this.heat?.usualTop() || this.settings.top;
    this.apply();
    this.listLevels();
    this.keepLink();
  }

  /** Bring the document in line with the settings. */
  private apply(): void {
    const { settings, look } = this;
    const root = document.documentElement;
    root.dataset.theme = settings.theme;
    root.dataset.view = settings.view;
    const colours = look.themes[settings.theme];
    for (const role of ["page", "panel", "line", "text", "muted", "long", "short", "warning"]) {
      root.style.setProperty(`--${role}`, colours[role]);
    }
    const isMap = settings.view === "map";
    document.title = element("title").textContent = (isMap ? this.map!.map : this.shown).said.title;
    element("chart").hidden = element("profile").hidden = element("bar").hidden = element("spans").hidden = isMap;
    element("map").hidden = element("legend").hidden = element("sentence").hidden = !isMap;
    element("zone").hidden = isMap;
    for (const button of document.querySelectorAll<HTMLButtonElement>("#sides button")) {
      button.setAttribute("aria-pressed", String(button.dataset.side === settings.side));
    }
    for (const button of document.querySelectorAll<HTMLButtonElement>("#views button")) {
      button.setAttribute("aria-pressed", String(button.dataset.view === settings.view));
    }
    element("theme").textContent = settings.theme === "dark" ? "Light" : "Dark";
    element("zone").textContent = settings.zone === "UTC" ? "UTC" : zoneName(this.heat?.heatmap.times.at(-1) ?? 0, "local");
    element<HTMLSelectElement>("colormap").value = settings.colormap;
    element<HTMLSelectElement>("shape").value = settings.scale;
    element<HTMLInputElement>("lock").checked = settings.locked;
    const unit = this.shown.said.unit;
    const cut = element<HTMLInputElement>("cut");
    cut.value = settings.cut ? amount(settings.cut, unit) : "0";
    element<HTMLInputElement>("top").value = amount(settings.top, unit);
    element<HTMLInputElement>("marks").value = settings.marks ? amount(settings.marks, "USD") : "0";
    for (const [id, value] of [["cut-handle", settings.cut], ["top-handle", settings.top]] as const) {
      const input = element<HTMLInputElement>(id);
      input.value = String(Math.round(1000 * scaled(Math.min(value / this.most(), 1), "sqrt")));
      input.setAttribute("aria-valuetext", amount(value, unit));
    }
    this.ramp();
    this.heat?.apply(settings);
    this.map?.apply(settings);
    this.describe();
  }

  /** Paint the colours from the cut to the top, and the numbers below them. */
  private ramp(): void {
    const { settings } = this;
    const canvas = element<HTMLCanvasElement>("ramp");
    if (!this.heat || !canvas.clientWidth) return;
    const width = (canvas.width = canvas.clientWidth);
    canvas.height = 1;
    const context = canvas.getContext("2d")!;
    const hex = this.look.tables[settings.colormap];
    const { top, cut, scale } = settings;
    for (let x = 0; x < width; x++) {
      const value = unscaled((x + 0.5) / width, "sqrt") * this.most();
      const share = cut > 0 ? (value - cut) / Math.max(top - cut, 1e-6 * cut) : value / top;
      const entry = value < cut ? 0 : Math.round(255 * scaled(Math.min(Math.max(share, 0), 1), scale));
      context.fillStyle = `#${hex.slice(6 * entry, 6 * entry + 6)}`;
      context.fillRect(x, 0, 1, 1);
    }
    const ticks = element("ticks");
    ticks.replaceChildren();
    let last = Infinity;
    for (const value of [this.most(), ...valueTicks(this.most()), 0]) {
      const place = scaled(value / this.most(), "sqrt") * width;
      if (last - place < 54) continue;
      last = place;
      const mark = document.createElement("span");
      mark.textContent = amount(value, this.shown.said.unit);
      mark.style.left = `${place}px`;
      ticks.append(mark);
    }
  }

  private pointed(point: Point | null): void {
    this.point = point;
    const output = element("readout");
    if (!this.heat || !point || Number.isNaN(point.seconds)) {
      output.replaceChildren(this.hint());
      for (const key of Object.keys(output.dataset)) delete output.dataset[key];
      return;
    }
    const { heatmap } = this.heat;
    const { settings } = this;
    const { level, seconds } = point;
    const parts = [`${instant(seconds, settings.zone)} ${zoneName(seconds, settings.zone)}`];
    const places = decimals(heatmap.said.step);
    const [low, high] = [heatmap.edge(point.row), heatmap.edge(point.row + 1)];
    parts.push(`${priceText(low, places)} to ${priceText(high, places)}`);
    output.dataset.time = String(seconds);
    output.dataset.low = String(low);
    for (const side of ["long", "short"] as const) {
      output.dataset[side] = String(heatmap.level(point.column, point.row, side).amount);
    }
    const close = heatmap.closeAt(point.column);
    const strong = document.createElement("b");
    if (level) {
      strong.textContent = `${amount(level.amount, heatmap.said.unit)} of ${level.side}s`;
      parts.push(`there ${since(level, seconds + heatmap.said.window, settings.zone)}`);
    } else {
      strong.textContent = "no level";
    }
    if (close !== null) parts.push(`${distance((low + high) / 2, close)} ${this.heat.priceText(close)}`);
    if (level) parts.push(...this.split(level, point.column));
    for (const [k, side] of ["longs", "shorts"].entries()) {
      const gone = heatmap.realised[2 * point.column + k];
      if (gone > 0) parts.push(`$${compact(gone)} of ${side} liquidated`);
    }
    output.replaceChildren(strong, `  ·  ${parts.join("  ·  ")}`);
  }

  /** Which tiers a level of the last column is made of. */
  private split(level: Level, column: number): string[] {
    const { map, heatmap } = this.shown;
    if (!map || column !== heatmap!.columns - 1) return [];
    const tiers: [string, number][] = map.said.layers.map((name) => [name, 0]);
    for (let bin = 0; bin < map.bins; bin++) {
      const middle = map.prices[bin] + map.said.step / 2;
      if (middle < level.low || middle >= level.high) continue;
      tiers.forEach((tier, layer) => (tier[1] += map.of(level.side, layer, bin)));
    }
    return sharesOf(tiers);
  }

  private pointedBar(point: BarPoint | null): void {
    const output = element("readout");
    if (!this.map || !point) {
      output.replaceChildren(this.hint());
      return;
    }
    const { said } = this.map.map;
    const strong = document.createElement("b");
    const side = point.long >= point.short ? "long" : "short";
    const value = point.long + point.short;
    strong.textContent = value ? `${amount(value, said.unit)} of ${side}s` : "no level";
    const parts = [`${this.map.priceText(point.low)} to ${this.map.priceText(point.high)}`];
    if (said.last !== null) {
      parts.push(`${distance((point.low + point.high) / 2, said.last)} ${this.map.priceText(said.last)}`);
      parts.push(`${amount(point.reached, said.unit)} on the way there`);
    }
    output.dataset.low = String(point.low);
    output.dataset.long = String(point.long);
    output.dataset.short = String(point.short);
    output.replaceChildren(strong, `  ·  ${[...parts, ...sharesOf(point.layers)].join("  ·  ")}`);
  }

  private hint(): string {
    return matchMedia("(pointer: coarse)").matches ? "Hold a finger on the chart to read a value." : "Point at the chart to read a value; ? lists the keys.";
  }

  /** Let the colour scale end where it usually does for what is in view. */
  private retop(): void {
    const top = this.heat?.usualTop() ?? 0;
    if (!top || Math.abs(top / this.settings.top - 1) <= 0.02) return;
    this.settings = { ...this.settings, top };
    this.apply();
  }

  /** Something else is in view. */
  private moved(): void {
    clearTimeout(this.later);
    this.later = setTimeout(() => { // once it stands still: it is more than a frame has time for
      if (!this.settings.locked) this.retop();
      this.listLevels();
      this.keepLink();
      this.describe();
    }, 120);
  }

  /** What is seen, in words, for those who do not see it. */
  private describe(): void {
    const { heat, map, settings } = this;
    if (heat && settings.view === "heatmap") {
      const [low, high] = heat.prices();
      const { columns } = heat.inView();
      const { times, said } = heat.heatmap;
      const [first, last] = [times[columns[0]] ?? 0, (times[columns[1] - 1] ?? 0) + said.window];
      const words = `${instant(first, settings.zone)} to ${instant(last, settings.zone)} ${zoneName(last, settings.zone)}, `;
      element("chart").setAttribute("aria-label", `${said.title}, ${words}${heat.priceText(low)} to ${heat.priceText(high)}`);
    }
    if (map && settings.view === "map") {
      const bars = `bars, left: ${map.map.said.unit} per ${priceText(map.binSize, decimals(map.binSize))} of price`;
      element("said").textContent = [...map.map.said.said, bars].join("  ·  ");
    } else {
      element("said").textContent = this.label.join("  ·  ");
    }
    if (map) element("map").setAttribute("aria-label", `${this.shown.said.title}. ${map.map.said.sentence}`);
  }

  private listLevels(): void {
    const body = document.querySelector("#levels tbody")!;
    const caption = document.querySelector("#levels caption")!;
    const box = element<HTMLDetailsElement>("levels");
    box.hidden = !this.heat || this.settings.view === "map";
    if (!this.heat || !box.open) return;
    const { heatmap } = this.heat;
    const { columns, rows } = this.heat.inView();
    const column = columns[1] - 1;
    body.replaceChildren();
    if (column < 0) return;
    const end = heatmap.times[column] + heatmap.said.window;
    const close = heatmap.closeAt(column);
    caption.textContent = `In view at ${instant(end, this.settings.zone)} ${zoneName(end, this.settings.zone)}, the largest of neighbouring rows`;
    const places = decimals(heatmap.said.step);
    for (const level of heatmap.levels(column, rows, this.settings.side, this.settings.cut, 3)) {
      const row = document.createElement("tr");
      const cells = [
        level.side,
        `${priceText(level.low, places)} to ${priceText(level.high, places)}`,
        amount(level.amount, heatmap.said.unit),
        close === null ? "" : distance((level.low + level.high) / 2, close),
        since(level, end, this.settings.zone).replace("since ", ""),
      ];
      for (const [k, text] of cells.entries()) {
        const cell = document.createElement("td");
        if (k === 2 || k === 3) cell.className = "number";
        cell.textContent = text;
        row.append(cell);
      }
      body.append(row);
    }
  }

  private reset(): void {
    this.heat?.reset();
    this.map?.reset();
  }

  private zoom(factor: number): void {
    if (this.settings.view === "map") this.map?.zoom(factor);
    else this.heat?.zoom(factor);
  }

  private key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const own = 'input[type="text"], select, dialog *'; // these have keys of their own; so has a handle, its arrows
    if (event.ctrlKey || event.metaKey || event.altKey || target.matches(own)) return;
    if (target.matches('input[type="range"]') && event.key.startsWith("Arrow")) return;
    const { settings } = this;
    const isMap = settings.view === "map";
    const steps: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
    };
    const keys: Record<string, () => void> = {
      "+": () => this.zoom(0.7),
      "=": () => this.zoom(0.7),
      "-": () => this.zoom(1 / 0.7),
      "0": () => this.reset(),
      l: () => this.change({ side: "long" }),
      s: () => this.change({ side: "short" }),
      b: () => this.change({ side: "both" }),
      k: () => this.change({ locked: !settings.locked }),
      n: () => this.live && this.heat?.reset(),
      m: () => this.heat && this.map && this.change({ view: isMap ? "heatmap" : "map" }),
      p: () => void this.savePicture(),
      c: () => this.saveTable(),
      t: () => element("theme").click(),
      z: () => element("zone").click(),
      "[": () => this.change({ cut: Math.max(settings.cut - settings.top / 20, 0) }),
      "]": () => this.change({ cut: Math.min(settings.cut + settings.top / 20, settings.top) }),
      "?": () => element("help").click(),
    };
    const step = steps[event.key];
    const span = this.spans[Number(event.key) - 1];
    if (step) {
      if (isMap) this.map?.pan(0.1 * step[0]);
      else if (event.shiftKey) this.heat?.cursor(...step);
      else this.heat?.pan(0.1 * step[0], 0.1 * step[1]);
    } else if (span && !isMap) {
      this.heat?.span(span[1]);
    } else if (keys[event.key] ?? keys[event.key.toLowerCase()]) {
      (keys[event.key] ?? keys[event.key.toLowerCase()])();
    } else {
      return;
    }
    event.preventDefault();
  }

  // --- what leaves the page ---

  private name(extension: string): string {
    const end = this.heat ? this.heat.heatmap.times[this.heat.inView().columns[1] - 1] : this.shown.map?.said.time;
    return save.name(this.shown.said, this.settings.view, end ?? 0, extension);
  }

  private async savePicture(): Promise<void> {
    const chart = this.settings.view === "map" ? this.map?.chart : this.heat?.chart;
    if (!chart) return;
    const { said } = this.shown;
    const scale = this.settings.view === "map" ? "" : `${amount(this.settings.cut, said.unit)} to ${amount(this.settings.top, said.unit)}, ${this.settings.scale} scale`;
    const aside = this.settings.view === "map" ? null : element<HTMLCanvasElement>("profile");
    const lines = [element("said").textContent ?? "", [scale, ...said.terms, said.software].filter(Boolean).join("  ·  ")];
    if (this.settings.view === "map") lines.splice(1, 0, element("sentence").textContent ?? "");
    const colours = this.look.themes[this.settings.theme];
    await save.file(await stamped(chart.takeScreenshot(), aside, said, lines, colours), this.name("png"));
  }

  private saveTable(): void {
    const text = tableOf(this.shown, this.settings, this.heat?.inView() ?? null, this.map?.prices() ?? [0, 0]);
    void save.file(new Blob([text], { type: "text/csv" }), this.name("csv"));
  }

  private async copyLink(): Promise<void> {
    this.keepLink();
    const button = element("link");
    try {
      await navigator.clipboard.writeText(location.href);
      button.textContent = "Copied";
    } catch {
      button.textContent = "In the address bar";
    }
    setTimeout(() => (button.textContent = "Link"), 1500);
  }

  private ready = false;

  private keepLink(): void {
    if (!this.ready) return;
    try {
      history.replaceState(null, "", toLink(this.settings, this.heat, this.map, this.live?.selection));
    } catch {
      // a frame of somebody else's page may have no address of its own
    }
  }

  /** Show what the link says. */
  follow(): void {
    const { settings, columns, prices, mapPrices } = fromLink(location.hash, this.settings, this.look, this.shown);
    this.settings = settings;
    this.ready = false;
    this.apply();
    if (columns) this.heat?.setRange(...columns);
    if (prices) this.heat?.setPrices(...prices);
    if (mapPrices) this.map?.setPrices(...mapPrices);
    this.listLevels();
    this.pointed(null);
    requestAnimationFrame(() => requestAnimationFrame(() => (this.ready = true)));
  }

  /** As at first. */
  private fresh(): void {
    this.settings = { ...this.first };
    this.apply();
    this.reset();
    this.pointed(null);
  }

  /** For programs that embed the page, and tests. */
  get handle() {
    return {
      settings: () => ({ ...this.settings }),
      set: (changed: Partial<Settings>) => this.change(changed),
      place: (column: number, row: number) => this.heat?.place(column, row),
      view: () => ({ columns: this.heat?.range(), prices: this.heat?.prices(), joined: this.heat?.layer.joined }),
      setView: (columns: [number, number], prices: [number, number]) => {
        this.heat?.setRange(...columns);
        this.heat?.setPrices(...prices);
      },
      point: () => this.point,
      columns: () => this.heat?.heatmap.columns ?? 0,
      rows: () => this.heat && { low: this.heat.heatmap.said.low, step: this.heat.heatmap.said.step },
      fresh: () => this.fresh(),
      most: () => this.most(),
      binSize: () => this.map?.binSize,
      bars: () => this.map?.prices(),
      setBars: (low: number, high: number) => this.map?.setPrices(low, high),
    };
  }
}

function since(level: Level, now: number, zone: Zone): string {
  return `since ${level.older ? "before " : ""}${instant(level.since, zone)} (${duration(now - level.since)})`;
}

function distance(price: number, last: number): string {
  const percent = 100 * (price / last - 1);
  return `${Math.abs(percent).toFixed(2)}% ${percent < 0 ? "below" : "above"}`;
}

/** Names and shares of what is not nothing, the largest first. */
function sharesOf(parts: [string, number][]): string[] {
  const all = parts.reduce((sum, [, value]) => sum + value, 0);
  const some = parts.filter(([, value]) => value > 0.005 * all).sort((a, b) => b[1] - a[1]);
  return all ? [some.map(([name, value]) => `${name} ${Math.round((100 * value) / all)}%`).join(", ")] : [];
}

function settingsOf({ said, heatmap }: Shown): Settings {
  return {
    side: said.side,
    scale: heatmap?.said.scale ?? "linear",
    colormap: heatmap?.said.colormap ?? "viridis",
    theme: said.theme,
    zone: "UTC",
    cut: heatmap?.said.cut ?? 0,
    top: heatmap?.said.top || 1,
    locked: false,
    view: said.kind,
    marks: 0,
  };
}

async function start(): Promise<void> {
  const look = JSON.parse(element("look").textContent ?? "") as Look;
  const data = element("data").textContent ?? "";
  let page: Page | null = null;
  const open = (shown: Shown, live: Live | null) => {
    page = new Page(shown, look, settingsOf(shown), live);
    Object.assign(globalThis, { liqcore: page.handle });
    page.follow();
  };
  if (data) {
    open(read(await inflate(Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)))), null);
    return;
  }
  const live = new Live(askedIn(location.hash));
  live.took = (heatmap) => {
    if (page) return page.take(heatmap);
    element("readout").textContent = "";
    open({ heatmap, map: null, said: heatmap.said }, live);
    live.map().then((map) => page!.takeMap(map)).catch(() => undefined);
  };
  live.refused = (why) => (element("readout").textContent = why);
  element("readout").textContent = "Waiting for the market's first trade.";
  await live.begin();
}

start().catch((error: unknown) => {
  const box = element("error");
  box.hidden = false;
  box.textContent = `This page cannot be shown: ${error instanceof Error ? error.message : String(error)}`;
  throw error;
});
