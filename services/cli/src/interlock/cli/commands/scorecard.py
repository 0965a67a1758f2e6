"""`interlock scorecard`: whether a desk keeps to its gates, with the values.

Which gates those are the desk file says: a desk with section ``[ledger.scorecard]`` is an ensemble
desk and is judged by its results, any other by what became of its model's proposals.
"""

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
    from pathlib import Path

    from interlock.ledger.config import ScorecardConfig
    from interlock.ledger.scorecard import Gate, Scorecard, ScorecardRules
    from interlock.policy.config import PolicyConfig
    from interlock.runtime.config import DeskFile
    from interlock.runtime.stores.postgres import Postgres

FAILED = 1


def scorecard(
    desk: Annotated[str, typer.Option(help="A desk's name, or the path of its file.")],
    since: SinceOption = None,
    state: StateOption = DEFAULT_STATE,
    postgres: PostgresOption = None,
    replay: Annotated[
        str, typer.Option(help="The replay that ran, where its scenario changes the gates.")
    ] = "",
    model_set: Annotated[
        str | None, typer.Option(help="The models in service, where the desk file names others.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge a desk by its gates. Exits with 1 when one fails; what is not known fails."""
    from interlock.cli.desks import load_desk, read_section, with_scenario
    from interlock.cli.ledger_access import ask_ledger
    from interlock.cli.moments import parse_length
    from interlock.ledger.config import LedgerConfig
    from interlock.policy.config import PolicyConfig

    file = with_scenario(load_desk(desk), replay)
    ensemble = read_section(file, "ledger", LedgerConfig).scorecard
    if ensemble is not None:
        length_ns = None if since is None else parse_length(since)
        _ensemble(file, ensemble, state, postgres, length_ns, model_set, as_json=as_json)
        return
    rules = rules_of(read_section(file, "policy", PolicyConfig))
    length_ns = None if since is None else parse_length(since)
    name = file.desk.name
    card = ask_ledger(state, postgres, lambda store: _judge(store, name, rules, length_ns))
    if as_json:
        print_json({"desk": name, "since": since, "scorecard": card})
    else:
        verdict = "PASS" if card.ok else "FAIL"
        typer.echo(f"desk {name}: {verdict}, {card.proposals} proposals, {card.applied} applied")
        print_table(HEAD, [gate_cells(gate) for gate in card.gates])
    if not card.ok:
        raise typer.Exit(FAILED)


HEAD = ("gate", "", "value", "limit", "detail")


def gate_cells(gate: "Gate") -> tuple[str, ...]:
    value = "not known" if gate.value is None else f"{gate.value:.4g}"
    return (gate.name, "PASS" if gate.ok else "FAIL", value, gate.limit, gate.detail)


def _ensemble(
    file: "DeskFile",
    config: "ScorecardConfig",
    state: "Path",
    postgres: str | None,
    length_ns: int | None,
    model_set: str | None,
    *,
    as_json: bool,
) -> None:
    from interlock.cli.desk_scorecard import judged
    from interlock.cli.ledger_access import ask_ledger

    desk = file.desk
    card = ask_ledger(
        state, postgres, lambda store: judged(store, file, config, length_ns, model_set)
    )
    if as_json:
        print_json({"desk": desk.name, "scorecard": card})
    else:
        verdict = "PASS" if card.ok else "FAIL"
        typer.echo(f"desk {desk.name}: {verdict}, {card.sessions} sessions")
        print_table(HEAD, [gate_cells(gate) for gate in card.gates])
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
