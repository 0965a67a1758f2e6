import { useQuery } from "@tanstack/react-query";
import { useMemo, useState, type ReactElement } from "react";
import { barsQuery, equityQuery, marksQuery, stateQuery } from "../../api/queries.ts";
import type { MarksView } from "../../api/types.gen.ts";
import { brief, money, plain } from "../../format.ts";
import { Tabs } from "../../ui/tabs.tsx";
import { Answer, Empty, Panel } from "../../ui/parts.tsx";
import { EquityChart, PriceChart, type MarkKind } from "../../ui/chart.tsx";

const MARKS: [MarkKind, string, string][] = [
  ["fills", "▲▼", "fills"],
  ["denials", "■", "denied"],
  ["orders", "●", "orders"],
  ["intents", "●", "intents"],
];
const NO_MARKS: MarksView = { intents: [], denials: [], fills: [] };

function Equity(): ReactElement {
  const equity = useQuery(equityQuery);
  return (
    <Answer of={equity} lines={8}>
      {({ items }) => {
        const [first, last] = [items[0], items.at(-1)];
        if (!first || !last) return <Empty title="No equity yet">The curve begins with the ledger’s first mark.</Empty>;
        const label = `Equity from ${money(first.equity)} on ${brief(first.ts_event, null)} to ${money(last.equity)} on ${brief(last.ts_event, null)}`;
        return <EquityChart points={items} label={label} />;
      }}
    </Answer>
  );
}

function Price({ instrument, shown }: { instrument: string; shown: Set<MarkKind> }): ReactElement {
  const bars = useQuery(barsQuery(instrument));
  const marks = useQuery(marksQuery(instrument));
  return (
    <Answer of={bars} lines={8}>
      {({ items }) => {
        const last = items.at(-1);
        if (!last) return <Empty title={`No bars of ${instrument} yet`} />;
        const told = marks.data ?? NO_MARKS;
        const label = `${instrument}, ${items.length} bars, last close ${plain(String(last.close))}; ${told.fills.length} fills, ${told.denials.length} denials marked`;
        return <PriceChart key={instrument} bars={items} marks={told} shown={shown} label={label} />;
      }}
    </Answer>
  );
}

export function ChartsPanel(): ReactElement {
  const state = useQuery(stateQuery).data;
  const [view, setView] = useState("equity");
  const [hidden, setHidden] = useState<Set<MarkKind>>(new Set());
  const shown = useMemo(() => new Set(MARKS.map(([kind]) => kind).filter((kind) => !hidden.has(kind))), [hidden]);
  const instruments = state?.instruments ?? [];
  function flip(kind: MarkKind): void {
    setHidden((old) => {
      const next = new Set(old);
      if (!next.delete(kind)) next.add(kind);
      return next;
    });
  }
  return (
    <Panel
      title={view === "equity" ? "Equity" : "Price"}
      className="charts"
      aside={<Tabs label="Chart" value={view} onChange={setView} options={[["equity", "Equity"], ...instruments.map((one): [string, string] => [one, one])]} />}
    >
      {view === "equity" ? <Equity /> : <Price instrument={view} shown={shown} />}
      {view !== "equity" && (
        <div className="legend" role="group" aria-label="Marks shown">
          {MARKS.map(([kind, glyph, name]) => (
            <button key={kind} type="button" className={`key ${kind}`} aria-pressed={shown.has(kind)} onClick={() => flip(kind)}>
              <span aria-hidden="true">{glyph}</span> {name}
            </button>
          ))}
        </div>
      )}
    </Panel>
  );
}
