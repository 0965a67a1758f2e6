import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { useRollback } from "../actions.ts";
import { diffQuery, historyQuery, policyQuery } from "../api/queries.ts";
import type { BoundsView, PolicyDiffView, PolicyVersionView, PolicyView } from "../api/types.gen.ts";
import { moment, NONE, number } from "../format.ts";
import { keepQuery, linkTo } from "../route.ts";
import { Line } from "../ui/folded.tsx";
import { Answer, Badge, Empty, ErrorBox, Fact, More, Panel, Skeleton } from "../ui/parts.tsx";
import { ReasonDialog } from "../ui/reason.tsx";

const CHANGES_SHOWN = 3;
const FINE = 0.1;

function fine(value: number): string {
  return number(value, value !== 0 && Math.abs(value) < FINE ? 3 : 2);
}

function Bounds({ value, of }: { value: number; of: BoundsView | undefined }): ReactElement | null {
  if (!of || of.lower === null || of.upper === null) return null;
  const share = (100 * (value - of.lower)) / (of.upper - of.lower || 1);
  return (
    <div className="bounds">
      <span className="num">{fine(of.lower)}</span>
      <span className="bounds-track" aria-hidden="true"><i style={{ left: `${Math.max(0, Math.min(100, share))}%` }} /></span>
      <span className="num">{fine(of.upper)}</span>
      <small>{of.max_step === null ? "any step" : `step ≤ ${fine(of.max_step)}`}</small>
    </div>
  );
}

function Current({ of }: { of: PolicyView }): ReactElement {
  const { current } = of;
  if (!current) return <Empty title="No policy in force yet">The policy service says its first version when it starts.</Empty>;
  return (
    <>
      <dl className="facts row">
        <Fact name="Version"><b className="num">v{current.version}</b></Fact>
        <Fact name="Since, UTC"><span className="num">{moment(current.ts_event)}</span></Fact>
        <Fact name="By">{current.author}</Fact>
        <Fact name="Do not trade">{of.do_not_trade.join(", ") || "nothing listed"}</Fact>
      </dl>
      <ul className="parameters">
        {Object.entries(current.parameters).toSorted(([one], [other]) => one.localeCompare(other)).map(([name, value]) => (
          <li key={name}><code>{name}</code><b className="num">{number(value, 3)}</b><Bounds value={value} of={of.bounds[name]} /></li>
        ))}
      </ul>
    </>
  );
}

function Version({ of, side }: { of: PolicyVersionView; side: string }): ReactElement {
  return (
    <div className="diff-head"><small>{side}</small><b className="num">v{of.version}</b><span className="num">{moment(of.ts_event)}</span><span>{of.author}</span><Line text={of.reason} most={160} /></div>
  );
}

function Diff({ of }: { of: PolicyDiffView }): ReactElement {
  const changed = new Set(of.changes.map((one) => one.name));
  const names = [...new Set([...Object.keys(of.before.parameters), ...Object.keys(of.after.parameters)])].toSorted();
  return (
    <div className="diff">
      <div className="diff-row heads"><Version of={of.before} side="Before" /><Version of={of.after} side="After" /></div>
      {names.map((name) => {
        const [old, next] = [of.before.parameters[name], of.after.parameters[name]];
        const isChanged = changed.has(name);
        return (
          <div key={name} className={isChanged ? "diff-row changed" : "diff-row"}>
            <div className="old"><span aria-hidden="true">{isChanged ? "−" : " "}</span><code>{name}</code><b className="num">{old === undefined ? NONE : number(old, 3)}</b></div>
            <div className="new"><span aria-hidden="true">{isChanged ? "+" : " "}</span><code>{name}</code><b className="num">{next === undefined ? NONE : number(next, 3)}</b>{isChanged && old !== undefined && next !== undefined && <small className="num">{number(next - old, 3, true)}</small>}</div>
          </div>
        );
      })}
      {of.before.config_hash !== of.after.config_hash && <p className="note">The desk’s configuration changed between them, too.</p>}
    </div>
  );
}

function History({ items, query, current, onBack }: {
  items: PolicyVersionView[];
  query: URLSearchParams;
  current: number | undefined;
  onBack: (version: number) => void;
}): ReactElement {
  const pick = (name: string, version: number): void => {
    const next = new URLSearchParams(query);
    next.set(name, String(version));
    keepQuery(next);
  };
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Versions">
      <table className="table versions">
        <thead><tr><th scope="col">Before</th><th scope="col">After</th><th scope="col">Version</th><th scope="col">Since, UTC</th><th scope="col">By</th><th scope="col">Changes</th><th scope="col" className="wide-only">Why</th><th scope="col"><span className="unseen">Action</span></th></tr></thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.version}>
              <td><input type="radio" name="from" aria-label={`v${one.version} as before`} checked={query.get("from") === String(one.version)} onChange={() => pick("from", one.version)} /></td>
              <td><input type="radio" name="to" aria-label={`v${one.version} as after`} checked={query.get("to") === String(one.version)} onChange={() => pick("to", one.version)} /></td>
              <td><b className="num">v{one.version}</b> {one.version === current && <Badge tone="gain" icon="check">in force</Badge>}</td>
              <td className="num"><a href={linkTo(`decisions/${one.decision_id}`)}>{moment(one.ts_event)}</a></td>
              <td>{one.author}</td>
              <td className="num">{one.changes.slice(0, CHANGES_SHOWN).map((change) => <span key={change.name} className="step"><code>{change.name}</code> {number(change.old, 2)} → {number(change.new, 2)}</span>)}{one.changes.length > CHANGES_SHOWN && <small>and {one.changes.length - CHANGES_SHOWN} more</small>}{one.changes.length === 0 && NONE}</td>
              <td className="why wide-only"><Line text={one.reason} most={120} /></td>
              <td className="right">{one.version !== current && <button type="button" className="button small" onClick={() => onBack(one.version)} aria-label={`Roll back to v${one.version}`}>Roll back…</button>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function PolicyPage({ query }: { query: URLSearchParams }): ReactElement {
  const [back, setBack] = useState<number | null>(null);
  const policy = useQuery(policyQuery);
  const history = useInfiniteQuery(historyQuery());
  const rollback = useRollback();
  const items = history.data?.pages.flatMap((page) => page.items) ?? [];
  const asked = new URLSearchParams(query);
  if (!asked.has("to") && items[0]) asked.set("to", String(items[0].version));
  if (!asked.has("from") && items[1]) asked.set("from", String(items[1].version));
  const [from, to] = [Number(asked.get("from") ?? -1), Number(asked.get("to") ?? -1)];
  const isPair = from >= 0 && to >= 0 && from !== to;
  const diff = useQuery(diffQuery(from, to));
  return (
    <>
      <h1>Policy</h1>
      <div className="policy">
        <Panel title="In force"><Answer of={policy}>{(data) => <Current of={data} />}</Answer></Panel>
        <Panel title={isPair ? `Side by side: v${from} and v${to}` : "Side by side"} flush>
          {!isPair ? <Empty title="Choose two versions">One to the left and another to the right, in the list below.</Empty> : <Answer of={diff}>{(data) => <Diff of={data} />}</Answer>}
        </Panel>
      </div>
      <Panel title="Versions, newest first" flush>
        {history.error && !history.data && <ErrorBox error={history.error} retry={() => void history.refetch()} />}
        {history.isPending && <Skeleton lines={8} />}
        {items.length > 0 && <History items={items} query={asked} current={policy.data?.current?.version} onBack={setBack} />}
        {history.data && items.length === 0 && <Empty title="No version yet" />}
        <More query={history} />
      </Panel>
      {back !== null && (
        <ReasonDialog title={`Roll back to v${back}`} text={`Version ${back}’s rules come into force again, as a new version. Hard limits hold as ever.`} word="Roll back" pending={rollback.isPending} onClose={() => setBack(null)} onReason={(reason) => rollback.mutate({ version: back, reason }, { onSuccess: () => setBack(null) })} />
      )}
    </>
  );
}
