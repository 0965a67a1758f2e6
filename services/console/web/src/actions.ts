/* What people may do from here. Each says what came of it in the server's words. */
import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import { post } from "./api/client.ts";
import { refreshSoon } from "./api/live.ts";
import type { ActionView, KillView } from "./api/types.gen.ts";
import { toast, toastError } from "./ui/toasts.tsx";

function useAction<Asked>(
  path: (asked: Asked) => string,
  body: (asked: Asked) => unknown,
  touched: string[],
): UseMutationResult<ActionView, Error, Asked> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (asked: Asked) => post<ActionView>(path(asked), body(asked)),
    onSuccess: (done) => {
      const word = done.outcome === "obeyed" ? "Done" : "Sent, and not answered yet";
      toast(done.outcome === "obeyed" ? "gain" : "plain", done.detail ? `${word}: ${done.detail}` : word);
    },
    onError: toastError,
    onSettled: () => refreshSoon(client, touched),
  });
}

export function useKill(): UseMutationResult<KillView, Error, string> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (reason: string) => post<KillView>("/api/kill", { reason }),
    onSuccess: (done) => toast("alarm", done.detail || "The kill switch is pressed"),
    onError: toastError,
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["state"] });
      refreshSoon(client, ["state", "latest"]);
    },
  });
}

export const useResume = () =>
  useAction((_: { reason: string; confirm: string }) => "/api/resume", (asked) => asked, ["state"]);
export const useForceDemo = () =>
  useAction((_: { reason: string }) => "/api/force-demo", (asked) => asked, ["state"]);
export const useClearQuarantine = () =>
  useAction((_: { reason: string }) => "/api/clear-quarantine", (asked) => asked, ["state"]);
export const useDial = () => useAction((_: { level: number; reason: string }) => "/api/dial", (asked) => asked, ["state", "policy", "history"]);
export const useReasoner = () =>
  useAction((asked: { pause: boolean }) => `/api/reasoner/${asked.pause ? "pause" : "resume"}`, () => ({}), ["state"]);
export const useRollback = () =>
  useAction((_: { version: number; reason: string }) => "/api/policy/rollback", (asked) => asked, ["state", "policy", "history"]);
export const useApprove = () =>
  useAction((asked: { id: string }) => `/api/approvals/${encodeURIComponent(asked.id)}/approve`, () => ({}), ["approvals", "state"]);
export const useReject = () =>
  useAction(
    (asked: { id: string; reason: string }) => `/api/approvals/${encodeURIComponent(asked.id)}/reject`,
    (asked) => ({ reason: asked.reason }),
    ["approvals", "state"],
  );
