import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { budgetsQuery, calibrationQuery, cloudQuery, scorecardQuery, stateQuery } from "../../api/queries.ts";
import type { BudgetsPage, CalibrationView, CloudStatusView, ScorecardView, StateView } from "../../api/types.gen.ts";
import { brief, money, NONE, number, percent, words } from "../../format.ts";
import { linkTo } from "../../route.ts";
import { Answer, Badge, Change, Empty, Fact, Panel, type Tone } from "../../ui/parts.tsx";
import { Reliability } from "../../ui/reliability.tsx";

const BRIER_TARGET = 0.2;

function usd(spent: string, limit: string | null): string {
  const digits = Number(spent) === 0 ? 2 : 4;
  return limit === null ? money(spent, false, digits) : `${money(spent, false, digits)} of ${money(limit, false, 0)}`;
}

function Dots({ used, of }: { used: number; of: number | null }): ReactElement | null {
  if (of === null || of > 12) return null;
  return <span className="dots" aria-hidden="true">{Array.from({ length: of }, (_, one) => <i key={one} className={one < used ? "used" : ""} />)}</span>;
}

const CLOUD: Record<string, [Tone, string]> = {
  available: ["plain", "may be asked"], exhausted: ["loss", "no call left today"], paused: ["loss", "paused"], none: ["quiet", "none"],
};

function Cloud({ of }: { of: CloudStatusView }): ReactElement | null {
  const { cloud } = of.budgets;
  if (!cloud) return null;
  const [tone, text] = CLOUD[of.status] ?? ["quiet", of.status];
  const last = of.last_escalation;
  return (
    <>
      <Fact name="Cloud calls today">
        <span className="num" title={`the last ${cloud.kept} is the kill switch’s`}>{cloud.calls_today} of {cloud.calls_limit}</span>{" "}<Dots used={cloud.calls_today} of={cloud.calls_limit} />
      </Fact>
      <Fact name="Cloud USD today"><span className="num">{usd(cloud.usd_today, cloud.usd_limit)}</span></Fact>
      <Fact name="Cloud model"><span title={of.provider === "rules" ? "formulas stand in a model’s place" : of.provider}>{of.provider === "rules" ? "rules" : of.model || of.provider || NONE}</span></Fact>
      <Fact name="Cloud now"><Badge tone={tone}>{text}</Badge></Fact>
      {last && <Fact name="Last escalation"><a href={linkTo(`decisions/${last.decision_id}`)}>{words(last.trigger)}</a>{" "}<small className="num">{last.day}{last.granted ? "" : ", not granted"}</small></Fact>}
    </>
  );
}

function Calls({ of }: { of: BudgetsPage }): ReactElement {
  const { today } = of;
  const limit = today.calls_limit;
  const cloud = useQuery(cloudQuery).data;
  return (
    <dl className="facts">
      {cloud && <Cloud of={cloud} />}
      <Fact name="All calls today">
        <span className="num">{today.calls_today}{limit === null ? "" : ` of ${limit}`}</span>{" "}<Dots used={today.calls_today} of={limit} />
      </Fact>
      <Fact name="All USD today"><span className="num">{usd(today.usd_today, today.usd_limit)}</span></Fact>
    </dl>
  );
}

function Mix({ title, parts }: { title: string; parts: Record<string, number> }): ReactElement | null {
  const entries = Object.entries(parts);
  if (entries.length === 0) return null;
  const whole = entries.reduce((sum, [, value]) => sum + Math.abs(value), 0) || 1;
  return (
    <div className="mix">
      <h3>{title}</h3>
      <div className="mix-bar" aria-hidden="true">
        {entries.map(([name, value], place) => <i key={name} className={`m${place % 4}`} style={{ width: `${(100 * Math.abs(value)) / whole}%` }} />)}
      </div>
      <ul>{entries.map(([name, value], place) => <li key={name}><i className={`m${place % 4}`} aria-hidden="true" />{name} <b className="num">{number(value, 2)}</b></li>)}</ul>
    </div>
  );
}

function Features({ features }: { features: Record<string, boolean> }): ReactElement | null {
  const entries = Object.entries(features);
  if (entries.length === 0) return null;
  return (
    <div className="mix">
      <h3>Features</h3>
      <ul className="features">
        {entries.map(([name, on]) => <li key={name} className={on ? "on" : "off"}><span aria-hidden="true">{on ? "●" : "○"}</span> {name}<span className="unseen">{on ? " on" : " off"}</span></li>)}
      </ul>
    </div>
  );
}

function Rules({ state }: { state: StateView }): ReactElement {
  return (
    <dl className="facts">
      <Fact name="Policy"><a className="num" href={linkTo("policy")}>v{state.policy_version ?? NONE}</a>{" "}<small className="num">{brief(state.policy_changed_at, state.desk_time)}</small></Fact>
      {Object.entries(state.parameters).filter(([name]) => !name.includes(".")).map(([name, value]) => <Fact key={name} name={name}><span className="num">{number(value, 2)}</span></Fact>)}
      <Fact name="Models">{state.reasoner_paused ? <Badge tone="loss" icon="clock">paused</Badge> : state.reasoner_up ? <Badge tone="plain">asked</Badge> : <Badge tone="loss" icon="warn">local model away</Badge>}</Fact>
      {state.regime && <Fact name="Regime, last audit">{state.regime.slice(0, 60)}</Fact>}
      {state.do_not_trade.length > 0 && <Fact name="Left alone">{state.do_not_trade.join(", ")}</Fact>}
    </dl>
  );
}

function Score({ score, calibration }: { score: ScorecardView; calibration: CalibrationView }): ReactElement {
  const { brier } = calibration;
  return (
    <dl className="facts">
      <Fact name="Return"><Change value={score.return_pct} unit="percent" /></Fact>
      <Fact name="Sharpe, yearly"><span className="num">{number(score.sharpe, 2)}</span></Fact>
      <Fact name="Largest drawdown"><span className="num">{percent(score.max_drawdown_pct)}</span></Fact>
      <Fact name="Hit rate"><span className="num">{percent(score.hit_rate_pct, false, 1)}</span></Fact>
      <Fact name="Brier score">
        <span className="num">{number(brier, 3)}</span>{" "}
        {brier !== null && <Badge tone={brier < BRIER_TARGET ? "gain" : "loss"} icon={brier < BRIER_TARGET ? "check" : "cross"}>{brier < BRIER_TARGET ? "<" : "≥"} {BRIER_TARGET}</Badge>}
      </Fact>
    </dl>
  );
}

export function LearningPanel(): ReactElement {
  const state = useQuery(stateQuery);
  const budgets = useQuery(budgetsQuery);
  const score = useQuery(scorecardQuery);
  const calibration = useQuery(calibrationQuery);
  return (
    <Panel title="Learning" className="learning">
      <div className="learning-grid">
        <div>
          <Answer of={state}>{(data) => <Rules state={data} />}</Answer>
        </div>
        <div>
          <Answer of={score}>{(data) => <Score score={data} calibration={calibration.data ?? { count: 0, brier: null, bins: [] }} />}</Answer>
          <Answer of={budgets} lines={2}>{(data) => <Calls of={data} />}</Answer>
        </div>
        <div>
          <h3>Reliability <small>claimed against won</small></h3>
          <Answer of={calibration}>
            {(data) => (data.count === 0 ? <Empty title="No closed orders yet">The curve compares what was claimed with what came true.</Empty> : <Reliability of={data} />)}
          </Answer>
        </div>
        {state.data && (Object.keys(state.data.weights).length > 0 || Object.keys(state.data.rewards).length > 0 || Object.keys(state.data.features).length > 0) && (
          <div>
            <Mix title="Blend weights" parts={state.data.weights} />
            <Mix title="Reward mix" parts={state.data.rewards} />
            <Mix title="Bucket caps, % of equity" parts={state.data.caps} />
            <Features features={state.data.features} />
          </div>
        )}
      </div>
    </Panel>
  );
}
