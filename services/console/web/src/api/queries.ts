/* What the page knows, by key. Lists are short here: older lines are asked for page by page. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get, type Query } from "./client.ts";
import type {
  AlertsPage,
  ApprovalsPage,
  BarsView,
  BucketsView,
  BudgetsPage,
  CalibrationView,
  CloudStatusView,
  ControlsView,
  DaysPage,
  DecisionsPage,
  DecisionView,
  EquityView,
  EscalationsPage,
  HealthView,
  MarksView,
  OrdersPage,
  PolicyDiffView,
  PolicyHistoryPage,
  PolicyView,
  PositionsView,
  PostMortemsView,
  PromotionView,
  ScorecardView,
  ScoresView,
  SessionView,
  StateView,
} from "./types.gen.ts";

export const LATEST = 60;
const SHORT = 12;
const SLOW_MS = 5_000;
const CALM_MS = 15_000;

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: ({ signal }) => get<SessionView>("/api/session", {}, signal),
  retry: false,
  staleTime: Infinity,
});
export const stateQuery = queryOptions({
  queryKey: ["state"],
  queryFn: ({ signal }) => get<StateView>("/api/state", {}, signal),
  refetchInterval: SLOW_MS,
});
export const equityQuery = queryOptions({
  queryKey: ["equity"],
  queryFn: ({ signal }) => get<EquityView>("/api/equity", {}, signal),
  refetchInterval: 60_000,
});
export const positionsQuery = queryOptions({
  queryKey: ["positions"],
  queryFn: ({ signal }) => get<PositionsView>("/api/positions", {}, signal),
  refetchInterval: CALM_MS,
});
export const bucketsQuery = queryOptions({
  queryKey: ["buckets"],
  queryFn: ({ signal }) => get<BucketsView>("/api/buckets", {}, signal),
  refetchInterval: SLOW_MS,
});
export const controlsQuery = queryOptions({
  queryKey: ["controls"],
  queryFn: ({ signal }) => get<ControlsView>("/api/controls", {}, signal),
  refetchInterval: SLOW_MS,
});
export const scorecardQuery = queryOptions({
  queryKey: ["scorecard"],
  queryFn: ({ signal }) => get<ScorecardView>("/api/scorecard", {}, signal),
  refetchInterval: CALM_MS,
});
export const calibrationQuery = queryOptions({
  queryKey: ["calibration"],
  queryFn: ({ signal }) => get<CalibrationView>("/api/calibration", {}, signal),
  refetchInterval: CALM_MS,
});
export const budgetsQuery = queryOptions({
  queryKey: ["budgets"],
  queryFn: ({ signal }) => get<BudgetsPage>("/api/budgets", {}, signal),
  refetchInterval: CALM_MS,
});
export const cloudQuery = queryOptions({
  queryKey: ["cloud"],
  queryFn: ({ signal }) => get<CloudStatusView>("/api/gpt5-status", {}, signal),
  refetchInterval: CALM_MS,
});
export const scoresQuery = queryOptions({
  queryKey: ["scores"],
  queryFn: ({ signal }) => get<ScoresView>("/api/scores", {}, signal),
  refetchInterval: 60_000,
});
export const promotionQuery = queryOptions({
  queryKey: ["promotion"],
  queryFn: ({ signal }) => get<PromotionView>("/api/promotion", {}, signal),
  refetchInterval: CALM_MS,
});
export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: ({ signal }) => get<HealthView>("/api/health", {}, signal),
  refetchInterval: SLOW_MS,
});
export const policyQuery = queryOptions({
  queryKey: ["policy", "current"],
  queryFn: ({ signal }) => get<PolicyView>("/api/policy", {}, signal),
});
export const latestDecisionsQuery = queryOptions({
  queryKey: ["latest", "decisions"],
  queryFn: ({ signal }) => get<DecisionsPage>("/api/decisions", { limit: LATEST }, signal),
});
export const latestAlertsQuery = queryOptions({
  queryKey: ["latest", "alerts"],
  queryFn: ({ signal }) => get<AlertsPage>("/api/alerts", { limit: LATEST }, signal),
});
export const openOrdersQuery = queryOptions({
  queryKey: ["latest", "open-orders"],
  queryFn: ({ signal }) => get<OrdersPage>("/api/orders", { status: "open", limit: 200 }, signal),
  refetchInterval: SLOW_MS,
});

export function barsQuery(instrument: string) {
  return queryOptions({
    queryKey: ["bars", instrument],
    queryFn: ({ signal }) => get<BarsView>("/api/bars", { instrument }, signal),
    enabled: instrument !== "",
    refetchInterval: SLOW_MS,
  });
}

export function marksQuery(instrument: string) {
  return queryOptions({
    queryKey: ["marks", instrument],
    queryFn: ({ signal }) => get<MarksView>("/api/marks", { instrument }, signal),
    enabled: instrument !== "",
    refetchInterval: CALM_MS,
  });
}

export function decisionQuery(id: string) {
  return queryOptions({
    queryKey: ["decision", id],
    queryFn: ({ signal }) => get<DecisionView>(`/api/decisions/${encodeURIComponent(id)}`, {}, signal),
    refetchInterval: SLOW_MS,
  });
}

/** What was written about a day; of the last one where none is given. */
export function postMortemsQuery(day: string) {
  return queryOptions({
    queryKey: ["post-mortems", day],
    queryFn: ({ signal }) => get<PostMortemsView>("/api/post-mortems", { day }, signal),
    placeholderData: keepPreviousData,
    retry: false,
  });
}

export function diffQuery(before: number, after: number) {
  return queryOptions({
    queryKey: ["policy", "diff", before, after],
    queryFn: ({ signal }) => get<PolicyDiffView>("/api/policy/diff", { from: before, to: after }, signal),
    enabled: before >= 0 && after >= 0 && before !== after,
    placeholderData: keepPreviousData,
  });
}

interface Paged {
  next: string | null;
}

function pages<T extends Paged>(key: string, path: string, query: Query, refresh: number | false = false, limit = 50) {
  return infiniteQueryOptions({
    queryKey: [key, query],
    queryFn: ({ pageParam, signal }) => get<T>(path, { ...query, cursor: pageParam, limit }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last: T) => last.next,
    placeholderData: keepPreviousData,
    refetchInterval: refresh,
  });
}

export const decisionsQuery = (query: Query) => pages<DecisionsPage>("decisions", "/api/decisions", query);
export const ordersQuery = (query: Query) => pages<OrdersPage>("orders", "/api/orders", query);
export const alertsQuery = () => pages<AlertsPage>("alerts", "/api/alerts", {});
export const approvalsQuery = (state: "pending" | "all") =>
  pages<ApprovalsPage>("approvals", "/api/approvals", { state }, CALM_MS);
export const daysQuery = (eventful: boolean) =>
  pages<DaysPage>("days", "/api/days", { eventful: eventful ? "true" : null }, CALM_MS, SHORT);
export const escalationsQuery = () => pages<EscalationsPage>("escalations", "/api/escalations", {}, CALM_MS, SHORT);
export const historyQuery = () => pages<PolicyHistoryPage>("history", "/api/policy/history", {}, CALM_MS);
