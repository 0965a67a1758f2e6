"""`interlock trace`: one decision from the market event to the fill."""

from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.errors import CliError
from interlock.cli.frame import print_json
from interlock.cli.options import DEFAULT_STATE, JsonOption, PostgresOption, StateOption

if TYPE_CHECKING:
    from interlock.ledger.decision import Decision
    from interlock.ledger.waterfall import Step


def trace(
    decision_id: Annotated[str, typer.Argument(help="The decision's id; it is its trace's id.")],
    state: StateOption = DEFAULT_STATE,
    postgres: PostgresOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one decision: its steps in time, and what was proposed, decided and done."""
    from interlock.cli.ledger_access import ask_ledger
    from interlock.ledger.decision import decision_of
    from interlock.ledger.waterfall import waterfall

    found = ask_ledger(state, postgres, lambda store: decision_of(store, decision_id))
    if found is None:
        raise CliError(
            f"there is no decision {decision_id} in {state}: `interlock orders` shows those that "
            "led to an order"
        )
    steps = waterfall(found.spans)
    if as_json:
        print_json(_document(found, steps))
    else:
        for line in trace_lines(found, steps):
            typer.echo(line)


def _document(decision: "Decision", steps: "list[Step]") -> dict[str, object]:
    rows = {name: getattr(decision, name) for name in decision.__struct_fields__}
    del rows["spans"]
    return {**rows, "steps": steps}


def trace_lines(decision: "Decision", steps: "list[Step]") -> list[str]:
    """Return the waterfall and, under it, one line a row."""
    from interlock.ledger.waterfall import lines

    services = len({step.service for step in steps})
    end_ms = max((step.start_ms + step.duration_ms for step in steps), default=0.0)
    title = (
        f"decision {decision.decision_id}: {len(decision.messages)} messages, "
        f"{len(steps)} steps of {services} services in {end_ms:.1f} ms"
    )
    shown = [title, *lines(steps)]
    if not steps:
        shown.append("its spans were not kept; these are the messages:")
        shown += [f"  {row['tag']}  {row['subject']}" for row in decision.messages]
    shown += _model_lines(decision)
    shown += _people_lines(decision)
    shown += _order_lines(decision)
    if decision.set_by is not None:
        shown += _policy_lines(decision)
    return shown


def _model_lines(decision: "Decision") -> list[str]:
    calls = [
        f"model     {row['provider']}/{row['model']} {row['outcome']}:"
        f" {row['tokens_in'] or 0} tokens in, {row['tokens_out'] or 0} out,"
        f" {row['cost_usd']} USD, {row['latency_ns'] / 1e6:.1f} ms"
        for row in decision.model_calls
    ]
    proposals = [
        f"proposal  {row['parameter']} {row['old']:g} -> {row['proposed']:g}: {row['verdict']}"
        + (f" ({', '.join(row['freeze_reasons'])})" if row["freeze_reasons"] else "")
        for row in decision.proposals
    ]
    return calls + proposals


def _people_lines(decision: "Decision") -> list[str]:
    return [
        f"people    {row['side']} {row['quantity']} {row['instrument_id']}: {row['state']}"
        + (f" by {' and '.join(row['by'])}" if row["by"] else "")
        + (f" ({row['reason']})" if row["reason"] else "")
        for row in decision.approvals
    ]


def _order_lines(decision: "Decision") -> list[str]:
    orders = [
        f"order     {row['side']} {row['requested_quantity']} {row['instrument_id']}"
        f" {row['order_type']}: {row['status']}"
        + (f", because {', '.join(row['reasons'])}" if row["reasons"] else "")
        for row in decision.orders
    ]
    denials = [
        f"denied    {row['code']}: {row['observed']} (allowed: {row['limit']})"
        for row in decision.denials
    ]
    fills = [
        f"fill      {row['side']} {row['last_qty']} {row['instrument_id']} at {row['last_px']}, "
        f"fee {row['fee']}"
        for row in decision.fills
    ]
    return orders + denials + fills


def _policy_lines(decision: "Decision") -> list[str]:
    policy = decision.set_by
    assert policy is not None
    changes = ", ".join(
        f"{c.name} {'none' if c.old is None else f'{c.old:g}'} -> {c.new:g}" for c in policy.changes
    )
    if policy.decision_id == decision.decision_id:
        how = "set by this decision"
    elif policy.proposal_id is None:
        how = f"set by {policy.author}"
    else:
        how = f"set by a proposal of {policy.author}: interlock trace {policy.decision_id}"
    return [f"policy    version {policy.version} ({changes}), {how}"]
