/* What a person may set on the desk besides stop and go. */
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { useClearQuarantine, useDial, useForceDemo, useReasoner } from "../../actions.ts";
import { positionsQuery, stateQuery } from "../../api/queries.ts";
import type { StateView } from "../../api/types.gen.ts";
import { money, number, plain, price } from "../../format.ts";
import { Answer, Badge, Change, Empty, Panel } from "../../ui/parts.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { ReasonDialog } from "../../ui/reason.tsx";

function Dial({ state }: { state: StateView }): ReactElement {
  const dial = useDial();
  if (!state.dial) {
    return <div className="line"><span>Aggressiveness</span><small className="faint">this desk has no dial</small></div>;
  }
  const { levels, level, parameter, value } = state.dial;
  const options = levels.map((_, at): [string, string] => [String(at), String(at)]);
  return (
    <div className="line">
      <span>Aggressiveness <small className="faint"><code>{parameter}</code> <b className="num">{number(value, 2)}</b></small></span>
      <Tabs label="Aggressiveness" value={level === null ? "" : String(level)} options={options} onChange={(one) => dial.mutate({ level: Number(one), reason: "" })} />
    </div>
  );
}

function Levers({ state }: { state: StateView }): ReactElement {
  const [asked, setAsked] = useState<"demo" | "quarantine" | null>(null);
  const demo = useForceDemo();
  const quarantine = useClearQuarantine();
  const reasoner = useReasoner();
  return (
    <div className="levers">
      <Dial state={state} />
      <div className="line">
        <span>Models, near and far <Badge tone={state.reasoner_paused ? "loss" : "plain"}>{state.reasoner_paused ? "paused" : "asked"}</Badge></span>
        <button type="button" className="button" disabled={reasoner.isPending} onClick={() => reasoner.mutate({ pause: !state.reasoner_paused })}>{state.reasoner_paused ? "Ask them again" : "Pause them"}</button>
      </div>
      <div className="line">
        <span>Demo only <Badge tone={state.demo_only ? "loss" : "plain"}>{state.demo_only ? "yes" : "no"}</Badge></span>
        <button type="button" className="button" disabled={state.demo_only} onClick={() => setAsked("demo")}>Force demo…</button>
      </div>
      <div className="line">
        <span>Quarantine <Badge tone={state.quarantined_until ? "loss" : "plain"}>{state.quarantined_until ?? "none"}</Badge></span>
        <button type="button" className="button" disabled={!state.quarantined_until} onClick={() => setAsked("quarantine")}>Clear…</button>
      </div>
      {asked === "demo" && (
        <ReasonDialog title="Force demo" text="From now on the desk trades on paper only, until a person lifts it." word="Force demo" pending={demo.isPending} onClose={() => setAsked(null)} onReason={(reason) => demo.mutate({ reason }, { onSuccess: () => setAsked(null) })} />
      )}
      {asked === "quarantine" && (
        <ReasonDialog title="Clear the quarantine" text="The desk may leave demo before its quarantine ends." word="Clear quarantine" pending={quarantine.isPending} onClose={() => setAsked(null)} onReason={(reason) => quarantine.mutate({ reason }, { onSuccess: () => setAsked(null) })} />
      )}
    </div>
  );
}

export function PeoplePanel(): ReactElement {
  const state = useQuery(stateQuery);
  const positions = useQuery(positionsQuery);
  return (
    <>
      <Panel title="Positions" flush>
        <Answer of={positions}>
          {({ items }) =>
            items.length === 0 ? <Empty title="Flat">No position is held.</Empty> : (
              <ul className="holdings">
                {items.map((one) => (
                  <li key={one.account + one.instrument_id}>
                    <b>{one.instrument_id}</b>
                    <span className="num">{plain(one.quantity)} @ {price(one.avg_px)}</span>
                    <span className="num faint">{money(one.notional, false, 0)}</span>
                    <Change value={one.unrealised_pnl} />
                  </li>
                ))}
              </ul>
            )
          }
        </Answer>
      </Panel>
      <Panel title="People’s levers"><Answer of={state}>{(data) => <Levers state={data} />}</Answer></Panel>
    </>
  );
}
