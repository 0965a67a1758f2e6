/* What a desk with models made of it: scores in their parts, escalations, and the rules they changed. */
import type { ReactElement } from "react";
import type { EscalationView, PolicyVersionView, ScoreView } from "../../api/types.gen.ts";
import { modeName, moment, NONE, number, percent, words } from "../../format.ts";
import { linkTo } from "../../route.ts";
import { Line } from "../../ui/folded.tsx";
import { Badge, Fact } from "../../ui/parts.tsx";
import { Action, ScoreBar } from "../desk/scores.tsx";

const VOICES: [keyof ScoreView & ("p_short" | "p_mid" | "size_hint"), string, string][] = [
  ["p_short", "short", "p short"], ["p_mid", "mid", "p mid"], ["size_hint", "rl", "size hint"],
];

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

/** The sum as it was made: each voice times its weight, then the penalties. */
function Parts({ of }: { of: ScoreView }): ReactElement {
  return (
    <table className="table score-parts">
      <thead><tr><th scope="col">Part</th><th scope="col" className="right">Said</th><th scope="col" className="right">Weight</th><th scope="col" className="right">Adds</th></tr></thead>
      <tbody>
        {VOICES.map(([field, weight, name]) => {
          const said = of[field];
          const share = of.weights[weight];
          const counts = said === null ? null : field === "size_hint" ? sigmoid(said) : said;
          return (
            <tr key={field} className={share === undefined ? "faint" : ""}>
              <td>{name}{field === "size_hint" && said !== null && <small className="num faint"> sigmoid {number(sigmoid(said), 3)}</small>}</td>
              <td className="num right">{number(said, 3)}</td>
              <td className="num right">{share === undefined ? "left out" : number(share, 2)}</td>
              <td className="num right">{share === undefined || counts === null ? NONE : number(share * counts, 3, true)}</td>
            </tr>
          );
        })}
        <tr><td>Base</td><td /><td /><td className="num right"><b>{number(of.base, 3)}</b></td></tr>
        {Object.entries(of.penalties).map(([name, value]) => (
          <tr key={name}><td>{words(name)}</td><td className="right"><Badge tone="loss" icon="warn">penalty</Badge></td><td /><td className="num right">{number(value, 2, true)}</td></tr>
        ))}
        {Object.keys(of.penalties).length === 0 && <tr className="faint"><td>Penalties</td><td className="right">none</td><td /><td className="num right">{number(0, 2)}</td></tr>}
        <tr><td><b>Score</b>, within 0 to 1</td><td /><td /><td className="num right"><b>{number(of.score, 3)}</b></td></tr>
      </tbody>
    </table>
  );
}

export function Score({ of }: { of: ScoreView }): ReactElement {
  return (
    <div className="two score-view">
      <dl className="facts">
        <Fact name="Instrument"><b>{of.instrument_id}</b></Fact>
        <Fact name="Score"><ScoreBar of={of} /> <Action of={of} /></Fact>
        <Fact name="A position may come to"><span className="num">{percent(100 * of.size_fraction, false, 2)}</span> of the equity</Fact>
        <Fact name="Inputs">{of.mode === "full" ? "all of them" : <Badge tone="loss" icon="warn">{modeName(of.mode)}</Badge>}</Fact>
        <Fact name="Policy"><span className="num">v{of.policy_version}</span></Fact>
      </dl>
      <div className="scroll" tabIndex={0} role="region" aria-label={`Parts of the score of ${of.instrument_id}`}><Parts of={of} /></div>
    </div>
  );
}

export function EscalationTable({ items, linked }: { items: EscalationView[]; linked: boolean }): ReactElement {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Escalations">
      <table className="table escalations">
        <thead><tr>{linked && <th scope="col">Day</th>}<th scope="col">Trigger</th><th scope="col">Seen, and where it fires</th><th scope="col">Asks for</th><th scope="col">Call</th><th scope="col">Why</th></tr></thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.message_id}>
              {linked && <td className="num"><a href={linkTo(`decisions/${one.decision_id}`)} title={`${moment(one.ts_event)} UTC`}>{one.day}</a></td>}
              <td><b>{words(one.trigger)}</b></td>
              <td className="num">{Object.entries(one.observed).map(([name, value]) => <span key={name} className="step">{words(name)} <b>{number(value, 2)}</b>{one.limits[name] === undefined ? "" : ` (${number(one.limits[name], 2)})`}</span>)}</td>
              <td>{words(one.call)}</td>
              <td>{one.granted ? <Badge tone="gain" icon="check">granted</Badge> : <Badge tone="loss" icon="cross">not granted</Badge>}</td>
              <td className="why"><Line text={one.reason} most={160} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function PolicyChanges({ items }: { items: PolicyVersionView[] }): ReactElement {
  return (
    <ul className="changes">
      {items.map((one) => (
        <li key={one.version}>
          <a className="num" href={linkTo(`policy?to=${one.version}&from=${one.version - 1}`)}>v{one.version}</a>{" "}
          {one.changes.map((change) => <span key={change.name} className="step num"><code>{change.name}</code> {number(change.old, 3)} → <b>{number(change.new, 3)}</b></span>)}
          {one.changes.length === 0 && <span className="faint">no parameter changed</span>}
          <small className="faint"> by {one.author}: </small><Line text={one.reason} most={160} />
        </li>
      ))}
    </ul>
  );
}
