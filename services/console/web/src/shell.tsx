/* What stands around every page: the desk at a glance, the way to the pages, and the stop. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, type ReactElement, type ReactNode } from "react";
import { useKill } from "./actions.ts";
import { keepSession, post } from "./api/client.ts";
import { useLink } from "./api/live.ts";
import { approvalsQuery, stateQuery } from "./api/queries.ts";
import type { SessionView, StateView } from "./api/types.gen.ts";
import { brief, modeName, money, moment, number, percent, words } from "./format.ts";
import { GOES, useKeys } from "./keys.ts";
import { ResumeDialog } from "./resume.tsx";
import { linkTo, useRoute } from "./route.ts";
import { switchTheme, useTheme } from "./theme.ts";
import { Dialog } from "./ui/dialog.tsx";
import { Icon, Mark, type IconName } from "./ui/icons.tsx";
import { Badge, Change } from "./ui/parts.tsx";

const SHORT_NAMES: Record<string, string> = {
  desk: "Desk", decisions: "Decisions", orders: "Orders", approvals: "Approvals", days: "Days", policy: "Policy", services: "Services",
};

function KillButton({ state }: { state: StateView | undefined }): ReactElement {
  const kill = useKill();
  const pressed = state?.kill_switch.pressed ?? false;
  return (
    <button
      type="button"
      data-kill
      className={pressed ? "kill pressed" : "kill"}
      disabled={kill.isPending}
      title={pressed ? "Pressed. Press again to cancel again whatever is open." : "Cancel all open orders and block new risk, at once (key: K, then Enter)"}
      onClick={() => kill.mutate("pressed on the console's page")}
    >
      <Icon name="stop" />
      {kill.isPending ? "Stopping" : pressed ? "Pressed" : "Kill"}
    </button>
  );
}

function TradingBadge({ state }: { state: StateView }): ReactElement {
  if (state.kill_switch.pressed) return <Badge tone="alarm" icon="stop">switch pressed</Badge>;
  if (state.trading_state === "active") return <Badge tone="gain" icon="check">armed, trading</Badge>;
  if (state.trading_state === "reduce_only") return <Badge tone="loss" icon="warn">reduce only</Badge>;
  return <Badge tone="loss" icon="stop">{words(state.trading_state || "halted")}</Badge>;
}

function Kpi({ name, children, extra, wide }: { name: string; children: ReactNode; extra?: ReactNode; wide?: boolean }): ReactElement {
  return (
    <div className={wide ? "kpi wide" : "kpi"}>
      <dt>{name}</dt>
      <dd>{children}{extra && <small>{extra}</small>}</dd>
    </div>
  );
}

function Kpis({ state }: { state: StateView | undefined }): ReactElement {
  if (!state) {
    return <div className="kpis waiting" role="status" aria-label="Loading the desk">{[0, 1, 2, 3, 4].map((one) => <i key={one} />)}</div>;
  }
  const { volatility } = state;
  const volatile = volatility.label === "high" || volatility.label === "extreme";
  return (
    <dl className="kpis">
      <Kpi name="Net liquidity"><span className="num">{money(state.equity)}</span></Kpi>
      <Kpi name="Day P&L" extra={<Change value={state.day_pnl_pct} unit="percent" />}><Change value={state.day_pnl} /></Kpi>
      <Kpi name="Drawdown, 5 days"><span className="num">{percent(state.drawdown_5d_pct)}</span></Kpi>
      <Kpi name="Volatility" extra={volatility.z === null ? undefined : <span className="num">z {number(volatility.z, 1, true)}</span>}>
        <Badge tone={volatile ? "loss" : "plain"} {...(volatile ? { icon: "warn" as const } : {})}>{volatility.label || "unknown"}</Badge>
      </Kpi>
      <Kpi name="Trading" wide><TradingBadge state={state} /></Kpi>
    </dl>
  );
}

function Mode({ state }: { state: StateView }): ReactElement {
  return (
    <span className={state.live ? "mode live" : "mode"}>
      {state.live ? "Live" : "Demo"}
      {state.stage !== state.mode && <small>{words(state.stage)}</small>}
    </span>
  );
}

function TopBar({ state, onHelp, onResume, session }: {
  state: StateView | undefined;
  onHelp: () => void;
  onResume: () => void;
  session: SessionView;
}): ReactElement {
  const client = useQueryClient();
  const theme = useTheme();
  async function leave(): Promise<void> {
    await post("/api/logout").catch(() => undefined);
    keepSession(null);
    client.clear();
    location.reload();
  }
  const mayResume = state && (state.kill_switch.pressed || state.trading_state === "halted");
  return (
    <header className={state?.live ? "top live" : "top"}>
      <a className="brand" href={linkTo("")} title={`Desk ${session.desk}`}>
        <Mark />
        <span><b>Interlock</b> <small>{session.desk}</small></span>
      </a>
      {state && <Mode state={state} />}
      <Kpis state={state} />
      <div className="top-end">
        {mayResume && <button type="button" className="button" onClick={onResume}>Resume…</button>}
        <KillButton state={state} />
        <div className="tools">
          <button type="button" className="button bare" aria-label="Help and keys" onClick={onHelp}><Icon name="help" /></button>
          <button type="button" className="button bare" aria-label={theme === "dark" ? "Light colours" : "Dark colours"} onClick={switchTheme}>
            <Icon name={theme === "dark" ? "sun" : "moon"} />
          </button>
          <button type="button" className="button bare" aria-label={`Log out ${session.name}`} title={`${session.name}, ${session.role}: log out`} onClick={() => void leave()}>
            <Icon name="leave" />
          </button>
        </div>
      </div>
    </header>
  );
}

function Navigation(): ReactElement {
  const route = useRoute();
  const pending = useInfiniteQuery(approvalsQuery("pending"));
  const waiting = pending.data?.pages.reduce((sum, page) => sum + page.items.length, 0) ?? 0;
  const here = route.page === "decision" ? "decisions" : route.page;
  return (
    <nav className="nav" aria-label="Pages">
      <ul>
        {GOES.map(([key, page, title]) => (
          <li key={page}>
            <a href={linkTo(page === "desk" ? "" : page)} title={`${title} (g ${key})`} aria-current={here === page ? "page" : undefined}>
              <Icon name={page as IconName} size={18} />
              <span>{SHORT_NAMES[page]}</span>
              {page === "approvals" && waiting > 0 && <b className="count" aria-label={`${waiting} wait`}>{waiting}</b>}
              <kbd aria-hidden="true">g {key}</kbd>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Banner({ tone, icon, children }: { tone: string; icon: IconName; children: ReactNode }): ReactElement {
  return <div className={`banner ${tone}`} role="alert"><Icon name={icon} /><div>{children}</div></div>;
}

function useSecond(runs: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!runs) return undefined;
    const timer = window.setInterval(() => setNow(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, [runs]);
  return now;
}

/** Whether the server now ships another page than this one. Asked after each reconnect. */
function useNewerPage(up: boolean): boolean {
  const [isNewer, setNewer] = useState(false);
  useEffect(() => {
    const own = new URL(import.meta.url).pathname;
    if (!up || !own.startsWith("/assets/")) return;
    fetch("/", { cache: "no-store" })
      .then((response) => (response.ok ? response.text() : own))
      .then((page) => setNewer(!page.includes(own)))
      .catch(() => undefined);
  }, [up]);
  return isNewer;
}

function Banners({ state }: { state: StateView | undefined }): ReactElement {
  const link = useLink();
  const isLost = link.lostAt !== null;
  const now = useSecond(isLost);
  const isNewer = useNewerPage(link.up);
  const pressed = state?.kill_switch;
  return (
    <>
      {isLost && (
        <Banner tone="lost" icon="warn">
          <strong>Connection lost{link.lostAt ? ` ${Math.max(0, Math.round((now - link.lostAt) / 1000))} s ago` : ""}.</strong>{" "}
          What you see is as it was then. Trying again; the kill file works without this page.
        </Banner>
      )}
      {isNewer && (
        <Banner tone="lost" icon="info">
          <strong>This page is older than its server.</strong>{" "}
          <button type="button" className="link" onClick={() => location.reload()}>Load the newer one</button>
        </Banner>
      )}
      {pressed?.pressed && (
        <Banner tone="alarm" icon="stop">
          <strong>Kill switch pressed</strong> by {pressed.by || "unknown"} ({words(pressed.way)}), {moment(pressed.seen_at)} UTC.{" "}
          <span className="words">“{pressed.reason.slice(0, 300)}”</span>{" "}
          <span className="num">{pressed.cancelled} cancelled, {pressed.left} left open.</span>
        </Banner>
      )}
      {state && !state.bus_up && <Banner tone="lost" icon="warn"><strong>The bus does not answer.</strong> Figures stand still; kill still works.</Banner>}
      {state && !state.database_up && <Banner tone="lost" icon="warn"><strong>The ledger’s database does not answer.</strong> Lists stand still; kill still works.</Banner>}
      {state?.modes.map((one) => (
        <Banner key={one.mode} tone="lost" icon="warn"><strong>{modeName(one.mode)}</strong> since {brief(one.since, state.desk_time)}{one.by_silence ? ", by silence" : ""}: <span className="words">{one.reason.slice(0, 300)}</span></Banner>
      ))}
      {state?.quarantined_until && (
        <Banner tone="lost" icon="clock"><strong>Quarantine until {state.quarantined_until}.</strong> Kill days: {state.kill_days.join(", ") || "none"}. <a href={linkTo("days")}>The way back</a></Banner>
      )}
    </>
  );
}

function Help({ onClose }: { onClose: () => void }): ReactElement {
  return (
    <Dialog title="Help and keys" onClose={onClose}>
      <dl className="keys">
        <div><dt><kbd>K</kbd> <kbd>Enter</kbd></dt><dd>to the kill button, and press it; there is no second question</dd></div>
        <div><dt><kbd>/</kbd></dt><dd>search</dd></div>
        {GOES.map(([key, page, title]) => <div key={page}><dt><kbd>g</kbd> <kbd>{key}</kbd></dt><dd>{title}</dd></div>)}
        <div><dt><kbd>?</kbd></dt><dd>this help</dd></div>
        <div><dt><kbd>Esc</kbd></dt><dd>close a window</dd></div>
      </dl>
      <p className="note">
        <Change value={1} unit="number" digits={0} /> blue: a gain, or it held. <Change value={-1} unit="number" digits={0} /> orange:
        a loss, or it failed. A filled <Badge tone="alarm" icon="stop">octagon</Badge> is a stop. All times are UTC, on the desk’s own clock.
      </p>
      <p className="note">
        API: <a href="/schema">/schema</a>. Charts: TradingView Lightweight Charts™, © TradingView, Inc. <a href="/licenses.txt">Licences of what is built in</a>.
      </p>
    </Dialog>
  );
}

export function Shell({ session, children }: { session: SessionView; children: ReactNode }): ReactElement {
  const state = useQuery(stateQuery).data;
  const link = useLink();
  const [isHelp, setHelp] = useState(false);
  const [isResume, setResume] = useState(false);
  const [help] = useState(() => () => setHelp(true));
  useKeys(help);
  useEffect(() => {
    document.title = state ? `${state.kill_switch.pressed ? "STOP " : ""}${state.live ? "LIVE" : "demo"} · ${state.desk} · Interlock` : "Interlock";
  }, [state]);
  return (
    <div className={link.lostAt === null ? "shell" : "shell stale"}>
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to the page</a>
      <TopBar state={state} session={session} onHelp={help} onResume={() => setResume(true)} />
      <Navigation />
      <main id="main" tabIndex={-1}>
        <Banners state={state} />
        {children}
        <footer className="foot">
          <span className={link.up ? "pulse up" : "pulse"} aria-hidden="true" />
          {link.up ? "Connected" : "Not connected"}
          {state && <> · desk clock <span className="num">{brief(state.desk_time, null)}</span> UTC · policy <span className="num">v{state.policy_version ?? "–"}</span></>}
          {" "}· {session.name}, {session.role}
        </footer>
      </main>
      {isHelp && <Help onClose={() => setHelp(false)} />}
      {isResume && <ResumeDialog desk={session.desk} onClose={() => setResume(false)} />}
    </div>
  );
}
