import type { ReactElement } from "react";
import type { CalibrationView } from "../api/types.gen.ts";
import { number } from "../format.ts";

const SIZE = 150;
const EDGE = 18;
const SPAN = SIZE - EDGE - 6;

/** Claimed probability across, share that came true upwards; on the diagonal claims are true. */
export function Reliability({ of }: { of: CalibrationView }): ReactElement {
  const most = Math.max(1, ...of.bins.map((bin) => bin.count));
  const x = (share: number): number => EDGE + share * SPAN;
  const y = (share: number): number => SIZE - EDGE - share * SPAN;
  const bins = of.bins.filter((bin) => bin.count > 0);
  const label = `Of ${of.count} closed orders: ${bins.map((bin) => `claimed ${number(bin.claimed * 100, 0)} %, won ${number(bin.won * 100, 0)} %`).join("; ")}`;
  return (
    <svg className="reliability" viewBox={`0 0 ${SIZE} ${SIZE}`} role="img" aria-label={label}>
      <path className="frame" d={`M${x(0)} ${y(1)}V${y(0)}H${x(1)}`} />
      <path className="ideal" d={`M${x(0)} ${y(0)}L${x(1)} ${y(1)}`} />
      <polyline className="curve" points={bins.map((bin) => `${x(bin.claimed)},${y(bin.won)}`).join(" ")} />
      {bins.map((bin) => (
        <circle key={bin.lower} cx={x(bin.claimed)} cy={y(bin.won)} r={2 + 4 * Math.sqrt(bin.count / most)}>
          <title>{`${bin.count} orders: claimed ${number(bin.claimed * 100, 0)} %, won ${number(bin.won * 100, 0)} %`}</title>
        </circle>
      ))}
      {[0, 0.5, 1].map((share) => (
        <g key={share}>
          <text x={x(share)} y={SIZE - 5} textAnchor="middle">{share * 100}</text>
          <text x={EDGE - 4} y={y(share) + 3} textAnchor="end">{share * 100}</text>
        </g>
      ))}
    </svg>
  );
}
