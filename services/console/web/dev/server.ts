/* The fixture over HTTP, with the console's own security headers, so that what its policy would
   refuse is refused here too. Run with Node 24: node dev/server.ts PORT [live|killed|empty|huge|busy]. */
import { createReadStream, existsSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { createGzip } from "node:zlib";
import * as desk from "./fixture.ts";

const PAGE = fileURLToPath(new URL("../../src/interlock/console/page", import.meta.url));
const TYPES: Record<string, string> = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2" };
const HEADERS = {
  "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
};
const TOKEN = "let-me-in";
const [port = "5556", scenario = ""] = process.argv.slice(2);
const listeners = new Set<ServerResponse>();
let pending = [...desk.approvals];
let past = [...desk.pastApprovals];

if (scenario === "live") Object.assign(desk.state, { live: true, mode: "live", stage: "live_micro" });
if (scenario === "killed") press("Grace", "VIX through the roof");
if (scenario === "empty") Object.assign(desk.state, { equity: null, cash: null, day_pnl: null, day_pnl_pct: null, drawdown_5d_pct: null, policy_version: null });
const isEmpty = scenario === "empty";

function press(by: string, reason: string): void {
  desk.state.kill_switch = { pressed: true, way: "console", by, reason, seen_at: desk.nanos(desk.deskMs()), cancelled: desk.openOrders.length, left: 0, file_there: true };
  desk.state.trading_state = "halted";
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { ...HEADERS, "Content-Type": status < 400 ? "application/json" : "application/problem+json" });
  response.end(JSON.stringify(body));
}

function refuse(response: ServerResponse, status: number, code: string, detail: string): void {
  send(response, status, { type: "about:blank", title: code, status, detail, code });
}

function page<T>(items: T[], query: URLSearchParams): { items: T[]; next: string | null } {
  const from = Number(query.get("cursor") ?? 0);
  const to = from + Number(query.get("limit") ?? 50);
  return { items: isEmpty ? [] : items.slice(from, to), next: !isEmpty && to < items.length ? String(to) : null };
}

function decisions(query: URLSearchParams): unknown {
  const [instrument, verdict, code] = ["instrument", "verdict", "code"].map((name) => query.get(name));
  const least = Number(query.get("min_conviction") ?? 0);
  return page(desk.decisions.filter((one) =>
    (!instrument || one.instrument_id === instrument) && (!verdict || one.verdict === verdict) && (!code || one.codes.includes(code)) && (one.conviction ?? 0) >= least), query);
}

function answer(path: string, query: URLSearchParams): unknown {
  switch (path) {
    case "/api/session": return desk.session;
    case "/api/state": return { ...desk.state, desk_time: desk.nanos(desk.deskMs()) };
    case "/api/equity": return isEmpty ? { items: [] } : desk.equity;
    case "/api/bars": return desk.barsOf(query.get("instrument") ?? "");
    case "/api/marks": return desk.marksOf(query.get("instrument") ?? "");
    case "/api/positions": return { items: isEmpty ? [] : desk.positions };
    case "/api/buckets": return desk.buckets;
    case "/api/controls": return { items: desk.controls };
    case "/api/decisions": return decisions(query);
    case "/api/orders": return page(query.get("status") === "open" ? (desk.state.kill_switch.pressed ? [] : desk.openOrders) : desk.orders, query);
    case "/api/alerts": return page(desk.alerts, query);
    case "/api/approvals": return page(query.get("state") === "all" ? [...pending, ...past] : pending, query);
    case "/api/policy": return desk.policy;
    case "/api/policy/history": return page(desk.versions, query);
    case "/api/scorecard": return desk.scorecard;
    case "/api/calibration": return isEmpty ? { count: 0, brier: null, bins: [] } : desk.calibration;
    case "/api/budgets": return desk.budgets;
    case "/api/scores": return isEmpty ? { ...desk.scores, items: [] } : desk.scores;
    case "/api/escalations": return page(desk.escalations, query);
    case "/api/days": return page(desk.days, query);
    case "/api/post-mortems": return isEmpty ? { day: null, items: [] } : desk.postMortemsOf(query.get("day") ?? "");
    case "/api/promotion": return desk.promotion;
    case "/api/gpt5-status": return desk.cloud;
    case "/api/health": return desk.health;
    default: return null;
  }
}

function diff(query: URLSearchParams): unknown {
  const found = ["from", "to"].map((name) => desk.versions.find((one) => one.version === Number(query.get(name))));
  const [before, after] = found;
  if (!before || !after) return null;
  const changes = Object.keys(after.parameters).filter((name) => before.parameters[name] !== after.parameters[name]);
  return { before, after, changes: changes.map((name) => ({ name, old: before.parameters[name] ?? null, new: after.parameters[name] ?? null })) };
}

async function act(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = "";
  for await (const part of request) text += String(part);
  const body = JSON.parse(text || "{}") as Record<string, string>;
  const obeyed = { outcome: "obeyed", message_id: "m", by: "Ada", detail: "" };
  const [, id, word] = /^\/api\/approvals\/(\w+)\/(approve|reject)$/.exec(path) ?? [];
  if (path === "/api/login") {
    if (body["token"] !== TOKEN) return refuse(response, 401, "token", "this token is nobody's");
    response.setHeader("Set-Cookie", "interlock_session=x; HttpOnly; SameSite=Strict; Path=/");
    return send(response, 200, desk.session);
  }
  if (path === "/api/logout") {
    response.setHeader("Set-Cookie", "interlock_session=; Max-Age=0; Path=/");
    return send(response, 200, {});
  }
  if (path === "/api/kill") {
    press("Ada", body["reason"] ?? "");
    tell("state", answer("/api/state", new URLSearchParams()));
    return send(response, 200, { pressed_at: desk.nanos(Date.now()), file_written: true, told: true, confirmed: true, cancelled: 3, obeyed: true, detail: `pressed: ${desk.openOrders.length} orders cancelled, nothing is open` });
  }
  if (path === "/api/resume") {
    if (body["confirm"] !== "resume hybrid") return refuse(response, 422, "confirm", "type: resume hybrid");
    desk.state.kill_switch.pressed = false;
    desk.state.trading_state = "active";
    return send(response, 200, { ...obeyed, detail: "the desk is active" });
  }
  const asked = pending.find((one) => one.request_id === id);
  if (id && asked) {
    const done = { ...asked, status: word === "approve" ? "approved" : "rejected", decided_by: ["Ada"], reason: body["reason"] ?? "" };
    pending = pending.filter((one) => one !== asked);
    past = [done, ...past];
    tell("approval", done);
    return send(response, 200, { ...obeyed, detail: `${done.status}: ${done.side} ${done.quantity} ${done.instrument_id}` });
  }
  if (id) return refuse(response, 409, "expired", "this request is decided already");
  return send(response, 200, { ...obeyed, detail: path });
}

function tell(kind: string, data: unknown): void {
  for (const one of listeners) one.write(`event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`);
}

function file(path: string, response: ServerResponse, packed: boolean): void {
  const asked = join(PAGE, normalize(path));
  const name = asked.startsWith(PAGE) && extname(asked) && existsSync(asked) ? asked : join(PAGE, "index.html");
  const type = TYPES[extname(name)] ?? "application/octet-stream";
  const isPacked = packed && !type.startsWith("font");
  response.writeHead(200, { ...HEADERS, "Content-Type": type, ...(isPacked ? { "Content-Encoding": "gzip" } : {}) });
  if (isPacked) createReadStream(name).pipe(createGzip()).pipe(response);
  else createReadStream(name).pipe(response);
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  if (!url.pathname.startsWith("/api/")) return file(url.pathname, response, String(request.headers["accept-encoding"]).includes("gzip"));
  const isIn = String(request.headers.cookie).includes("interlock_session=x");
  if (!isIn && url.pathname !== "/api/login") return refuse(response, 401, "login", "log in first");
  if (request.method === "POST") return void act(url.pathname, request, response);
  if (url.pathname === "/api/stream") {
    response.writeHead(200, { ...HEADERS, "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.write(": here\n\n");
    listeners.add(response);
    return void response.on("close", () => listeners.delete(response));
  }
  const [, id] = /^\/api\/decisions\/(.+)$/.exec(url.pathname) ?? [];
  const found = id ? desk.decisionOf(decodeURIComponent(id), scenario === "huge") : url.pathname === "/api/policy/diff" ? diff(url.searchParams) : answer(url.pathname, url.searchParams);
  if (found === null) return refuse(response, 404, "unknown", "no decision of ours has this id");
  return send(response, 200, found);
});

setInterval(() => tell("state", answer("/api/state", new URLSearchParams())), 1000);
if (scenario === "busy") setInterval(() => {
  for (let at = 0; at < 10; at += 1) tell("decision", { ...desk.nextDecision(), summary: `sent ${Date.now()}` });
}, 50);
else if (!isEmpty) setInterval(() => {
  const fresh = desk.nextDecision();
  desk.decisions.unshift(fresh);
  tell("decision", fresh);
}, 1500);
server.listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${port} token ${TOKEN}`));
