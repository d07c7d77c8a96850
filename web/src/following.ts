/** What a page of a server has besides: which market, tiers and time are asked for, what state it is in, alerts. */

import { amount, tierName } from "./words";
import { Alerts } from "./alerts";
import type { LiquidationMap } from "./data";
import type { Asked, Live } from "./live";
import { SPANS, STYLES } from "./look";
import { Replay } from "./replay";
import { listVenues } from "./venues";
import { popOut } from "./ticker";
import { click, element, typedInto, type View } from "./view";

/** What a server's controls ask of a page beyond what its parts share. */
export interface Followed extends View {
  takeMap(map: LiquidationMap): void;
  /** Something else has been asked for; of another market the prices are elsewhere. */
  asked(otherMarket: boolean): void;
}

export class Following {
  private readonly replay: Replay;

  constructor(private readonly page: Followed, private readonly live: Live) {
    element("live").hidden = element("state").hidden = false;
    const market = element<HTMLSelectElement>("market");
    for (const [names, words] of live.choices) market.append(new Option(words, names));
    market.value = live.selection.market;
    market.addEventListener("change", () => this.ask({ market: market.value, leverage: [] }));
    const model = element<HTMLSelectElement>("model");
    for (const [number, name] of live.models.entries()) model.append(new Option(name, number ? name : ""));
    model.value = live.selection.model;
    model.addEventListener("change", () => this.ask({ model: model.value }));
    element("of-model").hidden = live.models.length < 2;
    const within = element<HTMLSelectElement>("within");
    within.append(new Option("any time", ""), new Option("the time in view", "view"));
    for (const [style, frames] of STYLES) {
      const group = document.createElement("optgroup");
      group.label = style;
      group.append(...frames.map((frame) => new Option(frame)));
      within.append(group);
    }
    within.value = live.selection.as_view ? "view" : live.selection.opened_within;
    within.addEventListener("change", () => {
      const isView = within.value === "view";
      this.ask({ as_view: isView, opened_within: isView ? this.lengthInView() : within.value });
    });
    element("pop").hidden = false;
    click("pop", popOut);
    click("now", () => page.heat?.reset());
    this.listTiers();
    this.replay = new Replay(live);
    this.tell();
    setInterval(() => this.tell(), 500);
    setInterval(() => {
      if (page.settings.view === "map" && !document.hidden) this.askMap();
    }, 2_000);
    live.refused = (why) => this.fail(why);
    const alerts = new Alerts(element("happened"));
    live.happened = (news) => alerts.tell(news);
    live.moved = (words) => alerts.note(words);
    element("alerts").addEventListener("change", (event) => void alerts.turn((event.target as HTMLInputElement).checked));
    typedInto("alert-least", (least) => {
      alerts.least = least;
      element<HTMLInputElement>("alert-least").value = amount(least, "USD");
    }, 0);
  }

  private tell(): void {
    const [words, well] = this.live.state();
    const state = element("state");
    if (state.textContent !== words) state.textContent = words;
    state.dataset.well = String(well);
    this.replay.show();
    listVenues(element("venues"), this.live.venues());
  }

  /** The shortest of the usual lengths that is not shorter than what is in view; empty: there is none. */
  private lengthInView(): string {
    const { heat } = this.page;
    if (!heat) return "";
    const [from, to] = heat.range();
    const seconds = (Math.min(to, heat.heatmap.columns - 0.5) - from) * heat.heatmap.said.window;
    return SPANS.find(([, length]) => length >= seconds - heat.heatmap.said.window)?.[0] ?? "";
  }

  /** Other times have come into view. */
  viewed(): void {
    const { as_view, opened_within } = this.live.selection;
    const length = this.lengthInView();
    if (as_view && length !== opened_within) this.ask({ opened_within: length });
  }

  private listTiers(): void {
    const { live } = this;
    const box = element("tiers");
    box.replaceChildren();
    const chosen = live.selection.leverage;
    const all = document.createElement("button");
    all.type = "button";
    all.textContent = "all";
    all.title = "All tiers";
    all.dataset.tier = "all";
    all.setAttribute("aria-pressed", String(!chosen.length));
    all.addEventListener("click", () => this.ask({ leverage: [] }));
    box.append(all);
    for (const tier of live.tiers) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = tierName(tier);
      button.dataset.tier = String(tier);
      button.title = "This tier alone; pressed beside others, it is added or left out";
      button.setAttribute("aria-pressed", String(chosen.includes(tier)));
      button.addEventListener("click", () => {
        const every = live.tiers;
        const next = every.filter((other) => (other === tier) !== chosen.includes(other));
        this.ask({ leverage: next.length === every.length ? [] : next });
      });
      box.append(button);
    }
  }

  private ask(changed: Partial<Asked>): void {
    this.live.ask(changed);
    this.fail("");
    this.listTiers();
    this.page.asked(changed.market !== undefined);
    this.askMap();
  }

  private askMap(): void {
    this.live.map().then((map) => this.page.takeMap(map)).catch(() => undefined);
  }

  private fail(why: string): void {
    const box = element("error");
    box.hidden = !why;
    box.textContent = why;
  }
}
