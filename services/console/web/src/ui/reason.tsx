/* An action that asks for its reason first; the reason is journaled under the person's name. */
import { useState, type ReactElement } from "react";
import { Dialog } from "./dialog.tsx";

export function ReasonDialog({ title, text, word, pending, onReason, onClose }: {
  title: string;
  text: string;
  word: string;
  pending: boolean;
  onReason: (reason: string) => void;
  onClose: () => void;
}): ReactElement {
  const [reason, setReason] = useState("");
  const isReady = reason.trim() !== "" && !pending;
  return (
    <Dialog title={title} onClose={onClose}>
      <form className="form" onSubmit={(event) => { event.preventDefault(); if (isReady) onReason(reason.trim()); }}>
        <p>{text}</p>
        <label>Reason<input value={reason} autoFocus maxLength={500} onChange={(event) => setReason(event.target.value)} /></label>
        <div className="form-end">
          <button type="button" className="button" onClick={onClose}>Leave it</button>
          <button type="submit" className="button primary" disabled={!isReady}>{pending ? "Asking" : word}</button>
        </div>
      </form>
    </Dialog>
  );
}
