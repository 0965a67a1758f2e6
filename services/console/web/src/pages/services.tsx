import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { healthQuery, stateQuery } from "../api/queries.ts";
import type { AlertRouteView, DeadLetterView, HealthView, ServiceView, StreamView } from "../api/types.gen.ts";
import { bytes, duration, moment, NONE, number, words } from "../format.ts";
import { Line } from "../ui/folded.tsx";
import { Answer, Badge, Empty, Fact, Panel } from "../ui/parts.tsx";

const LATE_MS = 5_000;

function Services({ items }: { items: ServiceView[] }): ReactElement {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Services">
      <table className="table">
        <thead><tr><th scope="col">Service</th><th scope="col">State</th><th scope="col" className="right">Heartbeat</th><th scope="col" className="right">Lag</th><th scope="col" className="right">Restarts</th><th scope="col" className="right">Handled</th><th scope="col" className="right">Published</th><th scope="col" className="right">Parked</th><th scope="col" className="right wide-only">Process</th></tr></thead>
        <tbody>
          {items.map((one) => {
            const isLate = one.beats && (one.heartbeat_age_ms === null || one.heartbeat_age_ms > LATE_MS);
            return (
              <tr key={one.name} className={one.ready ? "" : "failed"}>
                <td><b>{one.name}</b></td>
                <td>{one.ready ? isLate ? <Badge tone="loss" icon="clock">silent</Badge> : <Badge tone="gain" icon="check">{one.beats ? "ready" : "runs"}</Badge> : <Badge tone="alarm" icon="warn">not ready</Badge>}</td>
                <td className="num right">{one.heartbeat_age_ms === null ? NONE : duration(one.heartbeat_age_ms)}</td>
                <td className="num right">{number(one.lag, 0)}</td>
                <td className={one.restarts > 0 ? "num right loss" : "num right"}>{one.restarts > 0 ? `▲ ${one.restarts}` : "0"}</td>
                <td className="num right">{number(one.handled, 0)}</td><td className="num right">{number(one.published, 0)}</td>
                <td className={one.parked ? "num right loss" : "num right"}>{number(one.parked, 0)}</td><td className="num right wide-only">{one.pid}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Stream({ of }: { of: StreamView }): ReactElement {
  const share = of.max_bytes > 0 ? (100 * of.bytes) / of.max_bytes : null;
  return (
    <details className="stream">
      <summary>
        <b>{of.name}</b>
        <span className="num">{number(of.messages, 0)} messages</span>
        <span className="num">{bytes(of.bytes)}{share === null ? "" : ` · ${number(share, 1)} %`}</span>
        <span className="num faint">{number(of.consumers.reduce((sum, one) => sum + one.pending, 0), 0)} pending</span>
      </summary>
      <table className="table">
        <thead><tr><th scope="col">Consumer</th><th scope="col" className="right">Pending</th><th scope="col" className="right">Not acknowledged</th><th scope="col" className="right">Sent again</th></tr></thead>
        <tbody>{of.consumers.map((one) => <tr key={one.name}><td>{one.name}</td><td className="num right">{number(one.pending, 0)}</td><td className="num right">{number(one.unacknowledged, 0)}</td><td className="num right">{number(one.redelivered, 0)}</td></tr>)}</tbody>
      </table>
    </details>
  );
}

function Dead({ items }: { items: DeadLetterView[] }): ReactElement {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Dead letters">
      <table className="table">
        <thead><tr><th scope="col">Time, UTC</th><th scope="col">Service</th><th scope="col">Subject</th><th scope="col" className="right">Tries</th><th scope="col">Why</th></tr></thead>
        <tbody>{items.map((one) => <tr key={one.ts_event + one.subject}><td className="num">{moment(one.ts_event)}</td><td>{one.service}</td><td><code>{one.subject}</code></td><td className="num right">{one.tries}</td><td className="why"><Line text={one.reason} /></td></tr>)}</tbody>
      </table>
    </div>
  );
}

function AlertRoutes({ items }: { items: AlertRouteView[] }): ReactElement {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Alert routes">
      <table className="table">
        <thead><tr><th scope="col">Route</th><th scope="col">State</th><th scope="col">From</th><th scope="col" className="right">Waiting</th><th scope="col" className="right">Last told, UTC</th><th scope="col">Why not</th></tr></thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.name} className={one.failures > 0 ? "failed" : ""}>
              <td><b>{one.name}</b></td>
              <td>{one.failures > 0 ? <Badge tone="alarm" icon="warn">not taken, {number(one.failures, 0)} tries</Badge> : <Badge tone="gain" icon="check">ready</Badge>}</td>
              <td>{words(one.min_severity)}</td><td className="num right">{number(one.waiting, 0)}</td>
              <td className="num right">{one.told_at === null ? NONE : moment(one.told_at)}</td><td className="why"><Line text={one.problem} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Outside(): ReactElement {
  const state = useQuery(stateQuery);
  return (
    <Answer of={state}>
      {(data) => data.venue_link.length + Object.keys(data.feed).length + data.reconciliation_breaks.length === 0 ? (
        <Empty title="Nothing to tell">No link was cut so far, and the data were fine.</Empty>
      ) : (
        <dl className="facts">
          {data.venue_link.map((link) => <Fact key={link.account} name={`${link.venue}, ${link.account}`}><Badge tone={link.up ? "gain" : "alarm"} icon={link.up ? "check" : "warn"}>{link.up ? "linked" : "cut"}</Badge> {!link.up && <Line text={link.reason} />}</Fact>)}
          {Object.entries(data.feed).map(([name, condition]) => <Fact key={name} name={name}><Badge tone={condition === "ok" || condition === "good" ? "gain" : "loss"} icon={condition === "ok" || condition === "good" ? "check" : "warn"}>{words(condition)}</Badge></Fact>)}
          {data.reconciliation_breaks.map((one) => <Fact key={one} name="Break"><Line text={one} /></Fact>)}
        </dl>
      )}
    </Answer>
  );
}

function Whole({ of }: { of: HealthView }): ReactElement {
  return (
    <>
      <Panel title="Services" flush aside={<><Badge tone={of.bus_up ? "gain" : "alarm"} icon={of.bus_up ? "check" : "warn"}>bus {of.bus_up ? "up" : "down"}</Badge> <Badge tone={of.database_up ? "gain" : "alarm"} icon={of.database_up ? "check" : "warn"}>database {of.database_up ? "up" : "down"}</Badge></>}>
        {of.services.length === 0 ? <Empty title="No heartbeat yet" /> : <Services items={of.services} />}
      </Panel>
      <div className="halves">
        <Panel title="Streams" flush>{of.streams.length === 0 ? <Empty title="No stream is seen" /> : of.streams.map((one) => <Stream key={one.name} of={one} />)}</Panel>
        <Panel title="Venues and feed"><Outside /></Panel>
      </div>
      {of.alert_routes.length > 0 && <Panel title="Alert routes" flush><AlertRoutes items={of.alert_routes} /></Panel>}
      <Panel title={`Dead letters, ${number(of.dead_letters_count, 0)}`} flush>{of.dead_letters.length === 0 ? <Empty title="None">Every message could be handled.</Empty> : <Dead items={of.dead_letters} />}</Panel>
    </>
  );
}

export function ServicesPage(): ReactElement {
  const health = useQuery(healthQuery);
  return <><h1>Services and streams</h1><Answer of={health} lines={12}>{(data) => <Whole of={data} />}</Answer></>;
}
