import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Component, useEffect, useState, type ReactElement, type ReactNode } from "react";
import { ApiError, keepSession, whenLoggedOut } from "./api/client.ts";
import { listen } from "./api/live.ts";
import { sessionQuery } from "./api/queries.ts";
import type { AlertView, SessionView } from "./api/types.gen.ts";
import { ApprovalsPage } from "./pages/approvals.tsx";
import { DaysPage } from "./pages/days/page.tsx";
import { DecisionPage } from "./pages/decision/page.tsx";
import { DecisionsPage } from "./pages/decisions.tsx";
import { DeskPage } from "./pages/desk/page.tsx";
import { LoginPage } from "./pages/login.tsx";
import { OrdersPage } from "./pages/orders.tsx";
import { PolicyPage } from "./pages/policy.tsx";
import { ServicesPage } from "./pages/services.tsx";
import { useRoute } from "./route.ts";
import { Shell } from "./shell.tsx";
import { Empty, ErrorBox } from "./ui/parts.tsx";
import { toast, Toasts } from "./ui/toasts.tsx";

/** A fault of one page must not take the kill button away with it. */
class Fence extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    if (!this.state.error) return this.props.children;
    return <ErrorBox error={this.state.error} retry={() => this.setState({ error: null })} />;
  }
}

function Page(): ReactElement {
  const route = useRoute();
  switch (route.page) {
    case "desk":
      return <DeskPage />;
    case "decisions":
      return <DecisionsPage query={route.query} />;
    case "decision":
      return <DecisionPage key={route.id} id={route.id} />;
    case "orders":
      return <OrdersPage query={route.query} />;
    case "approvals":
      return <ApprovalsPage />;
    case "days":
      return <DaysPage key={route.id} day={route.id} />;
    case "policy":
      return <PolicyPage query={route.query} />;
    case "services":
      return <ServicesPage />;
    case "unknown":
      return <Empty title="There is no such page">Press ? for the pages there are.</Empty>;
  }
}

function tellAlert(alert: AlertView): void {
  if (alert.severity === "critical") toast("alarm", alert.text);
}

function Inside({ session }: { session: SessionView }): ReactElement {
  const client = useQueryClient();
  const route = useRoute();
  useEffect(() => listen(client, tellAlert), [client]);
  useEffect(() => {
    window.scrollTo(0, 0);
  }, [route.page, route.id]);
  return <Shell session={session}><Fence key={route.page + route.id}><Page /></Fence></Shell>;
}

export function App(): ReactElement {
  const session = useQuery(sessionQuery);
  const client = useQueryClient();
  const [hasEnded, setEnded] = useState(false);
  keepSession(session.data ?? null);
  useEffect(() => whenLoggedOut(() => {
    if (client.getQueryData(sessionQuery.queryKey) === undefined) return;
    setEnded(true);
    client.removeQueries({ predicate: (query) => query.queryKey[0] !== "session" });
    void client.resetQueries({ queryKey: sessionQuery.queryKey });
  }), [client]);
  if (session.isPending) return <div className="boot" role="status"><p>Opening the desk</p></div>;
  const isOut = session.error instanceof ApiError && session.error.status === 401;
  if (session.data) return <><Inside session={session.data} /><Toasts /></>;
  if (isOut) return <><LoginPage hasEnded={hasEnded} /><Toasts /></>;
  return <main className="alone"><ErrorBox error={session.error ?? new Error("no answer")} retry={() => void session.refetch()} /></main>;
}
