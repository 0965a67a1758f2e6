import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { promotionQuery } from "../../api/queries.ts";
import type { CriterionView, PromotionView } from "../../api/types.gen.ts";
import { words } from "../../format.ts";
import { Line } from "../../ui/folded.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Answer, Badge, Fact, Panel } from "../../ui/parts.tsx";

function Ladder({ of }: { of: PromotionView }): ReactElement {
  const here = of.stages.indexOf(of.stage);
  return (
    <ol className="ladder" aria-label="Stages">
      {of.stages.map((stage, at) => (
        <li key={stage} className={at < here ? "done" : at === here ? "here" : ""} aria-current={at === here ? "step" : undefined}>{words(stage)}</li>
      ))}
    </ol>
  );
}

function Criterion({ of }: { of: CriterionView }): ReactElement {
  return (
    <li className={of.holds ? "holds" : "fails"}>
      <Icon name={of.holds ? "check" : "cross"} size={14} /><span className="unseen">{of.holds ? "holds" : "does not hold"}</span>
      <b>{words(of.name)}</b> <span className="num">{of.observed}</span> <small className="faint">needed: {of.needed}</small>
    </li>
  );
}

function Way({ of }: { of: PromotionView }): ReactElement {
  return (
    <>
      <Ladder of={of} />
      <dl className="facts">
        <Fact name="On paper">{of.demo_only ? <Badge tone="loss" icon="clock">yes</Badge> : <Badge tone="gain" icon="check">no</Badge>}</Fact>
        <Fact name="Kill days"><span className="num">{of.kill_days.length}{of.kill_days_limit === null ? "" : ` of ${of.kill_days_limit}`}</span>{" "}<small className="num faint">{of.kill_days.join(", ")}{of.kill_window_days === null ? "" : ` in ${of.kill_window_days} sessions`}</small></Fact>
        <Fact name="Quarantine">{of.quarantined_until ? <Badge tone="loss" icon="clock">until {of.quarantined_until}</Badge> : "none"}</Fact>
        <Fact name="Judge’s last word">{of.judged_stay_demo === null ? "none yet" : of.judged_stay_demo ? <Badge tone="loss">stay on paper</Badge> : <Badge tone="gain">may go on</Badge>}</Fact>
      </dl>
      {of.path.length > 0 && <><h3>What keeps it on paper</h3><ol className="path">{of.path.map((one) => <li key={one}><Line text={one} most={300} /></li>)}</ol></>}
      <h3>{of.next_stage ? `Needed for ${words(of.next_stage)}` : "Criteria"}{of.assessed_on && <small> as of {of.assessed_on}</small>}</h3>
      {of.criteria.length === 0 ? <p className="note">Assessed as each trading day begins.</p> : <ul className="criteria">{of.criteria.map((one) => <Criterion key={one.name} of={one} />)}</ul>}
    </>
  );
}

export function StagePanel(): ReactElement {
  const promotion = useQuery(promotionQuery);
  return <Panel title="Stage, and the way on"><Answer of={promotion} lines={8}>{(data) => <Way of={data} />}</Answer></Panel>;
}
