/* What the meta-ensemble makes of each instrument, bar by bar. */
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { scoresQuery, stateQuery } from "../../api/queries.ts";
import type { ScoreView } from "../../api/types.gen.ts";
import { brief, modeName, NONE, number, percent, words } from "../../format.ts";
import { linkTo } from "../../route.ts";
import { Badge, Panel, type Tone } from "../../ui/parts.tsx";

const TONES: Record<string, Tone> = { buy: "gain", sell: "loss" };
const GLYPHS: Record<string, string> = { buy: "▲", sell: "▼" };

export function ScoreBar({ of }: { of: ScoreView }): ReactElement {
  const levels = useQuery(scoresQuery).data;
  if (of.score === null) return <span className="faint">{NONE}</span>;
  return (
    <span className="score">
      <span className="score-track" aria-hidden="true">
        {levels && <><u className="sells" style={{ width: `${100 * levels.sell_at}%` }} /><u className="buys" style={{ width: `${100 * (1 - levels.buy_at)}%` }} /></>}
        <i style={{ left: `${100 * of.score}%` }} />
      </span>
      <b className="num">{number(of.score, 3)}</b>
    </span>
  );
}

export function Action({ of }: { of: ScoreView }): ReactElement {
  return <Badge tone={TONES[of.action] ?? "quiet"}><span aria-hidden="true">{GLYPHS[of.action] ?? "■"}</span> {of.action}</Badge>;
}

function Row({ of }: { of: ScoreView }): ReactElement {
  const penalties = Object.entries(of.penalties);
  return (
    <tr>
      <td><a href={linkTo(`decisions/${of.decision_id}`)}><b>{of.instrument_id}</b></a></td>
      <td><ScoreBar of={of} /></td>
      <td><Action of={of} />{of.mode !== "full" && <small className="loss" title={modeName(of.mode)}> {words(of.mode)}</small>}</td>
      <td className="num right">{number(of.p_short, 3)}</td>
      <td className="num right">{number(of.p_mid, 3)}</td>
      <td className="num right">{number(of.size_hint, 2, true)}</td>
      <td className="num right wide-only">{number(of.sentiment, 2, true)}</td>
      <td className="wide-only">{penalties.length === 0 ? <span className="faint">none</span> : penalties.map(([name, value]) => <span key={name} className="step num">{words(name)} {number(value, 2, true)}</span>)}</td>
      <td className="num right" title="what a position may come to, of the equity">{percent(100 * of.size_fraction, false, 1)}</td>
    </tr>
  );
}

function ScoreTable({ items }: { items: ScoreView[] }): ReactElement {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Scores">
      <table className="table">
        <thead><tr><th scope="col">Instrument</th><th scope="col">Score</th><th scope="col">Says</th><th scope="col" className="right">p short</th><th scope="col" className="right">p mid</th><th scope="col" className="right">Size hint</th><th scope="col" className="right wide-only">News</th><th scope="col" className="wide-only">Penalties</th><th scope="col" className="right">Size</th></tr></thead>
        <tbody>{items.map((one) => <Row key={one.instrument_id} of={one} />)}</tbody>
      </table>
    </div>
  );
}

export function ScoresPanel(): ReactElement | null {
  const scores = useQuery(scoresQuery);
  const now = useQuery(stateQuery).data?.desk_time;
  const newest = scores.data?.items.map((one) => one.ts_event).toSorted((one, other) => Number(BigInt(other) - BigInt(one)))[0];
  const items = scores.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <Panel title="Scores" flush aside={<small className="num">as of {brief(newest, now)}</small>}>
      <ScoreTable items={items} />
    </Panel>
  );
}
