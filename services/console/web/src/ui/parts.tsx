/* The small parts every page is made of. */
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactElement, ReactNode } from "react";
import { ApiError } from "../api/client.ts";
import { money, NONE, number, percent } from "../format.ts";
import { Icon, type IconName } from "./icons.tsx";

export type Tone = "gain" | "loss" | "alarm" | "plain" | "quiet";

interface PanelProps {
  title: string;
  aside?: ReactNode;
  className?: string;
  flush?: boolean;
  children: ReactNode;
}

export function Panel({ title, aside, className = "", flush = false, children }: PanelProps): ReactElement {
  return (
    <section className={`panel ${className}`}>
      <header className="panel-head">
        <h2>{title}</h2>
        {aside && <div className="panel-aside">{aside}</div>}
      </header>
      <div className={flush ? "panel-body flush" : "panel-body"}>{children}</div>
    </section>
  );
}

export function Badge({ tone = "quiet", icon, children }: { tone?: Tone; icon?: IconName; children: ReactNode }): ReactElement {
  return (
    <span className={`badge ${tone}`}>
      {icon && <Icon name={icon} size={12} />}
      {children}
    </span>
  );
}

function direction(value: number): Tone {
  return value > 0 ? "gain" : value < 0 ? "loss" : "plain";
}

/** A change of money or percent: a triangle and a sign say the direction, colour repeats it. */
export function Change({ value, unit = "money", digits = 2 }: {
  value: string | number | null | undefined;
  unit?: "money" | "percent" | "number";
  digits?: number;
}): ReactElement {
  if (value === null || value === undefined || value === "") return <span className="num">{NONE}</span>;
  const figure = Number(value);
  const text =
    unit === "percent" ? percent(figure, true, digits) : unit === "money" ? money(String(value), true, digits) : number(figure, digits, true);
  const mark = figure > 0 ? "▲" : figure < 0 ? "▼" : "";
  return (
    <span className={`num change ${direction(figure)}`}>
      {mark && <span aria-hidden="true" className="tri">{mark}</span>}
      {text}
    </span>
  );
}

export function Side({ side }: { side: string | null | undefined }): ReactElement {
  if (!side) return <span>{NONE}</span>;
  const buys = side.toLowerCase() === "buy" || side.toLowerCase() === "long";
  return (
    <span className={`side ${buys ? "gain" : "loss"}`}>
      <span aria-hidden="true">{buys ? "▲" : "▼"}</span> {side}
    </span>
  );
}

const VERDICTS: Record<string, [Tone, IconName]> = {
  approved: ["gain", "check"],
  accepted: ["gain", "check"],
  filled: ["gain", "check"],
  denied: ["loss", "cross"],
  rejected: ["loss", "cross"],
  expired: ["quiet", "clock"],
  pending: ["plain", "clock"],
  protective: ["quiet", "check"],
  unknown: ["alarm", "warn"],
};

export function Verdict({ value }: { value: string | null | undefined }): ReactElement {
  const [tone, icon] = VERDICTS[value ?? ""] ?? ["quiet", undefined];
  return <Badge tone={tone} {...(icon ? { icon } : {})}>{(value ?? NONE).replaceAll("_", " ")}</Badge>;
}

export function Empty({ title, children }: { title: string; children?: ReactNode }): ReactElement {
  return (
    <div className="empty">
      <strong>{title}</strong>
      {children && <p>{children}</p>}
    </div>
  );
}

export function ErrorBox({ error, retry }: { error: Error; retry?: () => void }): ReactElement {
  const code = error instanceof ApiError ? error.code : "page";
  return (
    <div className="error" role="alert">
      <Icon name="warn" />
      <div>
        <strong>{error instanceof ApiError && error.title ? error.title : "This cannot be shown"}</strong>
        <p className="words">{error.message}</p>
        <code>{code}</code>
      </div>
      {retry && <button type="button" className="button" onClick={retry}>Try again</button>}
    </div>
  );
}

export function Skeleton({ lines = 4 }: { lines?: number }): ReactElement {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => <i key={line} />)}
    </div>
  );
}

/** Show a query's answer, or why there is none. An answer once there stays while newer ones fail. */
export function Answer<T>({ of, lines, children }: {
  of: UseQueryResult<T>;
  lines?: number;
  children: (data: T) => ReactNode;
}): ReactElement {
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.error) return <ErrorBox error={of.error} retry={() => void of.refetch()} />;
  return <Skeleton {...(lines ? { lines } : {})} />;
}

/** How much of a cap is used. The number says it, the bar repeats it, stripes warn above 80 %. */
export function Meter({ label, used, text }: { label: string; used: number | null; text: string }): ReactElement {
  const share = used === null ? 0 : Math.max(0, Math.min(100, used));
  const level = used !== null && used >= 100 ? "full" : used !== null && used >= 80 ? "near" : "fine";
  return (
    <div className="meter">
      <span className="meter-name">{label}</span>
      <span className="num meter-text">{text}</span>
      <span
        className={`track ${level}`}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share)}
      >
        <i style={{ width: `${share}%` }} />
      </span>
    </div>
  );
}

export function Fact({ name, children }: { name: string; children: ReactNode }): ReactElement {
  return (
    <div className="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function More({ query }: {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
}): ReactElement | null {
  if (!query.hasNextPage) return null;
  return (
    <div className="more">
      <button type="button" className="button" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
        {query.isFetchingNextPage ? "Loading older ones" : "Older ones"}
      </button>
    </div>
  );
}
