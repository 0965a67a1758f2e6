import { useState, type ReactElement } from "react";
import type { ControlHeld, VerdictView } from "../../api/types.gen.ts";
import { figure, NONE, number, unit } from "../../format.ts";
import { Icon } from "../../ui/icons.tsx";
import { Panel, Verdict } from "../../ui/parts.tsx";

function Row({ of }: { of: ControlHeld }): ReactElement {
  const room = of.headroom_pct;
  return (
    <tr className={of.held ? of.asked ? "" : "faint" : "failed"}>
      <td className="held">
        <Icon name={!of.asked ? "right" : of.held ? "check" : "cross"} size={14} /><span className="unseen">{!of.asked ? "not asked" : of.held ? "held" : "failed"}</span>
      </td>
      <td><code>{of.code}</code><small className="definition">{of.definition}</small></td>
      <td className="num right">{figure(of.observed)}</td>
      <td className="num right">{figure(of.limit)}{of.limit !== null && unit(of.unit) ? <small> {unit(of.unit)}</small> : ""}</td>
      <td className="num right">
        {room === null ? NONE : `${number(room, 0)} %`}
        {room !== null && <span className={`mini ${room <= 0 ? "full" : room < 25 ? "near" : "fine"}`} aria-hidden="true"><i style={{ width: `${Math.max(0, Math.min(100, 100 - room))}%` }} /></span>}
      </td>
    </tr>
  );
}

export function Controls({ of }: { of: VerdictView }): ReactElement {
  const [isAll, setAll] = useState(false);
  const failed = of.controls.filter((one) => !one.held);
  const passed = of.controls.filter((one) => !one.asked);
  const measured = of.controls.filter((one) => one.held && one.headroom_pct !== null);
  const rest = of.controls.filter((one) => one.held && one.asked && one.headroom_pct === null);
  const few = failed.length + measured.length === 0;
  const tight = measured.toSorted((one, other) => (one.headroom_pct ?? 0) - (other.headroom_pct ?? 0));
  const shown = [...failed, ...tight, ...(isAll ? [...rest, ...passed] : few ? rest : [])];
  return (
    <Panel
      title={`The gate on ${of.instrument_id ?? "an intent"}`}
      className="span-all"
      flush
      aside={<><span className="num">{of.controls.length - failed.length - passed.length} held, {failed.length} failed{passed.length > 0 && `, ${passed.length} not asked: it only reduces`}</span> <Verdict value={of.verdict} /></>}
    >
      <div className="scroll" tabIndex={0} role="region" aria-label="Controls">
        <table className="table controls">
          <thead><tr><th scope="col"><span className="unseen">Held</span></th><th scope="col">Control</th><th scope="col" className="right">Observed</th><th scope="col" className="right">Limit</th><th scope="col" className="right">Room left</th></tr></thead>
          <tbody>{shown.map((one) => <Row key={one.code} of={one} />)}</tbody>
        </table>
      </div>
      {(few ? passed : [...rest, ...passed]).length > 0 && (
        <p className="table-foot"><button type="button" className="link" aria-expanded={isAll} onClick={() => setAll(!isAll)}>{isAll ? "Fold" : [few || rest.length === 0 ? "" : `${rest.length} more held that measure no amount`, passed.length === 0 ? "" : `${passed.length} not asked of an order that only reduces`].filter(Boolean).join(", ")}</button></p>
      )}
    </Panel>
  );
}
