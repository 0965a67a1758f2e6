"""`interlock escalation`: what would be asked of the cloud model, and what was, and why."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlock.cli.errors import CliError
from interlock.cli.frame import print_json, print_table
from interlock.cli.options import DEFAULT_STATE, JsonOption, StateOption

if TYPE_CHECKING:
    from interlock.escalation.explain import Explanation
    from interlock.escalation.snapshot import Snapshot
    from interlock.ledger.story import Fired

app = typer.Typer(help="Look at escalations, without starting anything.")
FIRED_HEAD = ("day", "trigger", "observed", "call", "granted")

HEAD = ("trigger", "observed", "limit", "fires", "call", "granted")


@app.callback()
def _group() -> None:
    """Keep `explain` a word of its own."""


@app.command()
def explain(
    desk: Annotated[str, typer.Option(help="A desk's name, or the path of its file.")],
    snapshot: Annotated[Path, typer.Option(help="JSON: the numbers the triggers look at.")],
    as_json: JsonOption = False,
) -> None:
    """Print the table of triggers at one moment, and each question that would be asked.

    The snapshot is an object; what is missing is not known. Percentages are in percent.
    timestamp, net_liquidity, daily_pnl (a loss is below zero), max_drawdown_5d (a fall is above
    zero), volatility_zscore, correlation_breakdown, ensemble_accuracy, sharpe_ratio,
    put_call_ratio, news_sentiment, macro_events [text], kill_day (whether the kill rule has fired
    today), kill_switch_reason, sector_dispersion {sector: x}, bucket_usage {bucket: x},
    pnl_decomposition {bucket: x}, turnover_stats {daily_turnover, weekly_turnover,
    monthly_turnover}, feature_performance {name: x}, recent_trades [{symbol, action, size, pnl}],
    calls_today and judge_asked_today (calls granted, and whether the kill switch's was), standing
    [triggers that have fired and not cleared].
    """
    from interlock.cli.desks import load_desk, read_section
    from interlock.escalation import explain as explaining
    from interlock.escalation.config import EscalationConfig

    file = load_desk(desk)
    config = read_section(file, "escalation", EscalationConfig)
    rows = explaining.explain(_snapshot(snapshot), config)
    if as_json:
        print_json(rows)
        return
    print_table(HEAD, [_cells(row) for row in rows])
    for row in rows:
        if row.fires:
            asked = "asked" if row.granted else "not asked"
            typer.echo(f"\n{row.call} because of {row.trigger} ({asked}: {row.reason})")
            print_json(row.request)


@app.command()
def table(state: StateOption = DEFAULT_STATE, as_json: JsonOption = False) -> None:
    """List every trigger that fired, day by day, from the journal of a desk that ran or runs."""
    from interlock.ledger.app import journal_path
    from interlock.ledger.story_query import story_in
    from interlock.runtime.journal import JournalError

    try:
        story = story_in(journal_path(state))
    except OSError as error:
        raise CliError(f"{state} holds no journal: {error.strerror}") from error
    except JournalError as error:
        raise CliError(f"the journal in {state} cannot be trusted: {error}") from error
    fired = [] if story is None else story.fired
    if as_json:
        print_json(fired)
        return
    print_table(FIRED_HEAD, [_fired_cells(one) for one in fired])


def _fired_cells(one: "Fired") -> tuple[str, ...]:
    from interlock.cli.moments import show_day

    seen = [
        f"{name} {value:g} (fires at {one.limits[name]:g})" for name, value in one.observed.items()
    ]
    granted = f"{'yes' if one.granted else 'no'}: {one.reason}"
    return show_day(one.day), one.trigger, ", ".join(seen), one.call, granted


def _cells(row: "Explanation") -> tuple[str, ...]:
    seen = [f"{name} {value:g}" for name, value in row.observed.items()]
    seen += [f"{name} not known" for name in row.unknown]
    fires = "yes" if row.fires else "no"
    if row.holds and row.standing:
        fires = "no: fired before, not cleared"
    granted = f"{'yes' if row.granted else 'no'}: {row.reason}"
    return row.trigger, ", ".join(seen), ", ".join(row.conditions), fires, row.call, granted


def _snapshot(path: Path) -> "Snapshot":
    import msgspec

    from interlock.escalation.explain import require_possible
    from interlock.escalation.snapshot import Snapshot

    try:
        snapshot = msgspec.json.decode(path.read_bytes(), type=Snapshot)
        require_possible(snapshot)
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise CliError(f"{path} is no snapshot: {error}") from error
    return snapshot
