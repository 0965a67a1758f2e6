/* Text that people or models wrote: always text, never markup, and never more than can be drawn. */
import { useState, type ReactElement } from "react";
import { number } from "../format.ts";

const SHORT_CHARACTERS = 900;
const STEP_CHARACTERS = 40_000;

export function Folded({ text, label }: { text: string; label: string }): ReactElement {
  const [shown, setShown] = useState(SHORT_CHARACTERS);
  const isCut = text.length > shown;
  return (
    <div className="folded">
      <pre className={shown > SHORT_CHARACTERS ? "open" : ""} tabIndex={0} role="region" aria-label={label}>
        {isCut ? `${text.slice(0, shown)}…` : text}
      </pre>
      {(isCut || shown > SHORT_CHARACTERS) && (
        <p className="folded-foot">
          <span className="num">
            {number(Math.min(shown, text.length), 0)} of {number(text.length, 0)} characters
          </span>
          {isCut && (
            <button type="button" className="link" onClick={() => setShown(shown + STEP_CHARACTERS)}>
              Show {number(Math.min(STEP_CHARACTERS, text.length - shown), 0)} more
            </button>
          )}
          {shown > SHORT_CHARACTERS && (
            <button type="button" className="link" onClick={() => setShown(SHORT_CHARACTERS)}>Fold</button>
          )}
        </p>
      )}
    </div>
  );
}

/** One line of free text, cut where it would push everything else off the screen. */
export function Line({ text, most = 240 }: { text: string; most?: number }): ReactElement {
  return <span className="words">{text.length > most ? `${text.slice(0, most)}…` : text}</span>;
}
