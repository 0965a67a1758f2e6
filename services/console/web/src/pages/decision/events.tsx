import { useState, type ReactElement } from "react";
import type { DecisionView } from "../../api/types.gen.ts";
import { brief, clock, NONE, plain, price } from "../../format.ts";
import { Line } from "../../ui/folded.tsx";
import { Empty, Panel, Side, Verdict } from "../../ui/parts.tsx";

export function Events({ of }: { of: DecisionView }): ReactElement {
  const [isAll, setAll] = useState(false);
  return (
    <>
      <Panel title="Order events" flush>
        {of.order_events.length === 0 ? <Empty title="No order came of it" /> : (
          <ol className="events">
            {of.order_events.map((event) => (
              <li key={event.message_id}>
                <time className="num">{clock(event.ts_event)}</time>
                <Verdict value={event.status ?? event.tag} />
                <span className="num">{event.filled_quantity && event.filled_quantity !== "0" ? plain(event.filled_quantity) : ""}</span>
                {event.detail && <Line text={event.detail} most={200} />}
              </li>
            ))}
          </ol>
        )}
      </Panel>
      <Panel title="Fills" flush>
        {of.fills.length === 0 ? <Empty title="Nothing filled" /> : (
          <ol className="events">
            {of.fills.map((fill) => (
              <li key={fill.message_id}>
                <time className="num">{brief(fill.ts_event, null)}</time>
                <Side side={fill.side} />
                <span className="num">{plain(fill.quantity)} @ {price(fill.price)}</span>
                <small className="num faint">fee {plain(fill.fee)}</small>
              </li>
            ))}
          </ol>
        )}
      </Panel>
      <Panel title={`Messages of this decision, ${of.messages.length}`} className="span-all" flush>
        <ol className="events messages">
          {of.messages.slice(0, isAll ? undefined : 8).map((message) => (
            <li key={message.message_id}>
              <time className="num">{clock(message.ts_event)}</time><code>{message.tag}</code><span className="words faint">{message.subject || NONE}</span>
            </li>
          ))}
        </ol>
        {of.messages.length > 8 && <p className="table-foot"><button type="button" className="link" aria-expanded={isAll} onClick={() => setAll(!isAll)}>{isAll ? "Fold" : `All ${of.messages.length}`}</button></p>}
      </Panel>
    </>
  );
}
