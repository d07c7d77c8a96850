/** The page: what is read from the document is shown in it, and its controls change it. */

import { ColourBar } from "./bar";
import { goBeyond } from "./beyond";
import type { Heatmap, LiquidationMap, Shown, Side } from "./data";
import type { Earlier } from "./earlier";
import { Following, type Followed } from "./following";
import { HeatmapChart, type Point } from "./heatmap";
import { takeKeys, type Keyed } from "./keys";
import { Label } from "./label";
import { Levels } from "./levels";
import { copyLink, fromLink, keepLink } from "./link";
import type { Live } from "./live";
import { SPANS, settingsOf, type Look, type Settings } from "./look";
import { MapChart } from "./map";
import { Readout } from "./readout";
import { timeTyped } from "./replay";
import { savePicture, saveTable } from "./save";
import { foldControls } from "./sheet";
import { listSwept } from "./swept";
import { click, element, paintTheme, typedAs, typedInto } from "./view";
import { amount, zoneName } from "./words";

export class Page implements Keyed, Followed {
  readonly heat: HeatmapChart | null = null;
  map: MapChart | null = null;
  settings: Settings;
  private readonly first: Settings;
  private readonly label: Label;
  private readonly levels: Levels;
  private readonly bar: ColourBar;
  private readonly readout: Readout;
  private readonly following: Following | null;
  private readonly spans: [string, number | null][] = [];
  private readonly earlier: Earlier | null = null;
  private point: Point | null = null;
  private later = 0;
  private ready = false; // from when on the link says what is seen
  private fresher = false; // another market: its prices are elsewhere

  constructor(public shown: Shown, readonly look: Look, private readonly live: Live | null) {
    const { heatmap, map } = shown;
    this.first = this.settings = settingsOf(shown);
    this.label = new Label(this);
    this.label.write();
    if (heatmap) {
      this.heat = new HeatmapChart(element("chart"), element("profile"), heatmap, look, this.settings);
      this.heat.pointed = (point) => this.pointed(point);
      this.heat.moved = () => this.moved();
      const whole = heatmap.columns * heatmap.said.window + Math.max(heatmap.times[0] - (live?.kept ?? Infinity), 0);
      this.spans = [...SPANS.filter(([, length]) => length < whole && length >= 4 * heatmap.said.window), ["All", null]];
    }
    this.levels = new Levels(this);
    this.bar = new ColourBar(this);
    this.readout = new Readout(this);
    element("map").hidden = false; // its size is needed to lay it out
    if (map) this.openMap(map);
    this.wire();
    foldControls();
    takeKeys(this);
    this.following = live && new Following(this, live);
    if (live && this.heat) this.earlier = goBeyond(live, this.heat, this);
    this.apply();
    this.list();
  }

  get isLive(): boolean {
    return this.live !== null;
  }

  /** Show what has come since. */
  take(heatmap: Heatmap): void {
    if (!this.heat) return;
    this.shown = { ...this.shown, heatmap, said: heatmap.said };
    this.bar.take();
    this.heat.take(heatmap);
    if (this.fresher) this.reset();
    this.fresher = false;
    this.label.write();
    if (!this.settings.locked) this.retop();
    this.label.describe();
    this.list();
    if (this.point) this.heat.again();
  }

  /** Show another map of a server. */
  takeMap(map: LiquidationMap): void {
    this.shown = { ...this.shown, map };
    if (this.map) {
      this.map.take(map);
    } else {
      element("map").hidden = false;
      this.openMap(map);
      element("views").hidden = false;
    }
    this.label.write();
    this.apply();
  }

  private openMap(map: LiquidationMap): void {
    this.map = new MapChart(element("map"), map, this.look, this.settings);
    this.map.pointed = (point) => this.readout.bars(point);
    this.map.moved = () => this.moved();
  }

  asked(otherMarket: boolean): void {
    this.fresher = otherMarket;
    this.keepLink();
  }

  private wire(): void {
    for (const button of document.querySelectorAll<HTMLButtonElement>("#sides button")) {
      button.addEventListener("click", () => this.change({ side: button.dataset.side as Side }));
    }
    for (const button of document.querySelectorAll<HTMLButtonElement>("#views button")) {
      button.addEventListener("click", () => this.change({ view: button.dataset.view as Settings["view"] }));
    }
    element("views").hidden = !(this.heat && this.map);
    const only = this.shown.said.side;
    element("sides").hidden = only !== "both" && !this.heat?.heatmap.long.some(Boolean) === !this.heat?.heatmap.short.some(Boolean);
    for (const [number, [name, length]] of this.spans.entries()) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.title = length === null ? "All times" : `The last ${name}`;
      button.addEventListener("click", () => this.span(number + 1));
      element("spans").append(button);
    }
    click("reset", () => this.reset());
    click("in", () => this.zoom(0.7));
    click("out", () => this.zoom(1 / 0.7));
    click("png", () => this.savePicture());
    click("csv", () => this.saveTable());
    click("link", () => {
      this.keepLink();
      void copyLink(element("link"));
    });
    click("theme", () => this.change({ theme: this.settings.theme === "dark" ? "light" : "dark" }));
    click("zone", () => this.change({ zone: this.settings.zone === "UTC" ? "local" : "UTC" }));
    click("help", () => element<HTMLDialogElement>("keys").showModal());
    typedInto("marks", (marks) => this.change({ marks }), 0);
    typedAs("show", "A time that there are columns of, such as 2026-06-12 10:00, or 10:00 of the last day.", (text) => this.showTime(text));
    element("swept").addEventListener("toggle", () => listSwept(this));
    window.addEventListener("hashchange", () => this.follow());
  }

  change(changed: Partial<Settings>): void {
    this.settings = { ...this.settings, ...changed };
    if (changed.locked === false) this.settings.top = this.heat?.usualTop() || this.settings.top;
    this.apply();
    if (changed.levels && !this.settings.locked) this.retop();
    this.list();
    this.keepLink();
  }

  /** Fill in the tables that are open. */
  private list(): void {
    this.levels.list();
    listSwept(this);
  }

  /** Bring the document in line with the settings. */
  private apply(): void {
    const { settings, look } = this;
    document.documentElement.dataset.view = settings.view;
    paintTheme(look, settings.theme);
    const isMap = settings.view === "map";
    element("chart").hidden = element("profile").hidden = element("bar").hidden = element("spans").hidden = isMap;
    element("map").hidden = element("legend").hidden = element("sentence").hidden = !isMap;
    element("zone").hidden = element("show").parentElement!.hidden = isMap;
    for (const button of document.querySelectorAll<HTMLButtonElement>("#sides button")) {
      button.setAttribute("aria-pressed", String(button.dataset.side === settings.side));
    }
    for (const button of document.querySelectorAll<HTMLButtonElement>("#views button")) {
      button.setAttribute("aria-pressed", String(button.dataset.view === settings.view));
    }
    element("theme").textContent = settings.theme === "dark" ? "Light" : "Dark";
    element("zone").textContent = settings.zone === "UTC" ? "UTC" : zoneName(this.heat?.heatmap.times.at(-1) ?? 0, "local");
    element<HTMLInputElement>("marks").value = settings.marks ? amount(settings.marks, "USD") : "0";
    this.bar.apply();
    this.heat?.apply(settings);
    this.map?.apply(settings);
    this.label.describe();
    this.offerNow();
  }

  private pointed(point: Point | null): void {
    this.point = point;
    this.readout.cell(point);
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
      this.list();
      this.keepLink();
      this.label.describe();
      this.offerNow();
      this.following?.viewed();
    }, 120);
  }

  /** Where another time is looked at, a button leads back. */
  private offerNow(): void {
    element("now").hidden = !this.live || this.settings.view === "map" || !this.heat || this.heat.seesNewest(this.earlier?.newest ?? 0);
  }

  /** Bring a time that was typed into view; whether there are columns of it. */
  private showTime(text: string): boolean {
    const { heat } = this;
    if (!heat) return false;
    const { times, said } = heat.heatmap;
    const newest = Math.max(this.live?.clock ?? 0, (times.at(-1) ?? 0) + said.window);
    const seconds = timeTyped(text, newest - 1, this.settings.zone);
    const is = seconds >= heat.earliest() && seconds < newest;
    if (is) heat.showTime(seconds);
    return is;
  }

  reset(): void {
    this.heat?.reset();
    this.map?.reset();
  }

  zoom(factor: number): void {
    if (this.settings.view === "map") this.map?.zoom(factor);
    else this.heat?.zoom(factor);
  }

  span(number: number): boolean {
    const span = this.spans[number - 1];
    if (span) this.heat?.span(span[1]);
    return span !== undefined;
  }

  moveCursor(columns: number, rows: number): void {
    this.heat?.cursor(columns, rows);
    this.readout.speak();
  }

  savePicture(): void {
    void savePicture(this);
  }

  saveTable(): void {
    saveTable(this);
  }

  private keepLink(): void {
    if (this.ready) keepLink(this.settings, this.heat, this.map, this.live?.selection);
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
    this.list();
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
      shows: () => this.heat && { first: this.heat.heatmap.times[0], ...this.heat.heatmap.said, drawn: this.heat.marks.drawn, paintings: this.heat.marks.paintings, bytes: this.earlier?.bytes ?? 0 },
      at: (seconds: number, price: number) => this.heat?.at(seconds, price),
      rows: () => this.heat && { low: this.heat.heatmap.said.low, step: this.heat.heatmap.said.step },
      fresh: () => this.fresh(),
      most: () => this.bar.most(),
      binSize: () => this.map?.binSize,
      bars: () => this.map?.prices(),
      setBars: (low: number, high: number) => this.map?.setPrices(low, high),
    };
  }
}
