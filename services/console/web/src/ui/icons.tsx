/* Line icons on a grid of 16, drawn here so that none has to be fetched. */
import type { ReactElement } from "react";

const PATHS = {
  desk: "M2 2.500h5v6H2zM9 2.500h5v3H9zM9 7.500h5v6H9zM2 10.500h5v3H2z",
  decisions: "M2 4h2M6 4h8M2 8h2M6 8h8M2 12h2M6 12h8",
  orders: "M4 13V3m0 0L1.500 5.500M4 3l2.500 2.500M12 3v10m0 0 2.500-2.500M12 13l-2.500-2.500",
  approvals: "M2 8.500 6 12.500 14 4",
  days: "M2.500 3.500h11v10h-11zM2.500 6.500h11M5.500 2v3M10.500 2v3M5.500 9.500h.01M8 9.500h.01M10.500 9.500h.01",
  policy: "M3 2h7l3 3v9H3zM5.500 6.500h5M5.500 9h5M5.500 11.500h3",
  services: "M2.500 2.500h11v4h-11zM2.500 9.500h11v4h-11zM5 4.500h.01M5 11.500h.01",
  sun: "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.500 9.500A6 6 0 0 1 6.500 2.500a6 6 0 1 0 7 7z",
  help: "M6 6a2 2 0 1 1 2.800 1.800C8.200 8.100 8 8.500 8 9.200M8 11.800h.01M8 1.500a6.500 6.500 0 1 1 0 13 6.500 6.500 0 0 1 0-13z",
  leave: "M6 2.500H2.500v11H6M10 5l3 3-3 3M13 8H6",
  stop: "M5.300 1.500h5.400l3.800 3.800v5.400l-3.800 3.800H5.300l-3.800-3.800V5.300z",
  search: "M7 2.500a4.500 4.500 0 1 1 0 9 4.500 4.500 0 0 1 0-9zM10.500 10.500 14 14",
  warn: "M8 2 1.500 13.500h13zM8 6.500v3.200M8 11.600h.01",
  info: "M8 1.500a6.500 6.500 0 1 1 0 13 6.500 6.500 0 0 1 0-13zM8 7.200v4M8 4.800h.01",
  check: "M3 8.500 6.500 12 13 4.500",
  cross: "M4 4l8 8M12 4l-8 8",
  right: "M6 3.500 10.500 8 6 12.500",
  down: "M3.500 6 8 10.500 12.500 6",
  clock: "M8 1.500a6.500 6.500 0 1 1 0 13 6.500 6.500 0 0 1 0-13zM8 4.500V8l2.500 1.500",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }): ReactElement {
  return (
    <svg className="icon" viewBox="0 0 16 16" width={size} height={size} aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Mark({ size = 22 }: { size?: number }): ReactElement {
  return (
    <svg className="mark" viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <path d="M4 3h10v10H4zM18 19h10v10H18z" className="mark-a" />
      <path d="M18 3h10v10H18zM4 19h10v10H4zM9 13h5v6H9zM18 13h5v6h-5z" className="mark-b" />
    </svg>
  );
}
