import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { post } from "../api/client.ts";
import { sessionQuery } from "../api/queries.ts";
import type { SessionView } from "../api/types.gen.ts";
import { Mark } from "../ui/icons.tsx";

export function LoginPage({ hasEnded }: { hasEnded: boolean }): ReactElement {
  const client = useQueryClient();
  const [token, setToken] = useState("");
  const login = useMutation({
    mutationFn: (given: string) => post<SessionView>("/api/login", { token: given }),
    onSuccess: (session) => {
      setToken("");
      client.setQueryData(sessionQuery.queryKey, session);
    },
  });
  return (
    <main className="login">
      <form
        className="panel form"
        onSubmit={(event) => {
          event.preventDefault();
          if (token.trim() && !login.isPending) login.mutate(token.trim());
        }}
      >
        <Mark size={40} />
        <h1>Interlock</h1>
        <p className="note">{hasEnded ? "Your session has ended. Log in again to go on." : "Models propose, one gate signs, a person stops it."}</p>
        <label>
          Your token
          <input
            type="password"
            name="token"
            autoComplete="current-password"
            value={token}
            autoFocus
            aria-invalid={login.isError}
            onChange={(event) => setToken(event.target.value)}
          />
        </label>
        {login.error && <p className="words refused" role="alert">{login.error.message}</p>}
        <button type="submit" className="button primary" disabled={login.isPending || token.trim() === ""}>
          {login.isPending ? "Looking" : "Log in"}
        </button>
        <p className="note small">
          <code>interlock up</code> says where the first token lies. Another person’s:{" "}
          <code>interlock console token --role operator --name NAME</code>
        </p>
      </form>
    </main>
  );
}
