"""What a person asks of a desk's standing: its stage, its strategies, its quarantine, demo."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from interlock.cli.errors import CliError
from interlock.cli.frame import print_json, print_table
from interlock.cli.options import DEFAULT_STATE, JsonOption, StateOption
from interlock.model.values import Stage

if TYPE_CHECKING:
    from interlock.cli.steering import Answered
    from interlock.wire.policy import PolicyChanged, PromotionAssessed, TradingStateChanged

NANOS_PER_MS = 1_000_000

ByOption = Annotated[str, typer.Option(help="The name of the person who answers for it.")]
ReasonOption = Annotated[str, typer.Option(help="Why; everyone who asks later reads it.")]

stage_app = typer.Typer(help="How far the desk is let out.")
strategies_app = typer.Typer(help="Strategies that may not enter, and letting them again.")
quarantine_app = typer.Typer(help="The desk on paper after too many kill days.")


@stage_app.command("show")
def show(state: StateOption = DEFAULT_STATE, as_json: JsonOption = False) -> None:
    """Show the standing of the desk that runs, its stage, and what the next stage needs."""
    import asyncio

    from interlock.cli.state_folder import StateFolder
    from interlock.cli.steering import standing

    trading, shown = asyncio.run(standing(StateFolder(state.resolve())))
    if as_json:
        promotion = None if shown is None else _document(shown)
        print_json({**_document(trading), "promotion": promotion})
        return
    for line in _lines(trading):
        typer.echo(line)
    if shown is not None:
        typer.echo(promotion_head(shown))
        print_table(CRITERIA_HEAD, criteria_cells(shown))


@stage_app.command("set")
def set_stage(
    stage: Annotated[Stage, typer.Argument(help="The stage to go to; up, one step at a time.")],
    by: ByOption,
    reason: ReasonOption = "set at the command line",
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> None:
    """Move the desk to another stage. Back is always allowed; on, where all criteria hold."""
    from interlock.wire.policy import SetStage

    _ask(SetStage, state, by, reason, as_json=as_json, stage=stage)


@strategies_app.command("enable")
def enable(
    name: Annotated[str, typer.Argument(help="The strategy, as it calls itself in its orders.")],
    by: ByOption,
    reason: ReasonOption = "enabled at the command line",
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> None:
    """Let a strategy enter again that was disabled for repeating itself."""
    from interlock.wire.policy import EnableStrategy

    _ask(EnableStrategy, state, by, reason, as_json=as_json, strategy=name)


@quarantine_app.command("clear")
def clear(
    by: ByOption,
    reason: ReasonOption = "cleared at the command line",
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> None:
    """End a quarantine early, where a judge has said since it began that the desk may go live."""
    from interlock.wire.policy import ClearQuarantine

    _ask(ClearQuarantine, state, by, reason, as_json=as_json)


def demo(
    by: ByOption,
    reason: ReasonOption = "asked for at the command line",
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> None:
    """Keep every order off live accounts until a person resumes the desk."""
    from interlock.wire.policy import ForceDemo

    _ask(ForceDemo, state, by, reason, as_json=as_json)


def roll_back(
    version: Annotated[int, typer.Argument(min=1, help="The version to go back to.")],
    by: ByOption,
    reason: ReasonOption = "rolled back at the command line",
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> None:
    """Put an older version's parameters in force again, as a new version."""
    from interlock.wire.policy import RollBackPolicy

    _ask(RollBackPolicy, state, by, reason, as_json=as_json, version=version)


def _ask(
    kind: Any, state: StateOption, by: str, reason: str, *, as_json: bool, **fields: object
) -> None:
    import asyncio

    from interlock.cli.state_folder import StateFolder
    from interlock.cli.steering import ask, command

    for name, text in (("--by", by), ("--reason", reason)):
        if not text.strip():
            raise CliError(f"{name} is empty: say who and why")
    folder = StateFolder(state.resolve())
    answered = asyncio.run(
        ask(folder, lambda desk, now: command(kind, desk, by.strip(), reason.strip(), now, fields))
    )
    _show(answered, as_json=as_json)


def _show(answered: "Answered", *, as_json: bool) -> None:
    from interlock.wire.policy import TradingStateChanged

    rules, latency_ms = answered.rules, answered.latency_ns / NANOS_PER_MS
    if as_json:
        print_json({**_document(rules), "latency_ms": latency_ms})
    elif isinstance(rules, TradingStateChanged):
        for line in _lines(rules):
            typer.echo(line)
    else:
        changes = ", ".join(f"{one.name} {one.old} -> {one.new}" for one in rules.changes)
        typer.echo(
            f"desk {rules.desk}, policy version {rules.version} is in force, by {rules.author} "
            f"({rules.reason}): {changes}"
        )


def _document(rules: "TradingStateChanged | PolicyChanged | PromotionAssessed") -> dict[str, Any]:
    import msgspec

    document: dict[str, Any] = msgspec.to_builtins(rules)
    unasked = ("type", "message_id", "ts_event", "key_id", "signature")
    return {name: value for name, value in document.items() if name not in unasked}


def _lines(trading: "TradingStateChanged") -> list[str]:
    paper = "on paper only" if trading.demo_only else "live accounts allowed"
    why = f"epoch {trading.epoch}, by {trading.author} ({trading.reason})"
    lines = [
        f"desk {trading.desk} is {trading.state} ({trading.standing}), {why}",
        f"stage {trading.stage}: {paper}",
    ]
    if trading.quarantined_since is not None:
        lines.append(f"in quarantine until trading day {trading.quarantined_until} at the earliest")
    if trading.kill_days:
        lines.append(f"kill days: {', '.join(map(str, trading.kill_days))}")
    if trading.disabled:
        lines.append(f"disabled: {', '.join(trading.disabled)}")
    return lines


CRITERIA_HEAD = ("needed for it", "", "seen", "needed")


def promotion_head(shown: "PromotionAssessed") -> str:
    from interlock.cli.moments import show_day

    if shown.next_stage is None:
        return "there is no further stage"
    missing = sum(not one.holds for one in shown.criteria)
    told = (
        f"{missing} of {len(shown.criteria)} criteria missing" if missing else "all criteria hold"
    )
    return f"next stage {shown.next_stage}, as of {show_day(shown.day)}: {told}"


def criteria_cells(shown: "PromotionAssessed") -> list[tuple[str, ...]]:
    return [
        (one.name, "holds" if one.holds else "missing", one.observed, one.needed)
        for one in shown.criteria
    ]
