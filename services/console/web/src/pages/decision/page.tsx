import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { decisionQuery } from "../../api/queries.ts";
import type { DecisionItem, DecisionView, OutcomeView } from "../../api/types.gen.ts";
import { moment, money, NONE, plain, price, words } from "../../format.ts";
import { linkTo } from "../../route.ts";
import { Line } from "../../ui/folded.tsx";
import { Answer, Badge, Change, Fact, Panel, Side, Verdict, type Tone } from "../../ui/parts.tsx";
import { Calls } from "./calls.tsx";
import { Events } from "./events.tsx";
import { Controls } from "./controls.tsx";
import { EscalationTable, PolicyChanges, Score } from "./judgement.tsx";
import { Waterfall } from "./waterfall.tsx";

const RESULTS: Record<string, Tone> = { won: "gain", lost: "loss", open: "plain", even: "plain", none: "quiet" };

function Head({ item }: { item: DecisionItem }): ReactElement {
  return (
    <div className="decision-head">
      <div className="decision-what">
        {item.side && <Side side={item.side} />}
        {item.requested_quantity && <b className="num">{plain(item.requested_quantity)}</b>}
        <b>{item.instrument_id ?? words(item.kind)}</b>
        <Verdict value={item.verdict} />
        {item.codes.map((code) => <code key={code}>{code}</code>)}
      </div>
      <Line text={item.summary} most={400} />
    </div>
  );
}

function Outcome({ of }: { of: OutcomeView }): ReactElement {
  return (
    <dl className="facts">
      <Fact name="Result"><Badge tone={RESULTS[of.result] ?? "quiet"}>{of.result === "none" ? "nothing traded" : of.result}</Badge></Fact>
      <Fact name="Realised"><Change value={of.realised_pnl} /></Fact>
      <Fact name="Filled"><span className="num">{plain(of.filled_quantity)}</span></Fact>
      <Fact name="In, out"><span className="num">{price(of.entry_price)} → {price(of.exit_price)}</span></Fact>
      <Fact name="Fees"><span className="num">{money(of.fees)}</span></Fact>
    </dl>
  );
}

function Where({ of }: { of: DecisionView }): ReactElement {
  const first = of.items[0];
  return (
    <dl className="facts">
      {first && <Fact name="Desk">{first.desk}</Fact>}
      <Fact name="Time, UTC"><span className="num">{moment(first?.ts_event ?? of.messages[0]?.ts_event)}</span></Fact>
      <Fact name="Strategy">{first?.strategy ?? NONE}</Fact>
      <Fact name="Epoch"><span className="num">{first?.epoch ?? NONE}</span></Fact>
      {of.set_by && (
        <Fact name="Rules set by">
          <a href={linkTo(`decisions/${of.set_by.decision_id}`)}>v{of.set_by.version}, {of.set_by.author}</a>
          {of.set_by.escalations.length > 0 && <small> after an escalation: {of.set_by.escalations.map(words).join(", ")}</small>}
        </Fact>
      )}
    </dl>
  );
}

function about(of: DecisionView): string {
  const [fired, score] = [of.escalations[0], of.scores[0]];
  if (fired) return `an escalation, ${words(fired.trigger)}`;
  if (score) return `${score.instrument_id}, and what it came to is ${score.action}`;
  return of.model_calls[0] ? words(of.model_calls[0].question) : "what passed on the bus";
}

function Whole({ of }: { of: DecisionView }): ReactElement {
  return (
    <div className="decision">
      <Panel title="What was decided" className="span-all">
        {of.items.map((item, at) => <Head key={`${item.intent_id ?? item.decision_id} ${at}`} item={item} />)}
        {of.items.length === 0 && <p className="note">No order and no proposal belongs to it: it is about {about(of)}.</p>}
        <div className="two"><Where of={of} /><Outcome of={of.outcome} /></div>
      </Panel>
      {of.scores.length > 0 && (
        <Panel title={of.scores.length === 1 ? "Score, and what it was made of" : `Scores, ${of.scores.length}`} className="span-all">
          {of.scores.map((one) => <Score key={one.message_id} of={one} />)}
        </Panel>
      )}
      {of.escalations.length > 0 && <Panel title="Escalations" className="span-all" flush><EscalationTable items={of.escalations} linked={false} /></Panel>}
      <Panel title="Trace, from bar to fill" className="span-all"><Waterfall spans={of.waterfall} /></Panel>
      {(of.model_calls.length > 0 || of.proposals.length > 0) && (
        <Panel title="What the model said" className="span-all"><Calls calls={of.model_calls} proposals={of.proposals} /></Panel>
      )}
      {of.policy_changes.length > 0 && <Panel title="What it changed in the policy" className="span-all"><PolicyChanges items={of.policy_changes} /></Panel>}
      {of.verdicts.map((verdict) => <Controls key={verdict.intent_id} of={verdict} />)}
      <Events of={of} />
    </div>
  );
}

export function DecisionPage({ id }: { id: string }): ReactElement {
  const decision = useQuery(decisionQuery(id));
  return (
    <>
      <p className="crumb"><a href={linkTo("decisions")}>Decisions</a> <span aria-hidden="true">/</span></p>
      <h1>Decision <code className="id whole">{id.slice(0, 64)}</code></h1>
      <Answer of={decision} lines={14}>{(data) => <Whole of={data} />}</Answer>
    </>
  );
}
