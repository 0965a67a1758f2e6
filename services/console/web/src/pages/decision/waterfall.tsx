import { useState, type ReactElement } from "react";
import type { SpanView } from "../../api/types.gen.ts";
import { duration } from "../../format.ts";
import { Empty } from "../../ui/parts.tsx";

const LEAST_PCT = 0.6;
const FAR_PCT = 60;
const FULL_PCT = 88;

function Attributes({ of }: { of: SpanView }): ReactElement {
  return (
    <dl className="attributes">
      {Object.entries(of.attributes).map(([name, value]) => (
        <div key={name}><dt>{name}</dt><dd className="words">{value.slice(0, 500)}</dd></div>
      ))}
    </dl>
  );
}

/** Beside the bar where there is room, within it where it fills the lane. */
function Took({ left, width, text }: { left: number; width: number; text: string }): ReactElement {
  if (left > FAR_PCT) return <em className="num" style={{ right: `${100 - left + 0.6}%` }}>{text}</em>;
  const end = left + width;
  if (end > FULL_PCT) return <em className="num within" style={{ left: `${left + 0.8}%` }}>{text}</em>;
  return <em className="num" style={{ left: `${end + 0.6}%` }}>{text}</em>;
}

export function Waterfall({ spans }: { spans: SpanView[] }): ReactElement {
  const [open, setOpen] = useState("");
  if (spans.length === 0) return <Empty title="No trace on record">The desk ran without spans, or they have been cleared.</Empty>;
  const from = Math.min(...spans.map((span) => span.start_ms));
  const to = Math.max(...spans.map((span) => span.start_ms + span.duration_ms));
  const whole = Math.max(to - from, 0.001);
  return (
    <div className="waterfall">
      <div className="wf-scale num" aria-hidden="true">
        <span />{[0, 0.25, 0.5, 0.75].map((share) => <span key={share}>{duration(share * whole)}</span>)}
      </div>
      <ol>
        {spans.map((span) => {
          const left = (100 * (span.start_ms - from)) / whole;
          const width = Math.max(LEAST_PCT, (100 * span.duration_ms) / whole);
          const isOpen = open === span.span_id;
          return (
            <li key={span.span_id}>
              <button type="button" className={span.failed ? "wf-row failed" : "wf-row"} aria-expanded={isOpen} onClick={() => setOpen(isOpen ? "" : span.span_id)}>
                <span className="wf-name" style={{ paddingLeft: `${Math.min(span.depth, 8) * 12}px` }}>
                  <small>{span.service}</small> {span.name.startsWith(`${span.service} `) ? span.name.slice(span.service.length + 1) : span.name}{span.failed && <b> failed</b>}
                </span>
                <span className="wf-lane">
                  <i style={{ left: `${Math.min(left, 100 - LEAST_PCT)}%`, width: `${Math.min(width, 100 - Math.min(left, 100 - LEAST_PCT))}%` }} />
                  <Took left={left} width={width} text={duration(span.duration_ms)} />
                </span>
              </button>
              {isOpen && <Attributes of={span} />}
            </li>
          );
        })}
      </ol>
    </div>
  );
}
