import type { ReactElement } from "react";
import type { ModelCallView, ProposalView } from "../../api/types.gen.ts";
import { duration, money, number, words } from "../../format.ts";
import { Folded } from "../../ui/folded.tsx";
import { Badge, Verdict } from "../../ui/parts.tsx";

function Parsed({ value }: { value: unknown }): ReactElement {
  if (value === null || value === undefined) return <p className="note">Nothing could be read from it.</p>;
  return <Folded text={JSON.stringify(value, null, 2)} label="Parsed answer" />;
}

function Call({ of }: { of: ModelCallView }): ReactElement {
  const answered = of.outcome === "answered";
  return (
    <article className="call">
      <header>
        <b>{of.provider}</b> <span>{of.model === of.provider ? "" : of.model}</span>
        {of.question && <Badge tone="plain">{words(of.question)}</Badge>}
        {of.source && <small className="faint">{of.source === "cloud" ? "as the cloud model" : "in the cloud model’s place"}</small>}
        <Badge tone={answered ? "gain" : "loss"} icon={answered ? "check" : "cross"}>{words(of.outcome)}</Badge>
        <span className="num faint">
          {duration(of.latency_ms)} · {of.tokens_in === null ? "" : `${number(of.tokens_in, 0)} in, ${number(of.tokens_out, 0)} out · `}{money(of.cost_usd, false, 5)} USD
        </span>
      </header>
      {of.detail && <p className="words note">{of.detail.slice(0, 500)}</p>}
      <div className="call-parts">
        <div><h3>Prompt</h3>{of.prompt === null ? <p className="note">Not kept.</p> : <Folded text={of.prompt} label="Prompt" />}</div>
        <div><h3>Raw answer</h3>{of.answer === null ? <p className="note">None came.</p> : <Folded text={of.answer} label="Raw answer" />}</div>
        <div><h3>As it was read</h3><Parsed value={of.parsed} /></div>
      </div>
    </article>
  );
}

export function Calls({ calls, proposals }: { calls: ModelCallView[]; proposals: ProposalView[] }): ReactElement {
  return (
    <>
      {calls.map((call) => <Call key={call.message_id} of={call} />)}
      {proposals.length > 0 && (
        <div className="scroll" tabIndex={0} role="region" aria-label="Proposals">
          <table className="table">
            <thead><tr><th scope="col">Parameter</th><th scope="col" className="right">From</th><th scope="col" className="right">Proposed</th><th scope="col" className="right">Applied</th><th scope="col">Policy’s verdict</th><th scope="col">Frozen by</th></tr></thead>
            <tbody>
              {proposals.map((one) => (
                <tr key={one.message_id}>
                  <td><code>{one.parameter}</code></td>
                  <td className="num right">{number(one.old, 3)}</td>
                  <td className="num right">{number(one.proposed, 3)}</td>
                  <td className="num right">{number(one.applied, 3)}</td>
                  <td><Verdict value={one.verdict} /></td>
                  <td>{one.freeze_reasons.map(words).join(", ") || "nothing"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
