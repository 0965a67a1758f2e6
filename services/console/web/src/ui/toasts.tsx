/* What came of a person's word, and critical alerts, in a corner for a while. */
import { useEffect, useSyncExternalStore, type ReactElement } from "react";
import { Icon, type IconName } from "./icons.tsx";
import type { Tone } from "./parts.tsx";

interface Toast {
  id: number;
  tone: Tone;
  text: string;
}

const SHOWN_MS = 9_000;
const MOST = 4;
let toasts: Toast[] = [];
let last = 0;
const watchers = new Set<() => void>();

function change(next: Toast[]): void {
  toasts = next;
  for (const watcher of watchers) watcher();
}

export function toast(tone: Tone, text: string): void {
  last += 1;
  change([...toasts, { id: last, tone, text }].slice(-MOST));
}

export function toastError(error: Error): void {
  toast("alarm", error.message);
}

function drop(id: number): void {
  change(toasts.filter((one) => one.id !== id));
}

const ICONS: Record<Tone, IconName> = { gain: "check", loss: "warn", alarm: "stop", plain: "info", quiet: "info" };

function Shown({ one }: { one: Toast }): ReactElement {
  useEffect(() => {
    const timer = window.setTimeout(() => drop(one.id), SHOWN_MS);
    return () => window.clearTimeout(timer);
  }, [one.id]);
  return (
    <div className={`toast ${one.tone}`}>
      <Icon name={ICONS[one.tone]} />
      <span className="words">{one.text.slice(0, 400)}</span>
      <button type="button" className="button bare" aria-label="Dismiss" onClick={() => drop(one.id)}><Icon name="cross" size={12} /></button>
    </div>
  );
}

export function Toasts(): ReactElement {
  const shown = useSyncExternalStore((watcher) => {
    watchers.add(watcher);
    return () => watchers.delete(watcher);
  }, () => toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((one) => <Shown key={one.id} one={one} />)}
    </div>
  );
}
