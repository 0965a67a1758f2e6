/* The keyboard. Single keys work wherever nobody is typing. */
import { useEffect } from "react";
import { go, type PageName } from "./route.ts";

export const GOES: [string, PageName, string][] = [
  ["d", "desk", "Desk"],
  ["l", "decisions", "Decisions"],
  ["o", "orders", "Orders and positions"],
  ["a", "approvals", "Approvals"],
  ["y", "days", "Days, post-mortems and stages"],
  ["p", "policy", "Policy"],
  ["s", "services", "Services and streams"],
];
const CHORD_MS = 1_200;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function search(): void {
  const field = document.querySelector<HTMLInputElement>("[data-search]");
  if (field) {
    field.focus();
    field.select();
    return;
  }
  go("decisions");
  window.setTimeout(() => document.querySelector<HTMLInputElement>("[data-search]")?.focus(), 60);
}

export function useKeys(help: () => void): void {
  useEffect(() => {
    let chordUntil = 0;
    function pressed(event: KeyboardEvent): void {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector("dialog[open]")) return;
      if (Date.now() < chordUntil) {
        chordUntil = 0;
        const found = GOES.find(([key]) => key === event.key);
        if (found) {
          event.preventDefault();
          go(found[1] === "desk" ? "" : found[1]);
        }
        return;
      }
      if (event.key === "g") chordUntil = Date.now() + CHORD_MS;
      else if (event.key === "/") {
        event.preventDefault();
        search();
      } else if (event.key === "?") help();
      else if (event.key === "K" || event.key === "k") {
        event.preventDefault();
        document.querySelector<HTMLButtonElement>("[data-kill]")?.focus();
      }
    }
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [help]);
}
