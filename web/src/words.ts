/** Numbers, prices, times and spans as short text, as liqcore.render.labels writes them. */

/** A number with three significant digits and a unit prefix: 1.23M. */
export function compact(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const rounded = Number(value.toPrecision(3));
  for (const [limit, prefix] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]] as const) {
    if (Math.abs(rounded) >= limit) return `${Number((rounded / limit).toPrecision(3))}${prefix}`;
  }
  return String(rounded);
}

/** An amount with its unit: $1.23M, 1.23K BTC. */
export function amount(value: number, unit: string): string {
  return unit === "USD" ? `$${compact(value)}` : `${compact(value)} ${unit}`;
}

/** The number that somebody typed: "2.5M", "$400k", "1e6"; NaN where it is none. */
export function typed(text: string): number {
  const found = /^\s*\$?\s*([\d.,]+(?:e[+-]?\d+)?)\s*([kmbt]?)\s*(?:usd)?\s*$/i.exec(text);
  if (!found) return NaN;
  const factors: Record<string, number> = { "": 1, k: 1e3, m: 1e6, b: 1e9, t: 1e12 };
  return Number(found[1].replaceAll(",", "")) * factors[found[2].toLowerCase()];
}

/** How many decimals multiples of a step have, as far as eight significant digits show. */
export function decimals(step: number): number {
  const text = step.toPrecision(8);
  const plain = text.includes("e") ? Number(text).toFixed(14) : text;
  return (plain.split(".")[1] ?? "").replace(/0+$/, "").length;
}

export function price(value: number, places: number): string {
  return value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
}

/** A length of time with its two largest units: 1h 30m. */
export function duration(seconds: number): string {
  const parts: string[] = [];
  let left = Math.round(seconds);
  for (const [size, unit] of [[86_400, "d"], [3_600, "h"], [60, "m"], [1, "s"]] as const) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join(" ") || "0s";
}

/** A tier as it is shown: a leverage, or, below 1, the distance of its levels from the entry. */
export function tierName(tier: number): string {
  return tier < 1 ? `${Number((100 * tier).toPrecision(12))} %` : `${tier}x`;
}

export type Zone = "UTC" | "local";

/** An instant to the minute, or to the second: 2026-06-12 10:00. */
export function instant(seconds: number, zone: Zone, exact = false): string {
  const at = new Date(seconds * 1000);
  const shifted = zone === "UTC" ? at : new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, exact || seconds % 60 ? 19 : 16).replace("T", " ");
}

/** What a time zone is called beside an instant: UTC, or UTC+02:00. */
export function zoneName(seconds: number, zone: Zone): string {
  if (zone === "UTC") return "UTC";
  const minutes = -new Date(seconds * 1000).getTimezoneOffset();
  const two = (number: number) => String(Math.floor(number)).padStart(2, "0");
  return minutes ? `UTC${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}` : "UTC";
}

/** 1, 2 and 5 times the powers of ten below a maximum, largest first; four decades of them. */
export function valueTicks(maximum: number): number[] {
  const power = Math.floor(Math.log10(maximum));
  const ticks: number[] = [];
  for (let p = power; p > power - 4; p--) for (const factor of [5, 2, 1]) ticks.push(Number(`${factor}e${p}`));
  return ticks.filter((tick) => tick < maximum);
}

/** A name that every file system takes. */
export function fileName(...parts: string[]): string {
  return parts.filter(Boolean).join("-").replace(/[^\w.-]+/g, "-").replace(/^[-.]+/, "").slice(0, 120) || "liqcore";
}

/** A field of a CSV file; text that a spreadsheet would run as a formula is quoted out of it. */
export function field(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** How far a price is from the last one: 1.20% below. */
export function distance(price: number, last: number): string {
  const percent = 100 * (price / last - 1);
  return `${Math.abs(percent).toFixed(2)}% ${percent < 0 ? "below" : "above"}`;
}

/** Two instants of one span, the second without its day where that is the first one's. */
export function span(from: number, to: number, zone: Zone): string {
  const [begin, end] = [from, to].map((seconds) => instant(seconds, zone));
  return `${begin} to ${begin.slice(0, 10) === end.slice(0, 10) ? end.slice(11) : end}`;
}

/** Since when a level is there, and how long that is; of a column that joins several windows, between when. */
export function since(level: { since: number; older: boolean; within?: number }, now: number, zone: Zone): string {
  const { since: at, within = 0 } = level;
  const when = level.older ? `before ${instant(at, zone)}` : within ? span(at, at + within, zone) : instant(at, zone);
  return `since ${when} (${duration(now - at)})`;
}
