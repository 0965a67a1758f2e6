import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { latestAlertsQuery, stateQuery } from "../../api/queries.ts";
import type { AlertView } from "../../api/types.gen.ts";
import { brief, moment } from "../../format.ts";
import { Icon, type IconName } from "../../ui/icons.tsx";
import { Line } from "../../ui/folded.tsx";
import { Answer, Empty, Panel } from "../../ui/parts.tsx";

const SHOWN = 12;
const ICONS: Record<string, IconName> = { critical: "stop", warning: "warn", info: "info" };

export function AlertList({ items, now }: { items: AlertView[]; now: string | undefined }): ReactElement {
  return (
    <ul className="alerts" tabIndex={0} aria-label="Alerts, newest first">
      {items.map((alert) => (
        <li key={alert.message_id} className={`alert ${alert.severity}`}>
          <Icon name={ICONS[alert.severity] ?? "info"} />
          <div>
            <Line text={alert.text} most={400} />
            <small>
              <b>{alert.severity}</b> · {alert.service} · <code>{alert.code}</code>
            </small>
          </div>
          <time className="num" title={`${moment(alert.ts_event)} UTC`}>{brief(alert.ts_event, now)}</time>
        </li>
      ))}
    </ul>
  );
}

export function AlertsPanel(): ReactElement {
  const alerts = useQuery(latestAlertsQuery);
  const state = useQuery(stateQuery).data;
  return (
    <Panel title="Alerts" flush>
      <Answer of={alerts}>
        {({ items }) =>
          items.length === 0 ? <Empty title="No alerts">Nothing has needed a person so far.</Empty> : <AlertList items={items.slice(0, SHOWN)} now={state?.desk_time} />
        }
      </Answer>
    </Panel>
  );
}
