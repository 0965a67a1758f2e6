"""`interlock backtest`: a replay through the whole desk in one process, without servers."""

from typing import Annotated, Any, cast

import typer

from interlock.cli.frame import print_json
from interlock.cli.moments import show_day
from interlock.cli.options import JsonOption
from interlock.ledger.summary import PostMortem


def backtest(
    desk: Annotated[str, typer.Option(help="A desk's name, or the path of its file.")],
    *,
    replay: Annotated[
        str | None, typer.Option(help="Recorded data: a known name, or the path of a file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Replay recorded data through a desk and show what it came to."""
    from interlock.cli.backtest_run import open_data, run_backtest
    from interlock.cli.desks import load_desk, with_scenario
    from interlock.cli.progress import ReplayProgress
    from interlock.cli.story_lines import story_lines

    file = load_desk(desk)
    file = with_scenario(file, replay or file.desk.default_replay)
    data = open_data(file, replay)
    with ReplayProgress(f"{file.desk.name} on {data.dataset}", data.bars) as progress:
        outcome = run_backtest(file, data, progress.show)
    if as_json:
        print_json(outcome)
        return
    typer.echo(
        f"desk {outcome.desk} on {outcome.dataset}: {outcome.seconds:.2f} s, "
        f"{outcome.bars_per_second:,.0f} bars/s"
    )
    summary = outcome.summary
    for name in summary.__struct_fields__:
        if name == "story":
            continue
        typer.echo(f"  {name.replace('_', ' ')}: {_told(getattr(summary, name))}")
    for head, text in story_lines(summary.story):
        typer.echo(f"  {head}: {text}" if head else f"    {text}")


def _told(value: Any) -> str:
    if isinstance(value, dict):
        counts = cast("dict[str, int]", value)
        return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
    if isinstance(value, PostMortem):
        return f"{show_day(value.day)}: {value.root_cause}"
    if value is None:
        return "none"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
