/* Changes as they come. One stream; what it brings is put into the queries' caches in batches, so
   that a busy desk costs one redraw a tenth of a second, which is how often the server sends, and
   the caches never grow.

   The browser goes on by itself after a short cut and says where it was. Where it gives up, or the
   server says that something was missed, everything on the screen is asked for again. */
import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { LATEST } from "./queries.ts";
import type {
  AccountView,
  AlertsPage,
  AlertView,
  ApprovalsPage,
  ApprovalView,
  DecisionItem,
  DecisionsPage,
  DenialView,
  EquityView,
  FillView,
  MarksView,
  OrdersPage,
  OrderView,
  PolicyHistoryPage,
  PolicyVersionView,
  PolicyView,
  ScoresView,
  ScoreView,
} from "./types.gen.ts";

const BATCH_MS = 25;
const RETRY_MS = 2_000;
const MOST_POINTS = 4_000;
const SOON_MS = [500, 2_500];
const CLOSED = new Set(["denied", "filled", "canceled", "expired", "rejected"]);
const KINDS = [
  "state", "account", "decision", "order", "fill", "denial", "alert", "approval", "policy", "health",
  "score", "escalation", "day",
] as const;
type Kind = (typeof KINDS)[number];

export interface Link {
  up: boolean;
  everUp: boolean;
  lostAt: number | null;
  heardAt: number;
  newer: { decisions: number; orders: number; alerts: number };
}

const NOTHING_NEWER = { decisions: 0, orders: 0, alerts: 0 };
let link: Link = { up: false, everUp: false, lostAt: null, heardAt: 0, newer: NOTHING_NEWER };
const watchers = new Set<() => void>();

function say(change: Partial<Link>): void {
  link = { ...link, ...change };
  for (const watcher of watchers) watcher();
}

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function useLink(): Link {
  return useSyncExternalStore(subscribe, () => link);
}

export function forgetNewer(kind: keyof Link["newer"]): void {
  if (link.newer[kind] > 0) say({ newer: { ...link.newer, [kind]: 0 } });
}

/** Ask again when the tables had time to hear what the bus has said, and once more to be sure. */
export function refreshSoon(client: QueryClient, keys: string[]): void {
  for (const wait of SOON_MS)
    window.setTimeout(() => {
      for (const key of keys) void client.invalidateQueries({ queryKey: [key] });
    }, wait);
}

/** Newest first, each thing once with the last word on it: a batch may hold several. */
function merged<T extends { ts_event: string }>(old: T[], fresh: T[], id: (one: T) => string, most: number): T[] {
  const last = new Map(old.toReversed().map((one) => [id(one), one]));
  for (const one of fresh) last.set(id(one), one);
  return [...last.values()].toReversed().toSorted((one, other) => later(other.ts_event, one.ts_event)).slice(0, most);
}

function later(one: string, other: string): number {
  return one.length - other.length || (one < other ? -1 : Number(one > other));
}

/** An order is one intent; of one decision there may be several proposals. */
export function keyOf(one: DecisionItem): string {
  return one.intent_id ?? `${one.decision_id} ${one.summary}`;
}

type Page<T> = { items: T[]; next: string | null };

function intoLatest<T extends { ts_event: string }>(client: QueryClient, name: string, fresh: T[], id: (one: T) => string): void {
  client.setQueryData<Page<T>>(["latest", name], (old) =>
    old ? { ...old, items: merged(old.items, fresh, id, LATEST) } : old,
  );
}

function putOrders(client: QueryClient, orders: OrderView[]): void {
  const open = new Map(orders.map((order) => [order.intent_id, order]));
  client.setQueryData<OrdersPage>(["latest", "open-orders"], (old) => {
    if (!old) return old;
    const all = merged(old.items, [...open.values()], (one) => one.intent_id, 200);
    return { ...old, items: all.filter((one) => !CLOSED.has(one.status ?? "")) };
  });
}

function putMarks(client: QueryClient, fills: FillView[], denials: DenialView[], orders: OrderView[]): void {
  const names = new Set([...fills, ...denials, ...orders].map((one) => one.instrument_id));
  for (const name of names) {
    client.setQueryData<MarksView>(["marks", name], (old) =>
      old && {
        fills: merged(old.fills, fills.filter((one) => one.instrument_id === name), (one) => one.message_id, 500),
        denials: merged(
          old.denials,
          denials.filter((one) => one.instrument_id === name),
          (one) => one.intent_id + one.code,
          500,
        ),
        intents: merged(old.intents, orders.filter((one) => one.instrument_id === name), (one) => one.intent_id, 500),
      },
    );
  }
}

function putAccount(client: QueryClient, account: AccountView): void {
  client.setQueryData(["positions"], { items: account.positions });
  client.setQueryData<EquityView>(["equity"], (old) => {
    if (!old) return old;
    const last = old.items.at(-1);
    if (last && BigInt(last.ts_event) >= BigInt(account.ts_event)) return old;
    return { items: [...old.items, account].slice(-MOST_POINTS) };
  });
}

function putApprovals(client: QueryClient, fresh: ApprovalView[]): void {
  for (const state of ["pending", "all"] as const) {
    client.setQueryData<InfiniteData<ApprovalsPage, string | null>>(["approvals", { state }], (old) => {
      const first = old?.pages[0];
      if (!old || !first) return old;
      const items = merged(first.items, fresh, (one) => one.request_id, 200);
      const kept = state === "pending" ? items.filter((one) => one.status === "pending") : items;
      return { ...old, pages: [{ ...first, items: kept }, ...old.pages.slice(1)] };
    });
  }
}

/** The bus is ahead of the tables, so a version is shown as it was heard; the tables follow. */
function putVersions(client: QueryClient, fresh: PolicyVersionView[]): void {
  const current = fresh.at(-1);
  client.setQueryData<PolicyView>(["policy", "current"], (old) => old && { ...old, current: current ?? old.current });
  client.setQueryData<InfiniteData<PolicyHistoryPage, string | null>>(["history", {}], (old) => {
    const first = old?.pages[0];
    if (!old || !first) return old;
    const items = merged(first.items, fresh, (one) => String(one.version), 200);
    return { ...old, pages: [{ ...first, items }, ...old.pages.slice(1)] };
  });
  refreshSoon(client, ["policy", "history"]);
}

function putScores(client: QueryClient, fresh: ScoreView[]): void {
  const newest = new Map(fresh.map((one) => [one.instrument_id, one]));
  client.setQueryData<ScoresView>(["scores"], (old) => {
    if (!old) return old;
    const kept = old.items.filter((one) => !newest.has(one.instrument_id));
    const items = [...kept, ...newest.values()];
    return { ...old, items: items.toSorted((one, other) => one.instrument_id.localeCompare(other.instrument_id)) };
  });
}

function put(client: QueryClient, batch: Map<Kind, unknown[]>): void {
  const of = <T>(kind: Kind): T[] => (batch.get(kind) ?? []) as T[];
  const state = of("state").at(-1);
  if (state) client.setQueryData(["state"], state);
  const health = of("health").at(-1);
  if (health) client.setQueryData(["health"], health);
  const account = of<AccountView>("account").at(-1);
  if (account) putAccount(client, account);
  const decisions = of<DecisionItem>("decision");
  const alerts = of<AlertView>("alert");
  const orders = of<OrderView>("order");
  const approvals = of<ApprovalView>("approval");
  if (decisions.length)
    intoLatest<DecisionsPage["items"][number]>(client, "decisions", decisions, keyOf);
  if (alerts.length) intoLatest<AlertsPage["items"][number]>(client, "alerts", alerts, (one) => one.message_id);
  if (orders.length) putOrders(client, orders);
  if (approvals.length) putApprovals(client, approvals);
  putMarks(client, of("fill"), of("denial"), orders);
  const versions = of<PolicyVersionView>("policy");
  if (versions.length) putVersions(client, versions);
  const scores = of<ScoreView>("score");
  if (scores.length) putScores(client, scores);
  if (of("escalation").length) refreshSoon(client, ["escalations", "cloud", "budgets"]);
  if (of("day").length) refreshSoon(client, ["days", "post-mortems", "promotion"]);
  const { newer } = link;
  say({
    heardAt: Date.now(),
    newer: {
      decisions: newer.decisions + decisions.length,
      orders: newer.orders + orders.length,
      alerts: newer.alerts + alerts.length,
    },
  });
}

/** Listen until the returned function is called. `onAlert` is told of each alert once. */
export function listen(client: QueryClient, onAlert: (alert: AlertView) => void): () => void {
  let source: EventSource | null = null;
  let retry = 0;
  let flush = 0;
  let batch = new Map<Kind, unknown[]>();

  function emptied(): void {
    flush = 0;
    const full = batch;
    batch = new Map();
    put(client, full);
  }

  function heard(kind: Kind, event: MessageEvent<string>): void {
    let data: unknown;
    try {
      data = JSON.parse(event.data);
    } catch {
      return;
    }
    if (kind === "alert") onAlert(data as AlertView);
    const list = batch.get(kind);
    if (list) list.push(data);
    else batch.set(kind, [data]);
    if (!flush) flush = window.setTimeout(emptied, BATCH_MS);
  }

  function up(): void {
    const wasLost = link.lostAt !== null;
    const isFirst = !link.everUp;
    say({ up: true, everUp: true, lostAt: null, heardAt: Date.now() });
    if (wasLost) void client.invalidateQueries();
    // What was said between the first questions and this is in neither: ask these again.
    else if (isFirst) for (const key of ["latest", "scores"]) void client.invalidateQueries({ queryKey: [key] });
  }

  function open(): void {
    source = new EventSource("/api/stream");
    source.onopen = up;
    source.onerror = () => {
      if (link.up || !link.lostAt) say({ up: false, lostAt: link.lostAt ?? Date.now() });
      if (source?.readyState === EventSource.CLOSED) {
        // It was refused, maybe because the session has ended: the answer to this says so.
        void client.invalidateQueries({ queryKey: ["state"] });
        window.clearTimeout(retry);
        retry = window.setTimeout(open, RETRY_MS);
      }
    };
    source.addEventListener("missed", () => void client.invalidateQueries());
    source.onmessage = (event: MessageEvent<string>) => {
      if (event.data.includes('"missed"')) void client.invalidateQueries();
    };
    for (const kind of KINDS)
      source.addEventListener(kind, (event) => heard(kind, event as MessageEvent<string>));
  }

  open();
  return () => {
    window.clearTimeout(retry);
    window.clearTimeout(flush);
    source?.close();
    say({ up: false, everUp: false, lostAt: null, newer: NOTHING_NEWER });
  };
}
