import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useState, type ReactElement } from "react";
import { useApprove, useReject } from "../actions.ts";
import { approvalsQuery, stateQuery } from "../api/queries.ts";
import type { ApprovalView } from "../api/types.gen.ts";
import { duration, millisOf, moment, money, NONE, plain, price } from "../format.ts";
import { linkTo } from "../route.ts";
import { Folded } from "../ui/folded.tsx";
import { Icon } from "../ui/icons.tsx";
import { Empty, ErrorBox, Fact, More, Panel, Side, Skeleton, Verdict } from "../ui/parts.tsx";
import { ReasonDialog } from "../ui/reason.tsx";
import { Tabs } from "../ui/tabs.tsx";

const HURRY_MS = 30_000;
const STEPS = [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2];

/** Nine steps from short to long; the one that holds is marked, and said in words. */
function Conviction({ value }: { value: string }): ReactElement {
  const figure = Number(value);
  if (value === "" || !Number.isFinite(figure)) return <b>{value || NONE}</b>;
  if (Math.abs(figure) > 2) {
    return <span className="conviction"><b className="num">{value}</b><small>of 100</small></span>;
  }
  const tone = figure > 0 ? "gain" : figure < 0 ? "loss" : "plain";
  return (
    <span className={`conviction ${tone}`}>
      <span className="steps" aria-hidden="true">
        {STEPS.map((step) => <i key={step} className={`${step < 0 ? "short" : step > 0 ? "long" : "zero"}${step === figure ? " on" : ""}${(figure > 0 && step > 0 && step <= figure) || (figure < 0 && step < 0 && step >= figure) ? " in" : ""}`} />)}
      </span>
      <b className="num">{figure > 0 ? "+" : figure < 0 ? "−" : ""}{Math.abs(figure)}</b>
      <small>{figure > 0 ? "long" : figure < 0 ? "short" : "flat"}</small>
    </span>
  );
}

/** The desk's clock goes on between two answers of the server as the wall's does. */
function useDeskNow(): number {
  const state = useQuery(stateQuery);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 500);
    return () => window.clearInterval(timer);
  }, []);
  const desk = millisOf(state.data?.desk_time) ?? now;
  return desk + Math.max(0, now - (state.dataUpdatedAt || now));
}

function Expiry({ at }: { at: string }): ReactElement {
  const left = (millisOf(at) ?? 0) - useDeskNow();
  if (left <= 0) return <span className="expiry over"><Icon name="clock" size={14} /> expired</span>;
  return <span className={left < HURRY_MS ? "expiry hurry num" : "expiry num"}><Icon name="clock" size={14} /> {duration(left)} left</span>;
}

function Pending({ of }: { of: ApprovalView }): ReactElement {
  const [isRejecting, setRejecting] = useState(false);
  const approve = useApprove();
  const reject = useReject();
  const isBusy = approve.isPending || reject.isPending;
  return (
    <article className="approval panel" aria-label={`${of.side} ${of.quantity} ${of.instrument_id}`}>
      <header>
        <div className="approval-what"><Side side={of.side} /> <b className="num">{plain(of.quantity)}</b> <b>{of.instrument_id}</b> <span className="num faint">≈ {price(of.reference_price)}</span></div>
        <Expiry at={of.expires_at} />
      </header>
      <Conviction value={of.conviction} />
      <dl className="facts row">
        <Fact name="Notional"><span className="num">{money(of.notional)}</span></Fact>
        <Fact name="Held now"><span className="num">{plain(of.held)}</span></Fact>
        <Fact name="Strategy">{of.strategy}</Fact>
        <Fact name="Persons">
          <span className="num">{of.given.length} of {of.needed}</span>{of.given.length > 0 && <small> {of.given.join(", ")}</small>}
        </Fact>
      </dl>
      {of.reasons.length > 0 && <p className="words reasons">{of.reasons.join(" · ").slice(0, 600)}</p>}
      <div className="dissent"><h2 className="minor">Dissent</h2>{of.dissent ? <Folded text={of.dissent} label={`Dissent on ${of.side} ${of.quantity} ${of.instrument_id}`} /> : <p className="note">Nobody disagreed.</p>}</div>
      <footer>
        <a href={linkTo(`decisions/${of.decision_id}`)}>Whole decision</a>
        <button type="button" className="button" disabled={isBusy} onClick={() => setRejecting(true)}><Icon name="cross" size={14} /> Reject…</button>
        <button type="button" className="button primary" disabled={isBusy} onClick={() => approve.mutate({ id: of.request_id })}><Icon name="check" size={14} /> {approve.isPending ? "Asking" : of.needed > 1 ? "Approve as one of two" : "Approve"}</button>
      </footer>
      {isRejecting && (
        <ReasonDialog title={`Reject ${of.side} ${of.instrument_id}`} text="Nothing will be sent for it. The reason stays with the decision." word="Reject" pending={reject.isPending} onClose={() => setRejecting(false)} onReason={(reason) => reject.mutate({ id: of.request_id, reason }, { onSuccess: () => setRejecting(false) })} />
      )}
    </article>
  );
}

function Past({ items }: { items: ApprovalView[] }): ReactElement {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Approvals so far">
      <table className="table">
        <thead><tr><th scope="col">Asked, UTC</th><th scope="col">Instrument</th><th scope="col">Side</th><th scope="col" className="right">Size</th><th scope="col">Conviction</th><th scope="col">Became</th><th scope="col">By</th><th scope="col">Why</th></tr></thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.request_id}>
              <td className="num"><a href={linkTo(`decisions/${one.decision_id}`)}>{moment(one.ts_event)}</a></td><td>{one.instrument_id}</td><td><Side side={one.side} /></td><td className="num right">{plain(one.quantity)}</td>
              <td className="num">{one.conviction || NONE}</td><td><Verdict value={one.status} /></td><td>{one.decided_by.join(", ") || NONE}</td><td className="why"><span className="words">{one.reason.slice(0, 200)}</span></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function ApprovalsPage(): ReactElement {
  const [view, setView] = useState<"pending" | "all">("pending");
  const list = useInfiniteQuery(approvalsQuery(view));
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <div className="page-head"><h1>Approvals</h1><Tabs label="Approvals shown" value={view} options={[["pending", "Waiting"], ["all", "All"]]} onChange={(name) => setView(name === "all" ? "all" : "pending")} /></div>
      {list.error && !list.data && <ErrorBox error={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <Skeleton lines={8} />}
      {list.data && items.length === 0 && <Panel title="Nothing waits"><Empty title="Nothing waits for a person">Entries of a desk with <code>approval = "entries"</code> appear here before they go to the gate.</Empty></Panel>}
      {view === "pending" ? <div className="approvals">{items.map((one) => <Pending key={one.request_id} of={one} />)}</div> : items.length > 0 && <Panel title="Newest first" flush><Past items={items} /></Panel>}
      <More query={list} />
    </>
  );
}
