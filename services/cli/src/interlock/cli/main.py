"""The `interlock` command. Modules with weight are imported by the command that needs them."""

import typer

from interlock.cli.commands import (
    alerts,
    approvals,
    backtest,
    bus,
    console,
    doctor,
    down,
    escalation,
    export,
    gate,
    keys,
    orders,
    policy,
    postmortem,
    reason,
    scorecard,
    standing,
    status,
    strategy,
    trace,
    trading,
    train,
    up,
    verify,
)
from interlock.cli.frame import Frame

app = typer.Typer(
    cls=Frame,
    help="Interlock lets language models take part in trading without holding the trigger.",
    # Markup and pretty tracebacks load rich: 0.4 s for each call.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("up")(up.up)
app.command("status")(status.status)
app.command("doctor")(doctor.doctor)
app.command("down")(down.down)
app.command("backtest")(backtest.backtest)
app.command("train")(train.train)
app.command("kill")(trading.kill)
app.command("resume")(trading.resume)
app.command("verify")(verify.verify)
app.command("trace")(trace.trace)
app.command("orders")(orders.orders)
app.command("scorecard")(scorecard.scorecard)
app.command("postmortem")(postmortem.postmortem)
app.command("export")(export.export)
app.command("demo")(standing.demo)
app.add_typer(policy.app, name="policy")
app.add_typer(standing.stage_app, name="stage")
app.add_typer(standing.strategies_app, name="strategies")
app.add_typer(standing.quarantine_app, name="quarantine")
app.add_typer(approvals.app, name="approvals")
app.add_typer(gate.app, name="gate")
app.add_typer(keys.app, name="keys")
app.add_typer(reason.app, name="reason")
app.add_typer(strategy.app, name="strategy")
app.add_typer(escalation.app, name="escalation")
app.add_typer(bus.app, name="bus")
app.add_typer(console.app, name="console")
app.add_typer(alerts.app, name="alerts")
