import { useQuery } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { bucketsQuery, controlsQuery, stateQuery } from "../../api/queries.ts";
import type { BucketsView, ControlView, UseView } from "../../api/types.gen.ts";
import { brief, figure, money, NONE, number, percent, short } from "../../format.ts";
import { Answer, Empty, Meter, Panel } from "../../ui/parts.tsx";

const TIGHT_PCT = 25;
const SHOWN = 9;

function capText(use: UseView): string {
  const limit = use.limit === null ? "no cap" : short(Number(use.limit));
  return `${short(Number(use.used))} of ${limit}${use.used_pct === null ? "" : ` · ${percent(use.used_pct, false, 0)}`}`;
}

function Uses({ title, items }: { title: string; items: UseView[] }): ReactElement | null {
  if (items.length === 0) return null;
  return (
    <div className="uses">
      <h3>{title}</h3>
      {items.map((use) => <Meter key={use.kind + use.name} label={use.name} used={use.used_pct} text={capText(use)} />)}
    </div>
  );
}

function Caps({ of }: { of: BucketsView }): ReactElement {
  const kind = (name: string): UseView[] => of.items.filter((use) => use.kind === name);
  return (
    <>
      <p className="line"><span>Open risk</span><b className="num">{money(of.open_risk)}</b></p>
      <Uses title="Desk" items={kind("desk")} />
      <Uses title="Buckets" items={kind("bucket")} />
      <Uses title="Sectors" items={kind("sector")} />
      <Uses title="Names" items={kind("name")} />
    </>
  );
}

function Room({ control }: { control: ControlView }): ReactElement {
  const room = control.headroom_pct;
  const tone = room === null ? "none" : room <= 0 ? "full" : room < TIGHT_PCT ? "near" : "fine";
  return (
    <li className="room" title={`${control.definition}: ${control.observed ?? NONE} of ${control.limit ?? NONE} ${control.unit} (${control.source})`}>
      <code>{control.code}</code>
      <span className="num room-values">{figure(control.observed)} / {figure(control.limit)}</span>
      <span className={`num room-left ${tone}`}>{room === null ? NONE : `${number(room, 0)} %`}</span>
      <span className="num room-denied">{control.denials_today > 0 ? `■ ${control.denials_today}` : ""}</span>
    </li>
  );
}

function tightness(control: ControlView): number {
  return (control.headroom_pct ?? 1_000) - Math.min(control.denials_today, 500);
}

function Rooms({ items }: { items: ControlView[] }): ReactElement {
  const [isAll, setAll] = useState(false);
  const known = items.filter((one) => one.headroom_pct !== null || one.denials_today > 0);
  const sorted = (isAll ? items : known).toSorted((one, other) => tightness(one) - tightness(other));
  if (items.length === 0) return <Empty title="The gate has said nothing yet" />;
  return (
    <div className="uses">
      <h3>Controls, least room first <small>observed / limit · room left · denied today</small></h3>
      <ul className="rooms">{sorted.slice(0, isAll ? undefined : SHOWN).map((one) => <Room key={one.code} control={one} />)}</ul>
      <button type="button" className="link" aria-expanded={isAll} onClick={() => setAll(!isAll)}>
        {isAll ? "Only the tightest" : `All ${items.length} controls`}
      </button>
    </div>
  );
}

export function RiskPanel(): ReactElement {
  const buckets = useQuery(bucketsQuery);
  const controls = useQuery(controlsQuery);
  const now = useQuery(stateQuery).data?.desk_time;
  const last = controls.data?.items.map((one) => one.last_denied_at ?? "0").toSorted((a, b) => Number(BigInt(b) - BigInt(a)))[0];
  return (
    <Panel title="Risk" aside={last && last !== "0" ? <span className="num">last denial {brief(last, now)}</span> : undefined}>
      <Answer of={buckets}>{(data) => <Caps of={data} />}</Answer>
      <Answer of={controls}>{(data) => <Rooms items={data.items} />}</Answer>
    </Panel>
  );
}
