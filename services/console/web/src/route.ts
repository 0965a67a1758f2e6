/* Where on the page a person is, kept behind the # so that the server needs to know no pages. */
import { useSyncExternalStore } from "react";

export const PAGES = ["desk", "decisions", "orders", "approvals", "days", "policy", "services"] as const;
export type PageName = (typeof PAGES)[number];

export interface Route {
  page: PageName | "decision" | "unknown";
  id: string;
  query: URLSearchParams;
}

/** An address is whatever somebody typed: one that is badly encoded names no decision. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function read(): Route {
  const [path = "", search = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [head = "", id = ""] = path.split("/");
  const query = new URLSearchParams(search);
  if (head === "") return { page: "desk", id: "", query };
  if (head === "days" && id) return { page: "days", id: decoded(id), query };
  if (head === "decisions" && id) return { page: "decision", id: decoded(id), query };
  const page = PAGES.find((name) => name === head);
  return { page: page ?? "unknown", id: "", query };
}

let current = read();

function subscribe(told: () => void): () => void {
  const heard = (): void => {
    current = read();
    told();
  };
  window.addEventListener("hashchange", heard);
  return () => window.removeEventListener("hashchange", heard);
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, () => current);
}

export function go(path: string): void {
  location.hash = `#/${path}`;
}

export function linkTo(path: string): string {
  return `#/${path}`;
}

/** Change the filters in the address without a new step in the history. */
export function keepQuery(query: URLSearchParams): void {
  const [path = ""] = location.hash.split("?");
  const asked = query.toString();
  history.replaceState(null, "", asked ? `${path}?${asked}` : path);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}
