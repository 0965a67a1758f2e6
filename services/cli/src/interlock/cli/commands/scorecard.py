"""`interlock scorecard`: whether a desk's model keeps to its rules, with the values."""

from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.frame import print_json, print_table
from interlock.cli.options import (
    DEFAULT_STATE,
    JsonOption,
    PostgresOption,
    SinceOption,
    StateOption,
)

if TYPE_CHECKING:
    from interlock.ledger.scorecard import Scorecard, ScorecardRules
    from interlock.policy.config import PolicyConfig
    from interlock.runtime.stores.postgres import Postgres

FAILED = 1


def scorecard(
    desk: Annotated[str, typer.Option(help="A desk's name, or the path of its file.")],
    since: SinceOption = None,
    state: StateOption = DEFAULT_STATE,
    postgres: PostgresOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge the proposals of a desk. Exits with 1 when a gate fails."""
    from interlock.cli.desks import load_desk, read_section
    from interlock.cli.ledger_access import ask_ledger
    from interlock.cli.moments import parse_length
    from interlock.policy.config import PolicyConfig

    file = load_desk(desk)
    rules = rules_of(read_section(file, "policy", PolicyConfig))
    length_ns = None if since is None else parse_length(since)
    name = file.desk.name
    card = ask_ledger(state, postgres, lambda store: _judge(store, name, rules, length_ns))
    if as_json:
        print_json({"desk": name, "since": since, "scorecard": card})
    else:
        verdict = "PASS" if card.ok else "FAIL"
        typer.echo(f"desk {name}: {verdict}, {card.proposals} proposals, {card.applied} applied")
        rows = [
            (gate.name, "PASS" if gate.ok else "FAIL", f"{gate.value:.4g}", gate.limit, gate.detail)
            for gate in card.gates
        ]
        print_table(("gate", "", "value", "limit", "detail"), rows)
    if not card.ok:
        raise typer.Exit(FAILED)


def rules_of(config: "PolicyConfig") -> "ScorecardRules":
    """Return what the scorecard holds a desk to: the limits of its own policy section."""
    from interlock.ledger.scorecard import Bounds, ScorecardRules
    from interlock.model.ids import NANOS_PER_SECOND

    return ScorecardRules(
        bounds={
            name: Bounds(low=limits.lower, high=limits.upper, step=limits.max_step)
            for name, limits in config.parameters.items()
        },
        window_ns=config.window_seconds * NANOS_PER_SECOND,
        applied_at_most=config.max_accepted_in_window,
        accept_rate_at_most=config.max_accept_rate,
    )


async def _judge(
    store: "Postgres", desk: str, rules: "ScorecardRules", length_ns: int | None
) -> "Scorecard":
    from interlock.ledger import queries, scorecard

    begin = None if length_ns is None else await queries.begin_of_last(store, desk, length_ns)
    rows = await queries.audit_rows(store, desk, begin, lead_in_ns=rules.window_ns)
    return scorecard.scorecard(rows, rules, begin)
