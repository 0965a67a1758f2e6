import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, type ReactElement } from "react";
import { forgetNewer, useLink } from "../api/live.ts";
import { openOrdersQuery, ordersQuery, positionsQuery, stateQuery } from "../api/queries.ts";
import type { OrderView, PositionView } from "../api/types.gen.ts";
import { brief, money, moment, NONE, percent, plain, price, words } from "../format.ts";
import { keepQuery, linkTo } from "../route.ts";
import { Answer, Badge, Change, Empty, ErrorBox, More, Panel, Side, Skeleton, Verdict } from "../ui/parts.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { Newer } from "./decisions.tsx";

function Positions({ items }: { items: PositionView[] }): ReactElement {
  if (items.length === 0) return <Empty title="Flat">No position is held.</Empty>;
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Table of positions">
      <table className="table">
        <thead><tr><th scope="col">Instrument</th><th scope="col" className="wide-only">Bucket</th><th scope="col" className="right">Quantity</th><th scope="col" className="right wide-only">Average</th><th scope="col" className="right">Mark</th><th scope="col" className="right">Notional</th><th scope="col" className="right wide-only">Share</th><th scope="col" className="right">Unrealised</th></tr></thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.account + one.instrument_id}>
              <td><b>{one.instrument_id}</b></td><td className="wide-only">{one.bucket} <small>{one.sector}</small></td>
              <td className="num right">{plain(one.quantity)}</td><td className="num right wide-only">{price(one.avg_px)}</td><td className="num right">{price(one.mark)}</td>
              <td className="num right">{money(one.notional)}</td><td className="num right wide-only">{percent(one.share_pct, false, 1)}</td><td className="right"><Change value={one.unrealised_pnl} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Orders({ items, now }: { items: OrderView[]; now: string | undefined }): ReactElement {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Table of orders">
      <table className="table">
        <thead><tr><th scope="col">Time</th><th scope="col">Decision</th><th scope="col">Instrument</th><th scope="col">Side</th><th scope="col" className="wide-only">Type</th><th scope="col" className="right">Filled / size</th><th scope="col" className="right">Price</th><th scope="col">Status</th><th scope="col" className="wide-only">Mode</th><th scope="col" className="wide-only">Why</th></tr></thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.intent_id}>
              <td className="num" title={`${moment(one.ts_event)} UTC`}>{brief(one.ts_event, now)}</td>
              <td><a className="id" href={linkTo(`decisions/${one.decision_id}`)}>{one.decision_id.slice(0, 8)}</a></td>
              <td>{one.instrument_id ?? NONE}</td><td><Side side={one.side} /></td><td className="wide-only">{words(one.order_type)}</td>
              <td className="num right">{plain(one.filled_quantity)} / {plain(one.quantity ?? one.requested_quantity)}</td>
              <td className="num right">{price(one.entry_price ?? one.limit_price ?? one.reference_price)}</td>
              <td><Verdict value={one.status} /></td>
              <td className="wide-only">{one.mode ? <Badge tone={one.mode === "live" ? "loss" : "plain"}>{one.mode}</Badge> : NONE}</td>
              <td className="why wide-only"><span className="words">{(one.detail ?? one.reasons.join(", ")).slice(0, 90)}</span></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Open({ now }: { now: string | undefined }): ReactElement {
  const open = useQuery(openOrdersQuery);
  return <Answer of={open}>{({ items }) => (items.length === 0 ? <Empty title="No open order">Nothing waits at a venue.</Empty> : <Orders items={items} now={now} />)}</Answer>;
}

function Every({ now }: { now: string | undefined }): ReactElement {
  const list = useInfiniteQuery(ordersQuery({ status: "all" }));
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  if (list.error && !list.data) return <ErrorBox error={list.error} retry={() => void list.refetch()} />;
  if (list.isPending) return <Skeleton lines={10} />;
  return <>{items.length === 0 ? <Empty title="No order yet" /> : <Orders items={items} now={now} />}<More query={list} /></>;
}

export function OrdersPage({ query }: { query: URLSearchParams }): ReactElement {
  const positions = useQuery(positionsQuery);
  const state = useQuery(stateQuery).data;
  const { newer } = useLink();
  const all = useInfiniteQuery({ ...ordersQuery({ status: "all" }), enabled: false });
  const view = query.get("status") === "all" ? "all" : "open";
  useEffect(() => forgetNewer("orders"), [view]);
  return (
    <>
      <h1>Orders and positions</h1>
      <Panel title="Positions" flush><Answer of={positions}>{({ items }) => <Positions items={items} />}</Answer></Panel>
      <Panel
        title="Orders"
        flush
        aside={
          <>
            {view === "all" && <Newer count={newer.orders} onShow={() => { forgetNewer("orders"); void all.refetch(); }} />}
            <Tabs label="Orders shown" value={view} options={[["open", "Open"], ["all", "All"]]} onChange={(status) => keepQuery(new URLSearchParams({ status }))} />
          </>
        }
      >
        {view === "open" ? <Open now={state?.desk_time} /> : <Every now={state?.desk_time} />}
      </Panel>
    </>
  );
}
