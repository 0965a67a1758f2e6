/* Days that are over, what was written about them, and how far the desk is let out. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { daysQuery, escalationsQuery, postMortemsQuery } from "../../api/queries.ts";
import type { DayView, PostMortemsView, PostMortemView } from "../../api/types.gen.ts";
import { money, number, percent, words } from "../../format.ts";
import { linkTo } from "../../route.ts";
import { Line } from "../../ui/folded.tsx";
import { Answer, Badge, Change, Empty, ErrorBox, More, Panel, Skeleton } from "../../ui/parts.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { EscalationTable } from "../decision/judgement.tsx";
import { StagePanel } from "./stage.tsx";

const SHOWN: [string, string][] = [["all", "All"], ["eventful", "Kills and escalations"]];
const SOURCES: Record<string, string> = { local: "the local model", cloud: "the cloud model", rules: "from the figures alone" };

function Written({ of }: { of: PostMortemView }): ReactElement {
  return (
    <article className="written">
      <header>
        <b>{SOURCES[of.source] ?? of.source}</b>
        <span className="faint">{of.provider === "rules" && of.source !== "rules" ? "rules in its place" : of.model || of.provider}</span>
        <a href={linkTo(`decisions/${of.decision_id}`)}>prompt and answer</a>
      </header>
      <h3>Root cause</h3>
      <p className="words"><Line text={of.root_cause} most={4_000} /></p>
      <h3>Recommendations</h3>
      {of.recommendations.length === 0 ? <p className="note">None.</p> : <ul className="advice">{of.recommendations.map((one) => <li key={one}><Line text={one} most={600} /></li>)}</ul>}
      <details>
        <summary>The {Object.keys(of.figures).length} figures it was written from</summary>
        <dl className="figures">{Object.entries(of.figures).map(([name, value]) => <div key={name}><dt>{words(name)}</dt><dd className="num">{number(value, Number.isInteger(value) ? 0 : 2)}</dd></div>)}</dl>
      </details>
    </article>
  );
}

function PostMortem({ of }: { of: PostMortemsView }): ReactElement {
  if (of.items.length === 0) return <Empty title="No post-mortem yet">One is written when a day is over, where the desk has somebody to write it.</Empty>;
  return <>{of.items.map((one) => <Written key={one.message_id} of={one} />)}</>;
}

function Row({ of, isOpen }: { of: DayView; isOpen: boolean }): ReactElement {
  return (
    <tr className={isOpen ? "open" : ""} aria-current={isOpen ? "true" : undefined}>
      <td className="num">{of.post_mortems > 0 ? <a href={linkTo(`days/${of.day}`)}>{of.day}</a> : of.day}</td>
      <td className="right"><Change value={of.day_pnl} /></td>
      <td className="right"><Change value={of.day_pnl_pct} unit="percent" /></td>
      <td className="num right wide-only">{money(of.equity)}</td>
      <td className="num right">{percent(of.drawdown_5d_pct)}</td>
      <td>{of.killed && <Badge tone="alarm" icon="stop">kill day</Badge>}</td>
      <td className="num right">{of.escalations || ""}</td>
      <td className="num right wide-only">{of.proposals_applied || ""}</td>
      <td className="num right wide-only">{of.intents}</td>
      <td className="num right wide-only">{of.fills}</td>
      <td className="num right wide-only">{of.denials || ""}</td>
      <td className="num right wide-only">{of.model_failures ? <span className="loss">{of.model_failures}</span> : ""}</td>
    </tr>
  );
}

function Days({ day }: { day: string | null | undefined }): ReactElement {
  const [isEventful, setEventful] = useState(false);
  const list = useInfiniteQuery(daysQuery(isEventful));
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Panel title="Days that are over, newest first" flush aside={<Tabs label="Days shown" value={isEventful ? "eventful" : "all"} options={SHOWN} onChange={(one) => setEventful(one === "eventful")} />}>
      {list.error && !list.data && <ErrorBox error={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <Skeleton lines={8} />}
      {list.data && items.length === 0 && <Empty title={isEventful ? "None like that" : "No day is over yet"} />}
      {items.length > 0 && (
        <div className="scroll" tabIndex={0} role="region" aria-label="Days">
          <table className="table">
            <thead><tr><th scope="col">Day</th><th scope="col" className="right">P&L</th><th scope="col" className="right">of equity</th><th scope="col" className="right wide-only">Equity</th><th scope="col" className="right">Drawdown, 5 days</th><th scope="col">Kill rule</th><th scope="col" className="right">Escalations</th><th scope="col" className="right wide-only">Changes applied</th><th scope="col" className="right wide-only">Intents</th><th scope="col" className="right wide-only">Fills</th><th scope="col" className="right wide-only">Denials</th><th scope="col" className="right wide-only">Models failed</th></tr></thead>
            <tbody>{items.map((one) => <Row key={one.day} of={one} isOpen={one.day === day} />)}</tbody>
          </table>
        </div>
      )}
      <More query={list} />
    </Panel>
  );
}

function Escalations(): ReactElement {
  const list = useInfiniteQuery(escalationsQuery());
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Panel title="Escalations, newest first" flush>
      {list.error && !list.data && <ErrorBox error={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <Skeleton lines={4} />}
      {list.data && items.length === 0 && <Empty title="None so far">A trigger that fires is listed here, granted a call or not.</Empty>}
      {items.length > 0 && <EscalationTable items={items} linked />}
      <More query={list} />
    </Panel>
  );
}

export function DaysPage({ day }: { day: string }): ReactElement {
  const written = useQuery(postMortemsQuery(day));
  return (
    <>
      <h1>Days</h1>
      <div className="days">
        <Panel title={written.data?.day ? `Post-mortem of ${written.data.day}` : "Post-mortem"} aside={day ? <a href={linkTo("days")}>The latest</a> : undefined}>
          <Answer of={written} lines={8}>{(data) => <PostMortem of={data} />}</Answer>
        </Panel>
        <StagePanel />
      </div>
      <Days day={written.data?.day} />
      <Escalations />
    </>
  );
}
