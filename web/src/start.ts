/** Where the page begins: with the data that it holds, or with a server's. */

import { inflate } from "./cells";
import { read, type Shown } from "./data";
import { askedIn } from "./link";
import { Live } from "./live";
import type { Look } from "./look";
import { Page } from "./page";
import { Ticker, isTicker } from "./ticker";
import { element, paintTheme } from "./view";

async function start(): Promise<void> {
  const look = JSON.parse(element("look").textContent ?? "") as Look;
  const data = element("data").textContent ?? "";
  let page: Page | null = null;
  const open = (shown: Shown, live: Live | null) => {
    page = new Page(shown, look, live);
    Object.assign(globalThis, { liqcore: page.handle });
    page.follow();
  };
  if (data) {
    open(read(await inflate(Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)))), null);
    return;
  }
  const live = new Live(askedIn(location.hash));
  if (isTicker(location.search)) {
    paintTheme(look, new URLSearchParams(location.hash.slice(1)).get("theme") === "light" ? "light" : "dark");
    const ticker = new Ticker(live);
    live.took = (heatmap) => ticker.take(heatmap);
    live.refused = (why) => (element("ticker-state").textContent = why);
    await live.begin();
    return;
  }
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
