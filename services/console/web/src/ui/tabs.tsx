import type { ReactElement } from "react";

/** A choice of one. Radio buttons underneath, so arrows and screen readers work as people expect. */
export function Tabs({ label, value, options, onChange }: {
  label: string;
  value: string;
  options: [string, string][];
  onChange: (value: string) => void;
}): ReactElement {
  return (
    <div className="tabs" role="radiogroup" aria-label={label}>
      {options.map(([name, text]) => (
        <label key={name} className={name === value ? "tab on" : "tab"}>
          <input type="radio" name={label} checked={name === value} onChange={() => onChange(name)} />
          {text}
        </label>
      ))}
    </div>
  );
}
