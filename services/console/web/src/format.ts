/* Numbers and moments as people read them. Money is decimal text until it is shown. */

const MINUS = "−";
const NANOS_PER_MS = 1_000_000n;
export const NONE = "–";

export function millisOf(nanos: string | null | undefined): number | null {
  if (!nanos || nanos === "0") return null;
  try {
    return Number(BigInt(nanos) / NANOS_PER_MS);
  } catch {
    return null;
  }
}

function grouped(value: number, digits: number): string {
  return Math.abs(value).toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** Text of a number with a true minus; `signed` also shows a plus. */
export function number(value: number | null | undefined, digits = 2, signed = false): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const text = grouped(value, digits);
  const isZero = !/[1-9]/.test(text);
  const sign = isZero ? "" : value < 0 ? MINUS : signed ? "+" : "";
  return sign + text;
}

export function money(value: string | null | undefined, signed = false, digits = 2): string {
  return value === null || value === undefined || value === ""
    ? NONE
    : number(Number(value), digits, signed);
}

/** A quantity or a price with the digits it came with, grouped. */
export function plain(value: string | null | undefined): string {
  if (value === null || value === undefined || value === "") return NONE;
  const figure = Number(value);
  if (!Number.isFinite(figure)) return value;
  const digits = Math.min(8, (value.split(".")[1] ?? "").replace(/0+$/, "").length);
  return number(figure, digits);
}

export function percent(value: number | null | undefined, signed = false, digits = 2): string {
  const text = number(value, digits, signed);
  return text === NONE ? text : `${text} %`;
}

/** What a control observed or allows: its leading number shortened, the words behind it kept. */
export function figure(text: string | null): string {
  if (text === null) return NONE;
  const [, head, rest = ""] = /^(-?\d+(?:\.\d+)?)(.*)$/s.exec(text) ?? [];
  if (head === undefined) return text;
  const value = Number(head);
  const digits = Math.abs(value) >= 1_000 ? 0 : Math.min(4, (head.split(".")[1] ?? "").length);
  return number(value, digits) + rest;
}

const UNITS: Record<string, string> = { percent: "%", currency: "", count: "", state: "", share: "" };

export function unit(name: string): string {
  return UNITS[name] ?? name;
}

/** A price: never with less than two digits after the point. */
export function price(value: string | null | undefined): string {
  if (value === null || value === undefined || value === "") return NONE;
  const digits = Math.max(2, Math.min(8, (value.split(".")[1] ?? "").replace(/0+$/, "").length));
  return number(Number(value), digits);
}

/** Short form for axes and tiles: 12.3 k, 4.5 M. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size >= 1e9) return `${number(value / 1e9, 1)} G`;
  if (size >= 1e6) return `${number(value / 1e6, 1)} M`;
  if (size >= 1e5) return `${number(value / 1e3, 1)} k`;
  return number(value, Number.isInteger(value) ? 0 : 2);
}

export function bytes(value: number): string {
  if (value >= 1 << 30) return `${number(value / (1 << 30), 1)} GiB`;
  if (value >= 1 << 20) return `${number(value / (1 << 20), 1)} MiB`;
  if (value >= 1 << 10) return `${number(value / (1 << 10), 1)} KiB`;
  return `${number(value, 0)} B`;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

export function clock(nanos: string | null | undefined): string {
  const millis = millisOf(nanos);
  return millis === null ? NONE : new Date(millis).toISOString().slice(11, 19);
}

export function day(nanos: string | null | undefined): string {
  const millis = millisOf(nanos);
  if (millis === null) return NONE;
  const at = new Date(millis);
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()] ?? ""} ${at.getUTCFullYear()}`;
}

export function moment(nanos: string | null | undefined): string {
  const millis = millisOf(nanos);
  return millis === null ? NONE : `${day(nanos)} ${clock(nanos)}`;
}

/** The clock alone for today of the desk, otherwise the day with it. */
export function brief(nanos: string | null | undefined, now: string | null | undefined): string {
  const then = millisOf(nanos);
  if (then === null) return NONE;
  const at = new Date(then);
  const today = millisOf(now);
  const isToday = today !== null && new Date(today).toISOString().slice(0, 10) === at.toISOString().slice(0, 10);
  if (isToday) return clock(nanos);
  const year = today !== null && new Date(today).getUTCFullYear() === at.getUTCFullYear() ? "" : ` ${at.getUTCFullYear()}`;
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()] ?? ""}${year} ${clock(nanos).slice(0, 5)}`;
}

export function duration(millis: number | null | undefined): string {
  if (millis === null || millis === undefined || !Number.isFinite(millis)) return NONE;
  if (millis < 1) return `${number(millis * 1000, 0)} µs`;
  if (millis < 1000) return `${number(millis, millis < 10 ? 1 : 0)} ms`;
  const seconds = millis / 1000;
  if (seconds < 60) return `${number(seconds, 1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function words(code: string | null | undefined): string {
  return code ? code.replaceAll("_", " ") : NONE;
}

const MODES: Record<string, string> = {
  full: "All models", data_stall: "Data stall: holding positions", rl_only: "RL only", predictors_only: "Predictors only, sizes halved",
  forecasts_missing: "Forecasts missing", no_models: "No models: no entries",
};

/** A failure mode as people call it. */
export function modeName(mode: string): string {
  return MODES[mode] ?? words(mode);
}

/** A kind of call, a trigger, a source: `reward_engineer` as “reward engineer”. */
export function listed(numbers: Record<string, number>, digits = 3): string {
  return Object.entries(numbers).map(([name, value]) => `${words(name)} ${number(value, digits)}`).join(", ");
}

export function shortId(id: string): string {
  return id.slice(0, 8);
}
