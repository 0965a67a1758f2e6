/* Going on after a stop is a person's decision, and typed: one click must never do it. */
import { useState, type ReactElement } from "react";
import { useResume } from "./actions.ts";
import { Dialog } from "./ui/dialog.tsx";

export function ResumeDialog({ desk, onClose }: { desk: string; onClose: () => void }): ReactElement {
  const [confirm, setConfirm] = useState("");
  const [reason, setReason] = useState("");
  const resume = useResume();
  const asked = `resume ${desk}`;
  const isReady = confirm === asked && reason.trim() !== "" && !resume.isPending;
  return (
    <Dialog title="Resume trading" onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) resume.mutate({ reason, confirm }, { onSuccess: onClose });
        }}
      >
        <p>The desk may take new risk again. Your name and reason are kept in the journal.</p>
        <label>
          Why may it go on?
          <input value={reason} maxLength={500} required autoFocus onChange={(event) => setReason(event.target.value)} />
        </label>
        <label>
          <span>Type <code>{asked}</code></span>
          <input value={confirm} autoComplete="off" spellCheck={false} onChange={(event) => setConfirm(event.target.value)} />
        </label>
        {resume.error && <p className="words refused" role="alert">{resume.error.message}</p>}
        <div className="form-end">
          <button type="button" className="button" onClick={onClose}>Leave it stopped</button>
          <button type="submit" className="button primary" disabled={!isReady}>{resume.isPending ? "Asking" : "Resume"}</button>
        </div>
      </form>
    </Dialog>
  );
}
