import type { ReactElement } from "react";
import { AlertsPanel } from "./alerts.tsx";
import { ChartsPanel } from "./charts.tsx";
import { LatestPanel } from "./latest.tsx";
import { LearningPanel } from "./learning.tsx";
import { PeoplePanel } from "./people.tsx";
import { RiskPanel } from "./risk.tsx";
import { ScoresPanel } from "./scores.tsx";

export function DeskPage(): ReactElement {
  return (
    <div className="desk">
      <h1 className="unseen">Desk</h1>
      <div className="desk-main">
        <ChartsPanel />
        <LatestPanel />
        <ScoresPanel />
        <LearningPanel />
        <div className="pair"><PeoplePanel /></div>
      </div>
      <div className="desk-side">
        <RiskPanel />
        <AlertsPanel />
      </div>
    </div>
  );
}
