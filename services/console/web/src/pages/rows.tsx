/* Decisions as lines of a table: the same on the desk and on their own page. */
import type { ReactElement } from "react";
import { keyOf } from "../api/live.ts";
import type { DecisionItem } from "../api/types.gen.ts";
import { brief, moment, NONE, number, plain, shortId } from "../format.ts";
import { linkTo } from "../route.ts";
import { Line } from "../ui/folded.tsx";
import { Side, Verdict } from "../ui/parts.tsx";

const CODES_SHOWN = 2;

function Codes({ codes }: { codes: string[] }): ReactElement | null {
  if (codes.length === 0) return null;
  const rest = codes.length - CODES_SHOWN;
  return (
    <span className="codes" title={codes.join("\n")}>
      {codes.slice(0, CODES_SHOWN).map((code) => <code key={code}>{code}</code>)}
      {rest > 0 && <small>+{rest}</small>}
    </span>
  );
}

function Size({ item }: { item: DecisionItem }): ReactElement {
  if (!item.requested_quantity) return <>{NONE}</>;
  const isCut = item.quantity !== null && item.quantity !== item.requested_quantity && item.verdict !== "denied";
  return isCut ? <><s>{plain(item.requested_quantity)}</s> {plain(item.quantity)}</> : <>{plain(item.requested_quantity)}</>;
}

export function DecisionRows({ items, now }: { items: DecisionItem[]; now: string | null | undefined }): ReactElement {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Decisions">
      <table className="table decisions">
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Decision</th>
            <th scope="col">Instrument</th>
            <th scope="col">Side</th>
            <th scope="col" className="right wide-only">Size</th>
            <th scope="col">Verdict</th>
            <th scope="col" className="wide-only">Why</th>
            <th scope="col" className="right wide-only">Conviction</th>
            <th scope="col" className="right wide-only">Epoch</th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={keyOf(item)}>
              <td className="num" title={`${moment(item.ts_event)} UTC`}>{brief(item.ts_event, now)}</td>
              <td><a className="id" href={linkTo(`decisions/${item.decision_id}`)}>{shortId(item.decision_id)}</a></td>
              <td>{item.instrument_id ?? <small>{item.kind}</small>}</td>
              <td>{item.side ? <Side side={item.side} /> : <span className="faint">{NONE}</span>}</td>
              <td className="num right wide-only"><Size item={item} /></td>
              <td><Verdict value={item.verdict} />{item.status && item.status !== item.verdict && <small className="status"> {item.status.replaceAll("_", " ")}</small>}</td>
              <td className="why wide-only">{item.codes.length > 0 ? <Codes codes={item.codes} /> : <Line text={item.summary} most={90} />}</td>
              <td className="num right wide-only">{number(item.conviction, 0)}</td>
              <td className="num right wide-only">{item.epoch ?? NONE}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
