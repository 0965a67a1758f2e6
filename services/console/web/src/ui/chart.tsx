/* The two charts. They are a picture of what the tables say; each carries a sentence that says it. */
import {
  BaselineSeries,
  CandlestickSeries,
  ColorType,
  createChart,
  createSeriesMarkers,
  LineStyle,
  type IChartApi,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  type SeriesMarker,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { useEffect, useRef, type ReactElement } from "react";
import type { BarView, EquityPoint, MarksView } from "../api/types.gen.ts";
import { millisOf, number } from "../format.ts";
import { cssColour, useTheme } from "../theme.ts";

export type MarkKind = "intents" | "denials" | "orders" | "fills";

interface Spot {
  at: number;
  kind: MarkKind;
  buys: boolean;
}

function secondsOf(nanos: string): number {
  return Math.floor((millisOf(nanos) ?? 0) / 1000);
}

function colours() {
  return {
    text: cssColour("--muted"),
    line: cssColour("--line"),
    strong: cssColour("--line-strong"),
    gain: cssColour("--gain"),
    loss: cssColour("--loss"),
    faint: cssColour("--faint"),
    ink: cssColour("--text"),
  };
}

type Colours = ReturnType<typeof colours>;

function dressed(chart: IChartApi, colour: Colours): void {
  chart.applyOptions({
    layout: {
      background: { type: ColorType.Solid, color: "transparent" },
      textColor: colour.text,
      fontFamily: getComputedStyle(document.body).fontFamily,
      fontSize: 11,
    },
    grid: { vertLines: { visible: false }, horzLines: { color: colour.line } },
    rightPriceScale: { borderVisible: false, entireTextOnly: true, scaleMargins: { top: 0.12, bottom: 0.1 } },
    timeScale: { borderColor: colour.line, timeVisible: true, secondsVisible: false },
    crosshair: {
      vertLine: { color: colour.strong, style: LineStyle.Solid, width: 1, labelBackgroundColor: colour.strong },
      horzLine: { color: colour.strong, style: LineStyle.Dashed, width: 1, labelBackgroundColor: colour.strong },
    },
  });
}

function useChart(label: string) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<IChartApi | null>(null);
  useEffect(() => {
    if (!box.current) return undefined;
    // The logo would bring its own style element; the attribution stands in the help instead.
    const made = createChart(box.current, { autoSize: true, layout: { attributionLogo: false } });
    chart.current = made;
    return () => {
      made.remove();
      chart.current = null;
    };
  }, []);
  return { chart, element: <div className="chart" ref={box} role="img" aria-label={label} /> };
}

function rising<T extends { time: UTCTimestamp }>(points: T[]): T[] {
  return points.filter((point, index) => index === 0 || point.time > (points[index - 1]?.time ?? 0));
}

export function EquityChart({ points, label }: { points: EquityPoint[]; label: string }): ReactElement {
  const { chart, element } = useChart(label);
  const series = useRef<ISeriesApi<"Baseline"> | null>(null);
  const filled = useRef(0);
  const theme = useTheme();
  useEffect(() => {
    if (!chart.current) return;
    const colour = colours();
    dressed(chart.current, colour);
    series.current ??= chart.current.addSeries(BaselineSeries, { lineWidth: 2, priceLineVisible: false, priceFormat: { type: "custom", minMove: 0.01, formatter: (value: number) => number(value, 0) } });
    series.current.applyOptions({
      baseValue: { type: "price", price: Number(points[0]?.equity ?? 0) },
      topLineColor: colour.gain,
      topFillColor1: colour.gain.replace("rgb(", "rgba(").replace(")", ", 0.22)"),
      topFillColor2: colour.gain.replace("rgb(", "rgba(").replace(")", ", 0.02)"),
      bottomLineColor: colour.loss,
      bottomFillColor1: colour.loss.replace("rgb(", "rgba(").replace(")", ", 0.02)"),
      bottomFillColor2: colour.loss.replace("rgb(", "rgba(").replace(")", ", 0.22)"),
    });
    const line = points.map((point) => ({ time: secondsOf(point.ts_event) as UTCTimestamp, value: Number(point.equity) }));
    series.current.setData(rising(line));
    if (filled.current === 0 && line.length > 0) chart.current.timeScale().fitContent();
    filled.current = line.length;
  }, [points, theme, chart]);
  return element;
}

function spotsOf(marks: MarksView): Spot[] {
  const of = (kind: MarkKind, items: { ts_event: string; side: string | null }[]): Spot[] =>
    items.map((one) => ({ at: secondsOf(one.ts_event), kind, buys: (one.side ?? "").toLowerCase() === "buy" }));
  const orders = marks.intents.filter((one) => one.client_order_id && one.status !== "denied");
  const waiting = marks.intents.filter((one) => !one.client_order_id && one.status !== "denied");
  const denied = [...new Map(marks.denials.map((one) => [one.intent_id, one])).values()];
  return [...of("intents", waiting), ...of("orders", orders), ...of("denials", denied), ...of("fills", marks.fills)];
}

/** One mark a bar, kind and side, with a count where there are more. */
function markersOf(spots: Spot[], times: number[], shown: Set<MarkKind>, colour: Colours): SeriesMarker<Time>[] {
  const counts = new Map<string, { spot: Spot; time: number; count: number }>();
  for (const spot of spots) {
    if (!shown.has(spot.kind)) continue;
    const time = barAt(times, spot.at);
    if (time === null) continue;
    const key = `${time} ${spot.kind} ${spot.buys}`;
    const found = counts.get(key);
    if (found) found.count += 1;
    else counts.set(key, { spot, time, count: 1 });
  }
  const all = [...counts.values()].toSorted((one, other) => one.time - other.time);
  return all.map(({ spot, time, count }) => marker(spot, time as UTCTimestamp, count, colour));
}

function marker(spot: Spot, time: UTCTimestamp, count: number, colour: Colours): SeriesMarker<Time> {
  const text = count > 1 ? { text: String(count) } : {};
  const below = spot.buys ? ("belowBar" as const) : ("aboveBar" as const);
  switch (spot.kind) {
    case "fills":
      return { time, position: below, shape: spot.buys ? "arrowUp" : "arrowDown", color: spot.buys ? colour.gain : colour.loss, ...text };
    case "denials":
      return { time, position: "aboveBar", shape: "square", color: colour.loss, size: 0.6, ...text };
    case "orders":
      return { time, position: below, shape: "circle", color: colour.ink, size: 0.5, ...text };
    case "intents":
      return { time, position: below, shape: "circle", color: colour.faint, size: 0.5, ...text };
  }
}

function barAt(times: number[], at: number): number | null {
  let low = 0;
  let high = times.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) <= at) low = middle + 1;
    else high = middle - 1;
  }
  return times[high] ?? null;
}

interface PriceProps {
  bars: BarView[];
  marks: MarksView;
  shown: Set<MarkKind>;
  label: string;
}

export function PriceChart({ bars, marks, shown, label }: PriceProps): ReactElement {
  const { chart, element } = useChart(label);
  const series = useRef<ISeriesApi<"Candlestick"> | null>(null);
  const pins = useRef<ISeriesMarkersPluginApi<Time> | null>(null);
  const filled = useRef(0);
  const theme = useTheme();
  useEffect(() => {
    if (!chart.current) return;
    const colour = colours();
    dressed(chart.current, colour);
    series.current ??= chart.current.addSeries(CandlestickSeries, { priceLineVisible: false });
    series.current.applyOptions({
      upColor: "transparent",
      downColor: colour.loss,
      borderUpColor: colour.gain,
      borderDownColor: colour.loss,
      wickUpColor: colour.gain,
      wickDownColor: colour.loss,
    });
    const line = rising(bars.map((bar) => ({ ...bar, time: secondsOf(bar.ts_event) as UTCTimestamp })));
    series.current.setData(line);
    pins.current ??= createSeriesMarkers(series.current, []);
    pins.current.setMarkers(markersOf(spotsOf(marks), line.map((bar) => bar.time), shown, colour));
    if (filled.current === 0 && line.length > 0)
      chart.current.timeScale().setVisibleLogicalRange({ from: Math.max(0, line.length - 140), to: line.length + 2 });
    filled.current = line.length;
  }, [bars, marks, shown, theme, chart]);
  return element;
}
