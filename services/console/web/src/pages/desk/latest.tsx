import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { latestDecisionsQuery, stateQuery } from "../../api/queries.ts";
import { linkTo } from "../../route.ts";
import { Answer, Empty, Panel } from "../../ui/parts.tsx";
import { DecisionRows } from "../rows.tsx";

const SHOWN = 12;

export function LatestPanel(): ReactElement {
  const latest = useQuery(latestDecisionsQuery);
  const state = useQuery(stateQuery).data;
  return (
    <Panel title="Latest decisions" flush aside={<a href={linkTo("decisions")}>All decisions</a>}>
      <Answer of={latest} lines={8}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No decision yet">The first comes with the first bar on which the desk has something to say.</Empty>
          ) : (
            <DecisionRows items={items.slice(0, SHOWN)} now={state?.desk_time} />
          )
        }
      </Answer>
    </Panel>
  );
}
