/** What a reader takes away: a picture that says what it shows, a table. */

import type { Said, Shown } from "./data";
import type { Settings } from "./look";
import { element, type View } from "./view";
import { amount, field, fileName, instant, span, zoneName } from "./words";

/** Save what is seen as a picture. */
export async function savePicture(page: View): Promise<void> {
  const { settings, shown, heat, map, look } = page;
  const isMap = settings.view === "map";
  const chart = isMap ? map?.chart : heat?.chart;
  if (!chart) return;
  const { said } = shown;
  const scale = isMap ? "" : `${amount(settings.cut, said.unit)} to ${amount(settings.top, said.unit)}, ${settings.scale} scale`;
  const aside = isMap ? null : element<HTMLCanvasElement>("profile");
  const lines = [element("said").textContent ?? "", [scale, ...said.terms, said.software].filter(Boolean).join("  ·  ")];
  if (isMap) lines.splice(1, 0, element("sentence").textContent ?? "");
  else if (heat) lines.unshift(timesOf(page));
  download(await stamped(chart.takeScreenshot(), aside, said, lines, keyOf(page), look.themes[settings.theme]), nameOf(page, "png"));
}

/** Which times are in view. */
function timesOf({ heat, settings }: View): string {
  const { heatmap } = heat!;
  const { columns } = heat!.inView();
  const end = (heatmap.times[columns[1] - 1] ?? 0) + heatmap.said.window;
  return `${span(heatmap.times[columns[0]] ?? 0, end, settings.zone)} ${zoneName(end, settings.zone)}`;
}

/** What colours mean: names with a colour each, or with the ramp. */
function keyOf({ settings, look, map, heat }: View): [string | HTMLCanvasElement, string][] {
  const colours = look.themes[settings.theme];
  if (settings.view === "map") return (map?.map.said.layers ?? []).map((name, layer) => [colours[map!.map.said.roles[layer]], name]);
  const ramp = element<HTMLCanvasElement>("ramp");
  const unit = heat?.heatmap.said.unit ?? "";
  const ends = settings.levels === "amounts" ? `${amount(settings.cut, unit)} to ${amount(settings.top, unit)} and more` : settings.levels;
  return [...(ramp.width > 0 ? [[ramp, ends] as [HTMLCanvasElement, string]] : []), [colours.long, "longs"], [colours.short, "shorts"]];
}

/** Save the levels in view as a table. */
export function saveTable(page: View): void {
  const text = tableOf(page.shown, page.settings, page.heat?.inView() ?? null, page.map?.prices() ?? [0, 0]);
  download(new Blob([text], { type: "text/csv" }), nameOf(page, "csv"));
}

/** A name that says market, kind and time. */
function nameOf({ shown, settings, heat }: View, extension: string): string {
  const end = heat ? heat.heatmap.times[heat.inView().columns[1] - 1] : shown.map?.said.time;
  const time = instant(end ?? 0, "UTC").replace(/[ :]/g, "");
  return `${fileName("liqcore", shown.said.symbol, shown.said.venue, shown.said.model, settings.view, time)}.${extension}`;
}

function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** The chart, what stands beside it, title and label in one picture. */
async function stamped(
  chart: HTMLCanvasElement,
  aside: HTMLCanvasElement | null,
  said: Said,
  lines: string[],
  key: [string | HTMLCanvasElement, string][],
  colours: Record<string, string>,
): Promise<Blob> {
  const ratio = window.devicePixelRatio;
  const canvas = document.createElement("canvas");
  canvas.width = chart.width + (aside?.clientWidth ? aside.width : 0);
  const context = canvas.getContext("2d")!;
  const set = (size: number, bold = false) => (context.font = `${bold ? "600 " : ""}${size * ratio}px system-ui, sans-serif`);
  set(12);
  const room = canvas.width - 20 * ratio;
  const width = (text: string) => context.measureText(text).width;
  const wrapped = lines.flatMap((line) => wrap(line, room, width));
  set(18, true);
  const titles = wrap(said.synthetic ? `SYNTHETIC DATA  ·  ${said.title}` : said.title, room, width);
  const head = 10 + 24 * titles.length;
  const top = (head + 18 * (wrapped.length + 1)) * ratio;
  canvas.height = chart.height + top;
  context.fillStyle = colours.page;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.textBaseline = "middle";
  context.fillStyle = colours.text;
  set(18, true);
  titles.forEach((line, k) => context.fillText(line, 10 * ratio, (18 + 24 * k) * ratio));
  set(12);
  wrapped.forEach((line, k) => context.fillText(line, 10 * ratio, (head + 6 + 18 * k) * ratio));
  let left = 10 * ratio;
  const middle = (head + 6 + 18 * wrapped.length) * ratio;
  for (const [colour, name] of key) {
    const size = typeof colour === "string" ? 10 * ratio : 90 * ratio;
    context.fillStyle = typeof colour === "string" ? colour : colours.text;
    if (typeof colour === "string") context.fillRect(left, middle - 5 * ratio, size, 10 * ratio);
    else context.drawImage(colour, left, middle - 5 * ratio, size, 10 * ratio);
    context.fillStyle = colours.text;
    context.fillText(name, left + size + 5 * ratio, middle);
    left += size + 19 * ratio + width(name);
  }
  context.drawImage(chart, 0, top);
  if (aside?.clientWidth) context.drawImage(aside, chart.width, top);
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("no picture"))), "image/png"));
}

/** Lines of a text that fit: broken between its parts, and a part that is too long between its words. */
function wrap(text: string, room: number, width: (text: string) => number): string[] {
  const lines: string[] = [];
  const add = (part: string, between: string): void => {
    const joined = lines.length ? `${lines.at(-1)}${between}${part}` : part;
    if (lines.length && width(joined) <= room) lines[lines.length - 1] = joined;
    else if (width(part) <= room || !part.includes(" ")) lines.push(part);
    else for (const [k, word] of part.split(" ").entries()) add(word, k ? " " : between);
  };
  for (const part of text.split("  ·  ")) add(part, "  ·  ");
  return lines;
}

/** The levels in view as CSV: of the last column in view, or the bars of a map. */
function tableOf(
  shown: Shown,
  settings: Settings,
  inView: { columns: [number, number]; rows: [number, number] } | null,
  prices: [number, number],
): string {
  const rows: (string | number)[][] = [];
  const { heatmap, map, said } = shown;
  if (settings.view === "heatmap" && heatmap && inView) {
    const column = inView.columns[1] - 1;
    const end = column < 0 ? 0 : heatmap.times[column] + heatmap.said.window;
    const close = heatmap.closeAt(column);
    rows.push(["time", "side", "low", "high", "amount", "unit", "distance_percent", "since", "symbol", "venue", "model"]);
    for (const level of column < 0 ? [] : heatmap.levels(column, inView.rows, settings.side, settings.cut)) {
      const away = close === null ? "" : Number((100 * ((level.low + level.high) / 2 / close - 1)).toFixed(4));
      rows.push([
        instant(end, "UTC", true), level.side, short(level.low), short(level.high), short(level.amount), said.unit, away,
        instant(level.since, "UTC", true), said.symbol, said.venue, said.model,
      ]);
    }
  } else if (map) {
    rows.push(["time", "low", "high", ...map.said.layers.flatMap((name) => [`long_${name}`, `short_${name}`]), "unit", "symbol", "venue", "model"]);
    for (let bin = 0; bin < map.bins; bin++) {
      const low = map.prices[bin];
      if (low + map.said.step <= prices[0] || low >= prices[1] || !(map.sum("long", bin) + map.sum("short", bin))) continue;
      const amounts = map.said.layers.flatMap((_, layer) => [short(map.of("long", layer, bin)), short(map.of("short", layer, bin))]);
      rows.push([instant(map.said.time, "UTC", true), short(low), short(low + map.said.step), ...amounts, said.unit, said.symbol, said.venue, said.model]);
    }
  }
  return rows.map((row) => `${row.map(field).join(",")}\r\n`).join("");
}

function short(value: number): number {
  return Number(value.toPrecision(8));
}
