import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, type ReactElement } from "react";
import { forgetNewer, useLink } from "../api/live.ts";
import { controlsQuery, decisionsQuery, stateQuery } from "../api/queries.ts";
import { number } from "../format.ts";
import { go, keepQuery } from "../route.ts";
import { Icon } from "../ui/icons.tsx";
import { Empty, ErrorBox, More, Panel, Skeleton } from "../ui/parts.tsx";
import { DecisionRows } from "./rows.tsx";

const FILTERS = ["kind", "instrument", "verdict", "code", "min_conviction", "epoch"] as const;
const VERDICTS = ["approved", "denied", "pending", "accepted", "protective"];
const TYPING_MS = 300;
const DECISION_ID = /^[0-9a-f]{32}$/;

function Field({ name, label, query, type = "text", list }: {
  name: string;
  label: string;
  query: URLSearchParams;
  type?: "text" | "number";
  list?: string;
}): ReactElement {
  const kept = query.get(name) ?? "";
  const [value, setValue] = useState(kept);
  useEffect(() => setValue(kept), [kept]);
  useEffect(() => {
    if (value === kept) return undefined;
    const timer = window.setTimeout(() => {
      const next = new URLSearchParams(query);
      if (value) next.set(name, value);
      else next.delete(name);
      keepQuery(next);
    }, TYPING_MS);
    return () => window.clearTimeout(timer);
  }, [value, kept, name, query]);
  return (
    <label className="field">
      <span>{label}</span>
      <input type={type} value={value} list={list} min={0} spellCheck={false} onChange={(event) => setValue(event.target.value)} />
    </label>
  );
}

function Search(): ReactElement {
  const [id, setId] = useState("");
  const isId = DECISION_ID.test(id.trim());
  return (
    <form className="search" role="search" onSubmit={(event) => { event.preventDefault(); if (isId) go(`decisions/${id.trim()}`); }}>
      <Icon name="search" size={14} />
      <input data-search aria-label="Open a decision by its id" placeholder="Decision id" value={id} spellCheck={false} onChange={(event) => setId(event.target.value)} />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}

function Filters({ query }: { query: URLSearchParams }): ReactElement {
  const state = useQuery(stateQuery).data;
  const controls = useQuery(controlsQuery).data;
  const set = (name: string, value: string): void => {
    const next = new URLSearchParams(query);
    if (value) next.set(name, value);
    else next.delete(name);
    keepQuery(next);
  };
  return (
    <div className="filters" role="group" aria-label="Filters">
      <Search />
      <label className="field"><span>Kind</span>
        <select value={query.get("kind") ?? ""} onChange={(event) => set("kind", event.target.value)}>
          <option value="">any</option>
          <option value="order">orders</option>
          <option value="proposal">proposals</option>
        </select>
      </label>
      <label className="field"><span>Instrument</span>
        <select value={query.get("instrument") ?? ""} onChange={(event) => set("instrument", event.target.value)}>
          <option value="">any</option>
          {(state?.instruments ?? []).map((one) => <option key={one}>{one}</option>)}
        </select>
      </label>
      <label className="field"><span>Verdict</span>
        <select value={query.get("verdict") ?? ""} onChange={(event) => set("verdict", event.target.value)}>
          <option value="">any</option>
          {VERDICTS.map((one) => <option key={one}>{one}</option>)}
        </select>
      </label>
      <Field name="code" label="Failed control" query={query} list="codes" />
      <datalist id="codes">{controls?.items.map((one) => <option key={one.code} value={one.code} />)}</datalist>
      <Field name="min_conviction" label="Conviction from" query={query} type="number" />
      <Field name="epoch" label="Epoch" query={query} type="number" />
      {FILTERS.some((name) => query.has(name)) && <button type="button" className="link" onClick={() => keepQuery(new URLSearchParams())}>Clear</button>}
    </div>
  );
}

/** Lists stand still while they are read; what came since waits behind this button. */
export function Newer({ count, onShow }: { count: number; onShow: () => void }): ReactElement | null {
  if (count === 0) return null;
  return <button type="button" className="newer" onClick={onShow}><Icon name="right" size={12} /> {number(count, 0)} newer</button>;
}

export function DecisionsPage({ query }: { query: URLSearchParams }): ReactElement {
  const client = useQueryClient();
  const asked = Object.fromEntries(FILTERS.map((name) => [name, query.get(name)]));
  const list = useInfiniteQuery(decisionsQuery(asked));
  const state = useQuery(stateQuery).data;
  const { newer } = useLink();
  useEffect(() => forgetNewer("decisions"), []);
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const show = (): void => {
    forgetNewer("decisions");
    void client.resetQueries({ queryKey: ["decisions"] });
  };
  return (
    <>
      <h1>Decisions</h1>
      <Filters query={query} />
      <Panel title="Newest first" flush aside={<Newer count={newer.decisions} onShow={show} />}>
        {list.error && !list.data && <ErrorBox error={list.error} retry={() => void list.refetch()} />}
        {list.isPending && <Skeleton lines={12} />}
        {list.data && items.length === 0 && !list.hasNextPage && <Empty title="None like that">No decision matches these filters.</Empty>}
        {items.length > 0 && <DecisionRows items={items} now={state?.desk_time} />}
        <More query={list} />
      </Panel>
    </>
  );
}
