/* How the page asks. Every refusal carries the server's own words, and they are what is shown. */
import type { ProblemView, SessionView } from "./types.gen.ts";

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;

  constructor(status: number, code: string, title: string, detail: string) {
    super(detail || title);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.title = title;
  }
}

let csrf = "";
const onLogout = new Set<() => void>();

export function keepSession(session: SessionView | null): void {
  csrf = session?.csrf ?? "";
}

export function whenLoggedOut(listener: () => void): () => void {
  onLogout.add(listener);
  return () => onLogout.delete(listener);
}

async function refusal(response: Response): Promise<ApiError> {
  const body: Partial<ProblemView> = await response.json().catch(() => ({}));
  return new ApiError(
    response.status,
    body.code ?? "unreadable",
    body.title ?? response.statusText,
    body.detail ?? `the console answered ${response.status} ${response.statusText}`,
  );
}

async function answer<T>(path: string, options: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    throw new ApiError(0, "unreachable", "No answer", "The console does not answer. Is it running?");
  }
  if (!response.ok) {
    const error = await refusal(response);
    if (error.status === 401 && path !== "/api/login") for (const told of onLogout) told();
    throw error;
  }
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}

export type Query = Record<string, string | number | null | undefined>;

export function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const asked = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return answer<T>(asked ? `${path}?${asked}` : path, signal ? { signal } : {});
}

export function post<T>(path: string, body: unknown = {}): Promise<T> {
  return answer<T>(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify(body),
  });
}
