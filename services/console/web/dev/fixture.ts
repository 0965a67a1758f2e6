/* A desk that never was, typed as the API is: the page is drawn against it without any server.
   Same numbers every time, so that two pictures of one page can be compared. */
import type * as api from "../src/api/types.gen.ts";

const NANOS = 1_000_000n;
const NOW_MS = Date.UTC(2026, 2, 16, 18, 42, 7);
const MINUTE_MS = 60_000;
const INSTRUMENTS = ["SPY", "AAPL", "MSFT", "NVDA", "XOM", "TLT"];
const PRICES: Record<string, number> = { SPY: 561.2, AAPL: 214.6, MSFT: 388.1, NVDA: 119.4, XOM: 112.9, TLT: 91.3 };
const CODES = ["position.sector", "price.spread", "cash.day", "rate.minute", "edge.p_win", "state.cooldown", "price.collar"];

let seed = 20080915;
export function random(): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
}

function between(low: number, high: number): number {
  return low + (high - low) * random();
}

function one<T>(list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
}

function hex(length: number): string {
  return Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join("");
}

export function nanos(millis: number): string {
  return (BigInt(Math.round(millis)) * NANOS).toString();
}

const started = Date.now();
export function deskMs(): number {
  return NOW_MS + (Date.now() - started);
}

export const state: api.StateView = {
  desk: "hybrid", account: "paper-hybrid", venue: "alpaca", instruments: INSTRUMENTS, mode: "demo", live: false, stage: "demo_testing",
  standing: "active", trading_state: "active", trading_reason: "reconciled", trading_author: "exec", epoch: 41,
  kill_switch: { pressed: false, way: "", by: "", reason: "", seen_at: "0", cancelled: 0, left: 0, file_there: false },
  equity: "104318.42", cash: "61204.10", day_pnl: "412.37", day_pnl_pct: 0.397, week_pnl: "1180.02", drawdown_5d_pct: 1.84,
  volatility: { label: "normal", z: 0.7, instrument_id: "NVDA" },
  policy_version: 41, policy_changed_at: nanos(NOW_MS - 52 * MINUTE_MS), demo_only: false, quarantined_until: null, kill_days: ["2026-03-04"],
  disabled_strategies: [], feed: Object.fromEntries(INSTRUMENTS.map((name) => [name, name === "XOM" ? "stale" : "ok"])),
  venue_link: [{ account: "paper-hybrid", venue: "alpaca", up: true, reason: "" }], reconciliation_breaks: [],
  budgets: { calls_today: 14, calls_limit: null, usd_today: "0.4127", usd_limit: "10", cloud: { calls_today: 1, calls_limit: 3, kept: 1, usd_today: "0.0311", usd_limit: "1" } },
  reasoner_paused: false, reasoner_up: true, reasoner_reason: "", modes: [], regime: "late cycle, calm", do_not_trade: ["GME"],
  parameters: { threshold_bps: 1.2, atr_stop: 1.8, kelly_fraction: 0.25 }, dial: { parameter: "max_position_pct", levels: [0.25, 0.6667, 1.0833, 1.5], value: 0.6667, level: 1 },
  features: { rsi: true, macd: true, volume: true, volatility: true, news: false, put_call: true },
  weights: { short: 0.4, mid: 0.3, rl: 0.3 }, rewards: { returns: 1.0, turnover: -0.2, drawdown: -0.6 }, caps: { core: 90, fno: 5, penny: 2 },
  desk_time: nanos(NOW_MS), bus_up: true, database_up: true,
};

export const session: api.SessionView = { name: "Ada", role: "approver", csrf: "c".repeat(64), desk: "hybrid", expires_at: nanos(Date.now() + 3_600_000) };

function walk(from: number, count: number, drift: number, size: number): number[] {
  const line: number[] = [];
  let value = from;
  for (let at = 0; at < count; at += 1) {
    value *= 1 + drift + size * (random() + random() + random() - 1.5);
    line.push(value);
  }
  return line;
}

const curve = walk(100_000, 640, 0.00005, 0.0016);
const lift = 104_318.42 - (curve.at(-1) ?? 0);
export const equity: api.EquityView = {
  items: curve.map((value, at) => ({
    ts_event: nanos(NOW_MS - (640 - at) * 30 * MINUTE_MS),
    equity: (value + (lift * at) / 639).toFixed(2), day_pnl: "0", drawdown_5d_pct: 0,
  })),
};

const bars = new Map<string, api.BarView[]>();
for (const name of INSTRUMENTS) {
  const closes = walk(PRICES[name] ?? 100, 320, 0.00002, 0.0018);
  bars.set(name, closes.map((close, at) => {
    const open = closes[at - 1] ?? close;
    const wick = close * 0.0009;
    return {
      ts_event: nanos(NOW_MS - (320 - at) * MINUTE_MS), open, close,
      high: Math.max(open, close) + wick * random(), low: Math.min(open, close) - wick * random(), volume: Math.round(between(2_000, 60_000)),
    };
  }));
}

export function barsOf(name: string): api.BarsView {
  return { instrument_id: name, bar_seconds: 60, items: bars.get(name) ?? [] };
}

function decision(millis: number): api.DecisionItem {
  const roll = random();
  const instrument = one(INSTRUMENTS);
  const id = hex(32);
  if (roll < 0.22) {
    const verdict = one(["accepted", "step_too_large", "too_many_accepted"]);
    return {
      decision_id: id, kind: "proposal", ts_event: nanos(millis), desk: "hybrid", instrument_id: null, strategy: null, side: null,
      requested_quantity: null, quantity: null, verdict, codes: [], conviction: null, epoch: 41, status: null,
      summary: `threshold_bps 1.20 → ${between(1, 1.5).toFixed(2)}: ${verdict.replaceAll("_", " ")}`, intent_id: null,
    };
  }
  const isDenied = roll > 0.62;
  const asked = Math.ceil(between(4, 90));
  return {
    decision_id: id, kind: "order", ts_event: nanos(millis), desk: "hybrid", instrument_id: instrument, strategy: one(["ensemble", "flatten"]),
    side: one(["buy", "sell"]), requested_quantity: String(asked), quantity: isDenied ? null : String(random() < 0.2 ? Math.ceil(asked / 2) : asked),
    verdict: isDenied ? "denied" : "approved", codes: isDenied ? [...new Set([one(CODES), ...(random() < 0.3 ? [one(CODES), one(CODES)] : [])])] : [],
    conviction: Math.round(between(30, 92)), epoch: 41, status: isDenied ? "denied" : one(["filled", "filled", "accepted", "canceled"]),
    summary: "score 0.71: short 0.78, mid 0.66, rl 0.64; no penalty", intent_id: hex(32),
  };
}

export const decisions: api.DecisionItem[] = [];
for (let at = 0; at < 130; at += 1) decisions.push(decision(NOW_MS - at * 95_000 - between(0, 60_000)));

export function nextDecision(): api.DecisionItem {
  return decision(deskMs());
}

function order(item: api.DecisionItem, status: string): api.OrderView {
  const price = (PRICES[item.instrument_id ?? ""] ?? 100).toFixed(2);
  return {
    intent_id: item.intent_id ?? hex(32), decision_id: item.decision_id, ts_event: item.ts_event, desk: "hybrid", account: "paper-hybrid", venue: "alpaca",
    mode: "demo", client_order_id: status === "denied" ? null : hex(30), strategy: item.strategy, instrument_id: item.instrument_id, side: item.side,
    order_type: one(["limit", "market"]), status, limit_price: price, reference_price: price, requested_quantity: item.requested_quantity,
    quantity: item.quantity, filled_quantity: status === "filled" ? item.quantity : "0", entry_price: status === "filled" ? price : null, exit_price: null,
    reasons: ["score 0.71", "momentum"], policy_version: 41, detail: item.codes[0] ?? null, parent: null, reduce_only: false,
  };
}

export const orders = decisions.filter((item) => item.kind === "order").map((item) => order(item, item.status ?? "accepted"));
export const openOrders = orders.filter((item) => item.status === "accepted");

export function marksOf(name: string): api.MarksView {
  const own = orders.filter((item) => item.instrument_id === name);
  return {
    intents: own,
    denials: own.filter((item) => item.status === "denied").map((item) => ({
      decision_id: item.decision_id, intent_id: item.intent_id, ts_event: item.ts_event, instrument_id: name, strategy: "ensemble", side: item.side ?? "buy",
      requested_quantity: item.requested_quantity ?? "0", code: item.detail ?? "cash.day", observed: "1", limit: "0", policy_version: 41,
    })),
    fills: own.filter((item) => item.status === "filled").map((item) => ({
      message_id: hex(32), decision_id: item.decision_id, intent_id: item.intent_id, ts_event: item.ts_event, instrument_id: name, side: item.side ?? "buy",
      quantity: item.quantity ?? "0", price: item.entry_price ?? "0", fee: "0.02", trade_id: hex(12),
    })),
  };
}

function position(name: string, quantity: number, gain: number, bucket: string, sector: string): api.PositionView {
  const mark = PRICES[name] ?? 100;
  return {
    account: "paper-hybrid", instrument_id: name, bucket, sector, quantity: String(quantity), avg_px: (mark - gain / quantity).toFixed(2), mark: mark.toFixed(2),
    notional: (mark * quantity).toFixed(2), share_pct: (100 * mark * quantity) / 104_318, unrealised_pnl: gain.toFixed(2),
  };
}

export const positions: api.PositionView[] = [
  position("SPY", 38, 214.9, "core", "index"),
  position("MSFT", 22, -61.6, "core", "technology"),
  position("NVDA", 60, 309.2, "fno", "technology"),
  position("XOM", -35, 40.2, "core", "energy"),
];

function use(kind: string, name: string, used: number, limit: number | null): api.UseView {
  return { kind, name, used: used.toFixed(2), limit: limit === null ? null : limit.toFixed(2), used_pct: limit === null ? null : (100 * used) / limit };
}

export const buckets: api.BucketsView = {
  open_risk: "41020.50",
  items: [
    use("desk", "gross", 41_020, 95_000), use("bucket", "core", 33_856, 93_886), use("bucket", "fno", 4_420, 5_216), use("bucket", "penny", 0, 2_086),
    use("sector", "technology", 15_702, 36_500), use("sector", "index", 21_325, 36_500),
    use("name", "SPY", 21_325, 25_000), use("name", "NVDA", 7_164, 7_100), use("name", "MSFT", 8_538, 25_000),
  ],
};

function control(code: string, definition: string, unit: string, observed: string | null, limit: string | null, room: number | null, denied = 0): api.ControlView {
  return {
    code, definition, unit, source: "FIA best practices for automated trading risk controls", level: "deny", binds_reducing: false, observed, limit,
    headroom_pct: room, denials_today: denied, last_denied_at: denied ? nanos(NOW_MS - 4 * MINUTE_MS) : null,
  };
}

export const controls: api.ControlView[] = [
  control("position.name", "one name's value stays under its cap", "USD", "7164", "7100", -0.9, 6),
  control("position.bucket", "a bucket's value stays under its cap", "USD", "4420", "5216", 15.3, 2),
  control("rate.minute", "orders in one minute", "orders", "47", "60", 21.7, 1),
  control("cash.day", "the day's notional", "USD", "38240", "60000", 36.3),
  control("position.gross_share", "all positions' share of equity", "%", "39.3", "95", 58.6),
  control("loss.drawdown", "the drawdown of five days", "%", "1.84", "12", 84.7),
  control("loss.day", "the day's loss", "%", "0", "5", 100),
  control("price.spread", "the spread at the time of the intent", "bps", "3.1", "20", 84.5, 11),
  control("edge.p_win", "the claimed probability of winning", "share", "0.61", "0.45", 35.6, 3),
  control("price.stale", "the age of the reference price", "s", "0.4", "10", 96),
  control("state.trading", "the desk is active", "state", "active", "active", null),
  control("state.switch", "exec's kill switch is not pressed", "state", "armed", "armed", null),
  control("permission.short", "the strategy may sell short", "state", "yes", "yes", null),
  control("duplicate.intent", "this intent has not been judged before", "state", "new", "new", null),
];

export const alerts: api.AlertView[] = [
  ["warning", "feed", "feed.stale", "data feed interrupted, holding positions: XOM has had no quote for 14 s"],
  ["info", "policy", "policy.changed", "threshold_bps is 1.20 now, was 1.10 (local-reasoner, version 41)"],
  ["warning", "escalation", "cloud.unavailable", "cloud model unavailable, using local reasoner"],
  ["critical", "exec", "order.unknown", "an order has had no answer for 4 s and counts as exposure: MSFT buy 22"],
  ["info", "exec", "reconciliation.completed", "our book equals the venue's: 4 positions, 3 open orders"],
].map(([severity = "", service = "", code = "", text = ""], at) => ({
  message_id: hex(32), ts_event: nanos(NOW_MS - (at * 17 + 3) * MINUTE_MS), service, severity, code, text, dedupe_key: code,
}));

export const scorecard: api.ScorecardView = {
  sessions: 14, equity_at_start: "100000", equity: "104318.42", return_pct: 4.32, sharpe: 1.37, max_drawdown_pct: 3.21, hit_rate_pct: 56.4, epochs: [],
  proposals: { accepted: 9, step_too_large: 31, too_many_accepted: 120 },
};
export const calibration: api.CalibrationView = {
  count: 312, brier: 0.187,
  bins: [[0.45, 0.41, 22], [0.55, 0.52, 84], [0.65, 0.61, 120], [0.75, 0.77, 61], [0.85, 0.79, 25]].map(([claimed = 0, won = 0, count = 0]) => ({
    lower: claimed - 0.05, upper: claimed + 0.05, claimed, won, count,
  })),
};
export const budgets: api.BudgetsPage = { today: state.budgets ?? { calls_today: 0, calls_limit: 3, usd_today: "0", usd_limit: null, cloud: null }, models: [] };

function score(name: string, p_short: number, p_mid: number, size_hint: number, penalties: Record<string, number>): api.ScoreView {
  const base = 0.4 * p_short + 0.3 * p_mid + 0.3 / (1 + Math.exp(-size_hint));
  const total = Math.max(0, Math.min(1, base + Object.values(penalties).reduce((sum, one) => sum + one, 0)));
  const action = total >= 0.67 ? "buy" : total <= 0.33 ? "sell" : "hold";
  return {
    message_id: hex(32), decision_id: decisions[0]?.decision_id ?? "", ts_event: nanos(NOW_MS), instrument_id: name, p_short, p_mid, size_hint, weights: { short: 0.4, mid: 0.3, rl: 0.3 },
    penalties, base, score: total, action, size_fraction: action === "hold" ? 0 : 0.015, mode: "full", policy_version: 41, sentiment: name === "XOM" ? -0.6 : null,
  };
}
export const scores: api.ScoresView = {
  buy_at: 0.67, sell_at: 0.33,
  items: [score("AAPL", 0.62, 0.58, 0.8, {}), score("MSFT", 0.71, 0.66, 1.4, {}), score("NVDA", 0.66, 0.7, 2.1, { volatility: -0.15 }), score("SPY", 0.78, 0.7, 1.1, {}), score("TLT", 0.34, 0.31, -1.6, {}), score("XOM", 0.42, 0.39, -0.4, { negative_news: -0.1 })],
};
export const escalations: api.EscalationView[] = [
  ["risk", "reward_engineer", { drawdown_5d_pct: 8.4, daily_loss_pct: 1.1 }, { drawdown_5d_pct: 8, daily_loss_pct: 2.5 }, true, "call 1 of 3 of this trading day", "2026-03-16"],
  ["kill_switch", "sanity_judge", { daily_pnl_pct: -2.9, kill_rule_fired: 1 }, { daily_pnl_pct: -2.5, kill_rule_fired: 1 }, true, "call 3 of 3 of this trading day", "2026-03-04"],
  ["event_heat", "regime_auditor", { put_call_ratio: 1.7 }, { put_call_ratio: 1.6 }, false, "2 of 3 calls of this trading day are made, the last one is kept for the kill switch", "2026-03-04"],
].map(([trigger, call, observed, limits, granted, reason, day]) => ({
  message_id: hex(32), decision_id: decisions[1]?.decision_id ?? "", ts_event: nanos(NOW_MS - 40 * MINUTE_MS), day, trigger, call, observed, limits, granted, reason, calls_today: 1,
}) as api.EscalationView);
export const days: api.DayView[] = Array.from({ length: 14 }, (_, at) => {
  const pnl = at === 8 ? -2_960.4 : between(-700, 1_100);
  return {
    day: new Date(NOW_MS - (at + 1) * 1_440 * MINUTE_MS).toISOString().slice(0, 10), equity: (104_000 - at * 290).toFixed(2), day_pnl: pnl.toFixed(2), day_pnl_pct: pnl / 1_040, drawdown_5d_pct: between(0.2, 3.2),
    max_drawdown_pct: between(0.1, 3), intents: Math.round(between(4, 40)), approvals: 12, denials: at % 3, fills: Math.round(between(2, 20)), fees: "1.20", killed: at === 8, escalations: at === 8 ? 3 : at % 5 === 0 ? 1 : 0,
    proposals_applied: at % 4, model_failures: at === 8 ? 1 : 0, post_mortems: at === 8 ? 2 : 1,
  };
});
export function postMortemsOf(day: string): api.PostMortemsView {
  const known = day || days[0]?.day || "";
  const figures = { day_pnl: -2960.4, day_pnl_pct: -2.85, fills: 14, denials: 3, escalations: 3, max_drawdown_pct: 3.1 };
  return {
    day: known,
    items: [
      { message_id: hex(32), decision_id: decisions[1]?.decision_id ?? "", ts_event: nanos(NOW_MS), day: known, root_cause: "Three of four positions were in one sector, and its news turned within an hour.", recommendations: ["Lower the sector cap while correlation is below 0.4.", "Let the news weigh before the open."], figures, source: "local", provider: "ollama", model: "qwen2.5:14b" },
      { message_id: hex(32), decision_id: decisions[1]?.decision_id ?? "", ts_event: nanos(NOW_MS), day: known, root_cause: "The short forecast was right and the size was too large for the volatility of that day.", recommendations: ["Keep the largest name at 1 % until the z-score is below 1.5."], figures, source: "cloud", provider: "openai", model: "gpt-5" },
    ],
  };
}
export const promotion: api.PromotionView = {
  stage: "demo_testing", stage_since: "2026-02-27", stages: ["demo", "demo_testing", "stress", "live_micro", "live_limited", "full"], next_stage: "stress", assessed_on: "2026-03-16",
  criteria: [
    { name: "sessions", observed: "8 in a row", needed: "10", holds: false }, { name: "sharpe", observed: "1.37", needed: "above 0.8", holds: true },
    { name: "drawdown", observed: "3.2 %", needed: "below 8 %", holds: true }, { name: "escalations", observed: "0.4 a day", needed: "below 1 a day", holds: true },
  ],
  demo_only: true, forced_demo: false, paper_after: null, kill_days: ["2026-03-04"], kill_days_limit: 3, kill_window_days: 10, quarantined_since: null, quarantined_until: null,
  judged_stay_demo: false, judged_at: nanos(NOW_MS), path: ["stage demo_testing is on paper: it ends with a promotion"],
};
export const cloud: api.CloudStatusView = {
  status: "available", provider: "openai", model: "gpt-5", paused: false, last_escalation: escalations[0] ?? null, budgets: budgets.today,
  last_call: { decision_id: decisions[1]?.decision_id ?? "", ts_event: nanos(NOW_MS), provider: "openai", model: "gpt-5", question: "reward_engineer", outcome: "answered", cost_usd: "0.0311", latency_ms: 4120 },
};

export const versions: api.PolicyVersionView[] = Array.from({ length: 14 }, (_, at) => {
  const version = 41 - at;
  const value = (back: number): number => Number((1.2 - 0.1 * ((back * 3) % 7)).toFixed(2));
  return {
    version, ts_event: nanos(NOW_MS - (52 + at * 173) * MINUTE_MS), parameters: { threshold_bps: value(at), atr_stop: 1.8, kelly_fraction: at > 6 ? 0.5 : 0.25 },
    changes: [{ name: "threshold_bps", old: value(at + 1), new: value(at) }, ...(at === 6 ? [{ name: "kelly_fraction", old: 0.5, new: 0.25 }] : [])],
    author: at === 6 ? "Ada" : "local-reasoner",
    reason: at === 6 ? "smaller while volatility is high" : "momentum paid more than it cost in the last 15 minutes", decision_id: hex(32), proposal_id: hex(32), config_hash: "9f2c",
  };
});
export const policy: api.PolicyView = {
  current: versions[0] ?? null, do_not_trade: ["GME"],
  bounds: { threshold_bps: { lower: 0.3, upper: 3, max_step: 0.2 }, atr_stop: { lower: 1, upper: 3, max_step: 0.3 }, kelly_fraction: { lower: 0, upper: 0.5, max_step: null } },
};

function approval(at: number, side: string, name: string, quantity: string, conviction: string, dissent: string, seconds: number, needed: number, given: string[]): api.ApprovalView {
  const price = PRICES[name] ?? 100;
  return {
    request_id: hex(32), decision_id: hex(32), ts_event: nanos(NOW_MS - at * MINUTE_MS), strategy: "council", instrument_id: name, side, quantity,
    reference_price: price.toFixed(2), notional: (price * Number(quantity)).toFixed(2), held: "0", conviction, dissent,
    reasons: ["Breadth improves while yields fall", "Four of five managers pitch the same side"], expires_at: nanos(NOW_MS + seconds * 1000), needed, given,
    status: "pending", decided_by: [], decided_at: null, reason: "",
  };
}
export const approvals: api.ApprovalView[] = [
  approval(2, "buy", "SPY", "38", "1.5", "Manager C: the move is late. Put/call fell to 0.6, and the last three entries at this level of breadth lost.", 1_460, 2, ["Grace"]),
  approval(6, "sell", "TLT", "120", "-1", "", 25, 1, []),
  approval(9, "buy", "NVDA", "30", "0.5", "<script>alert('dissent')</script> is shown as what it is: text.", 5_400, 1, []),
];
export const pastApprovals: api.ApprovalView[] = [
  { ...approval(160, "buy", "AAPL", "20", "1", "", -60, 1, []), status: "approved", decided_by: ["Ada"], reason: "" },
  { ...approval(320, "sell", "XOM", "50", "-1.5", "", -60, 2, ["Ada"]), status: "expired", decided_by: [], reason: "nobody answered in time" },
  { ...approval(700, "buy", "MSFT", "44", "2", "", -60, 1, []), status: "rejected", decided_by: ["Grace"], reason: "earnings tonight" },
];

const SERVICES = ["feed", "signals", "local-reasoner", "escalation", "strategy", "policy", "gate", "exec", "ledger", "console"];
export const health: api.HealthView = {
  bus_up: true, database_up: true, started_at: new Date(NOW_MS).toISOString(),
  services: SERVICES.map((name, at) => ({
    name, beats: name !== "console", ready: true, pid: 4100 + at, restarts: name === "local-reasoner" ? 2 : 0, heartbeat_age_ms: between(40, 900), build: "a1b2c3", handled: Math.round(between(900, 90_000)),
    published: Math.round(between(200, 40_000)), parked: name === "strategy" ? 1 : 0, lag: name === "ledger" ? 12 : 0,
  })),
  streams: ["DATA", "DESK", "ORDERS", "POLICY", "DEAD"].map((name, at) => ({
    name, messages: Math.round(between(40, 120_000)), bytes: Math.round(between(1e5, 9e7)), max_bytes: 2 ** 28, first_seq: 1, last_seq: 100, 
    consumers: SERVICES.slice(at, at + 4).map((one) => ({ name: one, pending: one === "ledger" ? 12 : 0, unacknowledged: at, redelivered: 0 })),
  })),
  dead_letters_count: 1,
  dead_letters: [{ ts_event: nanos(NOW_MS - 90 * MINUTE_MS), service: "strategy", stream: "DATA", subject: "data.features.alpaca.XOM", reason: "ValueError: features end before they begin", tries: 3 }],
  alert_routes: [
    { name: "ops", min_severity: "warning", waiting: 0, failures: 0, problem: "", told_at: nanos(NOW_MS - 4 * MINUTE_MS) },
    { name: "boss", min_severity: "critical", waiting: 3, failures: 4, problem: "Failed to send SMS notification: Service Unavailable, error=503.", told_at: null },
  ],
};

const SPANS: [number, string, string, number, number, boolean?][] = [
  [0, "feed", "bar SPY 1m", 0, 1.1], [1, "signals", "features SPY", 1.4, 2.2], [2, "local-reasoner", "ask qwen2.5:14b", 3.9, 812], [2, "strategy", "score and size", 818.2, 0.9],
  [3, "gate", "judge intent", 819.8, 0.4], [4, "exec", "place order", 821.0, 41.3], [5, "exec", "venue accepts", 839.2, 18.4], [5, "exec", "fill 38 @ 561.18", 866.1, 3.1], [4, "ledger", "book and mark", 869.8, 1.9],
];

export function decisionOf(id: string, huge: boolean): api.DecisionView | null {
  const item = decisions.find((known) => known.decision_id === id);
  if (!item) return null;
  const denied = item.codes;
  const isOrder = item.kind === "order";
  const answer = `<think>Breadth is better than yesterday.</think>\n{"instrument_id": "SPY", "action": "enter", "direction": "long", "conviction": 71,\n "p_win": 0.61, "thesis": "<script>alert(1)</script> Breadth improves while yields fall."}`;
  const made = isOrder ? order(item, item.status ?? "accepted") : null;
  return {
    decision_id: id, items: [item],
    waterfall: SPANS.slice(0, denied.length ? 5 : 9).map(([depth, service, name, start_ms, duration_ms], at) => ({
      depth, service, name, start_ms, duration_ms, failed: denied.length > 0 && at === 4, span_id: `s${at}`, parent_span_id: `s${at - 1}`,
      attributes: { "desk": "hybrid", "decision_id": id, ...(service === "local-reasoner" ? { "gen_ai.request.model": "qwen2.5:14b-instruct-q4", "gen_ai.usage.input_tokens": "1804" } : {}) },
    })),
    messages: SPANS.map(([, service, name], at) => ({ message_id: `m${at}`, ts_event: item.ts_event, tag: `${service}.${name.split(" ")[0] ?? ""}.v1`, subject: `evt.${service}.hybrid` })),
    model_calls: [{
      message_id: hex(32), ts_event: item.ts_event, outcome: "answered", question: isOrder ? "decision" : "param_proposal", source: null, provider: "ollama", model: "qwen2.5:14b-instruct-q4",
      prompt: "You advise a trading desk. Answer with one JSON object of the schema below and nothing else.\n\nUniverse: SPY 561.20 (+0.4 %), TLT 91.30 (+0.2 %)\nRegime: calm; z 0.7; correlation 0.63\nHeld: SPY 38 @ 555.54\n\nSchema: {instrument_id, action, direction, conviction 0-100, p_win 0-1, thesis}",
      answer: huge ? answer + " very long thesis".repeat(62_000) : answer, parsed: { instrument_id: "SPY", action: "enter", direction: "long", conviction: 71, p_win: 0.61 },
      detail: "", tokens_in: 1804, tokens_out: 212, cost_usd: "0.00000", latency_ms: 812,
    }],
    proposals: isOrder ? [] : [{
      message_id: hex(32), ts_event: item.ts_event, provider: "ollama", parameter: "threshold_bps", old: 1.2, proposed: 1.5, applied: 1.2, verdict: item.verdict, freeze_reasons: [], policy_version: 41,
    }],
    verdicts: isOrder ? [{
      intent_id: item.intent_id ?? "", instrument_id: item.instrument_id, verdict: item.verdict, epoch: 41,
      controls: controls.map((known) => ({
        code: known.code, definition: known.definition, unit: known.unit, level: known.level, held: !denied.includes(known.code), asked: true, limit: known.limit,
        observed: known.code === "position.name" && !denied.includes(known.code) ? "6887" : known.observed,
        headroom_pct: denied.includes(known.code) ? -12 : known.headroom_pct === null ? null : Math.max(3, known.headroom_pct),
      })),
    }] : [],
    orders: made ? [made] : [],
    order_events: isOrder && !denied.length ? ["submitted", "accepted", "partially_filled", "filled"].map((status, at) => ({
      message_id: hex(32), ts_event: item.ts_event, intent_id: item.intent_id ?? "", status, tag: `order.${status}.v1`, filled_quantity: at > 1 ? item.quantity : "0", detail: at === 1 ? "alpaca accepted it as 8f2e" : null,
    })) : [],
    fills: isOrder && item.status === "filled" ? marksOf(item.instrument_id ?? "").fills.slice(0, 1) : [],
    scores: isOrder ? scores.items.filter((known) => known.instrument_id === item.instrument_id).map((known) => ({ ...known, decision_id: id })) : [],
    escalations: isOrder ? [] : escalations.slice(0, 1), policy_changes: isOrder ? [] : versions.slice(0, 1),
    set_by: { escalations: ["risk"], version: 41, decision_id: versions[0]?.decision_id ?? "", author: "local-reasoner", reason: "momentum paid" },
    outcome: { result: item.status === "filled" ? "won" : "none", filled_quantity: item.status === "filled" ? item.quantity ?? "0" : "0", fees: "0.02", entry_price: item.status === "filled" ? "561.18" : null, exit_price: item.status === "filled" ? "563.40" : null, realised_pnl: item.status === "filled" ? "84.36" : null },
  };
}
